#include "client/wish.h"

#include <string.h>

#include "common/error.h"
#include "common/text.h"

static int wish_target(struct verb *v, struct wish *w)
{
    struct target_of *t = &w->target;
    int rc;

    message_init(&t->message);
    if (!verb_get(v->req, "target-mid").p && !verb_get(v->req, "target-number").p)
        return 0;
    rc = verb_message(v, "target-", t->mid);
    if (!rc)
        rc = desk_message(v->agent->desk, t->mid, &t->message);
    if (rc)
        return rc == -HL_ENOENT
                   ? verb_fail(v, rc, "the message that it refers to is not on this desk")
                   : rc;
    if (envelope_decode(&t->env, v->agent->station->realm, buf_span(&t->message.envelope)) ||
        (t->message.content.n && content_decode(&t->content, buf_span(&t->message.content))))
        return -HL_ESTORE;
    t->known = true;
    w->in.ref[w->in.n_refs++] = t->mid;
    return 0;
}

static int wish_words(struct verb *v, struct wish *w, unsigned kind)
{
    struct span s = verb_get(v->req, "kind");

    w->in.kind = kind;
    if (!kind && !s.n)
        w->in.kind = KIND_NOTIFICATION;
    else if (!kind && kind_parse(&w->in.kind, s))
        return verb_fail(v, -HL_EUSAGE, "kind \"%.*s\" is unknown", (int)s.n, (const char *)s.p);
    if (kind_is_bodyless(w->in.kind))
        return verb_fail(v, -HL_EKIND, "a %s is no message", kind_name(w->in.kind));
    s = verb_get(v->req, "precedence");
    w->in.precedence = w->target.known ? w->target.message.precedence : PRECEDENCE_ROUTINE;
    if (s.n && precedence_parse(&w->in.precedence, s))
        return verb_fail(v, -HL_EUSAGE, "precedence \"%.*s\" is unknown", (int)s.n,
                         (const char *)s.p);
    return 0;
}

static int wish_to_word(struct verb *v, struct wish *w, struct span s)
{
    struct span rest = s, poc, role;
    struct recipient *r = &w->to[w->in.n_to];

    if (w->in.n_to == ENVELOPE_TO_MAX)
        return verb_fail(v, -HL_ETOOBIG, "at most %d recipients", ENVELOPE_TO_MAX);
    if (!text_field(&rest, &poc) || !text_field(&rest, &role) || rest.n || !name_poc(poc))
        return verb_fail(v, -HL_EUSAGE,
                         "to: want \"party.office action\" or \"party.office information\"");
    if (!span_eq_str(role, "action") && !span_eq_str(role, "information"))
        return verb_fail(v, -HL_EUSAGE, "to: the role is action or information");
    *r = (struct recipient){ poc, span_eq_str(role, "action") ? ROLE_ACTION : ROLE_INFORMATION };
    w->in.n_to++;
    return 0;
}

/* A reply goes to the sender, for information to who else acts or knows; the rest goes where the
 * target went. */
static void wish_to_target(struct verb *v, struct wish *w)
{
    const struct header *t = &w->target.env.header;
    bool reply = w->in.kind == KIND_REPLY;
    const char *own = v->agent->station->poc;

    if (reply && !span_eq_str(t->sender, own))
        w->to[w->in.n_to++] = (struct recipient){ t->sender, ROLE_ACTION };
    for (size_t i = 0; i < t->n_to && w->in.n_to < ENVELOPE_TO_MAX; i++)
        if (t->to[i].role < ROLE_ALTERNATE && !span_eq_str(t->to[i].poc, own))
            w->to[w->in.n_to++] =
                (struct recipient){ t->to[i].poc,
                                    reply && w->in.n_to ? ROLE_INFORMATION : t->to[i].role };
    if (!reply && !span_eq_str(t->sender, own)) /* an endorsement of another's message */
        w->to[w->in.n_to++] = (struct recipient){ t->sender, ROLE_INFORMATION };
}

static int wish_to(struct verb *v, struct wish *w)
{
    struct span s;
    int rc = 0;

    for (size_t i = 0; (s = verb_get_nth(v->req, "to", i)).p && !rc; i++)
        rc = wish_to_word(v, w, s);
    if (!rc && w->in.n_to == 0 && w->target.known)
        wish_to_target(v, w);
    w->in.to = w->to;
    return rc;
}

/* Channel and labels of the target, where nothing else is said; sealed labels are read from its
 * content. */
