#include "gnu.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <pthread.h>

_Static_assert(sizeof(struct vk_vnet_header) == 10, "the layout of virtio_net_hdr");

// A namespace belongs to a thread. Work in another one is done by a thread that lives only for it, so that
// no caller has to find its way back, which is impossible when that fails half way.
struct errand {
    int network_namespace;
    int (*work)(const struct errand *errand);
    int domain, type, protocol;
    const char *interface_name;
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
    if (vk_set_socket_option(descriptor, SOL_PACKET, PACKET_VNET_HDR, 1) < 0) return fail_closing(descriptor);
    if (vk_set_socket_option(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) < 0) {
        return fail_closing(descriptor);
    }
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) return fail_closing(descriptor);
    return descriptor;
}

int vk_packet_socket(int network_namespace, const char *interface_name) {
    struct errand errand = {
        .network_namespace = network_namespace, .work = make_packet_socket, .interface_name = interface_name};
    return network_namespace < 0 ? make_packet_socket(&errand) : send_errand(&errand);
}

int vk_setns(int namespace_descriptor, int kind) { return setns(namespace_descriptor, kind); }

int vk_unshare(int flags) { return unshare(flags); }
