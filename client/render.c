#include "client/render.h"

#include <string.h>

#include <sodium.h>

#include "client/render_field.h"
#include "client/render_text.h"
#include "common/name.h"
#include "common/text.h"

#define HEAD_COLUMNS 11  /* NUMBER, FROM, TO, FORM */
#define LABEL_COLUMNS 13 /* of a field, after its number */
#define TITLE_COLUMNS 52 /* before the exercise's name */

/* "13 We ask   (a)  ": the number, the label unless the field before had it, the item. */
static void put_label(const struct render *r, struct buf *out, const struct phrase *p,
                      const struct form_field *f, const char **last)
{
    const struct param *item = NULL;
    struct span label = SPAN_NONE;

    buf_printf(out, "%2u ", f->number);
    if (!p) {
        put_padded(out, f->code, LABEL_COLUMNS);
    } else {
        for (size_t i = 0; i < p->n; i++)
            if (p->param[i].type == PHRASE_ITEM)
                item = render_find_param(f, span_str(p->param[i].name));
        if (!item || !*last || strcmp(*last, p->label) != 0)
            label = render_word(r, "label", span_str(p->label));
        *last = p->label;
        put_padded(out, label, item ? LABEL_COLUMNS - 4 : LABEL_COLUMNS);
    }
    if (item && item->type == PARAM_TEXT) {
        buf_put_u8(out, '(');
        put_isolated(out, item->bytes, r->rtl);
        buf_put_str(out, ") ");
    }
    buf_put_u8(out, ' ');
}

static void blank_head(struct buf *out, size_t columns)
{
    buf_clear(out);
    put_padded(out, SPAN_NONE, columns);
}

static void put_field(const struct render *r, const struct form_field *f, const char **last)
{
    const struct phrase *p = phrasebook_phrase(r->pb, f->code);
    struct buf head, next, text;

    buf_init(&head, 4096);
    buf_init(&next, 4096);
    buf_init(&text, RENDER_MAX);
    put_label(r, &head, p, f, last);
    render_put_field(r, &text, p, f);
    blank_head(&next, text_columns(buf_span(&head)));
    put_wrapped(r->out, buf_span(&head), buf_span(&next), buf_span(&text), r->rtl);
    buf_release(&head);
    buf_release(&next);
    buf_release(&text);
}

static void put_unreadable(const struct render *r, struct span name, struct span bytes)
{
    buf_put_u8(r->out, '[');
    render_put_frame(r, r->out, "unreadable");
    buf_put_str(r->out, "] ");
    put_isolated(r->out, name, r->rtl);
    buf_printf(r->out, ", %zu ", bytes.n);
    render_put_frame(r, r->out, "bytes");
    buf_put_u8(r->out, '\n');
}

/* One line of the head: a label of the frame, then what @text holds. */
static void put_head(const struct render *r, const char *label, struct buf *text)
{
    struct buf head, next;

    buf_init(&head, 4096);
    buf_init(&next, 4096);
    put_padded(&head, label ? render_frame(r, label) : SPAN_NONE, HEAD_COLUMNS);
    blank_head(&next, HEAD_COLUMNS);
    put_wrapped(r->out, buf_span(&head), buf_span(&next), buf_span(text), r->rtl);
    buf_release(&head);
    buf_release(&next);
    buf_clear(text);
}

static void put_realm(const struct render *r, enum realm realm, struct span exercise)
{
    const char *id = realm == REALM_EXERCISE ? "exercise" : "live";
    struct buf line;

    buf_init(&line, 4096);
    for (int i = 0; i < 3; i++) {
        buf_put_str(&line, i ? " " : "");
        render_put_frame(r, &line, id);
    }
    if (realm == REALM_EXERCISE && exercise.n) {
        for (size_t n = text_columns(buf_span(&line)); n < TITLE_COLUMNS; n++)
            buf_put_u8(&line, ' ');
        put_isolated(&line, exercise, r->rtl);
    }
    put_wrapped(r->out, buf_span(&line), SPAN_NONE, SPAN_NONE, r->rtl);
    buf_release(&line);
}

static void put_comma(const struct render *r, struct buf *out)
{
    render_put_frame(r, out, "comma");
    buf_put_u8(out, ' ');
}

static void put_party(const struct render *r, struct buf *out, struct span poc)
{
    struct span party = name_party(poc), office = name_office(poc);
    const char *state = phrasebook_word(r->pb, "party", party, r->lang);
    struct buf upper;

    buf_init(&upper, 256);
    for (size_t i = 0; i < party.n; i++)
        buf_put_u8(&upper, party.p[i] >= 'a' && party.p[i] <= 'z' ? party.p[i] - 32 : party.p[i]);
    put_isolated(out, state ? span_str(state) : buf_span(&upper), r->rtl);
    put_comma(r, out);
    put_isolated(out, render_word(r, "office", office), r->rtl);
    buf_release(&upper);
}

