#include <stdlib.h>
#include <string.h>

#include "client/ladder.h"
#include "client/sync_state.h"
#include "common/error.h"
#include "common/record.h"

/*
 * RECORDED: the leaf is rebuilt from what is held here (so what was logged is what we have), its
 * path must lead to the root that the log signed.  What was delivered to us is proved by FETCH
 * INCLUSION against the checkpoint that we verified.
 */

/* The head that the frame refers to: one that the log signed. */
static const uint8_t *receipt_root(struct sync *s, uint64_t size, uint8_t scratch[static 32],
                                   struct span *note)
{
    if (s->head.note.n && size == s->head.size) {
        *note = buf_span(&s->head.note);
        return s->head.root;
    }
    if (s->fetching && size == s->target.size) {
        *note = buf_span(&s->target.note);
        return s->target.root;
    }
    if (size == s->seen.range.size && s->seen.checkpoint.n) {
        merkle_range_root(&s->seen.range, scratch);
        *note = buf_span(&s->seen.checkpoint);
        return scratch;
    }
    return NULL;
}

/* Does this frame prove that @leaf stands in the log?  Keeps the receipt under @key. */
static int receipt_keep(struct sync *s, const struct frame *f, const uint8_t key[static 32],
                        const uint8_t leaf[static 32])
{
    uint8_t scratch[32];
    const uint8_t *root;
    struct receipt r;
    struct span note;
    int rc;

    root = receipt_root(s, f->size, scratch, &note);
    if (!root)
        return -HL_EINCOMPLETE;
    rc = merkle_verify_inclusion(leaf, f->index, f->size, f->path, f->n_path, root);
    if (rc)
        return rc;
    receipt_init(&r);
    r.index = f->index;
    r.time_ms = f->time_ms;
    r.size = f->size;
    r.proved = true;
    if (f->salt.n == 32)
        memcpy(r.salt, f->salt.p, 32);
    r.n_path = f->n_path;
    memcpy(r.path, f->path, f->n_path * 32);
    rc = buf_put_span(&r.note, note);
    if (!rc)
        rc = desk_receipt_put(s->agent->desk, sync_origin(s), key, &r);
    receipt_release(&r);
    if (f->time_ms > s->newest_ms)
        s->newest_ms = f->time_ms;
    return rc;
}

static void record_leaf(const struct sync *s, const uint8_t *salt, struct span record,
                        uint8_t leaf[static 32])
{
    uint8_t entry[32];

    record_entry(entry, s->agent->station->realm, salt, record);
    merkle_leaf(leaf, SPAN(entry, 32));
}

/* ---- what was delivered to us ---- */

struct asking {
    struct sync *sync;
    uint64_t index, size;
    uint8_t root[32];
    struct buf note;
};

static void asking_free(struct asking *q)
{
    buf_release(&q->note);
    free(q);
}

/* The record was built from the envelope when it came; the claimed index, time and salt are now
 * shown to be the log's. */
static int delivery_leaf(struct asking *q, uint8_t mid[static 32], uint8_t salt[static 32],
                         struct buf *record, uint8_t leaf[static 32])
{
    struct desk *desk = q->sync->agent->desk;
    struct span origin = sync_origin(q->sync);
    bool proved;
    int rc = desk_receipt_by_index(desk, origin, q->index, mid);

    if (!rc)
        rc = desk_opening_get(desk, origin, q->index, salt, record, &proved);
    if (!rc)
        record_leaf(q->sync, salt, buf_span(record), leaf);
    return rc;
}

static int delivery_keep(struct asking *q, const uint8_t mid[static 32], struct receipt *r)
{
    int rc;

    r->proved = true;
    r->size = q->size;
    buf_clear(&r->note);
    rc = buf_put_span(&r->note, buf_span(&q->note));
    return rc ? rc : desk_receipt_put(q->sync->agent->desk, sync_origin(q->sync), mid, r);
}

static int delivery_prove(struct asking *q, struct span path)
{
    struct desk *desk = q->sync->agent->desk;
    struct span origin = sync_origin(q->sync);
    uint8_t mid[32], salt[32], leaf[32];
    struct receipt r;
    struct buf record;
    int rc;

    receipt_init(&r);
    buf_init(&record, RECORD_MAX);
    rc = delivery_leaf(q, mid, salt, &record, leaf);
    if (!rc)
        rc = desk_receipt_get(desk, origin, mid, &r);
    if (!rc && !hashes_take(r.path, &r.n_path, path))
        rc = -HL_EPROOF;
    if (!rc)
        rc = merkle_verify_inclusion(leaf, q->index, q->size, HASHES(r.path), r.n_path, q->root);
    if (!rc)
        rc = delivery_keep(q, mid, &r);
    if (!rc)
        rc = desk_opening_add(desk, origin, q->index, SPAN(salt, 32), buf_span(&record), true);
    buf_release(&record);
    receipt_release(&r);
    return rc;
}

