#include <string.h>

#include "client/verb_list.h"
#include "common/clock.h"
#include "common/error.h"

/* ping, evidence. */

#define PING_WAIT_MS 10000

static int ping_row(struct verb *v, size_t i, const char *sentence)
{
    struct pinging *p = v->state;
    struct row r;

    p->silent |= sentence != NULL;
    row_begin(&r, "ping");
    row_str(&r, "host", sync_host(v->agent->sync[i])->origin);
    if (sentence)
        row_str(&r, "sentence", sentence);
    else
        row_uint(&r, "ms", clock_mono_ms() - p->at[i].asked);
    return row_send(v, &r);
}

static void ping_answered(void *arg, int rc, struct span bytes)
{
    struct ping *at = arg;
    struct pinging *p = at->verb->state;

    (void)bytes;
    at->waits = false;
    ping_row(at->verb, (size_t)(at - p->at), rc == -HL_ENOANSWER ? error_text(rc) : NULL);
    at->verb->agent->changed++;
}

void verb_ping_release(struct verb *v)
{
    struct pinging *p = v->state;

    for (size_t i = 0; i < v->agent->n_syncs; i++)
        sync_forget(v->agent->sync[i], &p->at[i]);
}

int verb_ping_look(struct verb *v, bool over)
{
    struct pinging *p = v->state;
    bool waits = false;
    int rc = v->gone ? -HL_ESTATE : 0;

    for (size_t i = 0; i < v->agent->n_syncs && !rc; i++) {
        waits |= p->at[i].waits;
        if (over && p->at[i].waits)
            rc = ping_row(v, i, error_text(HL_ENOANSWER));
    }
    if (rc)
        return rc;
    if (waits && !over)
        return VERB_WAITS;
    return p->silent ? -HL_ENOANSWER : 0;
}

/* The newest checkpoint is fetched: that goes through the host's turn, as a message would. */
int verb_ping_begin(struct verb *v)
{
    struct pinging *p = v->state;
    int rc = verb_wait(v, PING_WAIT_MS);

    for (size_t i = 0; i < v->agent->n_syncs && !rc; i++) {
        struct ping *at = &p->at[i];

        at->verb = v;
        at->asked = clock_mono_ms();
        at->waits = sync_fetch(v->agent->sync[i], FETCH_CHECKPOINT, 0, 0, ping_answered, at) == 0;
        if (!at->waits)
            rc = ping_row(v, i, error_text(HL_ENOANSWER));
    }
    return rc ? rc : verb_ping_look(v, false);
}

static int evidence_row(void *arg, uint64_t time_ms, const char *what, struct span bytes)
{
    struct row r;

    row_begin(&r, "evidence");
    row_uint(&r, "time_ms", time_ms);
    row_str(&r, "what", what);
    row_span(&r, "bytes", bytes);
    return row_send(arg, &r);
}

int verb_evidence_begin(struct verb *v)
{
    return desk_evidence_each(v->agent->desk, evidence_row, v);
}