static void put_role(const struct render *r, struct buf *out, unsigned role)
{
    buf_put_str(out, " (");
    if (role == ROLE_ACTION || role == ROLE_INFORMATION) {
        buf_put_span(
            out, render_word(r, "role", span_str(role == ROLE_ACTION ? "action" : "information")));
    } else {
        buf_put_span(out, render_word(r, "role", span_str("alternate")));
        buf_printf(out, " %u", role > ROLE_ALTERNATE ? role - ROLE_ALTERNATE : 0);
    }
    buf_put_u8(out, ')');
}

static void put_precedence(const struct render *r, const struct render_facts *facts)
{
    const char *name = precedence_name(facts->precedence);
    char id[16] = "";
    char due[TEXT_TIME_SIZE];
    struct buf line;

    for (size_t i = 0; name && name[i] && i + 1 < sizeof(id); i++)
        id[i] = (char)(name[i] | 32);
    buf_init(&line, 4096);
    buf_put_span(&line, render_word(r, "precedence", span_str(id)));
    buf_put_str(&line, " \xc2\xb7 ");
    put_isolated(&line, span_str(precedence_letter(facts->precedence)), r->rtl);
    if (facts->marking.n) {
        buf_put_str(&line, "    ");
        put_isolated(&line, facts->marking, r->rtl);
    }
    if (facts->category.n) {
        buf_put_str(&line, "    ");
        put_isolated(&line, render_word(r, "category", facts->category), r->rtl);
    }
    if (facts->ack_due_ms) {
        text_dtg(due, facts->ack_due_ms);
        buf_put_str(&line, "    ");
        render_put_frame(r, &line, "acknowledge-by");
        buf_put_u8(&line, ' ');
        put_isolated(&line, span_str(due), r->rtl);
    }
    put_wrapped(r->out, buf_span(&line), SPAN_NONE, SPAN_NONE, r->rtl);
    buf_release(&line);
}

static void put_addresses(const struct render *r, const struct render_facts *facts,
                          struct buf *text)
{
    put_isolated(text, facts->number, r->rtl);
    put_comma(r, text);
    render_put_frame(r, text, "channel");
    buf_put_u8(text, ' ');
    put_isolated(text, facts->channel, r->rtl);
    put_head(r, "number", text);
    put_party(r, text, facts->sender);
    put_head(r, "from", text);
    for (size_t i = 0; i < facts->n_to; i++) {
        put_party(r, text, facts->to[i].poc);
        put_role(r, text, facts->to[i].role);
        put_head(r, i ? NULL : "to", text);
    }
}

/* The field FORM_STAGE, when it is what it should be. */
static struct span stage_of(const struct content *c)
{
    struct form_field f;

    if (form_field_decode(&f, content_field(c, "99")) || f.n != 1 ||
        f.param[0].type != PARAM_CODE || !span_eq_str(f.code, "STG-01"))
        return SPAN_NONE;
    return f.param[0].bytes;
}

static void put_form(const struct render *r, const struct render_facts *facts,
                     const struct content *c, struct buf *text)
{
    const char *kind = kind_name(facts->kind);
    struct span stage = stage_of(c);
    struct phrase_form form;
    bool known = phrasebook_form(r->pb, c->form, &form);
    const char *title = known ? form.title[r->lang] : NULL;

    if (kind && (!known || strcmp(form.kind, kind) != 0)) {
        put_isolated(text, render_word(r, "kind", span_str(kind)), r->rtl);
        buf_put_str(text, c->form.n ? ": " : "");
    }
    put_isolated(text, c->form, r->rtl && c->form.n);
    if (title) {
        put_comma(r, text);
        put_isolated(text, span_str(title), r->rtl);
    }
    if (stage.n) {
        put_comma(r, text);
        render_put_frame(r, text, "stage");
        buf_put_str(text, ": ");
        put_isolated(text, render_word(r, "stage", stage), r->rtl);
    }
    put_head(r, "form", text);
}

/* Typed by the sender: the subject, unless it is only the form and its stage again. */
static void put_subject(const struct render *r, const struct content *c, struct buf *text)
{
    struct span stage = stage_of(c);

    buf_put_span(text, c->form);
    buf_put_str(text, stage.n ? " " : "");
    buf_put_span(text, stage);
    if (c->subject.n == 0 || span_eq(c->subject, buf_span(text))) {
        buf_clear(text);
        return;
    }
    buf_clear(text);
    put_isolated(text, c->subject, r->rtl);
    buf_put_str(text, " (");
    render_put_frame(r, text, "not-agreed");
    buf_put_u8(text, ')');
    put_head(r, "subject", text);
}

