#ifndef HL_SERVER_SIGNER_H
#define HL_SERVER_SIGNER_H

#include "common/tlog/merkle.h"
#include "keys/sign.h"

/*
 * The signer: the log key and its own state file, nothing else.  It signs checkpoints that extend the last one that it
 * signed, and persists (size, root, text) before the signature leaves, so that what was signed is never ahead of its
 * state.  The same (size, root) again is signed again: Ed25519 is deterministic, so that says nothing new.
 *
 *   EMPTY -[signer_sign, old 0]-> SIGNED -[signer_sign, consistent]-> SIGNED
 *
 * Asked from a smaller size than its last (its last note never reached the store), it answers with its last note: the
 * core then asks from there, or finds that the store does not hold it and that this log is dead.  Asked from a larger
 * one, its state is behind what it signed: damaged, or put back.
 *
 * State file: two slots of SIGNER_SLOT bytes, written in turn with one pwrite and one fdatasync, the newer whole one
 * counts: u64 counter || u64 size || root[32] || zeroes || SHA-256(what precedes || origin || key).  A start writes the
 * newer one again, into the other slot: after a failed sync the cache may show what the disk does not hold.
 */
#define SIGNER_SLOT 4096

struct signer;

/** signer_open - @path is created with its slots when it is not there; @origin and @key are borrowed. -HL_ESTORE (no whole slot of this log), -HL_EMODE (others may write it), -HL_EBUSY, -HL_ESYS, -HL_ENOMEM. */
int signer_open(const char *path, const char *origin, const struct seckey *key, struct signer **out);
void signer_close(struct signer *s);
/**
 * signer_sign - the note for (@size, @root), proved consistent with the last one by @proof from @old.
 * 0 with a note in @out: of (@size, @root), or the last one when @old is smaller than its size.  -HL_EFORK: it does not extend
 * what was signed; -HL_ESTATE: @old is larger than what was signed here; -HL_ESYS: the state could not be written: end
 * the process.
 */
int signer_sign(struct signer *s, uint64_t size, const uint8_t root[static 32], uint64_t old, const uint8_t (*proof)[32],
                size_t n, struct buf *out);
/** signer_run - answer the core on @fd until it is gone (0), or the state cannot be written. */
int signer_run(int fd, struct signer *s);

#endif
