// How a table is described, for the loader to find it in the object.
#ifndef TABLE_H
#define TABLE_H

#include "kernel.h"

// One in the section "tables" for each. The loader may put another number of entries.
struct table {
    u32 type, key_bytes, value_bytes, entries, flags;
};
#define TABLE(name, kind, key, value, count, how) \
    SECTION("tables") const struct table name = {kind, sizeof(key), sizeof(value), count, how}

#endif
