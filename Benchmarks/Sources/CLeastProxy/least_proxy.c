#define _GNU_SOURCE
#include "least_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ring.h"

enum { SET_BYTES = 107, GET_BYTES = 36, SHORT_REPLY_BYTES = 5, VALUE_REPLY_BYTES = 71 };
enum { SERVERS_MAX = 2, DESCRIPTORS_MAX = 1024, CLIENT_BYTES = 32 << 10, READ_BYTES = 256 << 10, REPLIES_BYTES = 4 << 20 };
/// What a result is about: the upper half of its tag. The lower half is a descriptor, or the number of a server.
enum { ACCEPTED, ASKED, PASSED_ON, REPLIED, GIVEN };

/// The requests that a client sent at one time. It has one batch at most under way: nothing more is read from it before.
struct batch {
    int client;
    uint64_t requests;
    /// How many requests there were by its end, those of other clients counted.
    uint64_t asked;
};

struct server {
    int descriptor;
    /// What is read into, and what replies may still be sent from.
    char *replies, *spare;
    /// Of `replies`: what is given ends, whole replies end, all ends.
    size_t begin, counted, end;
    uint64_t replied;
};

static struct server servers[SERVERS_MAX];
static int server_count;
static char *texts[DESCRIPTORS_MAX];
static struct batch batches[DESCRIPTORS_MAX];
static uint64_t batches_begin, batches_end, asked;
/// What waits for the servers, and what is on its way to them.
static struct iovec outgoing[2][DESCRIPTORS_MAX];
static struct msghdr message;
static size_t waiting, waiting_bytes, sending_bytes;
static int current, sending;

