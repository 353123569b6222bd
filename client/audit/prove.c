#include "client/audit/prove.h"

#include <inttypes.h>
#include <stdlib.h>

#include "client/audit/mirror_dir.h"

struct proving {
    struct mirror m;
    struct checkpoint cp;
    struct tile_dir *d;
    struct buf entry, opening;
    uint8_t hash[MERKLE_MAX_PROOF][32];
    size_t n;
};

static int gather(struct proving *p, uint64_t index, struct buf *why)
{
    struct quorum_result res;
    int rc = quorum_check(p->m.policy, buf_span(&p->m.note), &p->cp, &res);

    if (!rc && index >= p->cp.size) {
        buf_printf(why, "the checkpoint covers %" PRIu64 " entries only; ", p->cp.size);
        rc = -HL_EINCOMPLETE;
    }
    if (!rc)
        rc = tile_dir_open(p->m.path, p->cp.size, &p->d);
    if (!rc)
        rc = tile_dir_entry(p->d, index, &p->entry);
    if (!rc)
        rc = merkle_prove_inclusion(index, p->cp.size, tile_dir_get, p->d, p->hash, &p->n);
    return rc == -HL_ENOENT ? -HL_EINCOMPLETE : rc;
}

/* The opening, when it is here; it must be the entry's. */
static int find_opening(struct proving *p, uint64_t index)
{
    int rc = mirror_opening(&p->m, index, &p->opening);
    uint8_t want[32];

    if (rc == -HL_ENOENT) {
        buf_clear(&p->opening);
        return 0;
    }
    if (rc)
        return rc == -HL_EFORMAT ? -HL_ELEAF : rc;
    record_entry(want, p->m.realm, p->opening.p,
                 SPAN(p->opening.p + RECORD_SALT, p->opening.n - RECORD_SALT));
    return span_eq(buf_span(&p->entry), SPAN(want, 32)) ? 0 : -HL_ELEAF;
}

static int prove(struct proving *p, uint64_t index, struct buf *out, struct buf *why)
{
    uint8_t leaf[32];
    int rc = gather(p, index, why);

    if (rc)
        return rc;
    merkle_leaf(leaf, buf_span(&p->entry));
    rc = merkle_verify_inclusion(leaf, index, p->cp.size, HASHES(p->hash), p->n, p->cp.root);
    if (!rc)
        rc = find_opening(p, index);
    if (!rc)
        rc = proof_put(out, buf_span(&p->opening), index, HASHES(p->hash), p->n,
                       buf_span(&p->m.note));
    return rc;
}

int audit_prove(const char *dir, uint64_t index, struct buf *out, struct buf *why)
{
    struct proving *p = calloc(1, sizeof(*p));
    int rc;

    if (!p)
        return -HL_ENOMEM;
    buf_init(&p->entry, UINT16_MAX);
    buf_init(&p->opening, MIRROR_OPENING_MAX);
    rc = mirror_load(dir, &p->m, why);
    if (!rc) {
        rc = prove(p, index, out, why);
        if (rc)
            buf_printf(why, "entry %" PRIu64 ": %s", index, error_text(rc));
        mirror_release(&p->m);
    }
    tile_dir_close(p->d);
    buf_release(&p->entry);
    buf_release(&p->opening);
    free(p);
    return rc;
}
