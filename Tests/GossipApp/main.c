// A small application whose nodes talk to each other, for scripts/bench-upgrade.
//
//   gossip-app PORT PERIOD FILE
//
// It answers every line at PORT, and says one to a node of the addresses in FILE, by chance, every PERIOD milliseconds, each
// time by a connection of its own.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { peers_max = 256 };

static struct sockaddr_in peers[peers_max];
static unsigned count;

static void learn(const char *path, int port) {
    FILE *file = fopen(path, "r");
    char line[64];
    while (file && count < peers_max && fscanf(file, "%63s", line) == 1) {
        peers[count] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        if (inet_pton(AF_INET, line, &peers[count].sin_addr) == 1) count += 1;
    }
    if (file) fclose(file);
}

// Nobody is waited for longer than that.
static void limit(int descriptor) {
    struct timeval second = {.tv_sec = 1};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
}

static void tell(const struct sockaddr_in *peer) {
    char answer[16];
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (descriptor < 0) return;
    limit(descriptor);
    if (connect(descriptor, (const struct sockaddr *)peer, sizeof *peer) == 0 && write(descriptor, "news?\n", 6) == 6)
        (void)!read(descriptor, answer, sizeof answer);
    close(descriptor);
}

static void gossip(int milliseconds) {
    struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L}, now;
    // Nodes that start in the same moment say different things.
    clock_gettime(CLOCK_MONOTONIC, &now);
    srandom((unsigned)now.tv_nsec ^ (unsigned)getpid());
    for (;;) {
        if (count > 0) tell(&peers[(unsigned)random() % count]);
        nanosleep(&pause, NULL);
    }
}

static void serve(int port) {
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    // Whoever connects and says nothing keeps nobody waiting: not for a place, and not for the only one who answers.
    setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 128) < 0) {
        perror("gossip-app");
        exit(3);
    }
    for (;;) {
        char line[64];
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) continue;
        if (recv(peer, line, sizeof line, MSG_DONTWAIT) > 0) (void)!write(peer, "none\n", 5);
        close(peer);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return 64;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    learn(argv[3], atoi(argv[1]));
    pid_t child = fork();
    if (child < 0) return 71;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        gossip(atoi(argv[2]));
    }
    serve(atoi(argv[1]));
}
