#include "client/commands.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/agent.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "keys/keyfile.h"

int session_fail(struct session *s, int rc, const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (!s->why.n)
        text_safe(&s->why, span_str(line));
    return rc;
}

/* The block never moves: its whole limit is reserved at the first use, and the kernel gives pages
 * as they fill. */
struct span session_keep(struct session *s, struct span v)
{
    uint8_t *at;

    if (!s->keep.p && !buf_reserve(&s->keep, s->keep.max))
        return SPAN_NONE;
    at = s->keep.p + s->keep.n;
    if (buf_put_span(&s->keep, v))
        return SPAN_NONE;
    return SPAN(at, v.n);
}

/* The agent was started elsewhere: it is told where, seen from here. */
struct span session_path(struct session *s, const char *path)
{
    char here[PATH_MAX], joined[2 * PATH_MAX];

    if (path[0] == '/' || !getcwd(here, sizeof(here)))
        return span_str(path);
    snprintf(joined, sizeof(joined), "%s/%s", here, path);
    return session_keep(s, span_str(joined));
}

void session_request(struct verb_request *req, const char *verb)
{
    memset(req, 0, sizeof(*req));
    snprintf(req->name, sizeof(req->name), "%s", verb);
}

void session_options(struct session *s, struct verb_request *req)
{
    for (size_t i = 0; i < s->args.n; i++)
        if (s->args.option[i].spec->key)
            verb_add(req, s->args.option[i].spec->key, span_str(s->args.option[i].value));
}

static bool starts_number(const char *word)
{
    return word[0] >= '0' && word[0] <= '9' && strchr(word, '-');
}

int session_message(struct session *s, struct verb_request *req, size_t from)
{
    const struct args *a = &s->args;
    char number[96];
    uint8_t mid[32];

    if (from >= a->n_positional)
        return session_fail(s, -HL_EUSAGE, "name a message: BOREALIA 7-6");
    if (text_unhex(mid, 32, span_str(a->positional[from])) == 0) {
        verb_add(req, "mid", session_keep(s, SPAN(mid, 32)));
        from++;
    } else {
        bool two = from + 1 < a->n_positional && starts_number(a->positional[from + 1]);

        snprintf(number, sizeof(number), "%s%s%s", a->positional[from], two ? " " : "",
                 two ? a->positional[from + 1] : "");
        verb_add(req, "number", session_keep(s, span_str(number)));
        from += two ? 2 : 1;
    }
    if (from < a->n_positional)
        verb_add(req, "channel", span_str(a->positional[from++]));
    return from == a->n_positional ? 0 : session_fail(s, -HL_EUSAGE, "too many arguments");
}

/* ---- asking ---- */

struct asking {
    struct session *session;
    int (*row)(void *arg, const struct pair *pair, size_t n);
    void *arg;
    int code;
};

static int asking_row(void *arg, const struct pair *pair, size_t n)
{
    struct asking *a = arg;

    return a->row ? a->row(a->arg, pair, n) : output_row(&a->session->out, pair, n);
}

static void asking_end(void *arg, int code, const char *sentence)
{
    struct asking *a = arg;

    a->code = code;
    buf_clear(&a->session->why);
    text_safe(&a->session->why, span_str(sentence));
}

int session_ask(struct session *s, const struct verb_request *req,
                int (*row)(void *arg, const struct pair *pair, size_t n), void *arg)
{
    struct asking a = { .session = s, .row = row, .arg = arg, .code = -HL_EBROKER };
    const struct verb_sink sink = { &a, asking_row, asking_end };
    int rc = agent_run_verb(s->station, req, &sink);

    return rc ? rc : a.code;
}

static struct span positional_value(struct session *s, const char *key, const char *word)
{
    return strcmp(key, "dir") == 0 ? session_path(s, word) : span_str(word);
}

