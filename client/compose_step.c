#include <stdlib.h>
#include <string.h>

#include "client/release.h"
#include "common/error.h"
#include "common/text.h"
#include "keys/seal.h"

#define LADDER_MAX 12 /* recipients of a message up to which everyone sees its steps */

/* Machine steps go to the sender alone; people's steps to all that act, where they are few. */
static void step_recipients(const struct agent *a, const struct header *t, unsigned kind,
                            struct header *h)
{
    h->to[h->n_to++] = (struct recipient){ t->sender, ROLE_INFORMATION };
    if (kind == KIND_DELIVERED || kind == KIND_CANNOT_READ || t->n_to > LADDER_MAX)
        return;
    for (size_t i = 0; i < t->n_to; i++)
        if (!span_eq_str(t->to[i].poc, a->station->poc) && t->to[i].role < ROLE_ALTERNATE)
            h->to[h->n_to++] = (struct recipient){ t->to[i].poc, ROLE_INFORMATION };
}

/* Encode the header, prepare, sign with @key, store. */
static int bodyless_send(struct agent *a, struct release *r, const struct header *h,
                         const struct seckey *key, uint8_t mid[static 32], struct buf *why)
{
    struct prepared p;
    struct buf header;
    uint8_t sig[64];
    int rc;

    prepared_init(&p);
    buf_init(&header, ENVELOPE_HEADER_MAX);
    rc = header_put(&header, h);
    r->header = buf_span(&header);
    r->h = h;
    r->key = seckey_public(key);
    if (!rc)
        rc = release_prepare(a, r, &p, why);
    if (!rc)
        rc = seal_release(key, h->realm, p.message.id, sig);
    if (!rc)
        rc = compose_commit(a, &p, sig);
    if (!rc)
        memcpy(mid, p.message.mid, 32);
    prepared_release(&p);
    buf_release(&header);
    return rc;
}

/* Our own step is a fact of this desk at once: asked for by the next command, and not made twice.
 */
static int step_note(struct agent *a, const struct header *h, const uint8_t mid[static 32])
{
    struct desk_step step = { h->sender, h->kind, h->code, h->drafted_ms, mid };
    int rc = desk_step_add(a->desk, h->ref[0], &step);

    return rc < 0 ? rc : 0;
}

static int step_send(struct agent *a, struct release *r, const struct header *h,
                     const struct seckey *key, uint8_t mid[static 32], struct buf *why)
{
    int rc = desk_begin(a->desk);

    if (rc)
        return rc;
    rc = bodyless_send(a, r, h, key, mid, why);
    if (!rc)
        rc = step_note(a, h, mid);
    if (!rc && h->kind == KIND_ACKNOWLEDGED)
        rc = desk_message_state(a->desk, h->ref[0], MESSAGE_ACKNOWLEDGED, 0, "");
    if (!rc)
        return desk_commit(a->desk);
    desk_abort(a->desk);
    return rc;
}

int compose_step(struct agent *a, const struct message *message, unsigned kind, unsigned code,
                 const struct seckey *key, uint8_t mid[static 32], struct buf *why)
{
    struct header *h = calloc(1, sizeof(*h));
    struct envelope *env = calloc(1, sizeof(*env));
    struct release r = { .precedence = message->precedence };
    int rc = -HL_ENOMEM;

    if (!h || !env)
        goto out;
    rc = envelope_decode(env, a->station->realm, buf_span(&message->envelope));
    if (rc)
        goto out;
    h->realm = a->station->realm;
    h->kind = kind;
    h->code = code;
    h->channel = message->channel;
    h->sender = span_str(a->station->poc);
    h->drafted_ms = compose_now(a, NULL);
    h->n_refs = 1;
    h->ref[0] = message->mid;
    step_recipients(a, &env->header, kind, h);
    r.target = (struct target){
        true,          env->header.kind, env->header.sender, env->header.channel, env->header.n_to,
        env->header.to
    };
    rc = step_send(a, &r, h, key, mid, why);
out:
    free(h);
    free(env);
    return rc;
}

/* ---- with a remark ---- */

struct remark {
    struct envelope env; /* of the target */
    struct header to;    /* only its recipients */
    struct content content, target;
    struct draft_input in;
};

/* Under the labels of the message: it says nothing that the message does not. */
static int remark_labels(struct agent *a, struct remark *r, const struct message *m,
                         struct buf *why)
{
    uint64_t v[2] = { r->env.header.category, r->env.header.marking };
    struct channel_facts facts;
    int rc;

    if (!compose_channel(a, SPAN_NONE, m->channel, &facts, &rc, why))
        return rc;
    r->in.channel_name = facts.channel->name;
    if (m->content.n && content_decode(&r->target, buf_span(&m->content)))
        return -HL_ESTORE;
    if (!v[0] && text_decimal(&v[0], content_field(&r->target, "category")) == 0)
        r->in.seal_labels = true;
    if (!v[1] && text_decimal(&v[1], content_field(&r->target, "marking")))
        return -HL_EMARKING;
    if (v[0] >= 1 && v[0] <= facts.agreement->n_categories)
        r->in.category = facts.agreement->category[v[0] - 1];
    if (v[1] >= 1 && v[1] <= facts.agreement->n_markings)
        r->in.marking = facts.agreement->marking[v[1] - 1];
    return 0;
}

