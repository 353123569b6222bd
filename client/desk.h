#ifndef HL_CLIENT_DESK_H
#define HL_CLIENT_DESK_H

#include "common/content.h"
#include "common/envelope.h"
#include "common/rules.h"
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
 *
 * Errors besides those named: -HL_ESTORE (damaged, or cannot be written: whoever gets it ends), -HL_ENOMEM.  A callback
 * that returns non-zero ends the iteration, which returns that value; callbacks may read the desk, not write it.
 */
struct desk;

/** desk_open - create or open. -HL_ESTORE (damaged, another program's file), -HL_EREALM, -HL_ESTATE (another PoC's desk), -HL_EOPEN (another vault key). @vault NULL: only with ":memory:". */
int desk_open(const char *path, enum realm realm, struct span poc, const struct vault *vault, struct desk **out);
void desk_close(struct desk *d);
/** desk_begin/desk_commit/desk_abort - one transaction around several calls; without it each call is its own.  They nest: the outermost commit decides, an inner abort takes back only what came since its begin. */
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
/** desk_host_load - what was saved, else an empty range.  Initialises @h. */
int desk_host_load(struct desk *d, struct span origin, struct desk_host *h);
int desk_host_save(struct desk *d, struct span origin, const struct desk_host *h);
void desk_host_release(struct desk_host *h);
/** documents of a log: public entries and the agreement notes opened to us, for the fold at start. */
int desk_document_add(struct desk *d, struct span origin, uint64_t index, uint64_t time_ms, struct span note);
int desk_document_each(struct desk *d, struct span origin, int (*fn)(void *arg, uint64_t index, uint64_t time_ms, struct span note), void *arg);
/** evidence: bytes that prove a fault (forks, refused envelopes, conflicts), never deleted; the same bytes are kept once. */
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
void desk_draft_init(struct desk_draft *dr);
void desk_draft_release(struct desk_draft *dr);
int desk_draft_put(struct desk *d, const struct desk_draft *dr);
/** desk_draft_get - into @dr, which it initialises.  -HL_ENOENT. */
int desk_draft_get(struct desk *d, const uint8_t mid[static 32], struct desk_draft *dr);
/** desk_draft_each - oldest first. */
int desk_draft_each(struct desk *d, int (*fn)(void *arg, const struct desk_draft *dr), void *arg);
/** desk_draft_drop - with what was prepared for its release.  -HL_ENOENT. */
int desk_draft_drop(struct desk *d, const uint8_t mid[static 32]);
/** prepared releases: one a draft, by envelope id; the bytes are the caller's (client/compose.c) and are sealed here. */
int desk_prepared_put(struct desk *d, const uint8_t mid[static 32], const uint8_t id[static 32], struct span bytes);
int desk_prepared_get(struct desk *d, const uint8_t id[static 32], uint8_t mid[static 32], struct buf *bytes);

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
    unsigned recorded;    /* hosts whose receipt verified */
    bool carried;
    bool doubted;         /* sealed by the witnesses' time, because this clock was not believed */
    unsigned kind, precedence;
    char sender[64];
    uint8_t channel[32], chain[16];
    uint64_t seq;
    int refused; char sentence[256]; /* state REFUSED or CANNOT_READ: why */
};
void message_init(struct message *m);
void message_release(struct message *m);
/** desk_number - the chain and next number for @channel; draws a chain on first use, continues at the highest known. Nothing is taken: desk_send() does. */
int desk_number(struct desk *d, const uint8_t channel[static 32], uint8_t chain[static 16], uint64_t *seq);
/**
 * desk_known_number - WELCOME says that this host knows (chain, seq) of ours: when we are behind, a new chain follows, which
 * goes on there.  1: drawn.  No backup is DESK_JUMP_MAX numbers old: from such a claim a new chain goes on at our own number,
 * and 0; else one host that lies, or one stolen key, would leave this PoC without numbers for ever.
 */
