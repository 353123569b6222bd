#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/message_args.h"
#include "client/render.h"
#include "common/error.h"
#include "common/steps.h"
#include "common/text.h"

/*
 * A message as its reader sees it: the rendered form, then what happened to it, from the record.
 * Rows of the verb are gathered first, since the form comes before the steps.
 */
struct shown {
    struct session *session;
    struct render_facts facts;
    struct render_to to[ENVELOPE_TO_MAX];
    struct content content;
    struct span state, sentence, retracted, flags;
    bool carried, recorded;
    uint64_t ack_within_s;
    struct buf after; /* lines below the form */
    int rc;
};

static struct span kept(struct shown *sh, const struct pair *pair, size_t n, const char *key)
{
    return session_keep(sh->session, row_get(pair, n, key));
}

static uint64_t number_of(const struct pair *pair, size_t n, const char *key)
{
    uint64_t v = 0;

    return text_decimal(&v, row_get(pair, n, key)) == 0 ? v : 0;
}

static void on_message(struct shown *sh, const struct pair *pair, size_t n)
{
    struct render_facts *f = &sh->facts;

    precedence_parse(&f->precedence, row_get(pair, n, "precedence"));
    kind_parse(&f->kind, row_get(pair, n, "kind"));
    f->number = kept(sh, pair, n, "number");
    f->channel = kept(sh, pair, n, "channel");
    f->sender = kept(sh, pair, n, "sender");
    f->sealed_ms = number_of(pair, n, "sealed_ms");
    sh->ack_within_s = number_of(pair, n, "ack_within_s");
    f->ack_due_ms = number_of(pair, n, "due_ms");
    if (!f->ack_due_ms)
        f->ack_due_ms = steps_due(f->sealed_ms, sh->ack_within_s);
    sh->content.subject = kept(sh, pair, n, "subject");
    sh->state = kept(sh, pair, n, "state");
    sh->sentence = kept(sh, pair, n, "sentence");
    sh->retracted = kept(sh, pair, n, "retracted");
    sh->flags = kept(sh, pair, n, "flags");
    sh->carried = span_eq_str(row_get(pair, n, "carried"), "1");
}

static void on_header(struct shown *sh, const struct pair *pair, size_t n)
{
    sh->facts.category = kept(sh, pair, n, "category");
    sh->facts.marking = kept(sh, pair, n, "marking");
    sh->content.language = kept(sh, pair, n, "language");
    sh->content.form = kept(sh, pair, n, "form");
    sh->content.phrasebook = kept(sh, pair, n, "phrasebook");
    sh->content.thread = kept(sh, pair, n, "thread");
}

static void on_recipient(struct shown *sh, const struct pair *pair, size_t n)
{
    struct span role = row_get(pair, n, "role");
    struct render_to *to = &sh->to[sh->facts.n_to];
    uint64_t k = 1;

    if (sh->facts.n_to == ENVELOPE_TO_MAX)
        return;
    to->poc = kept(sh, pair, n, "poc");
    to->role = span_eq_str(role, "action") ? ROLE_ACTION : ROLE_INFORMATION;
    if (role.n > 10 && memcmp(role.p, "alternate ", 10) == 0) {
        if (text_decimal(&k, SPAN(role.p + 10, role.n - 10)) != 0)
            k = 1;
        to->role = ROLE_ALTERNATE + (unsigned)k;
    }
    sh->facts.n_to++;
}

static void on_field(struct shown *sh, const struct pair *pair, size_t n)
{
    struct content *c = &sh->content;

    if (c->n == CONTENT_FIELDS_MAX)
        return;
    c->name[c->n] = kept(sh, pair, n, "name");
    c->field[c->n++] = kept(sh, pair, n, "bytes");
}

static void line(struct shown *sh, const char *what, struct span who, uint64_t ms, const char *more)
{
    char at[TEXT_TIME_SIZE] = "";

    if (ms)
        text_time(at, ms);
    buf_printf(&sh->after, "%-14s ", what);
    text_safe(&sh->after, who);
    buf_printf(&sh->after, "   %s%s%s\n", at, *more ? "   " : "", more);
}

static void upper(char out[static 32], struct span word)
{
    size_t i = 0;

    for (; i < word.n && i < 31; i++)
        out[i] = (char)(word.p[i] >= 'a' && word.p[i] <= 'z' ? word.p[i] - 32 : word.p[i]);
    out[i] = 0;
}

static void on_step(struct shown *sh, const struct pair *pair, size_t n)
{
    struct span kind = row_get(pair, n, "kind");
    char word[32];

    upper(word, kind);
    line(sh, word, row_get(pair, n, "poc"), number_of(pair, n, "time_ms"),
         span_eq_str(kind, "delivered") || span_eq_str(kind, "cannot-read") ? "(machine)"
         : span_eq_str(kind, "acknowledged") ? "confirms receipt only"
                                             : "");
    if (row_get(pair, n, "remark").n) {
        buf_put_str(&sh->after, "               remark: ");
        text_safe(&sh->after, row_get(pair, n, "remark"));
        buf_put_str(&sh->after, "\n");
    }
}