static void delivery_proved(void *arg, int rc, struct span path)
{
    struct asking *q = arg;
    struct sync *s = q->sync;

    if (!rc && (rc = desk_begin(s->agent->desk)) == 0) {
        rc = delivery_prove(q, path);
        if (rc)
            desk_abort(s->agent->desk);
        else
            rc = desk_commit(s->agent->desk);
        s->agent->changed++;
    }
    if (rc == -HL_EPROOF)
        rc = sync_fault(s, "a delivery that is not in the log", path);
    if (rc == -HL_ESTORE || rc == -HL_ENOMEM)
        s->error = rc;
    asking_free(q);
}

int receipts_ask(struct sync *s, uint64_t index)
{
    struct asking *q;
    int rc;

    if (!s || s->seen.dead || desk_opening_proved(s->agent->desk, sync_origin(s), index))
        return 0;
    q = calloc(1, sizeof(*q));
    if (!q)
        return -HL_ENOMEM;
    q->sync = s;
    q->index = index;
    q->size = s->seen.range.size;
    merkle_range_root(&s->seen.range, q->root);
    buf_init(&q->note, CHECKPOINT_MAX);
    rc = buf_put_span(&q->note, buf_span(&s->seen.checkpoint));
    if (!rc)
        rc = sync_fetch(s, FETCH_INCLUSION, index, q->size, delivery_proved, q);
    if (!rc)
        return 0;
    asking_free(q);
    return rc == -HL_EBUSY || rc == -HL_ENOANSWER ? 0
                                                  : rc; /* asked again when a receipt is wanted */
}

/* ---- what we submitted ---- */

static int document_leaf(struct sync *s, const struct frame *f, struct span note,
                         uint8_t leaf[static 32], struct buf *record)
{
    struct record r = { .type = RECORD_AGREEMENT, .time_ms = f->time_ms, .note = note };
    int rc = 0;

    if (f->salt.n == 0) { /* a public document is its own entry */
        merkle_leaf(leaf, note);
        return 0;
    }
    rc = record_put(record, &r);
    if (!rc)
        record_leaf(s, f->salt.p, buf_span(record), leaf);
    return rc;
}

static int envelope_leaf(struct sync *s, const struct frame *f, const struct outbound *o,
                         uint8_t leaf[static 32], struct buf *record, uint8_t mid[static 32])
{
    static struct envelope env; /* one loop, one thread */
    int rc = f->salt.n == 32 ? 0 : -HL_EFORMAT;

    if (!rc)
        rc = envelope_decode_front(&env, s->agent->station->realm, SPAN(o->stream.p, o->front_len));
    if (!rc)
        rc = record_put_envelope(record, f->time_ms, &env);
    if (rc)
        return rc;
    memcpy(mid, env.mid, 32);
    record_leaf(s, f->salt.p, buf_span(record), leaf);
    return 0;
}

/* Officers are told; and of what nobody acknowledges this was the end. */
static int recorded_message(struct sync *s, const uint8_t mid[static 32])
{
    struct desk *desk = s->agent->desk;
    struct desk_event e = { .what = EVENT_RECORDED, .mid = mid, .poc = sync_origin(s) };
    struct message m;
    int rc = desk_message(desk, mid, &m);

    e.kind = m.kind;
    if (!rc && !kind_is_bodyless(m.kind))
        rc = desk_event_add(desk, &e);
    if (!rc && !kind_owes_ack(m.kind))
        rc = desk_message_close(desk, mid);
    message_release(&m);
    return rc == -HL_ENOENT ? 0 : rc;
}

static int recorded_own(struct sync *s, const struct frame *f, struct outbound *o)
{
    struct desk *desk = s->agent->desk;
    uint8_t key[32], leaf[32];
    struct buf record;
    int rc;

    buf_init(&record, RECORD_MAX);
    memcpy(key, o->id, 32);
    rc = o->document ? document_leaf(s, f, buf_span(&o->stream), leaf, &record)
                     : envelope_leaf(s, f, o, leaf, &record, key);
    if (!rc)
        rc = receipt_keep(s, f, key, leaf);
    if (!rc && f->salt.n == 32)
        rc = desk_opening_add(desk, sync_origin(s), f->index, f->salt, buf_span(&record), true);
    buf_release(&record);
    if (rc)
        return rc;
    rc = desk_outbox_done(desk, sync_origin(s), o->id);
    if (!rc && !o->document)
        rc = desk_message_state(desk, key, MESSAGE_RECORDED, 0, "");
    if (!rc && !o->document)
        rc = recorded_message(s, key);
    outbound_end(o);
    s->kicked = true;
    return rc;
}

int receipts_recorded(struct sync *s, const struct frame *f)
{
    struct outbound *o = f->tag ? outbound_by_tag(s, f->tag) : NULL;
    struct desk *desk = s->agent->desk;
    int rc;

    if (!o)
        return 0;
    rc = desk_begin(desk);
    if (rc)
        return rc;
    rc = recorded_own(s, f, o);
    if (!rc) {
        s->agent->changed++;
        return desk_commit(desk);
    }
    desk_abort(desk);
    if (rc == -HL_EPROOF || rc == -HL_EFORMAT)
        return sync_fault(s, "a receipt that does not verify", SPAN(f->path, f->n_path * 32));
    return rc == -HL_EINCOMPLETE ? 0 : rc;
}
