#include "server/broker_inner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "server/status.h"

/*
 * The order of the turn:
 *
 *     control frames -> due deadlines -> choose -> decode and verify (threads)
 *       -> judge and stage, one by one -> fetches -> commit
 *       -> signer asked -> keys, receipts of what is signed already, GOTs, deliveries, witnesses
 *       -> frames leave
 *
 * Nothing leaves before the commit, and after it nothing creates an entry.
 */
#define TURN_DELIVER (1u << 20)
#define NOTES_MS 200 /* a note alone waits so long for a commit that it can share */
#define SPACE_MS 100 /* how old the free space may be */
#define CLOCK_WRONG_MS 120000
#define ANNOUNCE_MS 10000 /* everybody gets a newer checkpoint at least so often */

void stages_diag(struct stages *st, int level, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    st->out->diag(st->out->arg, level, line);
}

void stages_session_end(struct stages *st, struct session *s)
{
    struct office *o = s->office;

    upload_gone(st->uploads, s->conn);
    receipts_gone(st->receipts, s->conn);
    cosign_gone(st->cosign, s->conn);
    delivery_end(st->deliveries, s);
    if (session_end(st->sessions, s) && !st->failed)
        st->failed = delivery_start(st->deliveries, o->current, o->current->since);
}

/* ---- open, close ---- */

static void defaults(struct broker *b, const struct broker_conf *conf)
{
    struct broker_conf *c = &b->st.conf;

    *c = *conf;
    snprintf(b->origin, sizeof(b->origin), "%s", conf->origin);
    memcpy(b->log_key, conf->log_key, 32);
    c->origin = b->origin;
    c->log_key = b->log_key;
    c->quota_messages = c->quota_messages ? c->quota_messages : 10000;
    c->quota_bytes = c->quota_bytes ? c->quota_bytes : UINT64_C(256) << 20;
    c->space_low = c->space_low ? c->space_low : UINT64_C(256) << 20;
    c->space_min = c->space_min ? c->space_min : UINT64_C(64) << 20;
}

/* Each opens on what stands before it. */
static int open_stages(struct stages *st)
{
    const struct quota_conf quota = { st->conf.quota_messages, st->conf.quota_bytes };
    enum realm realm = st->conf.realm;
    int rc;

    if ((rc = log_open(st->store, realm, &st->committed, &st->log)))
        return rc;
    entries_init(&st->entries, st->log, realm);
    if ((rc = head_open(&st->head, &st->conf, st->out, st->store, st->log)) ||
        (rc = sessions_open(&st->sessions)) || (rc = facts_open(st->store, realm, &st->facts)) ||
        (rc = quotas_open(&quota, &st->quotas)) ||
        (rc = mailboxes_open(st->store, realm, &st->mailboxes)) ||
        (rc = deliveries_open(st->store, realm, st->mailboxes, &st->outbox, &st->deliveries)) ||
        (rc = deadlines_open(st->store, realm, &st->deadlines)) ||
        (rc = uploads_open(st->store, &st->uploads)) ||
        (rc = receipts_open(st->log, st->sessions, &st->outbox, &st->receipts)) ||
        (rc = documents_open(st->store, &st->entries, realm, st->conf.origin, st->dir,
                             &st->documents)) ||
        (rc = cosign_open(&st->conf, st->store, st->log, &st->head, st->sessions, &st->outbox,
                          &st->cosign)))
        return rc;
    return cosign_reload(st->cosign, st->dir);
}

int broker_open(const struct broker_conf *conf, const struct broker_out *out,
                struct broker **result)
{
    const struct store_conf store = { .path = conf->store_path,
                                      .realm = conf->realm,
                                      .origin = conf->origin };
    struct broker *b = calloc(1, sizeof(*b));
    int rc = -HL_ENOMEM;

