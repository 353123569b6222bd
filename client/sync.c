#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/sync_state.h"
#include "client/witness.h"
#include "common/clock.h"
#include "common/error.h"

#define DOCUMENTS_MAX (64u << 20)

static void sync_init(struct sync *s, struct agent *a, const struct station_host *host)
{
    s->agent = a;
    s->host = host;
    s->next_tag = 1;
    s->kicked = true;
    s->down_at = clock_mono_ms();
    buf_init(&s->frame, WIRE_FRAME_MAX);
    buf_init(&s->head.note, CHECKPOINT_MAX);
    buf_init(&s->target.note, CHECKPOINT_MAX);
    buf_init(&s->fetched_documents, DOCUMENTS_MAX);
    for (size_t i = 0; i < SYNC_INBOUND; i++)
        buf_init(&s->inbound[i].stream, ENVELOPE_FRONT_MAX + ENVELOPE_MAX);
    for (size_t i = 0; i < SYNC_OUTBOUND; i++)
        buf_init(&s->outbound[i].stream, ENVELOPE_FRONT_MAX + ENVELOPE_MAX);
    for (size_t i = 0; i < SYNC_SEEN; i++)
        buf_init(&s->claim[i].note, CHECKPOINT_MAX);
}

int sync_open(struct agent *a, const struct station_host *host, struct sync **out)
{
    struct sync *s = calloc(1, sizeof(*s));
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!s)
        return rc;
    sync_init(s, a, host);
    s->dir = directory_new(a->station->realm);
    if (!s->dir)
        goto out;
    rc = catchup_load(s);
    if (rc)
        goto out;
    rc = link_open(a->zmq, host, a->station->transport, &s->link);
    if (rc)
        goto out;
    *out = s;
    s = NULL;
out:
    sync_close(s);
    return rc;
}

void sync_close(struct sync *s)
{
    if (!s)
        return;
    s->phase = SYNC_DOWN; /* so that no callback asks again */
    requests_expire(s, UINT64_MAX);
    link_close(s->link);
    later_release(s);
    others_release(s);
    for (size_t i = 0; i < SYNC_INBOUND; i++)
        buf_release(&s->inbound[i].stream);
    for (size_t i = 0; i < SYNC_OUTBOUND; i++)
        buf_release(&s->outbound[i].stream);
    desk_host_release(&s->seen);
    directory_free(s->dir);
    buf_release(&s->frame);
    buf_release(&s->head.note);
    buf_release(&s->target.note);
    buf_release(&s->fetched_documents);
    free(s);
}

/* ---- faults ---- */

static int fault_event(struct sync *s, const char *what)
{
    struct desk_event e = { .what = EVENT_FAULT, .poc = sync_origin(s), .detail = span_str(what) };

    s->agent->changed++;
    if (strcmp(s->fault, what) == 0)
        return 0; /* said already */
    snprintf(s->fault, sizeof(s->fault), "%s", what);
    return desk_event_add(s->agent->desk, &e);
}

int sync_dead(struct sync *s, const char *what, struct span a, struct span b)
{
    int rc = desk_evidence_add(s->agent->desk, what, a);

    if (!rc && b.n)
        rc = desk_evidence_add(s->agent->desk, what, b);
    s->seen.dead = true;
    if (!rc)
        rc = fault_event(s, what);
    return rc ? rc : desk_host_save(s->agent->desk, sync_origin(s), &s->seen);
}

int sync_fault(struct sync *s, const char *what, struct span bytes)
{
    int rc = desk_evidence_add(s->agent->desk, what, bytes);

    return rc ? rc : fault_event(s, what);
}

/* ---- greeting ---- */

static void sync_fall(struct sync *s, uint64_t mono_ms)
{
    s->phase = SYNC_DOWN;
    s->down_at = mono_ms;
    s->quiet = s->ready = false;
    s->quiet_tag = s->pongs = 0;
    requests_expire(s, UINT64_MAX);
    later_release(s);
    catchup_reset(s);
    openings_reset(s);
    inbound_reset(s);
    outbound_reset(s);
    s->agent->changed++;
}

static int sync_hello(struct sync *s, uint64_t mono_ms)
{
    struct frame f = { .verb = VERB_HELLO,
                       .proto = WIRE_PROTO,
                       .realm = s->agent->station->realm,
                       .poc = span_str(s->agent->station->poc),
                       .since = s->seen.cursor,
                       .note = buf_span(&s->seen.checkpoint) };
    int rc = sync_send(s, &f);

    if (!rc) {
        s->phase = SYNC_ASKED;
        s->asked_at = mono_ms;
    }
    return rc;
}

