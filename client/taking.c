#include <stdio.h>
#include <string.h>

#include "client/compose.h"
#include "client/inside.h"
#include "client/ladder.h"
#include "client/sync_state.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/record.h"
#include "common/rules.h"
#include "keys/open.h"

/* One whole envelope on its way into the desk; everything about it happens in one transaction. */
struct taking {
    struct sync *sync; /* NULL: carried by hand */
    struct agent *agent;
    const struct directory *dir;
    uint64_t index, time_ms, flags;
    const uint8_t *salt;
    bool known; /* the entries before it are verified, so it is judged at its entry */
    struct envelope env;
    struct span file;
    struct message target_message;
    struct envelope target_env;
    struct target target;
};

static struct span taking_origin(const struct taking *t)
{
    return t->sync ? sync_origin(t->sync) : SPAN_NONE;
}

/* The record that the host claims: its proof comes with RECORDED, for receipt and mirror. */
static int taking_keep_record(struct taking *t)
{
    struct receipt r;
    struct buf record;
    int rc;

    if (!t->sync)
        return 0;
    receipt_init(&r);
    buf_init(&record, RECORD_MAX);
    r.index = t->index;
    r.time_ms = t->time_ms;
    memcpy(r.salt, t->salt, 32);
    rc = record_put_envelope(&record, t->time_ms, &t->env);
    if (!rc)
        rc = desk_opening_add(t->agent->desk, taking_origin(t), t->index, SPAN(t->salt, 32),
                              buf_span(&record), false);
    if (!rc)
        rc = desk_receipt_put(t->agent->desk, taking_origin(t), t->env.mid, &r);
    buf_release(&record);
    receipt_release(&r);
    return rc;
}

static int taking_target(struct taking *t)
{
    const struct header *h = &t->env.header;
    int rc;

    if (h->n_refs == 0)
        return 0;
    rc = desk_message(t->agent->desk, h->ref[0], &t->target_message);
    if (rc)
        return rc == -HL_ENOENT ? 0 : rc;
    if (envelope_decode(&t->target_env, h->realm, buf_span(&t->target_message.envelope)) != 0)
        return -HL_ESTORE;
    t->target = (struct target){ .known = true,
                                 .kind = t->target_env.header.kind,
                                 .sender = t->target_env.header.sender,
                                 .channel = t->target_env.header.channel,
                                 .n_to = t->target_env.header.n_to,
                                 .to = t->target_env.header.to };
    return 0;
}

static int taking_judge(struct taking *t, struct verdict *v)
{
    const struct stamp *st = &t->env.stamp;
    struct rules_facts facts = { .dir = t->dir,
                                 .at = t->known ? t->index : DIRECTORY_NOW,
                                 .time_ms = t->time_ms,
                                 .origin = taking_origin(t),
                                 .target = t->target };
    int number = desk_number_state(t->agent->desk, t->env.header.sender, t->env.header.channel,
                                   st->chain, st->seq, t->env.id);

    if (number < 0)
        return number;
    facts.number = (enum number_state)number;
    v->rc = envelope_verify(&t->env);
    if (!v->rc)
        rules_judge(&t->env, &facts, v);
    /* What it refers to need not be on this desk (sent to others, or before a backup): the broker
     * knew it, and it was the last question but the number's. */
    if (v->rc == -HL_ETARGET && !t->target.known)
        v->rc = number == NUMBER_OTHER ? -HL_ENUMBER : 0;
    return v->rc;
}

/* ---- steps ---- */

/* The last acknowledgement that was owed closes a message of ours. */
static int taking_close(struct taking *t)
{
    static struct steps steps; /* one loop, one thread */
    struct desk *desk = t->agent->desk;
    int rc;

    if (!t->target.known || t->target_message.way != MESSAGE_OUT)
        return 0;
    rc = ladder_read(desk, t->target_message.mid, &t->target_env.header, &steps);
    if (rc || !ladder_acknowledged(&steps))
        return rc;
    return desk_message_close(desk, t->target_message.mid);
}

