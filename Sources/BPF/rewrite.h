// How a packet's addresses and ports are replaced, and the checksums with them.
#ifndef ROUTER_REWRITE_H
#define ROUTER_REWRITE_H

#include "packet.h"

enum {
    // A checksum within its header.
    TCP_SUM = 16,
    UDP_SUM = 6,
    ICMP_SUM = 2,
    // The flag BPF_F_IPV6, which older headers do not have, nor older kernels.
    SUM_OF_V6 = 1 << 7,
};

// What TCP, UDP or ICMPv6 sums up besides its own bytes has changed.
INLINE void change_v6_sum(struct __sk_buff *skb, u32 offset, u32 difference, u64 flags) {
    flags |= BPF_F_PSEUDO_HDR;
    if (replace_sum(skb, offset, 0, difference, flags | SUM_OF_V6) == 0) return;
    // A kernel before that flag takes the address for one of IPv4, which has a checksum of its own in its header, and
    // changes the sum that the hardware made by what that would change: it is put right.
    if (replace_sum(skb, offset, 0, difference, flags) == 0) change_packet_sum(skb, difference);
}

// Numbers, and what became of them, as a checksum sees it: in one's complement, -from + to.
INLINE u64 difference_of(u32 from, u32 to) { return (u64)~from + to; }

INLINE u64 difference_of_addresses(struct vk_be_address from, struct vk_be_address to) {
    return difference_of(from.high, to.high) + difference_of(from.high >> 32, to.high >> 32) +
           difference_of(from.low, to.low) + difference_of(from.low >> 32, to.low >> 32);
}

// The same, with the carries added again.
INLINE u32 folded(u64 difference) {
    difference = (difference & 0xffffffff) + (difference >> 32);
    return (u32)difference + (u32)(difference >> 32);
}

INLINE be16 sum_after(be16 sum, u32 difference) {
    u32 total = (u16)~sum + (difference & 0xffff) + (difference >> 16);
    total = (total & 0xffff) + (total >> 16);
    return (be16) ~(total + (total >> 16));
}

// Each call that writes to a packet costs as much as a look-up: so everything that changes is written at one time.
INLINE void write_v4(struct __sk_buff *skb, const struct head *from, const struct head *to, u32 difference) {
    struct {
        u8 hops, protocol;
        be16 sum;
        be32 source, destination;
        struct ports ports;
    } raw = {.hops = to->hops, .protocol = to->protocol, .ports = to->ports};
    raw.source = v4(to->source);
    raw.destination = v4(to->destination);
    raw.sum = sum_after(
        from->sum, folded(difference + difference_of(NETWORK_16(from->hops << 8), NETWORK_16(to->hops << 8))));
    store_bytes(skb, from->at + __builtin_offsetof(struct iphdr, ttl), &raw, sizeof raw, 0);
}

INLINE void write_v6(struct __sk_buff *skb, const struct head *from, const struct head *to) {
    struct {
        struct vk_be_address source, destination;
        struct ports ports; // and a gap
    } raw = {.source = to->source, .destination = to->destination, .ports = to->ports};
    store_bytes(
        skb, from->at + __builtin_offsetof(struct ipv6hdr, saddr), &raw, sizeof(struct v6_start) - 8, 0);
    if (from->hops == to->hops) return;
    // This no checksum of the packet makes up for.
    u8 hops = to->hops;
    store_bytes(
        skb, from->at + __builtin_offsetof(struct ipv6hdr, hop_limit), &hops, sizeof hops, BPF_F_RECOMPUTE_CSUM);
}

// Writes another head in a packet's place, and puts the checksums right. A datagram without one stays without.
INLINE void rewrite(struct __sk_buff *skb, const struct head *from, const struct head *to) {
    u64 flags = from->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
    u32 sum = from->ports_at +
              (from->protocol == IPPROTO_TCP ? TCP_SUM : from->protocol == IPPROTO_UDP ? UDP_SUM : ICMP_SUM);
    u32 difference = folded(
        difference_of_addresses(from->source, to->source) +
        difference_of_addresses(from->destination, to->destination));
    if (from->is_v6) {
        write_v6(skb, from, to);
        change_v6_sum(skb, sum, difference, flags);
    } else {
        write_v4(skb, from, to, difference);
        if (has_ports(from->protocol)) replace_sum(skb, sum, 0, difference, flags | BPF_F_PSEUDO_HDR);
    }
    u32 ports, ports_now;
    __builtin_memcpy(&ports, &from->ports, sizeof ports);
    __builtin_memcpy(&ports_now, &to->ports, sizeof ports_now);
    if (ports != ports_now) replace_sum(skb, sum, ports, ports_now, flags | sizeof ports);
}

#endif
