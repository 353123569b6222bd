#include "client/audit/answers.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/steps.h"

struct answers {
    struct fold *f;
    struct buf message, other; /* openings */
    struct header header, step;
    struct steps steps;
};

static int by_target(const void *a, const void *b)
{
    const struct told *x = a, *y = b;

    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static const struct step_state *state_of(const struct steps *s, struct span poc)
{
    for (size_t i = 0; i < s->n; i++)
        if (span_eq(s->at[i].poc, poc))
            return &s->at[i];
    return NULL;
}

/* A notice says something about a recipient; the steps before it must not say the contrary. */
static void compare_notice(struct answers *a, const struct record *rec, uint64_t index)
{
    const struct step_state *at = state_of(&a->steps, rec->poc);
    bool undelivered = rec->notice == NOTICE_UNDELIVERED;
    uint64_t answered;

    if (!at)
        return;
    answered = undelivered ? at->delivered_ms : at->acknowledged_ms;
    if (answered)
        audit_alarm(a->f->r,
                    "entry %" PRIu64 ": the host says that %.*s has not %s, which entry %" PRIu64
                    " contradicts",
                    index, (int)rec->poc.n, (const char *)rec->poc.p,
                    undelivered ? "received" : "acknowledged",
                    undelivered ? at->delivered_index : at->acknowledged_index);
    if (a->steps.due_ms && rec->time_ms < a->steps.due_ms)
        audit_alarm(a->f->r, "entry %" PRIu64 ": the host's notice comes before the answer was due",
                    index);
}

static int hear(struct answers *a, const struct told *told)
{
    struct record rec;
    int rc = fold_record(a->f, told->index, &a->other, &rec);

    if (rc)
        return rc;
    if (told->notice) {
        compare_notice(a, &rec, told->index);
        return 0;
    }
    rc = header_decode(&a->step, a->f->m->realm, rec.header);
    if (!rc) /* one who is no recipient was refused by the rules */
        steps_add(&a->steps, a->step.sender, a->step.kind, a->step.code, rec.time_ms, told->index);
    return rc;
}

static void count(struct answers *a)
{
    struct audit_report *r = a->f->r;
    uint64_t due = a->steps.due_ms;

    for (size_t i = 0; i < a->steps.n; i++) {
        uint64_t answered = a->steps.at[i].acknowledged_ms;

        if (a->steps.at[i].role != ROLE_ACTION || (!answered && due > r->last_ms))
            continue; /* not addressed to act, or not due yet */
        r->due++;
        if (!answered)
            r->unanswered++;
        else if (answered <= due)
            r->in_time++;
        else
            r->late++;
    }
}

static int one_message(struct answers *a, const struct asked *asked, size_t *next)
{
    const struct fold *f = a->f;
    struct record rec;
    int rc = fold_record(f, asked->index, &a->message, &rec);

    if (!rc)
        rc = header_decode(&a->header, f->m->realm, rec.header);
    if (rc)
        return rc;
    steps_init(&a->steps, &a->header, rec.time_ms, asked->deadline_s);
    while (*next < f->n_told && f->told[*next].target < asked->index)
        ++*next;
    for (; *next < f->n_told && f->told[*next].target == asked->index && !rc; ++*next)
        rc = hear(a, &f->told[*next]);
    if (!rc)
        count(a);
    return rc;
}

int answers_run(struct fold *f)
{
    struct answers *a = calloc(1, sizeof(*a));
    size_t next = 0;
    int rc = 0;

    if (!a)
        return -HL_ENOMEM;
    a->f = f;
    buf_init(&a->message, MIRROR_OPENING_MAX);
    buf_init(&a->other, MIRROR_OPENING_MAX);
    if (f->n_told)
        qsort(f->told, f->n_told, sizeof(*f->told), by_target);
    for (size_t i = 0; i < f->n_asked && !rc; i++)
        rc = one_message(a, &f->asked[i], &next);
    buf_release(&a->message);
    buf_release(&a->other);
    free(a);
    return rc;
}
