#include "server/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/record.h"

/* A question and its answer in the making. */
struct query {
    struct stages *st;
    struct session *s;
    const struct frame *f;
    uint64_t b; /* of FETCHED */
    struct buf out;
};

static uint64_t at_most(uint64_t n, uint64_t max)
{
    return n < max ? n : max;
}

static int fetch_entries(struct query *q)
{
    size_t n = 0;
    int rc = 0;

    if (q->f->a < q->st->committed.size)
        rc = store_read_entries(q->st->store, q->f->a, (size_t)at_most(q->f->b, FETCH_COUNT_MAX),
                                WIRE_WINDOW - 1024, &q->out, &n);
    q->b = n;
    return rc;
}

static int fetch_tile(struct query *q)
{
    return q->f->a > 7 ? -HL_ENOENT : log_tile(q->st->log, (unsigned)q->f->a, q->f->b, &q->out);
}

static int fetch_inclusion(struct query *q)
{
    uint8_t proof[MERKLE_MAX_PROOF][32];
    size_t n = 0;
    int rc = -HL_ENOENT;

    if (q->f->b <= q->st->committed.size && q->f->a < q->f->b)
        rc = log_inclusion(q->st->log, q->f->a, q->f->b, proof, &n);
    return rc ? rc : buf_put(&q->out, proof, n * 32);
}

static int fetch_consistency(struct query *q)
{
    uint8_t proof[MERKLE_MAX_PROOF][32];
    size_t n = 0;
    int rc = -HL_ENOENT;

    if (q->f->b <= q->st->committed.size && q->f->a <= q->f->b)
        rc = q->f->a ? log_consistency(q->st->log, q->f->a, q->f->b, proof, &n) : 0;
    return rc ? rc : buf_put(&q->out, proof, n * 32);
}

static int fetch_openings(struct query *q)
{
    return delivery_events(q->st->deliveries, q->s, q->f->a,
                           (size_t)at_most(q->f->b, FETCH_COUNT_MAX), &q->b);
}

static int fetch_checkpoint(struct query *q)
{
    struct span note = q->f->a ? cosign_note(q->st->cosign) : buf_span(&q->st->head.note);

    return note.n ? buf_put_span(&q->out, note) : -HL_ENOENT;
}

/* ---- BODY ---- */

static bool addressed(struct stages *st, const struct envelope *env, struct span poc,
                      uint64_t index)
{
    struct recipient *to = malloc(ENVELOPE_TO_MAX * sizeof(*to));
    struct target target;
    struct mailbox *mb;
    bool yes = false;
    int n = to && facts_target(st->facts, env, &target) == 0
                ? rules_recipients(env, &target, to, ENVELOPE_TO_MAX)
                : 0;

    for (int i = 0; i < n && !yes; i++)
        yes = span_eq(to[i].poc, poc) &&
              (to[i].role <= ROLE_ALTERNATE ||
               (mailbox_get(st->mailboxes, poc, &mb) == 0 && !mailbox_held(mb, index)));
    free(to);
    return yes;
}

static bool may_read(struct stages *st, const struct stored *e, struct span poc)
{
    struct envelope *env = malloc(sizeof(*env));
    struct record rec;
    bool yes = false;

    if (env && record_decode(&rec, buf_span(&e->record)) == 0 && rec.type == RECORD_ENVELOPE &&
        envelope_decode_parts(env, st->conf.realm, rec.header, rec.stamp, rec.wraps_hash,
                              rec.body_hash, rec.sig) == 0)
        yes = span_eq(env->header.sender, poc) || addressed(st, env, poc, e->index);
    free(env);
    return yes;
}

/* Bytes of front || body from @offset, up to the end of a chunk. */
static int put_piece(struct query *q, const struct stored *e, uint64_t offset)
{
    struct buf front;
    uint64_t at;
    int rc;

    buf_init(&front, ENVELOPE_FRONT_MAX);
    rc = delivery_front(&front, e);
    if (!rc && offset < front.n) {
        rc = buf_put(&q->out, front.p + offset, (size_t)at_most(front.n - offset, WIRE_CHUNK));
    } else if (!rc && offset - front.n < e->body_len) {
        at = offset - front.n;
        rc = store_read_chunk(q->st->store, e->index, at / WIRE_CHUNK, &q->out);
        if (!rc)
            buf_consume(&q->out, (size_t)at_most(at % WIRE_CHUNK, q->out.n));
    }
    buf_release(&front);
    return rc;
}

static int fetch_body(struct query *q)
{
    struct stored e;
    int rc = -HL_ENOENT;

    stored_init(&e);
    if (q->f->a < q->st->committed.size)
        rc = store_read(q->st->store, q->f->a, &e);
    if (!rc && (e.kind != ENTRY_ENVELOPE || !may_read(q->st, &e, session_poc(q->s))))
        rc = -HL_ENOENT; /* whether it is there is nobody else's business */
    if (!rc)
        rc = put_piece(q, &e, q->f->b);
    q->b = q->f->b;
    stored_release(&e);
    return rc;
}