static void put_free_text(const struct render *r, const struct content *c, struct span all)
{
    struct span bar = span_str("| "), line;
    struct buf text;

    buf_init(&text, RENDER_MAX);
    buf_put_u8(&text, '(');
    render_put_frame(r, &text, "not-agreed");
    put_comma(r, &text);
    put_isolated(&text, c->language, r->rtl);
    buf_put_u8(&text, ')');
    put_head(r, "text", &text);
    while (all.n) {
        const uint8_t *lf = memchr(all.p, '\n', all.n);

        line = SPAN(all.p, lf ? (size_t)(lf - all.p) : all.n);
        all = lf ? SPAN(lf + 1, all.n - line.n - 1) : SPAN_NONE;
        put_isolated(&text, line, r->rtl);
        put_wrapped(r->out, bar, bar, buf_span(&text), r->rtl);
        buf_clear(&text);
    }
    buf_release(&text);
}

static void put_attachment(const struct render *r, struct span field, struct buf *text)
{
    struct attachment a;
    uint8_t digest[32];
    char hex[65];

    if (attachment_decode(&a, field)) {
        put_unreadable(r, span_str("attachment"), field);
        return;
    }
    crypto_hash_sha256(digest, a.bytes.p, a.bytes.n);
    text_hex(hex, digest, sizeof(digest));
    put_isolated(text, a.type, r->rtl);
    put_comma(r, text);
    render_put_count(r, text, a.bytes.n);
    buf_put_u8(text, ' ');
    render_put_frame(r, text, "bytes");
    put_comma(r, text);
    put_isolated(text, a.label, r->rtl);
    buf_put_str(text, " (");
    render_put_frame(r, text, "not-agreed");
    buf_put_str(text, "), SHA-256 ");
    put_isolated(text, span_str(hex), r->rtl);
    put_head(r, "attachment", text);
}

static void put_content(const struct render *r, const struct content *c, struct buf *text)
{
    const char *last = NULL;

    for (size_t i = CONTENT_FIXED; i < c->n; i++) {
        struct form_field f;

        if (span_eq_str(c->name[i], "text"))
            put_free_text(r, c, c->field[i]);
        else if (span_eq_str(c->name[i], "attachment"))
            put_attachment(r, c->field[i], text);
        else if (span_eq_str(c->name[i], "category") || span_eq_str(c->name[i], "marking"))
            continue; /* in the head: the caller's facts */
        else if (form_field_decode(&f, c->field[i]))
            put_unreadable(r, c->name[i], c->field[i]);
        else if (f.number != FORM_STAGE || !stage_of(c).n)
            put_field(r, &f, &last);
    }
}

/* Sentences about the rendering itself, before anything that they concern. */
static void put_notice(const struct render *r, const char *id)
{
    put_wrapped(r->out, span_str("! "), span_str("  "), render_frame(r, id), r->rtl);
}

static void put_end(const struct render *r, const struct render_facts *facts, struct buf *text)
{
    if (facts->ack_due_ms) {
        buf_put_u8(r->out, '\n');
        put_wrapped(r->out, SPAN_NONE, SPAN_NONE, render_frame(r, "acknowledging"), r->rtl);
    }
    render_put_frame(r, text, "end-of");
    buf_put_u8(text, ' ');
    put_isolated(text, facts->number, r->rtl);
    put_wrapped(r->out, SPAN_NONE, SPAN_NONE, buf_span(text), r->rtl);
    buf_clear(text);
}

int render_message(struct buf *out, const struct phrasebook *pb, size_t lang,
                   const struct render_facts *facts, const struct content *c)
{
    const struct phrasebook_language *l = phrasebook_language(pb, lang);
    bool draft = facts->realm == REALM_LIVE && !l->agreed;
    int theirs = phrasebook_find_language(pb, c->language);
    struct render reader = { out, pb, lang, l->rtl, facts->sealed_ms }, r = reader;
    struct buf text;

    if (draft) {
        r.lang = theirs < 0 ? 0 : (size_t)theirs;
        r.rtl = phrasebook_language(pb, r.lang)->rtl;
    }
    buf_init(&text, RENDER_MAX);
    put_realm(&r, facts->realm, facts->exercise);
    if (draft && r.lang != lang)
        put_notice(&reader, "draft-language");
    if (c->phrasebook.n && !span_eq(c->phrasebook, SPAN(phrasebook_digest(pb), 32)))
        put_notice(&r, "other-book");
    put_precedence(&r, facts);
    put_addresses(&r, facts, &text);
    put_form(&r, facts, c, &text);
    put_subject(&r, c, &text);
    buf_put_u8(out, '\n');
    put_content(&r, c, &text);
    put_end(&r, facts, &text);
    put_realm(&r, facts->realm, SPAN_NONE);
    buf_release(&text);
    return out->bad;
}
