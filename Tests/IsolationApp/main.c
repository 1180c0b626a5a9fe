// A small application for tests of environments.
//
//   isolation-app serve PORT NAME [FILE]   a TCP server that answers one line per connection, as below
//   isolation-app exit CODE                ends at once
//   isolation-app deaf PORT NAME           as serve, but ignores SIGTERM
//   isolation-app away PORT NAME           as serve, in another session whose parent has ended
//   isolation-app fork                     forks without end
//   isolation-app eat                      takes memory without end
//   isolation-app fill FILE                writes without end
//   isolation-app flood                    prints without end
//   isolation-app cat CODE                 prints its input, says so to standard error, ends with that code
//   isolation-app terminal                 prints its terminal's size, and again whenever it changes
//
// It serves at the address in VERSIONKIT_ADDRESS, at all without one; FILE is below VERSIONKIT_ROOT, if that is set.
//
// The server's answers: `name` its name, `peer` the caller's address, `own` its end of the connection, `ask ADDRESS PORT`
// the name of another server with both ends of that connection, `tell ADDRESS PORT` the same by a datagram, `get` what is
// in FILE, `put TEXT` (writes it to FILE, with fsync), `count` how often it was asked that since it was started,
// `can PATH` whether it can write there, `try WHAT` and `status KEY` as in attempts.h, `uid`, `gid`, `where` (its working
// directory), `variable NAME` (of its environment), `exit CODE`, and those in load.h.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attempts.h"
// Answers to benchmarks.
#include "load.h"

static const char *name;
static const char *file;
static int count;

static const char *below_root(const char *path) {
    static char whole[4096];
    const char *root = getenv("VERSIONKIT_ROOT");
    snprintf(whole, sizeof whole, "%s%s", root ? root : "", path);
    return whole;
}

static void put(const char *text, char *answer, size_t size) {
    int descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ssize_t written = descriptor < 0 ? -1 : write(descriptor, text, strlen(text));
    int failed = written < 0 || fsync(descriptor) < 0;
    snprintf(answer, size, "%s", failed ? strerror(errno) : "done");
    if (descriptor >= 0) close(descriptor);
}

static void get(char *answer, size_t size) {
    int descriptor = open(file, O_RDONLY);
    ssize_t length = descriptor < 0 ? 0 : read(descriptor, answer, size - 1);
    answer[length < 0 ? 0 : length] = 0;
    if (descriptor >= 0) close(descriptor);
}

static const char *text(const struct sockaddr_in *end) {
    static char texts[2][64];
    static int next;
    char address[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &end->sin_addr, address, sizeof address);
    next = !next;
    snprintf(texts[next], sizeof texts[next], "%s:%d", address, ntohs(end->sin_port));
    return texts[next];
}

static void ask(const char *address, int port, int type, char *answer, size_t size) {
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}, own = {0};
    socklen_t length = sizeof peer, own_length = sizeof own;
    struct timeval limit = {.tv_sec = 5};
    char reply[64] = "";
    int other = socket(AF_INET, type, 0), failed = inet_pton(AF_INET, address, &peer.sin_addr) != 1;
    setsockopt(other, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (type == SOCK_STREAM) failed |= connect(other, (struct sockaddr *)&peer, sizeof peer) < 0;
    failed = failed || sendto(other, "name\n", 5, 0, type == SOCK_STREAM ? NULL : (struct sockaddr *)&peer, sizeof peer) < 0 ||
             recvfrom(other, reply, sizeof reply - 1, 0, type == SOCK_STREAM ? NULL : (struct sockaddr *)&peer, &length) < 0;
    if (failed) {
        snprintf(answer, size, "%s", strerror(errno));
    } else {
        reply[strcspn(reply, "\n")] = 0;
        length = sizeof peer;
        if (type == SOCK_STREAM) getpeername(other, (struct sockaddr *)&peer, &length);
        getsockname(other, (struct sockaddr *)&own, &own_length);
        snprintf(answer, size, "%s at %s from %s", reply, text(&peer), text(&own));
    }
    close(other);
}

