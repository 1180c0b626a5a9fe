#include "gnu.h"

#include <linux/capability.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

// glibc 2.36 and later declare P_PIDFD; the number is the kernel's.
enum { wait_by_pidfd = 3 };

static pid_t wait_for(idtype_t kind, id_t id, bool no_hang, int *exit_code, int *term_signal) {
    siginfo_t info = {0};
    int flags = WEXITED | (no_hang ? WNOHANG : 0);
    while (waitid(kind, id, &info, flags) < 0) {
        if (errno != EINTR) return -1;
    }
    if (info.si_pid == 0) return 0;
    bool exited = info.si_code == CLD_EXITED;
    *exit_code = exited ? info.si_status : -1;
    *term_signal = exited ? 0 : info.si_status;
    return info.si_pid;
}

int vk_wait(int pidfd, bool no_hang, int *exit_code, int *term_signal) {
    pid_t ended = wait_for((idtype_t)wait_by_pidfd, (id_t)pidfd, no_hang, exit_code, term_signal);
    return ended > 0 ? 1 : ended;
}

pid_t vk_wait_any(bool no_hang, int *exit_code, int *term_signal) {
    return wait_for(P_ALL, 0, no_hang, exit_code, term_signal);
}

int vk_child_signals(void) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &child, NULL) < 0) return -1;
    return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

int vk_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int vk_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

void vk_power_off(void) { (void)reboot(RB_POWER_OFF); }

int vk_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

int vk_prctl_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

int vk_empty_bounding_set(void) {
    for (int capability = 0, is_there; (is_there = prctl(PR_CAPBSET_READ, capability, 0, 0, 0)) >= 0; capability++) {
        if (is_there && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return -1;
    }
    return 0;
}

int vk_drop_capabilities(void) {
    // A user 0 that executes a program would get its capabilities back from the bounding set.
    if (vk_empty_bounding_set() < 0) return -1;
    if (vk_prctl_no_new_privileges() < 0) return -1;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return (int)syscall(SYS_capset, &header, none);
}

int vk_set_child_subreaper(bool enabled) { return prctl(PR_SET_CHILD_SUBREAPER, enabled ? 1 : 0, 0, 0, 0); }

int vk_set_thread_name(const char *name) { return prctl(PR_SET_NAME, name); }
