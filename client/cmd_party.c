#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cardsource.h"
#include "client/commands.h"
#include "client/roots.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/stop.h"
#include "common/text.h"
#include "keys/keyfile.h"

#define YEAR_DAYS 365

/*
 * A party's folder, kept offline:
 *
 *   party.txt              "party arcadia", "threshold 2", "root <key>" for each (public)
 *   root-1.key ..          secret root keys that are here; others may be at other places
 *   card-1.note ..         every card; card.note: the newest
 */
int cmd_party_init(struct session *s)
{
    const char *dir = s->args.positional[0], *party = s->args.positional[1];
    uint64_t n, k;
    struct secret *pass = NULL;
    int rc = session_number(s, "roots", 1, &n);

    if (!rc)
        rc = session_number(s, "threshold", n, &k);
    if (!rc && (!name_label(span_str(party)) || n < 1 || n > CARD_ROOTS || k < 1 || k > n))
        rc = session_fail(s, -HL_EUSAGE,
                          "a party is a word like arcadia; 1 to %d root keys, and "
                          "a threshold not above their number",
                          CARD_ROOTS);
    if (!rc)
        rc = session_new_pass(s, &pass);
    if (!rc)
        rc = roots_create(dir, s->realm, party, (unsigned)n, (unsigned)k, pass);
    secret_free(pass);
    if (!rc && !s->json)
        fprintf(stderr,
                "made %s: %u root key%s of %s; keep them offline\nnext: hotline --realm %s "
                "party card %s --poc .../poc.public\n",
                dir, (unsigned)n, n > 1 ? "s" : "", party, realm_name(s->realm), dir);
    return rc ? session_fail(s, rc, "%s: %s", dir, error_text(rc)) : 0;
}

/* ---- the next card ---- */

static int card_blocks(struct session *s, struct cardsource *src, const char *option)
{
    const char *path;
    struct buf in;
    int rc = 0;

    buf_init(&in, DOCUMENT_MAX);
    for (size_t i = 0; (path = args_nth(&s->args, option, i)) != NULL && !rc; i++) {
        buf_clear(&in);
        rc = session_file(s, path, &in);
        if (!rc && cardsource_add(src, buf_span(&in)) != 0)
            rc = session_fail(s, -HL_EFORMAT, "%s: not lines of a card", path);
    }
    buf_release(&in);
    return rc;
}

static int card_changes(struct session *s, struct cardsource *src)
{
    const char *word;
    int rc = card_blocks(s, src, "poc");

    if (!rc)
        rc = card_blocks(s, src, "host");
    for (size_t i = 0; !rc && (word = args_nth(&s->args, "drop", i)) != NULL; i++)
        if (cardsource_drop(src, word) != 0)
            rc = session_fail(s, -HL_ENOENT, "the card has no %s", word);
    for (size_t i = 0; !rc && (word = args_nth(&s->args, "alternate", i)) != NULL; i++) {
        const char *eq = strchr(word, '=');

        if (!eq ||
            cardsource_alternate(src, SPAN(word, (size_t)(eq - word)), span_str(eq + 1)) != 0)
            rc = session_fail(s, -HL_EUSAGE,
                              "--alternate is OFFICE=PARTY.OFFICE, of an office of "
                              "this card");
    }
    for (size_t i = 0; !rc && (word = args_nth(&s->args, "revoke", i)) != NULL; i++)
        buf_printf(&src->revoked, "revoked %s %llu\n", word, (unsigned long long)clock_now_ms());
    for (size_t i = 0; !rc && (word = args_nth(&s->args, "resume", i)) != NULL; i++) {
        uint8_t digest[32];

        if (text_unhex(digest, 32, span_str(word)) != 0)
            return session_fail(s, -HL_EUSAGE, "--resume is an agreement's digest in hex");
        buf_put_str(&src->resumed, "resumed ");
        text_base64(&src->resumed, SPAN(digest, 32));
        buf_put_u8(&src->resumed, '\n');
    }
    return rc;
}

static int card_text(struct session *s, const struct roots *r, const struct card *prev,
                     const struct cardsource *src, struct buf *text)
{
    uint64_t days, now = clock_now_ms();
    int rc = session_number(s, "days", YEAR_DAYS, &days);

    if (rc)
        return rc;
    document_head(text, s->realm, DOCUMENT_CARD);
    buf_printf(text, "party %s\nserial %llu\nprevious ", r->party,
               (unsigned long long)(prev ? prev->serial + 1 : 1));
    if (prev)
        text_base64(text, SPAN(prev->digest, 32));
    else
        buf_put_u8(text, '-');
    buf_printf(text, "\nvalid %llu %llu\n", (unsigned long long)now,
               (unsigned long long)(now + days * CLOCK_DAY_MS));
    roots_print(r, text);
    return cardsource_print(src, text);
}

