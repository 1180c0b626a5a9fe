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

// For Swift, the C library's own structures (stat, timespec) are those of its module Glibc, whichever module a compiler
// loads first. Otherwise a file that imports Glibc alone could not use their members where CLinux was loaded before: it
// depends on how a build groups files.
#if __has_feature(modules) && __has_include(<SwiftGlibc.h>)
#include <SwiftGlibc.h>
#endif

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
#define CLONE_FS 0x00000200
#define CLONE_NEWNS 0x00020000
#define CLONE_NEWCGROUP 0x02000000
#define CLONE_NEWUTS 0x04000000
#define CLONE_NEWIPC 0x08000000
#define CLONE_NEWUSER 0x10000000
#define CLONE_NEWPID 0x20000000
#define CLONE_NEWNET 0x40000000
#endif

#include "vk_host_tables.h"
#include "vk_router_tables.h"

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
    /// Whom the child is, with no further group; both 0: whoever the caller is.
    uid_t user;
    gid_t group;
    /// The kernel kills the child when the thread that starts it ends, by whatever cause.
    bool die_with_thread;
    /// Its descriptor 0 is a terminal and becomes its session's; wants new_session.
    bool controlling_terminal;
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

/// Switches the machine off; only process 1 of a machine may want that. Returns only if it cannot.
void vk_power_off(void);

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

// ---------------------------------------------------------------------------------------- Terminals

/// A new pseudo-terminal. Returns the side of whoever plays the user; `program_side` is what a program gets.
int vk_open_terminal(int *program_side);
int vk_terminal_size(int terminal, uint16_t *rows, uint16_t *columns);
/// Whoever runs there is told by SIGWINCH.
int vk_set_terminal_size(int terminal, uint16_t rows, uint16_t columns);

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
/// `has_headers`: each frame read or written is preceded by a `vk_vnet_header`, so that segmentation
/// and checksums can stay undone. Frames this host sends are not received.
int vk_packet_socket(int network_namespace, const char *interface_name, bool has_headers);

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
    vk_SO_ORIGINAL_DST = 80
};

/// An IPv4 or IPv6 address as two numbers in host byte order; IPv4 is ::ffff:0:0/96 (RFC 4291). Not in_addr and in6_addr:
/// which of several C modules owns those depends on the order in which a compiler happens to see them.
struct vk_address {
    uint64_t high;
    uint64_t low;
};

/// An address and a port in host byte order.
struct vk_endpoint {
    struct vk_address address;
    uint16_t port;
};

/// What to pass to socket(): AF_INET or AF_INET6. A socket of one kind knows only addresses of that kind.
int vk_family(struct vk_address address);
int vk_bind(int socket, struct vk_endpoint local);
/// Binds a Unix socket to a path; ENAMETOOLONG if a socket's address has no room for it.
int vk_bind_unix(int socket, const char *path);
/// Fails with ENAMETOOLONG as vk_bind_unix() does.
int vk_connect_unix(int socket, const char *path);
/// Sets IP_TRANSPARENT, then binds to an address that need not be one of this host's.
/// With port 0 the port is chosen when connecting (IP_BIND_ADDRESS_NO_PORT).
int vk_bind_transparent(int socket, struct vk_endpoint local);
/// IP_TRANSPARENT or IPV6_TRANSPARENT: the socket may have addresses that are not this host's.
int vk_set_transparent(int socket, int family);
int vk_connect(int socket, struct vk_endpoint peer);
/// Narrows the ports that the socket may be given when it is not bound to one (IP_LOCAL_PORT_RANGE, Linux 6.3). No effect
/// where they are not within the network namespace's own.
int vk_set_ephemeral_ports(int socket, uint16_t first, uint16_t last);

/// Fail with EAFNOSUPPORT when the address is neither IPv4 nor IPv6.
int vk_local_address(int socket, struct vk_endpoint *endpoint);
int vk_peer_address(int socket, struct vk_endpoint *endpoint);
/// Where a connection caught by REDIRECT wanted to go. (With TPROXY it is the local address.)
int vk_original_destination(int socket, struct vk_endpoint *endpoint);
/// The pending error of a socket (SO_ERROR), and clears it: 0 is none, -1 that it cannot be asked.
int vk_socket_error(int socket);
/// Sets an option whose value is an int.
int vk_set_socket_option(int socket, int level, int option, int value);

// ---------------------------------------------------------------------------------------- Datagrams

