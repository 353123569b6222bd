#include "common/subkeys.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"

static int read_poc(void *target, struct span *field, size_t n)
{
    struct subkeys *s = target;

    (void)n;
    if (!name_poc(field[0]))
        return -HL_EFORMAT;
    memcpy(s->poc, field[0].p, field[0].n);
    return 0;
}

static int read_serial(void *target, struct span *field, size_t n)
{
    struct subkeys *s = target;

    (void)n;
    return text_decimal(&s->serial, field[0]) || s->serial == 0 ? -HL_EFORMAT : 0;
}

static int read_day(void *target, struct span *field, size_t n)
{
    struct subkeys *s = target;
    uint64_t ms;
    int rc;

    (void)n;
    if (field[0].n != 10 || text_untime(&ms, field[0]))
        return -HL_EFORMAT;
    if (s->n == 0)
        s->first_day = clock_day(ms);
    if (clock_day(ms) != s->first_day + s->n)
        return -HL_EFORMAT;
    rc = document_xkey(s->key[s->n], field[1]);
    if (rc)
        return rc;
    for (size_t i = 0; i < s->n; i++)
        if (memcmp(s->key[i], s->key[s->n], 32) == 0)
            return -HL_EDUPLICATE;
    s->n++;
    return 0;
}

static const struct keyword grammar[] = {
    { "poc", 1, 1, 1, false, 0, read_poc },
    { "serial", 1, 1, 1, false, 0, read_serial },
    { "day", 1, SUBKEYS_DAYS, 2, false, 0, read_day },
};

int subkeys_decode(struct subkeys *s, enum realm realm, struct span note, struct document *doc,
                   struct buf *why)
{
    int rc = document_decode(doc, realm, note);

    *s = (struct subkeys){ 0 };
    if (!rc && doc->type != DOCUMENT_SUBKEYS)
        rc = -HL_EFORMAT;
    if (rc)
        return document_say(why, rc, "this is no list of subkeys of this realm: %s",
                            error_text(rc));
    rc = document_read(doc->note.text, grammar, COUNT(grammar), s, why);
    if (rc)
        *s = (struct subkeys){ 0 };
    return rc;
}

int subkeys_print(struct buf *out, enum realm realm, const struct subkeys *s)
{
    char day[TEXT_TIME_SIZE];

    document_head(out, realm, DOCUMENT_SUBKEYS);
    buf_printf(out, "poc %s\nserial %" PRIu64 "\n", s->poc, s->serial);
    for (size_t i = 0; i < s->n; i++) {
        text_time(day, (s->first_day + i) * CLOCK_DAY_MS);
        buf_printf(out, "day %.10s ", day);
        text_base64(out, SPAN(s->key[i], 32));
        buf_put_u8(out, '\n');
    }
    return out->bad;
}
