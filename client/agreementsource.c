#include "client/agreementsource.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/envelope.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"

#define DAY_S 86400

typedef int read_fn(struct agreementsource *src, config_setting_t *s);

static int bad(struct agreementsource *src, const config_setting_t *s, const char *what)
{
    return conf_fail(src->why, src->path, s ? config_setting_source_line(s) : 0, "%s: %s",
                     s && config_setting_name(s) ? config_setting_name(s) : "entry", what);
}

static int get_word(struct agreementsource *src, config_setting_t *s, struct span *out)
{
    *out = SPAN_NONE;
    if (!s || config_setting_type(s) != CONFIG_TYPE_STRING)
        return bad(src, s, "a text in quotes is needed");
    *out = span_str(config_setting_get_string(s));
    return 0;
}

static int get_number(struct agreementsource *src, config_setting_t *s, uint64_t *out)
{
    if (!s || config_setting_type(s) != CONFIG_TYPE_INT64 || config_setting_get_int64(s) < 0)
        return bad(src, s, "a whole number is needed");
    *out = (uint64_t)config_setting_get_int64(s);
    return 0;
}

static int get_words(struct agreementsource *src, config_setting_t *s, struct span *out, size_t max,
                     size_t *n)
{
    int len = config_setting_length(s), rc = 0;

    if (!config_setting_is_aggregate(s) || len < 0 || (size_t)len > max)
        return bad(src, s, "a list of texts is needed, not longer than the format allows");
    for (int i = 0; i < len && !rc; i++)
        rc = get_word(src, config_setting_get_elem(s, (unsigned)i), &out[i]);
    *n = (size_t)len;
    return rc;
}

static int get_date(struct agreementsource *src, config_setting_t *s, uint64_t *ms)
{
    struct span word;
    int rc = get_word(src, s, &word);

    if (!rc && word.n && text_untime(ms, word) != 0)
        rc = bad(src, s, "a date like 2026-11-22 is needed");
    return rc;
}

static int get_digest(struct agreementsource *src, config_setting_t *s, uint8_t out[static 32])
{
    struct span path;
    struct buf in;
    int rc = get_word(src, s, &path);

    if (rc || !path.n)
        return rc;
    buf_init(&in, 64u << 20);
    rc = file_read((const char *)path.p, &in);
    if (rc)
        rc = bad(src, s, "that file cannot be read");
    else
        crypto_hash_sha256(out, in.p, in.n);
    buf_release(&in);
    return rc;
}

static const struct card *card_of(const struct agreementsource *src, struct span party)
{
    for (size_t i = 0; i < src->n_cards; i++)
        if (span_eq(src->card[i]->party, party))
            return src->card[i];
    return NULL;
}

/* ---- each setting ---- */

static int read_name(struct agreementsource *src, config_setting_t *s)
{
    return get_word(src, s, &src->a->name);
}

static int read_title(struct agreementsource *src, config_setting_t *s)
{
    return get_word(src, s, &src->a->title);
}

static int read_parties(struct agreementsource *src, config_setting_t *s)
{
    struct span party[AGREEMENT_PARTIES];
    struct agreement *a = src->a;
    int rc = get_words(src, s, party, AGREEMENT_PARTIES, &a->n_parties);

    for (size_t i = 0; i < a->n_parties && !rc; i++) {
        const struct card *card = card_of(src, party[i]);

        if (!card)
            return bad(src, s, "no card was given for one of them: say --card");
        if (card->serial != 1)
            return bad(src, s,
                       "the first card (serial 1) of each party is needed: it has the "
                       "fingerprint");
        a->party[i].party = party[i];
        card_fingerprint(a->party[i].fingerprint, src->realm, card->threshold,
                         (const uint8_t(*)[32])card->root, card->n_roots);
    }
    return rc;
}

static int read_force(struct agreementsource *src, config_setting_t *s)
{
    uint64_t n = 0;
    int rc = 0;

    if (config_setting_type(s) != CONFIG_TYPE_STRING)
        rc = get_number(src, s, &n);
    else if (strcmp(config_setting_get_string(s), "all") != 0)
        rc = bad(src, s, "\"all\" or a number");
    src->a->force = (unsigned)n;
    return rc;
}

static int read_from(struct agreementsource *src, config_setting_t *s)
{
    return get_date(src, s, &src->a->from_ms);
}

static int read_until(struct agreementsource *src, config_setting_t *s)
{
    return get_date(src, s, &src->a->until_ms);
}

static int read_categories(struct agreementsource *src, config_setting_t *s)
{
    return get_words(src, s, src->a->category, AGREEMENT_CATEGORIES, &src->a->n_categories);
}

