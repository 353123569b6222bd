#include <stdlib.h>
#include <string.h>

#include "client/verb_list.h"
#include "common/content.h"
#include "common/error.h"
#include "common/record.h"
#include "common/text.h"

/* inbox, outbox, show, thread. */

#define LIMIT_DEFAULT 100

/* ---- lists ---- */

struct listing {
    struct verb *verb;
    bool all;
    uint64_t left;
};

/* Of what is open: that which is not read or acknowledged, not recorded, or owed an
 * acknowledgement. */
static bool list_wanted(const struct message *m)
{
    if (m->state == MESSAGE_SEEN || m->state == MESSAGE_RECORDED)
        return kind_owes_ack(m->kind);
    return true;
}

static int list_consider(void *arg, const struct message *m)
{
    struct listing *l = arg;
    int rc;

    if (kind_is_bodyless(m->kind) || (!l->all && !list_wanted(m)))
        return 0;
    rc = message_row_send(l->verb, m);
    return rc ? rc : --l->left == 0;
}

static int list(struct verb *v, enum message_way way)
{
    struct listing l = { v, verb_yes(v, "all"), 0 };
    int rc = verb_uint(v, "limit", LIMIT_DEFAULT, &l.left);

    if (rc || l.left == 0)
        return rc;
    rc = l.all ? desk_each_message(v->agent->desk, way, list_consider, &l)
               : desk_each_open(v->agent->desk, way, list_consider, &l);
    return rc > 0 ? 0 : rc;
}

int verb_inbox_begin(struct verb *v)
{
    return list(v, MESSAGE_IN);
}

int verb_outbox_begin(struct verb *v)
{
    return list(v, MESSAGE_OUT);
}

/* ---- show ---- */

struct showing {
    struct verb *verb;
    struct message message;
    struct envelope env;
    struct content content;
};

static void show_key(struct showing *s, struct row *r, const char *holder, const char *position,
                     const uint8_t *key)
{
    struct key_facts facts;
    bool known = false;

    for (size_t i = 0; key && i < s->verb->agent->n_syncs && !known; i++)
        known = directory_key(sync_directory(s->verb->agent->sync[i]), DIRECTORY_NOW,
                              s->message.time_ms, key, &facts) != -HL_EKEY;
    row_span(r, holder, known ? facts.holder : SPAN_NONE);
    row_span(r, position, known ? facts.position : SPAN_NONE);
}

/* A label by its index in the header, else in the content. */
static struct span show_label(struct showing *s, const char *name, uint64_t index,
                              const struct span *word, size_t n)
{
    struct span sealed = content_field(&s->content, name);

    if (!index && sealed.p && text_decimal(&index, sealed))
        return SPAN_NONE;
    return index >= 1 && index <= n ? word[index - 1] : SPAN_NONE;
}

static int show_header(struct showing *s)
{
    const struct header *h = &s->env.header;
    const struct stamp *st = &s->env.stamp;
    const struct content *c = &s->content;
    struct channel_facts facts;
    struct row r;

    row_begin(&r, "header");
    row_32(&r, "mid", s->env.mid);
    row_32(&r, "id", s->env.id);
    if (channel_agreement(s->verb->agent, h->channel, &facts)) {
        const struct agreement *ag = facts.agreement;

        row_span(&r, "agreement", ag->name);
        row_span(&r, "category",
                 show_label(s, "category", h->category, ag->category, ag->n_categories));
        row_span(&r, "marking", show_label(s, "marking", h->marking, ag->marking, ag->n_markings));
    }
    row_span(&r, "language", c->language);
    row_span(&r, "form", c->form);
    row_span(&r, "phrasebook", c->phrasebook);
    row_span(&r, "thread", c->thread);
    row_span(&r, "commit", h->commit);
    row_uint(&r, "drafted_ms", h->drafted_ms);
    row_uint(&r, "sealed_ms", st->sealed_ms);
    row_uint(&r, "lifetime_s", st->lifetime_s);
    row_span(&r, "chain", SPAN(st->chain, 16));
    row_uint(&r, "seq", st->seq);
    row_uint(&r, "psk", st->psk_step > 0);
    row_32(&r, "key", st->key);
    show_key(s, &r, "holder", "position", st->key);
    row_32(&r, "draft_key", st->draft_key);
    show_key(s, &r, "draft_holder", "draft_position", st->draft_key);
    return row_send(s->verb, &r);
}

