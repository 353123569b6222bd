#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/duty.h"
#include "client/verb_list.h"
#include "client/wish.h"
#include "common/card.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"
#include "keys/seal.h"

/*
 * send, retract, link-test: from pairs to a draft, from the draft to an envelope on its way, and
 * the wait for what comes back.  The release verbs (verb_release.c) join at verb_release_draft().
 */

static unsigned release_flags(const struct verb *v)
{
    return (verb_yes(v, "alone") ? FLAG_RELEASED_ALONE : 0) |
           (verb_yes(v, "break_glass") ? FLAG_BREAK_GLASS : 0);
}

static int release_now(struct verb *v, const struct desk_draft *draft, const struct seckey *key,
                       struct sending *s)
{
    struct agent *a = v->agent;
    struct prepared p;
    uint8_t sig[64];
    int rc;

    prepared_init(&p);
    buf_clear(&v->why);
    rc = compose_prepare(a, draft, seckey_public(key), release_flags(v), &p, &v->why);
    if (!rc)
        rc = seal_release(key, a->station->realm, p.message.id, sig);
    if (!rc)
        rc = compose_commit(a, &p, sig);
    if (!rc)
        rc = sending_begin(v, s, p.message.mid);
    prepared_release(&p);
    return rc;
}

static unsigned draft_kind(const struct verb *v, const struct desk_draft *draft)
{
    struct header *h = malloc(sizeof(*h));
    unsigned kind = 0;

    if (h && header_decode(h, v->agent->station->realm, buf_span(&draft->header)) == 0)
        kind = h->kind;
    free(h);
    return kind;
}

int verb_release_draft(struct verb *v, const struct desk_draft *draft, struct sending *s)
{
    const struct seckey *key;
    unsigned want = draft_kind(v, draft) == KIND_RETRACTION ? 0 : PERM_RELEASE;
    int rc = duty_key(v->agent, verb_get(v->req, "position"), want, v->req->pass, &key, &v->why);

    return rc ? rc : release_now(v, draft, key, s);
}

/* Kept for another position: signed by who drafted it, shown with the draft's row. */
static int draft_keep(struct verb *v, struct desk_draft *draft, const struct seckey *key)
{
    int rc = compose_sign_draft(v->agent, draft, key);

    if (!rc)
        rc = desk_draft_put(v->agent->desk, draft);
    if (!rc)
        rc = draft_row_send(v, draft, draft_ordinal(v->agent, draft->mid));
    v->agent->changed++;
    return rc ? rc : -HL_EWAITING;
}

/*
 * One position with both permissions sends at once; where the rules demand a second person, or the
 * position may only draft, the draft waits for a releaser.
 */
static int send_draft(struct verb *v, struct desk_draft *draft, unsigned kind, struct sending *s)
{
    struct agent *a = v->agent;
    struct span position = verb_get(v->req, "position");
    const struct seckey *key;
    bool one = kind == KIND_RETRACTION;
    int rc = -HL_EPERM;

    if (!verb_yes(v, "draft_only"))
        rc =
            duty_key(a, position, one ? 0 : PERM_DRAFT | PERM_RELEASE, v->req->pass, &key, &v->why);
    if (!rc)
        rc = release_now(v, draft, key, s);
    if (one || (rc != -HL_ETWOPERSON && rc != -HL_EPERM && rc != -HL_EDUTY))
        return rc;
    buf_clear(&v->why);
    rc = duty_key(a, position, PERM_DRAFT, v->req->pass, &key, &v->why);
    return rc ? rc : draft_keep(v, draft, key);
}

static int send_kind(struct verb *v, unsigned kind)
{
    struct wish *w = calloc(1, sizeof(*w));
    struct desk_draft draft;
    int rc = w ? wish_read(v, w, kind) : -HL_ENOMEM;

    desk_draft_init(&draft);
    if (!rc)
        rc = compose_draft(v->agent, &w->in, &draft, &v->why);
    if (!rc)
        rc = send_draft(v, &draft, w->in.kind, v->state);
    desk_draft_release(&draft);
    if (w)
        message_release(&w->target.message);
    free(w);
    return rc;
}

int verb_send_begin(struct verb *v)
{
    return send_kind(v, 0);
}

/* ---- retract: the message itself is the target ---- */

int verb_retract_begin(struct verb *v)
{
    struct verb_request *req = malloc(sizeof(*req));
    const struct verb_request *asked = v->req;
    static const char *const same[] = { "position", "text", "language", "wait_s" };
    uint8_t mid[32];
    int rc = req ? verb_message(v, "", mid) : -HL_ENOMEM;

    if (!rc) {
        memset(req, 0, sizeof(*req));
        req->pass = asked->pass;
        verb_add(req, "target-mid", SPAN(mid, 32));
        for (size_t i = 0; i < COUNT(same); i++)
            if (verb_get(asked, same[i]).p)
                verb_add(req, same[i], verb_get(asked, same[i]));
        v->req = req;
        rc = send_kind(v, KIND_RETRACTION);
        v->req = asked;
    }
    free(req);
    return rc;
}

