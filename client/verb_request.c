#include <assert.h>
#include <string.h>

#include "client/verbs.h"
#include "common/cbor.h"
#include "common/error.h"

/* Requests on agent.sock: what a verb is asked, as CBOR; pairs are looked up by key. */

#define KEY_MAX 32

struct span verb_get_nth(const struct verb_request *req, const char *key, size_t i)
{
    for (size_t k = 0; k < req->n; k++)
        if (strcmp(req->pair[k].key, key) == 0 && i-- == 0)
            return req->pair[k].value;
    return SPAN_NONE;
}

struct span verb_get(const struct verb_request *req, const char *key)
{
    return verb_get_nth(req, key, 0);
}

void verb_add(struct verb_request *req, const char *key, struct span value)
{
    if (value.p == NULL)
        value.p = (const uint8_t *)""; /* there, and empty */
    if (req->n < VERB_PAIRS_MAX)
        req->pair[req->n] = (struct pair){ key, value };
    req->n++;
}

struct span row_get(const struct pair *pair, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(pair[i].key, key) == 0)
            return pair[i].value;
    return SPAN_NONE;
}

int verb_request_put(struct buf *out, const struct verb_request *req)
{
    if (req->n > VERB_PAIRS_MAX)
        return -HL_ETOOBIG;
    cbor_put_array(out, 2);
    cbor_put_bytes(out, span_str(req->name));
    cbor_put_array(out, req->n);
    for (size_t i = 0; i < req->n; i++) {
        cbor_put_array(out, 2);
        cbor_put_bytes(out, span_str(req->pair[i].key));
        cbor_put_bytes(out, req->pair[i].value);
    }
    return out->bad;
}

/* A name of a verb or key: short, and safe to compare as a C string. */
static struct span request_word(struct cbor_in *in)
{
    struct span s = cbor_bytes_max(in, KEY_MAX - 1);

    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '-' || s.p[i] == '_'))
            cbor_fail(in, -HL_EFORMAT);
    if (s.n == 0)
        cbor_fail(in, -HL_EFORMAT);
    return in->bad ? SPAN_NONE : s;
}

/* Keys become C strings in @strings, which is reserved at once so that it never moves. */
int verb_request_decode(struct verb_request *req, struct span bytes, struct buf *strings)
{
    struct cbor_in in;
    struct span word;
    size_t n;

    req->n = 0;
    cbor_open(&in, bytes);
    cbor_array(&in, 2, 2);
    word = request_word(&in);
    memset(req->name, 0, sizeof(req->name));
    if (word.n)
        memcpy(req->name, word.p, word.n);
    n = cbor_array(&in, 0, VERB_PAIRS_MAX);
    buf_clear(strings);
    if (!buf_reserve(strings, n * KEY_MAX + 1))
        return strings->bad;
    for (size_t i = 0; i < n && !in.bad; i++) {
        const char *key = (const char *)strings->p + strings->n;

        cbor_array(&in, 2, 2);
        word = request_word(&in);
        buf_put_span(strings, word);
        buf_put_u8(strings, 0);
        req->pair[req->n++] = (struct pair){ key, cbor_bytes(&in) };
        cbor_array_end(&in);
    }
    cbor_array_end(&in);
    cbor_array_end(&in);
    if (in.bad || cbor_done(&in))
        req->n = 0;
    return cbor_done(&in);
}
