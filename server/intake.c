#include "server/intake_inner.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/text.h"

int intake_notice(struct intake *in, const struct notice *n, struct entry *out)
{
    in->entries++;
    in->st->metrics.notices++;
    return entries_notice(&in->st->entries, n, in->st->now_ms, out);
}

/* ---- refusing ---- */

/* States of this host that pass are no fact about the party. */
static bool recordable(int rc)
{
    return rc != -HL_ESPACE && rc != -HL_EDEAD && rc != -HL_EBROKER && rc != -HL_EBUSY;
}

static int keep_evidence(struct intake *in, const struct envelope *env, const struct entry *entry)
{
    struct buf record;
    int rc;

    buf_init(&record, RECORD_MAX);
    rc = record_put_envelope(&record, entry->time_ms, env);
    if (!rc)
        rc = documents_evidence(in->st->documents, entry->index, entry->time_ms, buf_span(&record));
    buf_release(&record);
    return rc;
}

static int record_refusal(struct intake *in, const struct envelope *env, int code,
                          const char *sentence)
{
    struct notice n = { .kind = NOTICE_REFUSED, .mid = env->mid };
    struct channel_facts channel;
    struct key_facts key;
    struct entry entry;
    char detail[RECORD_DETAIL_MAX], hex[65];
    int rc = directory_key(in->st->dir, DIRECTORY_NOW, in->st->now_ms, env->stamp.key, &key);

    if (rc == -HL_EKEY || in->st->head.dead || !recordable(code) ||
        !quota_take(in->st->quotas, QUOTA_REFUSALS, key.poc, in->st->now_ms))
        return 0;
    text_hex(hex, env->id, 32);
    snprintf(detail, sizeof(detail), "%s: %s (envelope %s)", error_name(code), sentence, hex);
    n.poc = key.poc;
    n.detail = span_str(detail);
    if (directory_channel(in->st->dir, DIRECTORY_NOW, in->st->now_ms, env->header.channel,
                          &channel) != -HL_ECHANNEL) {
        n.channel = env->header.channel;
        n.sender = key.poc;
    }
    rc = intake_notice(in, &n, &entry);
    if (!rc)
        rc = intake_event(in, key.poc, entry.index);
    if (!rc && code == -HL_ENUMBER)
        rc = keep_evidence(in, env, &entry);
    return rc;
}

static int refuse(struct intake *in, uint64_t conn, uint64_t tag, const struct envelope *env,
                  int code, const char *sentence)
{
    if (!sentence || !*sentence)
        sentence = error_text(code);
    in->st->metrics.refused++;
    outbox_refuse(&in->st->outbox, conn, tag, code, sentence);
    return env ? record_refusal(in, env, code, sentence) : 0;
}

/* ---- judging: reads, decides, stages nothing ---- */

/* Errors of facts that only say that this host cannot tell now. */
static int cannot_tell(struct intake *in, int rc)
{
    if (rc != -HL_ESTORE)
        return rc;
    stages_diag(in->st, 3, "a stored entry is damaged; an envelope that needs it was refused");
    return -HL_EBROKER;
}

static int judge_space(const struct intake *in, unsigned precedence)
{
    const struct stages *st = in->st;

    if (precedence == PRECEDENCE_FLASH)
        return 0;
    if (st->free_bytes < st->conf.space_min)
        return -HL_ESPACE;
    return st->free_bytes < st->conf.space_low && precedence < PRECEDENCE_IMMEDIATE ? -HL_ESPACE
                                                                                    : 0;
}

static int judge_quota(struct intake *in, const struct envelope *env)
{
    struct mailbox *mb;
    int rc = 0;

    for (size_t i = 0; i < in->n_to && !rc && !intake_is_event(env->header.kind); i++) {
        rc = mailbox_get(in->st->mailboxes, in->to[i].poc, &mb);
        if (!rc)
            rc = quota_waiting(in->st->quotas, env->stamp.precedence, mb->count, mb->bytes,
                               env->body_len);
        if (rc == -HL_EQUOTA)
            snprintf(in->verdict.sentence, sizeof(in->verdict.sentence),
                     "too much waits for %.*s at this broker", (int)in->to[i].poc.n,
                     (const char *)in->to[i].poc.p);
    }
    return rc;
}

