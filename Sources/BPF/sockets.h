// What a version in the host's own network says of its sockets' addresses, and what it is told of them.
//
// A version is at an address of the loopback that no other has, whatever address it asks for. What it sends from there to
// another host comes to the relay, as if it came from an environment; what it sends from the host's address does not.
#ifndef HOST_SOCKETS_H
#define HOST_SOCKETS_H

#include <linux/in.h>
#include <linux/in6.h>

#include "host_tables.h"

enum { REFUSE = 0, ALLOW = 1 };
enum { FAMILY_V4 = 2, FAMILY_V6 = 10 };
// So many ports are tried for a connection; then it takes the slow path.
enum { PORTS_TRIED = 16 };
// The part of the ports that environments' sockets have: others are the relay's (EphemeralPorts).
enum { FIRST_PORT = 32768, PORT_COUNT = 18232 };
enum { THIS_NAMESPACE = -1 };
enum { OPTIONS_OF_SOCKETS = 1, REUSE_ADDRESS = 2 };

struct end {
    be32 address;
    be16 port;
};

INLINE const struct vk_host_self *self_here(void) {
    u32 only = 0;
    return table_find(&self, &only);
}

// "Any", the loopback's first address, and the host's own: all mean the version itself.
INLINE int is_here(const struct vk_host_self *me, be32 address) {
    return address == 0 || address == NETWORK_32(INADDR_LOOPBACK) || address == me->host;
}

INLINE int is_registered(be16 port, u8 protocol) {
    struct vk_host_port key = {.number = port, .protocol = protocol};
    return table_find(&registered_ports, &key) != 0;
}

// Whether the version itself takes what comes to a port.
INLINE int takes(struct bpf_sock_addr *context, const struct vk_host_self *me, be16 port, u8 protocol) {
    struct bpf_sock_tuple ends = {.ipv4 = {.daddr = me->version, .dport = port}};
    struct bpf_sock *found = protocol == IPPROTO_TCP
                                 ? find_tcp(context, &ends, sizeof ends.ipv4, (u64)THIS_NAMESPACE, 0)
                                 : find_udp(context, &ends, sizeof ends.ipv4, (u64)THIS_NAMESPACE, 0);
    if (!found) return 0;
    give_back(found);
    return 1;
}

// The relay of datagrams has a registered port at all addresses, from some time after the version bound it.
INLINE void share(struct bpf_sock_addr *context) {
    int yes = 1;
    if (context->protocol != IPPROTO_UDP) return;
    set_option(context, OPTIONS_OF_SOCKETS, REUSE_ADDRESS, &yes, sizeof yes);
}

INLINE int bind_socket(struct bpf_sock_addr *context, be32 address, be16 port) {
    if (context->family == FAMILY_V4) {
        struct sockaddr_in here = {.sin_family = FAMILY_V4, .sin_port = port, .sin_addr.s_addr = address};
        return bind_to(context, &here, sizeof here) == 0;
    }
    struct sockaddr_in6 here = {.sin6_family = FAMILY_V6, .sin6_port = port};
    here.sin6_addr.s6_addr32[2] = NETWORK_32(0xffff);
    here.sin6_addr.s6_addr32[3] = address;
    return bind_to(context, &here, sizeof here) == 0;
}

// The kernel would take a port of the relay's as well.
INLINE int bind_to_host(struct bpf_sock_addr *context, const struct vk_host_self *me) {
    for (int i = 0; i < PORTS_TRIED; i++) {
        be16 port = NETWORK_16(FIRST_PORT + random_number() % PORT_COUNT);
        if (bind_socket(context, me->host, port)) return 1;
    }
    note(vk_host_event_no_port);
    return 0;
}

// A connection to a registered port of another host: straight to the same version there if it is known where it is, else
// to the relay. Sockets that are bound already have to be bound to the right address for it.
INLINE int connect_to_peer(
    struct bpf_sock_addr *context, const struct vk_host_self *me, struct end *to, u8 protocol) {
    be32 bound = context->sk->src_ip4;
    if (bound == me->version) return ALLOW;
    int is_free = bound == 0 && context->sk->src_port == 0;
    struct vk_host_route key = {.version = me->version, .peer = to->address, .port = to->port};
    be16 *direct = protocol == IPPROTO_TCP ? table_find(&routes, &key) : 0;
    if (direct && (!is_free || bind_to_host(context, me))) {
        to->port = *direct;
        struct vk_host_traffic *counts = traffic_of(&key);
        if (counts) counts->connections += 1;
        return ALLOW;
    }
    if (is_free && bind_socket(context, me->version, 0)) return ALLOW;
    // It would reach the peer's router without a header, and perhaps another version.
    note(vk_host_event_refused);
    return REFUSE;
}

INLINE int on_connect(struct bpf_sock_addr *context, struct end *to) {
    const struct vk_host_self *me = self_here();
    u8 protocol = context->protocol;
    if (!me) return REFUSE;
    int registered = is_registered(to->port, protocol);
    if (is_here(me, to->address)) {
        if (registered || takes(context, me, to->port, protocol)) to->address = me->version;
        return ALLOW;
    }
    // The rest of the loopback is the host's.
    if (!registered || (to->address & NETWORK_32(0xff000000)) == NETWORK_32(0x7f000000)) return ALLOW;
    return connect_to_peer(context, me, to, protocol);
}

// What a version is shown: not direct ports, but what they stand for.
INLINE void show_peer(struct end *peer) {
    const struct vk_host_self *me = self_here();
    if (!me) return;
    struct vk_host_route key = {.version = me->version, .peer = peer->address, .port = peer->port};
    be16 *registered = table_find(&names, &key);
    if (registered) peer->port = *registered;
}

INLINE void show_own(struct end *own) {
    const struct vk_host_self *me = self_here();
    struct vk_host_direct_port *direct = table_find(&direct_ports, &own->port);
    if (!me || !direct || direct->version != me->version || own->address != direct->host) return;
    own->address = me->version;
    own->port = direct->number;
}

#endif