#define DESK_JUMP_MAX 1000000
int desk_known_number(struct desk *d, const uint8_t channel[static 32], const uint8_t chain[static 16], uint64_t seq);
/** desk_number_renew - a host holds another envelope under a number of @chain: a new chain follows, unless that was done already. */
int desk_number_renew(struct desk *d, const uint8_t channel[static 32], const uint8_t chain[static 16]);
/** desk_send - store a released envelope and its outbox rows for @origins, and take its number. -HL_ESTATE when the number is not the next (voids: any). */
int desk_send(struct desk *d, const struct message *m, const struct span *origins, size_t n);
/** desk_receive - store an opened (or cannot-read) envelope. 1: new, act on it (also: now readable); 2: a known message id at a higher precedence; 0: a repetition. */
int desk_receive(struct desk *d, const struct message *m);
/** desk_message - into @m, which it initialises.  -HL_ENOENT. */
int desk_message(struct desk *d, const uint8_t mid[static 32], struct message *m);
int desk_message_by_id(struct desk *d, const uint8_t id[static 32], uint8_t mid[static 32]);
/** desk_find - by number, as people say it; @channel NULL = any.  -HL_EFORMAT, -HL_ENOENT, -HL_EAMBIGUOUS. */
int desk_find(struct desk *d, const char *number, const uint8_t *channel, uint8_t mid[static 32]);
/** desk_message_state - a refusal never replaces what was recorded, seen never replaces acknowledged.  -HL_ENOENT. */
int desk_message_state(struct desk *d, const uint8_t mid[static 32], enum message_state state, int rc, const char *sentence);
/** desk_each_message - newest first; @fn returns non-zero to stop. */
int desk_each_message(struct desk *d, enum message_way way, int (*fn)(void *arg, const struct message *m), void *arg);
/**
 * desk_each_open - the same, of those that somebody still has to do something about: received and not acknowledged or
 * read; sent and not closed.  Costs what is open, not what is held.
 */
int desk_each_open(struct desk *d, enum message_way way, int (*fn)(void *arg, const struct message *m), void *arg);
/** desk_message_close - every action addressee of a message that we sent has acknowledged it. */
int desk_message_close(struct desk *d, const uint8_t mid[static 32]);
/** references: what a message refers to, and who refers to it. */
int desk_ref_add(struct desk *d, const uint8_t mid[static 32], const uint8_t target[static 32]);
int desk_ref_each(struct desk *d, const uint8_t target[static 32], int (*fn)(void *arg, const uint8_t mid[static 32]), void *arg);

/* ---- numbers of others ---- */
/** desk_number_state - who holds (@sender, @channel, @chain, @seq): enum number_state for envelope @id, or negative. */
int desk_number_state(struct desk *d, struct span sender, const uint8_t channel[static 32], const uint8_t chain[static 16],
                      uint64_t seq, const uint8_t id[static 32]);
/** desk_number_keep - envelope @id was verified and accepted: its number is taken. */
int desk_number_keep(struct desk *d, struct span sender, const uint8_t channel[static 32], const uint8_t chain[static 16],
                     uint64_t seq, const uint8_t id[static 32], uint64_t now_ms);
/** desk_gaps - numbers of (@sender, @channel) missing between the lowest and highest seen; @fn(first, last, when the number above was seen). */
int desk_gaps(struct desk *d, struct span sender, const uint8_t channel[static 32],
              int (*fn)(void *arg, uint64_t first, uint64_t last, uint64_t since_ms), void *arg);
int desk_senders(struct desk *d, int (*fn)(void *arg, struct span sender, const uint8_t channel[static 32]), void *arg);

/* ---- outbox: envelopes and documents on their way, per host ---- */
struct outbox_row {
    uint8_t id[32];        /* envelope id; SHA-256 of a document's note */
    struct span origin, bytes;
    unsigned precedence;
    bool document;
};
/** desk_outbox_each - documents in order, then envelopes: highest precedence first, oldest first. */
int desk_outbox_each(struct desk *d, struct span origin, int (*fn)(void *arg, const struct outbox_row *row), void *arg);
/** desk_outbox_done - this host's receipt verified. */
int desk_outbox_done(struct desk *d, struct span origin, const uint8_t id[static 32]);
/** desk_outbox_refuse - it refused for good: kept, not sent again.  *@last: no host is left that may still record it, none did. */
int desk_outbox_refuse(struct desk *d, struct span origin, const uint8_t id[static 32], int rc, const char *sentence, bool *last);
/** desk_outbox_refusal - why @origin refused @id: 0 and the code, 1 while it waits there, -HL_ENOENT. */
int desk_outbox_refusal(struct desk *d, struct span origin, const uint8_t id[static 32], int *rc, char sentence[static 256]);
/** desk_outbox_document - for @origins that do not have it yet; the id of @note into @id.  A document refused before is sent again. */
int desk_outbox_document(struct desk *d, struct span note, const struct span *origins, size_t n, uint8_t id[static 32]);
/** desk_outbox_waiting - rows still to be recorded by @origin. */
int desk_outbox_waiting(struct desk *d, struct span origin, uint64_t *n);