static int judge_rules(struct intake *in, const struct envelope *env)
{
    struct stages *st = in->st;
    struct rules_facts facts = { .dir = st->dir,
                                 .at = DIRECTORY_NOW,
                                 .time_ms = log_time(st->log, st->now_ms),
                                 .origin = span_str(st->conf.origin) };
    uint8_t other[32];
    int rc = facts_number(st->facts, env, &facts.number, other), n;

    if (!rc)
        rc = facts_target(st->facts, env, &facts.target);
    if (rc)
        return cannot_tell(in, rc);
    rc = rules_judge(env, &facts, &in->verdict);
    if (rc)
        return rc;
    n = rules_recipients(env, &facts.target, in->to, COUNT(in->to));
    in->n_to = n > 0 ? (size_t)n : 0;
    return n < 0 ? n : 0;
}

/* 0: record it; 1: it is recorded, as @entry; else refused. */
static int judge(struct intake *in, const struct envelope *env, struct fact_entry *entry)
{
    int rc = facts_id(in->st->facts, env->id, entry);

    in->verdict = (struct verdict){ 0 };
    in->n_to = 0;
    if (rc == 0)
        return 1;
    if (rc != -HL_ENOENT)
        return cannot_tell(in, rc);
    rc = in->st->head.dead ? -HL_EDEAD : judge_rules(in, env);
    if (!rc)
        rc = kind_is_step(env->header.kind) ? 0 : judge_space(in, env->stamp.precedence);
    if (!rc)
        rc = judge_quota(in, env);
    return rc;
}

/* ---- doing ---- */

static int record(struct intake *in, uint64_t conn, uint64_t tag, const struct envelope *env,
                  struct span body)
{
    struct stages *st = in->st;
    struct fact_entry fact;
    struct entry entry;
    int rc = body.n ? upload_supersede(st->uploads, env->id) : 0;

    if (!rc)
        rc = entries_envelope(&st->entries, env, body, st->now_ms, &entry);
    if (rc)
        return rc;
    in->entries++;
    in->bytes += body.n;
    st->metrics.recorded++;
    fact = (struct fact_entry){ .index = entry.index, .time_ms = entry.time_ms };
    memcpy(fact.salt, entry.salt, 32);
    rc = intake_distribute(in, env, &entry);
    if (!rc)
        rc = intake_step(in, env);
    if (!rc)
        rc = intake_leave_mailbox(in, env);
    if (!rc)
        rc = facts_add(st->facts, env, &fact);
    if (!rc)
        rc = receipts_wait(st->receipts, conn, tag, &entry, false);
    return rc;
}

/* It is in the log already: the same entry's receipt.  A step repeats what it does to the mailbox:
 * the message may have been sealed again since. */
static int duplicate(struct intake *in, uint64_t conn, uint64_t tag, const struct envelope *env,
                     const struct fact_entry *fact)
{
    struct entry entry = { .index = fact->index, .time_ms = fact->time_ms };
    int rc;

    memcpy(entry.salt, fact->salt, 32);
    in->st->metrics.duplicates++;
    rc = in->st->head.dead ? 0 : intake_leave_mailbox(in, env);
    return rc ? rc : receipts_wait(in->st->receipts, conn, tag, &entry, false);
}

/* Fatal codes end the process; all others are answers. */
static bool fatal(int rc)
{
    return rc == -HL_ENOMEM || rc == -HL_ESTORE || rc == -HL_EFENCED;
}

