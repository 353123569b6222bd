#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/content.h"
#include "common/error.h"
#include "common/file.h"
#include "common/record.h"
#include "common/text.h"
#include "common/tlog/merkle.h"
#include "keys/hpke.h"
#include "keys/keyfile.h"
#include "keys/seal.h"
#include "keys/secret_bytes.h"
#include "tests/check.h"

/*
 * tests/vectors/envelope-*.txt: whole envelopes from fixed seeds with every value on the way, one
 * "name value" a line.  They were printed once by `vectors_test print CASE` and are never edited: a
 * line that differs means that the format has changed.  docs/PROTOCOL.md explains each name.
 */
#define SEALED_MS UINT64_C(1795312142000) /* 2026-11-22T01:49:02Z */
#define TO_MAX 2

static struct buf sheet; /* the text of one vector */

static void line_text(const char *name, struct span value)
{
    buf_printf(&sheet, "%s %.*s\n", name, (int)value.n, (const char *)value.p);
}

static void line_number(const char *name, uint64_t value)
{
    buf_printf(&sheet, "%s %llu\n", name, (unsigned long long)value);
}

static void line_hex(const char *name, const void *p, size_t n)
{
    char *hex = malloc(2 * n + 1);

    assert_non_null(hex);
    text_hex(hex, p, n);
    buf_printf(&sheet, n ? "%s %s\n" : "%s%s\n", name, hex);
    free(hex);
}

static void line_span(const char *name, struct span s)
{
    line_hex(name, s.p, s.n);
}

static void line_of(const char *name, size_t i, const void *p, size_t n)
{
    char full[64];

    snprintf(full, sizeof(full), "%s.%zu", name, i);
    line_hex(full, p, n);
}

/* Every secret of a vector is H("hotline vector " || its name). */
static const uint8_t *fixed(const char *name)
{
    static uint8_t ring[32][32];
    static unsigned turn;
    char label[64];
    uint8_t *out = ring[turn++ % COUNT(ring)];

    snprintf(label, sizeof(label), "hotline vector %s", name);
    crypto_hash_sha256(out, (const uint8_t *)label, strlen(label));
    return out;
}

static struct secret *fixed_secret(const char *name)
{
    uint8_t bytes[32];

    memcpy(bytes, fixed(name), sizeof(bytes));
    return secret_take(bytes, sizeof(bytes));
}

static struct seckey *fixed_key(const char *name)
{
    uint8_t seed[32];
    struct seckey *key;

    memcpy(seed, fixed(name), sizeof(seed));
    line_hex(name, seed, sizeof(seed));
    assert_int_equal(seckey_from_seed(&key, seed), 0);
    return key;
}

/* ---- what is said ---- */

static void put_form(struct buf *out, unsigned number, const char *code, unsigned state,
                     const struct param *param, size_t n)
{
    struct form_field f = { .number = number, .code = span_str(code), .state = state, .n = n };

    for (size_t i = 0; i < n; i++)
        f.param[i] = param[i];
    assert_int_equal(form_field_put(out, &f), 0);
}

static struct buf made[CONTENT_FIELDS_MAX]; /* the fields that are arrays */
static size_t n_made;

static struct buf *next_made(void)
{
    struct buf *b = &made[n_made++];

    buf_init(b, CONTENT_MAX);
    return b;
}

static void add_field(struct content *c, const char *name, struct span bytes)
{
    c->name[c->n] = span_str(name);
    c->field[c->n++] = bytes;
}

static void add_form(struct content *c, const char *name, unsigned number, const char *code,
                     unsigned state, const struct param *param, size_t n)
{
    struct buf *b = next_made();

    put_form(b, number, code, state, param, n);
    add_field(c, name, buf_span(b));
}

#define TEXT(s) span_str(s)

