// A conversation with the toolstack, for the length of one call.
#ifndef VK_XL_SESSION_H
#define VK_XL_SESSION_H

#include <libxl.h>
#include <libxl_utils.h>
#include <xentoollog.h>

#include "CLibXL.h"

struct session {
    // The first, so that libxl's pointer to it is one to the session.
    xentoollog_logger logger;
    struct vk_xl_reason *reason;
    libxl_ctx *context;
};

/// -1: there is no toolstack to talk to; the reason is written.
int session_open(struct session *session, struct vk_xl_reason *reason);

/// Ends it; returns 0, or -1 if `result` is one of libxl's errors, with a reason in any case.
int session_close(struct session *session, int result);

#endif
