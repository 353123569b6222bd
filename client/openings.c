#include <stdlib.h>
#include <string.h>

#include "client/sync_state.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/record.h"

/*
 * Openings that are no messages: agreement notes and notices.  Each counts only when its entry is
 * proved to be in the log.  The host sends events (these, and steps) from our cursor on, ascending;
 * the cursor moves when all that came is done, so that nothing is missed when the link falls, or
 * the desk does not take one, in between.
 */
struct opening {
    struct sync *sync;
    uint64_t index, size;
    uint8_t root[32], salt[32];
    struct buf record;
};

static void opening_free(struct opening *o)
{
    buf_release(&o->record);
    free(o);
}

static int opening_agreement(struct sync *s, uint64_t index, const struct record *r)
{
    struct directory_change change;
    int rc = directory_apply(s->dir, r->note, index, r->time_ms, true, &change, NULL);

    if (rc)
        return rc == -HL_ENOMEM ? rc : 0;
    others_judge_again(s);
    return desk_document_add(s->agent->desk, sync_origin(s), index, r->time_ms, r->note);
}

static int opening_notice(struct sync *s, const struct record *r)
{
    struct desk_event e = {
        .what = EVENT_NOTICE, .mid = r->mid, .kind = r->notice, .poc = r->poc, .detail = r->detail
    };

    return desk_event_add(s->agent->desk, &e);
}

static int opening_apply(struct opening *o)
{
    struct sync *s = o->sync;
    struct record r;
    int rc = 0;

    if (record_decode(&r, buf_span(&o->record)) != 0)
        return sync_fault(s, "an opening that is no record", buf_span(&o->record));
    if (r.time_ms > s->newest_ms)
        s->newest_ms = r.time_ms;
    switch (r.type) {
    case RECORD_AGREEMENT:
        rc = opening_agreement(s, o->index, &r);
        break;
    case RECORD_NOTICE:
        rc = opening_notice(s, &r);
        break;
    case RECORD_DUMMY:
    case RECORD_ENVELOPE:
        break;
    }
    if (!rc)
        rc = desk_opening_add(s->agent->desk, sync_origin(s), o->index, SPAN(o->salt, 32),
                              buf_span(&o->record), true);
    s->agent->changed++;
    return rc;
}

static int opening_store(struct opening *o)
{
    struct desk *desk = o->sync->agent->desk;
    int rc = desk_begin(desk);

    if (rc)
        return rc;
    rc = opening_apply(o);
    if (!rc)
        return desk_commit(desk);
    desk_abort(desk);
    return rc;
}

static bool opening_in_log(const struct opening *o, struct span path)
{
    uint8_t entry[32], leaf[32], proof[MERKLE_MAX_PROOF][32];
    size_t n;

    record_entry(entry, o->sync->agent->station->realm, o->salt, buf_span(&o->record));
    merkle_leaf(leaf, SPAN(entry, 32));
    return hashes_take(proof, &n, path) &&
           merkle_verify_inclusion(leaf, o->index, o->size, HASHES(proof), n, o->root) == 0;
}

/* It may have been made up on the way: the cursor stays before it, and it is asked for again with
 * the next greeting. */
static int opening_refuse(struct opening *o)
{
    o->sync->held = true;
    return sync_fault(o->sync, "an opening that is not in the log", buf_span(&o->record));
}

static void opening_proved(void *arg, int rc, struct span path)
{
    struct opening *o = arg;
    struct sync *s = o->sync;

    s->proving--;
    if (!rc && opening_in_log(o, path))
        rc = opening_store(o);
    else if (!rc)
        rc = opening_refuse(o);
    else if (s->phase == SYNC_GREETED)
        s->dropped = true; /* refused or lost: greet anew, and ask again */
    if (rc == -HL_ESTORE || rc == -HL_ENOMEM)
        s->error = rc;
    opening_free(o);
}

static int opening_check(struct sync *s, uint64_t index, const uint8_t *salt, struct span record)
{
    struct opening *o = calloc(1, sizeof(*o));
    int rc = -HL_ENOMEM;

    if (!o)
        return rc;
    o->sync = s;
    o->index = index;
    o->size = s->seen.range.size;
    merkle_range_root(&s->seen.range, o->root);
    memcpy(o->salt, salt, 32);
    buf_init(&o->record, RECORD_MAX);
    rc = buf_put_span(&o->record, record);
    if (!rc)
        rc = sync_fetch(s, FETCH_INCLUSION, index, o->size, opening_proved, o);
    if (rc)
        opening_free(o);
    else
        s->proving++;
    return rc;
}

int openings_take(struct sync *s, uint64_t index, struct span salt, struct span record)
{
    struct later l = { .index = index, .opening = true };
    int rc = -HL_EBUSY;

    if (salt.n != 32 || record.n > RECORD_MAX)
        return 0;
    if (sync_auditing(s)) /* the mirror itself compares each with its entry */
        return desk_opening_add(s->agent->desk, sync_origin(s), index, salt, record, false);
    openings_pushed(s, index);
    if (desk_opening_proved(s->agent->desk, sync_origin(s), index))
        return 0;
    if (index < s->seen.range.size && s->proving < SYNC_PROVING)
        rc = opening_check(s, index, salt.p, record);
    if (rc != -HL_EBUSY && rc != -HL_ENOANSWER)
        return rc;
    memcpy(l.salt, salt.p, 32);
    return later_add(s, &l, record);
}

/* ---- the cursor ---- */

void openings_pushed(struct sync *s, uint64_t index)
{
    if (s->pushed <= index)
        s->pushed = index + 1;
}

static bool openings_waiting(const struct sync *s)
{
    for (const struct later *l = s->later; l; l = l->next)
        if (l->opening || (l->flags & DELIVER_EVENT && !l->shown))
            return true;
    return s->proving > 0;
}

int openings_tick(struct sync *s)
{
    if (s->pushed <= s->seen.cursor || s->dropped || s->held || openings_waiting(s))
        return 0;
    s->seen.cursor = s->pushed;
    return desk_host_save(s->agent->desk, sync_origin(s), &s->seen);
}

void openings_reset(struct sync *s)
{
    s->pushed = 0;
    s->held = false;
}
