#ifndef HL_SERVER_STAGES_H
#define HL_SERVER_STAGES_H

#include "server/broker.h"
#include "server/cosign.h"
#include "server/deadline.h"
#include "server/delivery.h"
#include "server/documents.h"
#include "server/entries.h"
#include "server/facts.h"
#include "server/head.h"
#include "server/log.h"
#include "server/mailbox.h"
#include "server/metrics.h"
#include "server/outbox.h"
#include "server/quota.h"
#include "server/receipts.h"
#include "server/session.h"
#include "server/store.h"
#include "server/upload.h"

/*
 * The stages of the turn side by side.  They know themselves; what moves between them does so in the few files that
 * include this header: work (before the turn), frames, intake and fetch (one input each), broker.c (their order).
 */
struct stages {
    struct broker_conf conf; /* defaults filled in */
    const struct broker_out *out;
    struct store *store;
    struct log *log;
    struct directory *dir;
    struct entries entries;
    struct facts *facts;
    struct quotas *quotas;
    struct mailboxes *mailboxes;
    struct deliveries *deliveries;
    struct deadlines *deadlines;
    struct uploads *uploads;
    struct receipts *receipts;
    struct documents *documents;
    struct cosign *cosign;
    struct sessions *sessions;
    struct outbox outbox;
    struct head head;
    struct metrics metrics;

    struct store_head committed;
    uint64_t now_ms;     /* of this turn, as given */
    uint64_t free_bytes; /* of the store's file system, when last asked */
    bool keys_stale;     /* a document changed transport keys: the table goes out after the commit */
    uint64_t announce;   /* 1 + the entry of a public document: everybody gets the checkpoint that covers it; 0 none */
    int failed;          /* what ends the process with the next turn */
    struct buf death;    /* evidence that this store was rolled back; the log dies with the next commit */
};

/** stages_session_end - forget a connection everywhere. */
void stages_session_end(struct stages *st, struct session *s);
/** stages_diag - one line for the operator; 3 error, 4 warning, 6 information. */
void stages_diag(struct stages *st, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
