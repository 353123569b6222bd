#include "server/delivery_inner.h"

#include <stdlib.h>

#include "common/error.h"
#include "common/record.h"

/* Mail of a rank comes from the mailbox's lane of that precedence. */
static const int precedence_of[RANKS] = { PRECEDENCE_FLASH, PRECEDENCE_IMMEDIATE, -1,
                                          PRECEDENCE_PRIORITY, PRECEDENCE_ROUTINE };

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
    *offer_window(p->s->offers, o->rank) -= o->sent - o->got;
    offer_free(p->s->offers, at);
}

/* The rest of @o, as far as window and budget allow.  An error: it cannot be read. */
static int pump_rest(struct pump *p, struct offer *o)
{
    int rc = 0;

    while (o->sent < o->total && !rc && !p->full) {
        uint64_t before = o->sent;

        rc = offer_continue(p->d, p->s, o);
        spend(p, o->sent - before);
    }
    p->full = p->full || rc > 0;
    return rc < 0 ? rc : 0;
}

static void pump_begun(struct pump *p)
{
    for (struct offer **at = &p->s->offers->first; *at && !p->full;) {
        if ((*at)->rank == p->rank && pump_rest(p, *at))
            give_up(p, at);
        else
            at = &(*at)->next;
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
    if (pump_rest(p, o))
        give_up(p, at);
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

int delivery_pump(struct deliveries *d, size_t budget, bool flash)
{
    struct office *todo = d->dirty;
    int rc = 0;

    for (struct office *o = todo; o && !rc; o = o->dirty_next)
        if (o->current && o->current->offers)
            rc = pump_rank(d, o->current, RANK_FLASH, &budget);
    if (rc || flash)
        return rc ? rc : todo != NULL;
    d->dirty = NULL;
    for (struct office *o = todo, *next; o; o = next) {
        next = o->dirty_next;
        o->dirty = false;
        for (enum rank r = RANK_IMMEDIATE; r < RANKS && !rc; r++)
            if (o->current && o->current->offers)
                rc = pump_rank(d, o->current, r, &budget);
        if (budget == 0)
            delivery_touch(d, o, false);
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
