#ifndef HL_CLIENT_AUDIT_IDMAP_H
#define HL_CLIENT_AUDIT_IDMAP_H

#include "common/buf.h"

/* From 32 bytes that are a hash to a number.  Grows with the log that is audited; nothing is removed. */
struct idmap {
    size_t n, cap;
    struct idmap_slot *slot;
};

/** idmap_put - *old gets the number that stood there (and stands on).  1 when one stood, 0 when it is new, -HL_ENOMEM. */
int idmap_put(struct idmap *m, const uint8_t id[static 32], uint64_t v, uint64_t *old);
bool idmap_get(const struct idmap *m, const uint8_t id[static 32], uint64_t *v);
void idmap_release(struct idmap *m);

#endif
