#include "client/audit/idmap.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"

struct idmap_slot {
    uint8_t id[32];
    uint64_t v;
    bool used;
};

static struct idmap_slot *find(const struct idmap *m, const uint8_t id[static 32])
{
    size_t i = (size_t)get_u64(id) & (m->cap - 1);

    while (m->slot[i].used && memcmp(m->slot[i].id, id, 32) != 0)
        i = (i + 1) & (m->cap - 1);
    return &m->slot[i];
}

static int grow(struct idmap *m)
{
    struct idmap next = { .n = m->n, .cap = m->cap ? 2 * m->cap : 256 };

    next.slot = calloc(next.cap, sizeof(*next.slot));
    if (!next.slot)
        return -HL_ENOMEM;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slot[i].used)
            *find(&next, m->slot[i].id) = m->slot[i];
    free(m->slot);
    *m = next;
    return 0;
}

int idmap_put(struct idmap *m, const uint8_t id[static 32], uint64_t v, uint64_t *old)
{
    struct idmap_slot *s;

    if (4 * (m->n + 1) > 3 * m->cap && grow(m))
        return -HL_ENOMEM;
    s = find(m, id);
    if (s->used) {
        *old = s->v;
        return 1;
    }
    memcpy(s->id, id, 32);
    s->v = v;
    s->used = true;
    m->n++;
    return 0;
}

bool idmap_get(const struct idmap *m, const uint8_t id[static 32], uint64_t *v)
{
    const struct idmap_slot *s = m->cap ? find(m, id) : NULL;

    if (!s || !s->used)
        return false;
    *v = s->v;
    return true;
}

void idmap_release(struct idmap *m)
{
    free(m->slot);
    *m = (struct idmap){ 0 };
}