static int read_markings(struct agreementsource *src, config_setting_t *s)
{
    return get_words(src, s, src->a->marking, AGREEMENT_MARKINGS, &src->a->n_markings);
}

static int get_yes(struct agreementsource *src, config_setting_t *s, bool *out)
{
    if (config_setting_type(s) != CONFIG_TYPE_BOOL)
        return bad(src, s, "true or false is needed");
    *out = config_setting_get_bool(s);
    return 0;
}

static int read_sealed(struct agreementsource *src, config_setting_t *s)
{
    return get_yes(src, s, &src->a->sealed);
}

static int read_attachments(struct agreementsource *src, config_setting_t *s)
{
    int len = config_setting_length(s), rc = 0;

    if (!config_setting_is_list(s) || len > AGREEMENT_ATTACHMENTS)
        return bad(src, s, "a list of { type, max } is needed");
    for (int i = 0; i < len && !rc; i++) {
        config_setting_t *g = config_setting_get_elem(s, (unsigned)i);

        rc = get_word(src, config_setting_get_member(g, "type"), &src->a->attachment[i].type);
        if (!rc)
            rc = get_number(src, config_setting_get_member(g, "max"), &src->a->attachment[i].max);
    }
    src->a->n_attachments = (size_t)len;
    return rc;
}

static int get_four(struct agreementsource *src, config_setting_t *s, uint64_t out[static 4])
{
    int rc = 0;

    if (config_setting_length(s) != 4)
        return bad(src, s, "four numbers are needed, ROUTINE first");
    for (unsigned i = 0; i < 4 && !rc; i++)
        rc = get_number(src, config_setting_get_elem(s, i), &out[i]);
    return rc;
}

static int read_deadlines(struct agreementsource *src, config_setting_t *s)
{
    return get_four(src, s, src->a->deadline_s);
}

static int read_handling(struct agreementsource *src, config_setting_t *s)
{
    return get_four(src, s, src->a->handling_s);
}

static int read_two(struct agreementsource *src, config_setting_t *s)
{
    return get_yes(src, s, &src->a->two_person);
}

static int read_alone(struct agreementsource *src, config_setting_t *s)
{
    return get_yes(src, s, &src->a->alone);
}

static int read_psk(struct agreementsource *src, config_setting_t *s)
{
    static const char *const word[] = { "none", "allowed", "required" };
    struct span v;
    int rc = get_word(src, s, &v);

    for (unsigned i = 0; i < COUNT(word) && !rc; i++) {
        if (!span_eq_str(v, word[i]))
            continue;
        src->a->psk = (enum psk_duty)i;
        return 0;
    }
    return rc ? rc : bad(src, s, "none, allowed or required");
}

static int read_channels(struct agreementsource *src, config_setting_t *s)
{
    struct agreement *a = src->a;
    int len = config_setting_length(s), rc = 0;

    if (!config_setting_is_list(s) || len < 1 || len > AGREEMENT_CHANNELS)
        return bad(src, s, "a list of { name, members } is needed");
    a->channel = calloc((size_t)len, sizeof(*a->channel));
    if (!a->channel)
        return -HL_ENOMEM;
    for (int i = 0; i < len && !rc; i++) {
        config_setting_t *g = config_setting_get_elem(s, (unsigned)i);
        config_setting_t *members = config_setting_get_member(g, "members");
        struct agreement_channel *c = &a->channel[i];

        a->n_channels++;
        rc = get_word(src, config_setting_get_member(g, "name"), &c->name);
        c->member = calloc(ENVELOPE_TO_MAX, sizeof(*c->member));
        if (!rc && !c->member)
            rc = -HL_ENOMEM;
        if (!rc && !members)
            rc = bad(src, g, "members are needed");
        if (!rc)
            rc = get_words(src, members, c->member, ENVELOPE_TO_MAX, &c->n_members);
    }
    return rc;
}

static int read_hosts(struct agreementsource *src, config_setting_t *s)
{
    return get_words(src, s, src->a->host, AGREEMENT_HOSTS, &src->a->n_hosts);
}

static int read_witnesses(struct agreementsource *src, config_setting_t *s)
{
    struct span party[AGREEMENT_WITNESSES];
    int rc = get_words(src, s, party, AGREEMENT_WITNESSES, &src->a->n_witnesses);

    for (size_t i = 0; i < src->a->n_witnesses && !rc; i++) {
        const struct card *card = card_of(src, party[i]);

        if (!card || !card->has_witness)
            return bad(src, s, "a card with a witness key is needed for each: say --card");
        src->a->witness[i] = card->witness;
    }
    return rc;
}

