// What the load generator needs of Linux and Swift's Glibc module does not show. Addresses and ports are in host byte
// order. All return -1 and set errno on failure, and retry nothing.
#ifndef CBENCH_H
#define CBENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#pragma clang assume_nonnull begin

/// The calling thread, and those that it starts later, run on this CPU alone.
int bench_pin(int cpu);

/// A socket of this type (SOCK_STREAM or SOCK_DGRAM, with SOCK_NONBLOCK or not), close-on-exec; streams do not wait for
/// more to send, datagrams have room for some thousands that nobody has read yet.
int bench_socket(int type);
int bench_bind(int socket, uint32_t address, uint16_t port);
int bench_connect(int socket, uint32_t address, uint16_t port);
/// A connection that came, non-blocking, as bench_socket() makes them.
int bench_accept(int listener);
/// Where a datagram came from.
struct bench_endpoint {
    uint32_t address;
    uint16_t port;
};
ssize_t bench_receive_from(int socket, void *buffer, size_t capacity, struct bench_endpoint *source);
ssize_t bench_send_to(int socket, const void *bytes, size_t length, struct bench_endpoint destination);
/// How long receiving may wait, at most.
int bench_set_receive_timeout(int socket, int milliseconds);
/// Waits until there is room to send, one second at most.
int bench_wait_writable(int socket);
/// Nanoseconds of the monotonic clock.
uint64_t bench_now(void);

#pragma clang assume_nonnull end
#endif
