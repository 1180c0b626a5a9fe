// How flows begin, which both directions decide in their own way, and what is noted of them.
#ifndef ROUTER_FLOWS_H
#define ROUTER_FLOWS_H

#include "rewrite.h"

// An answer to a datagram follows it for so many seconds, then it is an initiative of the version's own.
enum { ANSWER_SECONDS = 30 };
// For so long a flow may go on without being seen: a second at most.
enum { TICKS_UNNOTED = 64 };

INLINE u32 life_flags(const struct packet *packet) {
    u32 flags = vk_flow_spoke;
    if (is_tcp(packet)) {
        if (packet->tcp_flags & TCP_FIN) flags |= vk_flow_finished;
        if (packet->tcp_flags & TCP_RST) flags |= vk_flow_reset;
    }
    return flags;
}

INLINE struct vk_flow_life life_now(void) {
    struct vk_flow_life life = {.seen = seconds(), .tick = (u32)ticks()};
    return life;
}

// Whether so much time went by that the clock has to be looked at again.
INLINE int is_old(const struct vk_flow_life *life) { return (u32)ticks() - life->tick >= TICKS_UNNOTED; }

INLINE u32 second_of(const struct vk_flow_life *life) { return is_old(life) ? seconds() : life->seen; }

// Written only when something is new: at the ends, and after some ticks, of which a second has 100 to 1000. Answers the
// second then, otherwise 0.
INLINE u32 note_life(struct vk_flow_life *life, const struct packet *packet) {
    u32 flags = life_flags(packet);
    if ((life->flags & flags) != flags) life->flags |= flags;
    if (!is_old(life)) return 0;
    life->tick = (u32)ticks();
    return life->seen = seconds();
}

INLINE int has_ended(const struct vk_flow_life *life) { return life->flags & (vk_flow_finished | vk_flow_reset); }

INLINE struct vk_kernel_traffic *traffic_of(
    struct vk_be_address version, struct vk_be_address peer, be16 port, u8 protocol) {
    struct vk_route_key key = {.version = version, .peer = peer, .port = port, .protocol = protocol};
    return table_find(&traffic, &key);
}

INLINE void count_connection(struct vk_be_address version, struct vk_be_address peer, be16 port, u8 protocol) {
    struct vk_kernel_traffic *counts = traffic_of(version, peer, port, protocol);
    if (!counts) {
        struct vk_route_key key = {.version = version, .peer = peer, .port = port, .protocol = protocol};
        struct vk_kernel_traffic none = {};
        table_set(&traffic, &key, &none, BPF_NOEXIST);
        counts = table_find(&traffic, &key);
    }
    if (!counts) note(vk_event_uncounted);
    else if (protocol == IPPROTO_TCP) counts->connections += 1;
}

// One packet may stand for many that the wire carries apart, each with headers of its own.
INLINE void size_of(const struct __sk_buff *skb, const struct packet *packet, u64 *packets, u64 *bytes) {
    u32 segments = skb->gso_segs;
    *packets = segments > 1 ? segments : 1;
    *bytes = skb->len - ETH_HLEN + (*packets - 1) * packet->header_bytes;
}

INLINE struct vk_version_key leaving_key(const struct head *head) {
    struct vk_version_key key = {
        .version = head->source,
        .peer = head->destination,
        .local_port = head->ports.source,
        .peer_port = head->ports.destination,
        .protocol = head->protocol};
    return key;
}

INLINE struct vk_wire_key arriving_key(const struct head *head) {
    struct vk_wire_key key = {
        .peer = head->source,
        .peer_port = head->ports.source,
        .local_port = head->ports.destination,
        .protocol = head->protocol};
    return key;
}

// ------------------------------------------------------------------------------------- From a version

INLINE struct vk_wire_key wire_name(const struct vk_version_key *key, be16 wire_local, be16 wire_peer) {
    struct vk_wire_key name = {
        .peer = key->peer, .peer_port = wire_peer, .local_port = wire_local, .protocol = key->protocol};
    return name;
}

