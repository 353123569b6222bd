#include "client/render_field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/render.h"
#include "client/render_text.h"
#include "common/text.h"

#define DAY_MS UINT64_C(86400000)

struct span render_word(const struct render *r, const char *vocabulary, struct span id)
{
    const char *text = phrasebook_word(r->pb, vocabulary, id, r->lang);

    if (!text)
        text = phrasebook_word(r->pb, vocabulary, id, 0);
    return text ? span_str(text) : id;
}

struct span render_frame(const struct render *r, const char *id)
{
    return render_word(r, "frame", span_str(id));
}

void render_put_frame(const struct render *r, struct buf *out, const char *id)
{
    buf_put_span(out, render_frame(r, id));
}

/* 0149Z on the day of the message, 20 0149Z in its weeks, 20 0149Z NOV 25 else. */
static void put_time(const struct render *r, struct buf *out, uint64_t ms, bool day)
{
    char dtg[TEXT_TIME_SIZE];
    uint64_t apart = ms > r->sealed_ms ? ms - r->sealed_ms : r->sealed_ms - ms;
    struct span s;

    text_dtg(dtg, ms);
    s = span_str(dtg);
    if (apart < 14 * DAY_MS)
        s.n = strlen("20 0149Z");
    if (!day && ms / DAY_MS == r->sealed_ms / DAY_MS)
        s = SPAN(s.p + 3, strlen("0149Z"));
    put_unbroken(out, s, r->rtl);
}

void render_put_count(const struct render *r, struct buf *out, uint64_t v)
{
    char digits[24];
    const char *mark = phrasebook_language(r->pb, r->lang)->thousands;
    size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, v);
    struct buf b;

    buf_init(&b, 128);
    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            buf_put_str(&b, mark);
        buf_put_u8(&b, (uint8_t)digits[i]);
    }
    put_isolated(out, b.bad ? SPAN(digits, n) : buf_span(&b), r->rtl);
    buf_release(&b);
}

static void put_word(const struct render *r, struct buf *out, const char *vocabulary,
                     struct span id)
{
    bool here = phrasebook_word(r->pb, vocabulary, id, r->lang) != NULL;

    if (!here) {
        buf_put_u8(out, '[');
        render_put_frame(r, out, "no-translation");
        buf_put_str(out, "] ");
    }
    put_isolated(out, render_word(r, vocabulary, id), r->rtl);
}

static void put_words(const struct render *r, struct buf *out, const char *vocabulary,
                      struct span list)
{
    struct span rest = list, id;
    size_t left = 0;

    for (bool more = param_list_next(&rest, &left, &id); more;) {
        put_word(r, out, vocabulary, id);
        more = left && param_list_next(&rest, &left, &id);
        if (more) {
            render_put_frame(r, out, "semicolon");
            buf_put_u8(out, ' ');
        }
    }
}

static enum param_type encoding_of(enum phrase_type type)
{
    switch (type) {
    case PHRASE_NAME:
    case PHRASE_ITEM:
        return PARAM_TEXT;
    case PHRASE_COUNT:
        return PARAM_UINT;
    case PHRASE_BOOL:
        return PARAM_BOOL;
    case PHRASE_TIME:
    case PHRASE_DAYTIME:
        return PARAM_TIME;
    case PHRASE_MINUTES:
        return PARAM_DURATION;
    case PHRASE_WORD:
    case PHRASE_PARTY:
        return PARAM_CODE;
    case PHRASE_WORDS:
        return PARAM_LIST;
    }
    return PARAM_TEXT;
}

static void put_value(const struct render *r, struct buf *out, const struct phrase_param *q,
                      const struct param *p)
{
    switch (q->type) {
    case PHRASE_NAME:
    case PHRASE_ITEM:
        put_isolated(out, p->bytes, r->rtl);
        return;
    case PHRASE_COUNT:
        render_put_count(r, out, p->u);
        return;
    case PHRASE_BOOL:
        put_word(r, out, q->vocabulary, span_str(p->u ? "yes" : "no"));
        return;
    case PHRASE_TIME:
    case PHRASE_DAYTIME:
        put_time(r, out, p->u, q->type == PHRASE_DAYTIME);
        return;
    case PHRASE_MINUTES:
        render_put_count(r, out, p->u / 60);
        return;
    case PHRASE_WORD:
    case PHRASE_PARTY:
        put_word(r, out, q->vocabulary, p->bytes);
        return;
    case PHRASE_WORDS:
        put_words(r, out, q->vocabulary, p->bytes);
        return;
    }
}