static int taking_step(struct taking *t)
{
    const struct header *h = &t->env.header;
    struct desk *desk = t->agent->desk;
    struct desk_step step = { h->sender, h->kind, h->code, t->time_ms, t->env.mid };
    struct desk_event e = {
        .what = EVENT_STEP, .mid = h->ref[0], .kind = h->kind, .code = h->code, .poc = h->sender
    };
    int rc = desk_step_add(desk, h->ref[0], &step);

    if (rc != 1)
        return rc;
    rc = desk_event_add(desk, &e);
    return rc || h->kind < KIND_ACKNOWLEDGED ? rc : taking_close(t);
}

/* ---- messages ---- */

static void taking_message(const struct taking *t, struct message *m)
{
    const struct header *h = &t->env.header;

    message_init(m);
    m->way = MESSAGE_IN;
    m->state = MESSAGE_NEW;
    m->time_ms = clock_now_ms();
    m->kind = h->kind;
    m->precedence = t->env.stamp.precedence;
    m->seq = t->env.stamp.seq;
    m->carried = t->sync == NULL;
    memcpy(m->mid, t->env.mid, 32);
    memcpy(m->id, t->env.id, 32);
    memcpy(m->sender, h->sender.p, h->sender.n);
    memcpy(m->channel, h->channel, 32);
    memcpy(m->chain, t->env.stamp.chain, 16);
}

/* What cannot be opened, or says inside what the agreement forbids, is delivered as cannot-read. */
static int taking_open(struct taking *t, const struct verdict *v, struct message *m)
{
    struct station *st = t->agent->station;
    struct opened opened;
    int rc = open_envelope(&t->env, span_str(st->poc), st->subkeys, st->psk, &opened);

    if (!rc) {
        rc = inside_judge(&opened.content, &t->env.header, &t->env.stamp, v->agreement, NULL);
        if (!rc) {
            memcpy(m->salt, opened.salt, 32);
            if (buf_put_span(&m->content, opened.content_bytes))
                rc = -HL_ENOMEM;
        }
        opened_release(&opened);
    }
    if (rc == 0 || rc == -HL_ENOMEM)
        return rc;
    m->state = MESSAGE_CANNOT_READ;
    m->refused = rc;
    snprintf(m->sentence, sizeof(m->sentence), "%s", error_text(rc));
    return 0;
}

/* The station answers by itself: delivered, or cannot-read with the reason. */
static int taking_answer(struct taking *t, const struct message *m)
{
    struct agent *a = t->agent;
    unsigned kind = m->state == MESSAGE_CANNOT_READ ? KIND_CANNOT_READ : KIND_DELIVERED;
    unsigned code = kind == KIND_CANNOT_READ ? (unsigned)-m->refused : 0;
    uint8_t mid[32];
    struct buf why;
    int rc;

    if (desk_step_done(a->desk, m->mid, span_str(a->station->poc), kind))
        return 0;
    buf_init(&why, 1024);
    rc = compose_step(a, m, kind, code, a->station->machine, mid, &why);
    buf_release(&why);
    return rc == -HL_ESTORE || rc == -HL_ENOMEM ? rc : 0; /* else: no host takes steps here now */
}

static int taking_event(struct taking *t, const struct message *m, int news)
{
    struct desk_event e = { .mid = m->mid,
                            .kind = m->kind,
                            .poc = span_str(m->sender),
                            .detail = span_str(t->flags & DELIVER_ESCALATED ? "escalated" : "") };

    if (m->state == MESSAGE_CANNOT_READ) {
        e.what = EVENT_CANNOT_READ;
        e.code = (unsigned)-m->refused;
    } else {
        e.what = news == 2 ? EVENT_REPETITION : EVENT_MESSAGE;
    }
    return desk_event_add(t->agent->desk, &e);
}