/* Every type of parameter and every state of a field. */
static void say_form(struct content *c)
{
    static const uint8_t list[] = "\x82\x48operator\x4fnetwork details";
    const struct param nature[] = { { TEXT("nature"), PARAM_TEXT, 0,
                                      TEXT("disruption of operation") },
                                    { TEXT("malicious"), PARAM_CODE, 0, TEXT("likely") } };
    const struct param time[] = { { TEXT("began"), PARAM_TIME, SEALED_MS - 7800000, SPAN_NONE },
                                  { TEXT("accuracy"), PARAM_DURATION, 1200, SPAN_NONE } };
    const struct param sector[] = { { TEXT("sector"), PARAM_CODE, 0, TEXT("energy") },
                                    { TEXT("critical"), PARAM_BOOL, 1, SPAN_NONE } };
    const struct param effect[] = { { TEXT("affected"), PARAM_UINT, 11, SPAN_NONE },
                                    { TEXT("total"), PARAM_UINT, 64, SPAN_NONE } };
    const struct param withheld[] = { { TEXT("withheld"), PARAM_LIST, 0,
                                        SPAN(list, sizeof(list) - 1) } };
    const struct param annex[] = { { TEXT("of"), PARAM_MID, 0, SPAN(fixed("earlier mid"), 32) } };

    add_form(c, "2", 2, "NAT-02", FIELD_VALUE, nature, COUNT(nature));
    add_form(c, "3", 3, "TIM-01", FIELD_VALUE, time, COUNT(time));
    add_form(c, "4", 4, "SEC-03", FIELD_VALUE, sector, COUNT(sector));
    add_form(c, "5", 5, "EFF-04", FIELD_VALUE, effect, COUNT(effect));
    add_form(c, "9", 9, "ORI-02", FIELD_UNKNOWN, NULL, 0);
    add_form(c, "10", 10, "ATT-00", FIELD_VALUE, NULL, 0);
    add_form(c, "11", 11, "MEA-03", FIELD_WITHHELD, NULL, 0);
    add_form(c, "19", 19, "WHL-01", FIELD_VALUE, withheld, COUNT(withheld));
    add_form(c, "20", 20, "ANX-01", FIELD_VALUE, annex, COUNT(annex));
    add_field(c, "text", TEXT("Call us on the voice line.\n"));
}

static void say_text(struct content *c)
{
    add_field(c, "text",
              TEXT("\xc3\x9c"
                   "bung: zwei S\xc3\xa4tze.\n"));
}

/* An attachment that needs the second bucket; category and marking sealed. */
static void say_attachment(struct content *c)
{
    static uint8_t bytes[5000];
    struct attachment a = { TEXT("application/json"), TEXT("Annex A"), SPAN(bytes, sizeof(bytes)) };
    struct buf *b = next_made();

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(attachment_put(b, &a), 0);
    add_field(c, "attachment", buf_span(b));
    add_field(c, "category", TEXT("3"));
    add_field(c, "marking", TEXT("2"));
}

/* ---- the cases ---- */