static int wish_channel(struct verb *v, struct wish *w)
{
    const struct message *t = &w->target.message;
    const struct header *h = &w->target.env.header;
    struct channel_facts facts;
    uint64_t c = h->category, m = h->marking;

    w->in.channel_name = verb_get(v->req, "channel");
    w->in.category = verb_get(v->req, "category");
    w->in.marking = verb_get(v->req, "marking");
    w->in.seal_labels = verb_yes(v, "seal_labels");
    if (!w->target.known || !channel_agreement(v->agent, t->channel, &facts))
        return w->in.channel_name.n ? 0 : verb_fail(v, -HL_EUSAGE, "name a channel");
    if (!w->in.channel_name.n)
        w->in.channel_name = facts.channel->name;
    if (!c && text_decimal(&c, content_field(&w->target.content, "category")) == 0)
        w->in.seal_labels = true;
    if (!m)
        (void)text_decimal(&m, content_field(&w->target.content, "marking"));
    if (!w->in.category.n && c >= 1 && c <= facts.agreement->n_categories)
        w->in.category = facts.agreement->category[c - 1];
    if (!w->in.marking.n && m >= 1 && m <= facts.agreement->n_markings)
        w->in.marking = facts.agreement->marking[m - 1];
    return 0;
}

static int wish_field(struct verb *v, struct content *c, struct span name, struct span bytes)
{
    if (c->n >= CONTENT_FIELDS_MAX - 2) /* category and marking may follow */
        return verb_fail(v, -HL_ETOOBIG, "too many fields");
    c->name[c->n] = name;
    c->field[c->n++] = bytes;
    return 0;
}

static int wish_form_field(struct verb *v, struct content *c, struct span s)
{
    const uint8_t *eq = memchr(s.p, '=', s.n);

    if (!eq)
        return verb_fail(v, -HL_EUSAGE, "field: want name=bytes");
    return wish_field(v, c, SPAN(s.p, (size_t)(eq - s.p)),
                      SPAN(eq + 1, s.n - (size_t)(eq + 1 - s.p)));
}

static int wish_content(struct verb *v, struct wish *w)
{
    static const char *const tail[] = { "text", "attachment" };
    struct content *c = &w->content;
    const struct content *t = &w->target.content;
    struct span s;
    int rc = 0;

    c->n = CONTENT_FIXED;
    c->subject = verb_get(v->req, "subject");
    c->language = verb_get(v->req, "language");
    c->form = verb_get(v->req, "form");
    c->phrasebook = verb_get(v->req, "phrasebook");
    if (!c->subject.n && w->target.known)
        c->subject = t->subject;
    if (!c->language.n)
        c->language = span_str(v->agent->station->language);
    if (w->target.known)
        c->thread = t->thread.n ? t->thread : SPAN(w->target.mid, 32);
    for (size_t i = 0; (s = verb_get_nth(v->req, "field", i)).p && !rc; i++)
        rc = wish_form_field(v, c, s);
    for (size_t i = 0; i < COUNT(tail) && !rc; i++)
        if ((s = verb_get(v->req, tail[i])).p)
            rc = wish_field(v, c, span_str(tail[i]), s);
    w->in.content = c;
    return rc;
}

/* A thread belongs to one channel. */
static void wish_thread(struct wish *w, struct agent *a)
{
    char channel[CHANNEL_TEXT];

    if (!w->target.known)
        return;
    channel_text(a, w->target.message.channel, channel);
    if (!span_eq_str(w->in.channel_name, channel))
        w->content.thread = SPAN_NONE;
}

static int wish_refs(struct verb *v, struct wish *w)
{
    struct span s;

    for (size_t i = 0; (s = verb_get_nth(v->req, "ref", i)).p; i++) {
        if (s.n != 32)
            return verb_fail(v, -HL_EUSAGE, "ref: want a message id, 32 bytes");
        if (w->in.n_refs == ENVELOPE_REFS_MAX)
            return verb_fail(v, -HL_ETOOBIG, "at most %d references", ENVELOPE_REFS_MAX);
        w->in.ref[w->in.n_refs++] = s.p;
    }
    return 0;
}

int wish_read(struct verb *v, struct wish *w, unsigned kind)
{
    int rc = wish_target(v, w);

    if (!rc)
        rc = wish_words(v, w, kind);
    if (!rc)
        rc = wish_to(v, w);
    if (!rc)
        rc = wish_channel(v, w);
    if (!rc)
        rc = wish_content(v, w);
    if (rc)
        return rc;
    wish_thread(w, v->agent);
    rc = wish_refs(v, w);
    if (!rc)
        rc = verb_uint(v, "ack_within_s", 0, &w->in.ack_within_s);
    return rc ? rc : verb_uint(v, "lifetime_s", 0, &w->in.lifetime_s);
}
