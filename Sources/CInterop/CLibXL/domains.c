#if VK_XEN
#include <stdlib.h>

#include "session.h"

int vk_xl_find(const char *name, uint32_t *id, struct vk_xl_reason *reason) {
    struct session session;
    if (session_open(&session, reason) != 0) return -1;
    int result = libxl_name_to_domid(session.context, name, id);
    session_close(&session, 0);
    return result == 0;
}

int vk_xl_names(void (*each)(const char *name, void *context), void *context, struct vk_xl_reason *reason) {
    struct session session;
    if (session_open(&session, reason) != 0) return -1;
    int count = 0;
    libxl_dominfo *domains = libxl_list_domain(session.context, &count);
    for (int i = 0; domains && i < count; i++) {
        // One that just ended has no name.
        char *name = domains[i].domid ? libxl_domid_to_name(session.context, domains[i].domid) : NULL;
        if (name) each(name, context);
        free(name);
    }
    int result = domains ? 0 : ERROR_FAIL;
    libxl_dominfo_list_free(domains, count);
    return session_close(&session, result);
}

int vk_xl_state(uint32_t id, struct vk_xl_state *state, struct vk_xl_reason *reason) {
    struct session session;
    if (session_open(&session, reason) != 0) return -1;
    libxl_dominfo info;
    libxl_dominfo_init(&info);
    int result = libxl_domain_info(session.context, &info, id);
    bool saved = info.shutdown && info.shutdown_reason == LIBXL_SHUTDOWN_REASON_SUSPEND;
    *state = (struct vk_xl_state){
        .ended = info.dying || (info.shutdown && !saved),
        .crashed = info.shutdown && info.shutdown_reason == LIBXL_SHUTDOWN_REASON_CRASH,
        .paused = info.paused,
        .saved = saved,
        .memory_kib = info.current_memkb,
        .cpu_nanoseconds = info.cpu_time,
    };
    libxl_dominfo_dispose(&info);
    if (result == ERROR_DOMAIN_NOTFOUND) return session_close(&session, 0);
    return session_close(&session, result) == 0 ? 1 : -1;
}

int vk_xl_pause(uint32_t id, struct vk_xl_reason *reason) {
    struct session session;
    if (session_open(&session, reason) != 0) return -1;
    return session_close(&session, libxl_domain_pause(session.context, id, NULL));
}

int vk_xl_unpause(uint32_t id, struct vk_xl_reason *reason) {
    struct session session;
    if (session_open(&session, reason) != 0) return -1;
    return session_close(&session, libxl_domain_unpause(session.context, id, NULL));
}

int vk_xl_save(uint32_t id, int descriptor, struct vk_xl_reason *reason) {
    struct session session;
    if (session_open(&session, reason) != 0) return -1;
    return session_close(&session, libxl_domain_suspend(session.context, id, descriptor, 0, NULL));
}

int vk_xl_resume(uint32_t id, struct vk_xl_reason *reason) {
    struct session session;
    if (session_open(&session, reason) != 0) return -1;
    return session_close(&session, libxl_domain_resume(session.context, id, 1, NULL));
}

int vk_xl_destroy(uint32_t id, struct vk_xl_reason *reason) {
    struct session session;
    if (session_open(&session, reason) != 0) return -1;
    return session_close(&session, libxl_domain_destroy(session.context, id, NULL));
}
#endif