static void obey(char *line, int peer, char *answer, size_t size) {
    char other[64];
    int port;
    if (strcmp(line, "name") == 0) snprintf(answer, size, "%s", name);
    else if (strcmp(line, "count") == 0) snprintf(answer, size, "%d", ++count);
    else if (strcmp(line, "uid") == 0) snprintf(answer, size, "%d", (int)getuid());
    else if (strcmp(line, "gid") == 0) snprintf(answer, size, "%d", (int)getgid());
    else if (strcmp(line, "where") == 0) (void)!getcwd(answer, size);
    else if (strncmp(line, "variable ", 9) == 0) {
        const char *value = getenv(line + 9);
        snprintf(answer, size, "%s", value ? value : "none");
    } else if (strcmp(line, "get") == 0) get(answer, size);
    else if (strncmp(line, "put ", 4) == 0) put(line + 4, answer, size);
    else if (strncmp(line, "try ", 4) == 0) snprintf(answer, size, "%s", attempt(line + 4));
    else if (strncmp(line, "status ", 7) == 0) status(line + 7, answer, size);
    else if (strncmp(line, "exit ", 5) == 0) _exit(atoi(line + 5));
    else if (strncmp(line, "can ", 4) == 0) {
        int descriptor = open(line + 4, O_WRONLY | O_CREAT, 0644);
        snprintf(answer, size, "%s", descriptor < 0 ? strerror(errno) : "yes");
        if (descriptor >= 0) close(descriptor);
    } else if (strcmp(line, "own") == 0) {
        struct sockaddr_in address;
        socklen_t length = sizeof address;
        getsockname(peer, (struct sockaddr *)&address, &length);
        snprintf(answer, size, "%s", text(&address));
    } else if (sscanf(line, "ask %63s %d", other, &port) == 2) {
        ask(other, port, SOCK_STREAM, answer, size);
    } else if (sscanf(line, "tell %63s %d", other, &port) == 2) {
        ask(other, port, SOCK_DGRAM, answer, size);
    } else if (strcmp(line, "peer") == 0) {
        struct sockaddr_in address;
        socklen_t length = sizeof address;
        getpeername(peer, (struct sockaddr *)&address, &length);
        inet_ntop(AF_INET, &address.sin_addr, answer, (socklen_t)size);
    } else if (!load(line, peer, file, answer, size)) snprintf(answer, size, "what?");
}

static void serve(int port) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const char *own = getenv("VERSIONKIT_ADDRESS");
    if (own) inet_pton(AF_INET, own, &address.sin_addr);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 16) < 0) {
        perror("isolation-app");
        _exit(3);
    }
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) continue;
        char line[512] = "";
        char answer[4096] = "";
        ssize_t length = read(peer, line, sizeof line - 1);
        line[length < 0 ? 0 : length] = 0;
        line[strcspn(line, "\n")] = 0;
        obey(line, peer, answer, sizeof answer - 1);
        strcat(answer, "\n");
        (void)!write(peer, answer, strlen(answer));
        close(peer);
    }
}

static void fill(const char *path) {
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    int descriptor = open(below_root(path), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    while (write(descriptor, block, sizeof block) > 0) {}
    perror("isolation-app: fill");
    _exit(4);
}

static int cat(int code) {
    char buffer[4096];
    for (ssize_t count; (count = read(0, buffer, sizeof buffer)) > 0;) {
        for (ssize_t written = 0, step; written < count; written += step) {
            step = write(1, buffer + written, (size_t)(count - written));
            if (step < 0) return 5;
        }
    }
    fprintf(stderr, "that was all\n");
    return code;
}

static void terminal(void) {
    sigset_t changes;
    sigemptyset(&changes);
    sigaddset(&changes, SIGWINCH);
    sigprocmask(SIG_BLOCK, &changes, NULL);
    for (int number;; sigwait(&changes, &number)) {
        struct winsize size = {0};
        ioctl(0, TIOCGWINSZ, &size);
        printf("%dx%d \n", size.ws_row, size.ws_col);
        fflush(stdout);
    }
}

static void flood(void) {
    static char block[4096];
    while (write(1, block, sizeof block) > 0) {}
    _exit(6);
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    const char *what = argc > 1 ? argv[1] : "";
    if (argc > 2 && strcmp(what, "exit") == 0) return atoi(argv[2]);
    if (argc > 2 && strcmp(what, "fill") == 0) fill(argv[2]);
    if (argc > 2 && strcmp(what, "cat") == 0) return cat(atoi(argv[2]));
    if (strcmp(what, "terminal") == 0) terminal();
    if (strcmp(what, "flood") == 0) flood();
    while (strcmp(what, "fork") == 0) {
        if (fork() < 0) usleep(1000);
    }
    while (strcmp(what, "eat") == 0) {
        char *memory = malloc(1 << 20);
        if (memory) memset(memory, 1, 1 << 20);
    }
    if (argc < 4) return 64;
    if (strcmp(what, "deaf") == 0) signal(SIGTERM, SIG_IGN);
    if (strcmp(what, "away") == 0) {
        if (fork() > 0) return 0;
        setsid();
    }
    name = argv[3];
    file = below_root(argc > 4 ? argv[4] : "/data");
    serve(atoi(argv[2]));
}
