#ifndef HL_CLIENT_AGENT_H
#define HL_CLIENT_AGENT_H

#include "client/desk.h"
#include "client/link.h"
#include "client/station.h"
#include "client/verbs.h"

/*
 * Who holds the desk's lock: for good (`hotline agent`) or for one command.  One loop over links, the socket, timers.
 *
 *   frames of a host -> sync (welcome, entries, checkpoints) -> inbox / receipts -> machine steps -> outbox
 *   verbs            -> desk -> outbox -> links
 *   time             -> upkeep (subkeys, what is over)
 *
 * For each host it keeps a sync (client/sync.h): the verified range of entries, the directory folded from them, the
 * newest checkpoint.  The agent owns everything here; verbs and syncs borrow it.
 */
struct sync;

struct agent {
    struct station *station;
    struct desk *desk;
    void *zmq;
    size_t n_syncs;
    struct sync *sync[STATION_HOSTS];
    int listen_fd;          /* agent.sock, -1 in one-command mode */
    int lock_fd;            /* desk.lock */
    bool stop;
    struct position *positions; /* unlocked position keys (client/duty.h) */
    struct verb *verbs;     /* waiting */
    struct waiter *waiters; /* connections of agent.sock */
    uint64_t changed;       /* counts changes of the desk; verbs look again when it moves */
    uint64_t started;       /* mono ms */
    uint64_t upkeep_at;     /* client/upkeep.h */
    bool bench;             /* does only what it is asked: no upkeep */
    uint64_t carried[STATION_HOSTS][STATION_HOSTS]; /* sizes of both logs when documents of i were last looked for that k would take */
};

/** agent_open - take the lock (-HL_EBUSY: an agent runs), unlock the station unless that was done (then its keys have no passphrase), open desk and links. */
int agent_open(struct agent **out, struct station *station, struct buf *why);
void agent_close(struct agent *a);
/** agent_release - all that agent_close() ends but the struct itself (a bench has it in its own memory). */
void agent_release(struct agent *a);
/** agent_connect - a sync and a link for each host of the station; agent_open() calls it, so does a bench with a desk in memory. */
int agent_connect(struct agent *a, struct buf *why);
/** agent_listen - serve agent.sock (for good). */
int agent_listen(struct agent *a);
/** agent_step - one round of the loop, at most @wait_ms. 0, or an error that ends it. */
int agent_step(struct agent *a, int wait_ms);
/** agent_ask - ask the running agent: connect to agent.sock, send, feed @sink until the end, whose code is returned.  -HL_ENOENT, and no end: none runs. */
int agent_ask(const struct station *station, const struct verb_request *req, const struct verb_sink *sink);
/** agent_ready - every host has greeted us and shown its log, or does not answer, or three seconds have passed since the start. */
bool agent_ready(const struct agent *a);
/** agent_drained - besides, nothing waits for us at any host that answers. */
bool agent_drained(const struct agent *a);
/**
 * agent_run_verb - the whole of it: ask the agent, or take the lock and run the loop until the verb is done and what it
 * queued has left (at most three seconds more).  @sink gets an end in every case; the same code is returned.
 */
int agent_run_verb(struct station *station, const struct verb_request *req, const struct verb_sink *sink);

#endif
