// A server whose state is in its memory, in a file and in connections, for the tests of snapshots.
//
//   memory-service PORT MEGABYTES FILE
//
// Answers each byte that comes by TCP with the number of all bytes so far and a line's end, after it has written the number
// to FILE; it prints it, too. Touches so many megabytes of memory first, and ends when they change.
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { clients_max = 16 };

static unsigned char *memory;
static size_t memory_bytes;
static unsigned long long count;
static int file;

static void touch_memory(void) {
    memory = malloc(memory_bytes + 1);
    if (!memory) exit(3);
    for (size_t i = 0; i < memory_bytes; i++) memory[i] = (unsigned char)(i * 2654435761u >> 13);
}

static int memory_is_whole(void) {
    // One byte of each page, or a question would take long.
    for (size_t i = 0; i < memory_bytes; i += 4096)
        if (memory[i] != (unsigned char)(i * 2654435761u >> 13)) return 0;
    return 1;
}

static int answer(int client) {
    char question;
    if (read(client, &question, 1) != 1) return 0;
    if (!memory_is_whole()) exit(4);
    char text[32];
    int length = snprintf(text, sizeof text, "%llu\n", ++count);
    if (pwrite(file, text, (size_t)length, 0) != length) exit(5);
    // To whom does not matter.
    (void)!write(STDOUT_FILENO, text, (size_t)length);
    return send(client, text, (size_t)length, MSG_NOSIGNAL) == length;
}

int main(int argc, char **argv) {
    if (argc != 4) return 64;
    memory_bytes = (size_t)atoi(argv[2]) << 20;
    touch_memory();
    file = open(argv[3], O_WRONLY | O_CREAT, 0644);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (file < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) return 2;
    struct pollfd entries[1 + clients_max] = {{.fd = listener, .events = POLLIN}};
    nfds_t used = 1;
    for (;;) {
        // Not the listener when there is no room for one more.
        if (poll(entries + (used > clients_max), used - (used > clients_max), -1) < 0) continue;
        for (nfds_t i = used; i-- > 1;) {
            if (!entries[i].revents || answer(entries[i].fd)) continue;
            close(entries[i].fd);
            entries[i] = entries[--used];
        }
        if (used <= clients_max && entries[0].revents) {
            int client = accept(listener, NULL, NULL);
            if (client >= 0) entries[used++] = (struct pollfd){.fd = client, .events = POLLIN};
        }
    }
}
