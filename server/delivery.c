#include "server/delivery_inner.h"

#include <stdlib.h>
#include <string.h>

#include "common/cbor.h"
#include "common/error.h"
#include "common/record.h"

int deliveries_open(struct store *st, enum realm realm, struct mailboxes *ms, struct outbox *out,
                    struct deliveries **result)
{
    struct deliveries *d = calloc(1, sizeof(*d));

    *result = d;
    if (!d)
        return -HL_ENOMEM;
    *d = (struct deliveries){ .store = st, .realm = realm, .mailboxes = ms, .outbox = out };
    stored_init(&d->stored);
    buf_init(&d->chunk, WIRE_CHUNK);
    return 0;
}

void deliveries_close(struct deliveries *d)
{
    if (!d)
        return;
    stored_release(&d->stored);
    buf_release(&d->chunk);
    free(d);
}

uint64_t delivery_damaged(const struct deliveries *d)
{
    return d->damaged;
}

void delivery_touch(struct deliveries *d, struct office *o, bool event)
{
    if (!o)
        return;
    if (event && o->current && o->current->offers)
        o->current->offers->events = true;
    if (o->dirty)
        return;
    o->dirty = true;
    o->dirty_next = d->dirty;
    d->dirty = o;
}

/* ---- a connection's offers ---- */

void offer_free(struct offers *os, struct offer **at)
{
    struct offer *o = *at;

    *at = o->next;
    if (os->last == &o->next)
        os->last = at;
    os->n--;
    buf_release(&o->front);
    free(o);
}

void delivery_end(struct deliveries *d, struct session *s)
{
    (void)d;
    if (!s->offers)
        return;
    while (s->offers->first)
        offer_free(s->offers, &s->offers->first);
    free(s->offers);
    s->offers = NULL;
}

int delivery_start(struct deliveries *d, struct session *s, uint64_t since)
{
    struct mailbox *mb;
    int rc = mailbox_get(d->mailboxes, session_poc(s), &mb);

    if (rc)
        return rc;
    delivery_end(d, s);
    s->offers = calloc(1, sizeof(*s->offers));
    if (!s->offers)
        return -HL_ENOMEM;
    s->offers->last = &s->offers->first;
    s->offers->event = since;
    s->offers->credit = OPENING_CREDIT;
    mailbox_rewind(mb);
    delivery_touch(d, s->office, true);
    return 0;
}

void delivery_credit(struct deliveries *d, struct session *s)
{
    if (!s->offers || s->offers->credit == OPENING_CREDIT)
        return;
    s->offers->credit = OPENING_CREDIT;
    delivery_touch(d, s->office, false);
}

uint64_t *offer_window(struct offers *os, enum rank rank)
{
    return rank == RANK_FLASH ? &os->flash : &os->ordinary;
}

void delivery_got(struct deliveries *d, struct session *s, uint64_t tag, uint64_t offset)
{
    struct offer **at = s->offers ? &s->offers->first : NULL;

    while (at && *at && (*at)->tag != tag)
        at = &(*at)->next;
    if (!at || !*at || offset > (*at)->sent || offset <= (*at)->got)
        return;
    *offer_window(s->offers, (*at)->rank) -= offset - (*at)->got;
    (*at)->got = offset;
    if (offset == (*at)->total)
        offer_free(s->offers, at);
    delivery_touch(d, s->office, false);
}

/* ---- one envelope ---- */

int delivery_front(struct buf *out, const struct stored *entry)
{
    struct record rec;
    int rc = record_decode(&rec, buf_span(&entry->record));

    if (rc || rec.type != RECORD_ENVELOPE)
        return -HL_ESTORE;
    cbor_put_array(out, 7);
    cbor_put_uint(out, 1);
    cbor_put_bytes(out, rec.header);
    cbor_put_bytes(out, rec.stamp);
    cbor_put_bytes(out, buf_span(&entry->wraps));
    cbor_put_bytes(out, SPAN(rec.body_hash, 32));
    cbor_put_uint(out, entry->body_len);
    cbor_put_bytes(out, SPAN(rec.sig, 64));
    return out->bad;
}

