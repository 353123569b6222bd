#include "client/witness.h"

#include <string.h>

#include "client/sync.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/tlog/checkpoint.h"
#include "common/tlog/merkle.h"

/* The name under which this station cosigns: as its party's card lists the key, else as poc.public
 * does. */
static int witness_key(const struct agent *a, struct note_key *key)
{
    const uint8_t *pk = seckey_public(a->station->witness);
    struct span party = name_party(span_str(a->station->poc));
    char name[80];

    for (size_t i = 0; i < a->n_syncs; i++) {
        const struct card *card = directory_card(sync_directory(a->sync[i]), DIRECTORY_NOW, party);

        if (card && card->has_witness && memcmp(card->witness.key, pk, 32) == 0) {
            *key = card->witness;
            return 0;
        }
    }
    station_witness_name(name, a->station->poc);
    return note_key_init(key, span_str(name), NOTE_COSIGNATURE, pk);
}

static int witness_cosign(struct agent *a, struct span text, struct buf *out)
{
    struct note_key key;
    int rc = witness_key(a, &key);

    return rc ? rc
              : sign_cosignature(out, text, span_str(key.name), clock_now_ms() / 1000,
                                 a->station->witness);
}

static uint64_t witness_check(const struct add_checkpoint *req, const struct checkpoint *cp,
                              uint64_t size, const uint8_t root[static 32])
{
    uint8_t empty[32];

    if (req->old > cp->size)
        return 400;
    if (req->old != size)
        return 409;
    merkle_empty(empty);
    if (cp->size == 0)
        return memcmp(cp->root, empty, 32) == 0 && req->n == 0 ? 200 : 422;
    if (req->old == 0)
        return req->n == 0 ? 200 : 422;
    if (req->old == cp->size)
        return memcmp(root, cp->root, 32) == 0 && req->n == 0 ? 200 : 422;
    return merkle_verify_consistency(req->old, root, cp->size, cp->root, req->proof, req->n) == 0
               ? 200
               : 422;
}

int witness_answer(struct agent *a, const struct station_host *host, struct span body,
                   uint64_t *status, struct buf *out)
{
    struct add_checkpoint req;
    struct checkpoint cp;
    struct note note;
    uint8_t root[32] = { 0 };
    uint64_t size = 0;
    int rc;

    *status = 404;
    if (!a->station->witness)
        return 0;
    *status = 400;
    if (add_checkpoint_parse(&req, body))
        return 0;
    rc = checkpoint_open(&cp, &note, req.note, &host->log);
    *status = rc == -HL_EKEY ? 404 : rc == -HL_EFORMAT ? 400 : 403;
    if (rc)
        return 0;
    rc = desk_witness_get(a->desk, cp.origin, &size, root);
    if (rc && rc != -HL_ENOENT)
        return rc;
    *status = witness_check(&req, &cp, size, root);
    if (*status == 409)
        return buf_printf(out, "%llu\n", (unsigned long long)size);
    if (*status == 422)
        return desk_evidence_add(a->desk, "a signed checkpoint that does not extend ours",
                                 req.note);
    if (*status != 200)
        return 0;
    rc = desk_witness_set(a->desk, cp.origin, size, cp.size, cp.root, req.note);
    if (rc == -HL_ESTATE) { /* another request came between */
        *status = 409;
        rc = desk_witness_get(a->desk, cp.origin, &size, root);
        return rc ? rc : buf_printf(out, "%llu\n", (unsigned long long)size);
    }
    return rc ? rc : witness_cosign(a, note.text, out);
}
