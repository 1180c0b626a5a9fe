// What a version may try in order to get out of its environment: "yes" if it could, else why not.
#pragma once

#include <linux/sched.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

// The agent's socket, where the container shows it.
#define AGENT_SOCKET "/run/agent/agent"

// A conversation with the agent: fails if it does not answer.
static int ask_agent(void) {
    int agent = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = AGENT_SOCKET};
    if (connect(agent, (struct sockaddr *)&address, sizeof address) < 0) return -1;
    char answer[64];
    struct pollfd entry = {.fd = agent, .events = POLLIN};
    errno = ECONNRESET;
    int failed = send(agent, "state\n", 6, MSG_NOSIGNAL) < 0 || poll(&entry, 1, 10000) < 1 ||
                 read(agent, answer, sizeof answer) < 1;
    close(agent);
    return failed ? -1 : 0;
}

static const char *attempt(const char *what) {
    long result = -1;
    errno = EINVAL;
    if (strcmp(what, "mount") == 0) result = mount("none", "/tmp", "tmpfs", 0, NULL);
    else if (strcmp(what, "remount") == 0) result = mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL);
    else if (strcmp(what, "device") == 0) result = mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0));
    else if (strcmp(what, "namespace") == 0) result = syscall(SYS_unshare, CLONE_NEWUSER);
    else if (strcmp(what, "fork-namespace") == 0) result = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    else if (strcmp(what, "user") == 0) result = setuid(1000);
    else if (strcmp(what, "owner") == 0) result = chown("/tmp", 1000, 1000);
    else if (strcmp(what, "agent") == 0) result = ptrace(PTRACE_ATTACH, 1, NULL, NULL);
    else if (strcmp(what, "module") == 0) result = syscall(SYS_delete_module, "loop", 0);
    else if (strcmp(what, "hostname") == 0) result = sethostname("other", 5);
    else if (strcmp(what, "agent-socket") == 0) result = ask_agent();
    else if (strcmp(what, "agent-place") == 0) result = unlink(AGENT_SOCKET);
    return result < 0 ? strerror(errno) : "yes";
}

// A line of what the kernel says of this process: "CapEff".
static void status(const char *key, char *answer, size_t size) {
    FILE *stream = fopen("/proc/self/status", "r");
    char line[256];
    while (stream && fgets(line, sizeof line, stream)) {
        size_t length = strlen(key);
        if (strncmp(line, key, length) == 0 && line[length] == ':')
            snprintf(answer, size, "%s", line + length + 1 + strspn(line + length + 1, " \t"));
    }
    if (stream) fclose(stream);
    answer[strcspn(answer, "\n")] = 0;
}
