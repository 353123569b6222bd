#ifndef HL_KEYS_SIGN_H
#define HL_KEYS_SIGN_H

#include "common/document.h"
#include "keys/secret.h"

/* Ed25519 signing keys (RFC 8032, libsodium): roots, positions, stations, logs, witnesses. */
struct seckey; /* opaque, guarded */

int seckey_new(struct seckey **out);
/** seckey_from_seed - for test vectors; wipes @seed. */
int seckey_from_seed(struct seckey **out, uint8_t seed[static 32]);
void seckey_free(struct seckey *key);
const uint8_t *seckey_public(const struct seckey *key);
void seckey_sign(const struct seckey *key, struct span message, uint8_t sig[static 64]);

/**
 * sign_document - add the signature line of @key under note name @name to @text: writes a complete note.
 * @note may hold an existing note over the same text, whose lines are kept, in order by key id.
 */
int sign_document(struct buf *out, struct span text_or_note, struct span name, const struct seckey *key);
/** sign_checkpoint - note over checkpoint @text by the log key (name = origin). */
int sign_checkpoint(struct buf *out, struct span text, struct span origin, const struct seckey *key);
/** sign_cosignature - one signature line (type 4) of a witness over checkpoint @text at @time_s. */
int sign_cosignature(struct buf *out, struct span text, struct span name, uint64_t time_s, const struct seckey *key);

#endif
