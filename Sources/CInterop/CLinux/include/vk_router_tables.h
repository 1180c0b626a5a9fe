// The tables of the kernel's fast path: what its programs (Sources/BPF) and the router both read and write.
//
// Addresses and ports are in network byte order, everything else in the machine's. Structures have no gaps, and what is
// named zero is zero: the kernel compares keys byte by byte. One set of tables serves both kinds of IP.
//
// A flow is one conversation, and known by two names: as the version sees it, and as the wire sees it. Each name has an
// entry of its own, which only packets of its direction write to, so that one look-up is enough for a packet.
#ifndef VK_ROUTER_TABLES_H
#define VK_ROUTER_TABLES_H

#include <linux/types.h>

// An address of IPv6, or one of IPv4 as ::ffff:0:0/96.
struct vk_be_address {
    __u64 high, low;
};

struct vk_router_settings {
    struct vk_be_address host4, host6; // this host's addresses on the wire; all zero: there is none
    __u32 wire;                        // the wire's interface
    __u32 changes;                     // of routes; never 0
};

struct vk_port_key {
    struct vk_be_address owner; // of a direct port the host, of a registered port the version
    __u16 number;
    __u8 protocol, zero;
    __u32 zero2;
};

struct vk_direct_port {
    struct vk_be_address version;
    __u16 number, zero; // the registered port
    __u32 interface;
};

struct vk_route_key {
    struct vk_be_address version, peer;
    __u16 port;
    __u8 protocol, zero;
    __u32 zero2;
};

// What a direction of a flow has seen.
enum {
    vk_flow_spoke = 1,         // any packet
    vk_flow_finished = 2,      // FIN
    vk_flow_reset = 4,         // RST
    vk_flow_begun_by_peer = 8, // in a version's entry: the peer sent first
};

struct vk_flow_life {
    __u32 seen; // seconds of the monotonic clock
    __u32 tick; // of the kernel's clock, when that was read
    __u32 flags;
};

struct vk_version_key {
    struct vk_be_address version, peer;
    __u16 local_port, peer_port;
    __u8 protocol, zero;
    __u16 zero2;
};

struct vk_version_flow {
    __u16 wire_local, wire_peer; // the same ports on the wire
    __u32 interface;             // where the version's packets come in
    __u16 counted, zero;         // the registered port that it is counted under
    __u32 asked;                 // the second in which the peer last sent a datagram
    __u32 decided;               // `changes` at which the route was looked up, twice; plus one if there was one
    struct vk_flow_life life;
};

struct vk_wire_key {
    struct vk_be_address peer;
    __u16 peer_port, local_port;
    __u8 protocol, zero;
    __u16 zero2;
};

struct vk_wire_flow {
    struct vk_be_address version;
    __u16 local_port, peer_port; // as the version sees them
    __u32 interface;             // where the version is
    __u16 counted, zero;
    struct vk_flow_life life;
};

struct vk_kernel_traffic {
    __u64 connections, packets_out, bytes_out, packets_in, bytes_in;
};

// What was left to the slow path or dropped, and why; KernelEvent in Swift says more.
enum {
    vk_event_fragment,
    vk_event_options,
    vk_event_expired,
    vk_event_port_taken,
    vk_event_table_full,
    vk_event_foreign_source,
    vk_event_stray,
    vk_event_refused,
    vk_event_uncounted,
    vk_event_error_translated,
    vk_event_count
};

#endif
