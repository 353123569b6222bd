#ifndef HL_CLIENT_DESK_H
#define HL_CLIENT_DESK_H

#include "common/content.h"
#include "common/envelope.h"
#include "common/tlog/merkle.h"
#include "keys/vault.h"

/*
 * The desk: what this PoC holds (SQLite; content sealed at rest by the vault).  One writer: who holds desk.lock.
 *
 *  1. Taking a number, storing the sealed and signed envelope: one transaction, before its first byte leaves.
 *  2. An outbox row per host goes only when that host's receipt verified.
 *  3. A recipient acts once per message id: desk_receive() says whether it is new.
 *  4. A desk that is behind the numbers in WELCOME draws a new chain (restored from a backup).
 *  5. A witness's state is stored before its cosignature leaves.
 *  6. ":memory:" is a desk without a disk (bench).
 */
struct desk;

int desk_open(const char *path, enum realm realm, struct span poc, const struct vault *vault, struct desk **out);
void desk_close(struct desk *d);
/** desk_begin/desk_commit/desk_abort - one transaction around several calls; without it each call is its own. */
int desk_begin(struct desk *d);
int desk_commit(struct desk *d);
void desk_abort(struct desk *d);

/* ---- hosts: what was verified of each log ---- */
struct desk_host {
    struct merkle_range range;   /* of the entries verified so far */
    struct buf checkpoint;       /* newest verified note, signed by the log */
    struct buf witnessed;        /* newest with cosignatures */
    uint64_t cursor;             /* first opening not yet fetched */
    bool dead;                   /* fork or rollback found: evidence kept, host not used */
};
int desk_host_load(struct desk *d, struct span origin, struct desk_host *h);
int desk_host_save(struct desk *d, struct span origin, const struct desk_host *h);
void desk_host_release(struct desk_host *h);
/** documents of a log: public entries and the agreement notes opened to us, for the fold at start. */
int desk_document_add(struct desk *d, struct span origin, uint64_t index, uint64_t time_ms, struct span note);
int desk_document_each(struct desk *d, struct span origin, int (*fn)(void *arg, uint64_t index, uint64_t time_ms, struct span note), void *arg);
/** evidence: bytes that prove a fault (forks, refused envelopes, conflicts), never deleted. */
int desk_evidence_add(struct desk *d, const char *what, struct span bytes);
int desk_evidence_each(struct desk *d, int (*fn)(void *arg, uint64_t time_ms, const char *what, struct span bytes), void *arg);

/* ---- drafts ---- */
struct desk_draft {
    uint8_t mid[32];
    struct buf header, content; /* content = content bytes (unsealed here) */
    uint8_t salt[32];
    uint8_t draft_key[32], draft_sig[64];
    bool signed_draft;
    unsigned precedence;
    uint64_t ack_within_s, lifetime_s, made_ms;
};
void desk_draft_release(struct desk_draft *dr);
int desk_draft_put(struct desk *d, const struct desk_draft *dr);
int desk_draft_get(struct desk *d, const uint8_t mid[static 32], struct desk_draft *dr);
int desk_draft_each(struct desk *d, int (*fn)(void *arg, const struct desk_draft *dr), void *arg);
int desk_draft_drop(struct desk *d, const uint8_t mid[static 32]);

/* ---- messages: sent and received, by message id ---- */
enum message_way { MESSAGE_OUT, MESSAGE_IN };
enum message_state { MESSAGE_QUEUED, MESSAGE_RECORDED, MESSAGE_REFUSED,             /* out */
                     MESSAGE_NEW, MESSAGE_SEEN, MESSAGE_ACKNOWLEDGED, MESSAGE_CANNOT_READ /* in */ };
