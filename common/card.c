#include "common/card.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"

/* ---- fields ---- */

/* In the one order in which they are written. */
static const struct {
    const char *word;
    unsigned bit;
} permissions[] = {
    { "draft", PERM_DRAFT },     { "release", PERM_RELEASE }, { "acknowledge", PERM_ACKNOWLEDGE },
    { "machine", PERM_MACHINE }, { "stop", PERM_STOP },       { "audit", PERM_AUDIT },
};

int permissions_parse(unsigned *p, struct span s)
{
    size_t next = 0;

    *p = 0;
    for (;;) {
        const uint8_t *comma = s.n ? memchr(s.p, ',', s.n) : NULL;
        struct span word = SPAN(s.p, comma ? (size_t)(comma - s.p) : s.n);

        while (next < COUNT(permissions) && !span_eq_str(word, permissions[next].word))
            next++;
        if (next == COUNT(permissions))
            return -HL_EFORMAT;
        *p |= permissions[next++].bit;
        if (!comma)
            break;
        s = SPAN(comma + 1, s.n - word.n - 1);
    }
    return (*p & PERM_MACHINE) && *p != PERM_MACHINE ? -HL_EFORMAT : 0;
}

int permissions_print(struct buf *out, unsigned p)
{
    const char *comma = "";

    for (size_t i = 0; i < COUNT(permissions); i++)
        if (p & permissions[i].bit) {
            buf_printf(out, "%s%s", comma, permissions[i].word);
            comma = ",";
        }
    return out->bad;
}

