#include <stdio.h>
#include <string.h>

#include "client/compose.h"
#include "client/sync_state.h"
#include "common/clock.h"
#include "common/error.h"

struct outbound *outbound_by_tag(struct sync *s, uint64_t tag)
{
    for (size_t i = 0; i < SYNC_OUTBOUND; i++)
        if (s->outbound[i].used && !s->outbound[i].waiting && s->outbound[i].tag == tag)
            return &s->outbound[i];
    return NULL;
}

static struct outbound *outbound_by_id(struct sync *s, const uint8_t id[static 32])
{
    for (size_t i = 0; i < SYNC_OUTBOUND; i++)
        if (s->outbound[i].used && memcmp(s->outbound[i].id, id, 32) == 0)
            return &s->outbound[i];
    return NULL;
}

void outbound_end(struct outbound *o)
{
    o->used = false;
    buf_release(&o->stream);
}

/* What was on its way is sent again after the next greeting: a duplicate gets the same entry's
 * receipt. */
void outbound_reset(struct sync *s)
{
    for (size_t i = 0; i < SYNC_OUTBOUND; i++)
        outbound_end(&s->outbound[i]);
    s->kicked = true;
}

/* ---- sending ---- */

static int outbound_submit(struct sync *s, struct outbound *o)
{
    struct span stream = buf_span(&o->stream);
    struct frame f = { .verb = VERB_SUBMIT, .tag = o->tag, .front_len = o->front_len };

    if (o->document) {
        f.verb = VERB_DOCUMENT;
        f.note = stream;
        return sync_send(s, &f);
    }
    f.front = SPAN(stream.p, o->front_len < WIRE_CHUNK ? o->front_len : WIRE_CHUNK);
    o->sent = f.front.n;
    if (!o->repeated && stream.n <= WIRE_INLINE) {
        f.body = SPAN(stream.p + o->front_len, stream.n - o->front_len);
        o->sent = stream.n;
    }
    return sync_send(s, &f);
}

/* Chunks within the window that the broker granted. */
static int outbound_pump(struct sync *s, struct outbound *o)
{
    int rc = 0;

    while (!rc && o->sent < o->stream.n && o->sent < o->granted) {
        size_t n = o->stream.n - o->sent;
        struct frame f = { .verb = VERB_CHUNK, .tag = o->tag, .offset = o->sent };

        if (n > WIRE_CHUNK)
            n = WIRE_CHUNK;
        if (n > o->granted - o->sent)
            n = (size_t)(o->granted - o->sent);
        f.bytes = SPAN(o->stream.p + o->sent, n);
        rc = sync_send(s, &f);
        if (!rc)
            o->sent += n;
    }
    return rc == -HL_EBUSY ? 0 : rc;
}

int outbound_got(struct sync *s, const struct frame *f)
{
    struct outbound *o = outbound_by_tag(s, f->tag);

    if (!o || o->document || f->offset > o->stream.n)
        return 0;
    if (f->offset > o->sent) /* resumption: the broker holds more than we sent on this connection */
        o->sent = f->offset;
    if (!o->granted && f->offset < o->sent)
        o->sent = f->offset;
    o->granted = f->offset + WIRE_WINDOW;
    if (f->offset < o->front_len && o->granted > o->front_len)
        o->granted = o->front_len; /* no body before the verdict on its front */
    return outbound_pump(s, o);
}

/* ---- from the outbox ---- */

static int outbound_load(struct outbound *o, enum realm realm, const struct outbox_row *row)
{
    static struct envelope env; /* one loop, one thread */
    int rc;

    o->document = row->document;
    if (o->document)
        return buf_put_span(&o->stream, row->bytes);
    rc = envelope_decode(&env, realm, row->bytes);
    if (!rc)
        rc = envelope_put_front(&o->stream, &env);
    o->front_len = o->stream.n;
    return rc ? -HL_ESTORE : buf_put_span(&o->stream, env.body);
}

