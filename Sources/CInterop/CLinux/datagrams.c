#include "addresses.h"

#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef IPV6_RECVFRAGSIZE
#define IPV6_RECVFRAGSIZE 77
#endif
#ifndef IP_RECVFRAGSIZE
#define IP_RECVFRAGSIZE 25
#endif

// The kernel takes 64 segments and 65507 bytes of payload at one time.
enum { segments_max = 60, group_bytes_max = 65000 };

static bool is_same(struct vk_address left, struct vk_address right) {
    return left.low == right.low && left.high == right.high;
}

static bool is_none(struct vk_address address) { return address.high == 0 && address.low == 0; }

int vk_prepare_datagram_socket(int socket, int family) {
    bool is_v6 = family == AF_INET6;
    int level = is_v6 ? SOL_IPV6 : SOL_IP;
    if (vk_set_socket_option(socket, level, is_v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1) < 0) return -1;
    if (vk_set_socket_option(socket, level, is_v6 ? IPV6_RECVERR : IP_RECVERR, 1) < 0) return -1;
    if (vk_set_socket_option(socket, level, is_v6 ? IPV6_RECVFRAGSIZE : IP_RECVFRAGSIZE, 1) < 0) return -1;
    if (vk_set_socket_option(socket, SOL_SOCKET, SO_RXQ_OVFL, 1) < 0) return -1;
    // Only a matter of speed: without it datagrams come one by one.
    vk_set_socket_option(socket, SOL_UDP, UDP_GRO, 1);
    return 0;
}

int vk_set_fragments(int socket, int family, bool are_allowed) {
    if (family == AF_INET6) {
        int mode = are_allowed ? IPV6_PMTUDISC_WANT : IPV6_PMTUDISC_DO;
        return vk_set_socket_option(socket, SOL_IPV6, IPV6_MTU_DISCOVER, mode);
    }
    return vk_set_socket_option(socket, SOL_IP, IP_MTU_DISCOVER, are_allowed ? IP_PMTUDISC_WANT : IP_PMTUDISC_DO);
}

/// The address that came with a datagram or an error, if this part of the message is it.
static bool read_local(struct cmsghdr *part, struct vk_address *local) {
    if (part->cmsg_level == SOL_IP && part->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(part), sizeof info);
        *local = vk_address_of_v4(info.ipi_addr);
        return true;
    }
    if (part->cmsg_level == SOL_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(part), sizeof info);
        *local = vk_address_of_v6(info.ipi6_addr);
        return true;
    }
    return false;
}

static void read_control(struct msghdr *message, struct vk_datagram *datagram) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        int number = 0;
        if (read_local(part, &datagram->local)) continue;
        if ((part->cmsg_level == SOL_IP && part->cmsg_type == IP_RECVFRAGSIZE) ||
            (part->cmsg_level == SOL_IPV6 && part->cmsg_type == IPV6_RECVFRAGSIZE)) {
            datagram->was_fragmented = true;
        } else if (part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_GRO) {
            memcpy(&number, CMSG_DATA(part), sizeof number);
            datagram->segment_size = (uint16_t)number;
        } else if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&datagram->overflow, CMSG_DATA(part), sizeof datagram->overflow);
        }
    }
}

int vk_receive_datagrams(int socket, struct vk_datagram *datagrams, unsigned count) {
    struct mmsghdr messages[vk_datagrams_max];
    struct iovec parts[vk_datagrams_max];
    union vk_socket_address names[vk_datagrams_max];
    _Alignas(struct cmsghdr) char control[vk_datagrams_max][128];
    if (count > vk_datagrams_max) count = vk_datagrams_max;
    for (unsigned i = 0; i < count; i++) {
        parts[i] = (struct iovec){datagrams[i].bytes, datagrams[i].capacity};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &parts[i], .msg_iovlen = 1,
            .msg_control = control[i], .msg_controllen = sizeof control[i]};
    }
    int received = recvmmsg(socket, messages, count, MSG_DONTWAIT, NULL);
    for (int i = 0; i < received; i++) {
        struct vk_datagram *datagram = &datagrams[i];
        datagram->length = messages[i].msg_len;
        vk_endpoint_of(&names[i], &datagram->remote);
        datagram->local = (struct vk_address){0};
        datagram->segment_size = 0;
        datagram->overflow = 0;
        datagram->was_fragmented = false;
        read_control(&messages[i].msg_hdr, datagram);
    }
    return received;
}

static uint32_t whole_length(const struct vk_outgoing_datagram *datagram) {
    return datagram->header_length + datagram->length;
}

// How many of these datagrams can go as segments of one: all as long as the first, but for the last.
static unsigned group_size(const struct vk_outgoing_datagram *first, unsigned count) {
    uint32_t length = whole_length(first), total = length;
    unsigned size = 1;
    while (size < count && size < segments_max && length > 0) {
        const struct vk_outgoing_datagram *next = &first[size];
        uint32_t more = whole_length(next);
        if (!is_same(next->remote.address, first->remote.address) || next->remote.port != first->remote.port ||
            !is_same(next->local, first->local) || more > length || more == 0 || total + more > group_bytes_max)
            break;
        total += more;
        size++;
        if (more < length) break;
    }
    return size;
}

