#ifndef HL_SERVER_SESSION_H
#define HL_SERVER_SESSION_H

#include "common/directory.h"
#include "server/hmap.h"

/*
 * Who is connected.  A session is one connection of the front, by its number; an office gathers the sessions
 * of one PoC.  All of it is memory: nothing here outlives the process, and nothing in the store depends on it.
 *
 *     (frame of a key in force) -[session_get]-> CONNECTED -[session_ready]-> READY -[session_end]-> gone
 *
 * Of several READY sessions of a PoC the one with the newest HELLO is current: it alone gets deliveries.
 * When it ends, the next newest takes over.
 *
 * Limits: SESSION_MAX in all, SESSION_PER_OFFICE READY ones per PoC (the oldest has to go), SESSION_UNGREETED others: of
 * a connection that ended without having been sent anything nobody is told, so the oldest has to go here too.
 */
#define SESSION_MAX 16384
#define SESSION_PER_OFFICE 4
#define SESSION_UNGREETED 8

struct offers; /* delivery.c: what was offered on this connection */

struct session {
    struct hmap_node node;
    uint64_t conn;
    uint8_t key[32];
    struct office *office;
    struct session *next; /* of the same office */
    bool ready;
    uint64_t since;      /* of its HELLO: events from here on */
    uint64_t hello;      /* ordinal of its HELLO over all sessions; names what was offered on it */
    uint64_t checkpoint; /* size of the newest CHECKPOINT sent */
    uint64_t witnessed;  /* size of the newest one with a quorum */
    uint64_t concern;    /* 1 + the newest entry that was answered or delivered here: a CHECKPOINT must cover it */
    bool overflow;       /* frames were dropped: said once a turn */
    struct offers *offers;
};

struct office {
    struct hmap_node node;
    char poc[64];
    struct session *sessions;
    struct session *current; /* NULL: nobody gets deliveries */
    struct office *dirty_next; /* delivery.c */
    bool dirty;
};

struct sessions;

int sessions_open(struct sessions **out);
void sessions_close(struct sessions *ss);
struct session *session_find(const struct sessions *ss, uint64_t conn);
/** session_get - the session of @conn, made when the key is new to it.  -HL_EKEY: this connection had another key. */
int session_get(struct sessions *ss, uint64_t conn, const uint8_t key[static 32], struct span poc, struct session **out);
/** session_ready - HELLO: @s becomes current.  *@oldest is the session that has to go for it, or NULL. */
void session_ready(struct sessions *ss, struct session *s, struct session **oldest);
/** session_end - forget it; s->offers was released before.  Returns whether its office has a new current session. */
bool session_end(struct sessions *ss, struct session *s);
struct office *office_find(const struct sessions *ss, struct span poc);
static inline struct span session_poc(const struct session *s)
{
    return span_str(s->office->poc);
}
void session_each(struct sessions *ss, void (*fn)(void *arg, struct session *s), void *arg);
size_t sessions_count(const struct sessions *ss);
size_t sessions_ready(const struct sessions *ss);

#endif
