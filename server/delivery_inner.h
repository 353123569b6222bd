#ifndef HL_SERVER_DELIVERY_INNER_H
#define HL_SERVER_DELIVERY_INNER_H

#include "server/delivery.h"

/* Of delivery*.c alone: what one connection was offered. */

/* What is sent first; mail of a rank comes from the mailbox's lane of that precedence. */
enum rank { RANK_FLASH, RANK_IMMEDIATE, RANK_EVENTS, RANK_PRIORITY, RANK_ROUTINE, RANKS };

/* One envelope on its way on one connection. */
struct offer {
    struct offer *next;
    uint64_t tag, index;
    enum rank rank;
    size_t front_len;
    struct buf front; /* while it is not all sent */
    uint64_t total, sent, got;
};

struct offers {
    struct offer *first, **last;
    size_t n;
    uint64_t ordinary, flash; /* bytes in flight */
    uint64_t event;           /* events from here on are to be sent */
    bool events;              /* there may be some */
    size_t credit;            /* bytes of openings */
};

struct deliveries {
    struct store *store;
    enum realm realm;
    struct mailboxes *mailboxes;
    struct outbox *outbox;
    struct office *dirty;
    uint64_t tag, damaged;
    struct stored stored; /* scratch */
    struct buf chunk;     /* scratch */
};

/** offer_window - bytes in flight that count for @rank. */
uint64_t *offer_window(struct offers *os, enum rank rank);
/** offer_new - an offer of the entry in d->stored, at the end of the list; NULL when it is damaged, or no memory. */
struct offer *offer_new(struct deliveries *d, struct offers *os, enum rank rank);
/** offer_begin - its DELIVER frame; false when the window has no room for it. */
bool offer_begin(struct deliveries *d, struct session *s, struct offer *o, unsigned flags);
/** offer_continue - its next piece.  0: sent; 1: no room; an error: it cannot be read. */
int offer_continue(struct deliveries *d, struct session *s, struct offer *o);
void offer_free(struct offers *os, struct offer **at);

#endif
