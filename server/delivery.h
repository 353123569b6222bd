#ifndef HL_SERVER_DELIVERY_H
#define HL_SERVER_DELIVERY_H

#include "server/mailbox.h"
#include "server/outbox.h"
#include "server/session.h"

/*
 * What goes to the current connection of each PoC: its mail, and its events (steps, notices, agreement notes).
 *
 *     WAITING -[delivery_pump: the window has room]-> OFFERED -[delivery_got]-> taken; in the mailbox until its signed step
 *
 * Order: FLASH, IMMEDIATE, events, PRIORITY, ROUTINE; within each by index.  Of an envelope in pieces the rest goes before
 * the next of its rank.
 *
 * Window of one connection: WIRE_WINDOW bytes (two chunks) sent and not acknowledged, and WIRE_WINDOW more that only FLASH
 * may use.  GOT moves it and proves nothing.  An OPENING is not acknowledged: OPENING_CREDIT bytes of them go out per frame
 * that the client sends.  Everything is offered again on the next connection.
 *
 * Reads what is committed; called after the commit.
 */
#define OPENING_CREDIT 262144
#define DELIVERIES_MAX 512 /* offered at once on one connection */

struct deliveries;

int deliveries_open(struct store *st, enum realm realm, struct mailboxes *ms, struct outbox *out, struct deliveries **d);
void deliveries_close(struct deliveries *d);
/** delivery_start - @s is READY and current: it gets its mail, and events from @since on. */
int delivery_start(struct deliveries *d, struct session *s, uint64_t since);
/** delivery_touch - mail, or an @event, was staged for this office (NULL: nobody of it ever connected). */
void delivery_touch(struct deliveries *d, struct office *o, bool event);
/** delivery_got - the client has everything of delivery @tag below @offset. */
void delivery_got(struct deliveries *d, struct session *s, uint64_t tag, uint64_t offset);
/** delivery_credit - the client lives: more openings may go. */
void delivery_credit(struct deliveries *d, struct session *s);
/** delivery_events - answer to FETCH OPENINGS: events from @from, at most @max; *@next is where to go on. */
int delivery_events(struct deliveries *d, struct session *s, uint64_t from, size_t max, uint64_t *next);
/** delivery_pump - send what windows allow, FLASH of all connections first (@flash: nothing else), at most about @budget bytes.  1: more could go. */
int delivery_pump(struct deliveries *d, size_t budget, bool flash);
/** delivery_end - the session ends (or another one is current): forget what was offered on it. */
void delivery_end(struct deliveries *d, struct session *s);
/** delivery_front - append the front matter of an entry's envelope: what DELIVER and FETCH BODY begin with. */
int delivery_front(struct buf *out, const struct stored *entry);
/** delivery_damaged - entries that could not be read, since the start. */
uint64_t delivery_damaged(const struct deliveries *d);

#endif
