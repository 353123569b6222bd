#include "client/output.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "common/json.h"
#include "common/text.h"

/* Pairs that are not text; names that end in _ms are times. */
static const struct {
    const char *key;
    enum value_type type;
} types[] = {
    { "mid", VALUE_HEX },
    { "id", VALUE_HEX },
    { "channel-id", VALUE_HEX },
    { "commit", VALUE_HEX },
    { "chain", VALUE_HEX },
    { "key", VALUE_HEX },
    { "draft_key", VALUE_HEX },
    { "digest", VALUE_HEX },
    { "fingerprint", VALUE_HEX },
    { "target", VALUE_HEX },
    { "thread", VALUE_HEX },
    { "phrasebook", VALUE_HEX },
    { "wraps_hash", VALUE_HEX },
    { "body_hash", VALUE_HEX },
    { "salt", VALUE_HEX },
    { "entry", VALUE_HEX },
    { "sha256", VALUE_HEX },
    { "first_fingerprint", VALUE_HEX },
    { "draft_sig", VALUE_HEX },
    { "bytes", VALUE_BASE64 },
    { "content", VALUE_BASE64 },
    { "stamp", VALUE_BASE64 },
    { "header", VALUE_BASE64 },
    { "seq", VALUE_NUMBER },
    { "size", VALUE_NUMBER },
    { "index", VALUE_NUMBER },
    { "draft", VALUE_NUMBER },
    { "code", VALUE_NUMBER },
    { "event", VALUE_NUMBER },
    { "recorded", VALUE_NUMBER },
    { "outbox", VALUE_NUMBER },
    { "drafts", VALUE_NUMBER },
    { "events", VALUE_NUMBER },
    { "unread", VALUE_NUMBER },
    { "evidence", VALUE_NUMBER },
    { "unacknowledged", VALUE_NUMBER },
    { "serial", VALUE_NUMBER },
    { "epoch", VALUE_NUMBER },
    { "first_day", VALUE_NUMBER },
    { "lowest_step", VALUE_NUMBER },
    { "cosigned", VALUE_NUMBER },
    { "of", VALUE_NUMBER },
    { "quorum", VALUE_NUMBER },
    { "entries", VALUE_NUMBER },
    { "openings", VALUE_NUMBER },
    { "ack_within_s", VALUE_NUMBER },
    { "lifetime_s", VALUE_NUMBER },
    { "first_seq", VALUE_NUMBER },
    { "last_seq", VALUE_NUMBER },
    { "carried", VALUE_FLAG },
    { "attachment", VALUE_FLAG },
    { "agent", VALUE_FLAG },
    { "pinned", VALUE_FLAG },
    { "unlocked", VALUE_FLAG },
    { "unanswered", VALUE_FLAG },
    { "alarm", VALUE_FLAG },
    { "undelivered", VALUE_FLAG },
    { "psk", VALUE_FLAG },
    { "conflict", VALUE_FLAG },
    { "witnessed_size", VALUE_NUMBER },
    { "subkeys_last_day", VALUE_NUMBER },
    { "subkeys_days_left", VALUE_NUMBER },
    { "ms", VALUE_NUMBER },
};

enum value_type output_type(const char *key)
{
    size_t n = strlen(key);

    for (size_t i = 0; i < COUNT(types); i++)
        if (strcmp(types[i].key, key) == 0)
            return types[i].type;
    return n > 3 && strcmp(key + n - 3, "_ms") == 0 ? VALUE_TIME : VALUE_TEXT;
}

/* ---- for machines ---- */

static bool decimal(struct span v, uint64_t *n)
{
    return text_decimal(n, v) == 0;
}

static void json_value(struct json *j, const char *key, struct span v)
{
    uint64_t n;
    struct buf b;

    switch (output_type(key)) {
    case VALUE_NUMBER:
    case VALUE_TIME:
        if (decimal(v, &n)) {
            json_uint(j, key, n);
            return;
        }
        break;
    case VALUE_FLAG:
        if (span_eq_str(v, "0") || span_eq_str(v, "1")) {
            json_bool(j, key, v.p[0] == '1');
            return;
        }
        break;
    case VALUE_HEX:
        json_hex(j, key, v.p, v.n);
        return;
    case VALUE_BASE64:
        buf_init(&b, 4u << 20);
        text_base64(&b, v);
        json_span(j, key, buf_span(&b));
        buf_release(&b);
        return;
    case VALUE_TEXT:
        break;
    }
    json_span(j, key, v);
}

