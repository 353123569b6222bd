#include "common/wire.h"

#include <assert.h>
#include <string.h>

#include "common/cbor.h"
#include "common/error.h"
#include "common/text.h"

/*
 * One table says what stands in which frame; decoding and encoding walk the same rows.  What a row
 * cannot say (an inline body, the end of a chunk) says frame_check().
 */
#define TAG_MAX (UINT64_C(1) << 32)
#define SENTENCE_MAX 500
#define STATUS_MAX 599
#define ITEMS_MAX 8

enum form {
    UINT,     /* min..max */
    BYTES,    /* min..max bytes */
    SALT,     /* 32 bytes, or empty where min is 0 */
    REALM,    /* "live" or "exercise" */
    POC,      /* party.office */
    ORIGIN,   /* of a log */
    SENTENCE, /* UTF-8 in one line */
    PATH,     /* array of hashes */
    NUMBERS   /* array of [channel, chain, seq] */
};

struct item {
    enum form form;
    size_t at; /* in struct frame */
    uint64_t min, max;
};

#define AT(member) offsetof(struct frame, member)
#define ANY(member) UINT, AT(member), 0, INT64_MAX
#define TAG UINT, AT(tag), 1, TAG_MAX
#define NOTE(min) BYTES, AT(note), min, WIRE_FRAME_MAX
#define OFFSET UINT, AT(offset), 0, ENVELOPE_MAX
#define FRONT_LEN UINT, AT(front_len), 1, ENVELOPE_FRONT_MAX
#define FRONT BYTES, AT(front), 1, WIRE_CHUNK
#define BODY BYTES, AT(body), 0, WIRE_INLINE
#define BYTES_OF(min, max) BYTES, AT(bytes), min, max
#define SALT_OF(min) SALT, AT(salt), min, 32
#define WHAT UINT, AT(what), FETCH_ENTRIES, FETCH_AUDIT

/* clang-format off */
static const struct layout {
    enum wire_verb verb;
    size_t n; /* items after the verb */
    struct item item[ITEMS_MAX];
} layouts[] = {
    { VERB_HELLO, 5, { { ANY(proto) }, { REALM, AT(realm), 0, 0 }, { POC, AT(poc), 0, 0 },
                       { ANY(since) }, { NOTE(0) } } },
    { VERB_SUBMIT, 4, { { TAG }, { FRONT_LEN }, { FRONT }, { BODY } } },
    { VERB_CHUNK, 3, { { TAG }, { OFFSET }, { BYTES_OF(1, WIRE_CHUNK) } } },
    { VERB_DOCUMENT, 2, { { TAG }, { NOTE(1) } } },
    { VERB_GOT, 2, { { TAG }, { OFFSET } } },
    { VERB_FETCH, 4, { { TAG }, { WHAT }, { ANY(a) }, { ANY(b) } } },
    { VERB_COSIGNED, 3, { { TAG }, { UINT, AT(status), 100, STATUS_MAX }, { NOTE(0) } } },
    { VERB_PING, 1, { { ANY(tag) } } },
    { VERB_PONG, 2, { { ANY(tag) }, { ANY(time_ms) } } },
    { VERB_WELCOME, 7, { { ANY(proto) }, { REALM, AT(realm), 0, 0 }, { ORIGIN, AT(origin), 0, 0 },
                         { NOTE(0) }, { ANY(size) }, { ANY(time_ms) },
                         { NUMBERS, AT(number), 0, WIRE_NUMBERS_MAX } } },
    { VERB_RECORDED, 6, { { TAG }, { ANY(index) }, { ANY(time_ms) }, { SALT_OF(0) }, { ANY(size) },
                          { PATH, AT(path), 0, MERKLE_MAX_PROOF } } },
    { VERB_DELIVER, 8, { { TAG }, { ANY(index) }, { ANY(time_ms) }, { SALT_OF(32) },
                         { UINT, AT(flags), 0, DELIVER_ESCALATED | DELIVER_EVENT },
                         { FRONT_LEN }, { FRONT }, { BODY } } },
    { VERB_CHECKPOINT, 1, { { NOTE(1) } } },
    { VERB_REFUSED, 3, { { UINT, AT(tag), 0, TAG_MAX }, { UINT, AT(code), 1, HL_EMAX },
                         { SENTENCE, AT(sentence), 0, SENTENCE_MAX } } },
    { VERB_FETCHED, 5, { { TAG }, { WHAT }, { ANY(a) }, { ANY(b) },
                         { BYTES_OF(0, WIRE_FRAME_MAX) } } },
    { VERB_ADD_CHECKPOINT, 2, { { TAG }, { NOTE(1) } } },
    { VERB_OPENING, 3, { { ANY(index) }, { SALT_OF(32) }, { BYTES_OF(1, WIRE_FRAME_MAX) } } },
};
/* clang-format on */

static const struct layout *layout_of(uint64_t verb)
{
    for (size_t i = 0; i < COUNT(layouts); i++)
        if ((uint64_t)layouts[i].verb == verb)
            return &layouts[i];
    return NULL;
}

/* A front longer than a chunk comes by its first
 * chunk; then there is no room for an inline body. */
static int front_check(const struct frame *f)
{
    size_t first = f->front_len < WIRE_CHUNK ? f->front_len : WIRE_CHUNK;

    return f->front.n == first && f->front.n + f->body.n <= WIRE_INLINE ? 0 : -HL_EFORMAT;
}

static int frame_check(const struct frame *f)
{
    if (f->verb == VERB_SUBMIT || f->verb == VERB_DELIVER)
        return front_check(f);
    if (f->verb == VERB_CHUNK && f->offset + f->bytes.n > ENVELOPE_MAX)
        return -HL_EFORMAT;
    return 0;
}

