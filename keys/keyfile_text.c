#include "keys/keyfile_text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"
#include "keys/secret_bytes.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SALT crypto_pwhash_SALTBYTES
#define CHECK 32
#define OPS_MAX 16
#define MEM_KIB_MIN 8
#define MEM_KIB_MAX 1048576

enum half { HALF_NONE, HALF_ED25519, HALF_X25519 };

static const struct {
    const char *name;
    enum half half;
} uses[] = {
    [KEY_ROOT] = { "root", HALF_ED25519 },       [KEY_POSITION] = { "position", HALF_ED25519 },
    [KEY_MACHINE] = { "machine", HALF_ED25519 }, [KEY_WITNESS] = { "witness", HALF_ED25519 },
    [KEY_LOG] = { "log", HALF_ED25519 },         [KEY_TRANSPORT] = { "transport", HALF_X25519 },
    [KEY_VAULT] = { "vault", HALF_NONE },        [KEY_PSK] = { "psk", HALF_NONE },
    [KEY_SUBKEYS] = { "subkeys", HALF_NONE },
};

struct kdf {
    uint64_t ops, mem_kib; /* ops 0: no passphrase */
    uint8_t salt[SALT];
};

struct keytext {
    struct keyfile_info info;
    struct kdf kdf;
    struct span head; /* all before "box" */
    struct span box;  /* base64 */
};

static struct kdf cost = { .ops = crypto_pwhash_OPSLIMIT_MODERATE,
                           .mem_kib = crypto_pwhash_MEMLIMIT_MODERATE / 1024 };

void keyfile_set_cost(unsigned ops, unsigned mem_kib)
{
    assert(ops >= 1 && ops <= OPS_MAX && mem_kib >= MEM_KIB_MIN && mem_kib <= MEM_KIB_MAX);
    cost = (struct kdf){ .ops = ops, .mem_kib = mem_kib };
}

bool keyfile_recognised(struct span text)
{
    static const char *const begin[] = {
        "hotline/1 live secret ",
        "hotline/1 exercise secret ",
        "PRIVATE+KEY+",
        "-----BEGIN PRIVATE KEY",
        "-----BEGIN OPENSSH PRIVATE KEY",
        "-----BEGIN ENCRYPTED PRIVATE KEY",
        "-----BEGIN PGP PRIVATE KEY",
        "untrusted comment: minisign encrypted secret key",
        "untrusted comment: signify secret key",
        "AGE-SECRET-KEY-",
    };

    for (size_t i = 0; i < COUNT(begin); i++)
        if (text.n >= strlen(begin[i]) && memcmp(text.p, begin[i], strlen(begin[i])) == 0)
            return true;
    return false;
}

/* The rest of the next line, which must begin with @word. */
static int line_after(struct span *rest, const char *word, struct span *value)
{
    size_t n = strlen(word);

    if (!text_line(rest, value) || value->n <= n || memcmp(value->p, word, n) != 0)
        return -HL_EFORMAT;
    *value = SPAN(value->p + n, value->n - n);
    return 0;
}

static int parse_first(struct keytext *k, enum realm realm, struct span line)
{
    struct span field, word, use;
    enum realm its;

    if (!text_field(&line, &field) || realm_parse(&its, field) || !text_field(&line, &word) ||
        !span_eq_str(word, "secret") || !text_field(&line, &use) || line.n)
        return -HL_EFORMAT;
    if (its != realm)
        return -HL_EREALM;
    for (size_t i = 0; i < COUNT(uses); i++)
        if (span_eq_str(use, uses[i].name)) {
            k->info.use = (enum key_use)i;
            return 0;
        }
    return -HL_EFORMAT;
}

static int parse_public(struct keyfile_info *info, struct span value)
{
    enum half half = uses[info->use].half;

    info->has_public = half != HALF_NONE;
    if (half == HALF_NONE)
        return span_eq_str(value, "-") ? 0 : -HL_EFORMAT;
    if (text_unbase64_n(info->public, 32, value))
        return -HL_EFORMAT;
    return half == HALF_ED25519 && !crypto_core_ed25519_is_valid_point(info->public) ? -HL_EBADKEY
                                                                                     : 0;
}