enum {
    /// The most datagrams that are received or sent by one call.
    vk_datagrams_max = 32,
    vk_outgoing_datagrams_max = 128
};

/// A datagram that came, or several of equal length (the last may be shorter) that the kernel put together.
struct vk_datagram {
    /// Where it is to be put.
    void *bytes;
    uint32_t capacity;
    uint32_t length;
    /// Whom it is from.
    struct vk_endpoint remote;
    /// Whom it was for; not always an address of this host.
    struct vk_address local;
    /// How many the kernel had to drop so far because nobody took them from the socket.
    uint32_t overflow;
    /// The length of each; 0: it is one.
    uint16_t segment_size;
    /// It came in fragments, so whoever sent it does not mind that.
    bool was_fragmented;
};

/// A datagram to be sent: two pieces, of which the first may be empty.
struct vk_outgoing_datagram {
    const void *_Nullable header;
    const void *_Nullable bytes;
    uint32_t header_length;
    uint32_t length;
    /// Port 0: whom the socket is connected to.
    struct vk_endpoint remote;
    /// The source address; all 0: the socket's own.
    struct vk_address local;
};

/// Makes a UDP socket tell what `vk_datagram` and `vk_datagram_error` hold.
int vk_prepare_datagram_socket(int socket, int family);
/// What does not fit the path is sent in fragments, or refused with EMSGSIZE.
int vk_set_fragments(int socket, int family, bool are_allowed);
/// Receives what is there, without waiting. Returns how many; -1 and EAGAIN when there is none.
int vk_receive_datagrams(int socket, struct vk_datagram *datagrams, unsigned count);
/// Sends datagrams without waiting; with `in_segments` neighbours of equal length and target go through the
/// kernel as one. Returns how many left before the first that could not; -1 if that is the first.
int vk_send_datagrams(
    int socket, const struct vk_outgoing_datagram *datagrams, unsigned count, bool in_segments);

/// Why a datagram that was sent did not arrive.
struct vk_datagram_error {
    /// The errno.
    int code;
    /// How many of its bytes were returned.
    uint32_t length;
    /// Whom it was for.
    struct vk_endpoint remote;
    /// Its source address; all 0: not known.
    struct vk_address local;
    /// Who says so; all 0: not known.
    struct vk_address offender;
    /// The longest packet that the path takes, for EMSGSIZE.
    uint32_t mtu;
    uint8_t icmp_type;
    uint8_t icmp_code;
    /// It was this host that refused it, when it was sent.
    bool is_local;
};

/// The next error of a socket. Returns 1; 0 if there is none.
int vk_receive_datagram_error(int socket, struct vk_datagram_error *error, void *bytes, size_t capacity);
/// Sends a packet with its IP header, by a raw socket.
ssize_t vk_send_packet(int socket, const void *packet, size_t length, struct vk_address address);

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
/// A copy of the mount at `path`, without those below it: mounted nowhere yet, and gone with its descriptor.
int vk_clone_mount(const char *path);
/// Files of a cloned mount appear as those of the users that a user namespace maps theirs to.
int vk_map_mount(int mount, int user_namespace);
/// Has a directory of a layer hide what lower layers have there, for overlayfs with the option userxattr.
int vk_make_opaque(const char *directory);
/// Whether it was made so.
bool vk_is_opaque(const char *directory);
/// What the calling thread makes belongs to this user and group from here on, and what it mounts works as them. It keeps
/// its capabilities. 0: as before.
int vk_set_file_owner(unsigned int owner);
/// Mounts a cloned mount.
int vk_attach_mount(int mount, const char *path);
/// A user namespace in which `count` users and groups from 0 on are those from `first` on outside. No process is in it.
/// Only for a process with one thread.
int vk_new_user_namespace(unsigned int first, unsigned int count);

// -------------------------------------------------------------------------------------------- Files

enum {
    /// What vk_file_system_type() says of them (linux/magic.h); of ext2 and ext3 the same as of ext4.
    vk_btrfs_magic = 0x9123683E,
    vk_ext4_magic = 0xEF53,
    vk_xfs_magic = 0x58465342,
    vk_cgroup2_magic = 0x63677270
};