    *result = NULL;
    if (!b)
        return rc;
    defaults(b, conf);
    b->st.out = out;
    outbox_init(&b->st.outbox);
    buf_init(&b->st.death, 2 * CHECKPOINT_MAX);
    b->st.free_bytes = UINT64_MAX;
    b->work = calloc(TURN_ENTRIES, sizeof(*b->work));
    b->st.dir = directory_new(conf->realm);
    if (b->work && b->st.dir)
        rc = queue_open(&b->queue);
    if (!rc)
        rc = store_open(&store, &b->st.store, &b->st.committed);
    if (!rc)
        rc = open_stages(&b->st);
    if (!rc)
        rc = broker_reload(b);
    if (rc)
        broker_close(b);
    else
        *result = b;
    return rc;
}

void broker_close(struct broker *b)
{
    struct stages *st = &b->st;

    if (st->sessions)
        broker_gone(b, 0);
    cosign_close(st->cosign);
    documents_close(st->documents);
    receipts_close(st->receipts);
    uploads_close(st->uploads);
    deadlines_close(st->deadlines);
    deliveries_close(st->deliveries);
    mailboxes_close(st->mailboxes);
    quotas_close(st->quotas);
    facts_close(st->facts);
    sessions_close(st->sessions);
    head_release(&st->head);
    entries_release(&st->entries);
    log_close(st->log);
    store_close(st->store);
    directory_free(st->dir);
    outbox_release(&st->outbox);
    buf_release(&st->death);
    queue_close(b->queue);
    free(b->work);
    keytable_release(&b->keys);
    free(b);
}

int broker_reload(struct broker *b)
{
    size_t n = 0;
    int rc;

    if (!b->st.conf.documents_dir)
        return 0;
    rc = documents_scan(b->st.documents, b->st.conf.documents_dir, b->queue, &n);
    if (rc)
        stages_diag(&b->st, 4, "documents folder: %s", error_text(rc));
    else if (n)
        stages_diag(&b->st, 6, "documents folder: %zu to record", n);
    return rc == -HL_ENOMEM ? rc : 0;
}

/* ---- input ---- */

/* A chunk goes the way of its stream; what is nobody's only gets an answer. */
static enum queue_class class_of(const struct broker *b, uint64_t conn, const struct peek *p)
{
    static const enum queue_class of_precedence[] = { QUEUE_ROUTINE, QUEUE_PRIORITY,
                                                      QUEUE_IMMEDIATE, QUEUE_FLASH };
    const struct upload *u =
        p->verb == VERB_CHUNK ? upload_find(b->st.uploads, conn, p->tag) : NULL;

    return u && u->accepted ? of_precedence[u->precedence] : p->class;
}

int broker_frame(struct broker *b, uint64_t conn, const uint8_t key[static 32], struct span frame)
{
    struct session *s;
    struct peek peek;
    int rc;

    b->st.metrics.frames++;
    if (conn == 0 || frame.n > WIRE_FRAME_MAX)
        return 0; /* the front's own mistake */
    if (queue_peek(&peek, frame) != 0)
        b->st.metrics.malformed++;
    rc = queue_put(b->queue, INPUT_FRAME, class_of(b, conn, &peek), conn, peek.tag, key, frame);
    if (rc != -HL_ETOOBIG)
        return rc;
    b->st.metrics.overflow++;
    s = session_find(b->st.sessions, conn);
    if (s)
        s->overflow = b->overflow = true;
    return 0;
}

static void end_session(void *arg, struct session *s)
{
    stages_session_end(arg, s);
}

void broker_gone(struct broker *b, uint64_t conn)
{
    struct session *s = conn ? session_find(b->st.sessions, conn) : NULL;

    queue_drop(b->queue, conn);
    if (s)
        stages_session_end(&b->st, s);
    else if (conn == 0)
        session_each(b->st.sessions, end_session, &b->st);
}

/* ---- the log dies ---- */

/* Staged before anything else of the turn; the evidence
 * is the client's checkpoint and our own newest. */