/* ---- AUDIT ---- */

static bool audits(const struct agreement *a, struct span poc)
{
    for (size_t i = 0; a && i < a->n_auditors; i++)
        if (a->auditor[i].full && span_eq(a->auditor[i].poc, poc))
            return true;
    return false;
}

static bool audits_any(const struct directory *dir, struct span poc)
{
    const struct agreement *a;

    for (size_t i = 0; (a = directory_agreement(dir, i)); i++)
        if (audits(a, poc))
            return true;
    return false;
}

static bool audits_channel(struct stages *st, const uint8_t channel[static 32], struct span poc)
{
    struct channel_facts facts;

    return directory_channel(st->dir, DIRECTORY_NOW, st->now_ms, channel, &facts) != -HL_ECHANNEL &&
           audits(facts.agreement, poc);
}

static bool audits_message(struct stages *st, const uint8_t mid[static 32], struct span poc)
{
    struct fact_message m;

    return facts_message(st->facts, mid, &m) == 0 && audits_channel(st, m.header->channel, poc);
}

static bool mandated(struct stages *st, const struct record *rec, struct span poc)
{
    struct header *h = NULL;
    struct document doc;
    bool yes = false;

    switch (rec->type) {
    case RECORD_DUMMY:
        return true; /* its being one is all that it says */
    case RECORD_AGREEMENT:
        return document_decode(&doc, st->conf.realm, rec->note) == 0 &&
               audits(directory_agreement_by(st->dir, doc.digest), poc);
    case RECORD_NOTICE:
        return audits_message(st, rec->mid, poc);
    case RECORD_ENVELOPE:
        h = malloc(sizeof(*h));
        yes = h && header_decode(h, st->conf.realm, rec->header) == 0 &&
              audits_channel(st, h->channel, poc);
        free(h);
        return yes;
    }
    return false;
}

static void audit_one(struct query *q, const struct stored *e)
{
    struct frame f = { .verb = VERB_OPENING,
                       .index = e->index,
                       .salt = SPAN(e->salt, 32),
                       .bytes = buf_span(&e->record) };
    struct record rec;

    if (e->kind != ENTRY_DOCUMENT && record_decode(&rec, f.bytes) == 0 &&
        mandated(q->st, &rec, session_poc(q->s)))
        outbox_put(&q->st->outbox, q->s->conn, &f);
}

static int fetch_audit(struct query *q)
{
    uint64_t end = q->f->a + at_most(q->f->b, FETCH_COUNT_MAX), bytes = 0;
    struct stored e;
    int rc = 0;

    if (!audits_any(q->st->dir, session_poc(q->s)))
        return -HL_EPERM;
    stored_init(&e);
    q->b = q->f->a;
    while (q->b < at_most(end, q->st->committed.size) && bytes < WIRE_WINDOW && rc != -HL_ENOMEM) {
        rc = store_read(q->st->store, q->b, &e);
        if (!rc)
            audit_one(q, &e);
        bytes += e.record.n;
        q->b++;
    }
    stored_release(&e);
    return rc == -HL_ENOMEM ? rc : 0; /* what is damaged is missing, which the auditor sees */
}

static int (*const answer[])(struct query *q) = {
    [FETCH_ENTRIES] = fetch_entries,     [FETCH_TILE] = fetch_tile,
    [FETCH_INCLUSION] = fetch_inclusion, [FETCH_CONSISTENCY] = fetch_consistency,
    [FETCH_OPENINGS] = fetch_openings,   [FETCH_CHECKPOINT] = fetch_checkpoint,
    [FETCH_BODY] = fetch_body,           [FETCH_AUDIT] = fetch_audit,
};

int fetch_frame(struct stages *st, struct session *s, const struct frame *f)
{
    struct query q = { .st = st, .s = s, .f = f, .b = f->b };
    struct frame reply = { .verb = VERB_FETCHED, .tag = f->tag, .what = f->what, .a = f->a };
    int rc = -HL_EFORMAT;

    st->metrics.fetches++;
    buf_init(&q.out, WIRE_WINDOW);
    if (f->what < COUNT(answer) && answer[f->what])
        rc = answer[f->what](&q);
    if (rc == 0) {
        reply.b = q.b;
        reply.bytes = buf_span(&q.out);
        outbox_put(&st->outbox, s->conn, &reply);
    } else {
        outbox_refuse(&st->outbox, s->conn, f->tag, rc, NULL);
    }
    buf_release(&q.out);
    return rc == -HL_ENOMEM ? rc : 0;
}