static void on_notice(struct shown *sh, const struct pair *pair, size_t n)
{
    char word[32];

    upper(word, row_get(pair, n, "kind"));
    line(sh, word, row_get(pair, n, "poc"), number_of(pair, n, "time_ms"), "(notice of the host)");
}

static void on_host(struct shown *sh, const struct pair *pair, size_t n)
{
    struct span grade = row_get(pair, n, "grade"), sentence = row_get(pair, n, "sentence");
    char more[64];

    if (span_eq_str(grade, "sent")) {
        line(sh, sentence.n ? "REFUSED" : "NOT RECORDED", row_get(pair, n, "host"), 0, "");
        if (sentence.n) {
            text_safe(&sh->after, sentence);
            buf_put_u8(&sh->after, '\n');
        }
        return;
    }
    sh->recorded = true;
    snprintf(more, sizeof(more), "entry %llu, %.*s",
             (unsigned long long)number_of(pair, n, "index"), (int)grade.n, (const char *)grade.p);
    line(sh, "RECORDED", row_get(pair, n, "host"), number_of(pair, n, "time_ms"), more);
}

static void on_related(struct shown *sh, const struct pair *pair, size_t n)
{
    char word[32];

    upper(word, row_get(pair, n, "kind"));
    line(sh, word, row_get(pair, n, "number"), 0, "");
}

static const struct {
    const char *row;
    void (*take)(struct shown *sh, const struct pair *pair, size_t n);
} rows[] = {
    { "message", on_message }, { "header", on_header },   { "recipient", on_recipient },
    { "field", on_field },     { "step", on_step },       { "notice", on_notice },
    { "host", on_host },       { "related", on_related },
};

static int show_row(void *arg, const struct pair *pair, size_t n)
{
    struct shown *sh = arg;

    for (size_t i = 0; i < COUNT(rows); i++)
        if (span_eq_str(pair[0].value, rows[i].row))
            rows[i].take(sh, pair, n);
    return 0;
}

/* How it left, or came, when that was out of the ordinary. */
static const struct {
    const char *flag, *line;
} exceptions[] = {
    { "released-alone", "RELEASED ALONE (no second position answered the drafter)" },
    { "break-glass", "BREAK-GLASS (one position overrode the two-position rule)" },
    { "clock", "CLOCK IN DOUBT (sealed here while this clock and the witnesses' differed)" },
};

static void put_exceptions(struct buf *out, const struct shown *sh)
{
    for (size_t i = 0; i < COUNT(exceptions); i++)
        if (sh->flags.n && memmem(sh->flags.p, sh->flags.n, exceptions[i].flag,
                                  strlen(exceptions[i].flag)) != NULL)
            buf_printf(out, "%s\n", exceptions[i].line);
    if (sh->carried)
        buf_printf(out, "CARRIED BY HAND%s\n", sh->recorded ? "" : " (not in a record yet)");
    if (sh->retracted.n)
        buf_printf(out, "RETRACTED (%.*s)\n", (int)sh->retracted.n, (const char *)sh->retracted.p);
}

static int show_print(struct session *s, struct shown *sh)
{
    const char *tag = args_get(&s->args, "language");
    struct phrasebook *book = NULL;
    struct buf out;
    int lang, rc = session_phrasebook(s, &book);

    if (rc)
        return rc;
    buf_init(&out, RENDER_MAX);
    lang = phrasebook_find_language(book, span_str(tag ? tag : s->station->language));
    if (span_eq_str(sh->state, "cannot-read")) {
        buf_printf(&out, "%.*s from %.*s cannot be read here: ", (int)sh->facts.number.n,
                   (const char *)sh->facts.number.p, (int)sh->facts.sender.n,
                   (const char *)sh->facts.sender.p);
        text_safe(&out, sh->sentence);
        buf_put_u8(&out, '\n');
    } else {
        rc = render_message(&out, book, lang < 0 ? 0 : (size_t)lang, &sh->facts, &sh->content);
    }
    put_exceptions(&out, sh);
    buf_put_u8(&out, '\n');
    buf_put_span(&out, buf_span(&sh->after));
    if (!rc)
        rc = out.bad;
    if (!rc && fwrite(out.p, 1, out.n, stdout) != out.n)
        rc = -HL_ESYS;
    buf_release(&out);
    phrasebook_free(book);
    return rc;
}

int cmd_show(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    struct shown *sh = calloc(1, sizeof(*sh));
    bool raw = s->json || args_get(&s->args, "fields");
    int rc = -HL_ENOMEM;

    if (!req || !sh)
        goto out;
    sh->session = s;
    sh->facts.realm = s->realm;
    sh->facts.to = sh->to;
    sh->content.n = CONTENT_FIXED;
    buf_init(&sh->after, 1u << 20);
    session_request(req, "show");
    rc = session_message(s, req, 0);
    verb_add(req, "mark", SPAN("1", 1));
    if (!rc)
        rc = session_ask(s, req, raw ? NULL : show_row, raw ? NULL : sh);
    if (!rc && !raw)
        rc = show_print(s, sh);
    buf_release(&sh->after);
out:
    free(sh);
    free(req);
    return rc;
}
