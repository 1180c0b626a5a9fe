// Loaded before a program's own libraries (LD_PRELOAD), it has the program see another host than the real one:
//
// - the time of day, set by as many seconds as the file says whose path is in VERSIONKIT_SET_CLOCK, at each reading anew; clocks
//   that nobody can set are left alone;
// - the file whose path is in VERSIONKIT_SET_MEMORY in the place of /proc/meminfo. Something mounted over that would keep
//   environments from having a /proc of their own.
#define _GNU_SOURCE
#include "set_host.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t shift(void) {
    const char *path = getenv("VERSIONKIT_SET_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    char text[32];
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    return strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    if (now) *now = time.tv_sec;
    return time.tv_sec;
}

FILE *fopen(const char *restrict path, const char *restrict mode) {
    FILE *(*next)(const char *, const char *) = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");
    const char *other = getenv("VERSIONKIT_SET_MEMORY");
    return next(other && strcmp(path, "/proc/meminfo") == 0 ? other : path, mode);
}
