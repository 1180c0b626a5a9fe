// The tables of versions in the host's own network; what their entries look like is in vk_host_tables.h.
#ifndef HOST_TABLES_H
#define HOST_TABLES_H

#include "../CInterop/CLinux/include/vk_host_tables.h"
#include "table.h"

// The only one that each version has of its own.
TABLE(self, BPF_MAP_TYPE_ARRAY, u32, struct vk_host_self, 1, 0);

TABLE(registered_ports, BPF_MAP_TYPE_HASH, struct vk_host_port, u8, 1024, 0);
TABLE(direct_ports, BPF_MAP_TYPE_HASH, be16, struct vk_host_direct_port, 1024, 0);
TABLE(routes, BPF_MAP_TYPE_HASH, struct vk_host_route, be16, 65536, BPF_F_NO_PREALLOC);
// Direct port of a peer -> registered port. A connection outlives its route, so nothing is removed: the oldest makes room.
TABLE(names, BPF_MAP_TYPE_LRU_HASH, struct vk_host_route, be16, 65536, 0);

TABLE(traffic, BPF_MAP_TYPE_PERCPU_HASH, struct vk_host_route, struct vk_host_traffic, 16384, BPF_F_NO_PREALLOC);
TABLE(events, BPF_MAP_TYPE_PERCPU_ARRAY, u32, u64, vk_host_event_count, 0);

INLINE void note(u32 event) {
    u64 *count = table_find(&events, &event);
    if (count) *count += 1;
}

INLINE struct vk_host_traffic *traffic_of(const struct vk_host_route *key) {
    struct vk_host_traffic *counts = table_find(&traffic, key), none = {};
    if (counts) return counts;
    table_set(&traffic, key, &none, BPF_NOEXIST);
    counts = table_find(&traffic, key);
    if (!counts) note(vk_host_event_uncounted);
    return counts;
}

#endif
