#include "keys/vault.h"

#include <stdlib.h>

#include <sodium.h>

#include "common/error.h"
#include "keys/secret_bytes.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define LABEL_MAX 1024

_Static_assert(NONCE + TAG == VAULT_OVERHEAD, "the header promises it");

struct vault {
    enum realm realm;
    struct secret *key, *hedge;
};

int vault_new(const char *keyfile, enum realm realm, const char *name, const struct secret *pass)
{
    struct secret *both = secret_random(64);
    int rc = both ? keyfile_create(keyfile, realm, KEY_VAULT, name, NULL, both, pass) : -HL_ENOMEM;

    secret_free(both);
    return rc;
}

/* Guarded copies of the two halves of the file's secret. */
static int split(struct vault *v, const struct secret *both)
{
    struct secret front = { .n = 32, .p = both->p }, back = { .n = 32, .p = both->p + 32 };

    if (both->n != 64)
        return -HL_EFORMAT;
    v->key = secret_copy(&front);
    v->hedge = secret_copy(&back);
    return v->key && v->hedge ? 0 : -HL_ENOMEM;
}

int vault_open(struct vault **out, const char *keyfile, enum realm realm, const struct secret *pass)
{
    struct vault *v = calloc(1, sizeof(*v));
    struct secret *both = NULL;
    int rc = v ? keyfile_load(keyfile, realm, KEY_VAULT, pass, &both) : -HL_ENOMEM;

    *out = NULL;
    if (!rc) {
        v->realm = realm;
        rc = split(v, both);
    }
    if (!rc) {
        *out = v;
        v = NULL;
    }
    secret_free(both);
    vault_close(v);
    return rc;
}

void vault_close(struct vault *v)
{
    if (!v)
        return;
    secret_free(v->key);
    secret_free(v->hedge);
    free(v);
}

static int put_aad(struct buf *aad, const struct vault *v, const char *label)
{
    buf_init(aad, LABEL_MAX);
    label_put(aad, v->realm, "vault");
    return buf_put_str(aad, label);
}

int vault_seal(const struct vault *v, struct buf *out, const char *label, struct span in)
{
    struct buf aad;
    uint8_t *p = NULL;
    int rc = put_aad(&aad, v, label);

    if (!rc) {
        p = buf_reserve(out, in.n + VAULT_OVERHEAD);
        rc = out->bad;
    }
    if (p) {
        randombytes_buf(p, NONCE);
        crypto_aead_xchacha20poly1305_ietf_encrypt(p + NONCE, NULL, in.p, in.n, aad.p, aad.n, NULL,
                                                   p, v->key->p);
        buf_commit(out, in.n + VAULT_OVERHEAD);
    }
    buf_release(&aad);
    return rc;
}

int vault_unseal(const struct vault *v, struct buf *out, const char *label, struct span in)
{
    struct buf aad;
    uint8_t *p = NULL;
    int rc = in.n < VAULT_OVERHEAD ? -HL_EOPEN : 0;

    if (rc)
        return rc;
    rc = put_aad(&aad, v, label);
    if (!rc) {
        p = buf_reserve(out, in.n - VAULT_OVERHEAD);
        rc = out->bad;
    }
    if (p && crypto_aead_xchacha20poly1305_ietf_decrypt(p, NULL, NULL, in.p + NONCE, in.n - NONCE,
                                                        aad.p, aad.n, in.p, v->key->p))
        rc = -HL_EOPEN;
    if (!rc)
        buf_commit(out, in.n - VAULT_OVERHEAD);
    buf_release(&aad);
    return rc;
}

const struct secret *vault_hedge(const struct vault *v)
{
    return v->hedge;
}
