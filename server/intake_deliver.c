#include "server/intake_inner.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/steps.h"

/* Who gets what of a recorded envelope, what leaves a mailbox by it, and what it makes due. */

#define STEPS_MAX                                                                                  \
    512 /* of a sender's events, looked through for one message that was sealed again */

int intake_event(struct intake *in, struct span poc, uint64_t index)
{
    in->copies++;
    delivery_touch(in->st->deliveries, office_find(in->st->sessions, poc), true);
    return store_stage_event(in->st->store, poc, index);
}

bool intake_is_event(unsigned kind)
{
    return kind_is_step(kind) || kind == KIND_VOID || kind == KIND_LINK_TEST;
}

/* The recipient's own signature says that it has the message. */
int intake_leave_mailbox(struct intake *in, const struct envelope *env)
{
    unsigned kind = env->header.kind;
    struct mailbox *mb;
    int rc;

    if (kind != KIND_DELIVERED && kind != KIND_ACKNOWLEDGED && kind != KIND_CANNOT_READ)
        return 0;
    rc = mailbox_get(in->st->mailboxes, env->header.sender, &mb);
    return rc ? rc : mailbox_take(in->st->mailboxes, mb, env->header.ref[0], false);
}

/* ---- a message that was sealed again ---- */

struct steps_seen {
    struct intake *in;
    const struct envelope *env;
    struct header *header;
    struct stored stored;
};

/* Whose step is event @index, if it says that he has the message? */
static int see_step(void *arg, uint64_t index)
{
    struct steps_seen *s = arg;
    const struct header *h = s->header;
    struct record rec;
    int rc = store_read(s->in->st->store, index, &s->stored);

    if (rc || record_decode(&rec, buf_span(&s->stored.record)) || rec.type != RECORD_ENVELOPE ||
        header_decode(s->header, s->env->header.realm, rec.header))
        return rc == -HL_ENOMEM ? rc : 0;
    if ((h->kind != KIND_DELIVERED && h->kind != KIND_ACKNOWLEDGED) ||
        memcmp(h->ref[0], s->env->mid, 32) != 0)
        return 0;
    for (size_t i = 0; i < s->in->n_to; i++)
        if (span_eq(s->in->to[i].poc, h->sender))
            s->in->has[i] = true;
    return 0;
}

/*
 * Who has said already that he has this message?  He says it once, so a copy in his mailbox would
 * wait for ever: it goes to his events.  Looked for among the steps that the sender got since; who
 * is not found there gets mail.
 */
static int who_has_it(struct intake *in, const struct envelope *env, uint64_t since)
{
    struct steps_seen s = { in, env, malloc(sizeof(*s.header)), { 0 } };
    int rc = -HL_ENOMEM;

    stored_init(&s.stored);
    if (s.header)
        rc = store_each_event(in->st->store, env->header.sender, since, STEPS_MAX, see_step, &s);
    stored_release(&s.stored);
    free(s.header);
    return rc;
}

/* ---- mail and events ---- */

/* An alternate's copy is held for the deadline that
 * may release it; without one nothing ever will. */
static int put_mail(struct intake *in, const struct envelope *env, const struct recipient *to,
                    uint64_t index)
{
    struct mail mail = { .index = index,
                         .bytes = env->body_len,
                         .precedence = (uint8_t)env->stamp.precedence,
                         .held = to->role > ROLE_ALTERNATE };
    struct mailbox *mb;
    int rc;

    if (mail.held && !deadline_open(in->st->deadlines, env->mid))
        return 0;
    in->copies++;
    memcpy(mail.mid, env->mid, 32);
    rc = mailbox_get(in->st->mailboxes, to->poc, &mb);
    delivery_touch(in->st->deliveries, office_find(in->st->sessions, to->poc), false);
    return rc ? rc : mailbox_put(in->st->mailboxes, mb, &mail);
}

/* Steps on a message are no news for an alternate that has not seen it. */
static int put_event(struct intake *in, const struct envelope *env, const struct recipient *to,
                     uint64_t index)
{
    struct mailbox *mb;
    int rc;

    if (to->role > ROLE_ALTERNATE && kind_is_step(env->header.kind)) {
        rc = mailbox_get(in->st->mailboxes, to->poc, &mb);
        if (rc || mailbox_holds(mb, env->header.ref[0]))
            return rc;
    }
    return intake_event(in, to->poc, index);
}

/* Before the copies: whether alternates' are held depends
 * on it.  A message sealed again is due as it was. */
static int open_deadline(struct intake *in, const struct envelope *env, const struct entry *entry)
{
    uint64_t due_ms = steps_due(entry->time_ms, in->verdict.deadline_s);
    bool action = false;

    for (size_t i = 0; i < env->header.n_to; i++)
        action = action || env->header.to[i].role == ROLE_ACTION;
    if (!action || !due_ms || intake_is_event(env->header.kind))
        return 0;
    return deadline_add(in->st->deadlines, env, entry->index, entry->time_ms, due_ms);
}

int intake_distribute(struct intake *in, const struct envelope *env, const struct entry *entry)
{
    bool event = intake_is_event(env->header.kind);
    struct fact_message earlier;
    int rc = facts_message(in->st->facts, env->mid, &earlier);

    memset(in->has, 0, sizeof(in->has));
    if (rc == -HL_ENOENT)
        rc = open_deadline(in, env, entry);
    else if (rc == 0 && !event)
        rc = who_has_it(in, env, earlier.index);
    else if (rc == -HL_ESTORE)
        rc = 0; /* its first entry is damaged: this one goes its way as mail */
    for (size_t i = 0; i < in->n_to && !rc; i++)
        rc = (event || in->has[i] ? put_event : put_mail)(in, env, &in->to[i], entry->index);
    return rc;
}

/* ---- deadlines ---- */

int intake_close_deadline(struct intake *in, struct deadline *d)
{
    struct mailbox *mb;
    int rc = 0;

    for (size_t i = 0; i < d->n && !rc; i++) {
        if (d->to[i].role <= ROLE_ALTERNATE)
            continue;
        rc = mailbox_get(in->st->mailboxes, span_str(d->to[i].poc), &mb);
        if (!rc)
            rc = mailbox_take(in->st->mailboxes, mb, d->mid, true);
    }
    return rc ? rc : deadline_close(in->st->deadlines, d);
}

int intake_step(struct intake *in, const struct envelope *env)
{
    struct deadline *d = NULL;

    if (kind_is_step(env->header.kind))
        d = deadline_step(in->st->deadlines, env->header.ref[0], env->header.sender,
                          env->header.kind);
    return d ? intake_close_deadline(in, d) : 0;
}
