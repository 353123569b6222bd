#include "common/agreement.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"

#define WORD_MAX 63
#define MEMBERS_MAX ENVELOPE_TO_MAX

/* What the grammar fills, and what it must remember on the way. */
struct reading {
    struct agreement *a;
    enum realm realm;
    size_t n_deadlines, n_handlings, cap; /* cap: of the channel being read */
};

/* Does @word stand among the @n before it?  Lists are short and read once. */
static bool stands(const struct span *list, size_t n, struct span word)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq(list[i], word))
            return true;
    return false;
}

static int word_add(struct span *list, size_t *n, struct span word)
{
    if (word.n > WORD_MAX)
        return -HL_ETOOBIG;
    if (stands(list, *n, word))
        return -HL_EDUPLICATE;
    list[(*n)++] = word;
    return 0;
}

static int digest_or_none(uint8_t out[static 32], struct span field)
{
    if (span_eq_str(field, "-"))
        return 0;
    if (text_unbase64_n(out, 32, field) || sodium_is_zero(out, 32))
        return -HL_EFORMAT;
    return 0;
}

static int read_name(void *target, struct span *field, size_t n)
{
    struct reading *r = target;

    (void)n;
    r->a->name = field[0];
    if (field[0].n > 40)
        return -HL_ETOOBIG;
    for (size_t i = 0; i < field[0].n; i++) {
        uint8_t c = field[0].p[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return -HL_EFORMAT;
    }
    return 0;
}

static int read_title(void *target, struct span *field, size_t n)
{
    struct reading *r = target;

    (void)n;
    r->a->title = field[0];
    return 0;
}

static int read_party(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;

    (void)n;
    if (!name_label(field[0]) || text_unbase64_n(a->party[a->n_parties].fingerprint, 32, field[1]))
        return -HL_EFORMAT;
    if (agreement_party(a, field[0]) >= 0)
        return -HL_EDUPLICATE;
    a->party[a->n_parties++].party = field[0];
    return 0;
}

static int read_force(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;
    uint64_t k;

    (void)n;
    if (span_eq_str(field[0], "all"))
        return 0;
    if (text_decimal(&k, field[0]) || k < 2 || k > a->n_parties)
        return -HL_EFORMAT;
    a->force = (unsigned)k;
    return 0;
}

static int read_valid(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;

    (void)n;
    if (text_decimal(&a->from_ms, field[0]) || text_decimal(&a->until_ms, field[1]))
        return -HL_EFORMAT;
    return a->until_ms == 0 || a->from_ms < a->until_ms ? 0 : -HL_EFORMAT;
}

static int read_category(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;

    (void)n;
    return word_add(a->category, &a->n_categories, field[0]);
}

static int read_marking(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;

    (void)n;
    return word_add(a->marking, &a->n_markings, field[0]);
}

static int read_sealed(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;

    (void)n;
    a->sealed = span_eq_str(field[0], "yes");
    return a->sealed || span_eq_str(field[0], "no") ? 0 : -HL_EFORMAT;
}

static int read_attachment(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;
    uint64_t max;

    (void)n;
    if (field[0].n > WORD_MAX || !memchr(field[0].p, '/', field[0].n) ||
        text_decimal(&max, field[1]) || max == 0 || max > ENVELOPE_BUCKET_MAX)
        return -HL_EFORMAT;
    for (size_t i = 0; i < a->n_attachments; i++)
        if (span_eq(a->attachment[i].type, field[0]))
            return -HL_EDUPLICATE;
    a->attachment[a->n_attachments].type = field[0];
    a->attachment[a->n_attachments++].max = max;
    return 0;
}

/* One line for each precedence, in their order. */
static int per_precedence(uint64_t value[static 4], size_t *n, struct span *field)
{
    if (!span_eq_str(field[0], precedence_name((unsigned)*n)) || text_decimal(&value[*n], field[1]))
        return -HL_EFORMAT;
    (*n)++;
    return 0;
}

static int read_deadline(void *target, struct span *field, size_t n)
{
    struct reading *r = target;

    (void)n;
    return per_precedence(r->a->deadline_s, &r->n_deadlines, field);
}

static int read_handling(void *target, struct span *field, size_t n)
{
    struct reading *r = target;

    (void)n;
    return per_precedence(r->a->handling_s, &r->n_handlings, field);
}

static int read_release(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;

    (void)n;
    a->two_person = span_eq_str(field[0], "two");
    a->alone = span_eq_str(field[1], "alone");
    if (!a->two_person && !span_eq_str(field[0], "one"))
        return -HL_EFORMAT;
    return a->alone || span_eq_str(field[1], "never") ? 0 : -HL_EFORMAT;
}

static int read_psk(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;

    (void)n;
    for (unsigned duty = PSK_NONE; duty <= PSK_REQUIRED; duty++)
        if (span_eq_str(field[0], psk_duty_name((enum psk_duty)duty))) {
            a->psk = (enum psk_duty)duty;
            return 0;
        }
    return -HL_EFORMAT;
}

static int read_suite(void *target, struct span *field, size_t n)
{
    (void)target;
    (void)n;
    return span_eq_str(field[0], "1") ? 0 : -HL_ESUITE;
}

static int read_channel(void *target, struct span *field, size_t n)
{
    struct reading *r = target;
    struct agreement *a = r->a;

    (void)n;
    if (!name_channel(field[0]))
        return -HL_EFORMAT;
    if (agreement_channel(a, field[0]))
        return -HL_EDUPLICATE;
    a->channel[a->n_channels++].name = field[0];
    r->cap = 0;
    return 0;
}

static int grow(struct agreement_channel *c, size_t cap)
{
    struct span *member = realloc(c->member, cap * sizeof(*member));
    uint8_t *party;

    if (!member)
        return -HL_ENOMEM;
    c->member = member;
    party = realloc(c->party, cap);
    if (!party)
        return -HL_ENOMEM;
    c->party = party;
    return 0;
}

static int read_member(void *target, struct span *field, size_t n)
{
    struct reading *r = target;
    struct agreement_channel *c = &r->a->channel[r->a->n_channels - 1];
    int party = agreement_party(r->a, name_party(field[0]));

    (void)n;
    if (!name_poc(field[0]))
        return -HL_EFORMAT;
    if (party < 0)
        return -HL_EFORMAT;
    if (c->n_members && span_cmp(c->member[c->n_members - 1], field[0]) >= 0)
        return -HL_EFORMAT;
    if (c->n_members == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 8;
        if (grow(c, r->cap))
            return -HL_ENOMEM;
    }
    c->member[c->n_members] = field[0];
    c->party[c->n_members++] = (uint8_t)party;
    return 0;
}

static int read_host(void *target, struct span *field, size_t n)
{
    struct reading *r = target;

    (void)n;
    if (!document_origin(field[0], r->realm, NULL))
        return -HL_EFORMAT;
    if (stands(r->a->host, r->a->n_hosts, field[0]))
        return -HL_EDUPLICATE;
    r->a->host[r->a->n_hosts++] = field[0];
    return 0;
}

static int read_witness(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;
    struct note_key *key = &a->witness[a->n_witnesses];
    int rc = note_key_parse(key, field[0]);

    (void)n;
    if (rc)
        return rc;
    if (key->type != NOTE_COSIGNATURE)
        return -HL_EFORMAT;
    for (size_t i = 0; i < a->n_witnesses; i++)
        if (memcmp(a->witness[i].key, key->key, 32) == 0 ||
            strcmp(a->witness[i].name, key->name) == 0)
            return -HL_EDUPLICATE;
    a->n_witnesses++;
    return 0;
}

static int read_quorum(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;
    uint64_t k;

    (void)n;
    if (text_decimal(&k, field[0]) || k < 1 || k > a->n_witnesses)
        return -HL_EFORMAT;
    a->quorum = (unsigned)k;
    return 0;
}

static int read_auditor(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;
    bool full = span_eq_str(field[1], "full");

    (void)n;
    if (!name_poc(field[0]) || (!full && !span_eq_str(field[1], "statistics")))
        return -HL_EFORMAT;
    for (size_t i = 0; i < a->n_auditors; i++)
        if (span_eq(a->auditor[i].poc, field[0]))
            return -HL_EDUPLICATE;
    a->auditor[a->n_auditors].poc = field[0];
    a->auditor[a->n_auditors++].full = full;
    return 0;
}

static int read_retention(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;

    (void)n;
    if (text_decimal(&a->retention_days, field[0]) || a->retention_days == 0 ||
        a->retention_days > 36500)
        return -HL_EFORMAT;
    return 0;
}

static int read_language(void *target, struct span *field, size_t n)
{
    struct agreement *a = ((struct reading *)target)->a;

    (void)n;
    return document_languages(field[0], false) ? word_add(a->language, &a->n_languages, field[0])
                                               : -HL_EFORMAT;
}

static int read_phrasebook(void *target, struct span *field, size_t n)
{
    (void)n;
    return digest_or_none(((struct reading *)target)->a->phrasebook, field[0]);
}

static int read_treaty(void *target, struct span *field, size_t n)
{
    (void)n;
    return digest_or_none(((struct reading *)target)->a->treaty, field[0]);
}

static int read_random(void *target, struct span *field, size_t n)
{
    (void)n;
    return text_unbase64_n(((struct reading *)target)->a->random, 32, field[0]);
}

#define CHANNEL 15 /* number of the keyword "channel", from 1 */
static const struct keyword grammar[] = {
    { "name", 1, 1, 1, false, 0, read_name },
    { "title", 1, 1, 0, true, 0, read_title },
    { "party", 2, AGREEMENT_PARTIES, 2, false, 0, read_party },
    { "force", 1, 1, 1, false, 0, read_force },
    { "valid", 1, 1, 2, false, 0, read_valid },
    { "category", 1, AGREEMENT_CATEGORIES, 1, false, 0, read_category },
    { "marking", 1, AGREEMENT_MARKINGS, 1, false, 0, read_marking },
    { "sealed", 1, 1, 1, false, 0, read_sealed },
    { "attachment", 0, AGREEMENT_ATTACHMENTS, 2, false, 0, read_attachment },
    { "deadline", 4, 4, 2, false, 0, read_deadline },
    { "handling", 4, 4, 2, false, 0, read_handling },
    { "release", 1, 1, 2, false, 0, read_release },
    { "psk", 1, 1, 1, false, 0, read_psk },
    { "suite", 1, 1, 1, false, 0, read_suite },
    { "channel", 1, AGREEMENT_CHANNELS, 1, false, 0, read_channel },
    { "member", 2, MEMBERS_MAX, 1, false, CHANNEL, read_member },
    { "host", 1, AGREEMENT_HOSTS, 1, false, 0, read_host },
    { "witness", 3, AGREEMENT_WITNESSES, 1, false, 0, read_witness },
    { "quorum", 1, 1, 1, false, 0, read_quorum },
    { "auditor", 0, AGREEMENT_AUDITORS, 2, false, 0, read_auditor },
    { "retention", 1, 1, 1, false, 0, read_retention },
    { "language", 1, AGREEMENT_LANGUAGES, 1, false, 0, read_language },
    { "phrasebook", 1, 1, 1, false, 0, read_phrasebook },
    { "treaty", 1, 1, 1, false, 0, read_treaty },
    { "random", 1, 1, 1, false, 0, read_random },
};

/* channel = H(L("channel") || H(agreement text) || N(channel name)) */
static void channel_id(struct agreement_channel *c, enum realm realm,
                       const uint8_t digest[static 32])
{
    uint8_t in[LABEL_SIZE + 32 + 1 + NAME_MAX_LEN];
    size_t n = label_write(in, realm, "channel");

    memcpy(in + n, digest, 32);
    in[n + 32] = (uint8_t)c->name.n;
    memcpy(in + n + 33, c->name.p, c->name.n);
    crypto_hash_sha256(c->id, in, n + 33 + c->name.n);
}

static int first_line(enum realm realm, struct span text)
{
    struct span rest = text, line, field;
    enum realm other;

    if (!text_line(&rest, &line) || !text_field(&line, &field) || !span_eq_str(field, "hotline/1"))
        return -HL_EFORMAT;
    if (!text_field(&line, &field) || realm_parse(&other, field) ||
        !span_eq_str(line, document_type_name(DOCUMENT_AGREEMENT)))
        return -HL_EFORMAT;
    return other == realm ? 0 : -HL_EREALM;
}

int agreement_new(struct agreement **out, enum realm realm, struct span text, struct buf *why)
{
    struct agreement *a = calloc(1, sizeof(*a));
    struct reading r = { .a = a, .realm = realm };
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!a)
        return rc;
    buf_init(&a->text, DOCUMENT_MAX);
    a->channel = calloc(AGREEMENT_CHANNELS, sizeof(a->channel[0]));
    if (!a->channel)
        goto out;
    rc = buf_put_span(&a->text, text);
    if (rc)
        goto out;
    rc = first_line(realm, text);
    if (rc) {
        document_say(why, rc, "this is no agreement of this realm: %s", error_text(rc));
        goto out;
    }
    rc = document_read(buf_span(&a->text), grammar, COUNT(grammar), &r, why);
    if (rc)
        goto out;
    crypto_hash_sha256(a->digest, a->text.p, a->text.n);
    for (size_t i = 0; i < a->n_channels; i++)
        channel_id(&a->channel[i], realm, a->digest);
    *out = a;
    a = NULL;
out:
    agreement_free(a);
    return rc;
}

void agreement_free(struct agreement *a)
{
    if (!a)
        return;
    for (size_t i = 0; a->channel && i < a->n_channels; i++) {
        free(a->channel[i].member);
        free(a->channel[i].party);
    }
    free(a->channel);
    buf_release(&a->text);
    free(a);
}

int agreement_party(const struct agreement *a, struct span party)
{
    for (size_t i = 0; i < a->n_parties; i++)
        if (span_eq(a->party[i].party, party))
            return (int)i;
    return -1;
}

const struct agreement_channel *agreement_channel(const struct agreement *a, struct span name)
{
    for (size_t i = 0; i < a->n_channels; i++)
        if (span_eq(a->channel[i].name, name))
            return &a->channel[i];
    return NULL;
}

int channel_member_index(const struct agreement_channel *c, struct span poc)
{
    size_t low = 0, high = c->n_members;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = span_cmp(poc, c->member[mid]);

        if (order == 0)
            return (int)mid;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return -1;
}

bool channel_member(const struct agreement_channel *c, struct span poc)
{
    return channel_member_index(c, poc) >= 0;
}
