#include "server/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "common/cbor.h"
#include "common/error.h"
#include "common/record.h"

/* What is sent first; mail of a rank comes from the mailbox's lane of that precedence. */
enum rank { RANK_FLASH, RANK_IMMEDIATE, RANK_EVENTS, RANK_PRIORITY, RANK_ROUTINE, RANKS };

static const int precedence_of[RANKS] = { PRECEDENCE_FLASH, PRECEDENCE_IMMEDIATE, -1,
                                          PRECEDENCE_PRIORITY, PRECEDENCE_ROUTINE };

/* One envelope on its way on one connection. */
struct offer {
    struct offer *next;
    uint64_t tag, index;
    enum rank rank;
    size_t front_len;
    struct buf front; /* while it is not all sent */
    uint64_t total, sent, got;
};

struct offers {
    struct offer *first, **last;
    size_t n;
    uint64_t ordinary, flash; /* bytes in flight */
    uint64_t event;           /* events from here on are to be sent */
    bool events;              /* there may be some */
    size_t credit;            /* bytes of openings */
};

struct deliveries {
    struct store *store;
    enum realm realm;
    struct mailboxes *mailboxes;
    struct outbox *outbox;
    struct office *dirty;
    uint64_t tag, damaged;
    struct stored stored; /* scratch */
    struct buf chunk;     /* scratch */
};

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

void delivery_touch(struct deliveries *d, struct office *o)
{
    if (!o)
        return;
    if (o->current && o->current->offers)
        o->current->offers->events = true;
    if (o->dirty)
        return;
    o->dirty = true;
    o->dirty_next = d->dirty;
    d->dirty = o;
}

/* ---- a connection's offers ---- */

static void offer_free(struct offers *os, struct offer **at)
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
    delivery_touch(d, s->office);
    return 0;
}

void delivery_credit(struct deliveries *d, struct session *s)
{
    if (!s->offers || s->offers->credit == OPENING_CREDIT)
        return;
    s->offers->credit = OPENING_CREDIT;
    delivery_touch(d, s->office);
}

static uint64_t *window_of(struct offers *os, enum rank rank)
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
    *window_of(s->offers, (*at)->rank) -= offset - (*at)->got;
    (*at)->got = offset;
    if (offset == (*at)->total)
        offer_free(s->offers, at);
    delivery_touch(d, s->office);
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

