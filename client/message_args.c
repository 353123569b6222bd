#include "client/message_args.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/content.h"
#include "common/error.h"
#include "common/text.h"

#ifndef HL_DATADIR
#define HL_DATADIR "/usr/local/share/hotline"
#endif

void message_args_init(struct message_args *m)
{
    memset(m, 0, sizeof(*m));
    buf_init(&m->text, CONTENT_MAX);
    buf_init(&m->file, CONTENT_MAX);
    buf_init(&m->attachment, CONTENT_MAX);
}

void message_args_release(struct message_args *m)
{
    form_free(m->form);
    phrasebook_free(m->book);
    buf_release(&m->text);
    buf_release(&m->file);
    buf_release(&m->attachment);
}

/* The program of a source tree stands in build/, and its phrasebook beside that folder. */
static bool beside_program(char path[static PATH_MAX])
{
    static const char book[] = "/../conf/phrasebook/core.cfg";
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(book));
    char *slash;

    if (n <= 0 || n == (ssize_t)(PATH_MAX - sizeof(book)))
        return false;
    path[n] = 0;
    slash = strrchr(path, '/');
    if (!slash)
        return false;
    memcpy(slash, book, sizeof(book));
    return access(path, R_OK) == 0;
}

int session_phrasebook(struct session *s, struct phrasebook **out)
{
    const char *path = getenv("HOTLINE_PHRASEBOOK");
    char own[600], beside[PATH_MAX];

    if (!path && s->station) {
        station_path(s->station, own, "phrasebook.cfg");
        if (access(own, R_OK) == 0)
            path = own;
    }
    if (!path && beside_program(beside))
        path = beside;
    return phrasebook_open(out, path ? path : HL_DATADIR "/phrasebook/core.cfg", &s->why);
}

/* ---- numbers of other messages ---- */

struct mid_row {
    uint8_t *mid;
    bool found;
};

static int mid_row(void *arg, const struct pair *pair, size_t n)
{
    struct mid_row *r = arg;
    struct span mid = row_get(pair, n, "mid");

    if (!r->found && span_eq_str(pair[0].value, "message") && mid.n == 32) {
        memcpy(r->mid, mid.p, 32);
        r->found = true;
    }
    return 0;
}

int session_mid(struct session *s, const char *number, uint8_t mid[static 32])
{
    struct verb_request *req = malloc(sizeof(*req));
    struct mid_row r = { mid, false };
    int rc;

    if (!req)
        return -HL_ENOMEM;
    session_request(req, "show");
    verb_add(req, "number", span_str(number));
    rc = session_ask(s, req, mid_row, &r);
    free(req);
    return rc ? rc : r.found ? 0 : -HL_ENOENT;
}

/* ---- from files and options to pairs ---- */

static int read_form(struct session *s, struct message_args *m, struct verb_request *req)
{
    const char *path = args_get(&s->args, "form");
    int rc;

    if (!path)
        return 0;
    rc = session_phrasebook(s, &m->book);
    if (!rc)
        rc = form_read(&m->form, path, m->book, clock_now_ms(), &s->why);
    if (rc)
        return rc;
    verb_add(req, "form", span_str(m->form->id));
    verb_add(req, "phrasebook", SPAN(m->form->phrasebook, 32));
    for (size_t i = 0; i < m->form->n; i++) {
        struct buf b;

        buf_init(&b, m->form->field[i].bytes.n + 8);
        buf_printf(&b, "%u=", m->form->field[i].number);
        buf_put_span(&b, m->form->field[i].bytes);
        verb_add(req, "field", session_keep(s, buf_span(&b)));
        buf_release(&b);
    }
    return 0;
}

/* An option that was given wins over the form. */
static void add_unless_option(struct session *s, struct verb_request *req, const char *option,
                              const char *key, const char *value)
{
    if (value && !args_get(&s->args, option))
        verb_add(req, key, span_str(value));
}