static int read_quorum(struct agreementsource *src, config_setting_t *s)
{
    uint64_t k = 0;
    int rc = get_number(src, s, &k);

    src->a->quorum = (unsigned)k;
    return rc;
}

static int read_auditors(struct agreementsource *src, config_setting_t *s)
{
    int len = config_setting_length(s), rc = 0;

    if (!config_setting_is_list(s) || len > AGREEMENT_AUDITORS)
        return bad(src, s, "a list of { poc, mandate } is needed");
    for (int i = 0; i < len && !rc; i++) {
        config_setting_t *g = config_setting_get_elem(s, (unsigned)i);
        struct span mandate;

        rc = get_word(src, config_setting_get_member(g, "poc"), &src->a->auditor[i].poc);
        if (!rc)
            rc = get_word(src, config_setting_get_member(g, "mandate"), &mandate);
        if (!rc)
            src->a->auditor[i].full = span_eq_str(mandate, "full");
        if (!rc && !src->a->auditor[i].full && !span_eq_str(mandate, "statistics"))
            rc = bad(src, g, "a mandate is full or statistics");
    }
    src->a->n_auditors = (size_t)len;
    return rc;
}

static int read_retention(struct agreementsource *src, config_setting_t *s)
{
    return get_number(src, s, &src->a->retention_days);
}

static int read_languages(struct agreementsource *src, config_setting_t *s)
{
    return get_words(src, s, src->a->language, AGREEMENT_LANGUAGES, &src->a->n_languages);
}

static int read_phrasebook(struct agreementsource *src, config_setting_t *s)
{
    return get_digest(src, s, src->a->phrasebook);
}

static int read_treaty(struct agreementsource *src, config_setting_t *s)
{
    return get_digest(src, s, src->a->treaty);
}

static const struct {
    const char *name;
    read_fn *read;
    bool required;
} settings[] = {
    { "name", read_name, true },
    { "title", read_title, true },
    { "parties", read_parties, true },
    { "force", read_force, true },
    { "valid_from", read_from, true },
    { "valid_until", read_until, false },
    { "categories", read_categories, true },
    { "markings", read_markings, true },
    { "sealed", read_sealed, false },
    { "attachments", read_attachments, false },
    { "deadlines_s", read_deadlines, true },
    { "handling_s", read_handling, true },
    { "two_persons", read_two, true },
    { "alone_after_waiting", read_alone, true },
    { "psk", read_psk, true },
    { "channels", read_channels, true },
    { "hosts", read_hosts, true },
    { "witnesses", read_witnesses, true },
    { "quorum", read_quorum, true },
    { "auditors", read_auditors, false },
    { "retention_days", read_retention, true },
    { "languages", read_languages, true },
    { "phrasebook", read_phrasebook, false },
    { "treaty", read_treaty, false },
};

static int read_all(struct agreementsource *src)
{
    config_setting_t *root = config_root_setting(&src->config);
    int rc = 0;

    for (int i = 0; i < config_setting_length(root) && !rc; i++) {
        config_setting_t *s = config_setting_get_elem(root, (unsigned)i);
        size_t k = 0;

        while (k < COUNT(settings) && strcmp(settings[k].name, config_setting_name(s)) != 0)
            k++;
        if (k == COUNT(settings))
            rc = bad(src, s, "an agreement has no such setting");
    }
    for (size_t k = 0; k < COUNT(settings) && !rc; k++) {
        config_setting_t *s = config_setting_get_member(root, settings[k].name);

        if (s)
            rc = settings[k].read(src, s);
        else if (settings[k].required)
            rc = conf_fail(src->why, src->path, 0, "%s is missing", settings[k].name);
    }
    return rc;
}

int agreementsource_print(struct agreementsource *src, struct buf *out)
{
    struct agreement *check = NULL;
    int rc = -HL_ENOMEM;

    config_init(&src->config);
    src->a = calloc(1, sizeof(*src->a));
    if (!src->a)
        goto out;
    rc = conf_read(&src->config, src->path, src->why);
    if (!rc)
        rc = read_all(src);
    if (!rc) {
        randombytes_buf(src->a->random, sizeof(src->a->random));
        rc = agreement_print(out, src->realm, src->a);
    }
    if (!rc) /* what we print must be what everybody accepts */
        rc = agreement_new(&check, src->realm, buf_span(out), src->why);
    agreement_free(check);
out:
    agreement_free(src->a);
    src->a = NULL;
    config_destroy(&src->config);
    return rc;
}