/// Makes a file share all bytes of another (FICLONE). EOPNOTSUPP, EXDEV or EINVAL: not these two.
int vk_clone_file(int source, int target);
/// Copies bytes within the kernel to the same place of another file. Returns how many, 0 at the end.
ssize_t vk_copy_range(int source, int target, off_t offset, size_t length);
/// Gives a file the extended attributes of another that the caller may see, and no others; those of a link rather than of
/// what it leads to. Files are named by the directory that they are in and their name there, or `.`; needs /proc.
int vk_copy_attributes(int source_directory, const char *source, int target_directory, const char *target);
/// What time it is by the clock of a directory's file system: when a file is changed that is changed now (st_ctim).
int vk_file_system_time(int directory, int64_t *seconds, int64_t *nanoseconds);
/// The magic number of the file system that a file is on.
int64_t vk_file_system_type(int descriptor);
/// Writes everything out that the file system of a file has not written yet.
int vk_sync_file_system(int descriptor);

/// Subvolumes of btrfs, by the directory that they are in and their name there.
int vk_make_subvolume(int directory, const char *name);
/// Removes one with all that is in it, but for subvolumes.
int vk_remove_subvolume(int directory, const char *name);
/// A writable copy of a subvolume as it is at this moment.
int vk_snapshot_subvolume(int source, int directory, const char *name);

// --------------------------------------------------------------------------------------- Interfaces

/// What goes out of an interface is complete from now on: packets have their checksums and are not longer than the link's.
int vk_complete_packets(const char *interface);
int vk_set_interface_up(const char *interface);
/// Gives an interface an address, which the kernel does not look for among its neighbours before.
int vk_add_address(const char *interface, struct vk_address address, unsigned prefix_length);
/// Everything goes by this gateway, in packets of `mtu` bytes at most.
int vk_add_default_route(const char *interface, struct vk_address gateway, unsigned mtu);
/// Loads a module of the kernel from its file; EEXIST: it is loaded already.
int vk_load_module(int file);

// ---------------------------------------------------------------------------------------------- BPF

/// A table that programs in the kernel share with this process; it lives as long as a descriptor or program of it.
struct vk_bpf_map {
    uint32_t type, key_bytes, value_bytes, entries, flags;
};

/// A new table. Of the name the kernel keeps 15 bytes. Returns its descriptor.
int vk_bpf_new_map(const char *name, const struct vk_bpf_map *map);
/// Reads an entry; ENOENT without one. A table per processor has a value for each possible one, 8 bytes aligned.
int vk_bpf_get(int map, const void *key, void *value);
/// Writes an entry, new or not; E2BIG (or ENOMEM) when the table is full.
int vk_bpf_set(int map, const void *key, const void *value);
/// Removes an entry; ENOENT without one.
int vk_bpf_remove(int map, const void *key);
/// Reads up to `count` entries from a position on, or from the start, and puts the number read there.
/// ENOENT: these were the last. ENOSPC: there is no room for a part of the table that is read at one time.
int vk_bpf_get_batch(int map, const void *_Nullable from, void *next, void *keys, void *values, uint32_t *count);

/// What a program is asked about: packets at an interface, or a call of a process in a control group of version 2.
enum vk_bpf_hook {
    vk_bpf_packets,
    vk_bpf_bind4,
    vk_bpf_bind6,
    vk_bpf_connect4,
    vk_bpf_connect6,
    vk_bpf_sendmsg4,
    vk_bpf_getpeername4,
    vk_bpf_getpeername6,
    vk_bpf_getsockname4,
    vk_bpf_getsockname6,
};

/// Loads a program of instructions of 8 bytes each; returns its descriptor. With a log the kernel writes there what it
/// thinks of it.
int vk_bpf_load(
    const char *name, enum vk_bpf_hook hook, const void *instructions, size_t count, char *_Nullable log, size_t log_bytes);
/// Attaches a program to what comes in at an interface of the calling thread's network namespace (TCX; Linux 6.6).
/// It is detached when the descriptor returned is closed.
int vk_bpf_attach(int program, unsigned int interface);
/// Attaches a program to a control group of version 2, by its directory's descriptor, in place of the one that is attached
/// there in this way for the same hook. It goes with the group.
int vk_bpf_attach_to_group(int program, enum vk_bpf_hook hook, int group);
/// Puts another program in the place of the one that is attached; no packet passes in between.
int vk_bpf_replace(int link, int program);
/// Detaches it at once, whoever else holds the descriptor.
int vk_bpf_detach(int link);
/// Whether packets at an interface of the calling thread's network namespace begin with an Ethernet header: 1 or 0.
int vk_is_ethernet(const char *interface);

#pragma clang assume_nonnull end
#endif
