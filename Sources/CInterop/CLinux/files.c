#include "gnu.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

// By number and shape: linux/btrfs.h and linux/fs.h bring linux/mount.h along, which clashes with sys/mount.h.
struct subvolume_request {
    int64_t descriptor;
    char name[4088];
};

struct snapshot_request {
    int64_t descriptor;
    uint64_t generation, flags, unused[4];
    char name[4040];
};

#define CLONE_FILE _IOW(0x94, 9, int)
#define MAKE_SUBVOLUME _IOW(0x94, 14, struct subvolume_request)
#define REMOVE_SUBVOLUME _IOW(0x94, 15, struct subvolume_request)
#define SNAPSHOT_SUBVOLUME _IOW(0x94, 23, struct snapshot_request)

int vk_clone_file(int source, int target) { return ioctl(target, CLONE_FILE, source); }

ssize_t vk_copy_range(int source, int target, off_t offset, size_t length) {
    if (lseek(target, offset, SEEK_SET) < 0) return -1;
    return sendfile(target, source, &offset, length);
}

// The calls for attributes know no directory descriptors (before Linux 6.13).
enum { place_max = 32 + NAME_MAX };

static void put_place(char place[place_max], int directory, const char *name) {
    snprintf(place, place_max, "/proc/self/fd/%d/%s", directory, name);
}

// The names of a file's attributes, one after the other, to be freed. Some file systems know none at all.
static ssize_t list_attributes(const char *path, char **names) {
    ssize_t length = llistxattr(path, NULL, 0);
    *names = NULL;
    if (length <= 0) return length == 0 || errno == ENOTSUP ? 0 : -1;
    *names = malloc((size_t)length);
    return *names ? llistxattr(path, *names, (size_t)length) : -1;
}

int vk_copy_attributes(int source_directory, const char *source_name, int target_directory, const char *target_name) {
    enum { value_max = 64 << 10 };
    char source[place_max], target[place_max];
    put_place(source, source_directory, source_name);
    put_place(target, target_directory, target_name);
    char *names, *older, *value = malloc(value_max);
    ssize_t older_length = list_attributes(target, &older), length = list_attributes(source, &names);
    int result = !value || length < 0 || older_length < 0 ? -1 : 0;
    for (char *name = older; result == 0 && name < older + older_length; name += strlen(name) + 1) {
        if (lgetxattr(source, name, NULL, 0) < 0) result = errno == ENODATA || errno == ENOTSUP ? lremovexattr(target, name) : -1;
    }
    for (char *name = names; result == 0 && name < names + length; name += strlen(name) + 1) {
        ssize_t size = lgetxattr(source, name, value, value_max);
        result = size < 0 ? -1 : lsetxattr(target, name, value, (size_t)size, 0);
    }
    int code = errno;
    free(names);
    free(older);
    free(value);
    errno = code;
    return result;
}

int vk_file_system_time(int directory, int64_t *seconds, int64_t *nanoseconds) {
    struct stat status;
    int file = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) return -1;
    int result = fstat(file, &status);
    if (result == 0) {
        *seconds = status.st_ctim.tv_sec;
        *nanoseconds = status.st_ctim.tv_nsec;
    }
    close(file);
    return result;
}

int64_t vk_file_system_type(int descriptor) {
    struct statfs status;
    return fstatfs(descriptor, &status) == 0 ? (int64_t)status.f_type : -1;
}

int vk_sync_file_system(int descriptor) { return syncfs(descriptor); }

// A name that does not fit is one that the file system would refuse too.
static int copy_name(char *target, size_t capacity, const char *name) {
    if (strlen(name) < capacity) {
        strcpy(target, name);
        return 0;
    }
    errno = ENAMETOOLONG;
    return -1;
}

static int request_subvolume(int directory, unsigned long request, const char *name) {
    struct subvolume_request argument = {0};
    if (copy_name(argument.name, sizeof argument.name, name) != 0) return -1;
    return ioctl(directory, request, &argument);
}

int vk_make_subvolume(int directory, const char *name) { return request_subvolume(directory, MAKE_SUBVOLUME, name); }

int vk_remove_subvolume(int directory, const char *name) {
    return request_subvolume(directory, REMOVE_SUBVOLUME, name);
}

int vk_snapshot_subvolume(int source, int directory, const char *name) {
    struct snapshot_request argument = {.descriptor = source};
    if (copy_name(argument.name, sizeof argument.name, name) != 0) return -1;
    return ioctl(directory, SNAPSHOT_SUBVOLUME, &argument);
}
