#include "common/content.h"

#include <sodium.h>
#include <string.h>

#include "common/cbor.h"
#include "common/document.h"
#include "common/error.h"
#include "common/text.h"

/*
 * The fields as a whole: their names, their commitments, their padding.  What stands in a form
 * field or an attachment is form.c's.
 */
enum { SUBJECT, LANGUAGE, FORM, PHRASEBOOK, THREAD, NAMES };
#define SUBJECT_MAX 500
#define FORM_MAX 31

/* One tag; none where no text is in a language. */
static bool language_ok(struct span s)
{
    return s.n == 0 || document_languages(s, false);
}

static bool digest_or_empty(struct span s)
{
    return s.n == 0 || s.n == 32;
}

static int fixed_check(const struct content *c)
{
    if (c->subject.n > SUBJECT_MAX)
        return -HL_ETOOBIG;
    if (text_utf8(c->subject, false) || !language_ok(c->language) || c->form.n > FORM_MAX ||
        !text_ascii(c->form) || !digest_or_empty(c->phrasebook) || !digest_or_empty(c->thread))
        return -HL_EFORMAT;
    return 0;
}

/* The number of a form field's name "1".."99", or 0. */
static unsigned form_number(struct span name)
{
    uint64_t v;

    return text_decimal(&v, name) == 0 && v >= 1 && v <= CONTENT_NUMBER_MAX ? (unsigned)v : 0;
}

static int form_field_check(unsigned number, struct span field)
{
    struct form_field f;
    int rc = form_field_decode(&f, field);

    return rc ? rc : f.number == number ? 0 : -HL_EFORMAT;
}

static int text_check(struct span field)
{
    return text_utf8(field, true);
}

static int attachment_check(struct span field)
{
    struct attachment a;

    return attachment_decode(&a, field);
}

static int index_check(struct span field)
{
    uint64_t v;

    return text_decimal(&v, field) == 0 && v > 0 ? 0 : -HL_EFORMAT;
}

static const struct {
    const char *name;
    int (*check)(struct span field);
} others[] = {
    { "text", text_check },
    { "attachment", attachment_check },
    { "category", index_check },
    { "marking", index_check },
};

/* Every named field once, form fields ascending, each in its own form. */
static int named_check(const struct content *c)
{
    bool had[COUNT(others)] = { false };
    unsigned last = 0;
    int rc = 0;

    for (size_t i = CONTENT_FIXED; i < c->n && !rc; i++) {
        unsigned number = form_number(c->name[i]);
        size_t k = 0;

        if (number) {
            rc = number > last ? form_field_check(number, c->field[i]) : -HL_EFORMAT;
            last = number;
            continue;
        }
        while (k < COUNT(others) && !span_eq_str(c->name[i], others[k].name))
            k++;
        if (k == COUNT(others) || had[k])
            return -HL_EFORMAT;
        had[k] = true;
        rc = others[k].check(c->field[i]);
    }
    return rc;
}

static int content_check(const struct content *c)
{
    int rc = fixed_check(c);

    return rc ? rc : named_check(c);
}

/* Field 5: N(name) of each further field, nothing else. */
static int get_names(struct content *c)
{
    struct span rest = c->field[NAMES];

    for (size_t i = CONTENT_FIXED; i < c->n; i++) {
        if (rest.n < 1 || rest.p[0] > rest.n - 1)
            return -HL_EFORMAT;
        c->name[i] = SPAN(rest.p + 1, rest.p[0]);
        rest = SPAN(rest.p + 1 + rest.p[0], rest.n - 1 - rest.p[0]);
    }
    return rest.n == 0 ? 0 : -HL_EFORMAT;
}

static int content_read(struct content *c, struct span bytes)
{
    struct cbor_in in;

    if (bytes.n > CONTENT_MAX)
        return -HL_ETOOBIG;
    cbor_open(&in, bytes);
    c->n = cbor_array(&in, CONTENT_FIXED, CONTENT_FIELDS_MAX);
    for (size_t i = 0; i < c->n; i++)
        c->field[i] = cbor_bytes(&in);
    cbor_array_end(&in);
    if (cbor_done(&in))
        return in.bad;
    c->subject = c->field[SUBJECT];
    c->language = c->field[LANGUAGE];
    c->form = c->field[FORM];
    c->phrasebook = c->field[PHRASEBOOK];
    c->thread = c->field[THREAD];
    return get_names(c);
}

int content_decode(struct content *c, struct span in)
{
    int rc = content_read(c, in);

    if (!rc)
        rc = content_check(c);
    if (rc)
        memset(c, 0, sizeof(*c));
    return rc;
}

static void put_names(struct buf *out, const struct content *c)
{
    size_t n = 0;

    for (size_t i = CONTENT_FIXED; i < c->n; i++)
        n += 1 + c->name[i].n;
    cbor_put_bytes_head(out, n);
    for (size_t i = CONTENT_FIXED; i < c->n; i++)
        name_put(out, c->name[i]);
}