/* A list of nothing prints nothing; a person is told that this is the answer. */
static void say_empty(const struct session *s)
{
    static const struct {
        const char *verb, *sentence;
    } empty[] = {
        { "inbox", "nothing awaits you (inbox --all: also what is settled)" },
        { "outbox", "everything that you sent is settled (outbox --all: also that)" },
        { "drafts", "no draft waits for release" },
        { "contacts", "no contact is known yet: no card of a PoC is in force here" },
        { "party-list", "no card of a party is in force here" },
        { "agreement-list", "no agreement is known to this desk" },
        { "documents", "no document of the record is known to this desk" },
        { "psk-list", "this desk has no pre-shared key" },
        { "evidence", "nothing here proves a fault of anybody" },
    };

    if (s->json || s->out.rows || !isatty(STDERR_FILENO))
        return;
    for (size_t i = 0; i < COUNT(empty); i++)
        if (strcmp(s->command->verb, empty[i].verb) == 0)
            fprintf(stderr, "%s\n", empty[i].sentence);
}

int command_verb(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    size_t from = 0;
    int rc = 0;

    if (!req)
        return -HL_ENOMEM;
    session_request(req, s->command->verb);
    session_options(s, req);
    for (size_t i = 0; i < 2 && s->command->positional[i] && !rc; i++) {
        if (strcmp(s->command->positional[i], "MSG") == 0)
            rc = session_message(s, req, from);
        else if (from < s->args.n_positional)
            verb_add(req, s->command->positional[i],
                     positional_value(s, s->command->positional[i], s->args.positional[from++]));
    }
    if (!rc)
        rc = session_ask(s, req, NULL, NULL);
    if (!rc)
        say_empty(s);
    free(req);
    return rc;
}

/* ---- passphrases and files ---- */

int session_pass(struct session *s, const char *path, struct secret **pass)
{
    struct keyfile_info info;
    char prompt[256];
    int rc = keyfile_info(path, s->realm, &info);

    *pass = NULL;
    if (rc)
        return session_fail(s, rc, "%s", path);
    if (!info.sealed)
        return 0;
    if (s->no_input && s->pass_fd < 0)
        return session_fail(s, -HL_EPASS, "%s is sealed: give --passphrase-fd", path);
    snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", info.name);
    return secret_prompt(prompt, s->pass_fd, pass);
}

int session_new_pass(struct session *s, struct secret **pass)
{
    *pass = NULL;
    if (args_get(&s->args, "no-passphrase"))
        return 0;
    if (s->pass_fd < 0 && (s->no_input || !isatty(STDIN_FILENO)))
        return session_fail(s, -HL_EUSAGE,
                            "new keys are sealed by a passphrase: give --passphrase-fd, or say "
                            "--no-passphrase");
    return secret_prompt_new("New passphrase: ", s->pass_fd, pass);
}

static int read_stdin(struct buf *out)
{
    size_t n;

    do {
        uint8_t *p = buf_reserve(out, 4096);

        if (!p)
            return out->bad;
        n = fread(p, 1, 4096, stdin);
        buf_commit(out, n);
    } while (n);
    return ferror(stdin) ? -HL_ESYS : 0;
}

int session_file(struct session *s, const char *path, struct buf *out)
{
    int rc = strcmp(path, "-") == 0 ? read_stdin(out) : file_read(path, out);

    if (rc)
        return session_fail(s, rc, "%s: %s", path, error_text(rc));
    if (keyfile_recognised(buf_span(out)))
        return session_fail(s, -HL_EUSAGE,
                            "%s is a secret key; it belongs to no command line and "
                            "is shown to nobody",
                            path);
    return 0;
}

int session_number(struct session *s, const char *name, uint64_t dflt, uint64_t *v)
{
    const char *word = args_get(&s->args, name);

    *v = dflt;
    if (word && text_decimal(v, span_str(word)) != 0)
        return session_fail(s, -HL_EUSAGE, "--%s is a whole number, not \"%s\"", name, word);
    return 0;
}
