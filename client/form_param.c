#include <string.h>

#include "client/form_reading.h"
#include "common/cbor.h"
#include "common/conf.h"
#include "common/error.h"
#include "common/text.h"

#define MINUTE_MS UINT64_C(60000)
#define TEN_YEARS_MIN 5256000

int form_wrong(const struct form_reading *r, const config_setting_t *at, const char *sentence)
{
    const char *name = config_setting_name(at);

    return conf_fail(r->why, r->file, config_setting_source_line(at), "'%s' must be %s",
                     name ? name : "a list's item", sentence);
}

/* "T-02:10" and "T+100:00", or a full time; to the minute, which is all that a phrase shows. */
static int parse_time(uint64_t release_ms, const char *s, uint64_t *ms)
{
    struct span rest = span_str(s), hours;
    uint64_t h, m;

    if (text_untime(ms, rest) == 0)
        return 0;
    if (rest.n < 7 || rest.p[0] != 'T' || (rest.p[1] != '-' && rest.p[1] != '+') ||
        rest.p[rest.n - 3] != ':')
        return -HL_EFORMAT;
    hours = SPAN(rest.p + 2, rest.n - 5);
    if (hours.n < 2 || hours.n > 3 || rest.p[rest.n - 2] > '5')
        return -HL_EFORMAT;
    if (hours.p[0] == '0') /* two digits always: text_decimal() knows no leading zero */
        hours = SPAN(hours.p + 1, hours.n - 1);
    if (text_decimal(&h, hours) || rest.p[rest.n - 2] < '0' || rest.p[rest.n - 1] < '0' ||
        rest.p[rest.n - 1] > '9')
        return -HL_EFORMAT;
    m = h * 60 + (uint64_t)(rest.p[rest.n - 2] - '0') * 10 + (uint64_t)(rest.p[rest.n - 1] - '0');
    *ms = release_ms - release_ms % MINUTE_MS;
    if (rest.p[1] == '-' && m * MINUTE_MS > *ms)
        return -HL_EFORMAT;
    *ms = rest.p[1] == '-' ? *ms - m * MINUTE_MS : *ms + m * MINUTE_MS;
    return 0;
}

static int find_word(const struct form_reading *r, const config_setting_t *at,
                     const char *vocabulary, const char *typed, const char **id)
{
    struct conf_near near = CONF_NEAR(typed);
    const char *word;
    char what[64];

    *id = phrasebook_find_word(r->pb, vocabulary, typed);
    if (*id)
        return 0;
    for (size_t i = 0; (word = phrasebook_next_word(r->pb, vocabulary, &i));) {
        conf_near(&near, word);
        for (size_t l = 0; l < phrasebook_languages(r->pb); l++) {
            const char *text = phrasebook_word(r->pb, vocabulary, span_str(word), l);

            if (text)
                conf_near(&near, text);
        }
    }
    snprintf(what, sizeof(what), "word of '%s'", vocabulary);
    return conf_unknown(r->why, r->file, config_setting_source_line(at), what, &near);
}

static int take_name(const struct form_reading *r, const config_setting_t *at, struct param *out)
{
    const char *s = config_setting_get_string(at);

    if (!s || !*s || strlen(s) > PHRASE_NAME_MAX || text_utf8(span_str(s), false))
        return form_wrong(r, at, "a name in quotes, 1 to 64 bytes, one line");
    out->type = PARAM_TEXT;
    out->bytes = span_str(s);
    return 0;
}

static int take_number(const struct form_reading *r, const config_setting_t *at,
                       enum phrase_type type, struct param *out)
{
    int64_t v = config_setting_get_int64(at);

    if (config_setting_type(at) != CONFIG_TYPE_INT64 || v < 0)
        return form_wrong(r, at, "a whole number, not negative");
    if (type == PHRASE_MINUTES && v > TEN_YEARS_MIN)
        return form_wrong(r, at, "a number of minutes, at most ten years");
    out->type = type == PHRASE_MINUTES ? PARAM_DURATION : PARAM_UINT;
    out->u = (uint64_t)v * (type == PHRASE_MINUTES ? 60 : 1);
    return 0;
}

static int take_bool(const struct form_reading *r, const config_setting_t *at, struct param *out)
{
    if (config_setting_type(at) != CONFIG_TYPE_BOOL)
        return form_wrong(r, at, "true or false");
    out->type = PARAM_BOOL;
    out->u = config_setting_get_bool(at) ? 1 : 0;
    return 0;
}

static int take_time(const struct form_reading *r, const config_setting_t *at, struct param *out)
{
    const char *s = config_setting_get_string(at);

    out->type = PARAM_TIME;
    if (!s || parse_time(r->release_ms, s, &out->u))
        return form_wrong(r, at, "a time: \"T-hh:mm\", \"T+hh:mm\" or \"2026-11-22T01:49:00Z\"");
    return 0;
}

static int take_word(const struct form_reading *r, const config_setting_t *at,
                     const struct phrase_param *q, struct param *out)
{
    const char *s = config_setting_get_string(at), *id = NULL;
    int rc = s ? find_word(r, at, q->vocabulary, s, &id) : form_wrong(r, at, "a word in quotes");

    if (rc)
        return rc;
    out->type = PARAM_CODE;
    out->bytes = span_str(id);
    return 0;
}

static int take_words(struct form_reading *r, const config_setting_t *at,
                      const struct phrase_param *q, struct param *out)
{
    int n = config_setting_length(at), rc = 0;
    size_t begin = r->lists.n;

    if ((!config_setting_is_array(at) && !config_setting_is_list(at)) || n < 1)
        return form_wrong(r, at, "a list of words, as [ \"a\", \"b\" ]");
    cbor_put_array(&r->lists, (size_t)n);
    for (int i = 0; i < n && !rc; i++) {
        const config_setting_t *item = config_setting_get_elem(at, (unsigned)i);
        const char *s = config_setting_get_string(item), *id = NULL;

        rc = s ? find_word(r, at, q->vocabulary, s, &id) : form_wrong(r, item, "a word in quotes");
        if (!rc)
            cbor_put_bytes(&r->lists, span_str(id));
    }
    out->type = PARAM_LIST;
    out->bytes = SPAN(r->lists.p + begin, r->lists.n - begin);
    return rc ? rc : r->lists.bad;
}

int form_param(struct form_reading *r, const config_setting_t *at, const struct phrase_param *q,
               struct param *out)
{
    *out = (struct param){ .name = span_str(q->name) };
    switch (q->type) {
    case PHRASE_NAME:
    case PHRASE_ITEM:
        return take_name(r, at, out);
    case PHRASE_COUNT:
    case PHRASE_MINUTES:
        return take_number(r, at, q->type, out);
    case PHRASE_BOOL:
        return take_bool(r, at, out);
    case PHRASE_TIME:
    case PHRASE_DAYTIME:
        return take_time(r, at, out);
    case PHRASE_WORD:
    case PHRASE_PARTY:
        return take_word(r, at, q, out);
    case PHRASE_WORDS:
        return take_words(r, at, q, out);
    }
    return -HL_ECONFIG;
}