INLINE void end_flow(const struct vk_version_key *key, const struct vk_version_flow *flow) {
    struct vk_wire_key wire = wire_name(key, flow->wire_local, flow->wire_peer);
    table_remove(&wire_flows, &wire);
    table_remove(&version_flows, key);
}

// The port that a version's port has on the wire: its direct port if it is a registered one, else the same.
// 0 if that is a direct port of another version.
INLINE be16 local_port_on_wire(const struct vk_version_key *key, struct vk_be_address host) {
    struct vk_port_key own = {.owner = key->version, .number = key->local_port, .protocol = key->protocol};
    be16 *direct = table_find(&registered_ports, &own);
    if (direct) return *direct;
    struct vk_port_key other = {.owner = host, .number = key->local_port, .protocol = key->protocol};
    return table_find(&direct_ports, &other) ? 0 : key->local_port;
}

// A flow that the version begins. Null: it has to take the slow path.
INLINE struct vk_version_flow *begin_leaving(
    struct __sk_buff *skb, const struct vk_version_key *key, struct vk_be_address host, be16 wire_peer, u32 changes) {
    u32 *interface = table_find(&environments, &key->version);
    if (!interface || *interface != skb->ifindex) {
        note(vk_event_foreign_source);
        return 0;
    }
    be16 wire_local = local_port_on_wire(key, host);
    struct vk_wire_key name = wire_name(key, wire_local, wire_peer);
    struct vk_wire_flow way_back = {
        .version = key->version,
        .local_port = key->local_port,
        .peer_port = key->peer_port,
        .interface = *interface,
        .counted = key->peer_port,
        .life = life_now()};
    if (wire_local == 0) {
        note(vk_event_port_taken);
        return 0;
    }
    if (table_set(&wire_flows, &name, &way_back, BPF_NOEXIST) < 0) {
        struct vk_wire_flow *present = table_find(&wire_flows, &name);
        if (!present) {
            note(vk_event_table_full);
            return 0;
        }
        // Two versions with one source port towards one port of the peer: only one of them can have it.
        if (!is_same(present->version, key->version) || present->local_port != key->local_port ||
            present->peer_port != key->peer_port) {
            note(vk_event_port_taken);
            return 0;
        }
    }
    struct vk_version_flow flow = {
        .wire_local = wire_local,
        .wire_peer = wire_peer,
        .interface = *interface,
        .counted = key->peer_port,
        .decided = changes << 1 | 1,
        .life = way_back.life};
    if (table_set(&version_flows, key, &flow, BPF_ANY) < 0) {
        table_remove(&wire_flows, &name);
        note(vk_event_table_full);
        return 0;
    }
    count_connection(key->version, key->peer, key->peer_port, key->protocol);
    return table_find(&version_flows, key);
}

INLINE be16 *route_of(const struct vk_version_key *key) {
    struct vk_route_key route = {
        .version = key->version, .peer = key->peer, .port = key->peer_port, .protocol = key->protocol};
    return table_find(&routes, &route);
}

// Whether both entries of a flow are there, and neither end has left: then a first packet is one that comes again.
INLINE int is_whole(const struct vk_version_flow *flow, const struct vk_wire_flow *back) {
    return flow && back && !has_ended(&flow->life) && !has_ended(&back->life);
}

// A connection is decided at its first packet. If that comes again, no connection stands: it is decided again.
INLINE struct vk_version_flow *leaving_connection(
    struct __sk_buff *skb, const struct packet *packet, const struct vk_version_key *key, struct vk_be_address host) {
    struct vk_version_flow *flow = table_find(&version_flows, key);
    if (flow && accepts(packet)) {
        // The relay's connections and those of the wire take their ports from the same range. What is accepted under
        // the name of a connection that has ended is one of the relay's.
        struct vk_wire_key name = wire_name(key, flow->wire_local, flow->wire_peer);
        if (!is_whole(flow, table_find(&wire_flows, &name))) {
            end_flow(key, flow);
            return 0;
        }
    }
    if (!begins(packet)) return flow;
    be16 *direct = route_of(key);
    if (direct && flow && flow->wire_peer == *direct) {
        struct vk_wire_key name = wire_name(key, flow->wire_local, flow->wire_peer);
        if (is_whole(flow, table_find(&wire_flows, &name))) return flow;
    }
    if (flow) end_flow(key, flow);
    return direct ? begin_leaving(skb, key, host, *direct, 0) : 0;
}

