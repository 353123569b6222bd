#include "server/intake_inner.h"

#include "common/error.h"

struct audience {
    struct intake *in;
    uint64_t index;
};

static int opening_for(void *arg, struct span poc)
{
    struct audience *a = arg;

    return intake_event(a->in, poc, a->index);
}

static int document_recorded(struct intake *in, const struct admitted *a)
{
    struct audience audience = { in, a->entry.index };

    in->entries++;
    in->st->metrics.documents++;
    in->st->keys_stale = in->st->keys_stale || a->change.keys_changed;
    if (!a->agreement)
        in->st->announce = a->entry.index + 1;
    return a->agreement ? documents_audience(a->agreement, opening_for, &audience) : 0;
}

/* May this document be taken now, before it is looked at?  A stop always: it only takes away. */
static int document_room(struct intake *in, uint64_t conn, struct span note)
{
    struct stages *st = in->st;
    struct session *s = session_find(st->sessions, conn);
    struct document doc;
    bool stop = document_decode(&doc, st->conf.realm, note) == 0 && doc.type == DOCUMENT_STOP;

    if (st->head.dead)
        return -HL_EDEAD;
    if (!stop && st->free_bytes < st->conf.space_min)
        return -HL_ESPACE;
    if (s && !stop && !quota_take(st->quotas, QUOTA_DOCUMENTS, session_poc(s), st->now_ms))
        return -HL_EQUOTA;
    return 0;
}

int intake_document(struct intake *in, uint64_t conn, uint64_t tag, struct span note)
{
    struct stages *st = in->st;
    struct admitted a = { 0 };
    struct buf why;
    bool ends = false;
    int rc = document_room(in, conn, note);

    buf_init(&why, 400);
    if (!rc)
        rc = documents_admit(st->documents, note, conn == 0, log_time(st->log, st->now_ms), &a,
                             &why, &ends);
    if (!ends && rc) {
        st->metrics.refused++;
        outbox_refuse(&st->outbox, conn, tag, rc, why.n ? buf_str(&why) : NULL);
        if (conn == 0 || rc == -HL_ECONFLICT)
            stages_diag(st, rc == -HL_ECONFLICT ? 3 : 4, "document refused, %s: %s", error_name(rc),
                        why.n ? buf_str(&why) : error_text(rc));
        rc = 0;
    } else if (!rc) {
        if (!a.known)
            rc = document_recorded(in, &a);
        if (!rc)
            rc = receipts_wait(st->receipts, conn, tag, &a.entry,
                               a.change.type != DOCUMENT_AGREEMENT);
    }
    buf_release(&why);
    return rc;
}
