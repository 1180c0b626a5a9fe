#include "gnu.h"

#include <string.h>
#include <sys/un.h>

_Static_assert(vk_IP_TRANSPARENT == IP_TRANSPARENT, "as in netinet/in.h");
_Static_assert(vk_IP_BIND_ADDRESS_NO_PORT == IP_BIND_ADDRESS_NO_PORT, "as in netinet/in.h");

static struct sockaddr_in ipv4(uint32_t address, uint16_t port) {
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = port};
    result.sin_addr.s_addr = address;
    return result;
}

static int store(int result, const struct sockaddr_in *address, struct vk_endpoint *endpoint) {
    if (result == 0 && address->sin_family != AF_INET) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    endpoint->address = address->sin_addr.s_addr;
    endpoint->port = address->sin_port;
    return result;
}

int vk_set_socket_option(int socket, int level, int option, int value) {
    return setsockopt(socket, level, option, &value, sizeof value);
}

int vk_bind_ipv4(int socket, uint32_t address, uint16_t port) {
    struct sockaddr_in local = ipv4(address, port);
    return bind(socket, (struct sockaddr *)&local, sizeof local);
}

int vk_bind_transparent_ipv4(int socket, uint32_t address, uint16_t port) {
    if (vk_set_socket_option(socket, SOL_IP, IP_TRANSPARENT, 1) < 0) return -1;
    // The kernel then picks a port that is free towards the peer, not one that is free altogether.
    if (port == 0 && vk_set_socket_option(socket, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1) < 0) return -1;
    return vk_bind_ipv4(socket, address, port);
}

int vk_connect_ipv4(int socket, uint32_t address, uint16_t port) {
    struct sockaddr_in peer = ipv4(address, port);
    return connect(socket, (struct sockaddr *)&peer, sizeof peer);
}

int vk_local_address(int socket, struct vk_endpoint *endpoint) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    return store(getsockname(socket, (struct sockaddr *)&address, &length), &address, endpoint);
}

int vk_peer_address(int socket, struct vk_endpoint *endpoint) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    return store(getpeername(socket, (struct sockaddr *)&address, &length), &address, endpoint);
}

int vk_original_destination(int socket, struct vk_endpoint *endpoint) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    return store(getsockopt(socket, SOL_IP, vk_SO_ORIGINAL_DST, &address, &length), &address, endpoint);
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
