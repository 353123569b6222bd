#include <string.h>

#include "client/duty.h"
#include "client/verb_list.h"
#include "common/clock.h"
#include "common/error.h"

static int duty_row(struct verb *v, struct span position, uint64_t since_ms)
{
    struct row r;

    row_begin(&r, "duty");
    row_span(&r, "position", position);
    row_uint(&r, "since_ms", since_ms);
    row_uint(&r, "unlocked", duty_unlocked(v->agent, position));
    return row_send(v, &r);
}

int verb_duty_begin_begin(struct verb *v)
{
    struct span position = verb_get(v->req, "position");
    int rc;

    if (!position.n)
        return verb_fail(v, -HL_EUSAGE, "name a position");
    rc = duty_begin(v->agent, position, v->req->pass, &v->why);
    v->agent->changed++;
    return rc ? rc : duty_row(v, position, clock_now_ms());
}

/* Who is on duty, copied: the list changes while it is walked. */
struct on_duty {
    size_t n;
    struct {
        char name[32];
        uint64_t since_ms;
    } at[32];
};

static int on_duty_add(void *arg, struct span position, uint64_t since_ms)
{
    struct on_duty *d = arg;
    size_t n = position.n < sizeof(d->at[0].name) ? position.n : sizeof(d->at[0].name) - 1;

    if (d->n == COUNT(d->at))
        return 0;
    memcpy(d->at[d->n].name, position.p, n);
    d->at[d->n].name[n] = 0;
    d->at[d->n++].since_ms = since_ms;
    return 0;
}

int verb_duty_end_begin(struct verb *v)
{
    struct span position = verb_get(v->req, "position");
    struct on_duty d = { 0 };
    size_t ended = 0;
    int rc = desk_duty_each(v->agent->desk, on_duty_add, &d);

    for (size_t i = 0; i < d.n && !rc; i++) {
        if (position.n && !span_eq_str(position, d.at[i].name))
            continue;
        ended++;
        rc = duty_end(v->agent, span_str(d.at[i].name));
        if (!rc)
            rc = duty_row(v, span_str(d.at[i].name), d.at[i].since_ms);
    }
    v->agent->changed++;
    if (!rc && !ended)
        return verb_fail(v, -HL_EDUTY, "that position is not on duty");
    return rc;
}
