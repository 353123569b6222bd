/* Which keys a card lists, who must sign it, and the fingerprint of a root set. */
#include "common/card.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"

static size_t poc_ids(const struct card *card, size_t p, struct card_id *out)
{
    const struct card_poc *poc = &card->poc[p];
    size_t n = 0;

    for (size_t i = 0; i < poc->n_transport; i++)
        out[n++] = (struct card_id){ poc->transport[i], USE_TRANSPORT, span_str(poc->name), p, i };
    for (size_t i = 0; i < poc->n_keys; i++)
        out[n++] =
            (struct card_id){ poc->key[i].key,
                              poc->key[i].permissions == PERM_MACHINE ? USE_MACHINE : USE_POSITION,
                              span_str(poc->name), p, i };
    return n;
}

size_t card_ids(const struct card *card, struct card_id *out)
{
    size_t n = 0;

    for (size_t i = 0; i < card->n_roots; i++)
        out[n++] = (struct card_id){ card->root[i], USE_ROOT, card->party, 0, i };
    if (card->has_witness)
        out[n++] =
            (struct card_id){ card->witness.key, USE_WITNESS, span_str(card->witness.name), 0, 0 };
    for (size_t p = 0; p < card->n_pocs; p++)
        n += poc_ids(card, p, out + n);
    for (size_t h = 0; h < card->n_hosts; h++) {
        const struct card_host *host = &card->host[h];

        out[n++] = (struct card_id){ host->log_key, USE_LOG, host->origin, 0, h };
        for (size_t i = 0; i < host->n_curve; i++)
            out[n++] = (struct card_id){ host->curve[i], USE_CURVE, host->origin, 0, h };
    }
    assert(n <= CARD_IDS_MAX);
    return n;
}

bool card_id_note_key(const struct card_id *id, struct note_key *key)
{
    switch (id->use) {
    case USE_ROOT:
    case USE_POSITION:
    case USE_MACHINE:
    case USE_LOG:
        document_note_key(key, id->name, NOTE_ED25519, id->key);
        return true;
    case USE_WITNESS:
        document_note_key(key, id->name, NOTE_COSIGNATURE, id->key);
        return true;
    case USE_TRANSPORT:
    case USE_CURVE:
    case USE_SUBKEY:
        break;
    }
    return false;
}

int card_points(const struct card *card, bool (*known)(const void *arg, const uint8_t *key),
                const void *arg, struct buf *why)
{
    struct card_id id[CARD_IDS_MAX];
    size_t n = card_ids(card, id);

    for (size_t i = 0; i < n; i++) {
        if (id[i].use == USE_TRANSPORT || id[i].use == USE_CURVE ||
            (known && known(arg, id[i].key)))
            continue;
        if (!crypto_core_ed25519_is_valid_point(id[i].key))
            return document_say(why, -HL_EBADKEY,
                                "a key of %.*s is not canonical or not of prime order",
                                (int)id[i].name.n, (const char *)id[i].name.p);
    }
    return 0;
}

/* Append the roots of @card to @key but those that are there; returns the new count. */
static size_t add_roots(const struct card *card, struct note_key *key, size_t n)
{
    for (size_t i = 0; i < card->n_roots; i++) {
        size_t k = 0;

        while (k < n && memcmp(key[k].key, card->root[i], 32) != 0)
            k++;
        if (k == n)
            document_note_key(&key[n++], card->party, NOTE_ED25519, card->root[i]);
    }
    return n;
}

static bool threshold_met(const struct card *card, const struct note_key *key, size_t n,
                          const bool *by)
{
    unsigned signers = 0;

    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; by[k] && i < card->n_roots; i++)
            signers += memcmp(key[k].key, card->root[i], 32) == 0;
    return signers >= card->threshold;
}

int card_signed_by(const struct card *card, const struct note *note)
{
    struct note_key key[CARD_ROOTS];
    bool by[CARD_ROOTS];
    size_t n = add_roots(card, key, 0);
    int rc = document_signed(note, key, n, by);

    return !rc && !threshold_met(card, key, n, by) ? -HL_ESIG : rc;
}

int card_verify(const struct card *card, const struct card *prev)
{
    struct note_key key[2 * CARD_ROOTS];
    bool by[2 * CARD_ROOTS];
    struct note note;
    size_t n = add_roots(card, key, 0);
    int rc;

    if (prev) {
        if (card->serial != prev->serial + 1 || memcmp(card->previous, prev->digest, 32) != 0 ||
            !span_eq(card->party, prev->party))
            return -HL_ECHAIN;
        n = add_roots(prev, key, n);
    }
    rc = note_parse(&note, buf_span(&card->text));
    if (!rc)
        rc = document_signed(&note, key, n, by);
    if (rc)
        return -HL_ESIG;
    if (!threshold_met(card, key, n, by) || (prev && !threshold_met(prev, key, n, by)))
        return -HL_ESIG;
    return 0;
}

void card_fingerprint(uint8_t fp[static 32], enum realm realm, unsigned threshold,
                      const uint8_t (*root)[32], size_t n)
{
    uint8_t in[LABEL_SIZE + 1 + 32 * CARD_ROOTS];
    size_t at = label_write(in, realm, "root set");

    assert(n <= CARD_ROOTS);
    in[at++] = (uint8_t)threshold;
    memcpy(in + at, root, 32 * n);
    crypto_hash_sha256(fp, in, at + 32 * n);
}
