#include "server/frames.h"

#include <string.h>

#include "common/error.h"

/* ---- HELLO ---- */

struct numbers {
    struct frame *f;
    uint8_t channel[WIRE_NUMBERS_MAX][32], chain[WIRE_NUMBERS_MAX][16];
};

static int add_number(void *arg, const uint8_t channel[static 32], const uint8_t chain[static 16],
                      uint64_t seq)
{
    struct numbers *n = arg;
    size_t i = n->f->n_numbers;

    if (i == WIRE_NUMBERS_MAX)
        return 0;
    memcpy(n->channel[i], channel, 32);
    memcpy(n->chain[i], chain, 16);
    n->f->number[i] = (struct wire_number){ n->channel[i], n->chain[i], seq };
    n->f->n_numbers++;
    return 0;
}

static int welcome(struct stages *st, struct session *s)
{
    struct frame f = { .verb = VERB_WELCOME,
                       .proto = WIRE_PROTO,
                       .realm = st->conf.realm,
                       .origin = span_str(st->conf.origin),
                       .note = buf_span(&st->head.note),
                       .size = st->committed.size,
                       .time_ms = st->now_ms };
    struct numbers n = { .f = &f };
    int rc = store_each_number(st->store, session_poc(s), add_number, &n);

    s->checkpoint = st->head.size;
    outbox_put(&st->outbox, s->conn, &f);
    return rc;
}

/* What the client holds against us: only our own signature counts. */
static int compare_checkpoint(struct stages *st, struct session *s, struct span note)
{
    int rc = head_compare(&st->head, &st->committed, note);

    if (rc != -HL_EFORK || st->head.dead || st->death.n)
        return rc == -HL_EFORK ? 0 : rc;
    stages_diag(st, 3,
                "%s holds a checkpoint signed by this log that this store does not contain: the "
                "store was rolled back",
                s->office->poc);
    return buf_put_span(&st->death, note);
}

static int hello_error(const struct stages *st, const struct session *s, const struct frame *f)
{
    if (f->proto != WIRE_PROTO)
        return -HL_ESUITE;
    if (f->realm != st->conf.realm)
        return -HL_EREALM;
    return span_eq(f->poc, session_poc(s)) ? 0 : -HL_EKEY;
}

static int hello(struct stages *st, struct session *s, const struct frame *f)
{
    struct session *oldest, *current = s->office->current;
    int rc = hello_error(st, s, f);

    if (rc) {
        outbox_refuse(&st->outbox, s->conn, 0, rc, NULL);
        return 0;
    }
    st->metrics.hellos++;
    rc = compare_checkpoint(st, s, f->note);
    if (rc)
        return rc;
    head_hello(&st->head, session_poc(s));
    if (current && current != s)
        delivery_end(st->deliveries, current);
    s->since = f->since;
    s->concern = s->witnessed = 0;
    session_ready(st->sessions, s, &oldest);
    if (oldest) {
        outbox_refuse(&st->outbox, oldest->conn, 0, -HL_EBUSY,
                      "another station of this PoC has connected");
        stages_session_end(st, oldest);
    }
    rc = welcome(st, s);
    return rc ? rc : delivery_start(st->deliveries, s, s->since);
}

/* ---- the others ---- */

static void pong(struct stages *st, struct session *s, uint64_t nonce)
{
    struct frame f = { .verb = VERB_PONG, .tag = nonce, .time_ms = st->now_ms };

    outbox_put(&st->outbox, s->conn, &f);
}

/* A SUBMIT whose front is longer than one chunk. */
static int front_begin(struct stages *st, struct session *s, const struct frame *f)
{
    struct upload *u;
    int rc = upload_begin(st->uploads, s->conn, f->tag, f->front_len, f->front, st->now_ms, &u);

    if (rc == -HL_EQUOTA) {
        outbox_refuse(&st->outbox, s->conn, f->tag, rc,
                      "too many envelopes are on their way; finish one first");
        return 0;
    }
    return rc;
}

static int front_piece(struct stages *st, struct session *s, const struct frame *f, struct queue *q)
{
    struct upload *u = upload_find(st->uploads, s->conn, f->tag);
    int rc = u ? upload_front(st->uploads, u, f->offset, f->bytes, st->now_ms) : 0;

    if (rc != 1)
        return rc;
    rc = queue_put(q, INPUT_FRONT, queue_front_class(buf_span(&u->front)), s->conn, f->tag, s->key,
                   buf_span(&u->front));
    if (rc == 0 || rc == -HL_EQUOTA || rc == -HL_ENOMEM)
        return rc == -HL_ENOMEM ? rc : 0;
    outbox_refuse(&st->outbox, s->conn, f->tag, -HL_EBUSY, NULL); /* the client begins again */
    return upload_drop(st->uploads, u);
}

static int ready_frame(struct stages *st, struct session *s, const struct frame *f, struct queue *q)
{
    switch (f->verb) {
    case VERB_GOT:
        delivery_got(st->deliveries, s, f->tag, f->offset);
        return 0;
    case VERB_COSIGNED:
        cosign_answer(st->cosign, st->dir, s, f->tag, f->status, f->note, st->now_ms);
        return 0;
    case VERB_SUBMIT:
        return front_begin(st, s, f);
    case VERB_CHUNK:
        return front_piece(st, s, f, q);
    case VERB_PING:
        pong(st, s, f->tag);
        return 0;
    case VERB_HELLO:
    case VERB_DOCUMENT:
    case VERB_FETCH:
        return 0; /* not here */
    case VERB_PONG:
    case VERB_WELCOME:
    case VERB_RECORDED:
    case VERB_DELIVER:
    case VERB_CHECKPOINT:
    case VERB_REFUSED:
    case VERB_FETCHED:
    case VERB_ADD_CHECKPOINT:
    case VERB_OPENING:
        outbox_refuse(&st->outbox, s->conn, 0, -HL_EFORMAT, "only a broker says that");
        return 0;
    }
    return 0;
}

int frames_take(struct stages *st, struct session *s, const struct frame *f, struct queue *q)
{
    delivery_credit(st->deliveries, s);
    if (f->verb == VERB_HELLO)
        return hello(st, s, f);
    if (!s->ready) { /* PING too: a client that was not greeted by this process must learn it */
        outbox_refuse(&st->outbox, s->conn, 0, -HL_ESTATE, "HELLO comes first");
        return 0;
    }
    return ready_frame(st, s, f, q);
}
