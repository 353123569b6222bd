#include "server/intake_inner.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"

/* What passed without an answer: notices to those whom it concerns, and the next alternate. */

/* Does the addressee's card say that somebody attends at @ms? */
static bool attended(const struct intake *in, const char *poc, uint64_t ms)
{
    const struct card_poc *p = directory_poc(in->st->dir, DIRECTORY_NOW, span_str(poc));
    unsigned from, until, minute = (unsigned)(ms / 60000 % 1440);

    if (!p || attendance_parse(p->attendance, &from, &until) != 0)
        return true;
    return from <= until ? minute >= from && minute < until : minute >= from || minute < until;
}

static int due_notice(struct intake *in, const struct deadline *d, enum notice_kind kind,
                      const char *poc, const char *principal)
{
    char detail[200], due[TEXT_TIME_SIZE];
    struct notice n = { .kind = kind,
                        .mid = d->mid,
                        .poc = span_str(poc),
                        .channel = d->channel,
                        .sender = span_str(d->sender) };
    struct entry entry;
    int rc;

    text_time_ms(due, d->due_ms);
    snprintf(detail, sizeof(detail), kind == NOTICE_ESCALATED ? "due %s at %s" : "due %s", due,
             principal);
    n.detail = span_str(detail);
    rc = intake_notice(in, &n, &entry);
    if (!rc)
        rc = intake_event(in, span_str(d->sender), entry.index);
    if (!rc && strcmp(poc, d->sender) != 0)
        rc = intake_event(in, span_str(poc), entry.index);
    if (!rc && principal != poc && strcmp(principal, d->sender) != 0)
        rc = intake_event(in, span_str(principal), entry.index);
    return rc;
}

/* The next alternate of addressee @at gets its held copy.  *@more: others are left. */
static int escalate(struct intake *in, const struct deadline *d, size_t at, bool *more)
{
    struct mailbox *mb;
    bool done = false;
    size_t released;
    int rc = 0;

    for (size_t i = at + 1; i < d->n && d->to[i].role > ROLE_ALTERNATE && !rc; i++) {
        unsigned nth = d->to[i].role - ROLE_ALTERNATE;

        if (nth > d->stage + 1)
            *more = true;
        if (nth != d->stage + 1 || done)
            continue;
        done = true;
        rc = mailbox_get(in->st->mailboxes, span_str(d->to[i].poc), &mb);
        if (!rc)
            rc = due_notice(in, d, NOTICE_ESCALATED, d->to[i].poc, d->to[at].poc);
        if (!rc)
            rc = mailbox_release(in->st->mailboxes, mb, d->mid, &released);
        delivery_touch(in->st->deliveries, office_find(in->st->sessions, span_str(d->to[i].poc)),
                       false);
        in->st->metrics.escalated++;
    }
    return rc;
}

static int fall_due(struct intake *in, struct deadline *d)
{
    uint64_t every = (d->due_ms - d->time_ms) / (d->stage + 1);
    bool more = false;
    int rc = 0;

    for (size_t i = 0; i < d->n && !rc; i++) {
        const struct due_to *to = &d->to[i];

        if (to->role != ROLE_ACTION || to->answered)
            continue;
        if (d->stage == 0 && attended(in, to->poc, d->due_ms))
            rc = due_notice(in, d, to->delivered ? NOTICE_NOT_ACKNOWLEDGED : NOTICE_UNDELIVERED,
                            to->poc, to->poc);
        if (!rc)
            rc = escalate(in, d, i, &more);
    }
    if (rc)
        return rc;
    return more ? deadline_again(in->st->deadlines, d, d->due_ms + every)
                : intake_close_deadline(in, d);
}

int intake_due(struct intake *in, size_t max)
{
    struct deadline *d;
    int rc = 0;

    while (!rc && in->entries < max && !in->st->head.dead &&
           (d = deadline_due(in->st->deadlines, log_time(in->st->log, in->st->now_ms))))
        rc = fall_due(in, d);
    return rc;
}