static bool minutes(unsigned *min, struct span s)
{
    for (size_t i = 0; i < 4; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    *min = (unsigned)(s.p[0] - '0') * 600 + (unsigned)(s.p[1] - '0') * 60 +
           (unsigned)(s.p[2] - '0') * 10 + (unsigned)(s.p[3] - '0');
    return s.p[2] < '6' && *min <= 1440;
}

int attendance_parse(struct span s, unsigned *from_min, unsigned *until_min)
{
    *from_min = 0;
    *until_min = 1440;
    if (span_eq_str(s, "24/7"))
        return 0;
    if (s.n != 9 || s.p[4] != '-' || !minutes(from_min, s) ||
        !minutes(until_min, SPAN(s.p + 5, 4)) || *from_min == *until_min || *from_min == 1440)
        return -HL_EFORMAT;
    return 0;
}

/* ---- the grammar ---- */

static int read_party(void *target, struct span *field, size_t n)
{
    struct card *card = target;

    (void)n;
    card->party = field[0];
    return name_label(field[0]) ? 0 : -HL_EFORMAT;
}

static int read_serial(void *target, struct span *field, size_t n)
{
    struct card *card = target;

    (void)n;
    return text_decimal(&card->serial, field[0]) || card->serial == 0 ? -HL_EFORMAT : 0;
}

static int read_previous(void *target, struct span *field, size_t n)
{
    struct card *card = target;

    (void)n;
    if (span_eq_str(field[0], "-"))
        return card->serial == 1 ? 0 : -HL_EFORMAT;
    if (card->serial == 1 || text_unbase64_n(card->previous, 32, field[0]))
        return -HL_EFORMAT;
    return sodium_is_zero(card->previous, 32) ? -HL_EFORMAT : 0;
}

static int read_valid(void *target, struct span *field, size_t n)
{
    struct card *card = target;

    (void)n;
    if (text_decimal(&card->from_ms, field[0]) || text_decimal(&card->until_ms, field[1]))
        return -HL_EFORMAT;
    return card->from_ms < card->until_ms ? 0 : -HL_EFORMAT;
}

static int read_threshold(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    uint64_t k;

    (void)n;
    if (text_decimal(&k, field[0]) || k < 1 || k > CARD_ROOTS)
        return -HL_EFORMAT;
    card->threshold = (unsigned)k;
    return 0;
}

static int read_root(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    uint8_t *key = card->root[card->n_roots];

    (void)n;
    if (text_unbase64_n(key, 32, field[0]))
        return -HL_EFORMAT;
    if (card->n_roots && memcmp(card->root[card->n_roots - 1], key, 32) >= 0)
        return -HL_EFORMAT;
    card->n_roots++;
    return 0;
}

static int read_witness(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    uint8_t key[32];

    (void)n;
    if (!note_name(field[0]) || text_unbase64_n(key, 32, field[1]) || !name_label(field[2]))
        return -HL_EFORMAT;
    card->has_witness = true;
    card->witness_office = field[2];
    document_note_key(&card->witness, field[0], NOTE_COSIGNATURE, key);
    return 0;
}

static int read_poc(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    struct card_poc *poc = &card->poc[card->n_pocs];
    unsigned from, until;

    (void)n;
    if (!name_label(field[0]) || !document_languages(field[1], true) ||
        attendance_parse(field[2], &from, &until))
        return -HL_EFORMAT;
    for (size_t i = 0; i < card->n_pocs; i++)
        if (span_eq(card->poc[i].office, field[0]))
            return -HL_EDUPLICATE;
    poc->office = field[0];
    poc->languages = field[1];
    poc->attendance = field[2];
    memcpy(poc->name, card->party.p, card->party.n);
    poc->name[card->party.n] = '.';
    memcpy(poc->name + card->party.n + 1, field[0].p, field[0].n);
    card->n_pocs++;
    return 0;
}

static int read_transport(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    struct card_poc *poc = &card->poc[card->n_pocs - 1];

    (void)n;
    return document_xkey(poc->transport[poc->n_transport++], field[0]);
}

static int read_key(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    struct card_poc *poc = &card->poc[card->n_pocs - 1];
    struct card_key *key = &poc->key[poc->n_keys];
    bool station = span_eq_str(field[3], "station");

    (void)n;
    if (text_unbase64_n(key->key, 32, field[0]) || permissions_parse(&key->permissions, field[1]) ||
        !name_label(field[2]) || !name_label(field[3]) ||
        station != (key->permissions == PERM_MACHINE))
        return -HL_EFORMAT;
    key->holder = field[2];
    key->position = field[3];
    for (size_t i = 0; i < poc->n_keys; i++)
        if (!station && span_eq(poc->key[i].position, key->position))
            return -HL_EDUPLICATE;
    poc->n_keys++;
    return 0;
}

static int read_alternate(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    struct card_poc *poc = &card->poc[card->n_pocs - 1];

    (void)n;
    if (!name_poc(field[0]) || span_eq_str(field[0], poc->name))
        return -HL_EFORMAT;
    for (size_t i = 0; i < poc->n_alternates; i++)
        if (span_eq(poc->alternate[i], field[0]))
            return -HL_EDUPLICATE;
    poc->alternate[poc->n_alternates++] = field[0];
    return 0;
}

static int read_host(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    struct card_host *host = &card->host[card->n_hosts];
    struct span party;

    (void)n;
    if (!document_origin(field[0], card->realm, &party) || !span_eq(party, card->party))
        return -HL_EFORMAT;
    for (size_t i = 0; i < card->n_hosts; i++)
        if (span_eq(card->host[i].origin, field[0]))
            return -HL_EDUPLICATE;
    host->origin = field[0];
    card->n_hosts++;
    return text_unbase64_n(host->log_key, 32, field[1]);
}

static int read_curve(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    struct card_host *host = &card->host[card->n_hosts - 1];

    (void)n;
    return document_xkey(host->curve[host->n_curve++], field[0]);
}

static int read_endpoint(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    struct card_host *host = &card->host[card->n_hosts - 1];

    (void)n;
    if (field[0].n < 7 || field[0].n > 255 || memcmp(field[0].p, "tcp://", 6) != 0)
        return -HL_EFORMAT;
    host->endpoint[host->n_endpoints++] = field[0];
    return 0;
}

static int read_revoked(void *target, struct span *field, size_t n)
{
    struct card *card = target;
    uint8_t *key = card->revoked[card->n_revoked].key;

    (void)n;
    if (text_unbase64_n(key, 32, field[0]) ||
        text_decimal(&card->revoked[card->n_revoked].since_ms, field[1]))
        return -HL_EFORMAT;
    for (size_t i = 0; i < card->n_revoked; i++)
        if (memcmp(card->revoked[i].key, key, 32) == 0)
            return -HL_EDUPLICATE;
    card->n_revoked++;
    return 0;
}

static int read_resumed(void *target, struct span *field, size_t n)
{
    struct card *card = target;

    (void)n;
    if (text_unbase64_n(card->resumed[card->n_resumed], 32, field[0]))
        return -HL_EFORMAT;
    for (size_t i = 0; i < card->n_resumed; i++)
        if (memcmp(card->resumed[i], card->resumed[card->n_resumed], 32) == 0)
            return -HL_EDUPLICATE;
    card->n_resumed++;
    return 0;
}

#define POC 8   /* number of the keyword "poc", from 1 */
#define HOST 12 /* of "host" */
static const struct keyword grammar[] = {
    { "party", 1, 1, 1, false, 0, read_party },
    { "serial", 1, 1, 1, false, 0, read_serial },
    { "previous", 1, 1, 1, false, 0, read_previous },
    { "valid", 1, 1, 2, false, 0, read_valid },
    { "threshold", 1, 1, 1, false, 0, read_threshold },
    { "root", 1, CARD_ROOTS, 1, false, 0, read_root },
    { "witness", 0, 1, 3, false, 0, read_witness },
    { "poc", 0, CARD_POCS, 3, false, 0, read_poc },
    { "transport", 1, CARD_TRANSPORT, 1, false, POC, read_transport },
    { "key", 1, CARD_KEYS, 4, false, POC, read_key },
    { "alternate", 0, CARD_ALTERNATES, 1, false, POC, read_alternate },
    { "host", 0, CARD_HOSTS, 2, false, 0, read_host },
    { "curve", 1, CARD_ENDPOINTS, 1, false, HOST, read_curve },
    { "endpoint", 1, CARD_ENDPOINTS, 1, false, HOST, read_endpoint },
    { "revoked", 0, CARD_REVOKED, 2, false, 0, read_revoked },
    { "resumed", 0, CARD_RESUMED, 1, false, 0, read_resumed },
};

/* ---- the whole card ---- */

static int by_bytes(const void *a, const void *b)
{
    return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, 32);
}

