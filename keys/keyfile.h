#ifndef HL_KEYS_KEYFILE_H
#define HL_KEYS_KEYFILE_H

#include "keys/sign.h"

/*
 * Secret keys on disk: one file, mode 0400, sealed by passphrase (Argon2id, crypto_pwhash MODERATE, salt in the
 * file, XChaCha20-Poly1305) unless made with no passphrase, which must be asked for by name.  Text:
 *
 *   hotline/1 <realm> secret <use>          use: root position machine witness log transport vault psk subkeys
 *   name <free>                             whose: "arcadia", "arcadia.technical/watch-1"
 *   public <base64, or ->                   the other half: a key for root to transport, "-" for the others
 *   kdf none | kdf argon2id <ops> <mem KiB> <salt base64>
 *   box <base64>                            nonce[24] || sealed secret
 *
 * Everything before "box" is authenticated.  With "kdf none" the box is secret || H(L("key file") || everything
 * before "box" || secret): that finds damage, not an attacker.  Secrets: seed[32] of Ed25519, scalar[32] of X25519,
 * or what the module of the use says.
 *
 * Refused: readable by others, or in a folder that others may write to and that is not sticky (-HL_EMODE);
 * symbolic links (-HL_ESYS, ELOOP); another realm (-HL_EREALM); another use (-HL_EKEY); a passphrase given for a
 * file that has none (-HL_EPASS: who could swap the file could otherwise bring a key that he knows).
 * Never echoes what it read.
 */
enum key_use { KEY_ROOT, KEY_POSITION, KEY_MACHINE, KEY_WITNESS, KEY_LOG, KEY_TRANSPORT, KEY_VAULT, KEY_PSK, KEY_SUBKEYS };

#define KEYFILE_SECRET_MAX 4096

struct keyfile_info {
    enum key_use use;
    char name[128];
    bool has_public;
    uint8_t public[32];
    bool sealed; /* needs a passphrase */
};

/** keyfile_create - write @secret under @path; @pass NULL = no passphrase. -HL_EEXIST, never overwrites. */
int keyfile_create(const char *path, enum realm realm, enum key_use use, const char *name, const uint8_t *pub,
                   const struct secret *secret, const struct secret *pass);
/**
 * keyfile_replace - as create, but atomically replaces (rings of subkeys, ratcheted PSK); then overwrites what the
 * file held before, as far as the file system writes in place.
 */
int keyfile_replace(const char *path, enum realm realm, enum key_use use, const char *name, const uint8_t *pub,
                    const struct secret *secret, const struct secret *pass);
/** keyfile_info - what the file says about itself, without opening it. */
int keyfile_info(const char *path, enum realm realm, struct keyfile_info *info);
/** keyfile_load - 0, -HL_ENOKEY (no such file), -HL_EMODE, -HL_EREALM, -HL_EKEY, -HL_EPASS, -HL_EFORMAT, -HL_EBADKEY. */
int keyfile_load(const char *path, enum realm realm, enum key_use use, const struct secret *pass, struct secret **out);
/** keyfile_load_sign - as keyfile_load(), an Ed25519 key (use root, position, machine, witness, log). */
int keyfile_load_sign(const char *path, enum realm realm, enum key_use use, const struct secret *pass, struct seckey **out);
/** keyfile_new_sign - make an Ed25519 key and its file; its public key into @pub. */
int keyfile_new_sign(const char *path, enum realm realm, enum key_use use, const char *name, const struct secret *pass, uint8_t pub[static 32]);
/** keyfile_destroy - overwrite, unlink, sync.  Only what begins as a key file: -HL_EFORMAT for any other. */
int keyfile_destroy(const char *path);
/** keyfile_recognised - does @text begin as a secret key of ours or of a common tool?  For those who expect a public document. */
bool keyfile_recognised(struct span text);
/**
 * keyfile_set_cost - Argon2id cost of files that this process makes from now on (1..16, 8..1048576 KiB).  Only tests
 * call it, so that they take milliseconds; a file carries its own cost, reading needs no setting.
 */
void keyfile_set_cost(unsigned ops, unsigned mem_kib);

#endif