static int accept_stream(struct intake *in, struct work *w)
{
    struct stages *st = in->st;
    struct upload *u = upload_find(st->uploads, w->in->conn, w->in->tag);
    struct stream_id was;
    int rc = 0;

    if (w->in->type == INPUT_FRONT &&
        (!u || !span_eq(buf_span(&u->front), SPAN(w->in->bytes, w->in->n))))
        return 0; /* meanwhile it ended, or its tag was used again */
    if (w->in->type == INPUT_FRAME)
        rc = upload_begin(st->uploads, w->in->conn, w->frame.tag, w->frame.front_len,
                          w->frame.front, st->now_ms, &u);
    if (!rc)
        rc = upload_accept(st->uploads, u, &w->env, st->now_ms, &was);
    if (rc == -HL_EQUOTA) {
        if (u)
            upload_done(st->uploads, u);
        return refuse(in, w->in->conn, w->in->tag, NULL, rc,
                      "too many envelopes are on their way; finish one first");
    }
    if (!rc && was.conn)
        outbox_refuse(&st->outbox, was.conn, was.tag, -HL_EBUSY,
                      "the same envelope is submitted on another stream");
    st->metrics.uploads++;
    return rc;
}

/* A stream whose front was refused, or which turned out a duplicate, is over. */
static int end_stream(struct intake *in, const struct work *w)
{
    struct upload *u =
        w->in->type == INPUT_FRONT ? upload_find(in->st->uploads, w->in->conn, w->in->tag) : NULL;

    return u ? upload_drop(in->st->uploads, u) : 0;
}

int intake_envelope(struct intake *in, struct work *w)
{
    uint64_t conn = w->in->conn, tag = w->in->type == INPUT_FRONT ? w->in->tag : w->frame.tag;
    struct fact_entry known;
    int rc = w->rc, ended;

    w->in->tag = tag;
    in->st->metrics.submitted++;
    if (!rc)
        rc = judge(in, &w->env, &known);
    if (fatal(rc))
        return rc;
    if (rc == 0 && w->env.body_len && !w->env.body.n)
        return accept_stream(in, w);
    ended = end_stream(in, w);
    if (ended)
        return ended;
    if (rc == 0)
        return record(in, conn, tag, &w->env, w->env.body);
    if (rc == 1)
        return duplicate(in, conn, tag, &w->env, &known);
    return refuse(in, conn, tag, w->is_signed ? &w->env : NULL, rc,
                  w->rc ? NULL : in->verdict.sentence);
}

/* The body is there and is what was signed.  Since its front
 * was judged a turn or an hour has passed: judge again. */
static int stream_whole(struct intake *in, struct upload *u)
{
    struct fact_entry known;
    uint64_t conn = u->conn, tag = u->tag;
    int rc = envelope_decode_front(&in->env, in->st->conf.realm, buf_span(&u->front)), ended;

    assert(rc == 0); /* it was decoded and verified before */
    rc = judge(in, &in->env, &known);
    if (fatal(rc))
        return rc;
    if (rc == 0) {
        rc = record(in, conn, tag, &in->env, SPAN_NONE);
        upload_done(in->st->uploads, u);
        return rc;
    }
    /* the front of the stream is what env borrows from: answer before it goes */
    rc = rc == 1 ? duplicate(in, conn, tag, &in->env, &known)
                 : refuse(in, conn, tag, &in->env, rc, in->verdict.sentence);
    ended = upload_drop(in->st->uploads, u);
    return rc ? rc : ended;
}

int intake_chunk(struct intake *in, const struct work *w)
{
    struct stages *st = in->st;
    struct upload *u = upload_find(st->uploads, w->in->conn, w->frame.tag);
    int rc, dropped;

    if (!u)
        return 0;
    st->metrics.chunks++;
    in->bytes += w->frame.bytes.n;
    rc = judge_space(in, u->precedence);
    if (!rc)
        rc = upload_chunk(st->uploads, u, w->frame.offset, w->frame.bytes, st->now_ms);
    if (rc == 1)
        return stream_whole(in, u);
    if (rc != -HL_EFORMAT && rc != -HL_ESPACE)
        return rc;
    dropped = upload_drop(st->uploads, u);
    if (dropped)
        return dropped;
    return refuse(in, w->in->conn, w->frame.tag, NULL, rc,
                  rc == -HL_EFORMAT ? "the body is not the one that was signed" : NULL);
}

void intake_begin(struct intake *in, struct stages *st)
{
    in->st = st;
    in->entries = in->bytes = in->copies = 0;
}