static int taking_store(struct taking *t, const struct message *m)
{
    const struct header *h = &t->env.header;
    int news = desk_receive(t->agent->desk, m), rc = news < 0 ? news : 0;

    for (size_t i = 0; i < h->n_refs && !rc; i++)
        rc = desk_ref_add(t->agent->desk, m->mid, h->ref[i]);
    if (!rc && news > 0)
        rc = taking_event(t, m, news);
    return rc;
}

static bool taking_for_us(const struct taking *t)
{
    for (size_t i = 0; i < t->env.header.n_to; i++)
        if (span_eq_str(t->env.header.to[i].poc, t->agent->station->poc))
            return true;
    return false;
}

/* The remark of a step is kept under the step's id, read as the step is; that it cannot be read
 * harms nobody. */
static int taking_remark(struct taking *t, const struct verdict *v)
{
    struct message m;
    int rc;

    if (!t->env.body.n || !taking_for_us(t))
        return 0;
    taking_message(t, &m);
    m.state = MESSAGE_SEEN;
    rc = buf_put_span(&m.envelope, t->file);
    if (!rc)
        rc = taking_open(t, v, &m);
    if (!rc && m.state == MESSAGE_SEEN)
        rc = desk_receive(t->agent->desk, &m);
    message_release(&m);
    return rc < 0 ? rc : 0;
}

static int taking_receive(struct taking *t, const struct verdict *v)
{
    struct message m;
    int rc;

    if (kind_is_step(t->env.header.kind)) {
        rc = taking_remark(t, v);
        return rc ? rc : taking_step(t);
    }
    if (t->env.header.kind == KIND_VOID || !taking_for_us(t))
        return 0; /* its number is kept; an auditor keeps its record */
    taking_message(t, &m);
    rc = buf_put_span(&m.envelope, t->file);
    if (!rc)
        rc = taking_open(t, v, &m);
    if (!rc)
        rc = taking_store(t, &m);
    if (!rc && m.kind != KIND_LINK_TEST)
        rc = taking_answer(t, &m);
    message_release(&m);
    return rc;
}

/* Not acceptable to this reader: kept as evidence, never shown as a message; marked when it was
 * shown already. */
static int taking_refuse(struct taking *t, const struct verdict *v)
{
    struct desk *desk = t->agent->desk;
    char what[80], sentence[256];
    int rc;

    snprintf(what, sizeof(what), "an envelope refused by this reader: %s", error_name(v->rc));
    snprintf(sentence, sizeof(sentence), "%s", v->sentence[0] ? v->sentence : error_text(v->rc));
    rc = desk_evidence_add(desk, what, t->file);
    if (rc || v->rc == -HL_ESIG)
        return rc; /* its message id may be anyone's */
    rc = desk_message_state(desk, t->env.mid, MESSAGE_REFUSED, v->rc, sentence);
    if (rc)
        return rc == -HL_ENOENT ? 0 : rc;
    return desk_event_add(desk, &(struct desk_event){ .what = EVENT_REFUSED,
                                                      .mid = t->env.mid,
                                                      .kind = t->env.header.kind,
                                                      .code = (unsigned)-v->rc,
                                                      .poc = t->env.header.sender,
                                                      .detail = span_str(sentence) });
}

static int taking_accept(struct taking *t, const struct verdict *v)
{
    struct agent *a = t->agent;
    const struct header *h = &t->env.header;
    const struct stamp *st = &t->env.stamp;
    int rc = 0;

    for (size_t i = 0; i < st->n_seen && !rc; i++)
        for (size_t k = 0; k < a->n_syncs && !rc; k++)
            rc = others_saw(a->sync[k], &st->seen[i], t->env.mid);
    if (!rc)
        rc = taking_keep_record(t);
    if (rc || span_eq_str(h->sender, a->station->poc))
        return rc;
    rc = desk_number_keep(a->desk, h->sender, h->channel, st->chain, st->seq, t->env.id,
                          clock_now_ms());
    if (!rc)
        rc = taking_receive(t, v);
    return rc || !t->known ? rc : receipts_ask(t->sync, t->index);
}

