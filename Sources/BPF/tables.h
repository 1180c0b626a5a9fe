// The tables, as the loader finds them in the object; what their entries look like is in vk_router_tables.h.
#ifndef ROUTER_TABLES_H
#define ROUTER_TABLES_H

#include "../CInterop/CLinux/include/vk_router_tables.h"
#include "table.h"

TABLE(settings, BPF_MAP_TYPE_ARRAY, u32, struct vk_router_settings, 1, 0);

// By a version's address: the interface that leads to its environment. What says that it comes from an address but
// comes from elsewhere gets no flow.
TABLE(environments, BPF_MAP_TYPE_HASH, struct vk_be_address, u32, 256, 0);

// Direct port -> version; and version and registered port -> direct port.
TABLE(direct_ports, BPF_MAP_TYPE_HASH, struct vk_port_key, struct vk_direct_port, 1024, 0);
TABLE(registered_ports, BPF_MAP_TYPE_HASH, struct vk_port_key, be16, 1024, 0);

// Registered port of a peer -> its direct port; and the other way round, for what comes from there.
TABLE(routes, BPF_MAP_TYPE_HASH, struct vk_route_key, be16, 65536, BPF_F_NO_PREALLOC);
TABLE(peer_ports, BPF_MAP_TYPE_HASH, struct vk_route_key, be16, 65536, BPF_F_NO_PREALLOC);

// Not LRU: that would break living connections when many begin. When a table is full new ones take the slow path, and
// the router removes those that ended.
TABLE(version_flows, BPF_MAP_TYPE_HASH, struct vk_version_key, struct vk_version_flow, 65536, BPF_F_NO_PREALLOC);
TABLE(wire_flows, BPF_MAP_TYPE_HASH, struct vk_wire_key, struct vk_wire_flow, 65536, BPF_F_NO_PREALLOC);

TABLE(traffic, BPF_MAP_TYPE_PERCPU_HASH, struct vk_route_key, struct vk_kernel_traffic, 16384, BPF_F_NO_PREALLOC);
TABLE(events, BPF_MAP_TYPE_PERCPU_ARRAY, u32, u64, vk_event_count, 0);

INLINE void note(u32 event) {
    u64 *count = table_find(&events, &event);
    if (count) *count += 1;
}

INLINE u32 seconds(void) { return (u32)(coarse_nanoseconds() / 1000000000); }

#endif
