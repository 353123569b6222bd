#include <stdlib.h>
#include <string.h>

#include "client/sync_state.h"
#include "common/card.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/tlog/tile.h"

/*
 * From the tree we verified to the newest signed head:
 *
 *   head seen -[catchup_note]-> head.size > range.size -[catchup_fetch]-> fetching
 * -[catchup_arrived]-> verified
 *                                                            ^--- entries that lead nowhere: later,
 * from the start
 */

/* ---- at start: what was verified before ---- */

static bool is_public(const struct sync *s, struct span note)
{
    struct document doc;

    return document_decode(&doc, s->agent->station->realm, note) == 0 &&
           doc.type != DOCUMENT_AGREEMENT;
}

static int catchup_restore(void *arg, uint64_t index, uint64_t time_ms, struct span note)
{
    struct sync *s = arg;
    struct directory_change change;
    int rc = directory_apply(s->dir, note, index, is_public(s, note) ? DIRECTORY_RECORDED : time_ms,
                             true, &change, NULL);

    if (time_ms > s->newest_ms)
        s->newest_ms = time_ms;
    return rc == -HL_ENOMEM ? rc : 0; /* what was refused then is refused again */
}

static int catchup_pin(void *arg, struct span party, const uint8_t fp[static 32])
{
    struct sync *s = arg;

    return directory_pin(s->dir, party, fp);
}

/* The own party's first card, given by hand with the station, pins the own root set. */
static int catchup_own_card(struct sync *s)
{
    struct station *st = s->agent->station;
    struct card *card = NULL;
    char path[600];
    uint8_t fp[32];
    struct buf note;
    int rc;

    buf_init(&note, DOCUMENT_MAX);
    station_path(st, path, "own.card");
    rc = file_read(path, &note);
    if (!rc)
        rc = card_new(&card, st->realm, buf_span(&note), NULL);
    if (!rc && card->serial == 1 && span_eq(card->party, name_party(span_str(st->poc))) &&
        !directory_pinned(s->dir, card->party, fp)) {
        card_fingerprint(fp, st->realm, card->threshold, (const uint8_t(*)[32])card->root,
                         card->n_roots);
        rc = directory_pin(s->dir, card->party, fp);
    }
    card_free(card);
    buf_release(&note);
    return rc == -HL_ENOMEM ? rc : 0;
}

/* The right edge that was stored must lead to the root that the log signed, else the desk is
 * damaged. */
static int catchup_check(struct sync *s)
{
    struct checkpoint cp;
    struct note note;
    uint8_t root[32];

    if (s->seen.range.size == 0)
        return 0;
    merkle_range_root(&s->seen.range, root);
    if (checkpoint_open(&cp, &note, buf_span(&s->seen.checkpoint), &s->host->log) != 0 ||
        cp.size != s->seen.range.size || memcmp(cp.root, root, 32) != 0)
        return -HL_ESTORE;
    return 0;
}

static void head_set(struct head *h, const struct checkpoint *cp, struct span note)
{
    h->size = cp->size;
    memcpy(h->root, cp->root, 32);
    buf_clear(&h->note);
    buf_put_span(&h->note, note); /* at most CHECKPOINT_MAX: it was opened */
}

int catchup_load(struct sync *s)
{
    int rc = desk_host_load(s->agent->desk, sync_origin(s), &s->seen);

    if (!rc)
        rc = catchup_check(s);
    if (!rc)
        rc = desk_pin_each(s->agent->desk, catchup_pin, s);
    if (!rc)
        rc = catchup_own_card(s);
    if (!rc)
        rc = desk_document_each(s->agent->desk, sync_origin(s), catchup_restore, s);
    others_past(s);
    others_judge_again(s);
    return rc;
}

/* ---- heads ---- */

static int catchup_fetch(struct sync *s);

/* A head of the size that we hold: equal, or a fork. */
static int catchup_same_size(struct sync *s, const struct checkpoint *cp, struct span note)
{
    uint8_t root[32];

    merkle_range_root(&s->seen.range, root);
    if (memcmp(root, cp->root, 32) != 0)
        return sync_dead(s, "two signed checkpoints of one size", buf_span(&s->seen.checkpoint),
                         note);
    if (s->seen.checkpoint.n == 0) {
        buf_put_span(&s->seen.checkpoint, note);
        return desk_host_save(s->agent->desk, sync_origin(s), &s->seen);
    }
    return 0;
}

int catchup_note(struct sync *s, struct span bytes)
{
    struct checkpoint cp;
    struct note note;
    int rc = 0;

    if (s->seen.dead || checkpoint_open(&cp, &note, bytes, &s->host->log) != 0)
        return 0;
    if (cp.size == s->head.size && s->head.note.n && memcmp(cp.root, s->head.root, 32) != 0)
        return sync_dead(s, "two signed checkpoints of one size", buf_span(&s->head.note), bytes);
    if (cp.size == s->seen.range.size)
        rc = catchup_same_size(s, &cp, bytes);
    if (!rc && !s->seen.dead && has_cosignatures(bytes))
        rc = others_cosigned(s, &cp, bytes);
    if (rc || s->seen.dead || (s->head.note.n && cp.size <= s->head.size))
        return rc;
    head_set(&s->head, &cp, bytes);
    return cp.size > s->seen.range.size && !s->fetching ? catchup_fetch(s) : 0;
}

/* ---- entries ---- */

