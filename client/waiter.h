#ifndef HL_CLIENT_WAITER_H
#define HL_CLIENT_WAITER_H

#include "client/agent.h"

/*
 * The other side of agent.sock: a command that asks a running agent.  The socket is 0600 and the peer's uid is
 * checked; at most WAITERS_MAX at once; a waiter that does not read loses its verb, nothing else.
 *
 *   READING -[waiter_read]-> RUNNING -[verb's end]-> WRITING -[waiter_write]-> closed
 */
#define WAITERS_MAX 32

struct waiter;

/** waiter_listen - create agent.sock; the descriptor into @fd. */
int waiter_listen(const struct station *station, int *fd);
/** waiter_accept - take a connection; refuses another uid. */
void waiter_accept(struct agent *a);
/** waiter_fd / waiter_wants - for the agent's poll; iterate with waiter_next. */
struct waiter *waiter_next(struct agent *a, struct waiter *w);
int waiter_fd(const struct waiter *w);
short waiter_wants(const struct waiter *w);
/** waiter_ready - act on poll's answer; may free @w. */
void waiter_ready(struct agent *a, struct waiter *w, short revents);
void waiter_release_all(struct agent *a);

#endif