static int parse_kdf(struct keytext *k, struct span value)
{
    struct span word, ops, mem, salt;

    if (span_eq_str(value, "none"))
        return 0;
    if (!text_field(&value, &word) || !span_eq_str(word, "argon2id") || !text_field(&value, &ops) ||
        !text_field(&value, &mem) || !text_field(&value, &salt) || value.n ||
        text_decimal(&k->kdf.ops, ops) || text_decimal(&k->kdf.mem_kib, mem) ||
        text_unbase64_n(k->kdf.salt, SALT, salt))
        return -HL_EFORMAT;
    k->info.sealed = true;
    return k->kdf.ops < 1 || k->kdf.ops > OPS_MAX || k->kdf.mem_kib < MEM_KIB_MIN ||
                   k->kdf.mem_kib > MEM_KIB_MAX
               ? -HL_EFORMAT
               : 0;
}

static int parse_name(struct keyfile_info *info, struct span value)
{
    if (value.n >= sizeof(info->name) || text_utf8(value, false))
        return -HL_EFORMAT;
    memcpy(info->name, value.p, value.n);
    info->name[value.n] = 0;
    return 0;
}

static int parse(struct keytext *k, enum realm realm, struct span text)
{
    struct span rest = text, value;
    int rc;

    *k = (struct keytext){ 0 };
    if (text.n > KEYFILE_TEXT_MAX)
        return -HL_EFORMAT;
    rc = line_after(&rest, "hotline/1 ", &value);
    if (!rc)
        rc = parse_first(k, realm, value);
    if (!rc)
        rc = line_after(&rest, "name ", &value);
    if (!rc)
        rc = parse_name(&k->info, value);
    if (!rc)
        rc = line_after(&rest, "public ", &value);
    if (!rc)
        rc = parse_public(&k->info, value);
    if (!rc)
        rc = line_after(&rest, "kdf ", &value);
    if (!rc)
        rc = parse_kdf(k, value);
    k->head = SPAN(text.p, text.n - rest.n);
    if (!rc)
        rc = line_after(&rest, "box ", &k->box);
    return !rc && rest.n ? -HL_EFORMAT : rc;
}

int keyfile_text_info(struct span text, enum realm realm, struct keyfile_info *info)
{
    struct keytext k;
    int rc = parse(&k, realm, text);

    *info = k.info;
    return rc;
}

/* The key under which the box is sealed; @kek is guarded. */
static int derive(struct secret *kek, const struct kdf *kdf, const struct secret *pass)
{
    return crypto_pwhash(kek->p, kek->n, (const char *)pass->p, pass->n, kdf->salt, kdf->ops,
                         kdf->mem_kib * 1024, crypto_pwhash_ALG_ARGON2ID13)
               ? -HL_ENOMEM
               : 0;
}

static void checksum(uint8_t out[static CHECK], enum realm realm, struct span head,
                     struct span secret)
{
    const struct span parts[] = { head, secret };

    hash_label(out, realm, "key file", parts, COUNT(parts));
}

static int open_bare(struct secret *out, enum realm realm, const struct keytext *k,
                     const struct buf *box)
{
    uint8_t want[CHECK];

    checksum(want, realm, k->head, SPAN(box->p, out->n));
    if (sodium_memcmp(want, box->p + out->n, CHECK))
        return -HL_EFORMAT;
    memcpy(out->p, box->p, out->n);
    return 0;
}

