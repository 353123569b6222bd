/* A card as text: what card_new() takes, byte for byte. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/card.h"
#include "common/error.h"
#include "common/text.h"

static void put_key(struct buf *out, const char *before, const uint8_t key[static 32])
{
    buf_put_str(out, before);
    text_base64(out, SPAN(key, 32));
}

static void put_word(struct buf *out, const char *before, struct span word)
{
    buf_put_str(out, before);
    buf_put_span(out, word);
}

static void print_head(struct buf *out, const struct card *card)
{
    put_word(out, "party ", card->party);
    buf_printf(out, "\nserial %" PRIu64, card->serial);
    if (sodium_is_zero(card->previous, 32))
        buf_put_str(out, "\nprevious -");
    else
        put_key(out, "\nprevious ", card->previous);
    buf_printf(out, "\nvalid %" PRIu64 " %" PRIu64 "\nthreshold %u\n", card->from_ms,
               card->until_ms, card->threshold);
    for (size_t i = 0; i < card->n_roots; i++) {
        put_key(out, "root ", card->root[i]);
        buf_put_u8(out, '\n');
    }
    if (card->has_witness) {
        buf_printf(out, "witness %s", card->witness.name);
        put_key(out, " ", card->witness.key);
        put_word(out, " ", card->witness_office);
        buf_put_u8(out, '\n');
    }
}

static void print_poc(struct buf *out, const struct card_poc *poc)
{
    put_word(out, "poc ", poc->office);
    put_word(out, " ", poc->languages);
    put_word(out, " ", poc->attendance);
    for (size_t i = 0; i < poc->n_transport; i++)
        put_key(out, "\ntransport ", poc->transport[i]);
    for (size_t i = 0; i < poc->n_keys; i++) {
        const struct card_key *key = &poc->key[i];

        put_key(out, "\nkey ", key->key);
        buf_put_u8(out, ' ');
        permissions_print(out, key->permissions);
        put_word(out, " ", key->holder);
        put_word(out, " ", key->position);
    }
    for (size_t i = 0; i < poc->n_alternates; i++)
        put_word(out, "\nalternate ", poc->alternate[i]);
    buf_put_u8(out, '\n');
}

static void print_host(struct buf *out, const struct card_host *host)
{
    put_word(out, "host ", host->origin);
    put_key(out, " ", host->log_key);
    for (size_t i = 0; i < host->n_curve; i++)
        put_key(out, "\ncurve ", host->curve[i]);
    for (size_t i = 0; i < host->n_endpoints; i++)
        put_word(out, "\nendpoint ", host->endpoint[i]);
    buf_put_u8(out, '\n');
}

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

int card_print(struct buf *out, enum realm realm, struct card *card)
{
    qsort(card->root, card->n_roots, sizeof(card->root[0]), by_key);
    document_head(out, realm, DOCUMENT_CARD);
    print_head(out, card);
    for (size_t i = 0; i < card->n_pocs; i++)
        print_poc(out, &card->poc[i]);
    for (size_t i = 0; i < card->n_hosts; i++)
        print_host(out, &card->host[i]);
    for (size_t i = 0; i < card->n_revoked; i++) {
        put_key(out, "revoked ", card->revoked[i].key);
        buf_printf(out, " %" PRIu64 "\n", card->revoked[i].since_ms);
    }
    for (size_t i = 0; i < card->n_resumed; i++) {
        put_key(out, "resumed ", card->resumed[i]);
        buf_put_u8(out, '\n');
    }
    return out->bad;
}
