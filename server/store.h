#ifndef HL_SERVER_STORE_H
#define HL_SERVER_STORE_H

#include "common/record.h"

/*
 * Stable storage of one log.  Nothing above this header knows SQL.
 *
 *  1. One writer: store_open() takes the next term; a commit under an older term, or from another size,
 *     changes nothing and returns -HL_EFENCED.
 *  2. store_commit() is all or nothing.  0: on stable storage.  Anything else: the caller ends the process.
 *     There is no rollback and no retry.
 *  3. Staging touches memory only; it cannot fail but for -HL_ENOMEM and its limit (-HL_ETOOBIG).  What is staged
 *     reads back after its commit, not before.
 *  4. Only a head that store_commit() returned may be shown to the signer.
 *  5. No call costs more on a longer log.
 *  6. No constraint of the store is ever the first to notice bad input: facts are checked before staging.
 */
struct store;

struct store_head {
    uint64_t size;
    uint8_t root[32];
    uint64_t time_ms; /* of the newest entry; entries never go back in time */
};

struct store_conf {
    const char *path; /* file; its folder is synced after creation */
    enum realm realm;
    const char *origin;
    uint64_t grow_bytes; /* pre-grown once; 0 = default 64 MiB */
};

/** store_diag - @say gets what the engine says about its files (level as in syslog, one line).  Before the first open, or not at all. */
void store_diag(void (*say)(int level, const char *line));
/** store_open - create or open as the writer; takes the next term.  -HL_ESTORE, -HL_EREALM (another realm or origin), -HL_EBUSY. */
int store_open(const struct store_conf *conf, struct store **out, struct store_head *head);
/** store_open_reader - read only, for the publisher and offline checks. */
int store_open_reader(const struct store_conf *conf, struct store **out, struct store_head *head);
void store_close(struct store *st);

enum entry_kind { ENTRY_DUMMY, ENTRY_ENVELOPE, ENTRY_AGREEMENT, ENTRY_NOTICE, ENTRY_DOCUMENT };

struct store_entry {
    uint64_t index, time_ms;
    enum entry_kind kind;
    uint8_t leaf[32];     /* Merkle leaf hash */
    const uint8_t *salt;  /* 32; NULL for a document */
    struct span record;   /* the record; the note of a document */
    /* envelope only; sender and channel also for notices about one */
    const uint8_t *id, *mid, *channel, *chain;
    struct span sender;
    uint64_t seq, body_len;
    unsigned message_kind, precedence;
    struct span wraps;
    struct span body; /* when it came inline; else its chunks were staged under its id */
};

/* ---- staging: part of the next commit ---- */
int store_stage_entry(struct store *st, const struct store_entry *e);
/** store_stage_tile - a full tile (8,192 bytes) that became immutable. */
int store_stage_tile(struct store *st, unsigned level, uint64_t n, struct span bytes);
/** mailbox: what waits for @poc until its signed delivered or acknowledged is recorded. @held: an alternate's copy, not delivered before escalation. */
int store_stage_mailbox(struct store *st, struct span poc, uint64_t index, unsigned precedence, bool held);
int store_stage_mailbox_drop(struct store *st, struct span poc, uint64_t index);
/** events: steps, notices, agreement notes for @poc: kept until retention, fetched by index. */
int store_stage_event(struct store *st, struct span poc, uint64_t index);
/** uploads: body chunk @n (32 KiB each but the last) of the envelope @id, before its entry. */
int store_stage_chunk(struct store *st, const uint8_t id[static 32], uint64_t n, struct span bytes, uint64_t now_ms);
int store_stage_upload_drop(struct store *st, const uint8_t id[static 32]);
/** documents in force: loaded at start. @key names its place ("card/arcadia"); the same key replaces. */
int store_stage_document(struct store *st, const char *key, uint64_t index, uint64_t time_ms, struct span note);
int store_stage_document_drop(struct store *st, const char *key);
/** notes: the newest logged checkpoint, the newest with cosignatures, evidence of death. */
enum store_note { STORE_NOTE_LOGGED, STORE_NOTE_WITNESSED, STORE_NOTE_DEAD };
int store_stage_note(struct store *st, enum store_note which, struct span note);
/** open deadlines: message @index is due at @due_ms for its action addressees. */
int store_stage_due(struct store *st, uint64_t index, uint64_t due_ms);
int store_stage_due_drop(struct store *st, uint64_t index);

/** store_commit - everything staged becomes stable, and @next (size, root, time) the head, if the store still has (our term, @prev->size). */
int store_commit(struct store *st, const struct store_head *prev, const struct store_head *next);
/** store_staged_bytes - what the next commit will write, for the limit of a turn. */
size_t store_staged_bytes(const struct store *st);

