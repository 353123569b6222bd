#include "common/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"

/*
 * The scanner knows just enough of libconfig's lexer to tell integers and brackets from what stands
 * in strings and comments.  It copies the bytes, adding the L that makes an integer 64 bits wide.
 */
struct scan {
    const uint8_t *p, *end;
    unsigned line, depth;
    const char *wrong; /* a sentence, or NULL */
    struct buf *out;
};

int conf_fail(struct buf *why, const char *name, unsigned line, const char *fmt, ...)
{
    char sentence[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, ap);
    va_end(ap);
    buf_printf(why, "%s:%u: error: ", name, line);
    text_safe(why, span_str(sentence));
    buf_put_u8(why, '\n');
    return -HL_ECONFIG;
}

static bool ahead(const struct scan *s, const char *word)
{
    size_t n = strlen(word);

    return n <= (size_t)(s->end - s->p) && memcmp(s->p, word, n) == 0;
}

static bool among(const struct scan *s, const char *set)
{
    return s->p < s->end && *s->p && strchr(set, *s->p);
}

static void take(struct scan *s, size_t n)
{
    while (n-- && s->p < s->end) {
        s->line += *s->p == '\n';
        buf_put_u8(s->out, *s->p++);
    }
}

static void take_until(struct scan *s, const char *word)
{
    while (s->p < s->end && !ahead(s, word))
        take(s, 1);
    take(s, strlen(word));
}

static void take_string(struct scan *s)
{
    take(s, 1);
    while (s->p < s->end && *s->p != '"')
        take(s, *s->p == '\\' ? 2 : 1);
    take(s, 1);
}

#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static void take_number(struct scan *s)
{
    bool hex = ahead(s, "0x") || ahead(s, "0X");
    uint64_t v = 0;
    bool wide = false;

    if (hex)
        take(s, 2);
    while (among(s, hex ? HEX : DIGITS)) {
        uint64_t digit = *s->p <= '9' ? *s->p - (unsigned)'0' : (*s->p | 32u) - 'a' + 10;

        wide = wide || v > ((uint64_t)INT64_MAX - digit) / (hex ? 16 : 10);
        v = v * (hex ? 16 : 10) + digit;
        take(s, 1);
    }
    if (!hex && among(s, ".eE")) {
        while (among(s, DIGITS ".eE+-"))
            take(s, 1);
        return;
    }
    if (wide)
        s->wrong = "the number is too large (below 2^63)";
    if (!among(s, "L"))
        buf_put_u8(s->out, 'L');
    while (among(s, "L"))
        take(s, 1);
}

static void take_token(struct scan *s)
{
    if (*s->p == '#' || ahead(s, "//")) {
        take_until(s, "\n");
    } else if (ahead(s, "/*")) {
        take_until(s, "*/");
    } else if (*s->p == '"') {
        take_string(s);
    } else if (among(s, DIGITS)) {
        take_number(s);
    } else if (among(s, LETTERS "*")) {
        while (among(s, LETTERS DIGITS "-_*"))
            take(s, 1);
    } else {
        s->depth += among(s, "({[") ? 1 : 0;
        s->depth -= among(s, ")}]") && s->depth ? 1 : 0;
        if (s->depth > CONF_DEPTH)
            s->wrong = "nested too deep";
        take(s, 1);
    }
}

static unsigned line_of(struct span bytes, size_t at)
{
    unsigned line = 1;

    for (size_t i = 0; i < at; i++)
        line += bytes.p[i] == '\n';
    return line;
}

/* Refused wherever it stands, so that no quarrel about what is a string can bring it back. */
static int check_include(const char *name, struct span bytes, struct buf *why)
{
    const uint8_t *at = bytes.n ? memmem(bytes.p, bytes.n, "@include", 8) : NULL;

    return at ? conf_fail(why, name, line_of(bytes, (size_t)(at - bytes.p)),
                          "@include is not allowed: write all settings in one file")
              : 0;
}

static int check_text(const char *name, struct span bytes, struct buf *why)
{
    unsigned number = 1;
    const uint8_t *p = bytes.p, *end = bytes.p + bytes.n;

    while (p < end) {
        const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
        const uint8_t *stop = lf ? lf : end;
        size_t n = (size_t)(stop - p);

        n -= n && stop[-1] == '\r';
        if (text_utf8(SPAN(p, n), true))
            return conf_fail(why, name, number,
                             "not plain UTF-8: a control or direction character, or a wrong byte");
        number++;
        p = lf ? lf + 1 : end;
    }
    return 0;
}

config_setting_t *conf_next(config_setting_t *at, bool into)
{
    if (into && config_setting_length(at) > 0)
        return config_setting_get_elem(at, 0);
    for (; !config_setting_is_root(at); at = config_setting_parent(at)) {
        config_setting_t *up = config_setting_parent(at);
        int i = config_setting_index(at) + 1;

        if (i < config_setting_length(up))
            return config_setting_get_elem(up, (unsigned)i);
    }
    return NULL;
}

static int check_strings(const char *name, config_t *c, struct buf *why)
{
    for (config_setting_t *at = config_root_setting(c); at; at = conf_next(at, true)) {
        const char *s = config_setting_get_string(at);

        if (s && text_utf8(span_str(s), true))
            return conf_fail(why, name, config_setting_source_line(at),
                             "a control or direction character, or a wrong byte, in a text");
    }
    return 0;
}

void conf_near(struct conf_near *near, const char *candidate)
{
    unsigned d = text_distance(span_str(near->given), span_str(candidate), near->distance);

    if (d < near->distance) {
        near->distance = d;
        near->best = candidate;
    }
}

int conf_unknown(struct buf *why, const char *name, unsigned line, const char *what,
                 const struct conf_near *near)
{
    return near->best ? conf_fail(why, name, line, "unknown %s '%s'; did you mean '%s'?", what,
                                  near->given, near->best)
                      : conf_fail(why, name, line, "unknown %s '%s'", what, near->given);
}

int conf_parse(config_t *c, const char *name, struct span bytes, struct buf *why)
{
    struct buf copy;
    struct scan s = { .p = bytes.p, .end = bytes.p + bytes.n, .line = 1, .out = &copy };
    int rc = bytes.n > CONF_SIZE_MAX ? -HL_ETOOBIG : 0;

    buf_init(&copy, 2 * (size_t)CONF_SIZE_MAX);
    if (!rc)
        rc = check_text(name, bytes, why);
    if (!rc)
        rc = check_include(name, bytes, why);
    if (rc)
        goto out;
    while (s.p < s.end && !s.wrong)
        take_token(&s);
    if (s.wrong) {
        rc = conf_fail(why, name, s.line, "%s", s.wrong);
        goto out;
    }
    if (!config_read_string(c, buf_str(&copy)))
        rc = conf_fail(why, name, (unsigned)config_error_line(c), "%s", config_error_text(c));
    else if (copy.bad)
        rc = copy.bad;
    else if (config_setting_length(config_root_setting(c)) == 0)
        rc = conf_fail(why, name, 1, "nothing is set in this file");
    else
        rc = check_strings(name, c, why);
out:
    buf_release(&copy);
    return rc;
}

int conf_read(config_t *c, const char *path, struct buf *why)
{
    struct buf bytes;
    int rc;

    buf_init(&bytes, CONF_SIZE_MAX);
    rc = file_read(path, &bytes);
    if (rc)
        buf_printf(why, "%s: error: %s\n", path, error_text(rc));
    else
        rc = conf_parse(c, path, buf_span(&bytes), why);
    buf_release(&bytes);
    return rc;
}
