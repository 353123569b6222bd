#include "common/name.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"

#define LABEL_MAX 31

bool name_label(struct span s)
{
    if (s.n < 1 || s.n > LABEL_MAX || s.p[0] < 'a' || s.p[0] > 'z')
        return false;
    for (size_t i = 1; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

static size_t dot(struct span s)
{
    const uint8_t *p = s.n ? memchr(s.p, '.', s.n) : NULL;

    return p ? (size_t)(p - s.p) : s.n;
}

bool name_poc(struct span s)
{
    size_t at = dot(s);

    return at < s.n && name_label(SPAN(s.p, at)) && name_label(SPAN(s.p + at + 1, s.n - at - 1));
}

bool name_channel(struct span s)
{
    if (s.n < 1 || s.n > NAME_MAX_LEN)
        return false;
    for (;;) {
        size_t at = dot(s);

        if (!name_label(SPAN(s.p, at)))
            return false;
        if (at == s.n)
            return true;
        s = SPAN(s.p + at + 1, s.n - at - 1);
    }
}

bool name_origin(struct span s)
{
    if (s.n < 1 || s.n > 255)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '+')
            return false;
    return true;
}

struct span name_party(struct span poc)
{
    return SPAN(poc.p, dot(poc));
}

struct span name_office(struct span poc)
{
    size_t at = dot(poc);

    return at == poc.n ? SPAN_NONE : SPAN(poc.p + at + 1, poc.n - at - 1);
}

int name_put(struct buf *b, struct span s)
{
    if (s.n > NAME_MAX_LEN)
        return -HL_ETOOBIG;
    buf_put_u8(b, (uint8_t)s.n);
    return buf_put_span(b, s);
}

const char *realm_name(enum realm realm)
{
    switch (realm) {
    case REALM_LIVE:
        return "live";
    case REALM_EXERCISE:
        return "exercise";
    }
    return "";
}

int realm_parse(enum realm *realm, struct span s)
{
    if (span_eq_str(s, "live"))
        *realm = REALM_LIVE;
    else if (span_eq_str(s, "exercise"))
        *realm = REALM_EXERCISE;
    else
        return -HL_EREALM;
    return 0;
}

size_t label_write(uint8_t out[static LABEL_SIZE], enum realm realm, const char *purpose)
{
    int n = snprintf((char *)out, LABEL_SIZE, "hotline/1 %s %s", realm_name(realm), purpose);

    assert(n > 0 && n < LABEL_SIZE);
    return (size_t)n + 1; /* the label ends with its 00 */
}

int label_put(struct buf *b, enum realm realm, const char *purpose)
{
    uint8_t label[LABEL_SIZE];

    return buf_put(b, label, label_write(label, realm, purpose));
}
