#ifndef RING_H
#define RING_H

#include <linux/io_uring.h>
#include <stdint.h>

/// The process's io_uring, for one thread. Who needs no more than this can do without a library.

/// Ends the process with a word about what could not be done; the number is an errno.
_Noreturn void fail(const char *what, int number);

void ring_open(void);

/// A new request, which goes to the kernel with the next `ring_wait`; `tag` comes back with what became of it.
struct io_uring_sqe *ring_request(uint8_t operation, int descriptor, const void *bytes, uint32_t length, uint64_t tag);

/// Makes the requests, and waits until something has become of at least one of all that were made.
void ring_wait(void);

/// The next result; 0 when there is none at present.
int ring_next(struct io_uring_cqe *result);

#endif