/* ---- link test: by the station ---- */

int verb_link_test_begin(struct verb *v)
{
    struct wish *w = calloc(1, sizeof(*w));
    struct desk_draft draft;
    struct channel_facts facts;
    int rc = w ? wish_read(v, w, KIND_LINK_TEST) : -HL_ENOMEM;

    desk_draft_init(&draft);
    if (!rc && !compose_channel(v->agent, w->in.channel_name, NULL, &facts, &rc, &v->why))
        goto out;
    if (!rc && !w->in.category.n)
        w->in.category = facts.agreement->category[0];
    if (!rc && !w->in.marking.n)
        w->in.marking = facts.agreement->marking[0];
    if (!rc)
        rc = compose_draft(v->agent, &w->in, &draft, &v->why);
    if (!rc)
        rc = release_now(v, &draft, v->agent->station->machine, v->state);
out:
    desk_draft_release(&draft);
    free(w);
    return rc;
}

/* ---- waiting for what comes back ---- */

int sending_begin(struct verb *v, struct sending *s, const uint8_t mid[static 32])
{
    struct span wait = verb_get(v->req, "wait_s");
    int rc = verb_wait(v, VERB_RECORD_WAIT_MS);

    if (rc)
        return rc;
    memcpy(s->mid, mid, 32);
    s->ack = wait.p && !span_eq_str(wait, "0");
    buf_clear(&v->why);
    return sending_look(v, s, span_eq_str(wait, "0"));
}

struct new_steps {
    struct verb *verb;
    size_t at, seen;
};

static int step_if_new(void *arg, const struct desk_step *step)
{
    struct new_steps *n = arg;

    return n->at++ < n->seen ? 0 : step_row_send(n->verb, step);
}

static int acknowledged(struct verb *v, const struct message *m, bool *all)
{
    struct envelope *env = malloc(sizeof(*env));
    struct steps *steps = malloc(sizeof(*steps));
    int rc = env && steps ? 0 : -HL_ENOMEM;

    if (!rc && envelope_decode(env, v->agent->station->realm, buf_span(&m->envelope)))
        rc = -HL_ESTORE;
    if (!rc)
        rc = ladder_read(v->agent->desk, m->mid, &env->header, steps);
    *all = !rc && ladder_acknowledged(steps);
    free(env);
    free(steps);
    return rc;
}

static int sending_recorded(struct verb *v, struct sending *s, const struct message *m)
{
    int rc;

    if (s->recorded)
        return 0;
    s->recorded = true;
    rc = message_row_send(v, m);
    return rc ? rc : host_rows(v, m);
}

static int sending_over(struct verb *v, struct sending *s, const struct message *m)
{
    int rc = sending_recorded(v, s, m);

    if (rc)
        return rc;
    if (m->state == MESSAGE_RECORDED)
        return s->ack ? -HL_EDEADLINE : 0;
    for (size_t i = 0; i < v->agent->n_syncs; i++)
        if (sync_unanswered(v->agent->sync[i]))
            return verb_fail(v, -HL_EQUEUED, "%s: %s", sync_host(v->agent->sync[i])->origin,
                             error_text(HL_ENOANSWER));
    return -HL_EQUEUED;
}

static int sending_turn(struct verb *v, struct sending *s, const struct message *m, bool over)
{
    struct new_steps steps = { .verb = v, .seen = s->steps };
    bool all = false;
    int rc = 0;

    if (m->state == MESSAGE_REFUSED) {
        rc = sending_recorded(v, s, m);
        return rc ? rc : verb_fail(v, m->refused, "%s", m->sentence);
    }
    if (m->state == MESSAGE_RECORDED) {
        rc = sending_recorded(v, s, m);
        s->ack = s->ack && kind_owes_ack(m->kind);
        if (!rc && s->ack)
            rc = desk_step_each(v->agent->desk, m->mid, step_if_new, &steps);
        s->steps = steps.at > s->steps ? steps.at : s->steps;
        if (!rc && s->ack)
            rc = acknowledged(v, m, &all);
        if (rc || !s->ack || all)
            return rc;
    }
    return over ? sending_over(v, s, m) : VERB_WAITS;
}

int sending_look(struct verb *v, struct sending *s, bool over)
{
    struct message m;
    int rc = desk_message(v->agent->desk, s->mid, &m);

    if (!rc)
        rc = sending_turn(v, s, &m, over);
    message_release(&m);
    return rc;
}

int verb_send_look(struct verb *v, bool over)
{
    return sending_look(v, v->state, over);
}
