#define _GNU_SOURCE
#include "responder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, REQUEST_BYTES_MAX = 64 << 10, REPLY_BYTES = 5 };

static int watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

/// Answers what is there; 0 when the client is gone.
static int answer(int descriptor) {
    static char requests[REQUEST_BYTES_MAX];
    static char replies[REQUEST_BYTES_MAX * REPLY_BYTES];
    ssize_t length = recv(descriptor, requests, sizeof requests, 0);
    if (length <= 0) return 0;
    size_t size = 0;
    for (ssize_t index = 0; index < length; index++) {
        if (requests[index] != '*') continue;
        memcpy(replies + size, "+OK\r\n", REPLY_BYTES);
        size += REPLY_BYTES;
    }
    // A batch's replies are a hundred bytes, and its sender waits for them: they go at once.
    return size == 0 || send(descriptor, replies, size, MSG_NOSIGNAL) == (ssize_t)size;
}

void responder_run(uint16_t port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 512) < 0) return;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || watch(epoll, listener) < 0) return;
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int index = 0; index < count; index++) {
            int descriptor = events[index].data.fd;
            if (descriptor != listener) {
                if (!answer(descriptor)) close(descriptor);
                continue;
            }
            int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (client < 0) continue;
            setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            if (watch(epoll, client) < 0) close(client);
        }
    }
}
