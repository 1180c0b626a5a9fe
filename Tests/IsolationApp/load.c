#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char block[1 << 20];

static double milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static uint64_t next(uint64_t value) {
    value ^= value << 13;
    value ^= value >> 7;
    return value ^ value << 17;
}

static void compute(long count) {
    volatile uint64_t result;
    uint64_t value = 88172645463325252u;
    for (long i = 0; i < count; i++) value = next(value);
    result = value;
    (void)result;
}

static struct held {
    struct held *older;
    size_t count;
    uint64_t words[];
} *held;

static const char *hold(int megabytes) {
    size_t bytes = (size_t)megabytes << 20;
    struct held *more = malloc(sizeof *more + bytes);
    if (!more) return "no memory";
    more->older = held;
    more->count = bytes / sizeof *more->words;
    uint64_t value = 88172645463325252u + (uintptr_t)more;
    for (size_t i = 0; i < more->count; i++) more->words[i] = value = next(value);
    held = more;
    return "done";
}

static uint64_t sum(void) {
    uint64_t sum = 0;
    for (struct held *each = held; each; each = each->older) {
        for (size_t i = 0; i < each->count; i++) sum = sum * 31 + each->words[i];
    }
    return sum;
}

static const char *write_files(const char *file, int megabytes, int kilobytes) {
    char path[512];
    int count = megabytes * 1024 / kilobytes;
    size_t bytes = (size_t)kilobytes << 10;
    for (int i = 0;; i++) {
        snprintf(path, sizeof path, "%s-%d", file, i);
        if (i >= count) {
            // Those of an earlier order.
            if (unlink(path) < 0) return errno == ENOENT ? "done" : strerror(errno);
            continue;
        }
        int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        // No two are alike, and none has holes.
        memset(block, 'a' + i % 26, bytes);
        ssize_t written = descriptor < 0 ? -1 : write(descriptor, block, bytes);
        if (descriptor >= 0) close(descriptor);
        if (written != (ssize_t)bytes) return written < 0 ? strerror(errno) : "the disk is full";
    }
}

static void send_bytes(int peer, int megabytes) {
    for (int i = 0; i < megabytes; i++) {
        for (size_t sent = 0; sent < sizeof block;) {
            ssize_t count = send(peer, block + sent, sizeof block - sent, MSG_NOSIGNAL);
            if (count <= 0) return;
            sent += (size_t)count;
        }
    }
}

static double fetch(const char *address, int port, int megabytes) {
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    char line[64];
    int length = snprintf(line, sizeof line, "send %d\n", megabytes);
    double start = milliseconds(), bytes = 0;
    if (descriptor >= 0 && inet_pton(AF_INET, address, &peer.sin_addr) == 1 &&
        connect(descriptor, (struct sockaddr *)&peer, sizeof peer) == 0 && write(descriptor, line, (size_t)length) == length)
        for (ssize_t count; (count = read(descriptor, block, sizeof block)) > 0;) bytes += (double)count;
    if (descriptor >= 0) close(descriptor);
    // Less than all is no measurement.
    return bytes < (double)megabytes * 1048576 ? 0 : bytes / 1e3 / (milliseconds() - start);
}

int load(const char *line, int peer, const char *file, char *answer, size_t size) {
    long count;
    int megabytes, other;
    char address[64];
    double start = milliseconds();
    if (sscanf(line, "compute %ld", &count) == 1) {
        compute(count * 1000000);
        snprintf(answer, size, "%.3f", milliseconds() - start);
    } else if (sscanf(line, "calls %ld", &count) == 1) {
        for (long i = 0; i < count * 1000; i++) syscall(SYS_getppid);
        snprintf(answer, size, "%.3f", milliseconds() - start);
    } else if (sscanf(line, "write %d %d", &megabytes, &other) == 2 && other > 0 && other <= 1024) {
        snprintf(answer, size, "%s", write_files(file, megabytes, other));
    } else if (sscanf(line, "hold %d", &megabytes) == 1) {
        snprintf(answer, size, "%s", hold(megabytes));
    } else if (strcmp(line, "sum") == 0) {
        snprintf(answer, size, "%016llx", (unsigned long long)sum());
    } else if (sscanf(line, "send %d", &megabytes) == 1) {
        send_bytes(peer, megabytes);
    } else if (sscanf(line, "fetch %63s %d %d", address, &other, &megabytes) == 3) {
        snprintf(answer, size, "%.3f", fetch(address, other, megabytes));
    } else return 0;
    return 1;
}
