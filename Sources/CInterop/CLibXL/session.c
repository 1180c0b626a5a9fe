#if VK_XEN
#include "session.h"

#include <stdio.h>
#include <string.h>

// Complaints come as a chain, the cause first: all that fit are kept.
static void keep_complaint(xentoollog_logger *logger, xentoollog_level level, int number, const char *context,
                           const char *format, va_list arguments) {
    if (level < XTL_ERROR) return;
    char *text = ((struct session *)logger)->reason->text;
    size_t size = sizeof ((struct session *)logger)->reason->text;
    size_t used = strlen(text);
    if (used > 0) used += (size_t)snprintf(text + used, size - used, "; ");
    if (used < size) vsnprintf(text + used, size - used, format, arguments);
    used = strlen(text);
    if (number >= 0 && used < size) snprintf(text + used, size - used, ": %s", strerror(number));
}

static void ignore_progress(xentoollog_logger *logger, const char *context, const char *what, int percent,
                            unsigned long done, unsigned long total) {}

static void keep_logger(xentoollog_logger *logger) {}

// In any other mode libxl would reap the caller's children too. It keeps the pointer.
static const libxl_childproc_hooks reap_own_children = {.chldowner = libxl_sigchld_owner_libxl_always_selective_reap};

int session_open(struct session *session, struct vk_xl_reason *reason) {
    reason->text[0] = 0;
    *session = (struct session){
        .logger = {.vmessage = keep_complaint, .progress = ignore_progress, .destroy = keep_logger},
        .reason = reason,
    };
    if (libxl_ctx_alloc(&session->context, LIBXL_VERSION, 0, &session->logger) != 0) {
        if (!reason->text[0]) snprintf(reason->text, sizeof reason->text, "there is no Xen toolstack here");
        return -1;
    }
    libxl_childproc_setmode(session->context, &reap_own_children, NULL);
    return 0;
}

int session_close(struct session *session, int result) {
    libxl_ctx_free(session->context);
    if (result >= 0) return 0;
    struct vk_xl_reason *reason = session->reason;
    if (!reason->text[0]) snprintf(reason->text, sizeof reason->text, "libxl's error %d", result);
    return -1;
}
#endif
