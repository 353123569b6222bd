#ifndef HL_COMMON_CONTENT_H
#define HL_COMMON_CONTENT_H

#include "common/envelope.h"

/*
 * What is sealed: fields, their commitments, padding (FORMATS 2).
 *
 *     content = CBOR array of n >= 6 byte strings: 0 subject, 1 language, 2 form id, 3 phrasebook digest,
 *               4 first mid of the thread or empty, 5 names N(name) of fields 6..n-1; then the fields.
 *     plain   = salt[32] || u32 len || content || 00...   to the smallest bucket
 *
 * Field names: "1".."99" a form field; "text" free text; "attachment"; "category", "marking" (decimal index).
 * Each name at most once; form fields ascend.  Borrowed spans throughout.
 *
 *     form field = CBOR [number, code: bstr, state, [* [name: bstr, type, value]]]
 *     attachment = CBOR [type: bstr (media type), label: bstr (the sender's, never a file name here), bytes: bstr]
 */
#define CONTENT_FIELDS_MAX 128
#define CONTENT_PARAMS_MAX 32
#define CONTENT_FIXED 6
#define CONTENT_NUMBER_MAX 99
#define CONTENT_PLAIN_OVERHEAD 36
#define CONTENT_MAX (ENVELOPE_BUCKET_MAX - CONTENT_PLAIN_OVERHEAD)

struct content {
    struct span subject, language, form, phrasebook, thread;
    size_t n;                                  /* all fields, >= 6 */
    struct span field[CONTENT_FIELDS_MAX];     /* 0..n-1, the raw bytes that are committed to */
    struct span name[CONTENT_FIELDS_MAX];      /* of 6..n-1 */
};

enum field_state { FIELD_VALUE, FIELD_UNKNOWN, FIELD_WITHHELD };
/* text: UTF-8 as typed; code: a word of the phrasebook; time: ms; duration: s; list: array of texts; mid: 32 bytes */
enum param_type { PARAM_TEXT, PARAM_UINT, PARAM_BOOL, PARAM_TIME, PARAM_DURATION, PARAM_CODE, PARAM_LIST, PARAM_MID };

struct param {
    struct span name;
    unsigned type;
    uint64_t u;        /* UINT, BOOL, TIME, DURATION */
    struct span bytes; /* TEXT, CODE, MID; for LIST the encoded CBOR array */
};

struct form_field {
    unsigned number;
    struct span code; /* "NAT-02" */
    unsigned state;
    size_t n;
    struct param param[CONTENT_PARAMS_MAX];
};

struct attachment {
    struct span type, label, bytes;
};

/** content_decode - strict, field by field; 0, -HL_EFORMAT, -HL_ETOOBIG.  On failure *c is all zeroes. */
int content_decode(struct content *c, struct span in);
/** content_put - refuses what content_decode() would; fields 0..4 from their names, 5 from the names, the rest from field[]. */
int content_put(struct buf *out, const struct content *c);
/** content_field - the field called @name, or SPAN_NONE. */
struct span content_field(const struct content *c, const char *name);
/**
 * content_fits - what no one sees before it is opened: a FLASH bears no attachment (-HL_EFLASH); category and
 * marking are sealed only where the header says 0 (-HL_EFORMAT).
 */
int content_fits(const struct content *c, const struct header *h, const struct stamp *s);
int form_field_decode(struct form_field *f, struct span in);
int form_field_put(struct buf *out, const struct form_field *f);
/** param_list_next - iterate the texts of a PARAM_LIST: start with *rest = param.bytes and *left = 0. */
bool param_list_next(struct span *rest, size_t *left, struct span *text);
int attachment_decode(struct attachment *a, struct span in);
int attachment_put(struct buf *out, const struct attachment *a);

/** content_field_salt / content_field_commit - salt_i and c_i of FORMATS 2. */
void content_field_salt(uint8_t out[static 32], enum realm realm, const uint8_t salt[static 32], uint16_t i);
void content_field_commit(uint8_t out[static 32], enum realm realm, uint16_t i, const uint8_t salt_i[static 32],
                          struct span field);
/** content_commit_of - commit over @n field commitments, some of them perhaps disclosed by others. */
void content_commit_of(uint8_t out[static 32], enum realm realm, const uint8_t (*c)[32], size_t n);
/** content_commit - commit over all fields of the decoded content. */
void content_commit(uint8_t out[static 32], enum realm realm, const uint8_t salt[static 32], const struct content *c);

/** content_bucket - the smallest bucket for @len bytes of content, 0 when too large. */
size_t content_bucket(size_t len);
/** content_pad - plain: salt || u32 len || content || zeroes. -HL_ETOOBIG. */
int content_pad(struct buf *out, const uint8_t salt[static 32], struct span content);
/** content_unpad - split a plain; refuses a non-minimal bucket and non-zero padding. */
int content_unpad(struct span plain, const uint8_t **salt, struct span *content);

#endif