/* A parameter of a phrase that we do not have, or not in this shape. */
static void put_raw(const struct render *r, struct buf *out, const struct param *p)
{
    struct span rest = p->bytes, item;
    char text[TEXT_TIME_SIZE];
    size_t left = 0;

    put_isolated(out, p->name, r->rtl);
    buf_put_str(out, " = ");
    switch ((enum param_type)p->type) {
    case PARAM_TEXT:
    case PARAM_CODE:
        put_isolated(out, p->bytes, r->rtl);
        return;
    case PARAM_TIME:
        text_time(text, p->u);
        put_isolated(out, span_str(text), r->rtl);
        return;
    case PARAM_UINT:
    case PARAM_BOOL:
    case PARAM_DURATION:
        buf_printf(out, "%" PRIu64, p->u);
        return;
    case PARAM_MID:
        for (size_t i = 0; i < p->bytes.n; i++)
            buf_printf(out, "%02x", p->bytes.p[i]);
        return;
    case PARAM_LIST:
        for (bool more = param_list_next(&rest, &left, &item); more;) {
            put_isolated(out, item, r->rtl);
            more = left && param_list_next(&rest, &left, &item);
            buf_put_str(out, more ? ", " : "");
        }
        return;
    }
}

const struct param *render_find_param(const struct form_field *f, struct span name)
{
    for (size_t i = 0; i < f->n; i++)
        if (span_eq(name, f->param[i].name))
            return &f->param[i];
    return NULL;
}

/* Exactly the parameters of the phrase, so that filling in its text shows all that was signed. */
static bool fits(const struct phrase *p, const struct form_field *f)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct param *given = render_find_param(f, span_str(p->param[i].name));

        if (!given || given->type != encoding_of(p->param[i].type))
            return false;
    }
    return f->n == p->n;
}

static void fill_in(const struct render *r, struct buf *out, const struct phrase *p,
                    const char *text, const struct form_field *f)
{
    const char *open, *close;

    while ((open = strchr(text, '{')) && (close = strchr(open, '}'))) {
        struct span name = SPAN(open + 1, (size_t)(close - open - 1));
        const struct phrase_param *q = phrase_param(p, name);

        buf_put(out, text, (size_t)(open - text));
        if (q)
            put_value(r, out, q, render_find_param(f, name));
        text = close + 1;
    }
    buf_put_str(out, text);
}

static void put_badge(const struct render *r, struct buf *out, const char *badge, struct span code)
{
    buf_put_u8(out, '[');
    render_put_frame(r, out, badge);
    buf_put_str(out, "] ");
    put_isolated(out, code, r->rtl);
    buf_put_u8(out, ' ');
}

static void put_raw_field(const struct render *r, struct buf *out, const struct form_field *f,
                          const char *badge)
{
    put_badge(r, out, badge, f->code);
    for (size_t i = 0; i < f->n; i++) {
        buf_put_str(out, i ? "; " : "");
        put_raw(r, out, &f->param[i]);
    }
}

void render_put_field(const struct render *r, struct buf *out, const struct phrase *p,
                      const struct form_field *f)
{
    const char *text = p ? p->text[r->lang] : NULL;
    struct render first = *r;

    if (f->state != FIELD_VALUE) {
        if (!p)
            put_badge(r, out, "no-translation", f->code);
        render_put_frame(r, out, f->state == FIELD_UNKNOWN ? "unknown" : "withheld");
    } else if (!p || (!text && !p->text[0])) {
        put_raw_field(r, out, f, "no-translation");
    } else if (!fits(p, f)) {
        put_raw_field(r, out, f, "unreadable");
    } else if (text) {
        fill_in(r, out, p, text, f);
    } else {
        put_badge(r, out, "no-translation", f->code);
        first.lang = 0;
        fill_in(&first, out, p, p->text[0], f);
    }
}

int render_field(struct buf *out, const struct phrasebook *pb, size_t lang, uint64_t sealed_ms,
                 const struct form_field *f)
{
    struct render r = { out, pb, lang, phrasebook_language(pb, lang)->rtl, sealed_ms };
    size_t begin = out->n;

    render_put_field(&r, out, phrasebook_phrase(pb, f->code), f);
    unbroken_end(out, begin);
    return out->bad;
}