static int die(struct broker *b)
{
    struct stages *st = &b->st;
    int rc;

    if (st->death.n == 0 || st->head.dead)
        return 0;
    buf_put_u8(&st->death, '\n');
    buf_put_span(&st->death, buf_span(&st->head.note));
    rc = st->death.bad ? st->death.bad
                       : store_stage_note(st->store, STORE_NOTE_DEAD, buf_span(&st->death));
    st->head.dead = true;
    stages_diag(st, 3,
                "this log is closed for good; announce its next generation in the host's card");
    return rc;
}

/* ---- commit ---- */

static int commit(struct broker *b)
{
    struct stages *st = &b->st;
    struct store_head next = { .size = log_size(st->log), .time_ms = log_time(st->log, 0) };
    bool alone = store_staged_bytes(st->store) == 0 && next.size == st->committed.size;
    int rc;

    if (alone && st->now_ms < b->notes_ms + NOTES_MS)
        return 0;
    rc = head_stage(&st->head);
    if (!rc)
        rc = cosign_stage(st->cosign);
    if (rc || (next.size == st->committed.size && store_staged_bytes(st->store) == 0))
        return rc;
    log_root(st->log, next.root);
    rc = store_commit(st->store, &st->committed, &next);
    if (rc)
        return rc;
    b->notes_ms = st->now_ms;
    st->metrics.commits++;
    st->committed = next;
    return 0;
}

/* ---- after the commit ---- */

static void say_overflow(void *arg, struct session *s)
{
    struct stages *st = arg;

    if (s->overflow)
        outbox_refuse(&st->outbox, s->conn, 0, -HL_EQUOTA,
                      "more frames at once than the window allows; some were dropped");
    s->overflow = false;
}

static void send_got(void *arg, const struct upload *u)
{
    struct stages *st = arg;

    outbox_got(&st->outbox, u->conn, u->tag, upload_next(u));
}

/* Once: what the last process may have left unsaid. */
static void tell(struct broker *b)
{
    struct stages *st = &b->st;

    b->told = true;
    if (st->head.size) /* its tiles, perhaps */
        st->out->publish(st->out->arg, buf_span(&st->head.note));
    if (st->committed.time_ms > st->now_ms + CLOCK_WRONG_MS)
        stages_diag(
            st, 3,
            "the newest entry is %llu s ahead of this clock: one of the two times is wrong, "
            "and until the clock has caught up no deadline passes",
            (unsigned long long)(st->committed.time_ms - st->now_ms) / 1000);
}

static int after_commit(struct broker *b, bool flash)
{
    struct stages *st = &b->st;
    int rc = head_ask(&st->head, &st->committed, st->now_ms, queue_empty(b->queue));

    if (!b->told)
        tell(b);
    if (!rc)
        rc = keytable_refresh(&b->keys, st);
    if (!rc && st->head.size)
        rc = receipts_release(st->receipts, st->head.size, buf_span(&st->head.note));
    if (rc)
        return rc;
    upload_each_dirty(st->uploads, send_got, st);
    rc = delivery_pump(st->deliveries, TURN_DELIVER, flash);
    b->more_deliveries = rc > 0;
    if (rc >= 0)
        rc = cosign_ask(st->cosign, st->now_ms);
    if (b->overflow)
        session_each(st->sessions, say_overflow, st);
    b->overflow = false;
    if (!rc)
        outbox_flush(&st->outbox, st->out);
    return rc;
}

static int turn(struct broker *b)
{
    struct stages *st = &b->st;
    int rc = st->failed;
    bool flash;

    if (!rc && st->now_ms >= b->space_ms + SPACE_MS) {
        rc = store_space(st->store, &st->free_bytes);
        b->space_ms = st->now_ms;
    }
    intake_begin(&b->intake, st);
    if (!rc)
        rc = broker_control(b);
    if (!rc)
        rc = die(b);
    flash = queue_waiting(b->queue, QUEUE_FLASH) > 0;
    if (!rc)
        rc = upload_expire(st->uploads, st->now_ms);
    if (!rc && !flash)
        rc = intake_due(&b->intake, TURN_ENTRIES / 2);
    if (!rc)
        rc = broker_work(b);
    if (!rc && !flash)
        rc = broker_fetches(b);
    if (!rc)
        rc = commit(b);
    if (!rc)
        rc = after_commit(b, flash);
    return rc ? rc : st->failed;
}

