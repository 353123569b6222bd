#include "common/json.h"

#include <assert.h>
#include <inttypes.h>

#include "common/text.h"

void json_init(struct json *j, struct buf *out)
{
    *j = (struct json){ .out = out };
}

static void put_char(struct buf *out, uint32_t c, struct span raw)
{
    if (c == '"' || c == '\\')
        buf_printf(out, "\\%c", (int)c);
    else if (text_plain(c))
        buf_put_span(out, raw);
    else if (c < 0x10000)
        buf_printf(out, "\\u%04x", c);
    else
        buf_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

/* What a terminal or a reader could take for something else is escaped, as text_safe() would. */
static void put_string(struct buf *out, struct span s)
{
    buf_put_u8(out, '"');
    while (s.n) {
        uint32_t c;
        size_t n = text_char(s, &c);

        if (n)
            put_char(out, c, SPAN(s.p, n));
        else
            buf_printf(out, "\\u%04x", s.p[0]);
        n = n ? n : 1;
        s = SPAN(s.p + n, s.n - n);
    }
    buf_put_u8(out, '"');
}

/* Everything before a value. */
static struct buf *begin(struct json *j, const char *key)
{
    if (j->comma[j->depth])
        buf_put_u8(j->out, ',');
    j->comma[j->depth] = true;
    if (key) {
        put_string(j->out, span_str(key));
        buf_put_u8(j->out, ':');
    }
    return j->out;
}

static void down(struct json *j, const char *key, char bracket)
{
    buf_put_u8(begin(j, key), (uint8_t)bracket);
    assert(j->depth + 1 < COUNT(j->comma));
    j->comma[++j->depth] = false;
}

static void up(struct json *j, char bracket)
{
    assert(j->depth);
    j->depth--;
    buf_put_u8(j->out, (uint8_t)bracket);
}

void json_object(struct json *j, const char *key)
{
    down(j, key, '{');
}

void json_end(struct json *j)
{
    up(j, '}');
}

void json_array(struct json *j, const char *key)
{
    down(j, key, '[');
}

void json_array_end(struct json *j)
{
    up(j, ']');
}

void json_str(struct json *j, const char *key, const char *value)
{
    json_span(j, key, span_str(value));
}

void json_span(struct json *j, const char *key, struct span value)
{
    put_string(begin(j, key), value);
}

void json_hex(struct json *j, const char *key, const uint8_t *p, size_t n)
{
    struct buf *out = begin(j, key);

    buf_put_u8(out, '"');
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%02x", p[i]);
    buf_put_u8(out, '"');
}

void json_uint(struct json *j, const char *key, uint64_t v)
{
    buf_printf(begin(j, key), "%" PRIu64, v);
}

void json_int(struct json *j, const char *key, int64_t v)
{
    buf_printf(begin(j, key), "%" PRId64, v);
}

void json_bool(struct json *j, const char *key, bool v)
{
    buf_put_str(begin(j, key), v ? "true" : "false");
}

void json_begin(struct json *j, const char *schema, const char *realm)
{
    json_object(j, NULL);
    put_string(begin(j, NULL), span_str("schema"));
    buf_printf(j->out, ":\"hotline.%s/1\"", schema); /* ours: nothing to escape */
    json_str(j, "realm", realm);
}
