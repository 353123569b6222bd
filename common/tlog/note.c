/*
 *   <text, ends in LF>
 *   <LF>                                     the last empty line of the note
 *   — <key name> <base64(keyid[4] || sig)>LF    one or more; the dash is e2 80 94
 *
 * A type-1 signature is over the text; a cosignature (type 4) is over "cosignature/v1\ntime N\n"
 * and the text.  Lines by unknown (name, key id) are ignored; a line by a known one that fails
 * spoils the note.
 */
#include "common/tlog/note.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"

#define DASH "\xe2\x80\x94 "
#define SIG_ED25519 crypto_sign_BYTES
#define SIG_COSIGNATURE (8 + crypto_sign_BYTES)

/* One code point of strict UTF-8 off *s; -1 when it is not. */
static int32_t utf8_next(struct span *s)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t b = s->p[0];
    size_t n = b < 0x80 ? 1 : b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;
    uint32_t c = n == 1 ? b : b & (0xffU >> (n + 1));

    if ((b & 0xc0) == 0x80 || b > 0xf4 || n > s->n)
        return -1;
    for (size_t i = 1; i < n; i++) {
        if ((s->p[i] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | (s->p[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return -1;
    *s = SPAN(s->p + n, s->n - n);
    return (int32_t)c;
}

/* Unicode White_Space, as unicode.IsSpace of the implementations that we must agree with. */
static bool is_space(int32_t c)
{
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

bool note_name(struct span s)
{
    if (s.n == 0 || s.n > NOTE_MAX_NAME)
        return false;
    while (s.n) {
        int32_t c = utf8_next(&s);

        if (c < 0x20 || c == '+' || is_space(c))
            return false;
    }
    return true;
}

/* Valid UTF-8, and no control below 0x20 but LF. */
static bool is_note_text(struct span s)
{
    while (s.n) {
        int32_t c = utf8_next(&s);

        if (c < 0x20 && c != '\n')
            return false;
    }
    return true;
}

int note_base64(uint8_t *head, size_t max, size_t *n, struct span in)
{
    uint8_t raw[768];

    *n = 0;
    while (in.n) {
        size_t part = in.n < 1024 ? in.n : 1024, got;

        if (text_unbase64(raw, sizeof(raw), &got, SPAN(in.p, part)))
            return -HL_EFORMAT;
        if (part < in.n && got != sizeof(raw))
            return -HL_EFORMAT; /* padding in the middle */
        for (size_t i = 0; i < got && *n + i < max; i++)
            head[*n + i] = raw[i];
        *n += got;
        in = SPAN(in.p + part, in.n - part);
    }
    return 0;
}

static int sig_parse(struct note_sig *sig, struct span line)
{
    uint8_t raw[4 + sizeof(sig->sig)];
    struct span name, base64;
    const uint8_t *blank;
    size_t n;

    if (line.n < 4 || memcmp(line.p, DASH, 4) != 0)
        return -HL_EFORMAT;
    line = SPAN(line.p + 4, line.n - 4);
    blank = line.n ? memchr(line.p, ' ', line.n) : NULL;
    if (!blank)
        return -HL_EFORMAT;
    name = SPAN(line.p, blank - line.p);
    base64 = SPAN(blank + 1, line.n - name.n - 1);
    if (!note_name(name) || note_base64(raw, sizeof(raw), &n, base64) || n < 5)
        return -HL_EFORMAT;
    *sig = (struct note_sig){ .name = name, .base64 = base64 };
    memcpy(sig->keyid, raw, 4);
    if (n - 4 == SIG_ED25519 || n - 4 == SIG_COSIGNATURE) {
        sig->siglen = n - 4;
        memcpy(sig->sig, raw + 4, sig->siglen);
    }
    return 0;
}

static int sigs_parse(struct note *note)
{
    struct span rest = note->sigs, line;

    while (text_line(&rest, &line)) {
        if (note->n == NOTE_MAX_SIGS)
            return -HL_ETOOBIG;
        if (sig_parse(&note->sig[note->n++], line))
            return -HL_EFORMAT;
    }
    return rest.n || note->n == 0 ? -HL_EFORMAT : 0;
}

int note_parse(struct note *note, struct span in)
{
    size_t split = in.n;
    int rc = -HL_EFORMAT;

    *note = (struct note){ 0 };
    if (in.n > NOTE_MAX)
        return -HL_ETOOBIG;
    if (!is_note_text(in))
        return -HL_EFORMAT;
    while (split >= 2 && !(in.p[split - 1] == '\n' && in.p[split - 2] == '\n'))
        split--;
    if (split >= 2) {
        note->text = SPAN(in.p, split - 1);
        note->sigs = SPAN(in.p + split, in.n - split);
        rc = sigs_parse(note);
    }
    if (rc)
        *note = (struct note){ 0 };
    return rc;
}

static void keyid(uint8_t id[static 4], struct span name, struct span typed_key)
{
    crypto_hash_sha256_state st;
    uint8_t hash[32];

    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, name.p, name.n);
    crypto_hash_sha256_update(&st, (const uint8_t *)"\n", 1);
    crypto_hash_sha256_update(&st, typed_key.p, typed_key.n);
    crypto_hash_sha256_final(&st, hash);
    memcpy(id, hash, 4);
}

void note_keyid(uint8_t id[static 4], struct span name, uint8_t type, const uint8_t key[static 32])
{
    uint8_t typed[33] = { type };

    memcpy(typed + 1, key, 32);
    keyid(id, name, SPAN(typed, sizeof(typed)));
}

int note_key_init(struct note_key *key, struct span name, uint8_t type, const uint8_t pk[static 32])
{
    *key = (struct note_key){ 0 };
    if (!note_name(name) || (type != NOTE_ED25519 && type != NOTE_COSIGNATURE))
        return -HL_EFORMAT;
    if (!crypto_core_ed25519_is_valid_point(pk))
        return -HL_EBADKEY;
    memcpy(key->name, name.p, name.n);
    memcpy(key->key, pk, 32);
    key->type = type;
    note_keyid(key->keyid, name, type, pk);
    return 0;
}

/* A type that we cannot verify; its key may be long, and its key id by a rule of its own. */
static int key_other(struct note_key *key, struct span name, uint8_t type, struct span base64)
{
    uint8_t typed[4096];
    size_t n;

    if (note_base64(typed, sizeof(typed), &n, base64) || n < 2 || n > sizeof(typed))
        return -HL_EFORMAT;
    memcpy(key->name, name.p, name.n);
    key->type = type;
    crypto_hash_sha256(key->key, typed + 1, n - 1);
    return 0;
}

int note_key_parse(struct note_key *key, struct span vkey)
{
    const uint8_t *plus = vkey.n ? memchr(vkey.p, '+', vkey.n) : NULL;
    size_t left = plus ? (size_t)(vkey.p + vkey.n - plus) : 0, n;
    struct span name, base64;
    uint8_t id[4], raw[33];
    int rc;

    *key = (struct note_key){ 0 };
    if (left < 10 || plus[9] != '+' || text_unhex(id, 4, SPAN(plus + 1, 8)))
        return -HL_EFORMAT;
    name = SPAN(vkey.p, plus - vkey.p);
    base64 = SPAN(plus + 10, left - 10);
    if (!note_name(name) || note_base64(raw, sizeof(raw), &n, base64) || n < 2)
        return -HL_EFORMAT;
    if (raw[0] != NOTE_ED25519 && raw[0] != NOTE_COSIGNATURE)
        rc = key_other(key, name, raw[0], base64);
    else if (n != sizeof(raw))
        rc = -HL_EFORMAT;
    else
        rc = note_key_init(key, name, raw[0], raw + 1);
    if (!rc && (raw[0] == NOTE_ED25519 || raw[0] == NOTE_COSIGNATURE) &&
        memcmp(id, key->keyid, 4) != 0)
        rc = -HL_EFORMAT;
    memcpy(key->keyid, id, 4);
    if (rc)
        *key = (struct note_key){ 0 };
    return rc;
}

int note_key_print(struct buf *out, const struct note_key *key)
{
    uint8_t typed[33] = { key->type };
    char hex[9];

    if (key->type != NOTE_ED25519 && key->type != NOTE_COSIGNATURE)
        return -HL_EUSAGE;
    memcpy(typed + 1, key->key, 32);
    text_hex(hex, key->keyid, 4);
    buf_printf(out, "%s+%s+", key->name, hex);
    return text_base64(out, SPAN(typed, sizeof(typed)));
}

static int verify_cosignature(const struct note_sig *sig, struct span text,
                              const uint8_t pk[static 32], uint64_t *time)
{
    struct buf message;
    int rc = -HL_ESIG;

    *time = get_u64(sig->sig);
    if (*time == 0 || *time > INT64_MAX)
        return -HL_ESIG;
    buf_init(&message, NOTE_MAX + 64);
    if (note_cosign_message(&message, *time, text))
        rc = message.bad;
    else if (crypto_sign_verify_detached(sig->sig + 8, message.p, message.n, pk) == 0)
        rc = 0;
    buf_release(&message);
    return rc;
}

static int verify_line(const struct note *note, const struct note_sig *sig,
                       const struct note_key *key, uint64_t *time)
{
    *time = 0;
    if (key->type == NOTE_COSIGNATURE)
        return sig->siglen == SIG_COSIGNATURE ? verify_cosignature(sig, note->text, key->key, time)
                                              : -HL_ESIG;
    if (sig->siglen != SIG_ED25519 ||
        crypto_sign_verify_detached(sig->sig, note->text.p, note->text.n, key->key) != 0)
        return -HL_ESIG;
    return 0;
}

int note_verify_key(const struct note *note, const struct note_key *key, uint64_t *time)
{
    uint64_t newest = 0;
    int found = 0;

    if (key->type != NOTE_ED25519 && key->type != NOTE_COSIGNATURE)
        return 0;
    for (size_t i = 0; i < note->n; i++) {
        const struct note_sig *sig = &note->sig[i];
        uint64_t t;
        int rc;

        if (memcmp(sig->keyid, key->keyid, 4) != 0 || !span_eq_str(sig->name, key->name))
            continue;
        rc = verify_line(note, sig, key, &t);
        if (rc)
            return rc;
        found = 1;
        newest = t > newest ? t : newest;
    }
    if (time)
        *time = newest;
    return found;
}

int note_put_sig(struct buf *out, const struct note_key *key, const uint8_t *sig, size_t siglen)
{
    uint8_t raw[4 + SIG_COSIGNATURE];

    assert(siglen == (key->type == NOTE_COSIGNATURE ? SIG_COSIGNATURE : SIG_ED25519));
    memcpy(raw, key->keyid, 4);
    memcpy(raw + 4, sig, siglen);
    buf_printf(out, DASH "%s ", key->name);
    text_base64(out, SPAN(raw, 4 + siglen));
    return buf_put_u8(out, '\n');
}

int note_cosign_message(struct buf *out, uint64_t time_s, struct span text)
{
    buf_printf(out, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
    return buf_put_span(out, text);
}