/** store_size - entries committed, as this connection last knew. */
uint64_t store_size(const struct store *st);

/* ---- reading: what was committed.  A callback may read, but neither commit nor list the same again. ---- */
struct stored {
    uint64_t index, time_ms;
    enum entry_kind kind;
    uint8_t salt[32];
    struct buf record, wraps; /* initialised by the caller, or by store_read on zeroed structs; reuse them */
    uint64_t body_len;
    unsigned message_kind, precedence;
};
void stored_init(struct stored *s);
void stored_release(struct stored *s);

/** store_read - the whole entry but its body. -HL_ENOENT, -HL_ESTORE (a stored byte is damaged). */
int store_read(struct store *st, uint64_t index, struct stored *out);
/** store_read_chunk - chunk @n of the body of entry @index, appended to @out. */
int store_read_chunk(struct store *st, uint64_t index, uint64_t n, struct buf *out);
/** store_read_leaves - leaf hashes @first..@first+@count-1 (count <= 256), read without the rest of their entries: the caller compares the root. */
int store_read_leaves(struct store *st, uint64_t first, size_t count, uint8_t (*out)[32]);
/** store_read_entries - append (u16 length || entry bytes) of up to @count entries, stopping before @max bytes; *n = how many. */
int store_read_entries(struct store *st, uint64_t first, size_t count, size_t max, struct buf *out, size_t *n);
int store_read_tile(struct store *st, unsigned level, uint64_t n, uint8_t out[static 256][32]);
/** store_read_tile_roots - roots of the full tiles @first..@first+@count-1 of @level (count <= 256): the hashes of the level above.  As leaves, to be compared with the head's root. */
int store_read_tile_roots(struct store *st, unsigned level, uint64_t first, size_t count, uint8_t (*out)[32]);
int store_find_id(struct store *st, const uint8_t id[static 32], uint64_t *index);
/** store_find_mid - the first entry that records this message. */
int store_find_mid(struct store *st, const uint8_t mid[static 32], uint64_t *index);
/** store_find_number - who holds (sender, channel, chain, seq): its entry and envelope id. -HL_ENOENT when free. */
int store_find_number(struct store *st, struct span sender, const uint8_t channel[static 32], const uint8_t chain[static 16],
                      uint64_t seq, uint64_t *index, uint8_t id[static 32]);
/** store_each_number - for each channel of @sender: the highest seq recorded, and the chain that has it. */
int store_each_number(struct store *st, struct span sender,
                      int (*fn)(void *arg, const uint8_t channel[static 32], const uint8_t chain[static 16], uint64_t seq), void *arg);
int store_each_mailbox(struct store *st, struct span poc,
                       int (*fn)(void *arg, uint64_t index, unsigned precedence, bool held), void *arg);
/** store_mailbox_load - how many messages and body bytes wait for @poc (quota). */
int store_mailbox_load(struct store *st, struct span poc, uint64_t *count, uint64_t *bytes);
/** store_each_event - events of @poc from index @from, at most @max, ascending. */
int store_each_event(struct store *st, struct span poc, uint64_t from, size_t max, int (*fn)(void *arg, uint64_t index), void *arg);
int store_each_document(struct store *st, int (*fn)(void *arg, const char *key, uint64_t index, uint64_t time_ms, struct span note), void *arg);
int store_each_due(struct store *st, int (*fn)(void *arg, uint64_t index, uint64_t due_ms), void *arg);
/** store_upload_have - chunks of @id that are stable; 0 when none. */
int store_upload_have(struct store *st, const uint8_t id[static 32], uint64_t *chunks);
int store_upload_chunk(struct store *st, const uint8_t id[static 32], uint64_t n, struct buf *out);
/** store_uploads_before - drop candidates: ids of unfinished uploads not touched since @ms. */
int store_each_upload_before(struct store *st, uint64_t ms, int (*fn)(void *arg, const uint8_t id[static 32]), void *arg);
int store_note(struct store *st, enum store_note which, struct buf *out);
/** store_scrub - read all that is stored about entry @index, to find damage; adds what was read to @bytes.  -HL_ENOENT (no such entry), -HL_ESTORE. */
int store_scrub(struct store *st, uint64_t index, uint64_t *bytes);
/** store_space - bytes still free on the file system of the store. */
int store_space(const struct store *st, uint64_t *bytes);
/** store_checkpoint_wal - move the WAL into the file (publisher's connection; never blocks the writer). */
int store_checkpoint_wal(struct store *st);

#endif
