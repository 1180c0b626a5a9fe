// Domains of the Xen hypervisor, through libxl: what VersionKit needs of it, in a shape that Swift can call.
//
// Without the package trait Xen every function fails and says so, and nobody needs libxl's headers.
//
// Each function talks to the toolstack by itself and keeps nothing, so all can be called from any thread. They block: some
// milliseconds for a question, up to minutes to create, save or restore. libxl has time-outs of its own for devices (10 s)
// and for the scripts that attach them (40 s).
//
// libxl runs programs, and reaps those alone. While a function runs, SIGCHLD is libxl's: the caller must wait for its own
// children by process id or descriptor, and must not handle that signal.
//
// Unless said otherwise a function returns 0, or -1 with the reason in `reason`.
#ifndef CLIBXL_H
#define CLIBXL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The last that libxl complained of, as text that ends with a zero byte.
struct vk_xl_reason {
    char text[1024];
};

/// A virtual disk.
struct vk_xl_disk {
    /// The image file or block device in the node's own domain.
    const char *path;
    /// What the guest calls it: `xvda`.
    const char *device;
    bool writable;
};

/// What a domain is made from. The strings are copied.
struct vk_xl_domain {
    const char *name;
    const char *kernel;
    const char *ramdisk;
    const char *command_line;
    uint64_t memory_kib;
    int32_t processors;
    /// The most that they may use together, in hundredths of one; 0: no limit.
    int32_t processor_percent;
    /// Hardware virtualisation (PVH), where the processor has it, in place of paravirtualisation (PV).
    bool hardware;
    const struct vk_xl_disk *disks;
    int32_t disk_count;
    /// The bridge that the network interface is attached to.
    const char *bridge;
    /// The scripts that attach interfaces and disks, files of /etc/xen/scripts; null for Xen's own.
    const char *_Nullable interface_script;
    const char *_Nullable disk_script;
};

/// What a domain does and has used.
struct vk_xl_state {
    /// It ended by itself: nothing of it runs, but its memory is still there.
    bool ended;
    /// It ended by a failure of its kernel.
    bool crashed;
    bool paused;
    /// It was saved, and did not go on yet.
    bool saved;
    uint64_t memory_kib;
    /// The time that its processors ran.
    uint64_t cpu_nanoseconds;
};

/// Creates a domain, paused, and gives its number.
///
/// With a descriptor `saved`, of a file that vk_xl_save wrote, the domain goes on where that one was; what it is made from
/// must be the same. -1: it boots.
int vk_xl_create(const struct vk_xl_domain *domain, int saved, uint32_t *id, struct vk_xl_reason *reason);

/// The number of the domain with a name: 1 if there is one, 0 if not.
int vk_xl_find(const char *name, uint32_t *id, struct vk_xl_reason *reason);

/// Calls `each` with the name of each domain but the node's own.
int vk_xl_names(void (*each)(const char *name, void *_Nullable context), void *_Nullable context,
                struct vk_xl_reason *reason);

/// 1: the domain's state; 0: there is no such domain.
int vk_xl_state(uint32_t id, struct vk_xl_state *state, struct vk_xl_reason *reason);

int vk_xl_pause(uint32_t id, struct vk_xl_reason *reason);
int vk_xl_unpause(uint32_t id, struct vk_xl_reason *reason);

/// Suspends a domain and writes its memory and registers to a file. It stands still from then on: vk_xl_resume goes on with
/// it, vk_xl_destroy ends it.
int vk_xl_save(uint32_t id, int descriptor, struct vk_xl_reason *reason);

/// Goes on with a domain that was saved.
int vk_xl_resume(uint32_t id, struct vk_xl_reason *reason);

/// Ends a domain at once, with its devices.
int vk_xl_destroy(uint32_t id, struct vk_xl_reason *reason);

#pragma clang assume_nonnull end
#endif
