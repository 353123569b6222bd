#ifndef HL_KEYS_VAULT_H
#define HL_KEYS_VAULT_H

#include "keys/keyfile.h"

/* Sealing at rest: content in the desk's store, under the desk's vault key (XChaCha20-Poly1305, random nonce, @label bound). */
struct vault; /* opaque */
#define VAULT_OVERHEAD 40

int vault_open(struct vault **out, const char *keyfile, enum realm realm, const struct secret *pass);
void vault_close(struct vault *v);
int vault_seal(const struct vault *v, struct buf *out, const char *label, struct span in);
/** vault_unseal - -HL_EOPEN when the bytes are not ours or the label differs. */
int vault_unseal(const struct vault *v, struct buf *out, const char *label, struct span in);
/** vault_hedge - the desk's 32-byte hedge secret. */
const struct secret *vault_hedge(const struct vault *v);

#endif
