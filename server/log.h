#ifndef HL_SERVER_LOG_H
#define HL_SERVER_LOG_H

#include "common/tlog/merkle.h"
#include "server/store.h"

/*
 * The audited record of this host, above the store: gives an entry its index, salt and leaf, keeps the right
 * edge of the tree in memory (at most 256 hashes a level), stages tiles as they become full, proves.
 * Opening reads the right edge only.  Staged entries are provable at once, in memory; promised only after commit.
 */
struct log;

int log_open(struct store *st, enum realm realm, const struct store_head *head, struct log **out);
void log_close(struct log *log);
uint64_t log_size(const struct log *log); /* with what is staged */
void log_root(const struct log *log, uint8_t root[static 32]);
/** log_time - @now_ms, but never before the newest entry's time. */
uint64_t log_time(const struct log *log, uint64_t now_ms);

/**
 * log_append - stage one entry: fills index, leaf, and draws the salt (NULL salt in: drawn into salt_out; documents
 * have none).  @e's other fields come from the caller.
 */
int log_append(struct log *log, struct store_entry *e, uint8_t salt_out[static 32]);
/** log_inclusion / log_consistency - proofs within the first @size entries. */
int log_inclusion(struct log *log, uint64_t index, uint64_t size, uint8_t proof[static MERKLE_MAX_PROOF][32], size_t *n);
int log_consistency(struct log *log, uint64_t size1, uint64_t size2, uint8_t proof[static MERKLE_MAX_PROOF][32], size_t *n);
/** log_root_at - root of the first @size entries (a client's older checkpoint is compared with it). */
int log_root_at(struct log *log, uint64_t size, uint8_t root[static 32]);
/** log_tile - hashes of a tile as of the committed size, full or partial: width hashes into @out. */
int log_tile(struct log *log, unsigned level, uint64_t n, struct buf *out);

#endif
