// What a program in the kernel may call, declared here so that nothing but the kernel's own headers is needed.
#ifndef ROUTER_KERNEL_H
#define ROUTER_KERNEL_H

#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
// In network byte order.
typedef __u16 be16;
typedef __u32 be32;

#define INLINE static inline __attribute__((always_inline))
#define SECTION(name) __attribute__((section(name), used))

// Verdicts: as if the program were not there; or the end of the packet. (Headers older than Linux 6.6 lack their names.)
#define LEAVE_ALONE (-1)
#define DROP 2

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NETWORK_16(number) ((be16)__builtin_bswap16((u16)(number)))
#define NETWORK_32(number) ((be32)__builtin_bswap32((u32)(number)))
#define MAPPED_V4 0xffff0000ull // the half of an address in front of an IPv4 one
#define MAPPED_SHIFT 32
#else
#define NETWORK_16(number) ((be16)(number))
#define NETWORK_32(number) ((be32)(number))
#define MAPPED_V4 0xffff00000000ull
#define MAPPED_SHIFT 0
#endif

static void *(*const table_find)(const void *table, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static long (*const table_set)(const void *table, const void *key, const void *value, u64 how) =
    (void *)BPF_FUNC_map_update_elem;
static long (*const table_remove)(const void *table, const void *key) = (void *)BPF_FUNC_map_delete_elem;
// The verifier puts a load in the place of the first call; the second takes as long as a look-up.
static u64 (*const ticks)(void) = (void *)BPF_FUNC_jiffies64;
static u64 (*const coarse_nanoseconds)(void) = (void *)BPF_FUNC_ktime_get_coarse_ns;
static long (*const load_bytes)(const struct __sk_buff *skb, u32 offset, void *to, u32 count) =
    (void *)BPF_FUNC_skb_load_bytes;
// Has so many bytes of the packet in one piece.
static long (*const make_readable)(struct __sk_buff *skb, u32 count) = (void *)BPF_FUNC_skb_pull_data;
static long (*const store_bytes)(struct __sk_buff *skb, u32 offset, const void *from, u32 count, u64 flags) =
    (void *)BPF_FUNC_skb_store_bytes;
// The checksum of an IP header, and of what it carries: the second knows of checksums that are left to the hardware.
static long (*const replace_ip_sum)(struct __sk_buff *skb, u32 offset, u64 from, u64 to, u64 bytes) =
    (void *)BPF_FUNC_l3_csum_replace;
static long (*const replace_sum)(struct __sk_buff *skb, u32 offset, u64 from, u64 to, u64 flags) =
    (void *)BPF_FUNC_l4_csum_replace;
// What a checksum changes by when these bytes change, for `to` of the call before; and how the whole packet's sum does
// that the hardware made.
static long (*const sum_difference)(const void *from, u32 from_bytes, const void *to, u32 to_bytes, u32 seed) =
    (void *)BPF_FUNC_csum_diff;
static long (*const change_packet_sum)(struct __sk_buff *skb, u32 difference) = (void *)BPF_FUNC_csum_update;
// Out of an interface, with the next hop's link address; and straight into the namespace at the other end of a veth.
static long (*const redirect_to_neighbour)(u32 interface, const void *next_hop, int bytes, u64 flags) =
    (void *)BPF_FUNC_redirect_neigh;
static long (*const redirect_to_peer)(u32 interface, u64 flags) = (void *)BPF_FUNC_redirect_peer;

// Sockets of this network namespace, to be given back; and whom a packet is for, whatever its destination says.
static struct bpf_sock *(*const find_tcp)(
    void *context, const struct bpf_sock_tuple *ends, u32 bytes, u64 namespace, u64 flags) =
    (void *)BPF_FUNC_skc_lookup_tcp;
static struct bpf_sock *(*const find_udp)(
    void *context, const struct bpf_sock_tuple *ends, u32 bytes, u64 namespace, u64 flags) =
    (void *)BPF_FUNC_sk_lookup_udp;
static long (*const give_back)(void *socket) = (void *)BPF_FUNC_sk_release;
static long (*const deliver_to)(struct __sk_buff *skb, void *socket, u64 flags) = (void *)BPF_FUNC_sk_assign;
// What a socket is bound to that connects.
static long (*const bind_to)(struct bpf_sock_addr *context, const void *address, int bytes) = (void *)BPF_FUNC_bind;
static long (*const set_option)(struct bpf_sock_addr *context, int level, int option, const void *value, int bytes) =
    (void *)BPF_FUNC_setsockopt;
static u32 (*const random_number)(void) = (void *)BPF_FUNC_get_prandom_u32;

#endif