/* Documents go one by one, in order: each may need the one before it. */
static bool outbound_document_out(const struct sync *s)
{
    for (size_t i = 0; i < SYNC_OUTBOUND; i++)
        if (s->outbound[i].used && s->outbound[i].document)
            return true;
    return false;
}

static struct outbound *outbound_free(struct sync *s)
{
    for (size_t i = 0; i < SYNC_OUTBOUND; i++)
        if (!s->outbound[i].used)
            return &s->outbound[i];
    return NULL;
}

static int carried_unrecorded(struct sync *s, const uint8_t mid[static 32], bool *early)
{
    struct message m;
    struct receipt r;
    int rc = desk_message(s->agent->desk, mid, &m);

    receipt_init(&r);
    if (!rc && m.carried && m.way == MESSAGE_IN) {
        rc = desk_receipt_get(s->agent->desk, sync_origin(s), mid, &r);
        *early = rc == -HL_ENOENT;
    }
    receipt_release(&r);
    message_release(&m);
    return rc == -HL_ENOENT ? 0 : rc;
}

/*
 * A step on a message that came by hand waits until this host has recorded that message and
 * delivered it here: sent before, it is refused, or takes the message out of our mailbox before its
 * record has come.
 */
static int outbound_early(struct sync *s, const struct outbox_row *row, bool *early)
{
    static struct envelope env; /* one loop, one thread */

    *early = false;
    if (row->document || envelope_decode(&env, s->agent->station->realm, row->bytes) != 0 ||
        !kind_is_step(env.header.kind) || env.header.n_refs == 0)
        return 0;
    return carried_unrecorded(s, env.header.ref[0], early);
}

static int outbound_each(void *arg, const struct outbox_row *row)
{
    struct sync *s = arg;
    struct outbound *o = outbound_free(s);
    bool early;
    int rc;

    if (outbound_by_id(s, row->id) || (row->document && outbound_document_out(s)))
        return 0;
    rc = outbound_early(s, row, &early);
    if (rc || early)
        return rc;
    if (!o) {
        s->kicked = true; /* more than fits: look again when one is done */
        return 1;
    }
    buf_clear(&o->stream);
    o->front_len = o->granted = o->sent = 0;
    o->waiting = o->repeated = false;
    o->retries = 0;
    rc = outbound_load(o, s->agent->station->realm, row);
    if (rc)
        return rc;
    memcpy(o->id, row->id, 32);
    o->precedence = row->precedence;
    o->tag = sync_tag(s);
    rc = outbound_submit(s, o);
    o->used = rc == 0;
    return rc;
}

static int outbound_retry(struct sync *s, struct outbound *o, uint64_t mono_ms)
{
    int rc;

    if (!o->used || !o->waiting || mono_ms < o->retry_at)
        return 0;
    o->waiting = false;
    o->repeated = true;
    o->granted = o->sent = 0;
    o->tag = sync_tag(s);
    rc = outbound_submit(s, o);
    if (rc)
        outbound_end(o);
    return rc;
}

int outbound_scan(struct sync *s, uint64_t mono_ms)
{
    int rc = 0;

    if (s->seen.dead)
        return 0; /* nothing is entrusted to it any more */
    for (size_t i = 0; i < SYNC_OUTBOUND && !rc; i++)
        rc = outbound_retry(s, &s->outbound[i], mono_ms);
    for (size_t i = 0; i < SYNC_OUTBOUND && !rc; i++)
        if (s->outbound[i].used && !s->outbound[i].waiting && s->outbound[i].granted)
            rc = outbound_pump(s, &s->outbound[i]);
    if (rc || (!s->kicked && mono_ms < s->scan_at))
        return rc;
    s->kicked = false;
    s->scan_at = mono_ms + SYNC_RETRY_MS;
    rc = desk_outbox_each(s->agent->desk, sync_origin(s), outbound_each, s);
    return rc > 0 ? 0 : rc;
}

/* ---- refusals ---- */

