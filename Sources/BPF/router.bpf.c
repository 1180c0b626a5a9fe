// The fast path of the version router: translates addresses between versions and the wire, without connection tracking
// and without the host's IP stack (docs/kernel-path.md).
//
// Two programs: `from_version` at the host's end of each environment's link, `from_wire` at the interface that other
// hosts are reached by. What they do not carry goes on as if they were not there: that is the slow path.
#include "errors.h"

INLINE const struct vk_router_settings *settings_here(void) {
    u32 only = 0;
    return table_find(&settings, &only);
}

INLINE struct vk_be_address host_of(const struct vk_router_settings *here, const struct head *head) {
    return head->is_v6 ? here->host6 : here->host4;
}

INLINE int leave(struct __sk_buff *skb, const struct packet *packet, const struct vk_router_settings *here) {
    struct vk_version_key key = leaving_key(&packet->head);
    struct vk_be_address host = host_of(here, &packet->head);
    struct vk_version_flow *flow =
        is_tcp(packet) ? leaving_connection(skb, packet, &key, host) : leaving_datagram(skb, &key, host, here->changes);
    if (!flow) return LEAVE_ALONE;
    if (flow->interface != skb->ifindex) {
        note(vk_event_foreign_source);
        return LEAVE_ALONE;
    }
    note_life(&flow->life, packet);
    struct vk_kernel_traffic *counts = traffic_of(key.version, key.peer, flow->counted, key.protocol);
    if (counts) {
        u64 packets, bytes;
        size_of(skb, packet, &packets, &bytes);
        counts->packets_out += packets;
        counts->bytes_out += bytes;
    }
    struct head to = packet->head;
    to.hops -= 1;
    to.source = host;
    to.ports.source = flow->wire_local;
    to.ports.destination = flow->wire_peer;
    u32 wire = here->wire;
    rewrite(skb, &packet->head, &to);
    return redirect_to_neighbour(wire, 0, 0, 0);
}

SECTION("program/from_version") int from_version(struct __sk_buff *skb) {
    struct packet packet = {};
    const struct vk_router_settings *here = settings_here();
    if (!here || !read_packet(skb, &packet)) return LEAVE_ALONE;
    if (!has_ports(packet.head.protocol)) return send_error(skb, &packet.head, host_of(here, &packet.head), here->wire);
    // It goes no further; the host's stack says so to the version.
    if (packet.head.hops <= 1) {
        note(vk_event_expired);
        return LEAVE_ALONE;
    }
    return leave(skb, &packet, here);
}

INLINE int deliver(
    struct __sk_buff *skb, const struct packet *packet, const struct vk_wire_key *name, struct vk_wire_flow *flow) {
    u32 now = note_life(&flow->life, packet);
    if (now && !is_tcp(packet)) note_question(name, flow, now);
    struct vk_kernel_traffic *counts =
        traffic_of(flow->version, packet->head.source, flow->counted, packet->head.protocol);
    if (counts) {
        u64 packets, bytes;
        size_of(skb, packet, &packets, &bytes);
        counts->packets_in += packets;
        counts->bytes_in += bytes;
    }
    // The environment is a part of this host, not one hop further: the time to live stays.
    struct head to = packet->head;
    to.destination = flow->version;
    to.ports.source = flow->peer_port;
    to.ports.destination = flow->local_port;
    u32 interface = flow->interface;
    rewrite(skb, &packet->head, &to);
    return redirect_to_peer(interface, 0);
}

SECTION("program/from_wire") int from_wire(struct __sk_buff *skb) {
    struct packet packet = {};
    const struct vk_router_settings *here = settings_here();
    if (!here || !read_packet(skb, &packet)) return LEAVE_ALONE;
    struct vk_be_address host = host_of(here, &packet.head);
    if (!is_same(packet.head.destination, host)) return LEAVE_ALONE;
    if (!has_ports(packet.head.protocol)) return deliver_error(skb, &packet.head);
    struct vk_wire_key name = arriving_key(&packet.head);
    struct vk_wire_flow *flow = table_find(&wire_flows, &name);
    if (flow && !begins(&packet)) return deliver(skb, &packet, &name, flow);

    struct vk_port_key direct = {.owner = host, .number = name.local_port, .protocol = name.protocol};
    struct vk_direct_port *port = table_find(&direct_ports, &direct);
    if (!port) return flow ? deliver(skb, &packet, &name, flow) : LEAVE_ALONE;
    // A connection that nobody knows of any more: the host's stack resets it.
    if (is_tcp(&packet) && !begins(&packet)) {
        note(vk_event_stray);
        return LEAVE_ALONE;
    }
    be16 peer_port = peer_port_of(&name, port->version);
    if (!is_known(&name, flow, port, peer_port)) flow = begin_arriving(&name, port, peer_port);
    if (flow) return deliver(skb, &packet, &name, flow);
    // Nobody else could deliver it. A connection's first packet comes again.
    note(vk_event_refused);
    return DROP;
}