/* No key stands twice in one card, be it as revoked. */
static int keys_differ(const struct card *card, struct buf *why)
{
    struct card_id id[CARD_IDS_MAX];
    const uint8_t *key[CARD_IDS_MAX + CARD_REVOKED];
    size_t n = card_ids(card, id);

    for (size_t i = 0; i < n; i++)
        key[i] = id[i].key;
    for (size_t i = 0; i < card->n_revoked; i++)
        key[n++] = card->revoked[i].key;
    qsort(key, n, sizeof(key[0]), by_bytes);
    for (size_t i = 1; i < n; i++)
        if (memcmp(key[i - 1], key[i], 32) == 0)
            return document_say(why, -HL_EDUPLICATE, "a key stands twice in the card of %.*s",
                                (int)card->party.n, (const char *)card->party.p);
    return 0;
}

/* No two keys share name and key id, or one line of a note could mean either. */
struct line_id {
    struct span name;
    uint8_t keyid[4];
};

static int by_line_id(const void *a, const void *b)
{
    const struct line_id *x = a, *y = b;
    int order = memcmp(x->keyid, y->keyid, 4);

    return order ? order : span_cmp(x->name, y->name);
}

static int line_ids_differ(const struct card *card, struct buf *why)
{
    struct card_id id[CARD_IDS_MAX];
    struct line_id line[CARD_IDS_MAX];
    size_t n = card_ids(card, id), k = 0;
    struct note_key key;

    for (size_t i = 0; i < n; i++)
        if (card_id_note_key(&id[i], &key)) {
            line[k].name = id[i].name;
            memcpy(line[k++].keyid, key.keyid, 4);
        }
    qsort(line, k, sizeof(line[0]), by_line_id);
    for (size_t i = 1; i < k; i++)
        if (by_line_id(&line[i - 1], &line[i]) == 0)
            return document_say(why, -HL_EDUPLICATE, "two keys of %.*s share a key id",
                                (int)line[i].name.n, (const char *)line[i].name.p);
    return 0;
}

static int check_whole(const struct card *card, struct buf *why)
{
    if (card->threshold > card->n_roots)
        return document_say(why, -HL_EFORMAT, "the threshold is %u, but there are %zu root keys",
                            card->threshold, card->n_roots);
    for (size_t i = 0; card->has_witness; i++) {
        if (i == card->n_pocs)
            return document_say(why, -HL_EFORMAT, "the witness is at an office that is not listed");
        if (span_eq(card->poc[i].office, card->witness_office))
            break;
    }
    return keys_differ(card, why) ? -HL_EDUPLICATE : line_ids_differ(card, why);
}

int card_parse(struct card **out, enum realm realm, struct span note, struct buf *why)
{
    struct card *card = calloc(1, sizeof(*card));
    struct document doc;
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!card)
        return rc;
    card->realm = realm;
    card->poc = calloc(CARD_POCS, sizeof(card->poc[0]));
    buf_init(&card->text, DOCUMENT_MAX);
    if (!card->poc)
        goto out;
    rc = buf_put_span(&card->text, note);
    if (rc)
        goto out;
    rc = document_decode(&doc, realm, buf_span(&card->text));
    if (!rc && doc.type != DOCUMENT_CARD)
        rc = -HL_EFORMAT;
    if (rc) {
        document_say(why, rc, "this is no card of this realm: %s", error_text(rc));
        goto out;
    }
    memcpy(card->digest, doc.digest, 32);
    rc = document_read(doc.note.text, grammar, COUNT(grammar), card, why);
    if (!rc)
        rc = check_whole(card, why);
    if (rc)
        goto out;
    *out = card;
    card = NULL;
out:
    card_free(card);
    return rc;
}

int card_new(struct card **out, enum realm realm, struct span note, struct buf *why)
{
    int rc = card_parse(out, realm, note, why);

    if (!rc)
        rc = card_points(*out, NULL, NULL, why);
    if (rc) {
        card_free(*out);
        *out = NULL;
    }
    return rc;
}

void card_free(struct card *card)
{
    if (!card)
        return;
    buf_release(&card->text);
    free(card->poc);
    free(card);
}

const struct card_poc *card_poc(const struct card *card, struct span poc)
{
    for (size_t i = 0; i < card->n_pocs; i++)
        if (span_eq_str(poc, card->poc[i].name))
            return &card->poc[i];
    return NULL;
}
