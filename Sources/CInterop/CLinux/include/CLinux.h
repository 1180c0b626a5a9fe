// The Linux calls VersionKit makes from Swift.
//
// Swift's Glibc module is built without _GNU_SOURCE and never imports variadic functions or
// function-like macros. What is missing has a wrapper here, with the prefix vk_. Wanted: Linux 5.12 or later.
//
// This header must not define _GNU_SOURCE itself: it would give structures (fd_set, udphdr) another shape
// than in the modules Glibc and CNIOLinux, and clang refuses to see both. The .c files define it.
//
// Unless said otherwise a wrapper returns -1 and sets errno on failure, every descriptor it returns is
// close-on-exec, and it can be called from any thread without changing that thread's namespaces.
//
// Not included on purpose: linux/in.h (its in_addr clashes with glibc's) and linux/fs.h (it makes the
// MS_ constants ambiguous).
#ifndef CLINUX_H
#define CLINUX_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <unistd.h>

// From sched.h and fcntl.h, where only _GNU_SOURCE shows them.
#ifndef CLONE_NEWNS
#define CLONE_NEWNS 0x00020000
#define CLONE_NEWCGROUP 0x02000000
#define CLONE_NEWUTS 0x04000000
#define CLONE_NEWIPC 0x08000000
#define CLONE_NEWUSER 0x10000000
#define CLONE_NEWPID 0x20000000
#define CLONE_NEWNET 0x40000000
#endif

#pragma clang assume_nonnull begin

// ---------------------------------------------------------------------------------------- Processes

/// Descriptor `source` of the caller becomes descriptor `target` of the child.
struct vk_descriptor_mapping {
    int source;
    int target;
};

/// What a child is started with. Descriptors 0, 1 and 2 are inherited unless mapped; of the others the
/// child gets those in `descriptors` and no more.
struct vk_spawn_options {
    /// The executable; there is no search in PATH.
    const char *path;
    /// Ended by a null pointer; the first is the program's name.
    char *_Nullable const *_Nonnull arguments;
    /// Ended by a null pointer. Null: the caller's.
    char *_Nullable const *_Nullable environment;
    /// Null: the caller's.
    const char *_Nullable directory;
    /// A network namespace for the child, or -1 for the caller's.
    int network_namespace;
    const struct vk_descriptor_mapping *_Nullable descriptors;
    size_t descriptor_count;
    /// setsid(2): no controlling terminal, a process group of its own.
    bool new_session;
    /// A process group of its own in the same session.
    bool new_process_group;
    /// The child has no capability and never gets one, whatever it executes and whoever it is.
    bool drop_capabilities;
};

/// Starts a process. In the child all signals have their default action and none is blocked.
///
/// If the child fails before its program runs (no such file, no permission for the namespace) the call
/// fails with that error and nothing is left to wait for. `pidfd` is readable once the child has ended.
int vk_spawn(const struct vk_spawn_options *options, pid_t *pid, int *pidfd);

/// Reaps a child. Returns 1 when it has ended, 0 when it has not (only with `no_hang`).
/// Afterwards either `exit_code` is 0 or more and `term_signal` 0, or `exit_code` is -1 and
/// `term_signal` the signal that ended it.
int vk_wait(int pidfd, bool no_hang, int *exit_code, int *term_signal);

/// As `vk_wait`, for whichever child ended first: what an init or a child subreaper needs.
/// Returns the child's pid, 0 when none has ended (only with `no_hang`), -1 and ECHILD without children.
pid_t vk_wait_any(bool no_hang, int *exit_code, int *term_signal);

/// A non-blocking descriptor that becomes readable when a child ends: SIGCHLD is blocked from here on.
/// What is read from it has no use but to empty it. Only for a process with one thread.
int vk_child_signals(void);

int vk_pidfd_open(pid_t pid);
int vk_pidfd_send_signal(int pidfd, int signal);

/// `signal` is sent to this process when the *thread* that created it ends; 0 turns it off.
/// So only useful where the parent's thread lives as long as the parent.
int vk_set_parent_death_signal(int signal);
/// From now on no exec gives this process or its children more privileges.
int vk_prctl_no_new_privileges(void);
/// Takes every capability from this thread and what it executes, for good.
int vk_drop_capabilities(void);
/// Names the calling thread, for debuggers; at most 15 bytes.
int vk_set_thread_name(const char *name);
/// Orphaned descendants become children of this process.
int vk_set_child_subreaper(bool enabled);

// --------------------------------------------------------------------------------------- Namespaces

/// A new network namespace, with nothing but a loopback that is down; it lives as long as the
/// descriptor returned, or anything in it.
int vk_new_network_namespace(void);

/// Moves the calling *thread*. Never on a thread that belongs to a pool.
/// `kind` is one of CLONE_NEWNET, CLONE_NEWNS, ..., or 0 for any.
int vk_setns(int namespace_descriptor, int kind);
/// Moves the calling *thread* to new namespaces.
int vk_unshare(int flags);