static int card_finish(struct session *s, const char *dir, struct span note,
                       const struct card *prev)
{
    struct card *card = NULL;
    char path[600];
    uint8_t fp[32];
    char groups[TEXT_GROUPS_SIZE];
    int rc = card_new(&card, s->realm, note, &s->why), signed_rc;

    if (rc)
        return rc;
    signed_rc = card_verify(card, prev);
    snprintf(path, sizeof(path), "%s/card-%llu.note", dir, (unsigned long long)card->serial);
    rc = file_create(path, note, 0644);
    if (rc)
        rc = session_fail(s, rc, "%s: %s", path, error_text(rc));
    snprintf(path, sizeof(path), "%s/card.note", dir);
    if (!rc && !signed_rc)
        rc = file_publish(path, note, 0644);
    if (!rc && signed_rc)
        rc = session_fail(s, -HL_EWAITING,
                          "%s/card-%llu.note needs more signatures: `hotline "
                          "party sign` where the other root keys are",
                          dir, (unsigned long long)card->serial);
    if (!rc && !s->json) {
        card_fingerprint(fp, s->realm, card->threshold, (const uint8_t(*)[32])card->root,
                         card->n_roots);
        text_groups(groups, fp);
        fprintf(stderr, "made %s, serial %llu\nfingerprint to be read aloud: %s\n", path,
                (unsigned long long)card->serial, groups);
    }
    card_free(card);
    return rc;
}

/* The newest card of the folder, when there is one. */
static int card_before(struct session *s, const char *dir, struct card **prev)
{
    char path[600];
    struct buf in;
    int rc;

    *prev = NULL;
    buf_init(&in, DOCUMENT_MAX);
    snprintf(path, sizeof(path), "%s/card.note", dir);
    rc = file_read(path, &in);
    if (!rc)
        rc = card_new(prev, s->realm, buf_span(&in), &s->why);
    buf_release(&in);
    return rc == -HL_ENOENT ? 0 : rc;
}

int cmd_party_card(struct session *s)
{
    const char *dir = s->args.positional[0];
    struct cardsource *src = calloc(1, sizeof(*src));
    struct card *prev = NULL;
    struct roots *r = NULL;
    struct buf text, note;
    int rc = -HL_ENOMEM;

    buf_init(&text, DOCUMENT_MAX);
    buf_init(&note, DOCUMENT_MAX);
    if (!src)
        goto out;
    cardsource_init(src);
    rc = roots_open(s, dir, &r);
    if (!rc)
        rc = card_before(s, dir, &prev);
    if (!rc && prev)
        rc = cardsource_add(src, buf_span(&prev->text));
    if (!rc)
        rc = card_changes(s, src);
    if (!rc)
        rc = card_text(s, r, prev, src, &text);
    if (!rc)
        rc = roots_sign(r, buf_span(&text), &note);
    if (!rc)
        rc = card_finish(s, dir, buf_span(&note), prev);
out:
    roots_close(r);
    card_free(prev);
    if (src)
        cardsource_release(src);
    free(src);
    buf_release(&text);
    buf_release(&note);
    return rc;
}

/* ---- signing, pinning, stopping, submitting ---- */

/* To a file or to stdout. */
static int put_out(struct session *s, struct span v)
{
    const char *path = args_get(&s->args, "out");
    int rc;

    if (!path)
        return fwrite(v.p, 1, v.n, stdout) == v.n ? 0 : -HL_ESYS;
    rc = file_publish(path, v, 0644);
    return rc ? session_fail(s, rc, "%s: %s", path, error_text(rc)) : 0;
}

static int sign_with(struct session *s, const char *dir, struct span text_or_note)
{
    struct roots *r = NULL;
    struct buf note;
    int rc = roots_open(s, dir, &r);

    buf_init(&note, DOCUMENT_MAX);
    if (!rc)
        rc = roots_sign(r, text_or_note, &note);
    if (!rc)
        rc = put_out(s, buf_span(&note));
    roots_close(r);
    buf_release(&note);
    return rc;
}

int cmd_party_sign(struct session *s)
{
    struct buf in;
    int rc;

    buf_init(&in, DOCUMENT_MAX);
    rc = session_file(s, s->args.positional[1], &in);
    if (!rc)
        rc = sign_with(s, s->args.positional[0], buf_span(&in));
    buf_release(&in);
    return rc;
}

int cmd_agreement_sign(struct session *s)
{
    const char *dir = args_get(&s->args, "party");
    struct buf in;
    int rc;

    if (!dir)
        return session_fail(s, -HL_EUSAGE, "say --party DIR: the folder with the root keys");
    buf_init(&in, DOCUMENT_MAX);
    rc = session_file(s, s->args.positional[0], &in);
    if (!rc)
        rc = sign_with(s, dir, buf_span(&in));
    buf_release(&in);
    return rc;
}

int cmd_fingerprint(struct session *s)
{
    struct card *card = NULL;
    uint8_t fp[32];
    char groups[TEXT_GROUPS_SIZE], hex[65];
    struct buf in;
    int rc;

    buf_init(&in, DOCUMENT_MAX);
    rc = session_file(s, s->args.positional[0], &in);
    if (!rc)
        rc = card_new(&card, s->realm, buf_span(&in), &s->why);
    if (!rc) {
        card_fingerprint(fp, s->realm, card->threshold, (const uint8_t(*)[32])card->root,
                         card->n_roots);
        text_groups(groups, fp);
        text_hex(hex, fp, 32);
        printf("%.*s\t%s\t%s\n", (int)card->party.n, (const char *)card->party.p, groups, hex);
    }
    card_free(card);
    buf_release(&in);
    return rc;
}

