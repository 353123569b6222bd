#include "client/verbs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/verb.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"

/* How long a verb waits for hosts before it begins without them. */
#define READY_MS 3000
#define WAIT_MAX_S 86400

/* ---- what a request says ---- */

int verb_fail(struct verb *v, int rc, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    buf_clear(&v->why);
    buf_put_str(&v->why, line);
    return rc;
}

int verb_uint(struct verb *v, const char *key, uint64_t dflt, uint64_t *out)
{
    struct span s = verb_get(v->req, key);

    *out = dflt;
    if (!s.p || text_decimal(out, s) == 0)
        return 0;
    return verb_fail(v, -HL_EUSAGE, "%s: want a decimal number", key);
}

bool verb_yes(const struct verb *v, const char *key)
{
    return span_eq_str(verb_get(v->req, key), "1");
}

int verb_32(struct verb *v, const char *key, const uint8_t **out)
{
    struct span s = verb_get(v->req, key);

    *out = NULL;
    if (!s.p)
        return -HL_ENOENT;
    if (s.n != 32)
        return verb_fail(v, -HL_EUSAGE, "%s: want 32 bytes", key);
    *out = s.p;
    return 0;
}

int verb_wait(struct verb *v, uint64_t dflt_ms)
{
    uint64_t s;
    int rc = verb_uint(v, "wait_s", 0, &s);

    if (rc)
        return rc;
    if (s > WAIT_MAX_S)
        return verb_fail(v, -HL_EUSAGE, "wait_s: at most %d", WAIT_MAX_S);
    v->deadline = clock_mono_ms() + (verb_get(v->req, "wait_s").p ? s * 1000 : dflt_ms);
    return 0;
}

/* The id of the channel named in @key; SPAN_NONE: not named. */
static int channel_named(struct verb *v, const char *key, struct channel_facts *facts,
                         const uint8_t **id)
{
    struct span name = verb_get(v->req, key);
    const struct agreement *ag;

    *id = NULL;
    if (!name.n)
        return 0;
    for (size_t i = 0; i < v->agent->n_syncs; i++)
        for (size_t k = 0; (ag = directory_agreement(sync_directory(v->agent->sync[i]), k)); k++) {
            facts->channel = agreement_channel(ag, name);
            if (facts->channel) {
                *id = facts->channel->id;
                return 0;
            }
        }
    return verb_fail(v, -HL_ECHANNEL, "channel %.*s: %s", (int)name.n, (const char *)name.p,
                     error_text(HL_ECHANNEL));
}

int verb_message(struct verb *v, const char *prefix, uint8_t mid[static 32])
{
    char key[3][32], number[NUMBER_SIZE];
    struct channel_facts facts;
    const uint8_t *id;
    struct span said;
    int rc;

    snprintf(key[0], sizeof(key[0]), "%smid", prefix);
    snprintf(key[1], sizeof(key[1]), "%snumber", prefix);
    snprintf(key[2], sizeof(key[2]), "%schannel", prefix);
    rc = verb_32(v, key[0], &id);
    if (rc != -HL_ENOENT) {
        if (id)
            memcpy(mid, id, 32);
        return rc;
    }
    said = verb_get(v->req, key[1]);
    if (!said.n || said.n >= sizeof(number))
        return verb_fail(v, -HL_EUSAGE, "%s: want a number like BOREALIA 7-6", key[1]);
    memcpy(number, said.p, said.n);
    number[said.n] = 0;
    rc = channel_named(v, key[2], &facts, &id);
    if (rc)
        return rc;
    rc = desk_find(v->agent->desk, number, id, mid);
    if (rc == -HL_EFORMAT)
        return verb_fail(v, -HL_EUSAGE, "\"%s\" is no number: its check digit does not fit",
                         number);
    return rc ? verb_fail(v, rc, "%s: %s", number, error_text(rc)) : 0;
}

/* ---- rows ---- */

void row_begin(struct row *r, const char *kind)
{
    r->n = r->used = 0;
    row_str(r, "row", kind);
}

void row_span(struct row *r, const char *key, struct span value)
{
    if (r->n < VERB_ROW_MAX)
        r->pair[r->n++] = (struct pair){ key, value };
}

void row_str(struct row *r, const char *key, const char *value)
{
    row_span(r, key, span_str(value));
}

void row_32(struct row *r, const char *key, const uint8_t *value)
{
    row_span(r, key, SPAN(value, value ? 32 : 0));
}

void row_printf(struct row *r, const char *key, const char *fmt, ...)
{
    size_t room = sizeof(r->store) - r->used;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(r->store + r->used, room, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room)
        n = room ? (int)room - 1 : 0; /* cut; only long lists of names */
    row_span(r, key, SPAN(r->store + r->used, (size_t)n));
    r->used += (size_t)n;
}

void row_uint(struct row *r, const char *key, uint64_t v)
{
    row_printf(r, key, "%llu", (unsigned long long)v);
}

int row_send(struct verb *v, const struct row *r)
{
    if (v->gone)
        return -HL_ESTATE;
    if (v->sink.row(v->sink.arg, r->pair, r->n) == 0)
        return 0;
    v->gone = true;
    return -HL_ESTATE;
}

/* ---- the life of a verb ---- */

