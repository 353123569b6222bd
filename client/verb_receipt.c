#include <stdlib.h>
#include <string.h>

#include "client/verb_list.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/record.h"
#include "common/tlog/proof.h"
#include "common/tlog/quorum.h"

/*
 * receipt: the proof that a message stands in a host's log, in two grades.  Logged: under a
 * checkpoint of the log, as it came with the record.  Witnessed: under one that the agreement's
 * quorum has cosigned, which the host is asked for.
 *
 *   begin -[logged here]-> CHECKPOINT asked -[newest cosigned]-> INCLUSION asked -[path]->
 * witnessed
 *                               ^-- each second until there is a quorum, or time is over
 */
#define RETRY_MS 500
#define RECEIPT_WAIT_MS 10000

void verb_receipt_release(struct verb *v)
{
    struct receiving *q = v->state;

    for (size_t i = 0; i < v->agent->n_syncs; i++)
        sync_forget(v->agent->sync[i], v);
    quorum_free(q->quorum);
    receipt_release(&q->receipt);
    message_release(&q->message);
    buf_release(&q->policy);
    buf_release(&q->record);
    buf_release(&q->note);
}

/* ---- what is there ---- */

static struct sync *receiving_host(struct verb *v, struct receiving *q, int *rc)
{
    struct span host = verb_get(v->req, "host");

    *rc = -HL_ENOENT;
    for (size_t i = 0; i < v->agent->n_syncs; i++) {
        struct span origin = span_str(sync_host(v->agent->sync[i])->origin);

        if (host.n && !span_eq(host, origin))
            continue;
        receipt_release(&q->receipt);
        *rc = desk_receipt_get(v->agent->desk, origin, q->message.mid, &q->receipt);
        if (*rc == 0)
            return v->agent->sync[i];
    }
    return NULL;
}

static int receiving_record(struct verb *v, struct receiving *q)
{
    struct envelope *env = malloc(sizeof(*env));
    int rc = env ? 0 : -HL_ENOMEM;

    if (!rc && envelope_decode(env, v->agent->station->realm, buf_span(&q->message.envelope)))
        rc = -HL_ESTORE;
    if (!rc)
        rc = record_put_envelope(&q->record, q->receipt.time_ms, env);
    free(env);
    return rc;
}

static int receiving_policy(struct verb *v, struct receiving *q)
{
    struct channel_facts facts;
    int rc;

    if (!channel_agreement(v->agent, q->message.channel, &facts))
        return verb_fail(v, -HL_ECHANNEL, "the agreement of this message is not on this desk");
    rc = agreement_policy(&q->policy, facts.agreement, &sync_host(q->sync)->log);
    return rc ? rc : quorum_parse(&q->quorum, buf_span(&q->policy), &v->why);
}

/* ---- the row ---- */

static int receipt_proof(struct receiving *q, struct buf *extra, struct buf *proof)
{
    buf_put(extra, q->receipt.salt, 32);
    buf_put_span(extra, buf_span(&q->record));
    return extra->bad ? extra->bad
                      : proof_put(proof, buf_span(extra), q->receipt.index, HASHES(q->path),
                                  q->n_path, buf_span(&q->note));
}

/* Nothing is handed out that does not verify as the reader will verify it. */
static int receipt_row_send(struct verb *v, struct receiving *q)
{
    struct buf extra, proof;
    char number[NUMBER_SIZE];
    uint8_t entry[32];
    struct checkpoint cp;
    struct proof parsed;
    struct row r;
    int rc;

    buf_init(&extra, RECORD_MAX + 32);
    buf_init(&proof, PROOF_MAX);
    record_entry(entry, v->agent->station->realm, q->receipt.salt, buf_span(&q->record));
    rc = receipt_proof(q, &extra, &proof);
    if (!rc)
        rc = quorum_check_proof(q->quorum, buf_span(&proof), SPAN(entry, 32), &parsed, &cp,
                                &q->result);
    if (!rc && q->strict && !q->result.met)
        rc = -HL_EQUORUM;
    if (!rc) {
        number_print(number, span_str(q->message.sender), q->message.seq);
        row_begin(&r, "receipt");
        row_str(&r, "number", number);
        row_32(&r, "mid", q->message.mid);
        row_str(&r, "host", sync_host(q->sync)->origin);
        row_uint(&r, "index", q->receipt.index);
        row_uint(&r, "time_ms", q->receipt.time_ms);
        row_uint(&r, "size", cp.size);
        row_str(&r, "grade", q->result.met ? "witnessed" : "logged");
        row_uint(&r, "cosigned", q->result.cosigned);
        row_uint(&r, "of", q->result.of);
        row_span(&r, "proof", buf_span(&proof));
        row_32(&r, "entry", entry);
        row_span(&r, "policy", buf_span(&q->policy));
        rc = row_send(v, &r);
    }
    buf_release(&extra);
    buf_release(&proof);
    return rc;
}

