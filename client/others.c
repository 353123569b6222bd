#include <stdlib.h>
#include <string.h>

#include "client/sync_state.h"
#include "common/agreement.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"
#include "common/tlog/quorum.h"

/*
 * What others saw of this log: the checkpoint in the stamp of each sender, and checkpoints with
 * cosignatures, which come when the tree has grown on.  Each is a claim (size, root) about a tree
 * that must be a beginning of ours: known from the heads that we verified ourselves, or shown by a
 * consistency proof.
 */

bool has_cosignatures(struct span note_bytes)
{
    struct note note;

    return note_parse(&note, note_bytes) == 0 && note.n > 1;
}

void others_past(struct sync *s)
{
    size_t at = s->n_past++ % SYNC_PAST;

    s->past[at].size = s->seen.range.size;
    merkle_range_root(&s->seen.range, s->past[at].root);
}

void others_release(struct sync *s)
{
    for (size_t i = 0; i < SYNC_SEEN; i++)
        buf_release(&s->claim[i].note);
}

/* ---- the time of witnesses ---- */

/* When had a quorum of an agreement that names this host cosigned @note?  The oldest of its times:
 * none of them can push it forward alone. */
static uint64_t cosigned_seconds(const struct sync *s, const struct agreement *ag, struct span note)
{
    struct quorum_result res;
    struct checkpoint cp;
    struct quorum *q = NULL;
    struct buf policy;
    uint64_t seconds = 0;

    buf_init(&policy, 65536);
    if (agreement_policy(&policy, ag, &s->host->log) == 0 &&
        quorum_parse(&q, buf_span(&policy), NULL) == 0 && quorum_check(q, note, &cp, &res) == 0 &&
        res.met)
        seconds = res.oldest;
    quorum_free(q);
    buf_release(&policy);
    return seconds;
}

static void others_time(struct sync *s, struct span note)
{
    const struct agreement *ag;

    for (size_t i = 0; (ag = directory_agreement(s->dir, i)) != NULL; i++)
        for (size_t k = 0; k < ag->n_hosts; k++)
            if (span_eq_str(ag->host[k], s->host->origin)) {
                uint64_t ms = cosigned_seconds(s, ag, note) * 1000;

                if (ms > s->cosigned_ms)
                    s->cosigned_ms = ms;
            }
}

void others_judge_again(struct sync *s)
{
    if (s->seen.witnessed.n)
        others_time(s, buf_span(&s->seen.witnessed));
}

static int others_witnessed(struct sync *s, struct span note)
{
    struct checkpoint have, cp;
    struct note parsed;

    if (checkpoint_open(&cp, &parsed, note, &s->host->log) != 0)
        return 0;
    others_time(s, note);
    if (s->seen.witnessed.n &&
        checkpoint_open(&have, &parsed, buf_span(&s->seen.witnessed), &s->host->log) == 0 &&
        have.size > cp.size)
        return 0;
    buf_clear(&s->seen.witnessed);
    buf_put_span(&s->seen.witnessed, note);
    s->agent->changed++;
    return desk_host_save(s->agent->desk, sync_origin(s), &s->seen);
}

/* ---- claims ---- */

/* Do we know the root of that size ourselves? */
static bool claim_known(const struct sync *s, uint64_t size, const uint8_t root[static 32],
                        bool *equal)
{
    size_t n = s->n_past < SYNC_PAST ? s->n_past : SYNC_PAST;

    for (size_t i = 0; i < n; i++)
        if (s->past[i].size == size) {
            *equal = memcmp(s->past[i].root, root, 32) == 0;
            return true;
        }
    return false;
}

/*
 * Signed by the log: a fork.  Said by a sender: the sender or the host lies; its envelope, signed,
 * is on this desk under the message id, and officers decide.
 */
static int claim_denied(struct sync *s, const struct claim *c)
{
    struct buf said;
    int rc;

    if (c->cosigned)
        return sync_dead(s, "a cosigned checkpoint contradicts ours", buf_span(&s->seen.checkpoint),
                         buf_span(&c->note));
    buf_init(&said, 4096);
    buf_put_str(&said, "a sender saw: size ");
    buf_printf(&said, "%llu root ", (unsigned long long)c->size);
    text_base64(&said, SPAN(c->root, 32));
    buf_put_str(&said, "\nin message ");
    text_base64(&said, SPAN(c->mid, 32));
    buf_put_str(&said, "\nwe verified:\n");
    buf_put_span(&said, buf_span(&s->seen.checkpoint));
    rc = sync_fault(s, "a sender saw another history of this log", buf_span(&said));
    buf_release(&said);
    return rc;
}

