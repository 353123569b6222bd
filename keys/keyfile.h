#ifndef HL_KEYS_KEYFILE_H
#define HL_KEYS_KEYFILE_H

#include "keys/sign.h"

/*
 * Secret keys on disk: one file, mode 0400, sealed by passphrase (Argon2id, crypto_pwhash MODERATE, salt in the
 * file, XChaCha20-Poly1305) unless made with no passphrase, which must be asked for by name.  Text:
 *
 *   hotline/1 <realm> secret <use>          use: root position machine witness log transport vault hedge psk subkeys
 *   name <free>                             whose: "arcadia", "arcadia.technical/watch-1"
 *   public <base64, or ->
 *   kdf none | kdf argon2id <ops> <mem KiB> <salt base64>
 *   box <base64>                            nonce || sealed; with kdf none: the bare secret
 *
 * Everything before "box" is authenticated.  Refused: readable by others (-HL_EMODE), symbolic links, another
 * realm (-HL_EREALM), another use (-HL_EKEY).  Never echoes what it read.  Destroying: overwrite, unlink, sync.
 */
enum key_use { KEY_ROOT, KEY_POSITION, KEY_MACHINE, KEY_WITNESS, KEY_LOG, KEY_TRANSPORT, KEY_VAULT, KEY_HEDGE,
               KEY_PSK, KEY_SUBKEYS };

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
/** keyfile_replace - as create, but atomically replaces (rings of subkeys, ratcheted PSK). */
int keyfile_replace(const char *path, enum realm realm, enum key_use use, const char *name, const uint8_t *pub,
                    const struct secret *secret, const struct secret *pass);
/** keyfile_info - what the file says about itself, without opening it. */
int keyfile_info(const char *path, enum realm realm, struct keyfile_info *info);
/** keyfile_load - 0, -HL_ENOKEY (no such file), -HL_EMODE, -HL_EREALM, -HL_EKEY, -HL_EPASS, -HL_EFORMAT. */
int keyfile_load(const char *path, enum realm realm, enum key_use use, const struct secret *pass, struct secret **out);
/** keyfile_load_sign - as keyfile_load(), an Ed25519 key (use root, position, machine, witness, log). */
int keyfile_load_sign(const char *path, enum realm realm, enum key_use use, const struct secret *pass, struct seckey **out);
/** keyfile_new_sign - make an Ed25519 key and its file; its public key into @pub. */
int keyfile_new_sign(const char *path, enum realm realm, enum key_use use, const char *name, const struct secret *pass, uint8_t pub[static 32]);
int keyfile_destroy(const char *path);
const char *key_use_name(enum key_use use);

#endif
