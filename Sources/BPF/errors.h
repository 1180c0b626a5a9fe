// ICMP errors about packets of a flow: without them neither a closed port nor a path with smaller packets is noticed.
//
// An error quotes the start of the packet that it is about, as that was where the error was made; the receiver knows it
// by other addresses and ports. With IPv4 the checksum of the quoted header is put right as well, so the two changes
// cancel out in ICMP's own checksum, and only the ports count there; with IPv6 the addresses do as well. The quoted
// checksum of TCP or UDP is nobody's business.
#ifndef ROUTER_ERRORS_H
#define ROUTER_ERRORS_H

#include "flows.h"

enum { ICMP_UNREACHABLE = 3, ICMP_TIME_EXCEEDED = 11 };
enum { ICMP6_UNREACHABLE = 1, ICMP6_TOO_BIG = 2, ICMP6_TIME_EXCEEDED = 3 };
enum { ICMP_HEADER_BYTES = 8 };

INLINE int is_error(const struct head *head) {
    u8 type = *(const u8 *)&head->ports;
    if (head->is_v6) return type >= ICMP6_UNREACHABLE && type <= ICMP6_TIME_EXCEEDED;
    return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED;
}

// What the error is about; `head` is that of the error itself.
INLINE int read_error(struct __sk_buff *skb, const struct head *head, struct head *quoted) {
    if (!is_error(head)) return 0;
    quoted->at = head->ports_at + ICMP_HEADER_BYTES;
    union {
        struct v4_start v4;
        struct v6_start v6;
    } raw;
    if (head->is_v6) {
        if (load_bytes(skb, quoted->at, &raw.v6, sizeof raw.v6) < 0 || !read_v6(&raw.v6, quoted, 1)) return 0;
    } else {
        if (load_bytes(skb, quoted->at, &raw.v4, sizeof raw.v4) < 0 || !read_v4(&raw.v4, quoted, 1)) return 0;
    }
    return has_ports(quoted->protocol);
}

INLINE void replace_quoted_address(
    struct __sk_buff *skb, const struct head *head, const struct head *quoted, u32 v4_offset, u32 v6_offset,
    struct vk_be_address from, struct vk_be_address to) {
    if (quoted->is_v6) {
        replace_sum(skb, head->ports_at + ICMP_SUM, 0, sum_difference(&from, sizeof from, &to, sizeof to, 0), 0);
        store_bytes(skb, quoted->at + v6_offset, &to, sizeof to, 0);
        return;
    }
    be32 now = v4(to);
    replace_ip_sum(skb, quoted->at + __builtin_offsetof(struct iphdr, check), v4(from), now, 4);
    store_bytes(skb, quoted->at + v4_offset, &now, sizeof now, 0);
}

INLINE void replace_quoted_ports(
    struct __sk_buff *skb, const struct head *head, const struct head *quoted, const struct ports *to) {
    u32 sum = head->ports_at + ICMP_SUM;
    const struct ports *from = &quoted->ports;
    if (from->source != to->source) replace_sum(skb, sum, from->source, to->source, 2);
    if (from->destination != to->destination) replace_sum(skb, sum, from->destination, to->destination, 2);
    store_bytes(skb, quoted->ports_at, to, sizeof *to, 0);
}

// Somebody out there complains of a packet that a version sent.
INLINE int deliver_error(struct __sk_buff *skb, const struct head *head) {
    struct head quoted = {};
    if (!read_error(skb, head, &quoted) || !is_same(quoted.source, head->destination)) return LEAVE_ALONE;
    struct vk_wire_key name = {
        .peer = quoted.destination,
        .peer_port = quoted.ports.destination,
        .local_port = quoted.ports.source,
        .protocol = quoted.protocol};
    struct vk_wire_flow *flow = table_find(&wire_flows, &name);
    if (!flow) return LEAVE_ALONE;
    struct ports ports = {.source = flow->local_port, .destination = flow->peer_port};
    struct vk_be_address version = flow->version;
    u32 interface = flow->interface;
    struct head to = *head;
    to.destination = version;
    rewrite(skb, head, &to);
    replace_quoted_address(
        skb, head, &quoted, __builtin_offsetof(struct iphdr, saddr), __builtin_offsetof(struct ipv6hdr, saddr),
        quoted.source, version);
    replace_quoted_ports(skb, head, &quoted, &ports);
    note(vk_event_error_translated);
    return redirect_to_peer(interface, 0);
}

// A version complains of a packet that was delivered to it.
INLINE int send_error(struct __sk_buff *skb, const struct head *head, struct vk_be_address host, u32 wire) {
    struct head quoted = {};
    if (!read_error(skb, head, &quoted) || !is_same(quoted.destination, head->source)) return LEAVE_ALONE;
    struct vk_version_key key = {
        .version = head->source,
        .peer = quoted.source,
        .local_port = quoted.ports.destination,
        .peer_port = quoted.ports.source,
        .protocol = quoted.protocol};
    struct vk_version_flow *flow = table_find(&version_flows, &key);
    if (!flow || flow->interface != skb->ifindex || head->hops <= 1) return LEAVE_ALONE;
    struct ports ports = {.source = flow->wire_peer, .destination = flow->wire_local};
    struct head to = *head;
    to.hops -= 1;
    to.source = host;
    rewrite(skb, head, &to);
    replace_quoted_address(
        skb, head, &quoted, __builtin_offsetof(struct iphdr, daddr), __builtin_offsetof(struct ipv6hdr, daddr),
        quoted.destination, host);
    replace_quoted_ports(skb, head, &quoted, &ports);
    note(vk_event_error_translated);
    return redirect_to_neighbour(wire, 0, 0, 0);
}

#endif
