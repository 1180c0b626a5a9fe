// A client and a server of the tests' program, made of libtirpc: the ONC RPC of nearly every Unix, by other people.
//
//   tirpc-peer call udp|tcp PORT, tirpc-peer call unix PATH   calls, and prints a line for each: status and results
//   tirpc-peer serve udp|tcp                                  prints its port, and serves until it is killed

#include <arpa/inet.h>
#include <inttypes.h>
#include <rpc/rpc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PROGRAM = 0x20000001, VERSION = 3, ADD = 1, TOTAL = 2, REVERSE = 3, BLOB_MAX = 1 << 20 };

struct blob {
    char *bytes;
    u_int count;
};

static bool_t xdr_blob(XDR *xdrs, struct blob *blob) {
    return xdr_bytes(xdrs, &blob->bytes, &blob->count, BLOB_MAX);
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static struct timeval patience(void) { return (struct timeval){.tv_sec = 60}; }

// Client -------------------------------------------------------------------------------------------------

static CLIENT *client(const char *transport, const char *where, u_long program, u_long version) {
    int socket = RPC_ANYSOCK;
    CLIENT *client = NULL;
    if (strcmp(transport, "unix") == 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(address.sun_path, sizeof address.sun_path, "%s", where);
        client = clntunix_create(&address, program, version, &socket, 0, 0);
    } else {
        // With a port, nobody is asked for it.
        struct sockaddr_in address = loopback(atoi(where));
        client = strcmp(transport, "udp") == 0
                     ? clntudp_create(&address, program, version, (struct timeval){.tv_sec = 2}, &socket)
                     : clnttcp_create(&address, program, version, &socket, 0, 0);
    }
    if (client == NULL) {
        clnt_pcreateerror("tirpc-peer");
        exit(1);
    }
    return client;
}

static void add(CLIENT *server, int64_t number) {
    int64_t sum = 0;
    enum clnt_stat status = clnt_call(
        server, ADD, (xdrproc_t)xdr_int64_t, (caddr_t)&number, (xdrproc_t)xdr_int64_t, (caddr_t)&sum, patience());
    printf("add %d %" PRId64 "\n", status, sum);
}

static void reverse(CLIENT *server, u_int count) {
    struct blob blob = {.bytes = malloc(count), .count = count}, back = {0};
    for (u_int index = 0; index < count; index++) blob.bytes[index] = (char)(index * 7 % 251);
    enum clnt_stat status = clnt_call(
        server, REVERSE, (xdrproc_t)xdr_blob, (caddr_t)&blob, (xdrproc_t)xdr_blob, (caddr_t)&back, patience());
    bool_t is_right = status == RPC_SUCCESS && back.count == count;
    for (u_int index = 0; is_right && index < count; index++)
        is_right = back.bytes[index] == blob.bytes[count - 1 - index];
    printf("reverse %u %d %s\n", count, status, is_right ? "right" : "wrong");
}

static void nothing(CLIENT *server, const char *name, u_long procedure) {
    enum clnt_stat status =
        clnt_call(server, procedure, (xdrproc_t)xdr_void, NULL, (xdrproc_t)xdr_void, NULL, patience());
    printf("%s %d", name, status);
    if (status == RPC_PROGVERSMISMATCH) {
        struct rpc_err error;
        clnt_geterr(server, &error);
        printf(" %u %u", error.re_vers.low, error.re_vers.high);
    }
    printf("\n");
}

static int call(const char *transport, const char *where) {
    CLIENT *server = client(transport, where, PROGRAM, VERSION);
    nothing(server, "null", 0);
    add(server, 5);
    add(server, -7);
    reverse(server, 0);
    reverse(server, 5);
    reverse(server, 8000);
    if (strcmp(transport, "udp") != 0) reverse(server, 300001);
    nothing(server, "garbage", ADD);
    nothing(server, "procedure", 99);
    // The numbers of user and groups, which a server may pass over.
    server->cl_auth = authunix_create("tirpc-peer", 1, 2, 0, NULL);
    add(server, 2);
    clnt_destroy(server);
    nothing(client(transport, where, PROGRAM, VERSION + 1), "version", 0);
    nothing(client(transport, where, PROGRAM + 7, VERSION), "program", 0);
    return 0;
}

// Server -------------------------------------------------------------------------------------------------

static void serve_request(struct svc_req *request, SVCXPRT *transport) {
    static int64_t total;
    if (request->rq_proc == 0 || request->rq_proc == TOTAL) {
        xdrproc_t results = (xdrproc_t)(request->rq_proc == 0 ? (xdrproc_t)xdr_void : (xdrproc_t)xdr_int64_t);
        svc_sendreply(transport, results, (caddr_t)&total);
    } else if (request->rq_proc == ADD) {
        int64_t number = 0;
        if (!svc_getargs(transport, (xdrproc_t)xdr_int64_t, (caddr_t)&number)) {
            svcerr_decode(transport);
            return;
        }
        total += number;
        svc_sendreply(transport, (xdrproc_t)xdr_int64_t, (caddr_t)&total);
    } else if (request->rq_proc == REVERSE) {
        struct blob blob = {0};
        if (!svc_getargs(transport, (xdrproc_t)xdr_blob, (caddr_t)&blob)) {
            svcerr_decode(transport);
            return;
        }
        for (u_int index = 0; index < blob.count / 2; index++) {
            char byte = blob.bytes[index];
            blob.bytes[index] = blob.bytes[blob.count - 1 - index];
            blob.bytes[blob.count - 1 - index] = byte;
        }
        svc_sendreply(transport, (xdrproc_t)xdr_blob, (caddr_t)&blob);
        svc_freeargs(transport, (xdrproc_t)xdr_blob, (caddr_t)&blob);
    } else {
        svcerr_noproc(transport);
    }
}

static int serve(const char *name) {
    int is_udp = strcmp(name, "udp") == 0;
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, is_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
    if (bind(descriptor, (struct sockaddr *)&address, length) != 0 || (!is_udp && listen(descriptor, 8) != 0) ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) {
        perror("tirpc-peer");
        return 1;
    }
    SVCXPRT *transport = is_udp ? svcudp_create(descriptor) : svctcp_create(descriptor, 0, 0);
    // Protocol 0: nobody is told of it.
    if (transport == NULL || !svc_register(transport, PROGRAM, VERSION, serve_request, 0)) {
        fprintf(stderr, "tirpc-peer: cannot serve\n");
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    svc_run();
    return 1;
}

int main(int count, char **arguments) {
    if (count == 4 && strcmp(arguments[1], "call") == 0) return call(arguments[2], arguments[3]);
    if (count == 3 && strcmp(arguments[1], "serve") == 0) return serve(arguments[2]);
    fprintf(stderr, "usage: tirpc-peer call udp|tcp|unix PORT|PATH | tirpc-peer serve udp|tcp\n");
    return 64;
}