int outbound_file(const struct sync *s, const struct outbound *o, uint8_t mid[static 32],
                  struct buf *file)
{
    static struct envelope env; /* one loop, one thread */
    int rc = envelope_decode_front(&env, s->agent->station->realm, SPAN(o->stream.p, o->front_len));

    if (!rc && o->stream.n > o->front_len)
        rc = envelope_set_body(&env, SPAN(o->stream.p + o->front_len, o->stream.n - o->front_len));
    memcpy(mid, env.mid, 32);
    return rc ? rc : envelope_put(file, &env);
}

/* Passing: the same envelope may be taken later.  Everything else is for the officer. */
static bool refusal_passes(uint64_t code)
{
    return code == HL_EBROKER || code == HL_EQUOTA || code == HL_ESPACE || code == HL_ETARGET;
}

static int refusal_wait(struct outbound *o)
{
    uint64_t ms = (uint64_t)SYNC_RETRY_MS << (o->retries < 5 ? o->retries : 5);

    o->waiting = true;
    o->retries++;
    o->retry_at = clock_mono_ms() + (ms < SYNC_RETRY_MAX_MS ? ms : SYNC_RETRY_MAX_MS);
    return 0;
}

/*
 * No host is left that will record it: officers are told, and its number is closed.  A machine's
 * step that met a number of an older desk is made again under the new chain.
 */
static int refusal_final(struct sync *s, const uint8_t mid[static 32], int code,
                         const char *sentence)
{
    struct agent *a = s->agent;
    struct desk_event e = { .what = EVENT_REFUSED,
                            .mid = mid,
                            .code = (unsigned)-code,
                            .poc = sync_origin(s),
                            .detail = span_str(sentence) };
    struct message m;
    int rc = desk_message(a->desk, mid, &m);

    if (!rc)
        rc = desk_message_state(a->desk, mid, MESSAGE_REFUSED, code, sentence);
    if (!rc && code == -HL_ENUMBER)
        rc = desk_number_renew(a->desk, m.channel, m.chain);
    e.kind = m.kind;
    if (!rc)
        rc = desk_event_add(a->desk, &e);
    if (!rc && code == -HL_ENUMBER && (m.kind == KIND_DELIVERED || m.kind == KIND_CANNOT_READ))
        rc = compose_again(a, &m);
    else if (!rc && code != -HL_ENUMBER && m.kind != KIND_VOID)
        rc = compose_void(a, &m);
    message_release(&m);
    return rc == -HL_ESTORE || rc == -HL_ENOMEM ? rc : 0;
}

static int refusal_keep(struct sync *s, struct outbound *o, int code, const char *sentence)
{
    uint8_t mid[32];
    bool last;
    int rc = desk_outbox_refuse(s->agent->desk, sync_origin(s), o->id, code, sentence, &last);

    if (rc || !last || o->document)
        return rc;
    rc = desk_message_by_id(s->agent->desk, o->id, mid);
    if (rc)
        return rc == -HL_ENOENT ? 0 : rc; /* sealed again meanwhile */
    return refusal_final(s, mid, code, sentence);
}

int outbound_refused(struct sync *s, const struct frame *f)
{
    struct outbound *o = f->tag ? outbound_by_tag(s, f->tag) : NULL;
    struct agent *a = s->agent;
    char sentence[256];
    int rc;

    if (!f->tag)
        snprintf(s->fault, sizeof(s->fault), "%.*s", (int)f->sentence.n,
                 (const char *)f->sentence.p);
    if (!o)
        return 0;
    a->changed++;
    if (refusal_passes(f->code))
        return refusal_wait(o);
    snprintf(sentence, sizeof(sentence), "%.*s", (int)f->sentence.n, (const char *)f->sentence.p);
    rc = desk_begin(a->desk);
    if (rc)
        return rc;
    rc = refusal_keep(s, o, f->code && f->code < HL_EMAX ? -(int)f->code : -HL_EBROKER, sentence);
    outbound_end(o);
    if (!rc)
        return desk_commit(a->desk);
    desk_abort(a->desk);
    return rc;
}