int broker_turn(struct broker *b, uint64_t now_ms)
{
    int rc;

    b->st.now_ms = now_ms;
    b->st.metrics.turns++;
    rc = turn(b);
    if (rc) {
        stages_diag(&b->st, 3, "the turn failed: %s", error_text(rc));
        b->st.failed = rc; /* a caller that goes on gets the same answer */
        return rc;
    }
    if (b->more_deliveries || queue_waiting(b->queue, QUEUE_CONTROL) ||
        queue_waiting(b->queue, QUEUE_FETCH))
        return 1;
    return !queue_empty(b->queue) && !broker_full(b);
}

/* ---- the signer's note ---- */

struct announce {
    struct stages *st;
    bool all;
};

static void announce_one(void *arg, struct session *s)
{
    struct announce *a = arg;

    if (s->ready && (a->all || s->concern > s->checkpoint))
        receipts_checkpoint(a->st->receipts, s, a->st->head.size, buf_span(&a->st->head.note));
}

static void announce(struct broker *b)
{
    struct stages *st = &b->st;
    struct announce a = { st, st->now_ms >= b->announced_ms + ANNOUNCE_MS };

    if (st->announce && st->announce <= st->head.size) {
        a.all = true;
        st->announce = 0;
    }
    if (a.all)
        b->announced_ms = st->now_ms;
    session_each(st->sessions, announce_one, &a);
}

int broker_signed(struct broker *b, struct span note)
{
    struct stages *st = &b->st;
    int rc = head_signed(&st->head, &st->committed, note);

    if (st->head.dead)
        return 0;
    if (rc == -HL_EFORK) {
        stages_diag(
            st, 3,
            "the signer has signed what this store does not hold: the store was rolled back");
        return st->death.n ? 0 : buf_put_span(&st->death, note);
    }
    if (rc == -HL_ESTATE)
        stages_diag(
            st, 3,
            "the signer refuses to sign: nothing is promised until you have looked at its state");
    if (rc != 1)
        return rc == -HL_ESTATE ? 0 : rc;
    st->metrics.signed_heads++;
    rc = receipts_release(st->receipts, st->head.size, buf_span(&st->head.note));
    if (rc)
        return rc;
    announce(b);
    st->out->publish(st->out->arg, buf_span(&st->head.note));
    outbox_flush(&st->outbox, st->out);
    return 0;
}

/* ---- time ---- */

static void sooner(int64_t *ms, int64_t other)
{
    if (other >= 0 && (*ms < 0 || other < *ms))
        *ms = other;
}

int broker_timeout(const struct broker *b, uint64_t now_ms)
{
    const struct stages *st = &b->st;
    uint64_t due = deadline_next_ms(st->deadlines);
    int64_t ms = -1;

    if (!b->keys.out || b->more_deliveries || (st->death.n && !st->head.dead) ||
        (!queue_empty(b->queue) && !broker_full(b)))
        return 0;
    sooner(&ms, head_timeout(&st->head, &st->committed, now_ms));
    sooner(&ms, cosign_timeout(st->cosign, now_ms));
    if (due != UINT64_MAX && !st->head.dead)
        sooner(&ms, due > now_ms ? (int64_t)(due - now_ms) : 0);
    if (st->head.fresh || cosign_unsaved(st->cosign))
        sooner(&ms, NOTES_MS);
    sooner(&ms, KEYTABLE_MS);
    return (int)ms;
}

int broker_status(struct broker *b, struct buf *json)
{
    return status_write(&b->st, b->queue, b->keys.n, json);
}
