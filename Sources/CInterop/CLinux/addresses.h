// Between the addresses of CLinux.h and the system's.
#pragma once

#include "gnu.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>

/// Room for an address of either kind.
union vk_socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/// Writes the address of an endpoint for the system; returns its length.
socklen_t vk_socket_address(struct vk_endpoint endpoint, union vk_socket_address *result);
/// False, and zeros, if it is neither IPv4 nor IPv6.
bool vk_endpoint_of(const union vk_socket_address *address, struct vk_endpoint *endpoint);
struct in6_addr vk_in6(struct vk_address address);
struct vk_address vk_address_of_v4(struct in_addr address);
struct vk_address vk_address_of_v6(struct in6_addr address);
