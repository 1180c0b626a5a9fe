#include "gnu.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

_Static_assert(sizeof(struct vk_vnet_header) == 10, "the layout of virtio_net_hdr");

// A namespace belongs to a thread. Work in another one is done by a thread that lives only for it, so that
// no caller has to find its way back, which is impossible when that fails half way.
struct errand {
    int network_namespace;
    int (*work)(const struct errand *errand);
    int domain, type, protocol;
    const char *interface_name;
    bool has_headers;
    int result;
    int error;
};

static void *run_errand(void *argument) {
    struct errand *errand = argument;
    if (errand->network_namespace >= 0 && setns(errand->network_namespace, CLONE_NEWNET) < 0) {
        errand->result = -1;
    } else {
        errand->result = errand->work(errand);
    }
    errand->error = errno;
    return NULL;
}

static int send_errand(struct errand *errand) {
    sigset_t all, before;
    pthread_t thread;
    // The thread must not take signals that are meant for the others.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread, NULL, run_errand, errand);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure == 0) failure = pthread_join(thread, NULL);
    if (failure != 0) {
        errno = failure;
        return -1;
    }
    if (errand->result < 0) errno = errand->error;
    return errand->result;
}

static int fail_closing(int descriptor) {
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static int make_network_namespace(const struct errand *errand) {
    (void)errand;
    if (unshare(CLONE_NEWNET) < 0) return -1;
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int vk_new_network_namespace(void) {
    struct errand errand = {.network_namespace = -1, .work = make_network_namespace};
    return send_errand(&errand);
}

static int make_socket(const struct errand *errand) {
    return socket(errand->domain, errand->type | SOCK_CLOEXEC, errand->protocol);
}

int vk_socket_in(int network_namespace, int domain, int type, int protocol) {
    struct errand errand = {
        .network_namespace = network_namespace,
        .work = make_socket,
        .domain = domain,
        .type = type,
        .protocol = protocol};
    return network_namespace < 0 ? make_socket(&errand) : send_errand(&errand);
}

static int make_packet_socket(const struct errand *errand) {
    // Protocol 0: nothing is received before bind, so no frame of another interface slips in.
    int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    address.sll_ifindex = (int)if_nametoindex(errand->interface_name);
    if (address.sll_ifindex == 0) return fail_closing(descriptor);
    if (errand->has_headers && vk_set_socket_option(descriptor, SOL_PACKET, PACKET_VNET_HDR, 1) < 0) {
        return fail_closing(descriptor);
    }
    if (vk_set_socket_option(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) < 0) {
        return fail_closing(descriptor);
    }
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) return fail_closing(descriptor);
    return descriptor;
}

int vk_packet_socket(int network_namespace, const char *interface_name, bool has_headers) {
    struct errand errand = {
        .network_namespace = network_namespace,
        .work = make_packet_socket,
        .interface_name = interface_name,
        .has_headers = has_headers};
    return network_namespace < 0 ? make_packet_socket(&errand) : send_errand(&errand);
}

int vk_setns(int namespace_descriptor, int kind) { return setns(namespace_descriptor, kind); }

int vk_unshare(int flags) { return unshare(flags); }

static int write_map(pid_t process, const char *name, const char *map) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    ssize_t length = (ssize_t)strlen(map);
    int result = write(descriptor, map, (size_t)length) == length ? 0 : -1;
    return result < 0 ? fail_closing(descriptor) : close(descriptor);
}

static int open_user_namespace(pid_t process, unsigned int first, unsigned int count) {
    char map[64];
    snprintf(map, sizeof map, "0 %u %u", first, count);
    if (write_map(process, "uid_map", map) < 0 || write_map(process, "gid_map", map) < 0) return -1;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)process);
    return open(path, O_RDONLY | O_CLOEXEC);
}

int vk_new_user_namespace(unsigned int first, unsigned int count) {
    int ready[2];
    if (vk_pipe2(ready, 0) < 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        (void)vk_set_parent_death_signal(SIGKILL);
        int error = unshare(CLONE_NEWUSER) < 0 ? errno : 0;
        if (write(ready[1], &error, sizeof error) == sizeof error) pause();
        _exit(1);
    }
    int error = child < 0 ? errno : EIO;
    close(ready[1]);
    if (child > 0) (void)!read(ready[0], &error, sizeof error);
    close(ready[0]);
    int descriptor = error == 0 ? open_user_namespace(child, first, count) : -1;
    if (error == 0) error = errno;
    if (child > 0) {
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    errno = error;
    return descriptor;
}
