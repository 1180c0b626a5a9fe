#include "gnu.h"

#include <grp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

// Everything a child needs is made by the parent: between fork and exec only async-signal-safe calls are
// allowed, because another thread may have held malloc's lock (or any other) while we forked.
struct child_plan {
    const struct vk_spawn_options *options;
    char *const *environment;
    int *staged;
    int report;
    pid_t parent;
    // Above every target, so that no dup2 overwrites a descriptor that is still wanted.
    int floor;
};

static void reset_signals(void) {
    struct sigaction action = {0};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++) {
        // Fails for KILL, STOP and glibc's own two: they need no reset.
        (void)sigaction(number, &action, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

// Two steps, because mappings may overlap (1 to 2 and 2 to 1): first every source to a safe number, then
// each to its target. Only the second clears close-on-exec.
static int arrange_descriptors(struct child_plan *plan) {
    const struct vk_spawn_options *options = plan->options;
    plan->report = fcntl(plan->report, F_DUPFD_CLOEXEC, plan->floor);
    if (plan->report < 0) return -1;
    for (size_t index = 0; index < options->descriptor_count; index++) {
        plan->staged[index] = fcntl(options->descriptors[index].source, F_DUPFD_CLOEXEC, plan->floor);
        if (plan->staged[index] < 0) return -1;
    }
    if (vk_close_range_on_exec(STDERR_FILENO + 1, ~0u) < 0) return -1;
    for (size_t index = 0; index < options->descriptor_count; index++) {
        if (dup2(plan->staged[index], options->descriptors[index].target) < 0) return -1;
    }
    return 0;
}

// Last before exec: a change of credentials would clear it. Whoever started us may have died before it held.
static int die_with_thread(const struct child_plan *plan) {
    if (vk_set_parent_death_signal(SIGKILL) < 0) return -1;
    if (getppid() == plan->parent) return 0;
    errno = ESRCH;
    return -1;
}

// Only who is still root may empty the bounding set, and become another.
static int change_user(const struct vk_spawn_options *options) {
    if (options->drop_capabilities && vk_empty_bounding_set() < 0) return -1;
    if (setgroups(0, NULL) < 0 || setgid(options->group) < 0) return -1;
    return setuid(options->user);
}

static int become(struct child_plan *plan) {
    const struct vk_spawn_options *options = plan->options;
    if (options->new_session && setsid() < 0) return -1;
    if (options->new_process_group && !options->new_session && setpgid(0, 0) < 0) return -1;
    if (options->network_namespace >= 0 && setns(options->network_namespace, CLONE_NEWNET) < 0) return -1;
    if (options->directory && chdir(options->directory) < 0) return -1;
    if (arrange_descriptors(plan) < 0) return -1;
    if (options->controlling_terminal && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0) return -1;
    reset_signals();
    if ((options->user || options->group) && change_user(options) < 0) return -1;
    if (options->drop_capabilities && vk_drop_capabilities() < 0) return -1;
    if (options->die_with_thread && die_with_thread(plan) < 0) return -1;
    return execve(options->path, options->arguments, plan->environment);
}

static _Noreturn void run_child(struct child_plan *plan) {
    (void)become(plan);
    int error = errno;
    // If even this fails the parent sees the child exit with 127 after an apparently good start.
    ssize_t written = write(plan->report, &error, sizeof error);
    (void)written;
    _exit(127);
}

// The end of the pipe closes by itself when exec succeeds: nothing to read means a good start.
static int read_report(int descriptor) {
    int error = 0;
    ssize_t count;
    do {
        count = read(descriptor, &error, sizeof error);
    } while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof error ? error : 0;
}

static void reap(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static int highest_target(const struct vk_spawn_options *options) {
    int highest = STDERR_FILENO;
    for (size_t index = 0; index < options->descriptor_count; index++) {
        int target = options->descriptors[index].target;
        if (target > highest) highest = target;
    }
    return highest;
}

static pid_t fork_child(struct child_plan *plan) {
    // With all signals blocked no handler of the parent's runs in the child before they are reset.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0) run_child(plan);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return child;
}

int vk_spawn(const struct vk_spawn_options *options, pid_t *pid, int *pidfd) {
    int report[2];
    int error = 0;
    int descriptor = -1;
    int *staged = calloc(options->descriptor_count + 1, sizeof(int));
    if (!staged) return -1;
    if (vk_pipe2(report, 0) < 0) {
        error = errno;
        free(staged);
        errno = error;
        return -1;
    }
    struct child_plan plan = {
        .options = options,
        .environment = options->environment ? options->environment : environ,
        .staged = staged,
        .report = report[1],
        .parent = getpid(),
        .floor = highest_target(options) + 1};
    pid_t child = fork_child(&plan);
    if (child < 0) error = errno;
    close(report[1]);
    if (child > 0) {
        error = read_report(report[0]);
        if (error == 0) {
            descriptor = vk_pidfd_open(child);
            if (descriptor < 0) {
                // A child nobody can signal safely is worse than none.
                error = errno;
                kill(child, SIGKILL);
            }
        }
        if (error != 0) reap(child);
    }
    close(report[0]);
    free(staged);
    if (error != 0) {
        errno = error;
        return -1;
    }
    *pid = child;
    *pidfd = descriptor;
    return 0;
}
