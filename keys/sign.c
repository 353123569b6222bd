#include "keys/sign.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "common/tlog/checkpoint.h"
#include "keys/keyfile.h"
#include "keys/secret_bytes.h"

#define DOCUMENT_BEGIN "hotline/1 "

struct seckey {
    uint8_t pk[32];
    uint8_t *sk; /* 64 bytes: seed and public half, guarded, read-only */
};

/* @seed stays the caller's. */
static int from_seed(struct seckey **out, const uint8_t seed[static 32])
{
    struct seckey *key = malloc(sizeof(*key));

    *out = NULL;
    if (!key)
        return -HL_ENOMEM;
    key->sk = sodium_malloc(crypto_sign_SECRETKEYBYTES);
    if (!key->sk) {
        free(key);
        return -HL_ENOMEM;
    }
    crypto_sign_seed_keypair(key->pk, key->sk, seed);
    sodium_mprotect_readonly(key->sk);
    *out = key;
    return 0;
}

int seckey_new(struct seckey **out)
{
    struct secret *seed = secret_random(crypto_sign_SEEDBYTES);
    int rc = seed ? from_seed(out, seed->p) : -HL_ENOMEM;

    if (!seed)
        *out = NULL;
    secret_free(seed);
    return rc;
}

int seckey_from_seed(struct seckey **out, uint8_t seed[static 32])
{
    int rc = from_seed(out, seed);

    sodium_memzero(seed, 32);
    return rc;
}

void seckey_free(struct seckey *key)
{
    if (!key)
        return;
    sodium_free(key->sk); /* wipes */
    free(key);
}

const uint8_t *seckey_public(const struct seckey *key)
{
    return key->pk;
}

void seckey_sign(const struct seckey *key, struct span message, uint8_t sig[static 64])
{
    crypto_sign_detached(sig, NULL, message.p, message.n, key->sk);
}

int keyfile_load_sign(const char *path, enum realm realm, enum key_use use,
                      const struct secret *pass, struct seckey **out)
{
    struct secret *seed;
    int rc;

    assert(use <= KEY_LOG);
    *out = NULL;
    rc = keyfile_load(path, realm, use, pass, &seed);
    if (!rc)
        rc = from_seed(out, seed->p); /* the file's public half was compared */
    secret_free(seed);
    return rc;
}

int keyfile_new_sign(const char *path, enum realm realm, enum key_use use, const char *name,
                     const struct secret *pass, uint8_t pub[static 32])
{
    struct secret *seed = secret_random(crypto_sign_SEEDBYTES);
    struct seckey *key = NULL;
    int rc = seed ? from_seed(&key, seed->p) : -HL_ENOMEM;

    assert(use <= KEY_LOG);
    if (!rc)
        rc = keyfile_create(path, realm, use, name, key->pk, seed, pass);
    if (!rc)
        memcpy(pub, key->pk, 32);
    seckey_free(key);
    secret_free(seed);
    return rc;
}

/* Lines stand in ascending order of key id; two of one id cannot be ordered, nor told apart. */
static int check_order(const struct note *note, const struct note_key *mine)
{
    for (size_t i = 0; i < note->n; i++) {
        if (i && memcmp(note->sig[i - 1].keyid, note->sig[i].keyid, 4) >= 0)
            return -HL_EFORMAT;
        if (memcmp(note->sig[i].keyid, mine->keyid, 4) == 0)
            return span_eq_str(note->sig[i].name, mine->name) ? -HL_EEXIST : -HL_EDUPLICATE;
    }
    return 0;
}

/* The line of note->sig[i], with its LF. */
static struct span sig_line(const struct note *note, size_t i)
{
    const uint8_t *p = i ? note->sig[i - 1].base64.p + note->sig[i - 1].base64.n + 1 : note->sigs.p;

    return SPAN(p, (size_t)(note->sig[i].base64.p + note->sig[i].base64.n + 1 - p));
}

static int put_note(struct buf *out, const struct note *note, const struct note_key *key,
                    const uint8_t *sig)
{
    size_t i = 0;

    buf_put_span(out, note->text);
    buf_put_str(out, "\n");
    for (; i < note->n && memcmp(note->sig[i].keyid, key->keyid, 4) < 0; i++)
        buf_put_span(out, sig_line(note, i));
    note_put_sig(out, key, sig, 64);
    for (; i < note->n; i++)
        buf_put_span(out, sig_line(note, i));
    return out->bad;
}

int sign_document(struct buf *out, struct span in, struct span name, const struct seckey *key)
{
    struct note note = { 0 };
    struct note_key mine;
    uint8_t sig[64];
    int rc = note_key_init(&mine, name, NOTE_ED25519, key->pk);

    if (rc)
        return rc;
    if (note_parse(&note, in))
        note = (struct note){ .text = in };
    if (note.text.n <= strlen(DOCUMENT_BEGIN) || note.text.p[note.text.n - 1] != '\n' ||
        memcmp(note.text.p, DOCUMENT_BEGIN, strlen(DOCUMENT_BEGIN)) != 0)
        return -HL_EFORMAT; /* a document key signs documents, never a checkpoint */
    if (note.n == NOTE_MAX_SIGS)
        return -HL_ETOOBIG;
    rc = check_order(&note, &mine);
    if (rc)
        return rc;
    seckey_sign(key, note.text, sig);
    return put_note(out, &note, &mine, sig);
}

static int check_checkpoint(struct span text, struct checkpoint *cp)
{
    return checkpoint_parse(cp, text) ? -HL_EFORMAT : 0;
}

int sign_checkpoint(struct buf *out, struct span text, struct span origin, const struct seckey *key)
{
    struct note note = { .text = text };
    struct checkpoint cp;
    struct note_key mine;
    uint8_t sig[64];
    int rc = note_key_init(&mine, origin, NOTE_ED25519, key->pk);

    if (!rc)
        rc = check_checkpoint(text, &cp);
    if (!rc && !span_eq(cp.origin, origin))
        rc = -HL_EKEY;
    if (rc)
        return rc;
    seckey_sign(key, text, sig);
    return put_note(out, &note, &mine, sig);
}

int sign_cosignature(struct buf *out, struct span text, struct span name, uint64_t time_s,
                     const struct seckey *key)
{
    struct checkpoint cp;
    struct note_key mine;
    uint8_t sig[72];
    struct buf message;
    int rc = note_key_init(&mine, name, NOTE_COSIGNATURE, key->pk);

    if (!rc)
        rc = check_checkpoint(text, &cp);
    if (!rc && (time_s == 0 || time_s >> 63))
        rc = -HL_EFORMAT;
    if (rc)
        return rc;
    buf_init(&message, CHECKPOINT_MAX);
    rc = note_cosign_message(&message, time_s, text);
    if (!rc) {
        put_u64(sig, time_s);
        seckey_sign(key, buf_span(&message), sig + 8);
        rc = note_put_sig(out, &mine, sig, sizeof(sig));
    }
    buf_release(&message);
    return rc;
}