static int recipient_row(struct showing *s, const struct step_state *at, bool bound)
{
    struct row r;

    row_begin(&r, "recipient");
    row_span(&r, "poc", at->poc);
    if (at->role > ROLE_ALTERNATE)
        row_printf(&r, "role", "alternate %u", at->role - ROLE_ALTERNATE);
    else
        row_str(&r, "role", at->role == ROLE_ACTION ? "action" : "information");
    row_uint(&r, "delivered_ms", at->delivered_ms);
    row_uint(&r, "acknowledged_ms", at->acknowledged_ms);
    row_str(&r, "last", at->last ? kind_name(at->last) : "");
    row_uint(&r, "code", at->code);
    row_str(&r, "due", bound ? "bound" : "requested");
    return row_send(s->verb, &r);
}

static int show_recipients(struct showing *s)
{
    struct steps *steps = malloc(sizeof(*steps));
    bool bound;
    int rc = steps ? message_steps(s->verb->agent, &s->message, &s->env, steps) : -HL_ENOMEM;

    message_due(s->verb->agent, &s->message, &s->env, &bound);
    for (size_t i = 0; !rc && i < steps->n; i++)
        rc = recipient_row(s, &steps->at[i], bound);
    free(steps);
    return rc;
}

static int related_row(struct showing *s, const char *row, const uint8_t mid[static 32])
{
    char number[NUMBER_SIZE] = "";
    struct message m;
    struct row r;
    int rc = desk_message(s->verb->agent->desk, mid, &m);
    bool step = rc == 0 && kind_is_bodyless(m.kind); /* these are the rows step */

    if (!rc)
        number_print(number, span_str(m.sender), m.seq);
    if (!step && (!rc || rc == -HL_ENOENT)) {
        row_begin(&r, row);
        row_32(&r, "mid", mid);
        row_str(&r, "number", number);
        row_str(&r, "kind", rc ? "" : kind_name(m.kind));
        row_str(&r, "way", rc ? "" : m.way == MESSAGE_OUT ? "out" : "in");
        row_str(&r, "sender", m.sender);
        row_str(&r, "state", rc ? "" : message_state_name(m.state));
        rc = row_send(s->verb, &r);
    }
    message_release(&m);
    return rc;
}

static int show_related(void *arg, const uint8_t mid[static 32])
{
    return related_row(arg, "related", mid);
}

static int show_fields(struct showing *s)
{
    const struct content *c = &s->content;
    struct row r;
    int rc = 0;

    for (size_t i = CONTENT_FIXED; i < c->n && !rc; i++) {
        row_begin(&r, "field");
        row_span(&r, "name", c->name[i]);
        row_span(&r, "bytes", c->field[i]);
        rc = row_send(s->verb, &r);
    }
    return rc;
}

static int show_step(void *arg, const struct desk_step *step)
{
    struct showing *s = arg;

    return step_row_send(s->verb, step);
}

struct notices {
    struct showing *showing;
    struct span origin;
};

static int show_notice(void *arg, uint64_t index, struct span salt, struct span record)
{
    struct notices *n = arg;
    struct record rec;
    struct row r;

    (void)index;
    (void)salt;
    if (record_decode(&rec, record) || rec.type != RECORD_NOTICE ||
        memcmp(rec.mid, n->showing->message.mid, 32) != 0)
        return 0;
    row_begin(&r, "notice");
    row_str(&r, "kind", notice_name(rec.notice));
    row_span(&r, "poc", rec.poc);
    row_span(&r, "detail", rec.detail);
    row_uint(&r, "time_ms", rec.time_ms);
    row_span(&r, "host", n->origin);
    return row_send(n->showing->verb, &r);
}

static int show_notices(struct showing *s)
{
    int rc = 0;

    for (size_t i = 0; i < s->verb->agent->n_syncs && !rc; i++) {
        struct notices n = { s, span_str(sync_host(s->verb->agent->sync[i])->origin) };

        rc = desk_opening_each(s->verb->agent->desk, n.origin, show_notice, &n);
    }
    return rc;
}

