#include <stdlib.h>

#include <sodium.h>

#include "common/agreement.h"
#include "common/card.h"
#include "common/error.h"
#include "common/file.h"
#include "common/stop.h"
#include "common/subkeys.h"
#include "common/text.h"
#include "keys/sign.h"
#include "tests/check.h"

/*
 * tests/vectors/documents.txt: a card, subkeys, a stop and an agreement from fixed seeds, with
 * fingerprint, digests and channel; and digits.  The texts are written here by hand, not by the
 * code under test. Printed once by `vectors_documents_test print`, never edited.
 */
static struct buf sheet;

static void line_text(const char *name, const char *value)
{
    buf_printf(&sheet, "%s %s\n", name, value);
}

static void line_hex(const char *name, const void *p, size_t n)
{
    char *hex = malloc(2 * n + 1);

    assert_non_null(hex);
    text_hex(hex, p, n);
    line_text(name, hex);
    free(hex);
}

static void fixed(uint8_t out[static 32], const char *name)
{
    char label[64];

    snprintf(label, sizeof(label), "hotline vector %s", name);
    crypto_hash_sha256(out, (const uint8_t *)label, strlen(label));
}

static struct seckey *key_of(const char *name)
{
    uint8_t seed[32];
    struct seckey *key;

    fixed(seed, name);
    assert_int_equal(seckey_from_seed(&key, seed), 0);
    return key;
}

/* base64 of an Ed25519 or X25519 public key, or of the digest that a name stands for */
static const char *b64(const uint8_t key[static 32])
{
    static char ring[8][64];
    static unsigned turn;
    char *out = ring[turn++ % COUNT(ring)];

    sodium_bin2base64(out, 64, key, 32, sodium_base64_VARIANT_ORIGINAL);
    return out;
}

static const char *ed(const char *name)
{
    struct seckey *key = key_of(name);
    const char *out = b64(seckey_public(key));

    seckey_free(key);
    return out;
}

static const char *x(const char *name)
{
    uint8_t scalar[32], pk[32];

    fixed(scalar, name);
    crypto_scalarmult_base(pk, scalar);
    return b64(pk);
}

static const char *digest(const char *name)
{
    uint8_t d[32];

    fixed(d, name);
    return b64(d);
}

/* Sign @text, and say text, digest and note. */
static void line_document(const char *name, const struct buf *text, const char *as,
                          const char *signer, struct buf *note)
{
    struct seckey *key = key_of(signer);
    uint8_t hash[32];
    char line[64];

    buf_clear(note);
    assert_int_equal(sign_document(note, buf_span(text), span_str(as), key), 0);
    crypto_hash_sha256(hash, text->p, text->n);
    snprintf(line, sizeof(line), "%s_text", name);
    line_hex(line, text->p, text->n);
    snprintf(line, sizeof(line), "%s_digest", name);
    line_hex(line, hash, 32);
    snprintf(line, sizeof(line), "%s_note", name);
    line_hex(line, note->p, note->n);
    seckey_free(key);
}

static void make_card(struct buf *text, struct buf *note)
{
    struct card *card;
    uint8_t fp[32];
    char groups[TEXT_GROUPS_SIZE];

    buf_clear(text);
    buf_put_str(text, "hotline/1 live card\nparty arcadia\nserial 1\nprevious -\n"
                      "valid 1790000000000 1890000000000\nthreshold 1\n");
    buf_printf(text, "root %s\n", ed("root"));
    buf_printf(text, "witness arcadia.example/witness %s technical\n", ed("witness"));
    buf_printf(text, "poc technical en,fr 24/7\ntransport %s\n", x("transport"));
    buf_printf(text, "key %s draft,release,acknowledge officer-1 watch-1\n", ed("watch"));
    buf_printf(text, "key %s machine station station\n", ed("station"));
    buf_printf(text, "poc diplomatic fr 2200-0600\ntransport %s\n", x("transport 2"));
    buf_printf(text, "key %s stop officer-2 chief\nalternate arcadia.technical\n", ed("chief"));
    buf_printf(text, "host hotline.example/live/arcadia/1 %s\n", ed("log"));
    buf_printf(text, "curve %s\nendpoint tcp://hotline.example:7420\n", x("curve"));
    line_document("card", text, "arcadia", "root", note);
    assert_int_equal(card_new(&card, REALM_LIVE, buf_span(note), NULL), 0);
    assert_int_equal(card_verify(card, NULL), 0);
    card_fingerprint(fp, REALM_LIVE, card->threshold, (const uint8_t(*)[32])card->root,
                     card->n_roots);
    line_hex("fingerprint", fp, 32);
    text_groups(groups, fp);
    line_text("fingerprint_groups", groups);
    card_free(card);
}

static void make_subkeys(struct buf *text, struct buf *note)
{
    struct subkeys s;
    struct document doc;

    buf_clear(text);
    buf_put_str(text, "hotline/1 live subkeys\npoc arcadia.technical\nserial 1\n");
    buf_printf(text, "day 2026-11-22 %s\nday 2026-11-23 %s\n", x("subkey 0"), x("subkey 1"));
    line_document("subkeys", text, "arcadia.technical", "station", note);
    assert_int_equal(subkeys_decode(&s, REALM_LIVE, buf_span(note), &doc, NULL), 0);
}