/* Never "do they match?": the officer types what the other side reads out. */
int cmd_party_pin(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    char typed[256] = "";
    int rc = 0;

    if (!req)
        return -HL_ENOMEM;
    session_request(req, "party-pin");
    verb_add(req, "party", span_str(s->args.positional[0]));
    session_options(s, req);
    if (!args_get(&s->args, "typed")) {
        if (s->no_input)
            rc = session_fail(s, -HL_EUSAGE, "say --typed with the digits as read out");
        else
            fprintf(stderr,
                    "type what %s reads out, eight groups of five digits: ", s->args.positional[0]);
        if (!rc && !fgets(typed, sizeof(typed), stdin))
            rc = -HL_EUSAGE;
        typed[strcspn(typed, "\n")] = 0;
        verb_add(req, "typed", span_str(typed));
    }
    if (!rc)
        rc = session_ask(s, req, NULL, NULL);
    free(req);
    return rc;
}

static int stop_thing(struct session *s, struct stop *st)
{
    static const char *const what[] = { [STOP_KEY] = "key",
                                        [STOP_SUBKEY] = "subkey",
                                        [STOP_AGREEMENT] = "agreement",
                                        [STOP_HOST] = "host" };
    const char *word = s->args.positional[0], *id = s->args.positional[1];

    for (size_t i = 0; i < COUNT(what); i++) {
        if (strcmp(word, what[i]) != 0)
            continue;
        st->what = (enum stop_what)i;
        if (st->what == STOP_HOST) {
            st->origin = span_str(id);
            return 0;
        }
        if (text_unhex(st->id, 32, span_str(id)) == 0 ||
            text_unbase64_n(st->id, 32, span_str(id)) == 0)
            return 0;
    }
    return session_fail(s, -HL_EUSAGE, "stop key|subkey KEY, agreement DIGEST, or host ORIGIN");
}

static int stop_sign(struct session *s, const char *dir, const struct card *card, struct span text)
{
    const char *path = args_get(&s->args, "key");
    struct secret *pass = NULL;
    struct seckey *key = NULL;
    const struct card_poc *poc = NULL;
    struct buf note;
    int rc;

    if (!path)
        return sign_with(s, dir, text);
    buf_init(&note, DOCUMENT_MAX);
    rc = session_pass(s, path, &pass);
    if (!rc)
        rc = keyfile_load_sign(path, s->realm, KEY_POSITION, pass, &key);
    for (size_t i = 0; !rc && i < card->n_pocs; i++)
        for (size_t k = 0; k < card->poc[i].n_keys; k++)
            if (memcmp(card->poc[i].key[k].key, seckey_public(key), 32) == 0)
                poc = &card->poc[i];
    if (!rc && !poc)
        rc = session_fail(s, -HL_EKEY, "the card does not list the key of %s", path);
    if (!rc)
        rc = sign_document(&note, text, span_str(poc->name), key);
    if (!rc)
        rc = put_out(s, buf_span(&note));
    seckey_free(key);
    secret_free(pass);
    buf_release(&note);
    return rc;
}

int cmd_stop(struct session *s)
{
    const char *dir = args_get(&s->args, "party"), *path = args_get(&s->args, "card");
    const char *reason = args_get(&s->args, "reason");
    struct card *card = NULL;
    struct stop st = { .reason = span_str(reason ? reason : "stopped by its party") };
    struct buf in, text;
    char own[600];
    int rc = stop_thing(s, &st);

    buf_init(&in, DOCUMENT_MAX);
    buf_init(&text, DOCUMENT_MAX);
    if (!rc && !path && !dir)
        rc = session_fail(s, -HL_EUSAGE, "say --party DIR, or --key FILE with --card FILE");
    snprintf(own, sizeof(own), "%s/card.note", dir ? dir : "");
    if (!rc)
        rc = session_file(s, path ? path : own, &in);
    if (!rc)
        rc = card_new(&card, s->realm, buf_span(&in), &s->why);
    if (!rc) {
        st.party = card->party;
        st.card = card->serial;
        rc = stop_print(&text, s->realm, &st);
    }
    if (!rc)
        rc = stop_sign(s, dir, card, buf_span(&text));
    card_free(card);
    buf_release(&in);
    buf_release(&text);
    return rc;
}

int cmd_submit(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    struct buf in;
    int rc = -HL_ENOMEM;

    buf_init(&in, DOCUMENT_MAX);
    if (!req)
        goto out;
    rc = session_file(s, s->args.positional[0], &in);
    session_request(req, "submit");
    session_options(s, req);
    verb_add(req, "bytes", buf_span(&in));
    if (!rc)
        rc = session_ask(s, req, NULL, NULL);
out:
    free(req);
    buf_release(&in);
    return rc;
}
