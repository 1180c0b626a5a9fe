#ifndef LEAST_PROXY_H
#define LEAST_PROXY_H

#include <stdint.h>

/// A proxy that leaves out whatever can be left out: what it reaches, no proxy on this machine can be asked to exceed by
/// much.
///
/// It knows the load in advance: SETs and GETs of redis-benchmark with `-d 64`, each kind of one length, with replies of
/// three lengths. So it looks at one byte of a batch and at two of a reply, and copies nothing. Batches of all clients go
/// to one connection per server in one call. With several servers each request goes to all of them, and a client gets
/// the first one's reply when all have replied. Anything else is answered `+OK` by itself. One thread, with io_uring.
///
/// Serves on 127.0.0.1 until the process is ended. Whatever goes wrong ends it, with a word on stderr.
///
/// - Parameter servers: their ports on 127.0.0.1, 1 to 2.
_Noreturn void least_proxy_run(uint16_t port, const uint16_t *servers, int count);

#endif
