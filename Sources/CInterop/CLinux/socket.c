#include "addresses.h"

#include <endian.h>

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#include <string.h>
#include <sys/un.h>

// Addresses of IPv4 are ::ffff:0:0/96 in a vk_address.
static const uint64_t mapped = 0xFFFF;

int vk_family(struct vk_address address) {
    return address.high == 0 && address.low >> 32 == mapped ? AF_INET : AF_INET6;
}

socklen_t vk_socket_address(struct vk_endpoint endpoint, union vk_socket_address *result) {
    memset(result, 0, sizeof *result);
    if (vk_family(endpoint.address) == AF_INET) {
        result->v4.sin_family = AF_INET;
        result->v4.sin_port = htons(endpoint.port);
        result->v4.sin_addr.s_addr = htonl((uint32_t)endpoint.address.low);
        return sizeof result->v4;
    }
    result->v6.sin6_family = AF_INET6;
    result->v6.sin6_port = htons(endpoint.port);
    result->v6.sin6_addr = vk_in6(endpoint.address);
    return sizeof result->v6;
}

struct in6_addr vk_in6(struct vk_address address) {
    uint64_t words[2] = {htobe64(address.high), htobe64(address.low)};
    struct in6_addr result;
    memcpy(&result, words, sizeof result);
    return result;
}

struct vk_address vk_address_of_v4(struct in_addr address) {
    return (struct vk_address){0, mapped << 32 | ntohl(address.s_addr)};
}

struct vk_address vk_address_of_v6(struct in6_addr address) {
    uint64_t words[2];
    memcpy(words, &address, sizeof words);
    return (struct vk_address){be64toh(words[0]), be64toh(words[1])};
}

bool vk_endpoint_of(const union vk_socket_address *address, struct vk_endpoint *endpoint) {
    switch (address->any.sa_family) {
    case AF_INET:
        *endpoint = (struct vk_endpoint){vk_address_of_v4(address->v4.sin_addr), ntohs(address->v4.sin_port)};
        return true;
    case AF_INET6:
        *endpoint = (struct vk_endpoint){vk_address_of_v6(address->v6.sin6_addr), ntohs(address->v6.sin6_port)};
        return true;
    default:
        *endpoint = (struct vk_endpoint){0};
        return false;
    }
}

static int store(int result, const union vk_socket_address *address, struct vk_endpoint *endpoint) {
    if (result == 0 && !vk_endpoint_of(address, endpoint)) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return result;
}

int vk_set_socket_option(int socket, int level, int option, int value) {
    return setsockopt(socket, level, option, &value, sizeof value);
}

int vk_bind(int socket, struct vk_endpoint local) {
    union vk_socket_address address;
    socklen_t length = vk_socket_address(local, &address);
    // The other kind has sockets of its own.
    if (address.any.sa_family == AF_INET6) vk_set_socket_option(socket, SOL_IPV6, IPV6_V6ONLY, 1);
    return bind(socket, &address.any, length);
}

int vk_set_transparent(int socket, int family) {
    if (family == AF_INET6) return vk_set_socket_option(socket, SOL_IPV6, IPV6_TRANSPARENT, 1);
    return vk_set_socket_option(socket, SOL_IP, IP_TRANSPARENT, 1);
}

int vk_bind_transparent(int socket, struct vk_endpoint local) {
    if (vk_set_transparent(socket, vk_family(local.address)) < 0) return -1;
    // The kernel then picks a port that is free towards the peer, not one that is free altogether. (For both kinds.)
    if (local.port == 0 && vk_set_socket_option(socket, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1) < 0) return -1;
    return vk_bind(socket, local);
}

int vk_set_ephemeral_ports(int socket, uint16_t first, uint16_t last) {
    // For both kinds of IP.
    return vk_set_socket_option(socket, SOL_IP, IP_LOCAL_PORT_RANGE, (int)((uint32_t)last << 16 | first));
}

int vk_connect(int socket, struct vk_endpoint peer) {
    union vk_socket_address address;
    socklen_t length = vk_socket_address(peer, &address);
    return connect(socket, &address.any, length);
}

int vk_local_address(int socket, struct vk_endpoint *endpoint) {
    union vk_socket_address address = {0};
    socklen_t length = sizeof address;
    return store(getsockname(socket, &address.any, &length), &address, endpoint);
}

int vk_peer_address(int socket, struct vk_endpoint *endpoint) {
    union vk_socket_address address = {0};
    socklen_t length = sizeof address;
    return store(getpeername(socket, &address.any, &length), &address, endpoint);
}

int vk_original_destination(int socket, struct vk_endpoint *endpoint) {
    union vk_socket_address address = {0};
    socklen_t length = sizeof address;
    int result = getsockopt(socket, SOL_IP, vk_SO_ORIGINAL_DST, &address, &length);
    if (result < 0) {
        length = sizeof address;
        // The same number serves IPv6 (IP6T_SO_ORIGINAL_DST).
        result = getsockopt(socket, SOL_IPV6, vk_SO_ORIGINAL_DST, &address, &length);
    }
    return store(result, &address, endpoint);
}

int vk_socket_error(int socket) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? -1 : error;
}

static int unix_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, length);
    return 0;
}

int vk_bind_unix(int socket, const char *path) {
    struct sockaddr_un address;
    if (unix_address(&address, path) != 0) return -1;
    return bind(socket, (struct sockaddr *)&address, sizeof address);
}

int vk_connect_unix(int socket, const char *path) {
    struct sockaddr_un address;
    if (unix_address(&address, path) != 0) return -1;
    return connect(socket, (struct sockaddr *)&address, sizeof address);
}
