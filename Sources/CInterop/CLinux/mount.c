#include "gnu.h"

// mount_setattr(2) by number: glibc declares it only since 2.36, and linux/mount.h clashes with sys/mount.h.
struct mount_attributes {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t user_namespace;
};

enum { attribute_read_only = 0x1, at_recursive = 0x8000 };

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