struct message {
    enum message_way way;
    enum message_state state;
    uint8_t mid[32], id[32];
    struct buf envelope;  /* file form */
    struct buf content;   /* opened content bytes, empty when bodyless or cannot-read */
    uint8_t salt[32];
    uint64_t time_ms;     /* stored here */
    bool recorded;        /* some host's receipt verified */
    bool carried;
    unsigned kind, precedence;
    char sender[64];
    uint8_t channel[32], chain[16];
    uint64_t seq;
    int refused; char sentence[256]; /* state REFUSED or CANNOT_READ: why */
};
void message_release(struct message *m);
/** desk_number - the chain and next number for @channel; draws a chain on first use, continues at the highest known. */
int desk_number(struct desk *d, const uint8_t channel[static 32], uint8_t chain[static 16], uint64_t *seq);
/** desk_known_number - WELCOME says that this host knows (chain, seq) of ours: when we are behind, a new chain follows. */
int desk_known_number(struct desk *d, const uint8_t channel[static 32], const uint8_t chain[static 16], uint64_t seq);
/** desk_send - store a released envelope and its outbox rows for @origins.  With desk_number() in one transaction. */
int desk_send(struct desk *d, const struct message *m, const struct span *origins, size_t n);
/** desk_receive - store an opened (or cannot-read) envelope. 1: new, act on it; 0: known message id (a repetition; higher precedence is noted). */
int desk_receive(struct desk *d, const struct message *m);
int desk_message(struct desk *d, const uint8_t mid[static 32], struct message *m);
/** desk_find - by number, as people say it; @channel NULL = any.  -HL_ENOENT, -HL_EAMBIGUOUS. */
int desk_find(struct desk *d, const char *number, const uint8_t *channel, uint8_t mid[static 32]);
int desk_message_state(struct desk *d, const uint8_t mid[static 32], enum message_state state, int rc, const char *sentence);
/** desk_each_message - newest first; @fn returns non-zero to stop. */
int desk_each_message(struct desk *d, enum message_way way, int (*fn)(void *arg, const struct message *m), void *arg);
/** desk_gaps - numbers of (@sender, channel, chain) missing below the highest seen; calls @fn(first, last). */
int desk_gaps(struct desk *d, struct span sender, const uint8_t channel[static 32], int (*fn)(void *arg, uint64_t first, uint64_t last), void *arg);

/* ---- outbox: envelopes and documents on their way, per host ---- */
int desk_outbox_each(struct desk *d, struct span origin, int (*fn)(void *arg, const uint8_t id[static 32], unsigned precedence, struct span envelope), void *arg);
/** desk_outbox_done - this host's receipt verified (or it refused for good). */
int desk_outbox_done(struct desk *d, struct span origin, const uint8_t id[static 32]);
int desk_outbox_document(struct desk *d, struct span note, const struct span *origins, size_t n);

/* ---- what each log says about a message: receipts, for sent and received alike ---- */
struct receipt {
    uint64_t index, time_ms, size;
    uint8_t salt[32];
    bool proved; /* path verified against the checkpoint of size */
    size_t n_path;
    uint8_t path[MERKLE_MAX_PROOF][32];
    struct buf note; /* the checkpoint */
};
int desk_receipt_put(struct desk *d, struct span origin, const uint8_t mid[static 32], const struct receipt *r);
int desk_receipt_get(struct desk *d, struct span origin, const uint8_t mid[static 32], struct receipt *r);
int desk_receipt_by_index(struct desk *d, struct span origin, uint64_t index, uint8_t mid[static 32]);

/* ---- steps on a message, and remarks of hosts (notices) ---- */
int desk_step_add(struct desk *d, const uint8_t target[static 32], struct span poc, unsigned kind, unsigned code, uint64_t time_ms, const uint8_t mid[static 32]);
int desk_step_each(struct desk *d, const uint8_t target[static 32], int (*fn)(void *arg, struct span poc, unsigned kind, unsigned code, uint64_t time_ms), void *arg);
bool desk_step_done(struct desk *d, const uint8_t target[static 32], struct span poc, unsigned kind);

/* ---- openings not shown as messages (notices, dummies): for the mirror and audit ---- */
int desk_opening_add(struct desk *d, struct span origin, uint64_t index, struct span salt, struct span record);
int desk_opening_each(struct desk *d, struct span origin, int (*fn)(void *arg, uint64_t index, struct span salt, struct span record), void *arg);

/* ---- witness state, duty, pins ---- */
int desk_witness_get(struct desk *d, struct span origin, uint64_t *size, uint8_t root[static 32]);
/** desk_witness_set - atomic check and store: only when the stored size is @old. -HL_ESTATE otherwise. */
int desk_witness_set(struct desk *d, struct span origin, uint64_t old, uint64_t size, const uint8_t root[static 32], struct span note);
int desk_duty_set(struct desk *d, struct span position, bool on, uint64_t time_ms);
int desk_duty_each(struct desk *d, int (*fn)(void *arg, struct span position, uint64_t since_ms), void *arg);
int desk_pin_set(struct desk *d, struct span party, const uint8_t fp[static 32]);
int desk_pin_each(struct desk *d, int (*fn)(void *arg, struct span party, const uint8_t fp[static 32]), void *arg);

#endif