static void make_stop(struct buf *text, struct buf *note)
{
    struct stop s;
    struct document doc;

    buf_clear(text);
    buf_put_str(text, "hotline/1 live stop\nparty arcadia\ncard 1\n");
    buf_printf(text, "key %s\nreason watch-1 is lost\n", ed("watch"));
    line_document("stop", text, "arcadia.diplomatic", "chief", note);
    assert_int_equal(stop_decode(&s, REALM_LIVE, buf_span(note), &doc, NULL), 0);
}

static void put_witness(struct buf *text, const char *name, const char *key_name)
{
    struct seckey *key = key_of(key_name);
    struct note_key nk;

    assert_int_equal(note_key_init(&nk, span_str(name), NOTE_COSIGNATURE, seckey_public(key)), 0);
    buf_put_str(text, "witness ");
    note_key_print(text, &nk);
    buf_put_str(text, "\n");
    seckey_free(key);
}

static void make_agreement(struct buf *text, struct buf *note)
{
    struct agreement *a;

    buf_clear(text);
    buf_put_str(text, "hotline/1 live agreement\nname AB-ICT-2026\ntitle Arcadia and Borealia on "
                      "ICT incidents\n");
    buf_printf(text, "party arcadia %s\nparty borealia %s\n", digest("fingerprint a"),
               digest("fingerprint b"));
    buf_put_str(text,
                "force all\nvalid 1790000000000 0\ncategory incident\ncategory vulnerability\n"
                "marking TLP:GREEN\nmarking TLP:AMBER+STRICT\nsealed yes\n"
                "attachment application/json 65536\n"
                "deadline ROUTINE 86400\ndeadline PRIORITY 14400\ndeadline IMMEDIATE "
                "3600\ndeadline FLASH 600\n"
                "handling ROUTINE 86400\nhandling PRIORITY 14400\nhandling IMMEDIATE "
                "3600\nhandling FLASH 600\n"
                "release two alone\npsk allowed\nsuite 1\nchannel arcadia-borealia.crisis\n"
                "member arcadia.technical\nmember borealia.technical\n"
                "host hotline.example/live/arcadia/1\n");
    put_witness(text, "arcadia.example/witness", "witness");
    put_witness(text, "borealia.example/witness", "witness b");
    put_witness(text, "neutral.example/witness", "witness n");
    buf_put_str(
        text,
        "quorum 2\nauditor borealia.technical full\nretention 3650\nlanguage en\nlanguage fr\n");
    buf_printf(text, "phrasebook -\ntreaty %s\nrandom %s\n", digest("treaty"),
               digest("random line"));
    line_document("agreement", text, "arcadia", "root", note);
    assert_int_equal(agreement_new(&a, REALM_LIVE, buf_span(text), NULL), 0);
    line_text("channel_name", "arcadia-borealia.crisis");
    line_hex("channel", a->channel[0].id, 32);
    agreement_free(a);
}

static void make_digits(void)
{
    static const uint64_t seqs[] = { 1, 7, 10, 572, 123456789 };
    char number[NUMBER_SIZE], name[32];

    for (size_t i = 0; i < COUNT(seqs); i++) {
        number_print(number, span_str("borealia.technical"), seqs[i]);
        snprintf(name, sizeof(name), "number.%llu", (unsigned long long)seqs[i]);
        line_text(name, number);
    }
}

static void make(void)
{
    struct buf text, note;

    buf_init(&text, DOCUMENT_MAX);
    buf_init(&note, DOCUMENT_MAX);
    buf_clear(&sheet);
    line_text("#", "documents of realm live, their digests and names, and digits");
    make_card(&text, &note);
    make_subkeys(&text, &note);
    make_stop(&text, &note);
    make_agreement(&text, &note);
    make_digits();
    buf_release(&text);
    buf_release(&note);
}

static void every_line(void **state)
{
    struct span want, got, a, b;
    struct buf file;

    (void)state;
    make();
    buf_init(&file, 1 << 20);
    assert_int_equal(file_read("tests/vectors/documents.txt", &file), 0);
    want = buf_span(&file);
    got = buf_span(&sheet);
    while (text_line(&want, &a)) {
        char name[64];

        snprintf(name, sizeof(name), "%.*s...", (int)(a.n < 50 ? a.n : 50), (const char *)a.p);
        CHECK_EQ(text_line(&got, &b), true, name);
        CHECK_EQ(span_eq(a, b), true, name);
    }
    CHECK_EQ(want.n + got.n, 0, "length");
    buf_release(&file);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_line) };
    int rc = keys_init();

    buf_init(&sheet, 1 << 20);
    if (argc == 2 && strcmp(argv[1], "print") == 0) {
        make();
        rc = fwrite(sheet.p, sheet.n, 1, stdout) != 1;
    } else if (!rc) {
        rc = cmocka_run_group_tests(tests, NULL, NULL);
    }
    buf_release(&sheet);
    return rc;
}