/// A socket that belongs to another network namespace. `network_namespace` -1 means the caller's.
/// SOCK_CLOEXEC is added to `type`.
int vk_socket_in(int network_namespace, int domain, int type, int protocol);

/// A non-blocking AF_PACKET socket for whole Ethernet frames on one interface.
///
/// PACKET_VNET_HDR is on: each frame read or written is preceded by a `vk_vnet_header`, so that
/// segmentation and checksums can stay undone. Frames this host sends are not received.
int vk_packet_socket(int network_namespace, const char *interface_name);

/// What precedes a frame on a `vk_packet_socket` (virtio_net_hdr, in its ABI).
struct vk_vnet_header {
    uint8_t flags;
    uint8_t segmentation_type;
    uint16_t header_length;
    uint16_t segment_size;
    uint16_t checksum_start;
    uint16_t checksum_offset;
};

// -------------------------------------------------------------------------------------- Descriptors

/// Both ends become close-on-exec; `flags` may add O_NONBLOCK or O_DIRECT.
int vk_pipe2(int descriptors[_Nonnull 2], int flags);
int vk_accept4(int socket, int flags);
/// splice(2) without offsets; `flags` are SPLICE_F_*.
ssize_t vk_splice(int from, int to, size_t length, unsigned int flags);
int vk_memfd(const char *name);
/// close_range(2) from `first` to `last`, both included.
int vk_close_range(unsigned int first, unsigned int last);
/// The same range is not closed, but marked close-on-exec.
int vk_close_range_on_exec(unsigned int first, unsigned int last);

/// The most descriptors one message carries (SCM_MAX_FD).
enum { vk_descriptors_max = 253 };

/// Sends bytes (at least one) with descriptors over a Unix-domain socket. Returns the bytes sent; the
/// descriptors went with the first. Never raises SIGPIPE.
ssize_t vk_send_descriptors(
    int socket, const void *bytes, size_t length, const int *_Nullable descriptors, size_t count);
/// Receives bytes and at most `descriptors_max` descriptors. Returns the bytes, 0 at the end.
/// If more descriptors came than asked for, all are closed and the call fails with EMSGSIZE.
ssize_t vk_receive_descriptors(
    int socket, void *buffer, size_t capacity, int *_Nullable descriptors, size_t descriptors_max,
    size_t *descriptor_count);

// ------------------------------------------------------------------------------------------ Sockets

enum {
    /// getsockopt(SOL_IP): where a redirected connection wanted to go (linux/netfilter_ipv4.h).
    vk_SO_ORIGINAL_DST = 80,
    vk_IP_BIND_ADDRESS_NO_PORT = 24,
    vk_IP_TRANSPARENT = 19
};

/// Addresses and ports are in network byte order here, as in sockaddr_in.
int vk_bind_ipv4(int socket, uint32_t address, uint16_t port);
/// Binds a Unix socket to a path; ENAMETOOLONG if a socket's address has no room for it.
int vk_bind_unix(int socket, const char *path);
/// Fails with ENAMETOOLONG as vk_bind_unix() does.
int vk_connect_unix(int socket, const char *path);
/// Sets IP_TRANSPARENT, then binds to an address that need not be one of this host's.
/// With port 0 the port is chosen when connecting (IP_BIND_ADDRESS_NO_PORT).
int vk_bind_transparent_ipv4(int socket, uint32_t address, uint16_t port);
int vk_connect_ipv4(int socket, uint32_t address, uint16_t port);
/// An IPv4 address and port. Not sockaddr_in: which of several C modules owns that structure depends on the order in
/// which a compiler happens to see them.
struct vk_endpoint {
    uint32_t address;
    uint16_t port;
};

/// Fail with EAFNOSUPPORT when the address is not IPv4.
int vk_local_address(int socket, struct vk_endpoint *endpoint);
int vk_peer_address(int socket, struct vk_endpoint *endpoint);
/// Where a connection caught by REDIRECT wanted to go. (With TPROXY it is the local address.)
int vk_original_destination(int socket, struct vk_endpoint *endpoint);
/// The pending error of a socket (SO_ERROR), and clears it: 0 is none, -1 that it cannot be asked.
int vk_socket_error(int socket);
/// Sets an option whose value is an int.
int vk_set_socket_option(int socket, int level, int option, int value);

// ------------------------------------------------------------------------------------------- Mounts

int vk_mount(
    const char *_Nullable source, const char *target, const char *_Nullable type, unsigned long flags,
    const char *_Nullable data);
int vk_umount2(const char *target, int flags);
/// `new_root` becomes the root; the old one appears at `put_old`, which may be the same directory.
int vk_pivot_root(const char *new_root, const char *put_old);
/// Makes the mount at `path` and all below it read-only. A plain remount only does the topmost.
int vk_mount_read_only_recursive(const char *path);
/// Keeps mount events from going to or coming from other mount namespaces.
int vk_mount_private_recursive(const char *path);

#pragma clang assume_nonnull end
#endif
