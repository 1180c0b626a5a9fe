#include "ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Two for each of a thousand clients, and some.
enum { REQUESTS_MAX = 4096 };

static int ring;
static uint32_t *request_head, *request_tail, *result_head, *result_tail, request_mask, result_mask;
static struct io_uring_sqe *requests;
static struct io_uring_cqe *results;

_Noreturn void fail(const char *what, int number) {
    fprintf(stderr, "least proxy: %s: %s\n", what, strerror(number));
    exit(1);
}

static void *map(size_t size, off_t offset) {
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);
    if (start == MAP_FAILED) fail("mmap of io_uring", errno);
    return start;
}

void ring_open(void) {
    // One thread, which gets its results when it asks: no interrupts between.
    struct io_uring_params parameters = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    ring = (int)syscall(SYS_io_uring_setup, REQUESTS_MAX, &parameters);
    if (ring < 0) fail("io_uring, which this kernel or a container may forbid", errno);
    const struct io_sqring_offsets *request = &parameters.sq_off;
    const struct io_cqring_offsets *result = &parameters.cq_off;
    size_t requests_end = request->array + parameters.sq_entries * sizeof(uint32_t);
    size_t results_end = result->cqes + parameters.cq_entries * sizeof *results;
    char *shared = map(requests_end > results_end ? requests_end : results_end, IORING_OFF_SQ_RING);
    requests = map(parameters.sq_entries * sizeof *requests, IORING_OFF_SQES);
    results = (void *)(shared + result->cqes);
    request_head = (void *)(shared + request->head);
    request_tail = (void *)(shared + request->tail);
    request_mask = *(uint32_t *)(void *)(shared + request->ring_mask);
    result_head = (void *)(shared + result->head);
    result_tail = (void *)(shared + result->tail);
    result_mask = *(uint32_t *)(void *)(shared + result->ring_mask);
    uint32_t *order = (void *)(shared + request->array);
    for (uint32_t index = 0; index < parameters.sq_entries; index++) order[index] = index;
}

struct io_uring_sqe *ring_request(uint8_t operation, int descriptor, const void *bytes, uint32_t length, uint64_t tag) {
    if (*request_tail - __atomic_load_n(request_head, __ATOMIC_ACQUIRE) > request_mask) fail("requests", ENOSPC);
    struct io_uring_sqe *request = &requests[*request_tail & request_mask];
    *request = (struct io_uring_sqe){
        .opcode = operation, .fd = descriptor, .addr = (uint64_t)(uintptr_t)bytes, .len = length, .user_data = tag};
    __atomic_store_n(request_tail, *request_tail + 1, __ATOMIC_RELEASE);
    return request;
}

void ring_wait(void) {
    uint32_t count = *request_tail - __atomic_load_n(request_head, __ATOMIC_ACQUIRE);
    if (syscall(SYS_io_uring_enter, ring, count, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0 && errno != EINTR)
        fail("io_uring_enter", errno);
}

int ring_next(struct io_uring_cqe *result) {
    if (*result_head == __atomic_load_n(result_tail, __ATOMIC_ACQUIRE)) return 0;
    *result = results[*result_head & result_mask];
    __atomic_store_n(result_head, *result_head + 1, __ATOMIC_RELEASE);
    return 1;
}