/* A host that shows less than what it signed before was rolled back; our HELLO showed it that note.
 */
static int welcome_head(struct sync *s, struct span bytes)
{
    struct checkpoint cp;
    struct note note;

    if (bytes.n == 0 || checkpoint_open(&cp, &note, bytes, &s->host->log) != 0)
        return 0;
    if (cp.size < s->seen.range.size)
        return sync_fault(s, "the host shows an older head than it has signed", bytes);
    return catchup_note(s, bytes);
}

static int welcome_numbers(struct sync *s, const struct frame *f)
{
    static const char sentence[] = "this desk is older than its numbers: a new chain was drawn";
    struct desk_event e = { .what = EVENT_FAULT,
                            .poc = sync_origin(s),
                            .detail = span_str(sentence) };
    int drawn = 0, rc = 0;

    for (size_t i = 0; i < f->n_numbers && rc >= 0; i++) {
        rc = desk_known_number(s->agent->desk, f->number[i].channel, f->number[i].chain,
                               f->number[i].seq);
        drawn |= rc == 1;
    }
    if (rc < 0)
        return rc;
    return drawn ? desk_event_add(s->agent->desk, &e) : 0;
}

static int sync_welcome(struct sync *s, const struct frame *f)
{
    int rc;

    if (f->proto != WIRE_PROTO || f->realm != s->agent->station->realm ||
        !span_eq_str(f->origin, s->host->origin))
        return 0; /* another broker behind this address: silence, as if it were down */
    s->phase = SYNC_GREETED;
    s->unanswered = s->dropped = false;
    s->kicked = true;
    rc = welcome_numbers(s, f);
    if (!rc)
        rc = welcome_head(s, f->note);
    s->agent->changed++;
    return rc;
}

/* ---- frames ---- */

int sync_note(struct sync *s, struct span bytes, uint64_t *size)
{
    struct checkpoint cp;
    struct note note;
    int rc = checkpoint_open(&cp, &note, bytes, &s->host->log);

    *size = rc ? 0 : cp.size;
    return rc ? rc : catchup_note(s, bytes);
}

/* What a witness cosigned, its desk catches up with: a station without mail learns of the log's
 * growth so. */
static int sync_witnessed(struct sync *s, struct span body)
{
    struct add_checkpoint *req = malloc(sizeof(*req));
    int rc = req ? add_checkpoint_parse(req, body) : -HL_ENOMEM;

    if (!rc)
        rc = catchup_note(s, req->note);
    free(req);
    return rc == -HL_EFORMAT ? 0 : rc;
}

static int sync_witness(struct sync *s, const struct frame *f)
{
    struct frame answer = { .verb = VERB_COSIGNED, .tag = f->tag };
    struct buf body;
    int rc;

    buf_init(&body, CHECKPOINT_MAX);
    rc = witness_answer(s->agent, s->host, f->note, &answer.status, &body);
    answer.note = buf_span(&body);
    if (!rc)
        rc = sync_send(s, &answer);
    if (!rc && answer.status == 200)
        rc = sync_witnessed(s, f->note);
    buf_release(&body);
    return rc;
}

/*
 * The mailbox is drained when pings come back and no delivery with them: two, since the host
 * answers the first before it sends what our last GOT made room for.
 */
static void sync_pong(struct sync *s, const struct frame *f)
{
    if (f->tag != s->quiet_tag || !f->tag)
        return;
    s->quiet_tag = 0;
    s->pongs = s->frames == s->quiet_frames ? s->pongs + 1 : 0;
    if (s->pongs < 2)
        return;
    s->quiet = true;
    s->agent->changed++;
}

static int sync_refused(struct sync *s, const struct frame *f)
{
    struct request *r = request_find(s, f->tag);

    if (f->tag == 0 && f->code == HL_ESTATE) /* it knows this session no more: greet anew */
        s->dropped = true;
    if (!r)
        return outbound_refused(s, f);
    request_end(r, f->code && f->code < HL_EMAX ? -(int)f->code : -HL_EBROKER, SPAN_NONE);
    return 0;
}

static void sync_fetched_frame(struct sync *s, const struct frame *f)
{
    struct request *r = request_find(s, f->tag);

    if (!r || r->what != f->what)
        return;
    s->fetched_b = f->b;
    request_end(r, 0, f->bytes);
}

