#include "server/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"

struct sessions {
    struct hmap by_conn, offices;
    uint64_t hellos;
    size_t ready;
};

int sessions_open(struct sessions **out)
{
    struct sessions *ss = calloc(1, sizeof(*ss));
    int rc = ss ? hmap_init(&ss->by_conn) : -HL_ENOMEM;

    *out = NULL;
    if (!rc)
        rc = hmap_init(&ss->offices);
    if (rc) {
        sessions_close(ss);
        return rc;
    }
    *out = ss;
    return 0;
}

static void node_free(void *arg, struct hmap_node *node)
{
    (void)arg;
    free(node);
}

void sessions_close(struct sessions *ss)
{
    if (!ss)
        return;
    hmap_each(&ss->by_conn, node_free, NULL);
    hmap_each(&ss->offices, node_free, NULL);
    hmap_release(&ss->by_conn);
    hmap_release(&ss->offices);
    free(ss);
}

struct session *session_find(const struct sessions *ss, uint64_t conn)
{
    return (struct session *)hmap_find(&ss->by_conn, SPAN(&conn, sizeof(conn)));
}

struct office *office_find(const struct sessions *ss, struct span poc)
{
    return (struct office *)hmap_find(&ss->offices, poc);
}

/* Offices are never taken out: there are no more of them than PoCs in the directory had keys. */
static struct office *office_get(struct sessions *ss, struct span poc)
{
    struct office *o = office_find(ss, poc);

    if (o || poc.n >= sizeof(o->poc))
        return o;
    o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    memcpy(o->poc, poc.p, poc.n);
    o->node.key = SPAN(o->poc, poc.n);
    hmap_add(&ss->offices, &o->node);
    return o;
}

/* Those that never said HELLO own nothing: no offers, uploads or receipts. */
static void limit_ungreeted(struct sessions *ss, struct office *o)
{
    struct session *oldest = NULL;
    size_t n = 0;

    for (struct session *s = o->sessions; s; s = s->next) { /* newest first */
        n += !s->ready;
        oldest = s->ready ? oldest : s;
    }
    if (n > SESSION_UNGREETED)
        session_end(ss, oldest);
}

int session_get(struct sessions *ss, uint64_t conn, const uint8_t key[static 32], struct span poc,
                struct session **out)
{
    struct session *s = session_find(ss, conn);
    struct office *office;

    *out = s;
    if (s)
        return memcmp(s->key, key, 32) == 0 ? 0 : -HL_EKEY;
    if (ss->by_conn.n >= SESSION_MAX)
        return -HL_EQUOTA;
    office = office_get(ss, poc);
    s = office ? calloc(1, sizeof(*s)) : NULL;
    if (!s)
        return -HL_ENOMEM;
    s->conn = conn;
    memcpy(s->key, key, 32);
    s->node.key = SPAN(&s->conn, sizeof(s->conn));
    s->office = office;
    s->next = office->sessions;
    office->sessions = s;
    hmap_add(&ss->by_conn, &s->node);
    limit_ungreeted(ss, office);
    *out = s;
    return 0;
}

void session_ready(struct sessions *ss, struct session *s, struct session **oldest)
{
    struct office *o = s->office;
    size_t n = 0;

    *oldest = NULL;
    ss->ready += !s->ready;
    s->ready = true;
    s->hello = ++ss->hellos;
    o->current = s;
    for (struct session *i = o->sessions; i; i = i->next) {
        if (!i->ready)
            continue;
        n++;
        if (i != s && (!*oldest || i->hello < (*oldest)->hello))
            *oldest = i;
    }
    if (n <= SESSION_PER_OFFICE)
        *oldest = NULL;
}

bool session_end(struct sessions *ss, struct session *s)
{
    struct office *o = s->office;
    struct session **at = &o->sessions;
    bool took_over = false;

    assert(!s->offers);
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    ss->ready -= s->ready;
    if (o->current == s) {
        o->current = NULL;
        for (struct session *i = o->sessions; i; i = i->next)
            if (i->ready && (!o->current || i->hello > o->current->hello))
                o->current = i;
        took_over = o->current != NULL;
    }
    hmap_remove(&ss->by_conn, &s->node);
    free(s);
    return took_over;
}

struct each {
    void (*fn)(void *arg, struct session *s);
    void *arg;
};

static void each_node(void *arg, struct hmap_node *node)
{
    const struct each *e = arg;

    e->fn(e->arg, (struct session *)node);
}

void session_each(struct sessions *ss, void (*fn)(void *arg, struct session *s), void *arg)
{
    struct each e = { fn, arg };

    hmap_each(&ss->by_conn, each_node, &e);
}

size_t sessions_count(const struct sessions *ss)
{
    return ss->by_conn.n;
}

size_t sessions_ready(const struct sessions *ss)
{
    return ss->ready;
}