static const struct vector {
    const char *name, *says;
    enum realm realm;
    unsigned kind, code;
    const char *sender;
    struct {
        const char *poc;
        unsigned role;
    } to[TO_MAX];
    uint64_t category, marking;
    bool refers; /* refs[0] is the mid of the first vector */
    bool drafted;
    unsigned precedence, flags;
    uint64_t seq, ack_within_s, lifetime_s;
    uint32_t psk_epoch, psk_step;
    void (*say)(struct content *c); /* NULL: bodyless */
} vectors[] = {
    { .name = "base",
      .says = "a FLASH notification in base mode to an action and an information addressee",
      .kind = KIND_NOTIFICATION,
      .sender = "borealia.technical",
      .to = { { "arcadia.technical", ROLE_ACTION }, { "arcadia.diplomatic", ROLE_INFORMATION } },
      .category = 1,
      .marking = 2,
      .precedence = PRECEDENCE_FLASH,
      .seq = 7,
      .ack_within_s = 600,
      .say = say_form },
    { .name = "psk",
      .says =
          "information of an exercise in psk mode, with an attachment, category and marking sealed",
      .realm = REALM_EXERCISE,
      .kind = KIND_INFORMATION,
      .sender = "doria.technical",
      .to = { { "caldera.technical", ROLE_ACTION } },
      .precedence = PRECEDENCE_IMMEDIATE,
      .flags = FLAG_RELEASED_ALONE,
      .seq = 1,
      .ack_within_s = 3600,
      .lifetime_s = 86400,
      .psk_epoch = 3,
      .psk_step = 40,
      .say = say_attachment },
    { .name = "alternate",
      .says = "a reply in psk mode to an action addressee with an alternate",
      .kind = KIND_REPLY,
      .sender = "arcadia.technical",
      .to = { { "borealia.technical", ROLE_ACTION },
              { "borealia.diplomatic", ROLE_ALTERNATE + 1 } },
      .category = 1,
      .marking = 2,
      .refers = true,
      .precedence = PRECEDENCE_PRIORITY,
      .flags = FLAG_CARRIED,
      .seq = 42,
      .psk_epoch = 1,
      .psk_step = 1,
      .say = say_text },
    { .name = "step",
      .says = "a bodyless acknowledgement",
      .kind = KIND_ACKNOWLEDGED,
      .sender = "arcadia.technical",
      .refers = true,
      .precedence = PRECEDENCE_FLASH,
      .seq = 43 },
    { .name = "remark",
      .says = "a refusal with its reason, and a sealed remark",
      .kind = KIND_REFUSED,
      .code = 2,
      .sender = "arcadia.technical",
      .to = { { "borealia.technical", ROLE_ACTION } },
      .refers = true,
      .precedence = PRECEDENCE_FLASH,
      .seq = 44,
      .say = say_text },
    { .name = "draft",
      .says = "a correction drafted by one position and released by another",
      .kind = KIND_CORRECTION,
      .sender = "borealia.technical",
      .to = { { "arcadia.technical", ROLE_ACTION } },
      .category = 1,
      .marking = 2,
      .refers = true,
      .drafted = true,
      .precedence = PRECEDENCE_IMMEDIATE,
      .seq = 8,
      .ack_within_s = 600,
      .say = say_text },
};

static uint8_t first_mid[32]; /* of the first vector, once it was made */

struct work {
    const struct vector *v;
    struct header h;
    struct stamp s;
    struct content c;
    struct seckey *releaser, *drafter;
    struct buf content, plain, header, stamp, file;
    uint8_t commit[32], mid[32], draft_sig[64], sig[64], seen_log[2][32], seen_root[2][32];
    uint8_t channel[32], chain[16], psk_0[32], scalar[TO_MAX][32], subkey[TO_MAX][32];
    struct psk_ring *psk;
    struct sealed sealed;
};

static void make_content(struct work *w)
{
    uint8_t salt[32], salt_i[32], c_i[32];
    struct content *c = &w->c;

    memcpy(salt, fixed("salt"), 32);
    c->subject = c->field[0] = TEXT("Remote control of substations lost");
    c->language = c->field[1] = TEXT("en");
    c->form = c->field[2] = TEXT(w->v->say == say_form ? "ICT-1" : "");
    c->phrasebook = c->field[3] = w->v->say == say_form ? SPAN(fixed("phrasebook"), 32) : SPAN_NONE;
    c->thread = c->field[4] = w->v->refers ? SPAN(first_mid, 32) : SPAN_NONE;
    c->n = CONTENT_FIXED;
    w->v->say(c);
    assert_int_equal(content_put(&w->content, c), 0);
    assert_int_equal(content_decode(c, buf_span(&w->content)), 0);
    line_span("content", buf_span(&w->content));
    line_hex("salt", salt, 32);
    for (size_t i = 0; i < c->n; i++) {
        content_field_salt(salt_i, w->v->realm, salt, (uint16_t)i);
        content_field_commit(c_i, w->v->realm, (uint16_t)i, salt_i, c->field[i]);
        line_of("field", i, c->field[i].p, c->field[i].n);
        line_of("field_salt", i, salt_i, 32);
        line_of("field_commit", i, c_i, 32);
    }
    content_commit(w->commit, w->v->realm, salt, c);
    assert_int_equal(content_pad(&w->plain, salt, buf_span(&w->content)), 0);
    line_number("plain_length", w->plain.n);
}

