#include "common/stop.h"

#include <inttypes.h>

#include "common/error.h"
#include "common/text.h"

/* What the grammar fills: the stop, and how many things it names. */
struct reading {
    struct stop *stop;
    unsigned things;
};

static int read_party(void *target, struct span *field, size_t n)
{
    struct stop *s = ((struct reading *)target)->stop;

    (void)n;
    s->party = field[0];
    return name_label(s->party) ? 0 : -HL_EFORMAT;
}

static int read_card(void *target, struct span *field, size_t n)
{
    struct stop *s = ((struct reading *)target)->stop;

    (void)n;
    return text_decimal(&s->card, field[0]) || s->card == 0 ? -HL_EFORMAT : 0;
}

static int thing(struct reading *r, enum stop_what what, struct span field)
{
    r->things++;
    r->stop->what = what;
    return text_unbase64_n(r->stop->id, 32, field);
}

/* Any 32 bytes will do: they are looked up among keys that were checked. */
static int read_key(void *target, struct span *field, size_t n)
{
    (void)n;
    return thing(target, STOP_KEY, field[0]);
}

static int read_subkey(void *target, struct span *field, size_t n)
{
    (void)n;
    return thing(target, STOP_SUBKEY, field[0]);
}

static int read_agreement(void *target, struct span *field, size_t n)
{
    (void)n;
    return thing(target, STOP_AGREEMENT, field[0]);
}

static int read_host(void *target, struct span *field, size_t n)
{
    struct reading *r = target;

    (void)n;
    r->things++;
    r->stop->what = STOP_HOST;
    r->stop->origin = field[0];
    return name_origin(field[0]) ? 0 : -HL_EFORMAT;
}

static int read_reason(void *target, struct span *field, size_t n)
{
    struct reading *r = target;

    (void)n;
    r->stop->reason = field[0];
    return r->things == 1 ? 0 : -HL_EFORMAT;
}

static const struct keyword grammar[] = {
    { "party", 1, 1, 1, false, 0, read_party },
    { "card", 1, 1, 1, false, 0, read_card },
    { "key", 0, 1, 1, false, 0, read_key },
    { "subkey", 0, 1, 1, false, 0, read_subkey },
    { "agreement", 0, 1, 1, false, 0, read_agreement },
    { "host", 0, 1, 1, false, 0, read_host },
    { "reason", 1, 1, 0, true, 0, read_reason },
};

int stop_decode(struct stop *s, enum realm realm, struct span note, struct document *doc,
                struct buf *why)
{
    struct reading r = { .stop = s };
    int rc = document_decode(doc, realm, note);

    *s = (struct stop){ 0 };
    if (!rc && doc->type != DOCUMENT_STOP)
        rc = -HL_EFORMAT;
    if (rc)
        return document_say(why, rc, "this is no stop of this realm: %s", error_text(rc));
    rc = document_read(doc->note.text, grammar, COUNT(grammar), &r, why);
    if (rc)
        *s = (struct stop){ 0 };
    return rc;
}

int stop_print(struct buf *out, enum realm realm, const struct stop *s)
{
    static const char *const words[] = { [STOP_KEY] = "key ",
                                         [STOP_SUBKEY] = "subkey ",
                                         [STOP_AGREEMENT] = "agreement ",
                                         [STOP_HOST] = "host " };

    document_head(out, realm, DOCUMENT_STOP);
    buf_put_str(out, "party ");
    buf_put_span(out, s->party);
    buf_printf(out, "\ncard %" PRIu64 "\n%s", s->card, words[s->what]);
    if (s->what == STOP_HOST)
        buf_put_span(out, s->origin);
    else
        text_base64(out, SPAN(s->id, 32));
    buf_put_str(out, "\nreason ");
    buf_put_span(out, s->reason);
    return buf_put_u8(out, '\n');
}