struct offer *offer_new(struct deliveries *d, struct offers *os, enum rank rank)
{
    struct offer *o = calloc(1, sizeof(*o));

    if (!o)
        return NULL;
    buf_init(&o->front, ENVELOPE_FRONT_MAX);
    if (delivery_front(&o->front, &d->stored)) {
        buf_release(&o->front);
        free(o);
        return NULL;
    }
    d->tag = d->tag % (UINT64_C(1) << 32) + 1;
    o->tag = d->tag;
    o->index = d->stored.index;
    o->rank = rank;
    o->front_len = o->front.n;
    o->total = o->front_len + d->stored.body_len;
    *os->last = o;
    os->last = &o->next;
    os->n++;
    return o;
}

/* Does the whole of it ride in one frame?  Then its body is in d->chunk. */
static bool inline_body(struct deliveries *d, const struct offer *o)
{
    buf_clear(&d->chunk);
    return o->total <= WIRE_INLINE &&
           (o->total == o->front_len || store_read_chunk(d->store, o->index, 0, &d->chunk) == 0);
}

/* The DELIVER frame of the entry in d->stored; false when the window has no room for it. */
bool offer_begin(struct deliveries *d, struct session *s, struct offer *o, unsigned flags)
{
    uint64_t *window = offer_window(s->offers, o->rank);
    struct frame f = { .verb = VERB_DELIVER,
                       .tag = o->tag,
                       .index = d->stored.index,
                       .time_ms = d->stored.time_ms,
                       .salt = SPAN(d->stored.salt, 32),
                       .flags = flags,
                       .front_len = o->front_len };

    f.front = SPAN(o->front.p, o->front_len < WIRE_CHUNK ? o->front_len : WIRE_CHUNK);
    if (inline_body(d, o))
        f.body = buf_span(&d->chunk);
    if (*window && *window + f.front.n + f.body.n > WIRE_WINDOW)
        return false;
    o->sent = f.front.n + f.body.n;
    *window += o->sent;
    if (s->concern <= o->index)
        s->concern = o->index + 1;
    outbox_put(d->outbox, s->conn, &f);
    return true;
}

static int body_chunk(struct deliveries *d, const struct offer *o, struct span *bytes)
{
    uint64_t at = o->sent - o->front_len;
    int rc;

    buf_clear(&d->chunk);
    rc = store_read_chunk(d->store, o->index, at / WIRE_CHUNK, &d->chunk);
    if (rc || d->chunk.n <= at % WIRE_CHUNK)
        return rc ? rc : -HL_ESTORE;
    *bytes = SPAN(d->chunk.p + at % WIRE_CHUNK, d->chunk.n - at % WIRE_CHUNK);
    return 0;
}

/* Next piece of @o.  0: sent; 1: no room; an error: it cannot be read. */
int offer_continue(struct deliveries *d, struct session *s, struct offer *o)
{
    uint64_t *window = offer_window(s->offers, o->rank);
    struct frame f = { .verb = VERB_CHUNK, .tag = o->tag, .offset = o->sent };
    size_t left = o->front_len > o->sent ? o->front_len - o->sent : 0;
    int rc = 0;

    if (left)
        f.bytes = SPAN(o->front.p + o->sent, left < WIRE_CHUNK ? left : WIRE_CHUNK);
    else if (*window < WIRE_WINDOW)
        rc = body_chunk(d, o, &f.bytes);
    else
        return 1;
    if (rc)
        return rc;
    if (*window && *window + f.bytes.n > WIRE_WINDOW)
        return 1;
    o->sent += f.bytes.n;
    *window += f.bytes.n;
    if (o->sent >= o->front_len)
        buf_release(&o->front);
    outbox_put(d->outbox, s->conn, &f);
    return 0;
}