static void make_header(struct work *w)
{
    const struct vector *v = w->v;

    w->h = (struct header){ .realm = v->realm,
                            .kind = v->kind,
                            .code = v->code,
                            .channel = w->channel,
                            .sender = span_str(v->sender),
                            .drafted_ms = SEALED_MS - 60000,
                            .category = v->category,
                            .marking = v->marking,
                            .commit = v->say ? SPAN(w->commit, 32) : SPAN_NONE,
                            .n_refs = v->refers,
                            .ref = { first_mid } };
    for (size_t i = 0; i < TO_MAX && v->to[i].poc; i++)
        w->h.to[w->h.n_to++] = (struct recipient){ span_str(v->to[i].poc), v->to[i].role };
    line_span("commit", w->h.commit);
    assert_int_equal(header_put(&w->header, &w->h), 0);
    envelope_mid(w->mid, v->realm, buf_span(&w->header));
    line_span("header", buf_span(&w->header));
    line_hex("mid", w->mid, 32);
}

static void make_draft(struct work *w)
{
    struct buf m;

    buf_init(&m, 256);
    envelope_draft_message(&m, w->v->realm, w->mid);
    assert_int_equal(seal_draft(w->drafter, w->v->realm, w->mid, w->draft_sig), 0);
    line_span("draft_message", buf_span(&m));
    line_hex("draft_sig", w->draft_sig, 64);
    buf_release(&m);
}

static void make_stamp(struct work *w)
{
    const struct vector *v = w->v;
    uint8_t hash[32];

    w->s = (struct stamp){ .key = seckey_public(w->releaser),
                           .precedence = v->precedence,
                           .flags = v->flags,
                           .chain = w->chain,
                           .seq = v->seq,
                           .sealed_ms = SEALED_MS,
                           .ack_within_s = v->ack_within_s,
                           .lifetime_s = v->lifetime_s,
                           .psk_epoch = v->psk_epoch,
                           .psk_step = v->psk_step,
                           .n_seen = 2 };
    if (w->drafter) {
        w->s.draft_key = seckey_public(w->drafter);
        w->s.draft_sig = w->draft_sig;
    }
    for (size_t i = 0; i < 2; i++)
        w->s.seen[i] = (struct seen){ w->seen_log[i], 1000 + i, w->seen_root[i] };
    assert_int_equal(stamp_put(&w->stamp, &w->s), 0);
    line_span("stamp", buf_span(&w->stamp));
    crypto_hash_sha256(hash, w->header.p, w->header.n);
    line_hex("header_hash", hash, 32);
    crypto_hash_sha256(hash, w->stamp.p, w->stamp.n);
    line_hex("stamp_hash", hash, 32);
}

/* ---- PSK ---- */

static char dir[] = "/tmp/vectors-test-XXXXXX";

static int remove_file(void *arg, const char *path)
{
    (void)arg;
    return unlink(path);
}

static void make_psk(struct work *w)
{
    uint64_t first_day = clock_day(SEALED_MS) - (w->v->psk_step - 1);
    char path[2][64], digits[9];

    for (size_t i = 0; i < 2; i++) {
        const char *name = i ? "psk_half_b" : "psk_half_a";
        struct secret *half = fixed_secret(name);

        snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
        line_span(name, secret_span(half));
        for (size_t k = 0; k < 32; k++)
            w->psk_0[k] ^= half->p[k];
        assert_int_equal(keyfile_create(path[i], w->v->realm, KEY_PSK, name, NULL, half, NULL), 0);
        secret_free(half);
    }
    assert_int_equal(psk_ring_open(&w->psk, dir, w->v->realm, NULL), 0);
    assert_int_equal(
        psk_combine(w->psk, path[0], path[1], NULL, NULL, w->channel, w->v->psk_epoch, first_day),
        0);
    assert_int_equal(psk_check_value(w->psk, w->channel, w->v->psk_epoch, digits), 0);
    assert_int_equal(file_each(dir, "", remove_file, NULL), 0);
    line_number("psk_first_day", first_day);
    line_hex("psk_0", w->psk_0, 32);
    line_text("psk_check", span_str(digits));
}