// Whether the version answers what came by the fast path: then the answer does as well. What goes to a registered port
// is not an answer but goes by the routes alone, or forgetting one would not end it.
INLINE int is_answer(const struct vk_version_key *key, const struct vk_version_flow *flow) {
    return (flow->life.flags & vk_flow_begun_by_peer) && flow->wire_peer == key->peer_port &&
           // The peer's second may be one ahead of what this direction knows.
           second_of(&flow->life) - flow->asked + 1 <= ANSWER_SECONDS + 1;
}

// A datagram is decided by itself; but as long as no route has changed, what was found for the last one is still true.
INLINE struct vk_version_flow *leaving_datagram(
    struct __sk_buff *skb, const struct vk_version_key *key, struct vk_be_address host, u32 changes) {
    struct vk_version_flow *flow = table_find(&version_flows, key);
    if (!flow || flow->decided >> 1 != changes) {
        be16 *direct = route_of(key);
        if (direct && !(flow && flow->wire_peer == *direct)) return begin_leaving(skb, key, host, *direct, changes);
        if (!flow) return 0;
        flow->decided = changes << 1 | (direct != 0);
    }
    return (flow->decided & 1) || is_answer(key, flow) ? flow : 0;
}

// ----------------------------------------------------------------------------------- From the wire

// A flow that begins at a direct port.
INLINE struct vk_wire_flow *begin_arriving(
    const struct vk_wire_key *name, const struct vk_direct_port *port, be16 peer_port) {
    struct vk_version_key key = {
        .version = port->version,
        .peer = name->peer,
        .local_port = port->number,
        .peer_port = peer_port,
        .protocol = name->protocol};
    struct vk_flow_life life = life_now();
    struct vk_version_flow way_back = {
        .wire_local = name->local_port,
        .wire_peer = name->peer_port,
        .interface = port->interface,
        .counted = port->number,
        .asked = life.seen,
        .life = life};
    way_back.life.flags = vk_flow_begun_by_peer;
    struct vk_wire_flow flow = {
        .version = port->version,
        .local_port = port->number,
        .peer_port = peer_port,
        .interface = port->interface,
        .counted = port->number,
        .life = life};
    if (table_set(&version_flows, &key, &way_back, BPF_ANY) < 0) return 0;
    if (table_set(&wire_flows, name, &flow, BPF_ANY) < 0) {
        table_remove(&version_flows, &key);
        return 0;
    }
    count_connection(port->version, name->peer, port->number, name->protocol);
    return table_find(&wire_flows, name);
}

// The peer's port as the version shall see it: the registered one if we know the way back.
INLINE be16 peer_port_of(const struct vk_wire_key *name, struct vk_be_address version) {
    struct vk_route_key key = {
        .version = version, .peer = name->peer, .port = name->peer_port, .protocol = name->protocol};
    be16 *registered = table_find(&peer_ports, &key);
    return registered ? *registered : name->peer_port;
}

// A datagram came: from now on the version's own are answers to it.
INLINE void note_question(const struct vk_wire_key *name, const struct vk_wire_flow *flow, u32 now) {
    struct vk_version_key key = {
        .version = flow->version,
        .peer = name->peer,
        .local_port = flow->local_port,
        .peer_port = flow->peer_port,
        .protocol = name->protocol};
    struct vk_version_flow *answers = table_find(&version_flows, &key);
    if (answers) answers->asked = now;
}

// Whether what begins is known already: a connection's first packet that comes again.
INLINE int is_known(
    const struct vk_wire_key *name, const struct vk_wire_flow *flow, const struct vk_direct_port *port, be16 peer_port) {
    struct vk_version_key key = {
        .version = port->version,
        .peer = name->peer,
        .local_port = port->number,
        .peer_port = peer_port,
        .protocol = name->protocol};
    return flow && is_same(flow->version, port->version) && flow->local_port == port->number &&
           flow->peer_port == peer_port && is_whole(table_find(&version_flows, &key), flow);
}

#endif
