#ifndef HL_SERVER_BROKER_H
#define HL_SERVER_BROKER_H

#include "common/buf.h"
#include "common/name.h"
#include "common/tlog/note.h"

/*
 * The turn (DESIGN 7).  Only broker.c knows the order:
 *
 *     frames (front)  |                                                     | deliveries -> front
 *     notes, cosigs   | -> envelope -> rules -> log -> mailbox -> store: commit | head -> signer -> receipts -> front
 *     due deadlines   |                                                     | head -> publisher -> tiles
 *
 * No process, socket or thread here but parallel_for in the pure part: the core process and the tests drive
 * it alike.  Input is queued; broker_turn() takes at most 256 entries or 256 KiB of chunks, highest
 * precedence first; a turn with FLASH holds only FLASH; a document closes its turn.
 */
struct broker;

/* What leaves a turn.  Called from broker_turn(), broker_signed(), broker_reload() only; must not call back. */
struct broker_out {
    void *arg;
    /** one frame to connection @conn */
    void (*send)(void *arg, uint64_t conn, struct span frame);
    /** the whole table of transport keys, when it changed; the front mutes the others at once */
    void (*keys)(void *arg, const uint8_t (*key)[32], size_t n);
    /** ask the signer for a checkpoint of (size, root); @proof is the consistency proof from @old */
    void (*sign)(void *arg, uint64_t size, const uint8_t root[static 32], uint64_t old, const uint8_t (*proof)[32], size_t n);
    /** a signed checkpoint to publish */
    void (*publish)(void *arg, struct span note);
    /** one line of diagnostics for the operator (never message text) */
    void (*diag)(void *arg, int level, const char *line);
};

struct broker_conf {
    enum realm realm;
    const char *origin;
    const uint8_t *log_key;    /* 32, public */
    const char *store_path;
    const char *documents_dir; /* NULL: none */
    uint64_t quota_messages, quota_bytes; /* waiting per PoC; 0 = defaults 10,000 and 256 MiB */
    uint64_t space_low, space_min;        /* 0 = defaults 256 MiB, 64 MiB */
    uint64_t sign_wait_ms; /* after a start: ask for no signature until the last cosigners said HELLO, or this; 0 = 10 s */
    uint64_t witness_every_ms; /* least time between two add-checkpoints to one witness; 0 = 250 */
};

int broker_open(const struct broker_conf *conf, const struct broker_out *out, struct broker **b);
void broker_close(struct broker *b);

/** broker_frame - queue one frame of connection @conn (the front's number), authenticated as transport key @key. Copies. -HL_EQUOTA when the queue is full: the front stops reading. */
int broker_frame(struct broker *b, uint64_t conn, const uint8_t key[static 32], struct span frame);
/** broker_gone - a connection ended, or (conn 0) all of them: the front was replaced. */
void broker_gone(struct broker *b, uint64_t conn);
/** broker_signed - the signer's note for a head that it was asked for.  Releases receipts. */
int broker_signed(struct broker *b, struct span note);
/** broker_reload - read documents_dir again (SIGHUP): new documents are queued as input. */
int broker_reload(struct broker *b);
/** broker_turn - one turn.  1: more input waits; 0: idle; negative: end the process. */
int broker_turn(struct broker *b, uint64_t now_ms);
/** broker_timeout - ms until something is due without input; -1 = nothing. */
int broker_timeout(const struct broker *b, uint64_t now_ms);
/** broker_status - one JSON object for `hotlined status`: head, sessions, mailboxes, counters, space, keys, dead or not. */
int broker_status(struct broker *b, struct buf *json);

#endif