static struct offer *offer_new(struct deliveries *d, struct offers *os, enum rank rank)
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
static bool offer_begin(struct deliveries *d, struct session *s, struct offer *o, unsigned flags)
{
    uint64_t *window = window_of(s->offers, o->rank);
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
static int offer_continue(struct deliveries *d, struct session *s, struct offer *o)
{
    uint64_t *window = window_of(s->offers, o->rank);
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

/* ---- pump ---- */

struct pump {
    struct deliveries *d;
    struct session *s;
    enum rank rank;
    size_t *budget;
    bool full; /* no room or no budget: nothing more of this rank */
};

static void spend(struct pump *p, uint64_t n)
{
    *p->budget -= n < *p->budget ? (size_t)n : *p->budget;
    p->full = p->full || *p->budget == 0;
}

/* What cannot be read waits for the operator; the rest goes on. */
static void give_up(struct pump *p, struct offer **at)
{
    struct offer *o = *at;

    p->d->damaged++;
    *window_of(p->s->offers, o->rank) -= o->sent - o->got;
    offer_free(p->s->offers, at);
}

static void pump_begun(struct pump *p)
{
    struct offers *os = p->s->offers;

    for (struct offer **at = &os->first; *at && !p->full;) {
        struct offer *o = *at;
        int rc = 0;

        while (o->rank == p->rank && o->sent < o->total && !rc && !p->full) {
            uint64_t before = o->sent;

            rc = offer_continue(p->d, p->s, o);
            spend(p, o->sent - before);
        }
        p->full = p->full || rc > 0;
        if (rc < 0)
            give_up(p, at);
        else
            at = &o->next;
    }
}

/* Offer the entry that is in d->stored.  1: no room now; 0; -HL_ESTORE: damaged. */
static int offer_stored(struct pump *p, unsigned flags)
{
    struct offers *os = p->s->offers;
    struct offer **at = os->last, *o;

    if (os->n >= DELIVERIES_MAX)
        return 1;
    o = offer_new(p->d, os, p->rank);
    if (!o)
        return -HL_ESTORE;
    if (!offer_begin(p->d, p->s, o, flags)) {
        offer_free(os, at);
        return 1;
    }
    spend(p, o->sent);
    if (o->sent >= o->front_len)
        buf_release(&o->front);
    return 0;
}

/* An alternate's copy moves when it was escalated; its flag tells the client why it comes. */
static unsigned mail_flags(const struct deliveries *d, struct span poc)
{
    struct record rec;
    unsigned flags = 0;
    struct header *h;

    if (record_decode(&rec, buf_span(&d->stored.record)) || rec.type != RECORD_ENVELOPE)
        return 0;
    h = malloc(sizeof(*h));
    if (h && header_decode(h, d->realm, rec.header) == 0)
        for (size_t i = 0; i < h->n_to; i++)
            if (h->to[i].role > ROLE_ALTERNATE && span_eq(h->to[i].poc, poc))
                flags = DELIVER_ESCALATED;
    free(h);
    return flags;
}

static void pump_mail(struct pump *p, struct mailbox *mb)
{
    struct mail *mail;
    int rc = 0;

    while (rc <= 0 && !p->full &&
           (mail = mailbox_next(mb, (unsigned)precedence_of[p->rank], p->s->hello))) {
        rc = store_read(p->d->store, mail->index, &p->d->stored);
        if (!rc)
            rc = offer_stored(p, mail_flags(p->d, session_poc(p->s)));
        if (rc == 0)
            mail->offered = p->s->hello;
        if (rc < 0) {
            mail->damaged = true;
            p->d->damaged++;
        }
    }
    p->full = p->full || rc > 0;
}

static bool is_opening(const struct stored *e)
{
    return e->kind == ENTRY_NOTICE || e->kind == ENTRY_AGREEMENT;
}

static void send_opening(struct deliveries *d, struct session *s)
{
    struct frame f = { .verb = VERB_OPENING,
                       .index = d->stored.index,
                       .salt = SPAN(d->stored.salt, 32),
                       .bytes = buf_span(&d->stored.record) };

    if (s->concern <= d->stored.index)
        s->concern = d->stored.index + 1;
    outbox_put(d->outbox, s->conn, &f);
}

static int pump_event(void *arg, uint64_t index)
{
    struct pump *p = arg;
    struct offers *os = p->s->offers;
    int rc = store_read(p->d->store, index, &p->d->stored);

    if (!rc && is_opening(&p->d->stored)) {
        if (os->credit < OPENING_CREDIT && os->credit < p->d->stored.record.n)
            rc = 1;
        else
            send_opening(p->d, p->s);
        if (!rc)
            os->credit -= p->d->stored.record.n < os->credit ? p->d->stored.record.n : os->credit;
        spend(p, rc ? 0 : p->d->stored.record.n);
    } else if (!rc) {
        rc = offer_stored(p, DELIVER_EVENT);
    }
    if (rc < 0)
        p->d->damaged++;
    if (rc <= 0)
        os->event = index + 1;
    p->full = p->full || rc > 0;
    return p->full;
}

static int pump_events(struct pump *p)
{
    struct offers *os = p->s->offers;
    uint64_t from;
    int rc;

    do {
        from = os->event;
        rc = store_each_event(p->d->store, session_poc(p->s), os->event, 64, pump_event, p);
    } while (rc == 0 && !p->full && os->event != from);
    if (!p->full)
        os->events = false;
    return rc < 0 ? rc : 0;
}

static int pump_rank(struct deliveries *d, struct session *s, enum rank rank, size_t *budget)
{
    struct pump p = { d, s, rank, budget, *budget == 0 };
    struct mailbox *mb;
    int rc;

    pump_begun(&p);
    if (p.full)
        return 0;
    if (precedence_of[rank] < 0)
        return s->offers->events ? pump_events(&p) : 0;
    rc = mailbox_get(d->mailboxes, session_poc(s), &mb);
    if (!rc)
        pump_mail(&p, mb);
    return rc;
}

int delivery_pump(struct deliveries *d, size_t budget)
{
    struct office *todo = d->dirty;
    int rc = 0;

    d->dirty = NULL;
    for (struct office *o = todo; o && !rc; o = o->dirty_next)
        if (o->current && o->current->offers)
            rc = pump_rank(d, o->current, RANK_FLASH, &budget);
    for (struct office *o = todo, *next; o; o = next) {
        next = o->dirty_next;
        o->dirty = false;
        for (enum rank r = RANK_IMMEDIATE; o->current && o->current->offers && r < RANKS && !rc;
             r++)
            rc = pump_rank(d, o->current, r, &budget);
        if (budget == 0)
            delivery_touch(d, o);
    }
    return rc ? rc : d->dirty != NULL;
}

/* ---- FETCH OPENINGS ---- */

struct replay {
    struct pump pump;
    size_t bytes;
    uint64_t next;
};

/* Small ones go at once, by the client's leave; one in pieces needs the window. */
static int replay_one(void *arg, uint64_t index)
{
    struct replay *r = arg;
    struct deliveries *d = r->pump.d;
    int rc = store_read(d->store, index, &d->stored);

    if (!rc && r->bytes && r->bytes + d->stored.record.n + d->stored.wraps.n > WIRE_WINDOW)
        return 1;
    if (!rc && is_opening(&d->stored))
        send_opening(d, r->pump.s);
    else if (!rc)
        rc = offer_stored(&r->pump, DELIVER_EVENT);
    if (rc > 0)
        return 1;
    d->damaged += rc < 0;
    r->bytes += d->stored.record.n + d->stored.wraps.n;
    r->next = index + 1;
    return 0;
}

int delivery_events(struct deliveries *d, struct session *s, uint64_t from, size_t max,
                    uint64_t *next)
{
    size_t budget = SIZE_MAX;
    struct replay r = { .pump = { d, s, RANK_EVENTS, &budget, false }, .next = from };
    int rc = s->offers ? store_each_event(d->store, session_poc(s), from, max, replay_one, &r)
                       : -HL_ESTATE;

    *next = r.next;
    return rc < 0 ? rc : 0;
}
