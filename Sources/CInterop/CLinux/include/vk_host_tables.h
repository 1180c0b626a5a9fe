// The tables of versions that run in the host's own network: what the programs at their control groups (Sources/BPF) and
// the router both read and write.
//
// Addresses are of IPv4, for such versions have no others; addresses and ports are in network byte order. Structures have
// no gaps, and what is named zero is zero: the kernel compares keys byte by byte.
#ifndef VK_HOST_TABLES_H
#define VK_HOST_TABLES_H

#include <linux/types.h>

// Whose control group a program is attached to: every version has a table of its own with only this.
struct vk_host_self {
    __u32 version, host; // its address of the loopback, and the host's address that peers know
};

// A registered port, of any application.
struct vk_host_port {
    __u16 number;
    __u8 protocol, zero;
};

// What a direct port leads to.
struct vk_host_direct_port {
    __u32 version, host;
    __u16 number, zero; // the registered port
};

// A port of a peer: a registered one, or the direct one that stands for it.
struct vk_host_route {
    __u32 version, peer;
    __u16 port, zero;
};

// For TCP, by registered port.
struct vk_host_traffic {
    __u64 connections, packets_in, bytes_in;
};

// HostEvent in Swift says more.
enum {
    vk_host_event_refused,
    vk_host_event_no_port,
    vk_host_event_not_listening,
    vk_host_event_uncounted,
    vk_host_event_count
};

#endif
