#ifndef HL_SERVER_MAILBOX_H
#define HL_SERVER_MAILBOX_H

#include "common/envelope.h"
#include "server/hmap.h"
#include "server/store.h"

/*
 * What waits for each PoC, in memory as in the store.
 *
 *     (recorded) -[mailbox_put]-> WAITING -[mailbox_take: signed delivered, acknowledged or cannot-read in the log]-> gone
 *     (alternate) -[mailbox_put held]-> HELD -[mailbox_release: escalated]-> WAITING
 *                                            -[mailbox_take held: all answered, nobody will escalate]-> gone
 *
 * Nothing else takes a message out: not a GOT, not a connection, not time.  A mailbox is read from the store when it is
 * first touched, before anything is staged for it, and kept; memory and store then change together.
 */
struct mail {
    uint64_t index, bytes; /* bytes of its body */
    uint8_t mid[32];
    uint8_t precedence;
    bool held, gone, damaged; /* damaged: its entry cannot be read; it waits, is not offered, and the operator is told */
    uint64_t offered;         /* session.hello of the connection that it was offered on, 0 none */
};

struct mailbox {
    struct hmap_node node;
    char poc[64];
    struct lane_of_mail {
        struct mail *v; /* ascending index */
        size_t n, cap, first; /* before first all are gone */
        size_t next;          /* from here on some may not be offered on the current connection */
    } lane[4];                /* by precedence */
    uint64_t count, bytes;    /* waiting and held */
};

struct mailboxes;

int mailboxes_open(struct store *st, enum realm realm, struct mailboxes **out);
void mailboxes_close(struct mailboxes *ms);
/** mailbox_get - the mailbox of @poc, loaded.  -HL_ENOMEM, -HL_ESTORE. */
int mailbox_get(struct mailboxes *ms, struct span poc, struct mailbox **out);
int mailbox_put(struct mailboxes *ms, struct mailbox *mb, const struct mail *mail);
/** mailbox_take - everything of message @mid leaves the mailbox; with @held, only copies that are held. */
int mailbox_take(struct mailboxes *ms, struct mailbox *mb, const uint8_t mid[static 32], bool held);
/** mailbox_release - held copies of @mid may now be delivered; *@n says how many. */
int mailbox_release(struct mailboxes *ms, struct mailbox *mb, const uint8_t mid[static 32], size_t *n);
/** mailbox_held - is there a held copy of entry @index? */
bool mailbox_held(const struct mailbox *mb, uint64_t index);
/** mailbox_holds - is a copy of message @mid held, so that its owner knows nothing of it yet? */
bool mailbox_holds(const struct mailbox *mb, const uint8_t mid[static 32]);
/** mailbox_next - the oldest of @precedence not yet offered on connection @hello; NULL when none. */
struct mail *mailbox_next(struct mailbox *mb, unsigned precedence, uint64_t hello);
/** mailbox_rewind - another connection takes over: everything may be offered again. */
void mailbox_rewind(struct mailbox *mb);
void mailboxes_each(struct mailboxes *ms, void (*fn)(void *arg, const struct mailbox *mb), void *arg);

#endif
