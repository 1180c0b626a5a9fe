#ifndef RESPONDER_H
#define RESPONDER_H

#include <stdint.h>

/// A server that does nothing: `+OK` for each request, by one thread with epoll. Who measures it learns the least that
/// anybody spends on clients.
///
/// Requests are counted by their first byte, `*`, which neither the keys nor the values of redis-benchmark have.
///
/// Serves until the process is ended. Returns only if it cannot, with errno set.
void responder_run(uint16_t port);

#endif