static int catchup_entry(struct sync *s, struct span entry)
{
    uint8_t leaf[32];
    uint64_t index = s->range.size;

    if (entry.n > 32) {
        buf_put_u64(&s->fetched_documents, index);
        buf_put_u32(&s->fetched_documents, (uint32_t)entry.n);
        buf_put_span(&s->fetched_documents, entry);
    }
    merkle_leaf(leaf, entry);
    merkle_range_add(&s->range, leaf);
    return s->fetched_documents.bad;
}

static int catchup_document(struct sync *s, uint64_t index, struct span note)
{
    struct directory_change change;
    struct desk *desk = s->agent->desk;
    uint64_t time_ms = s->newest_ms ? s->newest_ms : clock_now_ms();
    struct buf why;
    int rc;

    buf_init(&why, 1024);
    rc = directory_apply(s->dir, note, index, DIRECTORY_RECORDED, true, &change, &why);
    if (rc == -HL_ECONFLICT || rc == -HL_EFINGERPRINT)
        rc = sync_fault(s, buf_str(&why), note);
    else if (rc != -HL_ENOMEM)
        rc = 0; /* what was refused is refused by everyone who repeats the fold */
    buf_release(&why);
    return rc ? rc : desk_document_add(desk, sync_origin(s), index, time_ms, note);
}

/* Public documents found on the way become part of the directory, in the log's order. */
static int catchup_documents(struct sync *s)
{
    int rc = 0;

    for (size_t at = 0; at < s->fetched_documents.n && !rc;) {
        const uint8_t *p = s->fetched_documents.p + at;
        struct span note = SPAN(p + 12, get_u32(p + 8));

        at += 12 + note.n;
        rc = catchup_document(s, get_u64(p), note);
    }
    buf_clear(&s->fetched_documents);
    return rc;
}

static int catchup_store(struct sync *s)
{
    int rc = catchup_documents(s);

    s->seen.range = s->range;
    buf_clear(&s->seen.checkpoint);
    buf_put_span(&s->seen.checkpoint, buf_span(&s->target.note));
    others_past(s);
    return rc ? rc : desk_host_save(s->agent->desk, sync_origin(s), &s->seen);
}

static uint64_t catchup_backoff(const struct sync *s)
{
    uint64_t ms = (uint64_t)SYNC_RETRY_MS << (s->failures < 5 ? s->failures : 5);

    return ms < SYNC_RETRY_MAX_MS ? ms : SYNC_RETRY_MAX_MS;
}

static void catchup_failed(struct sync *s)
{
    s->fetching = false;
    s->fetch_at = clock_mono_ms() + catchup_backoff(s);
    s->failures++;
    buf_clear(&s->fetched_documents);
}

/*
 * Our range reached the head: its root must be the signed one.  If not, either these entries were
 * made up on the way (unsigned bytes, which prove nothing) or the log was forked before: it is
 * asked again, and never believed.
 */
static int catchup_arrived(struct sync *s)
{
    struct agent *a = s->agent;
    uint8_t root[32];
    int rc;

    merkle_range_root(&s->range, root);
    if (memcmp(root, s->target.root, 32) != 0) {
        catchup_failed(s);
        return sync_fault(s, "the entries shown do not lead to the signed head",
                          buf_span(&s->target.note));
    }
    rc = desk_begin(a->desk);
    if (rc)
        return rc;
    rc = catchup_store(s);
    if (rc) {
        desk_abort(a->desk);
        return rc;
    }
    rc = desk_commit(a->desk);
    s->fetching = false;
    s->failures = 0;
    s->kicked = true;
    a->changed++;
    return rc ? rc : later_run(s, clock_mono_ms());
}

static void catchup_fetched(void *arg, int rc, struct span bundle)
{
    struct sync *s = arg;
    struct span entry;

    if (!rc && !bundle.n)
        rc = -HL_EBROKER;
    while (!rc && s->range.size < s->target.size && bundle_next(&bundle, &entry, &rc))
        rc = rc ? rc : catchup_entry(s, entry);
    if (rc)
        catchup_failed(s);
    else if (s->range.size < s->target.size)
        rc = catchup_fetch(s);
    else
        rc = catchup_arrived(s);
    if (rc == -HL_ESTORE || rc == -HL_ENOMEM)
        s->error = rc;
}

static int catchup_fetch(struct sync *s)
{
    uint64_t count;
    int rc;

    if (!s->fetching) {
        s->range = s->seen.range;
        buf_clear(&s->fetched_documents);
        s->target.size = s->head.size;
        memcpy(s->target.root, s->head.root, 32);
        buf_clear(&s->target.note);
        buf_put_span(&s->target.note, buf_span(&s->head.note));
    }
    count = s->target.size - s->range.size;
    if (count > SYNC_ENTRIES_A_FETCH)
        count = SYNC_ENTRIES_A_FETCH;
    s->fetching = true;
    rc = sync_fetch(s, FETCH_ENTRIES, s->range.size, count, catchup_fetched, s);
    if (rc) {
        s->fetching = false; /* a full link: begun anew by the next tick */
        buf_clear(&s->fetched_documents);
    }
    return rc == -HL_EBUSY || rc == -HL_ENOANSWER ? 0 : rc;
}

int catchup_tick(struct sync *s, uint64_t mono_ms)
{
    if (s->seen.dead || s->fetching || s->head.size <= s->seen.range.size || mono_ms < s->fetch_at)
        return 0;
    return catchup_fetch(s);
}

void catchup_reset(struct sync *s)
{
    s->fetching = false;
    buf_clear(&s->fetched_documents);
}