static int sync_dispatch(struct sync *s, const struct frame *f)
{
    switch (f->verb) {
    case VERB_WELCOME:
        return sync_welcome(s, f);
    case VERB_RECORDED:
        return receipts_recorded(s, f);
    case VERB_GOT:
        return outbound_got(s, f);
    case VERB_DELIVER:
        s->frames++;
        return inbound_deliver(s, f);
    case VERB_CHUNK:
        s->frames++;
        return inbound_chunk(s, f);
    case VERB_CHECKPOINT:
        return catchup_note(s, f->note);
    case VERB_OPENING:
        s->frames++;
        return openings_take(s, f->index, f->salt, f->bytes);
    case VERB_ADD_CHECKPOINT:
        return sync_witness(s, f);
    case VERB_FETCHED:
        sync_fetched_frame(s, f);
        return 0;
    case VERB_REFUSED:
        return sync_refused(s, f);
    case VERB_PONG:
        sync_pong(s, f);
        return 0;
    case VERB_HELLO:
    case VERB_SUBMIT:
    case VERB_DOCUMENT:
    case VERB_FETCH:
    case VERB_COSIGNED:
    case VERB_PING:
        break;
    }
    return 0;
}

/* Only our own desk and memory end the agent; the link's troubles end with the next greeting. */
static int sync_ours(struct sync *s, int rc)
{
    if (rc == -HL_ESTORE || rc == -HL_ENOMEM)
        s->error = rc;
    return s->error;
}

int sync_frame(struct sync *s, struct span bytes)
{
    static struct frame f; /* 20 kB; one loop, one thread */
    int rc = frame_decode(&f, bytes);

    if (rc)
        return 0; /* hostile bytes do nothing */
    s->heard_at = clock_mono_ms();
    if (s->phase == SYNC_DOWN ||
        (s->phase == SYNC_ASKED && f.verb != VERB_WELCOME && f.verb != VERB_REFUSED))
        return 0;
    return sync_ours(s, sync_dispatch(s, &f));
}

/* ---- time ---- */

static void sync_ping(struct sync *s, uint64_t mono_ms)
{
    struct frame f = { .verb = VERB_PING, .tag = sync_tag(s) };
    bool ask_quiet = !s->quiet && !s->quiet_tag && sync_current(s);

    if (!ask_quiet &&
        (mono_ms - s->heard_at < SYNC_PING_MS || mono_ms - s->pinged_at < SYNC_PING_MS))
        return;
    s->pinged_at = mono_ms;
    if (sync_send(s, &f) == 0 && ask_quiet) {
        s->quiet_tag = f.tag;
        s->quiet_frames = s->frames;
    }
}

static int sync_greeted(struct sync *s, uint64_t mono_ms)
{
    int rc = catchup_tick(s, mono_ms);

    if (!rc)
        rc = later_run(s, mono_ms);
    if (!rc)
        rc = openings_tick(s);
    if (!rc)
        rc = others_tick(s);
    if (!rc)
        rc = outbound_scan(s, mono_ms);
    if (!s->ready && sync_current(s)) {
        s->ready = true;
        s->agent->upkeep_at = 0; /* now it can judge what is due */
        s->agent->changed++;
    }
    sync_ping(s, mono_ms);
    if (mono_ms - s->heard_at > 3 * SYNC_PING_MS)
        sync_fall(s, mono_ms);
    return rc;
}

/* Silence has two forms: no answer to HELLO, and (a key the host does not know) no end of the
 * handshake. */
static void sync_silence(struct sync *s, uint64_t mono_ms)
{
    uint64_t since = s->phase == SYNC_ASKED ? s->asked_at : s->down_at;

    if (s->phase == SYNC_GREETED || mono_ms - since <= SYNC_ANSWER_MS)
        return;
    if (!s->unanswered)
        s->agent->changed++;
    s->unanswered = true;
    if (s->phase == SYNC_ASKED)
        sync_fall(s, mono_ms);
}

int sync_tick(struct sync *s, uint64_t mono_ms, int *next)
{
    int link_next = link_tick(s->link, mono_ms), rc = 0;

    if (link_state(s->link) == LINK_DOWN && s->phase != SYNC_DOWN)
        sync_fall(s, mono_ms);
    sync_silence(s, mono_ms);
    if (s->phase == SYNC_GREETED && s->dropped && !s->later)
        sync_fall(s, mono_ms);
    if (s->phase == SYNC_DOWN && link_state(s->link) == LINK_UP)
        rc = sync_hello(s, mono_ms);
    requests_expire(s, mono_ms);
    if (s->phase == SYNC_GREETED)
        rc = sync_greeted(s, mono_ms);
    *next = s->phase == SYNC_GREETED ? 1000 : 200;
    if (link_next >= 0 && link_next < *next)
        *next = link_next;
    return sync_ours(s, rc);
}
