#include "gnu.h"

#include <linux/bpf.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>

// No library: a few commands of one system call. Descriptors that the kernel returns are close-on-exec.

// What headers older than Linux 6.6 do not know.
enum { tcx_ingress = 46 };

static int bpf(int command, union bpf_attr *attributes) {
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static uint64_t address(const void *pointer) { return (uint64_t)(uintptr_t)pointer; }

static void set_name(char *to, const char *name) { strncpy(to, name, BPF_OBJ_NAME_LEN - 1); }

int vk_bpf_new_map(const char *name, const struct vk_bpf_map *map) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = map->type;
    attributes.key_size = map->key_bytes;
    attributes.value_size = map->value_bytes;
    attributes.max_entries = map->entries;
    attributes.map_flags = map->flags;
    set_name(attributes.map_name, name);
    return bpf(BPF_MAP_CREATE, &attributes);
}

static int map_element(int command, int map, const void *key, const void *value, uint64_t flags) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)map;
    attributes.key = address(key);
    attributes.value = address(value);
    attributes.flags = flags;
    return bpf(command, &attributes);
}

int vk_bpf_get(int map, const void *key, void *value) {
    return map_element(BPF_MAP_LOOKUP_ELEM, map, key, value, 0);
}

int vk_bpf_set(int map, const void *key, const void *value) {
    return map_element(BPF_MAP_UPDATE_ELEM, map, key, value, BPF_ANY);
}

int vk_bpf_remove(int map, const void *key) { return map_element(BPF_MAP_DELETE_ELEM, map, key, NULL, 0); }

int vk_bpf_get_batch(int map, const void *from, void *next, void *keys, void *values, uint32_t *count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.batch.map_fd = (uint32_t)map;
    attributes.batch.in_batch = address(from);
    attributes.batch.out_batch = address(next);
    attributes.batch.keys = address(keys);
    attributes.batch.values = address(values);
    attributes.batch.count = *count;
    int result = bpf(BPF_MAP_LOOKUP_BATCH, &attributes);
    *count = attributes.batch.count;
    return result;
}

static enum bpf_attach_type attach_type(enum vk_bpf_hook hook) {
    switch (hook) {
    case vk_bpf_bind4: return BPF_CGROUP_INET4_BIND;
    case vk_bpf_bind6: return BPF_CGROUP_INET6_BIND;
    case vk_bpf_connect4: return BPF_CGROUP_INET4_CONNECT;
    case vk_bpf_connect6: return BPF_CGROUP_INET6_CONNECT;
    case vk_bpf_sendmsg4: return BPF_CGROUP_UDP4_SENDMSG;
    case vk_bpf_getpeername4: return BPF_CGROUP_INET4_GETPEERNAME;
    case vk_bpf_getpeername6: return BPF_CGROUP_INET6_GETPEERNAME;
    case vk_bpf_getsockname4: return BPF_CGROUP_INET4_GETSOCKNAME;
    case vk_bpf_getsockname6: return BPF_CGROUP_INET6_GETSOCKNAME;
    case vk_bpf_packets: break;
    }
    return 0;
}

int vk_bpf_load(
    const char *name, enum vk_bpf_hook hook, const void *instructions, size_t count, char *log, size_t log_bytes) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = hook == vk_bpf_packets ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
    attributes.expected_attach_type = attach_type(hook);
    attributes.insns = address(instructions);
    attributes.insn_cnt = (uint32_t)count;
    attributes.license = address("Apache-2.0");
    set_name(attributes.prog_name, name);
    // A log makes loading slower, and fails it when it is too short: it is asked for when there is something to say.
    if (log_bytes > 0) {
        attributes.log_level = 1;
        attributes.log_buf = address(log);
        attributes.log_size = (uint32_t)log_bytes;
    }
    return bpf(BPF_PROG_LOAD, &attributes);
}

int vk_bpf_attach(int program, unsigned int interface) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.link_create.prog_fd = (uint32_t)program;
    attributes.link_create.target_fd = interface; // a union with target_ifindex
    attributes.link_create.attach_type = tcx_ingress;
    return bpf(BPF_LINK_CREATE, &attributes);
}

int vk_bpf_attach_to_group(int program, enum vk_bpf_hook hook, int group) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)group;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = attach_type(hook);
    return bpf(BPF_PROG_ATTACH, &attributes);
}

int vk_bpf_replace(int link, int program) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.link_update.link_fd = (uint32_t)link;
    attributes.link_update.new_prog_fd = (uint32_t)program;
    return bpf(BPF_LINK_UPDATE, &attributes);
}

int vk_bpf_detach(int link) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.link_detach.link_fd = (uint32_t)link;
    return bpf(BPF_LINK_DETACH, &attributes);
}

int vk_is_ethernet(const char *interface) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
    int socket_of_any_kind = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_of_any_kind < 0) return -1;
    int result = ioctl(socket_of_any_kind, SIOCGIFHWADDR, &request);
    int error = errno;
    close(socket_of_any_kind);
    errno = error;
    return result < 0 ? -1 : request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}