/* ---- sealing ---- */

/* The secrets of one sealing, derived here from the formulas; seal() must have come to the same. */
struct derived {
    uint8_t cek[32], ikm[32], ske[32], enc[32], body_key[32], psk[32], psk_id[32];
    struct hpke_psk with;
};

static void derive(struct work *w, struct derived *d)
{
    const struct span parts[] = { SPAN(fixed("random"), 32), SPAN(w->sealed.h, 32) };

    mac_label(d->cek, SPAN(fixed("hedge"), 32), w->v->realm, "cek", parts, 2);
    mac_label(d->ikm, SPAN(d->cek, 32), w->v->realm, "ephemeral", NULL, 0);
    mac_label(d->body_key, SPAN(d->cek, 32), w->v->realm, "body", &parts[1], 1);
    assert_int_equal(hpke_derive_keypair(d->ske, d->enc, d->ikm, 32), 0);
    line_hex("hedge", fixed("hedge"), 32);
    line_hex("random", fixed("random"), 32);
    line_hex("cek", d->cek, 32);
    line_hex("ephemeral_ikm", d->ikm, 32);
    line_hex("ephemeral_private", d->ske, 32);
    line_hex("enc", d->enc, 32);
    line_hex("body_key", d->body_key, 32);
}

static void derive_psk(struct work *w, struct derived *d)
{
    uint8_t epoch[4], step[4], key[32];
    const struct span parts[] = { SPAN(w->channel, 32), SPAN(epoch, 4), SPAN(step, 4) };
    const struct span h = SPAN(w->sealed.h, 32);

    memcpy(key, w->psk_0, 32);
    put_u32(epoch, w->v->psk_epoch);
    for (uint32_t i = 1; i <= w->v->psk_step; i++) {
        put_u32(step, i);
        mac_label(key, SPAN(key, 32), w->v->realm, "psk ratchet", parts, 3);
    }
    line_hex("psk_of_step", key, 32);
    mac_label(d->psk, SPAN(key, 32), w->v->realm, "psk wrap", &h, 1);
    hash_label(d->psk_id, w->v->realm, "psk id", parts, 3);
    line_hex("psk", d->psk, 32);
    line_hex("psk_id", d->psk_id, 32);
    d->with = (struct hpke_psk){ d->psk, 32, d->psk_id, 32 };
}

/* The values between CEK and ct_i. */
static void line_wrap(struct work *w, size_t i, const struct derived *d, const struct wraps *wraps)
{
    struct hpke_steps st;
    struct buf info;
    uint8_t ct[32 + HPKE_TAG];

    buf_init(&info, 256);
    label_put(&info, w->v->realm, "wrap");
    buf_put(&info, w->sealed.h, 32);
    buf_put(&info, w->subkey[i], 32);
    name_put(&info, w->h.to[i].poc);
    assert_int_equal(hpke_steps_seal(&st, (struct hpke_pair){ d->ske, d->enc }, w->subkey[i],
                                     buf_span(&info), w->v->psk_step ? &d->with : NULL),
                     0);
    crypto_aead_chacha20poly1305_ietf_encrypt(ct, NULL, d->cek, 32, NULL, 0, NULL, st.base_nonce,
                                              st.key);
    CHECK_BYTES(wraps->wrap[i].ct, ct, sizeof(ct), w->v->name);
    line_of("subkey_private", i, w->scalar[i], 32);
    line_of("subkey", i, w->subkey[i], 32);
    line_of("info", i, info.p, info.n);
    line_of("shared_secret", i, st.shared_secret, 32);
    line_of("key_schedule_context", i, st.key_schedule_context, 65);
    line_of("secret", i, st.secret, 32);
    line_of("key", i, st.key, 32);
    line_of("base_nonce", i, st.base_nonce, 12);
    line_of("ct", i, ct, sizeof(ct));
    buf_release(&info);
}