/*
 * Wait for the entries before it?  A FLASH is shown at once, if it can be judged; the rest not
 * before its time; from a dead log nothing more will come.
 */
static bool taking_waits(const struct taking *t, int verdict, bool late)
{
    if (t->known || !t->sync || t->sync->seen.dead)
        return false;
    if (t->env.stamp.precedence == PRECEDENCE_FLASH || late)
        return verdict != 0;
    return true;
}

static int taking_run(struct taking *t, bool late)
{
    struct later again = { .index = t->index, .time_ms = t->time_ms, .flags = t->flags };
    bool dead = t->sync && t->sync->seen.dead;
    struct verdict v = { 0 };
    int rc = taking_target(t);

    if (rc)
        return rc;
    rc = taking_judge(t, &v);
    if (rc == -HL_ENOMEM || rc == -HL_ESTORE)
        return rc;
    if (t->sync)
        memcpy(again.salt, t->salt, 32);
    if (taking_waits(t, rc, late))
        return later_add(t->sync, &again, t->file);
    if (rc)
        return taking_refuse(t, &v);
    rc = taking_accept(t, &v);
    if (rc || !t->sync || t->known || dead)
        return rc;
    again.shown = true; /* judged by what is in force now: again at its entry */
    return later_add(t->sync, &again, t->file);
}

static int taking_commit(struct taking *t, bool late)
{
    struct desk *desk = t->agent->desk;
    int rc = desk_begin(desk);

    if (rc)
        return rc;
    rc = taking_run(t, late);
    t->agent->changed++;
    if (!rc)
        return desk_commit(desk);
    desk_abort(desk);
    return rc;
}

int taking_envelope(struct sync *s, const struct later *what, struct span envelope, bool late)
{
    static struct taking t; /* 160 kB; one loop, one thread */
    int rc;

    memset(&t, 0, sizeof(t));
    t.sync = s;
    t.agent = s->agent;
    t.dir = s->dir;
    t.index = what->index;
    t.time_ms = what->time_ms;
    t.flags = what->flags;
    t.salt = what->salt;
    t.known = what->index < s->seen.range.size;
    t.file = envelope;
    message_init(&t.target_message);
    if (what->flags & DELIVER_EVENT)
        openings_pushed(s, what->index);
    rc = envelope_decode(&t.env, s->agent->station->realm, envelope);
    if (rc)
        rc = sync_fault(s, "a delivery that is no envelope", envelope);
    else
        rc = taking_commit(&t, late);
    message_release(&t.target_message);
    return rc;
}

/* ---- carried by hand ---- */

static int taking_by_hand(struct taking *t, struct buf *why)
{
    struct verdict v = { 0 };
    int rc = taking_target(t);

    if (!rc)
        rc = taking_judge(t, &v);
    if (rc) {
        buf_put_str(why, v.sentence[0] ? v.sentence : error_text(rc));
        return rc;
    }
    return taking_accept(t, &v);
}

int taking_carried(struct agent *a, const struct directory *dir, struct span envelope,
                   uint8_t mid[static 32], struct buf *why)
{
    static struct taking t;
    int rc;

    memset(&t, 0, sizeof(t));
    t.agent = a;
    t.dir = dir;
    t.time_ms = clock_now_ms();
    t.file = envelope;
    rc = envelope_decode(&t.env, a->station->realm, envelope);
    if (rc)
        return rc;
    memcpy(mid, t.env.mid, 32);
    message_init(&t.target_message);
    rc = desk_begin(a->desk);
    if (!rc) {
        rc = taking_by_hand(&t, why);
        if (rc)
            desk_abort(a->desk);
        else
            rc = desk_commit(a->desk);
    }
    message_release(&t.target_message);
    a->changed++;
    return rc;
}
