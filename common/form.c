#include <string.h>

#include "common/cbor.h"
#include "common/content.h"
#include "common/error.h"
#include "common/text.h"

/*
 * One form field and one attachment.
 *
 *     form field = [number, code, state, [* [name, type, value]]]    no parameters unless state is
 * 0 attachment = [media type, label, bytes]
 *
 * A parameter's name is [a-z][a-z0-9_]{0,30}, once in its field.  Its value by type: text, code,
 * mid: a byte string; uint, bool, time, duration: an integer; list: an array of byte strings.
 */
#define CODE_MAX 31
#define PARAM_NAME_MAX 31
#define PARAM_TEXT_MAX 4000
#define LIST_MAX 64
#define MEDIA_TYPE_MAX 127
#define LABEL_MAX 255

static bool param_name_ok(struct span s)
{
    if (s.n < 1 || s.n > PARAM_NAME_MAX || s.p[0] < 'a' || s.p[0] > 'z')
        return false;
    for (size_t i = 1; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

/* A word of the phrasebook, e.g. "NAT-02": printable ASCII without blank. */
static bool code_ok(struct span s)
{
    return s.n >= 1 && s.n <= CODE_MAX && text_ascii(s) && !memchr(s.p, ' ', s.n);
}

static int text_ok(struct span s)
{
    return s.n > PARAM_TEXT_MAX ? -HL_ETOOBIG : text_utf8(s, false);
}

static int list_check(struct span list)
{
    struct cbor_in in;
    size_t n;
    int rc = 0;

    cbor_open(&in, list);
    n = cbor_array(&in, 0, LIST_MAX);
    for (size_t i = 0; i < n && !rc; i++)
        rc = text_ok(cbor_bytes(&in));
    cbor_array_end(&in);
    return cbor_done(&in) ? in.bad : rc;
}

static int param_check(const struct param *p)
{
    if (!param_name_ok(p->name))
        return -HL_EFORMAT;
    switch ((enum param_type)p->type) {
    case PARAM_TEXT:
        return text_ok(p->bytes);
    case PARAM_CODE:
        return code_ok(p->bytes) ? 0 : -HL_EFORMAT;
    case PARAM_MID:
        return p->bytes.n == 32 ? 0 : -HL_EFORMAT;
    case PARAM_LIST:
        return list_check(p->bytes);
    case PARAM_BOOL:
        return p->u <= 1 ? 0 : -HL_EFORMAT;
    case PARAM_UINT:
    case PARAM_TIME:
    case PARAM_DURATION:
        return 0;
    }
    return -HL_EFORMAT;
}

static int field_check(const struct form_field *f)
{
    if (f->number < 1 || f->number > CONTENT_NUMBER_MAX || !code_ok(f->code) ||
        f->state > FIELD_WITHHELD || (f->state != FIELD_VALUE && f->n))
        return -HL_EFORMAT;
    for (size_t i = 0; i < f->n; i++) {
        int rc = param_check(&f->param[i]);

        if (rc)
            return rc;
        for (size_t j = 0; j < i; j++)
            if (span_eq(f->param[i].name, f->param[j].name))
                return -HL_EFORMAT;
    }
    return 0;
}

/* The whole encoded array, its texts unread: list_check() judges them. */
static struct span get_list(struct cbor_in *in)
{
    const uint8_t *start = in->p;
    size_t n = cbor_array(in, 0, LIST_MAX);

    for (size_t i = 0; i < n; i++)
        cbor_bytes(in);
    cbor_array_end(in);
    return SPAN(start, (size_t)(in->p - start));
}

static void get_param(struct cbor_in *in, struct param *p)
{
    cbor_array(in, 3, 3);
    p->name = cbor_bytes(in);
    p->type = (unsigned)cbor_uint_max(in, PARAM_MID);
    p->u = 0;
    p->bytes = SPAN_NONE;
    switch ((enum param_type)p->type) {
    case PARAM_TEXT:
    case PARAM_CODE:
    case PARAM_MID:
        p->bytes = cbor_bytes(in);
        break;
    case PARAM_LIST:
        p->bytes = get_list(in);
        break;
    case PARAM_UINT:
    case PARAM_BOOL:
    case PARAM_TIME:
    case PARAM_DURATION:
        p->u = cbor_uint(in);
        break;
    }
    cbor_array_end(in);
}

int form_field_decode(struct form_field *f, struct span bytes)
{
    struct cbor_in in;
    int rc;

    cbor_open(&in, bytes);
    cbor_array(&in, 4, 4);
    f->number = (unsigned)cbor_uint_max(&in, CONTENT_NUMBER_MAX);
    f->code = cbor_bytes(&in);
    f->state = (unsigned)cbor_uint_max(&in, FIELD_WITHHELD);
    f->n = cbor_array(&in, 0, CONTENT_PARAMS_MAX);
    for (size_t i = 0; i < f->n && !in.bad; i++)
        get_param(&in, &f->param[i]);
    cbor_array_end(&in);
    cbor_array_end(&in);
    rc = cbor_done(&in);
    if (!rc)
        rc = field_check(f);
    if (rc)
        memset(f, 0, sizeof(*f));
    return rc;
}

static void put_param(struct buf *out, const struct param *p)
{
    cbor_put_array(out, 3);
    cbor_put_bytes(out, p->name);
    cbor_put_uint(out, p->type);
    switch ((enum param_type)p->type) {
    case PARAM_TEXT:
    case PARAM_CODE:
    case PARAM_MID:
        cbor_put_bytes(out, p->bytes);
        break;
    case PARAM_LIST:
        buf_put_span(out, p->bytes);
        break;
    case PARAM_UINT:
    case PARAM_BOOL:
    case PARAM_TIME:
    case PARAM_DURATION:
        cbor_put_uint(out, p->u);
        break;
    }
}

int form_field_put(struct buf *out, const struct form_field *f)
{
    int rc = f->n > CONTENT_PARAMS_MAX ? -HL_ETOOBIG : field_check(f);

    if (rc)
        return rc;
    cbor_put_array(out, 4);
    cbor_put_uint(out, f->number);
    cbor_put_bytes(out, f->code);
    cbor_put_uint(out, f->state);
    cbor_put_array(out, f->n);
    for (size_t i = 0; i < f->n; i++)
        put_param(out, &f->param[i]);
    return out->bad;
}

bool param_list_next(struct span *rest, size_t *left, struct span *text)
{
    struct cbor_in in;

    cbor_open(&in, *rest);
    if (*left == 0)
        *left = cbor_array(&in, 1, LIST_MAX); /* fails at the end and for an empty list */
    *text = cbor_bytes(&in);
    if (in.bad)
        return false;
    *rest = SPAN(in.p, (size_t)(in.end - in.p));
    (*left)--;
    return true;
}

/* type/subtype in lower case, without parameters: it is compared with the agreement's list. */
static bool media_type_ok(struct span s)
{
    size_t slashes = 0;

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (c == '/')
            slashes++;
        else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                   (c && strchr("!#$&^_.+-", c))))
            return false;
    }
    return slashes == 1 && s.p[0] != '/' && s.p[s.n - 1] != '/';
}

static int attachment_check(const struct attachment *a)
{
    if (a->type.n > MEDIA_TYPE_MAX || a->label.n > LABEL_MAX)
        return -HL_ETOOBIG;
    if (!media_type_ok(a->type) || text_utf8(a->label, false))
        return -HL_EFORMAT;
    return 0;
}

int attachment_decode(struct attachment *a, struct span bytes)
{
    struct cbor_in in;
    int rc;

    cbor_open(&in, bytes);
    cbor_array(&in, 3, 3);
    a->type = cbor_bytes(&in);
    a->label = cbor_bytes(&in);
    a->bytes = cbor_bytes(&in);
    cbor_array_end(&in);
    rc = cbor_done(&in);
    if (!rc)
        rc = attachment_check(a);
    if (rc)
        memset(a, 0, sizeof(*a));
    return rc;
}

int attachment_put(struct buf *out, const struct attachment *a)
{
    int rc = attachment_check(a);

    if (rc)
        return rc;
    cbor_put_array(out, 3);
    cbor_put_bytes(out, a->type);
    cbor_put_bytes(out, a->label);
    cbor_put_bytes(out, a->bytes);
    return out->bad;
}
