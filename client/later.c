#include <stdlib.h>
#include <string.h>

#include "client/sync_state.h"
#include "common/clock.h"
#include "common/error.h"

/*
 * What waits for the entries before it.  Bounded in number: what finds no room is not lost, since
 * only a signed step takes it from the mailbox; the host is greeted anew when this list is empty,
 * and delivers again.
 */
#define LATER_MAX 256

static void later_free(struct later *l)
{
    buf_release(&l->bytes);
    free(l);
}

void later_release(struct sync *s)
{
    while (s->later) {
        struct later *l = s->later;

        s->later = l->next;
        later_free(l);
    }
}

int later_add(struct sync *s, const struct later *from, struct span bytes)
{
    struct later *l, **at = &s->later;
    size_t n = 0;

    for (; *at; at = &(*at)->next)
        n++;
    if (n >= LATER_MAX) {
        s->dropped = true;
        return 0;
    }
    l = malloc(sizeof(*l));
    if (!l)
        return -HL_ENOMEM;
    *l = *from;
    l->next = NULL;
    l->deadline = clock_mono_ms() + SYNC_LATER_MS;
    buf_init(&l->bytes, ENVELOPE_MAX);
    if (buf_put_span(&l->bytes, bytes)) {
        later_free(l);
        return -HL_ENOMEM;
    }
    *at = l;
    return 0;
}

static struct later *later_take(struct sync *s, uint64_t mono_ms)
{
    for (struct later **at = &s->later; *at; at = &(*at)->next) {
        struct later *l = *at;
        bool known = l->index < s->seen.range.size;

        if (!known && (l->opening || l->shown || (mono_ms < l->deadline && !s->seen.dead)))
            continue;
        *at = l->next;
        l->next = NULL;
        return l;
    }
    return NULL;
}

int later_run(struct sync *s, uint64_t mono_ms)
{
    struct later *l;
    int rc = 0;

    while (!rc && (l = later_take(s, mono_ms)) != NULL) {
        if (l->opening)
            rc = openings_take(s, l->index, SPAN(l->salt, 32), buf_span(&l->bytes));
        else
            rc = taking_envelope(s, l, buf_span(&l->bytes), true);
        later_free(l);
        if (s->proving >= SYNC_PROVING)
            break;
    }
    return rc;
}