static void add_form_defaults(struct session *s, struct message_args *m, struct verb_request *req)
{
    const struct form *f = m->form;
    char seconds[24];

    add_unless_option(s, req, "kind", "kind", kind_name(f->kind));
    add_unless_option(s, req, "precedence", "precedence", precedence_name(f->precedence));
    add_unless_option(s, req, "category", "category", f->category);
    add_unless_option(s, req, "marking", "marking", f->marking);
    add_unless_option(s, req, "subject", "subject", f->subject);
    add_unless_option(s, req, "language", "language", f->language);
    if (f->ack_within_s && !args_get(&s->args, "ack-within")) {
        snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)f->ack_within_s);
        verb_add(req, "ack_within_s", session_keep(s, span_str(seconds)));
    }
    if (f->lifetime_s) {
        snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)f->lifetime_s);
        verb_add(req, "lifetime_s", session_keep(s, span_str(seconds)));
    }
    if (f->text && !args_get(&s->args, "text"))
        verb_add(req, "text", span_str(f->text));
}

static void add_reader(struct session *s, struct verb_request *req, const char *poc,
                       const char *role)
{
    char both[128];

    snprintf(both, sizeof(both), "%s %s", poc, role);
    verb_add(req, "to", session_keep(s, span_str(both)));
}

static void add_readers(struct session *s, struct message_args *m, struct verb_request *req)
{
    bool typed = args_get(&s->args, "to") || args_get(&s->args, "info");
    const char *poc;

    for (size_t i = 0; m->form && !typed && i < m->form->action.n; i++)
        add_reader(s, req, m->form->action.v[i], "action");
    for (size_t i = 0; m->form && !typed && i < m->form->info.n; i++)
        add_reader(s, req, m->form->info.v[i], "information");
    for (size_t i = 0; (poc = args_nth(&s->args, "to", i)) != NULL; i++)
        add_reader(s, req, poc, "action");
    for (size_t i = 0; (poc = args_nth(&s->args, "info", i)) != NULL; i++)
        add_reader(s, req, poc, "information");
}

static int add_refs(struct session *s, struct verb_request *req)
{
    const char *number;
    int rc = 0;

    for (size_t i = 0; !rc && (number = args_nth(&s->args, "ref", i)) != NULL; i++) {
        uint8_t mid[32];

        rc = session_mid(s, number, mid);
        if (!rc)
            verb_add(req, "ref", session_keep(s, SPAN(mid, 32)));
    }
    return rc;
}

static int add_files(struct session *s, struct message_args *m, struct verb_request *req)
{
    const char *text = args_get(&s->args, "text"), *path = args_get(&s->args, "attach");
    const char *type = args_get(&s->args, "attach-type"),
               *label = args_get(&s->args, "attach-label");
    struct attachment a;
    int rc = 0;

    if (text) {
        rc = session_file(s, text, &m->text);
        if (!rc && text_utf8(buf_span(&m->text), true) != 0)
            rc = session_fail(s, -HL_EUSAGE, "%s is not plain UTF-8 text", text);
        verb_add(req, "text", buf_span(&m->text));
    }
    if (rc || !path)
        return rc;
    rc = session_file(s, path, &m->file);
    a = (struct attachment){ span_str(type ? type : "application/octet-stream"),
                             span_str(label ? label : "annex"), buf_span(&m->file) };
    if (!rc)
        rc = attachment_put(&m->attachment, &a);
    verb_add(req, "attachment", buf_span(&m->attachment));
    return rc;
}

int message_args_read(struct session *s, struct message_args *m, struct verb_request *req)
{
    int rc = read_form(s, m, req);

    if (rc)
        return rc;
    if (m->form)
        add_form_defaults(s, m, req);
    session_options(s, req);
    add_readers(s, m, req);
    rc = add_refs(s, req);
    if (!rc)
        rc = add_files(s, m, req);
    m->precedence = args_get(&s->args, "precedence");
    if (!m->precedence)
        m->precedence = m->form ? precedence_name(m->form->precedence) : "ROUTINE";
    return rc;
}

/* ---- what release means, before it happens ---- */

struct members {
    const char *channel;
    const struct verb_request *req;
    struct buf *names;      /* of the channel's members */
    struct buf *alternates; /* lines: an action addressee, its alternates */
};

