#ifndef HL_KEYS_VAULT_H
#define HL_KEYS_VAULT_H

#include "keys/keyfile.h"

/*
 * Sealing at rest: content in the desk's store, under the desk's vault key (XChaCha20-Poly1305, random nonce, @label
 * bound).  The vault's key file (use vault) holds key[32] || hedge[32].
 *
 *   sealed = nonce[24] || AEAD(key, nonce, aad = L("vault") || label, in)
 */
struct vault; /* opaque */
#define VAULT_OVERHEAD 40

/** vault_new - draw key and hedge of a new desk into their file. */
int vault_new(const char *keyfile, enum realm realm, const char *name, const struct secret *pass);
int vault_open(struct vault **out, const char *keyfile, enum realm realm, const struct secret *pass);
void vault_close(struct vault *v);
/** vault_seal / vault_unseal - append to @out. */
int vault_seal(const struct vault *v, struct buf *out, const char *label, struct span in);
/** vault_unseal - -HL_EOPEN when the bytes are not ours or the label differs. */
int vault_unseal(const struct vault *v, struct buf *out, const char *label, struct span in);
/** vault_hedge - the desk's 32-byte hedge secret. */
const struct secret *vault_hedge(const struct vault *v);

#endif