int content_put(struct buf *out, const struct content *c)
{
    size_t start = out->n;
    int rc = c->n < CONTENT_FIXED || c->n > CONTENT_FIELDS_MAX ? -HL_ETOOBIG : content_check(c);

    if (rc)
        return rc;
    cbor_put_array(out, c->n);
    cbor_put_bytes(out, c->subject);
    cbor_put_bytes(out, c->language);
    cbor_put_bytes(out, c->form);
    cbor_put_bytes(out, c->phrasebook);
    cbor_put_bytes(out, c->thread);
    put_names(out, c);
    for (size_t i = CONTENT_FIXED; i < c->n; i++)
        cbor_put_bytes(out, c->field[i]);
    if (!out->bad && out->n - start > CONTENT_MAX)
        return -HL_ETOOBIG;
    return out->bad;
}

struct span content_field(const struct content *c, const char *name)
{
    for (size_t i = CONTENT_FIXED; i < c->n; i++)
        if (span_eq_str(c->name[i], name))
            return c->field[i];
    return SPAN_NONE;
}

int content_fits(const struct content *c, const struct header *h, const struct stamp *s)
{
    if (s->precedence == PRECEDENCE_FLASH && content_field(c, "attachment").p)
        return -HL_EFLASH;
    if ((h->category && content_field(c, "category").p) ||
        (h->marking && content_field(c, "marking").p))
        return -HL_EFORMAT;
    return 0;
}

void content_field_salt(uint8_t out[static 32], enum realm realm, const uint8_t salt[static 32],
                        uint16_t i)
{
    crypto_auth_hmacsha256_state st;
    uint8_t label[LABEL_SIZE], be[2];
    size_t n = label_write(label, realm, "field salt");

    put_u16(be, i);
    crypto_auth_hmacsha256_init(&st, salt, 32);
    crypto_auth_hmacsha256_update(&st, label, n);
    crypto_auth_hmacsha256_update(&st, be, sizeof(be));
    crypto_auth_hmacsha256_final(&st, out);
}

void content_field_commit(uint8_t out[static 32], enum realm realm, uint16_t i,
                          const uint8_t salt_i[static 32], struct span field)
{
    crypto_hash_sha256_state st;
    uint8_t label[LABEL_SIZE], be[4];
    size_t n = label_write(label, realm, "field");

    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, label, n);
    put_u16(be, i);
    crypto_hash_sha256_update(&st, be, 2);
    crypto_hash_sha256_update(&st, salt_i, 32);
    put_u32(be, (uint32_t)field.n);
    crypto_hash_sha256_update(&st, be, 4);
    crypto_hash_sha256_update(&st, field.p, field.n);
    crypto_hash_sha256_final(&st, out);
}

void content_commit_of(uint8_t out[static 32], enum realm realm, const uint8_t (*c)[32], size_t n)
{
    crypto_hash_sha256_state st;
    uint8_t label[LABEL_SIZE], be[2];
    size_t len = label_write(label, realm, "content");

    put_u16(be, (uint16_t)n);
    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, label, len);
    crypto_hash_sha256_update(&st, be, sizeof(be));
    for (size_t i = 0; i < n; i++)
        crypto_hash_sha256_update(&st, c[i], 32);
    crypto_hash_sha256_final(&st, out);
}

void content_commit(uint8_t out[static 32], enum realm realm, const uint8_t salt[static 32],
                    const struct content *c)
{
    uint8_t ci[CONTENT_FIELDS_MAX][32], salt_i[32];

    for (size_t i = 0; i < c->n; i++) {
        content_field_salt(salt_i, realm, salt, (uint16_t)i);
        content_field_commit(ci[i], realm, (uint16_t)i, salt_i, c->field[i]);
    }
    content_commit_of(out, realm, (const uint8_t(*)[32])ci, c->n);
}

size_t content_bucket(size_t len)
{
    size_t bucket = ENVELOPE_BUCKET_MIN;

    if (len > CONTENT_MAX)
        return 0;
    while (bucket < len + CONTENT_PLAIN_OVERHEAD)
        bucket *= 2;
    return bucket;
}

int content_pad(struct buf *out, const uint8_t salt[static 32], struct span content)
{
    size_t bucket = content_bucket(content.n), pad;
    uint8_t *p;

    if (!bucket)
        return -HL_ETOOBIG;
    buf_put(out, salt, 32);
    buf_put_u32(out, (uint32_t)content.n);
    buf_put_span(out, content);
    pad = bucket - CONTENT_PLAIN_OVERHEAD - content.n;
    p = buf_reserve(out, pad);
    if (p) {
        memset(p, 0, pad);
        buf_commit(out, pad);
    }
    return out->bad;
}

int content_unpad(struct span plain, const uint8_t **salt, struct span *content)
{
    uint8_t dirt = 0;
    uint32_t len;

    if (plain.n < ENVELOPE_BUCKET_MIN || plain.n > ENVELOPE_BUCKET_MAX)
        return -HL_EFORMAT;
    len = get_u32(plain.p + 32);
    if (content_bucket(len) != plain.n)
        return -HL_EFORMAT;
    for (size_t i = CONTENT_PLAIN_OVERHEAD + len; i < plain.n; i++)
        dirt |= plain.p[i];
    if (dirt)
        return -HL_EFORMAT;
    *salt = plain.p;
    *content = SPAN(plain.p + CONTENT_PLAIN_OVERHEAD, len);
    return 0;
}
