// What the programs read of a packet of either kind of IP.
#ifndef ROUTER_PACKET_H
#define ROUTER_PACKET_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "address.h"

enum {
    IP_OFFSET = ETH_HLEN,
    TCP_FLAGS = 13, // within its header
};
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };
enum { NOT_FRAGMENT_MASK = 0x3fff };
// What may stand between an IPv6 header and the ports.
enum { HOP_OPTIONS = 0, ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, OPTIONS = 60 };

struct ports {
    be16 source, destination;
};

// An IP header without options, and the ports behind it.
struct head {
    struct vk_be_address source, destination;
    struct ports ports;
    u32 at, ports_at; // the headers' offsets
    u8 protocol, hops, is_v6;
    be16 sum; // of an IPv4 header
};

struct packet {
    struct head head;
    u8 tcp_flags;
    u32 header_bytes; // of IP and of what it carries
};

INLINE int has_ports(u8 protocol) { return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP; }

// Counted where it is a packet of its own, not when an error quotes it.
INLINE int leave_for(u32 event, int is_counted) {
    if (is_counted) note(event);
    return 0;
}

// What a header looks like up to the ports, wherever it lies.
struct v4_start {
    struct iphdr ip;
    struct ports ports;
};

struct v6_start {
    u8 version_and_class, flow[3];
    be16 payload_bytes;
    u8 next, hops;
    struct vk_be_address source, destination;
    struct ports ports;
} __attribute__((packed, aligned(2)));

INLINE int read_v4(const struct v4_start *raw, struct head *head, int is_quoted) {
    u8 protocol = raw->ip.protocol;
    if (raw->ip.version != 4 || (!has_ports(protocol) && protocol != IPPROTO_ICMP)) return 0;
    if (raw->ip.ihl != 5) return leave_for(vk_event_options, !is_quoted);
    if (raw->ip.frag_off & NETWORK_16(NOT_FRAGMENT_MASK)) return leave_for(vk_event_fragment, !is_quoted);
    head->source = of_v4(raw->ip.saddr);
    head->destination = of_v4(raw->ip.daddr);
    head->ports = raw->ports;
    head->ports_at = head->at + sizeof raw->ip;
    head->protocol = protocol;
    head->hops = raw->ip.ttl;
    head->is_v6 = 0;
    head->sum = raw->ip.check;
    return 1;
}

INLINE int read_v6(const struct v6_start *raw, struct head *head, int is_quoted) {
    u8 next = raw->next;
    if (raw->version_and_class >> 4 != 6) return 0;
    if (!has_ports(next) && next != IPPROTO_ICMPV6) {
        // What groups say of themselves on a link has options, and was never to go anywhere.
        int is_counted = !is_quoted && !stays_on_link(raw->destination);
        if (next == FRAGMENT) return leave_for(vk_event_fragment, is_counted);
        if (next == HOP_OPTIONS || next == ROUTING || next == AUTHENTICATION || next == OPTIONS) {
            return leave_for(vk_event_options, is_counted);
        }
        return 0;
    }
    head->source = raw->source;
    head->destination = raw->destination;
    head->ports = raw->ports;
    head->ports_at = head->at + sizeof(struct ipv6hdr);
    head->protocol = next;
    head->hops = raw->hops;
    head->is_v6 = 1;
    return 1;
}

// Read anew each time: the verifier knows none that was kept as a number.
#define ADDRESS_IN(field) ((const u8 *)(long)*(volatile u32 *)&(field))

// The packet, whose first bytes are in one piece; null if it has not so many. To look at them there costs less than any
// call does. The pointer is good for as long as nothing writes to the packet.
INLINE const u8 *readable(struct __sk_buff *skb, u32 bytes) {
    const u8 *start = ADDRESS_IN(skb->data);
    if (start + bytes <= ADDRESS_IN(skb->data_end)) return start;
    if (make_readable(skb, bytes) < 0) return 0;
    start = ADDRESS_IN(skb->data);
    return start + bytes <= ADDRESS_IN(skb->data_end) ? start : 0;
}

// What of TCP counts, of a header at a place that the verifier knows.
INLINE int read_rest(struct __sk_buff *skb, struct packet *packet, u32 ports_at) {
    packet->header_bytes = ports_at - IP_OFFSET + 8;
    if (packet->head.protocol != IPPROTO_TCP) return 1;
    const u8 *start = readable(skb, ports_at + TCP_FLAGS + 1);
    if (!start) return 0;
    packet->header_bytes = ports_at - IP_OFFSET + (start[ports_at + TCP_FLAGS - 1] >> 4) * 4;
    packet->tcp_flags = start[ports_at + TCP_FLAGS];
    return 1;
}

// Whether this is whole TCP or UDP over plain IP, or an ICMP message (whose "ports" are its type, code and checksum).
// Everything else is none of our business, or the slow path's.
INLINE int read_packet(struct __sk_buff *skb, struct packet *packet) {
    packet->head.at = IP_OFFSET;
    if (skb->protocol == NETWORK_16(ETH_P_IP)) {
        const u8 *start = readable(skb, IP_OFFSET + sizeof(struct v4_start));
        return start && read_v4((const void *)(start + IP_OFFSET), &packet->head, 0) &&
               read_rest(skb, packet, IP_OFFSET + sizeof(struct iphdr));
    }
    if (skb->protocol == NETWORK_16(ETH_P_IPV6)) {
        const u8 *start = readable(skb, IP_OFFSET + sizeof(struct v6_start));
        return start && read_v6((const void *)(start + IP_OFFSET), &packet->head, 0) &&
               read_rest(skb, packet, IP_OFFSET + sizeof(struct ipv6hdr));
    }
    return 0;
}

INLINE int is_tcp(const struct packet *packet) { return packet->head.protocol == IPPROTO_TCP; }

// The first packet of a connection.
INLINE int begins(const struct packet *packet) {
    return is_tcp(packet) && (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

// The second packet of a connection: the answer to the first.
INLINE int accepts(const struct packet *packet) {
    return is_tcp(packet) && (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
}

#endif
