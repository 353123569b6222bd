#include <string.h>

#include "client/sync_state.h"
#include "common/clock.h"
#include "common/error.h"

/* FETCH and its answers: each request ends once, with the answer, a refusal, or -HL_ENOANSWER. */

int sync_fetch(struct sync *s, unsigned what, uint64_t x, uint64_t y, sync_fetched *fn, void *arg)
{
    struct frame f = { .verb = VERB_FETCH, .what = what, .a = x, .b = y };
    int rc;

    if (s->phase != SYNC_GREETED)
        return -HL_ENOANSWER;
    for (size_t i = 0; i < SYNC_REQUESTS; i++) {
        struct request *r = &s->request[i];

        if (r->tag)
            continue;
        f.tag = sync_tag(s);
        rc = sync_send(s, &f);
        if (!rc)
            *r = (struct request){ f.tag, what, clock_mono_ms() + SYNC_ANSWER_MS, fn, arg };
        return rc;
    }
    return -HL_EBUSY;
}

uint64_t sync_fetched_next(const struct sync *s)
{
    return s->fetched_b;
}

bool hashes_take(uint8_t out[static MERKLE_MAX_PROOF][32], size_t *n, struct span bytes)
{
    *n = bytes.n / 32;
    if (bytes.n % 32 || *n > MERKLE_MAX_PROOF)
        return false;
    if (bytes.n)
        memcpy(out, bytes.p, bytes.n);
    return true;
}

bool sync_auditing(const struct sync *s)
{
    for (size_t i = 0; i < SYNC_REQUESTS; i++)
        if (s->request[i].tag && s->request[i].what == FETCH_AUDIT)
            return true;
    return false;
}

void sync_forget(struct sync *s, const void *arg)
{
    for (size_t i = 0; i < SYNC_REQUESTS; i++)
        if (s->request[i].tag && s->request[i].arg == arg)
            memset(&s->request[i], 0, sizeof(s->request[i]));
}

void request_end(struct request *r, int rc, struct span bytes)
{
    struct request done = *r;

    memset(r, 0, sizeof(*r)); /* the callback may ask again */
    done.fn(done.arg, rc, bytes);
}

struct request *request_find(struct sync *s, uint64_t tag)
{
    for (size_t i = 0; i < SYNC_REQUESTS; i++)
        if (tag && s->request[i].tag == tag)
            return &s->request[i];
    return NULL;
}

void requests_expire(struct sync *s, uint64_t mono_ms)
{
    for (size_t i = 0; i < SYNC_REQUESTS; i++)
        if (s->request[i].tag && mono_ms >= s->request[i].deadline)
            request_end(&s->request[i], -HL_ENOANSWER, SPAN_NONE);
}