/* A row that is cut short is none: a full disk and a closed pipe are failures. */
static int output_flush(struct buf *b)
{
    int rc = b->bad ? b->bad : fwrite(b->p, 1, b->n, stdout) == b->n ? 0 : -HL_ESYS;

    if (!rc && fflush(stdout) != 0)
        rc = -HL_ESYS;
    buf_release(b);
    return rc;
}

static int output_json(struct output *o, const struct pair *pair, size_t n)
{
    char schema[64];
    struct json j;
    struct buf b;

    buf_init(&b, 8u << 20);
    snprintf(schema, sizeof(schema), "%.*s", (int)pair[0].value.n, (const char *)pair[0].value.p);
    json_init(&j, &b);
    json_begin(&j, schema, realm_name(o->realm));
    for (size_t i = 1; i < n; i++)
        if (strcmp(pair[i].key, "realm") != 0) /* stands already */
            json_value(&j, pair[i].key, pair[i].value);
    json_end(&j);
    buf_put_u8(&b, '\n');
    return output_flush(&b);
}

/* ---- for people ---- */

#define COLUMNS_MAX 10

/* What a person sees first of each kind of row. */
static const struct view {
    const char *row;
    struct {
        const char *key, *title;
        int width;
    } column[COLUMNS_MAX];
} views[] = {
    { "message",
      { { "precedence", "PRECEDENCE", 10 },
        { "number", "NUMBER", 18 },
        { "state", "STATE", 12 },
        { "kind", "KIND", 13 },
        { "sender", "FROM", 22 },
        { "channel", "CHANNEL", 26 },
        { "due_ms", "ACK BY", 20 },
        { "subject", "SUBJECT", 0 } } },
    { "draft",
      { { "draft", "DRAFT", 6 },
        { "precedence", "PRECEDENCE", 10 },
        { "channel", "CHANNEL", 26 },
        { "position", "DRAFTED BY", 12 },
        { "drafted_ms", "AT", 20 },
        { "to", "TO", 30 },
        { "subject", "SUBJECT", 0 } } },
    { "station",
      { { "realm", "REALM", 8 },
        { "poc", "POC", 24 },
        { "unread", "UNREAD", 6 },
        { "unacknowledged", "TO ACKNOWLEDGE", 14 },
        { "outbox", "OUTBOX", 6 },
        { "drafts", "DRAFTS", 6 },
        { "clock", "CLOCK", 8 } } },
    { "host",
      { { "host", "HOST", 34 },
        { "state", "STATE", 8 },
        { "index", "ENTRY", 7 },
        { "size", "SIZE", 7 },
        { "grade", "GRADE", 9 },
        { "sentence", "", 0 } } },
    { "step",
      { { "poc", "POC", 24 },
        { "kind", "STEP", 14 },
        { "number", "NUMBER", 18 },
        { "state", "STATE", 10 },
        { "time_ms", "AT", 20 } } },
    { "duty",
      { { "position", "ON DUTY", 16 },
        { "since_ms", "SINCE", 20 },
        { "unlocked", "UNLOCKED", 8 } } },
    { "gap",
      { { "sender", "MISSING FROM", 24 },
        { "channel", "CHANNEL", 26 },
        { "first_seq", "FIRST", 6 },
        { "last_seq", "LAST", 6 },
        { "since_ms", "SINCE", 20 },
        { "alarm", "ALARM", 5 } } },
    { "overdue",
      { { "number", "OVERDUE", 18 },
        { "precedence", "PRECEDENCE", 10 },
        { "poc", "POC", 24 },
        { "undelivered", "UNDELIVERED", 11 },
        { "due_ms", "WAS DUE", 20 } } },
    { "next", { { "sentence", "NEXT", 0 } } },
    { "event",
      { { "time_ms", "AT", 20 },
        { "what", "WHAT", 11 },
        { "precedence", "PRECEDENCE", 10 },
        { "number", "NUMBER", 18 },
        { "poc", "POC", 24 },
        { "kind", "KIND", 13 },
        { "subject", "SUBJECT", 0 } } },
    { "contact",
      { { "poc", "POC", 26 },
        { "attendance", "HOURS (UTC)", 12 },
        { "languages", "LANGUAGES", 10 },
        { "alternates", "ALTERNATES", 26 },
        { "pinned", "PINNED", 6 },
        { "channels", "CHANNELS", 0 } } },
    { "party",
      { { "party", "PARTY", 14 },
        { "serial", "SERIAL", 6 },
        { "pinned", "PINNED", 6 },
        { "until_ms", "VALID UNTIL", 20 },
        { "pocs", "POCS", 0 } } },
    { "agreement",
      { { "name", "AGREEMENT", 20 },
        { "state", "STATE", 12 },
        { "signed", "SIGNED", 36 },
        { "missing", "MISSING", 20 },
        { "suspended", "SUSPENDED BY", 20 },
        { "title", "TITLE", 0 } } },
    { "channel", { { "name", "CHANNEL", 30 }, { "members", "MEMBERS", 0 } } },
    { "document",
      { { "host", "HOST", 34 },
        { "state", "STATE", 9 },
        { "type", "TYPE", 10 },
        { "index", "ENTRY", 7 },
        { "time_ms", "AT", 20 },
        { "sentence", "", 0 } } },
    { "attachment",
      { { "type", "TYPE", 20 },
        { "size", "BYTES", 9 },
        { "sha256", "SHA-256", 64 },
        { "path", "FILE", 0 } } },
    { "psk",
      { { "channel", "CHANNEL", 30 },
        { "epoch", "EPOCH", 5 },
        { "first_day", "FIRST DAY", 10 },
        { "check", "CHECK", 8 } } },
    { "ping", { { "host", "HOST", 34 }, { "ms", "MS", 6 }, { "sentence", "", 0 } } },
    { "mirror",
      { { "host", "HOST", 34 },
        { "size", "SIZE", 8 },
        { "openings", "OPENINGS", 8 },
        { "missing", "MISSING", 7 } } },
    { "evidence", { { "time_ms", "AT", 20 }, { "what", "EVIDENCE", 0 } } },
    { "notice",
      { { "host", "HOST", 34 },
        { "kind", "NOTICE", 16 },
        { "poc", "POC", 24 },
        { "time_ms", "AT", 20 },
        { "detail", "", 0 } } },
};