static void remark_content(struct remark *r, struct span language, struct span text)
{
    struct content *c = &r->content;

    c->n = CONTENT_FIXED;
    c->subject = r->target.subject;
    c->language = language;
    c->name[c->n] = span_str("text");
    c->field[c->n++] = text;
    r->in.content = c;
}

static int remark_draft(struct agent *a, struct remark *r, const struct message *m, struct buf *why)
{
    int rc = envelope_decode(&r->env, a->station->realm, buf_span(&m->envelope));

    if (rc)
        return -HL_ESTORE;
    step_recipients(a, &r->env.header, r->in.kind, &r->to);
    r->in.precedence = m->precedence;
    r->in.n_to = r->to.n_to;
    r->in.to = r->to.to;
    r->in.ref[0] = m->mid;
    r->in.n_refs = 1;
    return remark_labels(a, r, m, why);
}

static int remark_send(struct agent *a, const struct desk_draft *draft, const struct remark *r,
                       const struct seckey *key, uint8_t mid[static 32], struct buf *why)
{
    struct header own = { .kind = r->in.kind,
                          .code = r->in.code,
                          .sender = span_str(a->station->poc),
                          .drafted_ms = draft->made_ms,
                          .ref = { r->in.ref[0] } };
    struct prepared p;
    uint8_t sig[64];
    int rc;

    prepared_init(&p);
    rc = compose_prepare(a, draft, seckey_public(key), 0, &p, why);
    if (!rc)
        rc = seal_release(key, a->station->realm, p.message.id, sig);
    if (!rc)
        rc = compose_commit(a, &p, sig);
    if (!rc) {
        memcpy(mid, p.message.mid, 32);
        rc = step_note(a, &own, mid);
    }
    if (!rc && own.kind == KIND_ACKNOWLEDGED)
        rc = desk_message_state(a->desk, own.ref[0], MESSAGE_ACKNOWLEDGED, 0, "");
    prepared_release(&p);
    return rc;
}

int compose_remark(struct agent *a, const struct message *message, unsigned kind, unsigned code,
                   struct span language, struct span text, const struct seckey *key,
                   uint8_t mid[static 32], struct buf *why)
{
    struct remark *r = calloc(1, sizeof(*r));
    struct desk_draft draft;
    int rc = -HL_ENOMEM;

    desk_draft_init(&draft);
    if (!r)
        return rc;
    r->in.kind = kind;
    r->in.code = code;
    rc = remark_draft(a, r, message, why);
    if (rc)
        goto out;
    remark_content(r, language, text);
    rc = compose_draft(a, &r->in, &draft, why);
    if (!rc)
        rc = desk_begin(a->desk);
    if (rc)
        goto out;
    rc = remark_send(a, &draft, r, key, mid, why);
    if (rc)
        desk_abort(a->desk);
    else
        rc = desk_commit(a->desk);
out:
    desk_draft_release(&draft);
    free(r);
    return rc;
}

/* ---- by the machine, about its own envelopes ---- */

/* The header of @m as it stands, and what it refers to. */
struct own {
    struct envelope env;
    struct target_at at;
    struct target target;
};

static int own_open(struct agent *a, const struct message *m, struct own **out)
{
    struct own *o = calloc(1, sizeof(*o));
    int rc;

    *out = o;
    if (!o)
        return -HL_ENOMEM;
    message_init(&o->at.message);
    rc = envelope_decode(&o->env, a->station->realm, buf_span(&m->envelope));
    return rc ? rc : release_target(a, &o->env.header, &o->at, &o->target);
}

static void own_close(struct own *o)
{
    if (o)
        message_release(&o->at.message);
    free(o);
}

int compose_again(struct agent *a, const struct message *step)
{
    struct release r = { .precedence = step->precedence };
    struct own *o;
    uint8_t mid[32];
    struct buf why;
    int rc = own_open(a, step, &o);

    buf_init(&why, 1024);
    if (!rc) {
        r.target = o->target;
        o->env.header
            .drafted_ms++; /* another message id: the desk keeps the refused one as it was */
        rc = bodyless_send(a, &r, &o->env.header, a->station->machine, mid, &why);
    }
    own_close(o);
    buf_release(&why);
    return rc;
}

int compose_void(struct agent *a, const struct message *message)
{
    struct header *h = calloc(1, sizeof(*h));
    struct release r = { .precedence = message->precedence,
                         .chain = message->chain,
                         .seq = message->seq };
    struct own *o = NULL;
    uint8_t mid[32];
    struct buf why;
    int rc = h ? own_open(a, message, &o) : -HL_ENOMEM;

    buf_init(&why, 1024);
    if (!rc) {
        *h = o->env.header;
        h->kind = KIND_VOID;
        h->code = 0;
        h->category = h->marking = 0;
        h->commit = SPAN_NONE;
        h->drafted_ms = compose_now(a, NULL);
        h->n_refs = 1;
        h->ref[0] = message->mid;
        rc = bodyless_send(a, &r, h, a->station->machine, mid, &why);
    }
    own_close(o);
    free(h);
    buf_release(&why);
    return rc;
}
