#include "gnu.h"

#include <string.h>

// CLOSE_RANGE_CLOEXEC of linux/close_range.h, which older headers lack.
enum { close_range_on_exec = 1 << 2 };

int vk_pipe2(int descriptors[2], int flags) { return pipe2(descriptors, flags | O_CLOEXEC); }

int vk_accept4(int socket, int flags) { return accept4(socket, NULL, NULL, flags | SOCK_CLOEXEC); }

ssize_t vk_splice(int from, int to, size_t length, unsigned int flags) {
    return splice(from, NULL, to, NULL, length, flags);
}

int vk_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int vk_close_range(unsigned int first, unsigned int last) {
    return (int)syscall(SYS_close_range, first, last, 0);
}

int vk_close_range_on_exec(unsigned int first, unsigned int last) {
    return (int)syscall(SYS_close_range, first, last, close_range_on_exec);
}

// Control data has to be aligned as a cmsghdr.
union control_space {
    char bytes[CMSG_SPACE(sizeof(int) * vk_descriptors_max)];
    struct cmsghdr alignment;
};

ssize_t vk_send_descriptors(int socket, const void *bytes, size_t length, const int *descriptors, size_t count) {
    if (count > vk_descriptors_max || length == 0) {
        errno = EINVAL;
        return -1;
    }
    union control_space control = {{0}};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent;
}

static size_t take_descriptors(struct msghdr *message, int *descriptors, size_t descriptors_max) {
    size_t total = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count && total < descriptors_max; index++, total++) {
            memcpy(&descriptors[total], CMSG_DATA(header) + index * sizeof(int), sizeof(int));
        }
    }
    return total;
}

ssize_t vk_receive_descriptors(
    int socket, void *buffer, size_t capacity, int *descriptors, size_t descriptors_max, size_t *descriptor_count) {
    *descriptor_count = 0;
    if (descriptors_max > vk_descriptors_max) descriptors_max = vk_descriptors_max;
    union control_space control;
    struct iovec part = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptors_max > 0) {
        message.msg_control = control.bytes;
        // Not CMSG_SPACE: its padding would let the kernel install one descriptor more than asked for.
        message.msg_controllen = CMSG_LEN(sizeof(int) * descriptors_max);
    }
    ssize_t received;
    do {
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0) return -1;
    size_t total = take_descriptors(&message, descriptors, descriptors_max);
    if (message.msg_flags & MSG_CTRUNC) {
        for (size_t index = 0; index < total; index++) close(descriptors[index]);
        errno = EMSGSIZE;
        return -1;
    }
    *descriptor_count = total;
    return received;
}