static int show_rows(struct showing *s)
{
    struct agent *a = s->verb->agent;
    int rc = message_row_send(s->verb, &s->message);

    if (!rc)
        rc = show_header(s);
    if (!rc)
        rc = show_recipients(s);
    for (size_t i = 0; i < s->env.header.n_refs && !rc; i++)
        rc = related_row(s, "ref", s->env.header.ref[i]);
    if (!rc)
        rc = desk_ref_each(a->desk, s->message.mid, show_related, s);
    if (!rc)
        rc = show_fields(s);
    if (!rc)
        rc = desk_step_each(a->desk, s->message.mid, show_step, s);
    if (!rc)
        rc = show_notices(s);
    return rc ? rc : host_rows(s->verb, &s->message);
}

int verb_show_begin(struct verb *v)
{
    struct showing *s = calloc(1, sizeof(*s));
    uint8_t mid[32];
    int rc = s ? verb_message(v, "", mid) : -HL_ENOMEM;

    if (rc) {
        free(s);
        return rc;
    }
    s->verb = v;
    rc = desk_message(v->agent->desk, mid, &s->message);
    if (!rc &&
        (envelope_decode(&s->env, v->agent->station->realm, buf_span(&s->message.envelope)) ||
         (s->message.content.n && content_decode(&s->content, buf_span(&s->message.content)))))
        rc = -HL_ESTORE;
    if (!rc && verb_yes(v, "mark")) {
        rc = desk_message_state(v->agent->desk, mid, MESSAGE_SEEN, 0, "");
        if (s->message.state == MESSAGE_NEW)
            s->message.state = MESSAGE_SEEN;
        v->agent->changed++;
    }
    if (!rc)
        rc = show_rows(s);
    message_release(&s->message);
    free(s);
    return rc;
}

/* ---- thread ---- */

/* The first message of a thread has no thread field: its own id stands for it. */
static int thread_of(const struct message *m, uint8_t thread[static 32])
{
    struct content *c = calloc(1, sizeof(*c));
    int rc = c ? 0 : -HL_ENOMEM;

    if (!rc && m->content.n)
        rc = content_decode(c, buf_span(&m->content)) ? -HL_ESTORE : 0;
    if (!rc)
        memcpy(thread, c->thread.n == 32 ? c->thread.p : m->mid, 32);
    free(c);
    return rc;
}

#define THREAD_MAX 1000

struct thread {
    uint8_t id[32], mid[THREAD_MAX][32];
    uint64_t time_ms[THREAD_MAX];
    size_t n;
};

static int thread_consider(void *arg, const struct message *m)
{
    struct thread *t = arg;
    uint8_t id[32];
    size_t at;
    int rc = thread_of(m, id);

    if (rc || kind_is_bodyless(m->kind) || memcmp(id, t->id, 32) != 0)
        return rc;
    if (t->n == THREAD_MAX)
        return 1;
    for (at = t->n++; at > 0 && t->time_ms[at - 1] > m->time_ms; at--) {
        t->time_ms[at] = t->time_ms[at - 1];
        memcpy(t->mid[at], t->mid[at - 1], 32);
    }
    t->time_ms[at] = m->time_ms;
    memcpy(t->mid[at], m->mid, 32);
    return 0;
}

int verb_thread_begin(struct verb *v)
{
    struct thread *t = calloc(1, sizeof(*t));
    struct message m;
    uint8_t mid[32];
    int rc = t ? verb_message(v, "", mid) : -HL_ENOMEM;

    if (rc) {
        free(t);
        return rc;
    }
    rc = desk_message(v->agent->desk, mid, &m);
    if (!rc)
        rc = thread_of(&m, t->id);
    message_release(&m);
    for (int way = MESSAGE_OUT; way <= MESSAGE_IN && !rc; way++)
        rc = desk_each_message(v->agent->desk, (enum message_way)way, thread_consider, t);
    for (size_t i = 0; i < t->n && rc >= 0; i++)
        rc = message_row_mid(v, t->mid[i]);
    free(t);
    return rc > 0 ? 0 : rc;
}
