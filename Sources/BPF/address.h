// Addresses of both kinds of IP, as one type.
#ifndef ROUTER_ADDRESS_H
#define ROUTER_ADDRESS_H

#include "tables.h"

INLINE struct vk_be_address of_v4(be32 address) {
    struct vk_be_address mapped = {.low = (u64)address << MAPPED_SHIFT | MAPPED_V4};
    return mapped;
}

INLINE be32 v4(struct vk_be_address address) { return (be32)(address.low >> MAPPED_SHIFT); }

// Multicast and link-local addresses of IPv6.
INLINE int stays_on_link(struct vk_be_address address) {
    const u8 *bytes = (const u8 *)&address;
    return bytes[0] == 0xff || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
}

INLINE int is_same(struct vk_be_address one, struct vk_be_address other) {
    return one.high == other.high && one.low == other.low;
}

#endif