void output_value(struct buf *out, const char *key, struct span v)
{
    char time[TEXT_TIME_SIZE], hex[2 * 64 + 1];
    uint64_t n;

    switch (output_type(key)) {
    case VALUE_TIME:
        if (decimal(v, &n) && n) {
            text_time(time, n);
            buf_put_str(out, time);
        }
        return;
    case VALUE_HEX:
        if (v.n <= 64) {
            text_hex(hex, v.p, v.n);
            buf_put_str(out, hex);
        }
        return;
    case VALUE_FLAG:
        buf_put_str(out, span_eq_str(v, "1") ? "yes" : "no");
        return;
    case VALUE_BASE64:
        text_base64(out, v);
        return;
    case VALUE_NUMBER:
    case VALUE_TEXT:
        text_safe(out, v);
        return;
    }
}

static const struct view *view_of(struct span row)
{
    for (size_t i = 0; i < COUNT(views); i++)
        if (span_eq_str(row, views[i].row))
            return &views[i];
    return NULL;
}

static void output_heading(const struct output *o, const struct view *v)
{
    if (!o->terminal)
        return;
    for (size_t i = 0; i < COLUMNS_MAX && v->column[i].key; i++)
        printf("%-*s  ", v->column[i].width, v->column[i].title);
    putchar('\n');
}

static int output_view(struct output *o, const struct view *v, const struct pair *pair, size_t n)
{
    struct buf b;

    buf_init(&b, 1u << 20);
    for (size_t i = 0; i < COLUMNS_MAX && v->column[i].key; i++) {
        size_t from = b.n;

        output_value(&b, v->column[i].key, row_get(pair, n, v->column[i].key));
        if (!o->terminal)
            buf_put_u8(&b, '\t');
        else
            while (v->column[i].width && b.n < from + (size_t)v->column[i].width + 2 && !b.bad)
                buf_put_u8(&b, ' ');
    }
    while (b.n && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
        b.n--;
    buf_put_u8(&b, '\n');
    return output_flush(&b);
}

/* A kind without a view: all of it, a pair a line. */
static int output_pairs(const struct pair *pair, size_t n)
{
    struct buf b;

    buf_init(&b, 4u << 20);
    for (size_t i = 1; i < n; i++) {
        buf_printf(&b, "%-16s ", pair[i].key);
        output_value(&b, pair[i].key, pair[i].value);
        buf_put_u8(&b, '\n');
    }
    return output_flush(&b);
}

void output_init(struct output *o, enum realm realm, bool json)
{
    *o = (struct output){ .realm = realm, .json = json, .terminal = isatty(STDOUT_FILENO) == 1 };
}

int output_row(struct output *o, const struct pair *pair, size_t n)
{
    const struct view *v;

    if (!n)
        return 0;
    o->rows++;
    if (o->json)
        return output_json(o, pair, n);
    v = view_of(pair[0].value);
    if (!v)
        return output_pairs(pair, n);
    if (strcmp(o->last, v->row) != 0) {
        output_heading(o, v);
        snprintf(o->last, sizeof(o->last), "%s", v->row);
    }
    return output_view(o, v, pair, n);
}