/* ---- what each log says about a message: receipts, for sent and received alike ---- */
struct receipt {
    uint64_t index, time_ms, size;
    uint8_t salt[32];
    bool proved; /* path verified against the checkpoint of size */
    size_t n_path;
    uint8_t path[MERKLE_MAX_PROOF][32];
    struct buf note; /* the checkpoint */
};
void receipt_init(struct receipt *r);
void receipt_release(struct receipt *r);
/** desk_receipt_put - replaces; an unproved one never replaces a proved one.  @mid: of a message; the id of a document. */
int desk_receipt_put(struct desk *d, struct span origin, const uint8_t mid[static 32], const struct receipt *r);
/** desk_receipt_get - into @r, which it initialises.  -HL_ENOENT. */
int desk_receipt_get(struct desk *d, struct span origin, const uint8_t mid[static 32], struct receipt *r);
int desk_receipt_by_index(struct desk *d, struct span origin, uint64_t index, uint8_t mid[static 32]);

/* ---- steps on a message ---- */
struct desk_step {
    struct span poc;
    unsigned kind, code;
    uint64_t time_ms;
    const uint8_t *mid; /* of the step */
};
/** desk_step_add - 1: new, 0: known. */
int desk_step_add(struct desk *d, const uint8_t target[static 32], const struct desk_step *step);
/** desk_step_each - in the order in which they came. */
int desk_step_each(struct desk *d, const uint8_t target[static 32], int (*fn)(void *arg, const struct desk_step *step), void *arg);
bool desk_step_done(struct desk *d, const uint8_t target[static 32], struct span poc, unsigned kind);

/* ---- openings: what the mirror and audit need; notices among them ---- */
/** desk_opening_add - @proved: it matches the entry; an unproved one never replaces a proved one. */
int desk_opening_add(struct desk *d, struct span origin, uint64_t index, struct span salt, struct span record, bool proved);
int desk_opening_get(struct desk *d, struct span origin, uint64_t index, uint8_t salt[static 32], struct buf *record, bool *proved);
bool desk_opening_proved(struct desk *d, struct span origin, uint64_t index);
int desk_opening_each(struct desk *d, struct span origin, int (*fn)(void *arg, uint64_t index, struct span salt, struct span record), void *arg);

/* ---- events: what happened, in order, for watch and alarm ---- */
enum event_what { EVENT_MESSAGE, EVENT_REPETITION, EVENT_STEP, EVENT_NOTICE, EVENT_RECORDED, EVENT_REFUSED, EVENT_CANNOT_READ, EVENT_FAULT };
struct desk_event {
    uint64_t n, time_ms; /* given by the desk when it is added */
    enum event_what what;
    const uint8_t *mid;  /* of the message it is about, or NULL */
    unsigned kind, code; /* of a step or notice: its kind */
    struct span poc, detail;
};
int desk_event_add(struct desk *d, const struct desk_event *e);
/** desk_event_each - those after number @after, oldest first. */
int desk_event_each(struct desk *d, uint64_t after, int (*fn)(void *arg, const struct desk_event *e), void *arg);
int desk_event_last(struct desk *d, uint64_t *n);

/* ---- counts, for status ---- */
struct desk_counts {
    uint64_t unread, unacknowledged, outbox, drafts, evidence, events;
};
int desk_count(struct desk *d, struct desk_counts *c);

/* ---- witness state, duty, pins ---- */
int desk_witness_get(struct desk *d, struct span origin, uint64_t *size, uint8_t root[static 32]);
/** desk_witness_set - atomic check and store: only when the stored size is @old. -HL_ESTATE otherwise. */
int desk_witness_set(struct desk *d, struct span origin, uint64_t old, uint64_t size, const uint8_t root[static 32], struct span note);
int desk_duty_set(struct desk *d, struct span position, bool on, uint64_t time_ms);
int desk_duty_each(struct desk *d, int (*fn)(void *arg, struct span position, uint64_t since_ms), void *arg);
int desk_pin_set(struct desk *d, struct span party, const uint8_t fp[static 32]);
int desk_pin_each(struct desk *d, int (*fn)(void *arg, struct span party, const uint8_t fp[static 32]), void *arg);

#endif