static void verb_free(struct verb *v)
{
    if (v->entry->release && v->state)
        v->entry->release(v);
    free(v->state);
    buf_release(&v->why);
    free(v);
}

/* Also to a reader that took no more rows: it must know that the handle is gone. */
static void verb_end(struct verb *v, int code)
{
    v->sink.end(v->sink.arg, code, buf_str(&v->why));
    verb_free(v);
}

static const struct verb_entry *entry_find(const char *name)
{
    for (const struct verb_entry *e = verb_entries; e->name; e++)
        if (strcmp(e->name, name) == 0)
            return e;
    return NULL;
}

/* Is @key in the blank-separated @keys?  *@many when it may come several times. */
static bool key_allowed(const char *keys, const char *key, bool *many)
{
    struct span rest = span_str(keys), word;

    while (text_field(&rest, &word)) {
        *many = word.n && word.p[word.n - 1] == '*';
        if (span_eq_str(SPAN(word.p, word.n - *many), key))
            return true;
    }
    return false;
}

static int request_check(struct verb *v)
{
    const struct verb_request *req = v->req;

    if (req->n > VERB_PAIRS_MAX)
        return verb_fail(v, -HL_ETOOBIG, "%s: too many pairs", req->name);
    for (size_t i = 0; i < req->n; i++) {
        bool many = false;

        if (!key_allowed(v->entry->keys, req->pair[i].key, &many))
            return verb_fail(v, -HL_EUSAGE, "%s takes no \"%s\"", req->name, req->pair[i].key);
        if (!many && verb_get_nth(req, req->pair[i].key, 1).p)
            return verb_fail(v, -HL_EUSAGE, "%s: \"%s\" stands twice", req->name, req->pair[i].key);
    }
    return 0;
}

static bool verb_may_begin(const struct verb *v, uint64_t mono_ms)
{
    if (mono_ms >= v->ready_by)
        return true;
    switch (v->entry->needs) {
    case NEEDS_NOTHING:
        return true;
    case NEEDS_READY:
        return agent_ready(v->agent);
    case NEEDS_DRAINED:
        return v->agent->listen_fd >= 0 ? agent_ready(v->agent) : agent_drained(v->agent);
    }
    return true;
}

/* One look at @v: VERB_WAITS, or how it ends. */
static int verb_turn(struct verb *v, uint64_t mono_ms)
{
    bool over = v->deadline && mono_ms >= v->deadline;

    v->changed = v->agent->changed;
    if (!v->begun) {
        if (!verb_may_begin(v, mono_ms))
            return VERB_WAITS;
        v->begun = true;
        return v->entry->begin(v);
    }
    return v->entry->look(v, over);
}

struct verb *verb_start(struct agent *agent, const struct verb_request *req,
                        const struct verb_sink *sink)
{
    const struct verb_entry *e = entry_find(req->name);
    struct verb *v;
    int rc;

    if (!e) {
        sink->end(sink->arg, -HL_EUSAGE, "no such verb");
        return NULL;
    }
    v = calloc(1, sizeof(*v));
    if (v)
        v->state = calloc(1, e->state_size + 1);
    if (!v || !v->state) {
        free(v);
        sink->end(sink->arg, -HL_ENOMEM, "");
        return NULL;
    }
    v->agent = agent;
    v->entry = e;
    v->req = req;
    v->sink = *sink;
    v->ready_by = clock_mono_ms() + READY_MS;
    buf_init(&v->why, 4096);
    rc = request_check(v);
    if (!rc)
        rc = verb_turn(v, clock_mono_ms());
    if (rc != VERB_WAITS) {
        verb_end(v, rc);
        return NULL;
    }
    v->next = agent->verbs;
    agent->verbs = v;
    return v;
}

static void verb_unlink(struct verb *v)
{
    for (struct verb **at = &v->agent->verbs; *at; at = &(*at)->next)
        if (*at == v) {
            *at = v->next;
            return;
        }
}

void verb_cancel(struct verb *v)
{
    verb_unlink(v);
    v->gone = true;
    verb_free(v);
}

void verbs_release(struct agent *agent)
{
    while (agent->verbs) {
        struct verb *v = agent->verbs;

        agent->verbs = v->next;
        verb_fail(v, -HL_ESTATE, "the agent ends");
        verb_end(v, -HL_ESTATE);
    }
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return b && b < a ? b : a;
}

int verbs_poll(struct agent *agent, uint64_t mono_ms)
{
    uint64_t next = UINT64_MAX;

    for (struct verb *v = agent->verbs, *after; v; v = after) {
        uint64_t due = UINT64_MAX;
        int rc = VERB_WAITS;

        after = v->next;
        due = sooner(due, v->begun ? v->deadline : v->ready_by);
        due = sooner(due, v->look_at);
        if (v->changed != agent->changed || mono_ms >= due)
            rc = verb_turn(v, mono_ms);
        if (rc != VERB_WAITS) {
            verb_unlink(v);
            verb_end(v, rc);
            continue;
        }
        next = sooner(next, v->begun ? v->deadline : v->ready_by);
        next = sooner(next, v->look_at);
    }
    if (next == UINT64_MAX)
        return -1;
    return next > mono_ms ? (int)(next - mono_ms) : 0;
}