/* The receipt as it came with the record. */
static int receipt_logged(struct verb *v, struct receiving *q)
{
    if (!q->receipt.proved)
        return verb_fail(v, -HL_EQUEUED, "the host has not proved its record yet");
    q->n_path = q->receipt.n_path;
    memcpy(q->path, q->receipt.path, sizeof(q->path));
    buf_clear(&q->note);
    buf_put_span(&q->note, buf_span(&q->receipt.note));
    return receipt_row_send(v, q);
}

/* ---- asking ---- */

static void receiving_path(void *arg, int rc, struct span path)
{
    struct verb *v = arg;
    struct receiving *q = v->state;

    q->asking = false;
    v->agent->changed++;
    if (rc || path.n % 32 || path.n > sizeof(q->path))
        return;
    q->n_path = path.n / 32;
    if (path.n)
        memcpy(q->path, path.p, path.n);
    q->done = true;
}

static void receiving_note(void *arg, int rc, struct span bytes)
{
    struct verb *v = arg;
    struct receiving *q = v->state;

    q->asking = false;
    v->agent->changed++;
    buf_clear(&q->note);
    if (rc || buf_put_span(&q->note, bytes) ||
        quorum_check(q->quorum, buf_span(&q->note), &q->cp, &q->result) != 0 || !q->result.met ||
        q->cp.size <= q->receipt.index)
        return;
    q->asking =
        sync_fetch(q->sync, FETCH_INCLUSION, q->receipt.index, q->cp.size, receiving_path, v) == 0;
}

static int receiving_over(struct verb *v, struct receiving *q)
{
    return q->strict ? -HL_EQUORUM : receipt_logged(v, q);
}

int verb_receipt_look(struct verb *v, bool over)
{
    struct receiving *q = v->state;
    int rc;

    if (q->done) {
        rc = receipt_row_send(v, q);
        if (rc != -HL_EPROOF)
            return rc;
        q->done = false; /* a path that leads nowhere proves nothing: asked again */
    }
    if (over)
        return receiving_over(v, q);
    if (q->asking || clock_mono_ms() < v->look_at)
        return VERB_WAITS;
    v->look_at = clock_mono_ms() + RETRY_MS;
    rc = sync_fetch(q->sync, FETCH_CHECKPOINT, 1, 0, receiving_note, v);
    q->asking = rc == 0;
    if (rc && !q->strict)
        return receipt_logged(v, q); /* no host to ask: what is held here */
    return VERB_WAITS;
}

int verb_receipt_begin(struct verb *v)
{
    struct receiving *q = v->state;
    uint8_t mid[32];
    int rc;

    receipt_init(&q->receipt);
    message_init(&q->message);
    buf_init(&q->policy, 65536);
    buf_init(&q->record, RECORD_MAX);
    buf_init(&q->note, CHECKPOINT_MAX);
    q->strict = verb_yes(v, "witnessed");
    rc = verb_message(v, "", mid);
    if (!rc)
        rc = verb_wait(v, q->strict ? RECEIPT_WAIT_MS : 1000);
    if (!rc)
        rc = desk_message(v->agent->desk, mid, &q->message);
    if (rc)
        return rc;
    q->sync = receiving_host(v, q, &rc);
    if (!q->sync)
        return rc == -HL_ENOENT ? verb_fail(v, -HL_EQUEUED, "no host has recorded it yet") : rc;
    rc = receiving_policy(v, q);
    if (!rc)
        rc = receiving_record(v, q);
    return rc ? rc : verb_receipt_look(v, false);
}