static int open_sealed(struct secret *out, const struct keytext *k, const struct buf *box,
                       const struct secret *pass)
{
    struct secret *kek = secret_new(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
    int rc = kek ? derive(kek, &k->kdf, pass) : -HL_ENOMEM;

    if (!rc && crypto_aead_xchacha20poly1305_ietf_decrypt(out->p, NULL, NULL, box->p + NONCE,
                                                          box->n - NONCE, k->head.p, k->head.n,
                                                          box->p, kek->p))
        rc = -HL_EPASS;
    secret_free(kek);
    return rc;
}

/* The file's public half must be that of its secret,
 * or a signature would be made for another key. */
static int check_half(const struct keyfile_info *info, const struct secret *s)
{
    enum half half = uses[info->use].half;
    uint8_t pub[32];
    int bad = 0;

    if (half == HALF_NONE)
        return 0;
    if (s->n != 32)
        return -HL_EFORMAT;
    if (half == HALF_X25519) {
        bad = crypto_scalarmult_base(pub, s->p);
    } else {
        uint8_t *sk = sodium_malloc(crypto_sign_SECRETKEYBYTES);

        if (!sk)
            return -HL_ENOMEM;
        bad = crypto_sign_seed_keypair(pub, sk, s->p);
        sodium_free(sk);
    }
    return bad || sodium_memcmp(pub, info->public, 32) ? -HL_EFORMAT : 0;
}

static int open_box(const struct keytext *k, enum realm realm, const struct secret *pass,
                    struct secret **out)
{
    size_t extra = k->info.sealed ? NONCE + TAG : CHECK;
    struct secret *s = NULL;
    struct buf box;
    int rc = guarded_init(&box, KEYFILE_SECRET_MAX + extra);

    if (rc)
        return rc;
    rc = text_unbase64(box.p, box.max, &box.n, k->box);
    if (rc || box.n <= extra) {
        rc = -HL_EFORMAT;
        goto out;
    }
    rc = -HL_ENOMEM;
    s = secret_new(box.n - extra);
    if (!s)
        goto out;
    rc = pass ? open_sealed(s, k, &box, pass) : open_bare(s, realm, k, &box);
    if (!rc)
        rc = check_half(&k->info, s);
    if (rc)
        goto out;
    secret_lock(s);
    *out = s;
    s = NULL;
out:
    secret_free(s);
    guarded_release(&box);
    return rc;
}

int keyfile_text_open(struct span text, enum realm realm, enum key_use use,
                      const struct secret *pass, struct secret **out)
{
    struct keytext k;
    int rc = parse(&k, realm, text);

    *out = NULL;
    if (rc)
        return rc;
    if (k.info.use != use)
        return -HL_EKEY;
    if (k.info.sealed != (pass != NULL))
        return -HL_EPASS;
    return open_box(&k, realm, pass, out);
}

static void put_head(struct buf *out, enum realm realm, const struct keyfile_info *info,
                     const struct kdf *kdf)
{
    buf_printf(out, "hotline/1 %s secret %s\nname %s\npublic ", realm_name(realm),
               uses[info->use].name, info->name);
    if (info->has_public)
        text_base64(out, SPAN(info->public, 32));
    else
        buf_put_str(out, "-");
    if (!info->sealed) {
        buf_put_str(out, "\nkdf none\n");
        return;
    }
    buf_printf(out, "\nkdf argon2id %llu %llu ", (unsigned long long)kdf->ops,
               (unsigned long long)kdf->mem_kib);
    text_base64(out, SPAN(kdf->salt, SALT));
    buf_put_str(out, "\n");
}

static int put_sealed(struct buf *box, const struct kdf *kdf, struct span head,
                      const struct secret *secret, const struct secret *pass)
{
    struct secret *kek = secret_new(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
    int rc = kek ? derive(kek, kdf, pass) : -HL_ENOMEM;

    if (!rc) {
        randombytes_buf(box->p, NONCE);
        crypto_aead_xchacha20poly1305_ietf_encrypt(box->p + NONCE, NULL, secret->p, secret->n,
                                                   head.p, head.n, NULL, box->p, kek->p);
        box->n = NONCE + secret->n + TAG;
    }
    secret_free(kek);
    return rc;
}

int keyfile_text_put(struct buf *out, enum realm realm, const struct keyfile_info *info,
                     const struct secret *secret, const struct secret *pass)
{
    struct kdf kdf = cost;
    uint8_t check[CHECK];
    struct buf box;
    int rc = guarded_init(&box, KEYFILE_SECRET_MAX + NONCE + TAG);

    assert(secret->n <= KEYFILE_SECRET_MAX && out->n == 0 && info->sealed == (pass != NULL));
    if (rc)
        return rc;
    randombytes_buf(kdf.salt, SALT);
    put_head(out, realm, info, &kdf);
    if (pass) {
        rc = put_sealed(&box, &kdf, buf_span(out), secret, pass);
    } else {
        checksum(check, realm, buf_span(out), secret_span(secret));
        buf_put(&box, secret->p, secret->n);
        buf_put(&box, check, sizeof(check));
    }
    buf_put_str(out, "box ");
    text_base64(out, buf_span(&box));
    buf_put_str(out, "\n");
    guarded_release(&box);
    return rc ? rc : out->bad;
}
