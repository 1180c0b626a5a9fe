// What the server of isolation-app answers to benchmarks:
//
// `compute MILLIONS` and `calls THOUSANDS` do so much arithmetic, and so many system calls, and say how many milliseconds
// it took; `write MEGABYTES KILOBYTES` writes so much to files of that size, FILE-0, FILE-1 and so on, without fsync;
// `hold MEGABYTES` takes memory and fills it with bytes of which no two pages are alike; `sum` is a checksum of all that is
// held; `send MEGABYTES` sends so much; `fetch ADDRESS PORT MEGABYTES` has another one send it, and says how many MB/s came.
#include <stddef.h>

// Whether it was one of these.
int load(const char *line, int peer, const char *file, char *answer, size_t size);
