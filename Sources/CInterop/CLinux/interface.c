#include "addresses.h"

#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

// A name that does not fit is one that no interface can have.
static int request_for(struct ifreq *request, const char *interface) {
    memset(request, 0, sizeof *request);
    if (snprintf(request->ifr_name, IFNAMSIZ, "%s", interface) < IFNAMSIZ) return 0;
    errno = ENAMETOOLONG;
    return -1;
}

static int close_keeping_errno(int descriptor) {
    int code = errno;
    close(descriptor);
    errno = code;
    return -1;
}

int vk_complete_packets(const char *interface) {
    // Segments are not put off either where checksums are not.
    struct ethtool_value value = {.cmd = ETHTOOL_STXCSUM, .data = 0};
    struct ifreq request;
    if (request_for(&request, interface) != 0) return -1;
    request.ifr_data = (char *)&value;
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return -1;
    return ioctl(socket_, SIOCETHTOOL, &request) == 0 ? close(socket_) : close_keeping_errno(socket_);
}

int vk_set_interface_up(const char *interface) {
    struct ifreq request;
    if (request_for(&request, interface) != 0) return -1;
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return -1;
    int result = ioctl(socket_, SIOCGIFFLAGS, &request);
    request.ifr_flags |= IFF_UP;
    if (result == 0) result = ioctl(socket_, SIOCSIFFLAGS, &request);
    if (result != 0) return close_keeping_errno(socket_);
    return close(socket_);
}

// A message to the kernel's table of addresses or routes, large enough for what is added here.
struct message {
    struct nlmsghdr header;
    union {
        struct ifaddrmsg address;
        struct rtmsg route;
    };
    char attributes[128];
};

static struct rtattr *add(struct message *message, unsigned short type, const void *bytes, size_t length) {
    struct rtattr *attribute = (struct rtattr *)((char *)message + NLMSG_ALIGN(message->header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(length);
    if (bytes) memcpy(RTA_DATA(attribute), bytes, length);
    message->header.nlmsg_len = NLMSG_ALIGN(message->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
    return attribute;
}

static void add_address(struct message *message, unsigned short type, struct vk_address address) {
    union vk_socket_address whole;
    vk_socket_address((struct vk_endpoint){address, 0}, &whole);
    if (whole.any.sa_family == AF_INET) add(message, type, &whole.v4.sin_addr, sizeof whole.v4.sin_addr);
    else add(message, type, &whole.v6.sin6_addr, sizeof whole.v6.sin6_addr);
}

static struct message beginning(unsigned short type, size_t length) {
    return (struct message){.header = {
        .nlmsg_len = (uint32_t)NLMSG_LENGTH(length), .nlmsg_type = type,
        .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE}};
}

static int tell_kernel(struct message *message) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (netlink < 0) return -1;
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char request[sizeof(struct message)];
    } answer = {0};
    if (send(netlink, message, message->header.nlmsg_len, 0) < 0 || recv(netlink, &answer, sizeof answer, 0) < 0)
        return close_keeping_errno(netlink);
    close(netlink);
    errno = -answer.error.error;
    return errno == 0 ? 0 : -1;
}

int vk_add_address(const char *interface, struct vk_address address, unsigned prefix_length) {
    struct message message = beginning(RTM_NEWADDR, sizeof message.address);
    message.address = (struct ifaddrmsg){
        .ifa_family = (unsigned char)vk_family(address), .ifa_prefixlen = (unsigned char)prefix_length,
        .ifa_flags = IFA_F_NODAD, .ifa_index = if_nametoindex(interface)};
    add_address(&message, IFA_LOCAL, address);
    add_address(&message, IFA_ADDRESS, address);
    return tell_kernel(&message);
}

int vk_add_default_route(const char *interface, struct vk_address gateway, unsigned mtu) {
    struct message message = beginning(RTM_NEWROUTE, sizeof message.route);
    message.route = (struct rtmsg){
        .rtm_family = (unsigned char)vk_family(gateway), .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
        .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
    uint32_t index = if_nametoindex(interface);
    add_address(&message, RTA_GATEWAY, gateway);
    add(&message, RTA_OIF, &index, sizeof index);
    struct {
        struct rtattr attribute;
        uint32_t mtu;
    } metric = {{sizeof metric, RTAX_MTU}, mtu};
    add(&message, RTA_METRICS, &metric, sizeof metric);
    return tell_kernel(&message);
}

int vk_load_module(int file) { return (int)syscall(SYS_finit_module, file, "", 0); }
