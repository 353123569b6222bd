#include "common/steps.h"

#include <string.h>

#include "common/error.h"

/*
 * Which step stands: an officer's outranks a machine's, so a message that was read after a
 * cannot-read counts as read; among officers' the highest kind.
 */
static unsigned rank(unsigned kind)
{
    switch (kind) {
    case KIND_DELIVERED:
        return 1;
    case KIND_CANNOT_READ:
        return 2;
    default:
        return kind_is_step(kind) ? kind : 0;
    }
}

static bool by_officer(unsigned kind)
{
    return kind_is_step(kind) && kind != KIND_DELIVERED && kind != KIND_CANNOT_READ;
}

uint64_t steps_due(uint64_t from_ms, uint64_t deadline_s)
{
    if (!deadline_s || deadline_s > UINT32_MAX || from_ms > INT64_MAX - deadline_s * 1000)
        return 0;
    return from_ms + deadline_s * 1000;
}

void steps_init(struct steps *s, const struct header *h, uint64_t recorded_ms, uint64_t deadline_s)
{
    uint64_t room = (UINT64_MAX - recorded_ms) / 1000;

    s->recorded_ms = recorded_ms;
    s->due_ms = 0;
    if (deadline_s)
        s->due_ms = deadline_s > room ? UINT64_MAX : recorded_ms + deadline_s * 1000;
    s->n = h->n_to;
    for (size_t i = 0; i < h->n_to; i++)
        s->at[i] = (struct step_state){ .poc = h->to[i].poc, .role = h->to[i].role };
}

static struct step_state *find(struct steps *s, struct span poc)
{
    for (size_t i = 0; i < s->n; i++)
        if (span_eq(s->at[i].poc, poc))
            return &s->at[i];
    return NULL;
}

/* The action addressee for whom an alternate stands: the nearest one before it. */
static struct step_state *principal(struct steps *s, struct step_state *at)
{
    while (at->role > ROLE_ALTERNATE && at > s->at)
        at--;
    return at;
}

static void acknowledged(struct step_state *at, uint64_t time_ms, uint64_t index, bool by_alternate)
{
    if (at->acknowledged_ms)
        return;
    at->acknowledged_ms = time_ms;
    at->acknowledged_index = index;
    at->by_alternate = by_alternate;
}

int steps_add(struct steps *s, struct span poc, unsigned kind, unsigned code, uint64_t time_ms,
              uint64_t index)
{
    struct step_state *at = find(s, poc);

    if (!at || !kind_is_step(kind))
        return -HL_ETARGET;
    if (!at->delivered_ms) {
        at->delivered_ms = time_ms;
        at->delivered_index = index;
    }
    if (rank(kind) > rank(at->last)) {
        at->last = kind;
        at->last_ms = time_ms;
        at->code = code;
    }
    if (by_officer(kind)) {
        acknowledged(at, time_ms, index, false);
        if (at->role > ROLE_ALTERNATE)
            acknowledged(principal(s, at), time_ms, index, true);
    }
    return 0;
}

size_t steps_overdue(const struct steps *s, uint64_t now_ms, size_t *undelivered)
{
    size_t overdue = 0;

    *undelivered = 0;
    if (!s->due_ms || now_ms < s->due_ms)
        return 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct step_state *at = &s->at[i];

        if (at->role != ROLE_ACTION || (at->acknowledged_ms && at->acknowledged_ms <= now_ms))
            continue;
        overdue++;
        if (!at->delivered_ms || at->delivered_ms > now_ms)
            (*undelivered)++;
    }
    return overdue;
}