/// Says which address a datagram leaves from; returns the room it takes.
static size_t write_source(struct cmsghdr *part, struct vk_address source) {
    struct in_pktinfo v4 = {0};
    struct in6_pktinfo v6 = {0};
    bool is_v6 = vk_family(source) == AF_INET6;
    size_t size = is_v6 ? sizeof v6 : sizeof v4;
    v4.ipi_spec_dst.s_addr = htonl((uint32_t)source.low);
    v6.ipi6_addr = vk_in6(source);
    part->cmsg_level = is_v6 ? SOL_IPV6 : SOL_IP;
    part->cmsg_type = is_v6 ? IPV6_PKTINFO : IP_PKTINFO;
    part->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(part), is_v6 ? (void *)&v6 : (void *)&v4, size);
    return CMSG_SPACE(size);
}

int vk_send_datagrams(
    int socket, const struct vk_outgoing_datagram *datagrams, unsigned count, bool in_segments) {
    struct mmsghdr messages[vk_outgoing_datagrams_max];
    struct iovec parts[2 * vk_outgoing_datagrams_max];
    union vk_socket_address names[vk_outgoing_datagrams_max];
    unsigned sizes[vk_outgoing_datagrams_max];
    enum { control_bytes = CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)) };
    _Alignas(struct cmsghdr) char control[vk_outgoing_datagrams_max][control_bytes];
    unsigned groups = 0, used = 0;
    if (count > vk_outgoing_datagrams_max) count = vk_outgoing_datagrams_max;
    for (unsigned i = 0; i < count; i += sizes[groups], groups++) {
        const struct vk_outgoing_datagram *first = &datagrams[i];
        unsigned size = sizes[groups] = in_segments ? group_size(first, count - i) : 1;
        struct iovec *start = &parts[used];
        for (unsigned j = i; j < i + size; j++) {
            if (datagrams[j].header_length > 0)
                parts[used++] = (struct iovec){(void *)datagrams[j].header, datagrams[j].header_length};
            parts[used++] = (struct iovec){(void *)datagrams[j].bytes, datagrams[j].length};
        }
        struct msghdr *message = &messages[groups].msg_hdr;
        *message = (struct msghdr){.msg_iov = start, .msg_iovlen = (size_t)(&parts[used] - start)};
        if (first->remote.port != 0) {
            message->msg_name = &names[groups];
            message->msg_namelen = vk_socket_address(first->remote, &names[groups]);
        }
        if (is_none(first->local) && size == 1) continue;
        memset(control[groups], 0, control_bytes);
        message->msg_control = control[groups];
        message->msg_controllen = control_bytes;
        struct cmsghdr *part = CMSG_FIRSTHDR(message);
        size_t length = 0;
        if (!is_none(first->local)) {
            length += write_source(part, first->local);
            part = (struct cmsghdr *)(control[groups] + length);
        }
        if (size > 1) {
            uint16_t segment = (uint16_t)whole_length(first);
            part->cmsg_level = SOL_UDP;
            part->cmsg_type = UDP_SEGMENT;
            part->cmsg_len = CMSG_LEN(sizeof segment);
            memcpy(CMSG_DATA(part), &segment, sizeof segment);
            length += CMSG_SPACE(sizeof segment);
        }
        message->msg_controllen = length;
    }
    int sent = sendmmsg(socket, messages, groups, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return -1;
    unsigned total = 0;
    for (int i = 0; i < sent; i++) total += sizes[i];
    return (int)total;
}

/// Takes over what an error message says, if this part of the message is one.
static void read_error(struct cmsghdr *part, struct vk_datagram_error *error) {
    bool is_v4 = part->cmsg_level == SOL_IP && part->cmsg_type == IP_RECVERR;
    bool is_v6 = part->cmsg_level == SOL_IPV6 && part->cmsg_type == IPV6_RECVERR;
    if (!is_v4 && !is_v6) return;
    struct {
        struct sock_extended_err error;
        union vk_socket_address offender;
    } report = {0};
    size_t size = part->cmsg_len - CMSG_LEN(0);
    memcpy(&report, CMSG_DATA(part), size < sizeof report ? size : sizeof report);
    error->code = (int)report.error.ee_errno;
    error->is_local = report.error.ee_origin == SO_EE_ORIGIN_LOCAL;
    error->icmp_type = report.error.ee_type;
    error->icmp_code = report.error.ee_code;
    error->mtu = report.error.ee_info;
    struct vk_endpoint offender;
    if (vk_endpoint_of(&report.offender, &offender)) error->offender = offender.address;
}

int vk_receive_datagram_error(int socket, struct vk_datagram_error *error, void *bytes, size_t capacity) {
    union vk_socket_address name = {0};
    struct iovec part = {bytes, capacity};
    _Alignas(struct cmsghdr) char control[512];
    struct msghdr message = {
        .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &part, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (length < 0) return errno == EAGAIN ? 0 : -1;
    *error = (struct vk_datagram_error){.length = (uint32_t)length};
    vk_endpoint_of(&name, &error->remote);
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
        if (!read_local(item, &error->local)) read_error(item, error);
    }
    return 1;
}

ssize_t vk_send_packet(int socket, const void *packet, size_t length, struct vk_address address) {
    union vk_socket_address target;
    socklen_t target_length = vk_socket_address((struct vk_endpoint){address, 0}, &target);
    return sendto(socket, packet, length, MSG_DONTWAIT | MSG_NOSIGNAL, &target.any, target_length);
}