static uint64_t tag(int kind, int number) { return (uint64_t)kind << 32 | (uint32_t)number; }

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void send_at_once(int descriptor) {
    int yes = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

static void read_client(int client) {
    // Nothing is there yet: it has just been answered. The first look would be in vain.
    ring_request(IORING_OP_RECV, client, texts[client], CLIENT_BYTES, tag(ASKED, client))->ioprio =
        IORING_RECVSEND_POLL_FIRST;
}

static void read_server(int number) {
    struct server *server = &servers[number];
    // Into the other half, since replies in this one are only sent with the requests that are made next.
    char *replies = server->spare;
    server->spare = server->replies;
    server->replies = replies;
    server->end -= server->begin;
    server->counted -= server->begin;
    if (server->end > REPLIES_BYTES - READ_BYTES) fail("too many replies", ENOBUFS);
    memcpy(replies, server->spare + server->begin, server->end);
    server->begin = 0;
    ring_request(IORING_OP_RECV, server->descriptor, replies + server->end, READ_BYTES, tag(REPLIED, number))->ioprio =
        IORING_RECVSEND_POLL_FIRST;
}

/// A client, which says something for the first time soon.
static void accepted(int client) {
    if (client < 0 || client >= DESCRIPTORS_MAX) fail("accept", client < 0 ? -client : EMFILE);
    send_at_once(client);
    if (!texts[client]) texts[client] = malloc(CLIENT_BYTES + SET_BYTES);
    read_client(client);
}

static void asked_by(int client, int length) {
    char *text = texts[client];
    if (length <= 0) {
        close(client);
        return;
    }
    // "*3..$3..SET" and "*2..$3..GET": the first letter of the command.
    int one = length > 8 && text[8] == 'S' ? SET_BYTES : length > 8 && text[8] == 'G' ? GET_BYTES : 0;
    if (!one) {
        for (int index = 0; index < length; index++)
            if (text[index] == '*' && send(client, "+OK\r\n", 5, MSG_NOSIGNAL) != 5) fail("send", errno);
        read_client(client);
        return;
    }
    int rest = (one - length % one) % one;
    if (rest && recv(client, text + length, (size_t)rest, MSG_WAITALL) != rest) fail("half a request", EPROTO);
    length += rest;
    outgoing[current][waiting++] = (struct iovec){text, (size_t)length};
    waiting_bytes += (size_t)length;
    asked += (uint64_t)(length / one);
    batches[batches_end++ % DESCRIPTORS_MAX] = (struct batch){client, (uint64_t)(length / one), asked};
}

/// Sends what waits to all servers, unless something is on its way yet: then more may gather.
static void pass_on(void) {
    if (sending || !waiting) return;
    message = (struct msghdr){.msg_iov = outgoing[current], .msg_iovlen = waiting};
    for (; sending < server_count; sending++)
        ring_request(IORING_OP_SENDMSG, servers[sending].descriptor, &message, 1, tag(PASSED_ON, sending))->msg_flags =
            MSG_NOSIGNAL | MSG_WAITALL;
    sending_bytes = waiting_bytes;
    current ^= 1;
    waiting = waiting_bytes = 0;
}

/// The length of the reply that starts here; 0 if it is not whole.
static size_t reply_bytes(const char *bytes, size_t available) {
    if (available < 2) return 0;
    size_t length = bytes[0] == '+' || bytes[1] == '-' ? SHORT_REPLY_BYTES : VALUE_REPLY_BYTES;
    if (bytes[0] != '+' && (bytes[0] != '$' || (bytes[1] != '-' && bytes[1] != '6'))) fail("unknown reply", EPROTO);
    return length <= available ? length : 0;
}

static void replied_by(int number, int length) {
    struct server *server = &servers[number];
    if (length <= 0) fail("a server is gone", -length);
    server->end += (size_t)length;
    size_t bytes;
    while ((bytes = reply_bytes(server->replies + server->counted, server->end - server->counted))) {
        server->counted += bytes;
        server->replied++;
    }
    // Clients get the first one's; of the others it counts that there are some.
    if (number > 0) server->begin = server->counted;
}

/// Answers whoever's requests all servers have answered.
static void give(void) {
    struct server *first = &servers[0];
    uint64_t replied = first->replied;
    for (int number = 1; number < server_count; number++)
        if (servers[number].replied < replied) replied = servers[number].replied;
    for (; batches_begin < batches_end; batches_begin++) {
        struct batch *batch = &batches[batches_begin % DESCRIPTORS_MAX];
        if (batch->asked > replied) return;
        size_t start = first->begin;
        for (uint64_t count = 0; count < batch->requests; count++)
            first->begin += reply_bytes(first->replies + first->begin, first->counted - first->begin);
        // It has read all that it was sent before: this is taken at once, and needs no result.
        struct io_uring_sqe *request = ring_request(
            IORING_OP_SEND, batch->client, first->replies + start, (uint32_t)(first->begin - start),
            tag(GIVEN, batch->client));
        request->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
        request->flags = IOSQE_CQE_SKIP_SUCCESS;
        read_client(batch->client);
    }
}

static void turn(void) {
    // Whoever has something to say to us says it first: fewer turns, and each for more requests.
    sched_yield();
    ring_wait();
    int has_replied[SERVERS_MAX] = {0};
    struct io_uring_cqe result;
    while (ring_next(&result)) {
        int number = (int)result.user_data;
        switch (result.user_data >> 32) {
            case ACCEPTED: accepted(result.res); break;
            case ASKED: asked_by(number, result.res); break;
            case PASSED_ON:
                if (result.res != (int)sending_bytes) fail("send to a server", result.res < 0 ? -result.res : EIO);
                sending--;
                break;
            case REPLIED:
                replied_by(number, result.res);
                has_replied[number] = 1;
                break;
            // Clients that leave early are the only ones who cannot be given their replies.
            default: break;
        }
    }
    give();
    for (int number = 0; number < server_count; number++)
        if (has_replied[number]) read_server(number);
    pass_on();
}

static void connect_server(int number, uint16_t port) {
    struct server *server = &servers[number];
    struct sockaddr_in address = loopback(port);
    // All clients' batches fit in: no send waits for a server.
    int size = REPLIES_BYTES;
    server->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(server->descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (connect(server->descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail("connect", errno);
    send_at_once(server->descriptor);
    server->replies = malloc(REPLIES_BYTES);
    server->spare = malloc(REPLIES_BYTES);
    read_server(number);
}

_Noreturn void least_proxy_run(uint16_t port, const uint16_t *ports, int count) {
    if (count < 1 || count > SERVERS_MAX) fail("the number of servers", EINVAL);
    ring_open();
    for (; server_count < count; server_count++) connect_server(server_count, ports[server_count]);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = loopback(port);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 512) < 0)
        fail("listen", errno);
    ring_request(IORING_OP_ACCEPT, listener, NULL, 0, tag(ACCEPTED, 0))->ioprio = IORING_ACCEPT_MULTISHOT;
    for (;;) turn();
}