static bool has_word(struct span words, struct span word)
{
    struct span w;

    while (text_field(&words, &w))
        if (span_eq(w, word))
            return true;
    return false;
}

static bool addressed(const struct verb_request *req, struct span poc, bool for_action)
{
    struct span to, word, role;

    for (size_t i = 0; (to = verb_get_nth(req, "to", i)).n; i++)
        if (text_field(&to, &word) && span_eq(word, poc))
            return !for_action || (text_field(&to, &role) && span_eq_str(role, "action"));
    return false;
}

static int member_row(void *arg, const struct pair *pair, size_t n)
{
    struct members *m = arg;
    struct span poc = row_get(pair, n, "poc"), alternates = row_get(pair, n, "alternates");

    if (has_word(row_get(pair, n, "channels"), span_str(m->channel))) {
        buf_put_str(m->names, m->names->n ? " " : "");
        buf_put_span(m->names, poc);
    }
    if (alternates.n && addressed(m->req, poc, true)) {
        buf_put_span(m->alternates, poc);
        buf_put_u8(m->alternates, ' ');
        buf_put_span(m->alternates, alternates);
        buf_put_u8(m->alternates, '\n');
    }
    return 0;
}

/* An alternate reads it when the addressee is silent; only members of the channel are sealed to. */
static void alternates_print(const struct members *m)
{
    struct span rest = buf_span(m->alternates), line, poc, alternate;

    while (text_line(&rest, &line) && text_field(&line, &poc))
        while (text_field(&line, &alternate))
            if (has_word(buf_span(m->names), alternate) && !addressed(m->req, alternate, false))
                fprintf(stderr, "and when it is silent, alternate of %.*s: %.*s\n", (int)poc.n,
                        (const char *)poc.p, (int)alternate.n, (const char *)alternate.p);
}

int exposure_print(struct session *s, const char *channel, const struct verb_request *req)
{
    struct verb_request *ask = malloc(sizeof(*ask));
    struct buf names, alternates;
    struct members m = { channel, req, &names, &alternates };
    struct span to;
    int rc;

    if (!ask)
        return -HL_ENOMEM;
    buf_init(&names, 65536);
    buf_init(&alternates, 65536);
    fputs("will read it:    ", stderr);
    for (size_t i = 0; (to = verb_get_nth(req, "to", i)).n; i++)
        fprintf(stderr, "%s%.*s", i ? ", " : "", (int)to.n, (const char *)to.p);
    fputc('\n', stderr);
    session_request(ask, "contacts");
    rc = session_ask(s, ask, member_row, &m);
    alternates_print(&m);
    fprintf(stderr,
            "may see its steps: members of %s: %s\nlearn that it exists (sender, readers, "
            "channel, precedence, "
            "kind, size class, time): ",
            channel, buf_str(&names));
    for (size_t i = 0; i < s->station->n_hosts; i++)
        fprintf(stderr, "%s%s", i ? ", " : "", s->station->host[i].origin);
    fputs("\nevery reader can prove to others that you said this\n", stderr);
    buf_release(&names);
    buf_release(&alternates);
    free(ask);
    return rc;
}

int confirm_urgent(struct session *s, const char *precedence, struct span first_reader)
{
    const char *typed = args_get(&s->args, "confirm");
    struct span party = name_party(first_reader);
    char want[64], line[128] = "";
    size_t n;

    if (s->realm != REALM_LIVE ||
        (strcasecmp(precedence, "FLASH") != 0 && strcasecmp(precedence, "IMMEDIATE") != 0))
        return 0;
    snprintf(want, sizeof(want), "%s %.*s", precedence, (int)party.n, (const char *)party.p);
    for (n = 0; want[n]; n++)
        want[n] = (char)toupper((unsigned char)want[n]);
    if (!typed && !s->no_input) {
        fprintf(stderr, "LIVE. Type %s to release: ", want);
        if (fgets(line, sizeof(line), stdin))
            line[strcspn(line, "\n")] = 0;
        typed = line;
    }
    if (typed && strcmp(typed, want) == 0)
        return 0;
    return session_fail(s, -HL_EUSAGE,
                        "a live %s is released only when \"%s\" is typed (--confirm)", precedence,
                        want);
}