static void line_sealing(struct work *w)
{
    static struct wraps wraps;
    struct derived d;

    assert_int_equal(wraps_decode(&wraps, buf_span(&w->sealed.wraps)), 0);
    derive(w, &d);
    CHECK_BYTES(wraps.enc, d.enc, 32, w->v->name);
    if (w->v->psk_step)
        derive_psk(w, &d);
    for (size_t i = 0; i < w->h.n_to; i++)
        line_wrap(w, i, &d, &wraps);
}

static void make_sealed(struct work *w)
{
    struct secret *hedge = fixed_secret("hedge");
    struct seal_input in = { .realm = w->v->realm,
                             .header = buf_span(&w->header),
                             .stamp = buf_span(&w->stamp),
                             .h = &w->h,
                             .s = &w->s,
                             .subkey = (const uint8_t(*)[32])w->subkey,
                             .plain = buf_span(&w->plain),
                             .hedge = hedge,
                             .psk = w->psk,
                             .random = fixed("random") };

    assert_int_equal(seal(&in, &w->sealed), 0);
    secret_free(hedge);
    line_hex("h", w->sealed.h, 32);
    if (w->v->say)
        line_sealing(w);
    line_span("wraps", buf_span(&w->sealed.wraps));
    line_hex("wraps_hash", w->sealed.wraps_hash, 32);
    line_hex("body_hash", w->sealed.body_hash, 32);
    line_hex("id", w->sealed.id, 32);
}

/* ---- what leaves, and what the log makes of it ---- */

static void make_envelope(struct work *w)
{
    static struct envelope e, decoded;
    struct buf m;

    buf_init(&m, ENVELOPE_FRONT_MAX);
    envelope_release_message(&m, w->v->realm, w->sealed.id);
    assert_int_equal(seal_release(w->releaser, w->v->realm, w->sealed.id, w->sig), 0);
    line_span("release_message", buf_span(&m));
    line_hex("sig", w->sig, 64);
    e = (struct envelope){ .header_bytes = buf_span(&w->header),
                           .stamp_bytes = buf_span(&w->stamp),
                           .wraps_bytes = buf_span(&w->sealed.wraps),
                           .body = buf_span(&w->sealed.body),
                           .body_len = w->sealed.body.n,
                           .sig = w->sig };
    memcpy(e.body_hash, w->sealed.body_hash, 32);
    assert_int_equal(envelope_put(&w->file, &e), 0);
    assert_int_equal(envelope_decode(&decoded, w->v->realm, buf_span(&w->file)), 0);
    assert_int_equal(envelope_verify(&decoded), 0);
    CHECK_BYTES(decoded.id, w->sealed.id, 32, w->v->name);
    buf_clear(&m);
    envelope_put_front(&m, &e);
    line_span("front", buf_span(&m));
    line_span("envelope", buf_span(&w->file));
    buf_release(&m);
}

static void make_record(struct work *w)
{
    static struct envelope e;
    char number[NUMBER_SIZE];
    uint8_t entry[32], leaf[32];
    struct buf record;

    buf_init(&record, RECORD_MAX);
    assert_int_equal(envelope_decode(&e, w->v->realm, buf_span(&w->file)), 0);
    assert_int_equal(record_put_envelope(&record, SEALED_MS + 500, &e), 0);
    record_entry(entry, w->v->realm, fixed("record salt"), buf_span(&record));
    merkle_leaf(leaf, SPAN(entry, 32));
    number_print(number, w->h.sender, w->s.seq);
    line_text("number", span_str(number));
    line_number("record_time_ms", SEALED_MS + 500);
    line_hex("record_salt", fixed("record salt"), 32);
    line_span("record", buf_span(&record));
    line_hex("entry", entry, 32);
    line_hex("merkle_leaf", leaf, 32);
    buf_release(&record);
}

