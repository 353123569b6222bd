#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/agreementsource.h"
#include "client/commands.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"

static int load_cards(struct session *s, struct card **card, size_t *n)
{
    const char *path;
    struct buf in;
    int rc = 0;

    buf_init(&in, DOCUMENT_MAX);
    for (size_t i = 0; !rc && (path = args_nth(&s->args, "card", i)) != NULL; i++) {
        if (i == AGREEMENT_PARTIES) {
            rc = session_fail(s, -HL_EUSAGE, "too many cards");
            break;
        }
        buf_clear(&in);
        rc = session_file(s, path, &in);
        if (!rc)
            rc = card_new(&card[*n], s->realm, buf_span(&in), &s->why);
        if (!rc)
            rc = card_verify(card[(*n)++], NULL);
        if (rc)
            session_fail(s, rc, "%s: %s", path, error_text(rc));
    }
    buf_release(&in);
    return rc;
}

int cmd_agreement_new(struct session *s)
{
    struct card *card[AGREEMENT_PARTIES] = { NULL };
    struct agreementsource src = {
        .path = s->args.positional[0], .realm = s->realm, .card = card, .why = &s->why
    };
    const char *path = args_get(&s->args, "out");
    struct buf text;
    int rc = load_cards(s, card, &src.n_cards);

    buf_init(&text, DOCUMENT_MAX);
    if (!rc)
        rc = agreementsource_print(&src, &text);
    if (!rc && path) {
        rc = file_publish(path, buf_span(&text), 0644);
    } else if (!rc) {
        fwrite(text.p, 1, text.n, stdout);
    }
    for (size_t i = 0; i < AGREEMENT_PARTIES; i++)
        card_free(card[i]);
    buf_release(&text);
    return rc;
}

/* ---- explain ---- */

static void say_list(const struct span *word, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%s%.*s", i ? ", " : "", (int)word[i].n, (const char *)word[i].p);
}

static void explain_channels(const struct agreement *a, struct span party)
{
    for (size_t c = 0; c < a->n_channels; c++) {
        const struct agreement_channel *ch = &a->channel[c];
        bool mine = false;

        for (size_t i = 0; i < ch->n_members; i++)
            mine |= span_eq(name_party(ch->member[i]), party);
        if (!mine)
            continue;
        printf("On %.*s these read what is sent to them: ", (int)ch->name.n,
               (const char *)ch->name.p);
        say_list(ch->member, ch->n_members);
        puts(".");
    }
}

static void explain_deadlines(const struct agreement *a)
{
    for (unsigned p = 4; p-- > 0;)
        if (a->deadline_s[p])
            printf("%s must be acknowledged within %llu min, within attendance hours.\n",
                   precedence_name(p), (unsigned long long)(a->deadline_s[p] + 59) / 60);
}

static void explain_record(const struct agreement *a)
{
    printf("Recorded by: ");
    say_list(a->host, a->n_hosts);
    printf(
        ".\nThe hosts learn sender, recipients, channel, precedence, kind, size class and time%s; "
        "never the content.\n",
        a->sealed ? ", and category and marking unless sealed" : ", category and marking");
    printf("%u of %zu witnesses must cosign for a witnessed receipt.\n", a->quorum, a->n_witnesses);
    for (size_t i = 0; i < a->n_auditors; i++)
        printf("%.*s audits (%s).\n", (int)a->auditor[i].poc.n, (const char *)a->auditor[i].poc.p,
               a->auditor[i].full
                   ? "full mandate: sees who sent what kind of message to whom and when"
                   : "statistics only");
    printf("Openings are kept %llu days.\n", (unsigned long long)a->retention_days);
    puts("Every reader can prove to others what was said and by whom.");
}

int cmd_agreement_explain(struct session *s)
{
    struct span party = span_str(s->args.positional[1]);
    struct agreement *a = NULL;
    struct buf in;
    char hex[65];
    int rc;

    buf_init(&in, DOCUMENT_MAX);
    rc = session_file(s, s->args.positional[0], &in);
    if (!rc)
        rc = agreement_new(&a, s->realm, buf_span(&in), &s->why);
    if (!rc && agreement_party(a, party) < 0)
        rc = session_fail(s, -HL_EMEMBER, "%s is no party of it", s->args.positional[1]);
    if (!rc) {
        text_hex(hex, a->digest, 32);
        printf("%.*s, \"%.*s\"\ndigest %s\n\n%s may send these categories: ", (int)a->name.n,
               (const char *)a->name.p, (int)a->title.n, (const char *)a->title.p, hex,
               s->args.positional[1]);
        say_list(a->category, a->n_categories);
        printf(";\nmarked: ");
        say_list(a->marking, a->n_markings);
        puts(".");
        explain_channels(a, party);
        explain_deadlines(a);
        if (a->two_person)
            printf("Two positions release where a party lists two; %s.\n",
                   a->alone ? "after 5 min without the second the drafter may release alone, shown "
                              "to all"
                            : "nobody may release alone");
        printf("A pre-shared key is %s.\n", a->psk == PSK_NONE ? "not used"
                                            : a->psk == PSK_REQUIRED
                                                ? "required"
                                                : "used where members have one");
        explain_record(a);
    }
    agreement_free(a);
    buf_release(&in);
    return rc;
}

/* ---- show ---- */

struct showing {
    struct session *session;
};

static int show_row(void *arg, const struct pair *pair, size_t n)
{
    struct showing *sh = arg;
    struct span bytes;

    if (sh->session->json || !span_eq_str(pair[0].value, "text"))
        return output_row(&sh->session->out, pair, n);
    bytes = row_get(pair, n, "bytes");
    return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n ? 0 : -HL_ESYS;
}

int cmd_agreement_show(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    struct showing sh = { s };
    uint8_t digest[32];
    int rc;

    if (!req)
        return -HL_ENOMEM;
    session_request(req, "agreement-show");
    if (text_unhex(digest, 32, span_str(s->args.positional[0])) == 0)
        verb_add(req, "digest", session_keep(s, SPAN(digest, 32)));
    else
        verb_add(req, "name", span_str(s->args.positional[0]));
    rc = session_ask(s, req, show_row, &sh);
    free(req);
    return rc;
}
