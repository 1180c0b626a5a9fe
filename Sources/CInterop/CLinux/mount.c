#include "gnu.h"

#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/xattr.h>

// mount_setattr(2) by number: glibc declares it only since 2.36, and linux/mount.h clashes with sys/mount.h.
struct mount_attributes {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t user_namespace;
};

enum { attribute_read_only = 0x1, at_recursive = 0x8000 };

// The same on every architecture, and so are their flags.
enum { open_tree_number = 428, move_mount_number = 429, clone_mount = 1, empty_source = 4, attribute_id_map = 0x100000 };

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static int set_attributes(const char *path, const struct mount_attributes *attributes) {
    return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, at_recursive, attributes, sizeof *attributes);
}

int vk_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    return mount(source, target, type, flags, data);
}

int vk_umount2(const char *target, int flags) { return umount2(target, flags); }

int vk_pivot_root(const char *new_root, const char *put_old) {
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

int vk_mount_read_only_recursive(const char *path) {
    struct mount_attributes attributes = {.set = attribute_read_only};
    return set_attributes(path, &attributes);
}

int vk_mount_private_recursive(const char *path) {
    struct mount_attributes attributes = {.propagation = MS_PRIVATE};
    return set_attributes(path, &attributes);
}

int vk_clone_mount(const char *path) {
    return (int)syscall(open_tree_number, AT_FDCWD, path, clone_mount | O_CLOEXEC);
}

int vk_map_mount(int mount, int user_namespace) {
    struct mount_attributes attributes = {.set = attribute_id_map, .user_namespace = (uint64_t)user_namespace};
    return (int)syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
}

int vk_attach_mount(int mount, const char *path) {
    return (int)syscall(move_mount_number, mount, "", AT_FDCWD, path, empty_source);
}

int vk_set_file_owner(unsigned int owner) {
    int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    if (bits < 0 || prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0) return -1;
    (void)setfsgid(owner);
    (void)setfsuid(owner);
    // They return what was before, whether they worked or not.
    int failed = (unsigned int)setfsuid((uid_t)-1) != owner || (unsigned int)setfsgid((gid_t)-1) != owner;
    if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0) return -1;
    if (failed) errno = EPERM;
    return failed ? -1 : 0;
}

static const char opaque[] = "user.overlay.opaque";

int vk_make_opaque(const char *directory) { return lsetxattr(directory, opaque, "y", 1, 0); }

bool vk_is_opaque(const char *directory) {
    char value = 0;
    return lgetxattr(directory, opaque, &value, 1) == 1 && value == 'y';
}