static void work_init(struct work *w, const struct vector *v)
{
    char name[32];

    *w = (struct work){ .v = v };
    n_made = 0;
    buf_init(&w->content, CONTENT_MAX);
    buf_init(&w->plain, ENVELOPE_BUCKET_MAX);
    buf_init(&w->header, ENVELOPE_HEADER_MAX);
    buf_init(&w->stamp, ENVELOPE_STAMP_MAX);
    buf_init(&w->file, ENVELOPE_MAX);
    memcpy(w->channel, fixed("channel"), 32);
    memcpy(w->chain, fixed("chain"), 16);
    for (size_t i = 0; i < 2; i++) {
        memset(w->seen_log[i], (int)i + 1, 32);
        snprintf(name, sizeof(name), "seen root %zu", i);
        memcpy(w->seen_root[i], fixed(name), 32);
    }
    for (size_t i = 0; i < TO_MAX; i++) {
        snprintf(name, sizeof(name), "subkey %zu", i);
        memcpy(w->scalar[i], fixed(name), 32);
        crypto_scalarmult_base(w->subkey[i], w->scalar[i]);
    }
}

static void work_release(struct work *w)
{
    struct buf *const bufs[] = { &w->content, &w->plain, &w->header, &w->stamp, &w->file };

    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_release(bufs[i]);
    for (size_t i = 0; i < n_made; i++)
        buf_release(&made[i]);
    seckey_free(w->releaser);
    seckey_free(w->drafter);
    psk_ring_close(w->psk);
    sealed_release(&w->sealed);
}

/* One vector into the sheet; the first must be made before the others, which refer to it. */
static void make(const struct vector *v)
{
    static struct work w;

    work_init(&w, v);
    buf_clear(&sheet);
    line_text("#", span_str(v->says));
    line_text("realm", span_str(realm_name(v->realm)));
    w.releaser = fixed_key("releaser");
    line_hex("releaser_public", seckey_public(w.releaser), 32);
    if (v->drafted) {
        w.drafter = fixed_key("drafter");
        line_hex("drafter_public", seckey_public(w.drafter), 32);
    }
    if (v->say)
        make_content(&w);
    make_header(&w);
    if (v->drafted)
        make_draft(&w);
    make_stamp(&w);
    if (v->psk_step)
        make_psk(&w);
    make_sealed(&w);
    make_envelope(&w);
    make_record(&w);
    assert_int_equal(sheet.bad, 0);
    if (v == vectors)
        memcpy(first_mid, w.mid, 32);
    work_release(&w);
}

/* Line by line, so that the first value that differs is named. */
static void compare(const struct vector *v)
{
    struct span want, got = buf_span(&sheet), a, b;
    struct buf file;
    char path[64];

    snprintf(path, sizeof(path), "tests/vectors/envelope-%s.txt", v->name);
    buf_init(&file, 1 << 20);
    CHECK_EQ(file_read(path, &file), 0, path);
    want = buf_span(&file);
    while (text_line(&want, &a)) {
        char name[80];
        size_t n = a.n < 60 ? a.n : 60;

        snprintf(name, sizeof(name), "%s: %.*s...", v->name, (int)n, (const char *)a.p);
        CHECK_EQ(text_line(&got, &b), true, name);
        CHECK_EQ(span_eq(a, b), true, name);
    }
    CHECK_EQ(want.n + got.n, 0, path);
    buf_release(&file);
}

static void every_vector(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        make(&vectors[i]);
        compare(&vectors[i]);
    }
}

static int setup(void **state)
{
    (void)state;
    return keys_init() || !mkdtemp(dir);
}

static int teardown(void **state)
{
    (void)state;
    buf_release(&sheet);
    return rmdir(dir);
}

static int print(const char *name)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        make(&vectors[i]);
        if (strcmp(vectors[i].name, name) == 0)
            return fwrite(sheet.p, sheet.n, 1, stdout) != 1;
    }
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_vector) };

    buf_init(&sheet, 1 << 20);
    if (argc == 3 && strcmp(argv[1], "print") == 0)
        return setup(NULL) || print(argv[2]) || teardown(NULL);
    return cmocka_run_group_tests(tests, setup, teardown);
}
