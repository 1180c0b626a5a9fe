// The fast path of versions that run in the host's own network (docs/kernel-path.md): programs at a version's control
// group say to which addresses its sockets are bound and connected, and one at the wire gives connections that come to
// direct ports to whom the version listens with. No packet is changed.
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include "sockets.h"

enum { LISTENS = 10 };
// Has the interception leave a packet out of connection tracking: address translation, if there is any on the host, would
// take it from whom it was given to (InterceptionRules.untrackedMark).
enum { UNTRACKED_MARK = 0x564C };
enum { NOT_FRAGMENT_MASK = 0x3fff };

INLINE int is_mapped(const struct bpf_sock_addr *context) {
    return context->user_ip6[0] == 0 && context->user_ip6[1] == 0 && context->user_ip6[2] == NETWORK_32(0xffff);
}

// "Any" and the loopback of IPv6 are those of IPv4: there is only one of it.
INLINE int means_v4(const struct bpf_sock_addr *context, be32 *address) {
    *address = context->user_ip6[3];
    if (is_mapped(context)) return 1;
    if (context->user_ip6[0] || context->user_ip6[1] || context->user_ip6[2]) return 0;
    if (*address == NETWORK_32(1)) *address = NETWORK_32(INADDR_LOOPBACK);
    return *address == 0 || *address == NETWORK_32(INADDR_LOOPBACK);
}

INLINE void set_mapped(struct bpf_sock_addr *context, be32 address) {
    context->user_ip6[0] = 0;
    context->user_ip6[1] = 0;
    context->user_ip6[2] = NETWORK_32(0xffff);
    context->user_ip6[3] = address;
}

SECTION("program/bind4") int bind4(struct bpf_sock_addr *context) {
    const struct vk_host_self *me = self_here();
    if (!me) return REFUSE;
    if (context->user_port && is_here(me, context->user_ip4)) context->user_ip4 = me->version;
    if (context->user_ip4 == me->version) share(context);
    return ALLOW;
}

SECTION("program/bind6") int bind6(struct bpf_sock_addr *context) {
    const struct vk_host_self *me = self_here();
    be32 address;
    if (!me) return REFUSE;
    if (!context->user_port || !means_v4(context, &address) || !is_here(me, address)) return ALLOW;
    // A socket for IPv6 alone beside one for IPv4. Nobody reaches versions by IPv6 here, but all would ask for one port.
    if (takes(context, me, (be16)context->user_port, context->protocol)) {
        context->user_port = 0;
    } else {
        set_mapped(context, me->version);
        share(context);
    }
    return ALLOW;
}

SECTION("program/connect4") int connect4(struct bpf_sock_addr *context) {
    struct end to = {.address = context->user_ip4, .port = (be16)context->user_port};
    int verdict = on_connect(context, &to);
    context->user_ip4 = to.address;
    context->user_port = to.port;
    return verdict;
}

SECTION("program/connect6") int connect6(struct bpf_sock_addr *context) {
    struct end to = {.port = (be16)context->user_port};
    if (!means_v4(context, &to.address)) return ALLOW;
    be32 before = to.address;
    int verdict = on_connect(context, &to);
    if (to.address != before) set_mapped(context, to.address);
    context->user_port = to.port;
    return verdict;
}

// A datagram of a socket that is not connected; it says by its source where it goes.
SECTION("program/sendmsg4") int sendmsg4(struct bpf_sock_addr *context) {
    const struct vk_host_self *me = self_here();
    if (!me) return REFUSE;
    be32 to = context->user_ip4;
    be16 port = (be16)context->user_port;
    int registered = is_registered(port, IPPROTO_UDP);
    if (is_here(me, to)) {
        if (registered || takes(context, me, port, IPPROTO_UDP)) context->user_ip4 = me->version;
    } else if (registered && (to & NETWORK_32(0xff000000)) != NETWORK_32(0x7f000000)) {
        context->msg_src_ip4 = me->version;
    }
    return ALLOW;
}

