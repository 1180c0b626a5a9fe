#define _GNU_SOURCE
#include "CBench.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static const int on = 1;
static const int datagram_room = 4 << 20;

static struct sockaddr_in ipv4(uint32_t address, uint16_t port) {
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(port)};
    result.sin_addr.s_addr = htonl(address);
    return result;
}

int bench_pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

int bench_socket(int type) {
    int result = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (result < 0) return -1;
    if ((type & 0xf) == SOCK_STREAM) {
        setsockopt(result, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    } else if (setsockopt(result, SOL_SOCKET, SO_RCVBUFFORCE, &datagram_room, sizeof datagram_room) < 0) {
        setsockopt(result, SOL_SOCKET, SO_RCVBUF, &datagram_room, sizeof datagram_room);
    }
    return result;
}

int bench_bind(int socket, uint32_t address, uint16_t port) {
    struct sockaddr_in local = ipv4(address, port);
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(socket, (struct sockaddr *)&local, sizeof local);
}

int bench_connect(int socket, uint32_t address, uint16_t port) {
    struct sockaddr_in peer = ipv4(address, port);
    return connect(socket, (struct sockaddr *)&peer, sizeof peer);
}

int bench_accept(int listener) {
    int result = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (result >= 0) setsockopt(result, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return result;
}

ssize_t bench_receive_from(int socket, void *buffer, size_t capacity, struct bench_endpoint *source) {
    struct sockaddr_in from = {0};
    socklen_t length = sizeof from;
    ssize_t count = recvfrom(socket, buffer, capacity, 0, (struct sockaddr *)&from, &length);
    source->address = ntohl(from.sin_addr.s_addr);
    source->port = ntohs(from.sin_port);
    return count;
}

ssize_t bench_send_to(int socket, const void *bytes, size_t length, struct bench_endpoint destination) {
    struct sockaddr_in to = ipv4(destination.address, destination.port);
    return sendto(socket, bytes, length, 0, (struct sockaddr *)&to, sizeof to);
}

int bench_set_receive_timeout(int socket, int milliseconds) {
    struct timeval time = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    return setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
}

int bench_wait_writable(int socket) {
    struct pollfd wanted = {.fd = socket, .events = POLLOUT};
    return poll(&wanted, 1, 1000) == 1 ? 0 : -1;
}

uint64_t bench_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