static int span_check(const struct item *it, struct span s)
{
    bool ok = true;

    switch (it->form) {
    case BYTES:
        ok = s.n >= it->min;
        break;
    case SALT:
        ok = s.n == 32 || s.n == it->min;
        break;
    case POC:
        ok = name_poc(s);
        break;
    case ORIGIN:
        ok = name_origin(s);
        break;
    case SENTENCE:
        ok = text_utf8(s, false) == 0;
        break;
    case UINT:
    case REALM:
    case PATH:
    case NUMBERS:
        break;
    }
    if (!ok)
        return -HL_EFORMAT;
    return it->max && s.n > it->max ? -HL_ETOOBIG : 0;
}

static void get_numbers(struct cbor_in *in, struct frame *f)
{
    f->n_numbers = cbor_array(in, 0, WIRE_NUMBERS_MAX);
    for (size_t i = 0; i < f->n_numbers && !in->bad; i++) {
        cbor_array(in, 3, 3);
        f->number[i].channel = cbor_bytes_n(in, 32);
        f->number[i].chain = cbor_bytes_n(in, 16);
        f->number[i].seq = cbor_uint(in);
        if (f->number[i].seq == 0)
            cbor_fail(in, -HL_EFORMAT);
        cbor_array_end(in);
    }
    cbor_array_end(in);
}

static void get_path(struct cbor_in *in, struct frame *f)
{
    f->n_path = cbor_array(in, 0, MERKLE_MAX_PROOF);
    for (size_t i = 0; i < f->n_path && !in->bad; i++)
        memcpy(f->path[i], cbor_bytes_n(in, 32), 32);
    cbor_array_end(in);
}

static void get_item(struct cbor_in *in, struct frame *f, const struct item *it)
{
    void *at = (char *)f + it->at;
    struct span s;
    int rc = 0;

    switch (it->form) {
    case UINT:
        *(uint64_t *)at = cbor_uint_max(in, it->max);
        if (*(uint64_t *)at < it->min)
            cbor_fail(in, -HL_EFORMAT);
        return;
    case NUMBERS:
        get_numbers(in, f);
        return;
    case PATH:
        get_path(in, f);
        return;
    case REALM:
        s = cbor_bytes(in);
        rc = realm_parse(at, s);
        break;
    case BYTES:
    case SALT:
    case POC:
    case ORIGIN:
    case SENTENCE:
        s = *(struct span *)at = cbor_bytes(in);
        rc = span_check(it, s);
        break;
    }
    if (rc)
        cbor_fail(in, rc);
}

static int frame_read(struct frame *f, struct span bytes)
{
    const struct layout *l;
    struct cbor_in in;
    uint64_t verb;
    size_t n;

    if (bytes.n > WIRE_FRAME_MAX)
        return -HL_ETOOBIG;
    cbor_open(&in, bytes);
    n = cbor_array(&in, 1, SIZE_MAX);
    verb = cbor_uint(&in);
    l = in.bad ? NULL : layout_of(verb);
    if (!l || n != l->n + 1)
        return -HL_EFORMAT;
    f->verb = l->verb;
    for (size_t i = 0; i < l->n && !in.bad; i++)
        get_item(&in, f, &l->item[i]);
    cbor_array_end(&in);
    return cbor_done(&in) ? in.bad : frame_check(f);
}

/* The arrays at the end are large; only their counts are reset. */
static void frame_reset(struct frame *f)
{
    memset(f, 0, offsetof(struct frame, path));
    f->n_numbers = 0;
}

int frame_decode(struct frame *f, struct span in)
{
    int rc;

    frame_reset(f);
    rc = frame_read(f, in);
    if (rc)
        frame_reset(f);
    return rc;
}

static void put_numbers(struct buf *out, const struct frame *f)
{
    cbor_put_array(out, f->n_numbers);
    for (size_t i = 0; i < f->n_numbers; i++) {
        cbor_put_array(out, 3);
        cbor_put_bytes(out, SPAN(f->number[i].channel, 32));
        cbor_put_bytes(out, SPAN(f->number[i].chain, 16));
        cbor_put_uint(out, f->number[i].seq);
    }
}

static void put_path(struct buf *out, const struct frame *f)
{
    cbor_put_array(out, f->n_path);
    for (size_t i = 0; i < f->n_path; i++)
        cbor_put_bytes(out, SPAN(f->path[i], 32));
}

static void put_item(struct buf *out, const struct frame *f, const struct item *it)
{
    const void *at = (const char *)f + it->at;

    switch (it->form) {
    case UINT:
        cbor_put_uint(out, *(const uint64_t *)at);
        break;
    case NUMBERS:
        put_numbers(out, f);
        break;
    case PATH:
        put_path(out, f);
        break;
    case REALM:
        cbor_put_bytes(out, span_str(realm_name(f->realm)));
        break;
    case BYTES:
    case SALT:
    case POC:
    case ORIGIN:
    case SENTENCE:
        cbor_put_bytes(out, *(const struct span *)at);
        break;
    }
}

int frame_put(struct buf *out, const struct frame *f)
{
    const struct layout *l = layout_of(f->verb);
    size_t start = out->n;

    assert(l && f->n_path <= MERKLE_MAX_PROOF && f->n_numbers <= WIRE_NUMBERS_MAX);
    cbor_put_array(out, l->n + 1);
    cbor_put_uint(out, l->verb);
    for (size_t i = 0; i < l->n; i++)
        put_item(out, f, &l->item[i]);
    if (!out->bad && out->n - start > WIRE_FRAME_MAX)
        return -HL_ETOOBIG;
    return out->bad;
}