SECTION("program/getpeername4") int getpeername4(struct bpf_sock_addr *context) {
    struct end peer = {.address = context->user_ip4, .port = (be16)context->user_port};
    show_peer(&peer);
    context->user_port = peer.port;
    return ALLOW;
}

SECTION("program/getpeername6") int getpeername6(struct bpf_sock_addr *context) {
    struct end peer = {.address = context->user_ip6[3], .port = (be16)context->user_port};
    if (is_mapped(context)) show_peer(&peer);
    context->user_port = peer.port;
    return ALLOW;
}

SECTION("program/getsockname4") int getsockname4(struct bpf_sock_addr *context) {
    struct end own = {.address = context->user_ip4, .port = (be16)context->user_port};
    show_own(&own);
    context->user_ip4 = own.address;
    context->user_port = own.port;
    return ALLOW;
}

SECTION("program/getsockname6") int getsockname6(struct bpf_sock_addr *context) {
    struct end own = {.address = context->user_ip6[3], .port = (be16)context->user_port};
    if (!is_mapped(context)) return ALLOW;
    show_own(&own);
    context->user_ip6[3] = own.address;
    context->user_port = own.port;
    return ALLOW;
}

INLINE struct bpf_sock *listener(struct __sk_buff *skb, struct bpf_sock_tuple *ends) {
    struct bpf_sock *found = find_tcp(skb, ends, sizeof ends->ipv4, (u64)THIS_NAMESPACE, 0);
    if (!found || found->state == LISTENS) return found;
    give_back(found);
    // One of the relay's connections has the same ports: whoever asks from nowhere finds the listener.
    ends->ipv4.saddr = 0;
    ends->ipv4.sport = 0;
    return find_tcp(skb, ends, sizeof ends->ipv4, (u64)THIS_NAMESPACE, 0);
}

SECTION("program/to_host") int to_host(struct __sk_buff *skb) {
    struct {
        struct iphdr ip;
        struct tcphdr tcp;
    } head;
    if (skb->protocol != NETWORK_16(ETH_P_IP) || load_bytes(skb, ETH_HLEN, &head, sizeof head) < 0) return LEAVE_ALONE;
    if (head.ip.protocol != IPPROTO_TCP || head.ip.ihl != 5 || head.ip.frag_off & NETWORK_16(NOT_FRAGMENT_MASK)) {
        return LEAVE_ALONE;
    }
    struct vk_host_direct_port *direct = table_find(&direct_ports, &head.tcp.dest);
    if (!direct || direct->host != head.ip.daddr) return LEAVE_ALONE;
    skb->mark = UNTRACKED_MARK;
    struct vk_host_route key = {.version = direct->version, .peer = head.ip.saddr, .port = direct->number};
    struct vk_host_traffic *counts = traffic_of(&key);
    int begins = head.tcp.syn && !head.tcp.ack && !head.tcp.rst;
    if (counts) {
        counts->packets_in += skb->gso_segs > 1 ? skb->gso_segs : 1;
        counts->bytes_in += skb->len - ETH_HLEN;
        counts->connections += begins;
    }
    struct bpf_sock_tuple ends = {.ipv4 = {head.ip.saddr, head.ip.daddr, head.tcp.source, head.tcp.dest}};
    if (!begins) {
        struct bpf_sock *known = find_tcp(skb, &ends, sizeof ends.ipv4, (u64)THIS_NAMESPACE, 0);
        if (known) {
            give_back(known);
            return LEAVE_ALONE;
        }
    }
    ends.ipv4.daddr = direct->version;
    ends.ipv4.dport = direct->number;
    struct bpf_sock *found = listener(skb, &ends);
    // The host resets the connection.
    if (!found) {
        note(vk_host_event_not_listening);
        return LEAVE_ALONE;
    }
    if (deliver_to(skb, found, 0) < 0) note(vk_host_event_not_listening);
    give_back(found);
    return LEAVE_ALONE;
}
