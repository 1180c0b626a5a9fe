#if !VK_XEN
// Without the package trait Xen: every call says so.
#include <stdio.h>

#include "CLibXL.h"

static int absent(struct vk_xl_reason *reason) {
    snprintf(reason->text, sizeof reason->text,
             "this program was built without Xen; build it with the package trait Xen (swift build --traits Xen)");
    return -1;
}

int vk_xl_create(const struct vk_xl_domain *d, int s, uint32_t *i, struct vk_xl_reason *r) { return absent(r); }
int vk_xl_find(const char *n, uint32_t *i, struct vk_xl_reason *r) { return absent(r); }
int vk_xl_names(void (*e)(const char *, void *), void *c, struct vk_xl_reason *r) { return absent(r); }
int vk_xl_state(uint32_t i, struct vk_xl_state *s, struct vk_xl_reason *r) { return absent(r); }
int vk_xl_pause(uint32_t i, struct vk_xl_reason *r) { return absent(r); }
int vk_xl_unpause(uint32_t i, struct vk_xl_reason *r) { return absent(r); }
int vk_xl_save(uint32_t i, int d, struct vk_xl_reason *r) { return absent(r); }
int vk_xl_resume(uint32_t i, struct vk_xl_reason *r) { return absent(r); }
int vk_xl_destroy(uint32_t i, struct vk_xl_reason *r) { return absent(r); }
#endif
