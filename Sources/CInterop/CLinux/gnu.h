// What the .c files begin with: the headers in their full shape, which the public header must not show.
#ifndef CLINUX_GNU_H
#define CLINUX_GNU_H

#define _GNU_SOURCE

#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "CLinux.h"

/// Takes from this thread what it could get by executing a program; it needs CAP_SETPCAP for that.
int vk_empty_bounding_set(void);

#endif