static int claim_settle(struct sync *s, const struct claim *c, bool equal)
{
    if (!equal)
        return claim_denied(s, c);
    return c->cosigned ? others_witnessed(s, buf_span(&c->note)) : 0;
}

static void claim_free(struct claim *c)
{
    c->size = 0;
    buf_release(&c->note);
}

/* Room for one more: a free place, else that of the smallest tree, but never of the one being
 * proved. */
static struct claim *claim_place(struct sync *s)
{
    struct claim *c = NULL;

    for (size_t i = 0; i < SYNC_SEEN; i++)
        if (!(s->checking && i == s->checked) && (!c || s->claim[i].size < c->size))
            c = &s->claim[i];
    claim_free(c);
    return c;
}

static int claim_add(struct sync *s, uint64_t size, const uint8_t root[static 32], struct span note,
                     const uint8_t *mid)
{
    struct claim *c;
    bool equal;

    if (s->seen.dead || size == 0)
        return 0;
    if (!note.n && claim_known(s, size, root, &equal) && equal)
        return 0; /* as nearly always */
    for (size_t i = 0; i < SYNC_SEEN; i++)
        if (s->claim[i].size == size && s->claim[i].cosigned == (note.n > 0) &&
            memcmp(s->claim[i].root, root, 32) == 0)
            return 0;
    c = claim_place(s);
    c->size = size;
    c->cosigned = note.n > 0;
    memcpy(c->root, root, 32);
    if (mid)
        memcpy(c->mid, mid, 32);
    return buf_put_span(&c->note, note);
}

int others_saw(struct sync *s, const struct seen *seen, const uint8_t mid[static 32])
{
    if (memcmp(seen->log, s->host->log.key, 32) != 0)
        return 0;
    return claim_add(s, seen->size, seen->root, SPAN_NONE, mid);
}

int others_cosigned(struct sync *s, const struct checkpoint *cp, struct span note)
{
    return claim_add(s, cp->size, cp->root, note, NULL);
}

/* ---- proofs ---- */

static bool proof_good(const struct sync *s, const struct claim *c, struct span bytes)
{
    uint8_t proof[MERKLE_MAX_PROOF][32];
    size_t n;

    return hashes_take(proof, &n, bytes) &&
           merkle_verify_consistency(c->size, c->root, s->ours_size, s->ours_root, HASHES(proof),
                                     n) == 0;
}

/* A proof that does not verify is unsigned bytes and proves no fault: officers are told, the claim
 * is not believed. */
static void others_proved(void *arg, int rc, struct span proof)
{
    struct sync *s = arg;
    struct claim *c = &s->claim[s->checked];

    s->checking = false;
    if (rc == -HL_ENOANSWER && s->phase != SYNC_GREETED)
        return; /* the link fell: asked again with the next greeting */
    if (!rc && proof_good(s, c, proof))
        rc = claim_settle(s, c, true);
    else if (c->cosigned)
        rc = sync_fault(s, "the host does not prove that its log only grew", buf_span(&c->note));
    else
        rc = claim_denied(s, c);
    claim_free(c);
    if (rc == -HL_ESTORE || rc == -HL_ENOMEM)
        s->error = rc;
}

int others_tick(struct sync *s)
{
    for (size_t i = 0; i < SYNC_SEEN && !s->checking && !s->seen.dead; i++) {
        struct claim *c = &s->claim[i];
        bool equal;
        int rc;

        if (c->size == 0 || c->size > s->seen.range.size)
            continue;
        if (claim_known(s, c->size, c->root, &equal)) {
            rc = claim_settle(s, c, equal);
            claim_free(c);
            if (rc)
                return rc;
            continue;
        }
        s->checked = i;
        s->ours_size = s->seen.range.size;
        merkle_range_root(&s->seen.range, s->ours_root);
        s->checking =
            sync_fetch(s, FETCH_CONSISTENCY, c->size, s->ours_size, others_proved, s) == 0;
        if (!s->checking)
            break; /* the link is full or down */
    }
    return 0;
}
