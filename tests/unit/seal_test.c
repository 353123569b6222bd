#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/fail.h"

#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "keys/open.h"
#include "keys/seal.h"
#include "keys/secret_bytes.h"
#include "keys/wrap.h"
#include "tests/vectors/seal.inc"

#define DAY UINT64_C(20780)
#define POCS 3

static char dir[] = "/tmp/seal-test-XXXXXX";
static const char *const poc[POCS] = { "arcadia.technical", "caldera.watch", "doria.technical" };
static struct subkey_ring *ring[POCS];
static uint8_t subkey[POCS][32];
static struct psk_ring *psk, *wrong_psk; /* epoch 3 of the channel, from DAY - 4 */
static struct secret *hedge;
static struct seckey *releaser, *drafter;
static const uint8_t channel[32] = "channel", chain[16] = "chain", salt[32] = "salt";

static const char *in_dir(const char *name)
{
    static char path[4][160];
    static unsigned turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
    return path[turn];
}

static struct psk_ring *make_psk(const char *folder)
{
    struct psk_ring *r;
    const char *a = in_dir("half-a"), *b = in_dir("half-b");

    assert_int_equal(file_mkdir(in_dir(folder), 0700), 0);
    assert_int_equal(psk_half_new(a, REALM_LIVE, "a", NULL), 0);
    assert_int_equal(psk_half_new(b, REALM_LIVE, "b", NULL), 0);
    assert_int_equal(psk_ring_open(&r, in_dir(folder), REALM_LIVE, NULL), 0);
    assert_int_equal(psk_combine(r, a, b, NULL, NULL, channel, 3, DAY - 4), 0);
    keyfile_destroy(in_dir("half-a"));
    keyfile_destroy(in_dir("half-b"));
    return r;
}

static int setup(void **state)
{
    (void)state;
    if (keys_init() || !mkdtemp(dir))
        return -1;
    for (size_t i = 0; i < POCS; i++) {
        struct subkeys pub;

        if (file_mkdir(in_dir(poc[i]), 0700) ||
            subkey_ring_open(&ring[i], in_dir(poc[i]), REALM_LIVE, span_str(poc[i]), NULL) ||
            subkey_ring_make(ring[i], 1, DAY - 1, 3, &pub))
            return -1;
        memcpy(subkey[i], pub.key[1], 32);
    }
    psk = make_psk("psk");
    wrong_psk = make_psk("wrong");
    hedge = secret_random(32);
    return seckey_new(&releaser) || seckey_new(&drafter);
}

static int remove_file(void *arg, const char *path)
{
    (void)arg;
    return unlink(path);
}

static int teardown(void **state)
{
    const char *folders[] = { poc[0], poc[1], poc[2], "psk", "wrong" };

    (void)state;
    for (size_t i = 0; i < POCS; i++)
        subkey_ring_close(ring[i]);
    psk_ring_close(psk);
    psk_ring_close(wrong_psk);
    secret_free(hedge);
    seckey_free(releaser);
    seckey_free(drafter);
    for (size_t i = 0; i < COUNT(folders); i++)
        if (file_each(in_dir(folders[i]), "", remove_file, NULL) || rmdir(in_dir(folders[i])))
            return -1;
    return rmdir(dir);
}

/* A notification on its way from a draft to an envelope. */
struct message {
    struct header h;
    struct stamp s;
    struct buf content, header, stamp, plain, file;
    uint8_t commit[32], mid[32], draft_sig[64], sig[64];
    struct sealed sealed;
    struct envelope env;
    struct opened opened;
};

static void message_init(struct message *m)
{
    *m = (struct message){ 0 };
    buf_init(&m->content, CONTENT_MAX);
    buf_init(&m->header, ENVELOPE_HEADER_MAX);
    buf_init(&m->stamp, ENVELOPE_STAMP_MAX);
    buf_init(&m->plain, ENVELOPE_BUCKET_MAX);
    buf_init(&m->file, ENVELOPE_MAX);
    m->h = (struct header){ .realm = REALM_LIVE,
                            .kind = KIND_NOTIFICATION,
                            .channel = channel,
                            .sender = span_str("borealia.technical"),
                            .drafted_ms = DAY * CLOCK_DAY_MS,
                            .n_to = POCS,
                            .category = 1,
                            .marking = 1 };
    for (size_t i = 0; i < POCS; i++)
        m->h.to[i] = (struct recipient){ span_str(poc[i]), ROLE_ACTION };
    m->s = (struct stamp){ .key = seckey_public(releaser),
                           .draft_key = seckey_public(drafter),
                           .draft_sig = m->draft_sig,
                           .precedence = PRECEDENCE_IMMEDIATE,
                           .chain = chain,
                           .seq = 7,
                           .sealed_ms = DAY * CLOCK_DAY_MS + 1 };
}

static void message_release(struct message *m)
{
    opened_release(&m->opened);
    sealed_release(&m->sealed);
    buf_release(&m->content);
    buf_release(&m->header);
    buf_release(&m->stamp);
    buf_release(&m->plain);
    buf_release(&m->file);
}

/* Content of @n bytes of free text, header with its commitment, draft signature, stamp. */
static void message_write(struct message *m, size_t n)
{
    struct content c = { .subject = span_str("Turbine hall"), .language = span_str("en"), .n = 7 };
    char *text = malloc(n);

    memset(text, 'a', n);
    c.name[6] = span_str("text");
    c.field[6] = SPAN(text, n);
    assert_int_equal(content_put(&m->content, &c), 0);
    free(text);
    assert_int_equal(content_decode(&c, buf_span(&m->content)), 0);
    content_commit(m->commit, REALM_LIVE, salt, &c);
    m->h.commit = SPAN(m->commit, 32);
    assert_int_equal(content_pad(&m->plain, salt, buf_span(&m->content)), 0);
}

static void message_heads(struct message *m)
{
    assert_int_equal(header_put(&m->header, &m->h), 0);
    envelope_mid(m->mid, REALM_LIVE, buf_span(&m->header));
    assert_int_equal(seal_draft(drafter, REALM_LIVE, m->mid, m->draft_sig), 0);
    assert_int_equal(stamp_put(&m->stamp, &m->s), 0);
}

static struct seal_input input(const struct message *m)
{
    return (struct seal_input){ .realm = REALM_LIVE,
                                .header = buf_span(&m->header),
                                .stamp = buf_span(&m->stamp),
                                .h = &m->h,
                                .s = &m->s,
                                .subkey = (const uint8_t(*)[32])subkey,
                                .plain = buf_span(&m->plain),
                                .hedge = hedge,
                                .psk = psk };
}

/* Signs what is in m->sealed, and passes the envelope through its bytes. */
static int message_envelope(struct message *m)
{
    struct envelope e = { .header_bytes = buf_span(&m->header),
                          .stamp_bytes = buf_span(&m->stamp),
                          .wraps_bytes = buf_span(&m->sealed.wraps),
                          .body = buf_span(&m->sealed.body),
                          .body_len = m->sealed.body.n,
                          .sig = m->sig };
    int rc;

    assert_int_equal(seal_release(releaser, REALM_LIVE, m->sealed.id, m->sig), 0);
    buf_clear(&m->file);
    assert_int_equal(envelope_put(&m->file, &e), 0);
    rc = envelope_decode(&m->env, REALM_LIVE, buf_span(&m->file));
    if (!rc)
        rc = envelope_verify(&m->env);
    return rc;
}

static int message_seal(struct message *m)
{
    struct seal_input in;
    int rc;

    message_heads(m);
    in = input(m);
    rc = seal(&in, &m->sealed);
    return rc ? rc : message_envelope(m);
}

static int message_open(struct message *m, size_t who)
{
    opened_release(&m->opened);
    return open_envelope(&m->env, span_str(poc[who]), ring[who], psk, &m->opened);
}

static void test_round(void **state)
{
    static const struct {
        const char *name;
        size_t text, body;
        unsigned epoch, step;
    } rows[] = {
        { "short", 1, 4096 + 16, 0, 0 },
        { "psk", 1, 4096 + 16, 3, 5 },
        { "psk of the day before", 1, 4096 + 16, 3, 4 },
        { "psk of the day after", 1, 4096 + 16, 3, 6 },
        { "fuller", 6000, 8192 + 16, 3, 5 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message m;

        message_init(&m);
        m.s.psk_epoch = rows[i].epoch;
        m.s.psk_step = rows[i].step;
        message_write(&m, rows[i].text);
        CHECK_EQ(message_seal(&m), 0, rows[i].name);
        CHECK_BYTES(m.env.id, m.sealed.id, 32, rows[i].name);
        CHECK_EQ(m.sealed.body.n, rows[i].body, rows[i].name);
        for (size_t who = 0; who < POCS; who++) {
            CHECK_EQ(message_open(&m, who), 0, rows[i].name);
            CHECK_EQ(span_eq(m.opened.content_bytes, buf_span(&m.content)), 1, rows[i].name);
            CHECK_BYTES(m.opened.salt, salt, 32, rows[i].name);
            CHECK_EQ(content_field(&m.opened.content, "text").n, rows[i].text, rows[i].name);
        }
        message_release(&m);
    }
}

static void test_who_cannot(void **state)
{
    struct message m;
    struct opened o;

    (void)state;
    message_init(&m);
    message_write(&m, 10);
    assert_int_equal(message_seal(&m), 0);
    CHECK_EQ(open_envelope(&m.env, span_str("borealia.technical"), ring[0], NULL, &o), -HL_EMEMBER,
             "the sender");
    CHECK_EQ(open_envelope(&m.env, span_str("arcadia.technica"), ring[0], NULL, &o), -HL_EMEMBER,
             "a stranger");
    CHECK_EQ(open_envelope(&m.env, span_str(poc[0]), ring[1], NULL, &o), -HL_EOPEN,
             "another's ring");
    CHECK_EQ(o.plain.p == NULL && o.salt == NULL, 1, "nothing came out");
    message_release(&m);
}

static void test_psk(void **state)
{
    static const struct {
        const char *name;
        unsigned epoch, step;
        int want;
    } rows[] = {
        { "today's", 3, 5, 0 },
        { "two days before", 3, 3, -HL_EPSK },
        { "two days after", 3, 7, -HL_EPSK },
        { "unknown epoch", 4, 5, -HL_EPSK },
    };
    struct message m;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        message_init(&m);
        m.s.psk_epoch = rows[i].epoch;
        m.s.psk_step = rows[i].step;
        message_write(&m, 10);
        CHECK_EQ(message_seal(&m), rows[i].want, rows[i].name);
        CHECK_EQ(m.sealed.body.p != NULL, rows[i].want == 0, rows[i].name);
        message_release(&m);
    }
    message_init(&m);
    m.s.psk_epoch = 3;
    m.s.psk_step = 5;
    message_write(&m, 10);
    assert_int_equal(message_seal(&m), 0);
    CHECK_EQ(open_envelope(&m.env, span_str(poc[0]), ring[0], NULL, &m.opened), -HL_EPSK, "none");
    CHECK_EQ(open_envelope(&m.env, span_str(poc[0]), ring[0], wrong_psk, &m.opened), -HL_EOPEN,
             "another");
    /* a sender who lies about the day: refused by the reader's own reckoning */
    m.env.stamp.sealed_ms += 2 * CLOCK_DAY_MS;
    CHECK_EQ(open_envelope(&m.env, span_str(poc[0]), ring[0], psk, &m.opened), -HL_EPSK,
             "off by 2");
    message_release(&m);
}

static void test_refuses_to_seal(void **state)
{
    uint8_t bad[POCS][32];
    struct seal_input in;
    struct message m;

    (void)state;
    message_init(&m);
    message_write(&m, 10);
    message_heads(&m);
    in = input(&m);
    in.subkey = NULL;
    CHECK_EQ(seal(&in, &m.sealed), -HL_ESUBKEY, "no subkeys");
    memcpy(bad, subkey, sizeof(bad));
    memset(bad[2], 0, 32);
    in.subkey = (const uint8_t(*)[32])bad;
    CHECK_EQ(seal(&in, &m.sealed), -HL_ESUBKEY, "subkey of small order");
    CHECK_EQ(m.sealed.wraps.p == NULL && m.sealed.body.p == NULL, 1, "nothing came out");
    message_release(&m);
}

static void test_never_the_same(void **state)
{
    static const uint8_t random[32] = "fixed";
    struct secret *other = secret_random(32);
    struct sealed again = { 0 };
    struct seal_input in;
    struct message m;

    (void)state;
    message_init(&m);
    message_write(&m, 10);
    assert_int_equal(message_seal(&m), 0);
    in = input(&m);
    assert_int_equal(seal(&in, &again), 0);
    CHECK_EQ(span_eq(buf_span(&m.sealed.wraps), buf_span(&again.wraps)), 0, "fresh randomness");
    CHECK_EQ(span_eq(buf_span(&m.sealed.body), buf_span(&again.body)), 0, "fresh randomness");
    sealed_release(&again);
    sealed_release(&m.sealed);
    in.random = random;
    assert_int_equal(seal(&in, &m.sealed), 0);
    assert_int_equal(seal(&in, &again), 0);
    CHECK_EQ(span_eq(buf_span(&m.sealed.body), buf_span(&again.body)), 1, "a broken generator");
    sealed_release(&again);
    in.hedge = other;
    assert_int_equal(seal(&in, &again), 0);
    CHECK_EQ(span_eq(buf_span(&m.sealed.body), buf_span(&again.body)), 0, "the hedge");
    sealed_release(&again);
    in.hedge = hedge;
    m.s.seq++;
    buf_clear(&m.stamp);
    assert_int_equal(stamp_put(&m.stamp, &m.s), 0);
    in.stamp = buf_span(&m.stamp);
    assert_int_equal(seal(&in, &again), 0);
    CHECK_EQ(span_eq(buf_span(&m.sealed.wraps), buf_span(&again.wraps)), 0, "a new stamp");
    sealed_release(&again);
    secret_free(other);
    message_release(&m);
}

static void test_bodyless(void **state)
{
    static const uint8_t empty[] = { 0x82, 0x40, 0x80 };
    static const uint8_t target[32] = "target";
    struct message m;

    (void)state;
    message_init(&m);
    m.h.kind = KIND_ACKNOWLEDGED;
    m.h.n_to = 0;
    m.h.category = m.h.marking = 0;
    m.h.n_refs = 1;
    m.h.ref[0] = target;
    m.s.draft_key = m.s.draft_sig = NULL;
    CHECK_EQ(message_seal(&m), 0, "seal");
    CHECK_EQ(m.sealed.wraps.n, sizeof(empty), "wraps");
    CHECK_BYTES(m.sealed.wraps.p, empty, sizeof(empty), "wraps");
    CHECK_EQ(m.sealed.body.n, 0, "body");
    CHECK_EQ(message_open(&m, 0), -HL_EMEMBER, "nothing to open");
    message_release(&m);
}

/* The envelope of @m with other wraps, hashed and signed anew: only the sealing can object. */
static int reopen(struct message *m, struct span wraps, size_t who)
{
    int rc;

    opened_release(&m->opened);
    buf_clear(&m->sealed.wraps);
    buf_put_span(&m->sealed.wraps, wraps);
    crypto_hash_sha256(m->sealed.wraps_hash, wraps.p, wraps.n);
    envelope_id(m->sealed.id, REALM_LIVE, m->sealed.h, m->sealed.wraps_hash, m->sealed.body_hash);
    rc = message_envelope(m);
    return rc ? rc : message_open(m, who);
}

static void test_every_bit_of_the_wraps(void **state)
{
    uint8_t wraps[512];
    struct message m;
    size_t n;

    (void)state;
    message_init(&m);
    message_write(&m, 10);
    assert_int_equal(message_seal(&m), 0);
    n = m.sealed.wraps.n;
    assert_true(n <= sizeof(wraps));
    memcpy(wraps, m.sealed.wraps.p, n);
    CHECK_EQ(reopen(&m, SPAN(wraps, n), 0), 0, "as sealed");
    for (size_t bit = 0; bit < n * 8; bit++) {
        wraps[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(reopen(&m, SPAN(wraps, n), 0) != 0, 1, "one bit");
        CHECK_EQ(m.opened.plain.p == NULL, 1, "one bit");
        wraps[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    message_release(&m);
}

static void test_body_changes(void **state)
{
    struct message m;

    (void)state;
    message_init(&m);
    message_write(&m, 10);
    assert_int_equal(message_seal(&m), 0);
    for (size_t i = 0; i < m.sealed.body.n; i += 61) {
        m.sealed.body.p[i] ^= 1;
        crypto_hash_sha256(m.sealed.body_hash, m.sealed.body.p, m.sealed.body.n);
        envelope_id(m.sealed.id, REALM_LIVE, m.sealed.h, m.sealed.wraps_hash, m.sealed.body_hash);
        assert_int_equal(message_envelope(&m), 0);
        CHECK_EQ(message_open(&m, 0), -HL_EOPEN, "one bit of the body");
        m.sealed.body.p[i] ^= 1;
    }
    message_release(&m);
}

/* A wrap moved to another header, stamp or sender does not open there. */
static void test_not_portable(void **state)
{
    struct message m, other;

    (void)state;
    message_init(&m);
    message_init(&other);
    message_write(&m, 10);
    assert_int_equal(message_seal(&m), 0);
    message_write(&other, 10);
    other.s.seq = 8;
    message_heads(&other);
    envelope_head(other.sealed.h, REALM_LIVE, buf_span(&other.header), buf_span(&other.stamp));
    buf_init(&other.sealed.wraps, ENVELOPE_WRAPS_MAX);
    buf_init(&other.sealed.body, ENVELOPE_MAX);
    buf_put_span(&other.sealed.body, buf_span(&m.sealed.body));
    crypto_hash_sha256(other.sealed.body_hash, m.sealed.body.p, m.sealed.body.n);
    CHECK_EQ(reopen(&other, buf_span(&m.sealed.wraps), 0), -HL_EOPEN, "under another stamp");
    message_release(&m);
    message_release(&other);
}

enum craft {
    CRAFT_GOOD,
    CRAFT_OTHER_ENC,
    CRAFT_SALT,
    CRAFT_PADDING,
    CRAFT_BUCKET,
    CRAFT_LENGTH,
    CRAFT_CBOR,
    CRAFT_COMMIT,
    CRAFT_POC,
    CRAFT_AAD,
};

/* The plain of a dishonest sender. */
static void craft_plain(struct message *m, enum craft what)
{
    uint8_t *p = m->plain.p;

    switch (what) {
    case CRAFT_SALT:
        p[0] ^= 1;
        break;
    case CRAFT_PADDING:
        p[m->plain.n - 1] = 1;
        break;
    case CRAFT_BUCKET:
        assert_non_null(buf_reserve(&m->plain, m->plain.n));
        memset(m->plain.p + m->plain.n, 0, m->plain.n);
        buf_commit(&m->plain, m->plain.n);
        break;
    case CRAFT_LENGTH:
        put_u32(p + 32, UINT32_MAX);
        break;
    case CRAFT_CBOR:
        p[36] ^= 0x80;
        break;
    case CRAFT_COMMIT: /* a letter of the subject: well formed, and not what was committed to */
        p[36 + 2] ^= 1;
        break;
    case CRAFT_GOOD:
    case CRAFT_OTHER_ENC:
    case CRAFT_POC:
    case CRAFT_AAD:
        break;
    }
}

/* A whole sealing by hand, to one recipient; right but for @what. */
static int craft(struct message *m, enum craft what)
{
    struct wrap_work *w = wrap_work_new();
    static const uint8_t nonce[12];
    uint8_t enc[32], ct[WRAP_CT], room[WRAP_INFO_MAX], aad[64];
    struct wraps wraps = { .enc = enc, .n = 1, .wrap = { { subkey[0], ct } } };
    struct sealed *s = &m->sealed;

    m->h.n_to = 1;
    message_heads(m);
    craft_plain(m, what);
    buf_init(&s->wraps, ENVELOPE_WRAPS_MAX);
    buf_init(&s->body, ENVELOPE_MAX);
    envelope_head(s->h, REALM_LIVE, buf_span(&m->header), buf_span(&m->stamp));
    randombytes_buf(w->cek, 32);
    assert_int_equal(wrap_keys(w, enc, REALM_LIVE, s->h), 0);
    if (what == CRAFT_OTHER_ENC) {
        randombytes_buf(w->ske, 32);
        crypto_scalarmult_base(enc, w->ske);
    }
    assert_int_equal(
        hpke_seal(ct, (struct hpke_pair){ w->ske, enc }, subkey[0],
                  wrap_info(room, REALM_LIVE, s->h, subkey[0], span_str(poc[what == CRAFT_POC])),
                  NULL, SPAN_NONE, SPAN(w->cek, 32)),
        0);
    assert_int_equal(wraps_put(&s->wraps, &wraps), 0);
    crypto_hash_sha256(s->wraps_hash, s->wraps.p, s->wraps.n);
    memcpy(aad, s->h, 32);
    memcpy(aad + 32, s->wraps_hash, 32);
    aad[63] ^= what == CRAFT_AAD;
    crypto_aead_chacha20poly1305_ietf_encrypt(buf_reserve(&s->body, m->plain.n + 16), NULL,
                                              m->plain.p, m->plain.n, aad, 64, NULL, nonce,
                                              w->body_key);
    buf_commit(&s->body, m->plain.n + 16);
    crypto_hash_sha256(s->body_hash, s->body.p, s->body.n);
    envelope_id(s->id, REALM_LIVE, s->h, s->wraps_hash, s->body_hash);
    wrap_work_free(w);
    assert_int_equal(message_envelope(m), 0); /* well formed and signed */
    return message_open(m, 0);
}

static void test_crafted(void **state)
{
    static const struct {
        const char *name;
        enum craft what;
        int want;
    } rows[] = {
        { "as it should be", CRAFT_GOOD, 0 },
        { "enc does not follow from the CEK", CRAFT_OTHER_ENC, -HL_EENC },
        { "another salt", CRAFT_SALT, -HL_ECOMMIT },
        { "padding not zero", CRAFT_PADDING, -HL_EFORMAT },
        { "bucket not minimal", CRAFT_BUCKET, -HL_EFORMAT },
        { "length beyond the bucket", CRAFT_LENGTH, -HL_EFORMAT },
        { "content is not an array", CRAFT_CBOR, -HL_EFORMAT },
        { "content not as committed", CRAFT_COMMIT, -HL_ECOMMIT },
        { "wrapped for another PoC's name", CRAFT_POC, -HL_EOPEN },
        { "body bound to other wraps", CRAFT_AAD, -HL_EOPEN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message m;

        message_init(&m);
        message_write(&m, 10);
        CHECK_EQ(craft(&m, rows[i].what), rows[i].want, rows[i].name);
        CHECK_EQ(rows[i].want && (m.opened.plain.p || m.opened.salt), 0, rows[i].name);
        message_release(&m);
    }
}

static struct span unhex(uint8_t *out, const char *hex)
{
    size_t n = strlen(hex) / 2;

    assert_int_equal(text_unhex(out, n, span_str(hex)), 0);
    return SPAN(out, n);
}

/* A ring that holds one given scalar, through the file format that subkeys.c documents. */
static struct subkey_ring *vector_ring(size_t i, const char *scalar)
{
    const char *name = poc[i], *folder = in_dir("vector");
    size_t n = strlen(name);
    uint8_t bytes[128] = { (uint8_t)n };
    struct subkey_ring *r;
    struct secret *s;

    memcpy(bytes + 1, name, n);
    put_u64(bytes + 1 + n, 1);
    put_u64(bytes + 9 + n, DAY);
    bytes[17 + n] = 1;
    unhex(bytes + 18 + n, scalar);
    s = secret_take(bytes, 18 + n + 32);
    assert_int_equal(file_mkdir(folder, 0700), 0);
    assert_int_equal(keyfile_create(in_dir("vector/subkeys-1"), REALM_EXERCISE, KEY_SUBKEYS, name,
                                    NULL, s, NULL),
                     0);
    assert_int_equal(subkey_ring_open(&r, folder, REALM_EXERCISE, span_str(name), NULL), 0);
    secret_free(s);
    keyfile_destroy(in_dir("vector/subkeys-1"));
    rmdir(in_dir("vector"));
    return r;
}

static struct psk_ring *vector_psk(const struct seal_vector *v)
{
    uint8_t raw[32];
    struct psk_ring *r;
    const char *halves[] = { v->half_a, v->half_b };

    assert_int_equal(file_mkdir(in_dir("vector"), 0700), 0);
    assert_int_equal(psk_ring_open(&r, in_dir("vector"), REALM_EXERCISE, NULL), 0);
    for (size_t i = 0; i < 2; i++) {
        struct secret *s;

        unhex(raw, halves[i]);
        s = secret_take(raw, 32);
        assert_int_equal(keyfile_create(in_dir(i ? "half-b" : "half-a"), REALM_EXERCISE, KEY_PSK,
                                        "half", NULL, s, NULL),
                         0);
        secret_free(s);
    }
    unhex(raw, v->channel);
    assert_int_equal(psk_combine(r, in_dir("half-a"), in_dir("half-b"), NULL, NULL, raw,
                                 v->psk_epoch, v->first_day),
                     0);
    keyfile_destroy(in_dir("half-a"));
    keyfile_destroy(in_dir("half-b"));
    file_each(in_dir("vector"), "", remove_file, NULL);
    rmdir(in_dir("vector"));
    return r;
}

static void check_hex(const uint8_t *got, const char *hex, const char *row)
{
    uint8_t want[1024];
    struct span s = unhex(want, hex);

    CHECK_BYTES(got, want, s.n, row);
}

static void vector_open(const struct seal_vector *v, const struct envelope *env,
                        const struct psk_ring *with)
{
    for (size_t i = 0; i < 2; i++) {
        struct subkey_ring *r = vector_ring(i, v->scalar[i]);
        struct opened o;

        CHECK_EQ(open_envelope(env, span_str(poc[i]), r, with, &o), 0, v->name);
        check_hex(o.content_bytes.p, v->content, v->name);
        check_hex(o.salt, v->salt, v->name);
        opened_release(&o);
        subkey_ring_close(r);
    }
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(seal_vectors); i++) {
        const struct seal_vector *v = &seal_vectors[i];
        uint8_t header[1024], stamp[1024], content[1024], raw[3][32], keys[2][32], sig[64],
            seed[32];
        uint8_t salt_of[32];
        struct psk_ring *with = v->psk_step ? vector_psk(v) : NULL;
        struct header h;
        struct stamp s;
        struct seal_input in = { .realm = REALM_EXERCISE,
                                 .header = unhex(header, v->header),
                                 .stamp = unhex(stamp, v->stamp),
                                 .h = &h,
                                 .s = &s,
                                 .subkey = (const uint8_t(*)[32])keys,
                                 .psk = with,
                                 .random = unhex(raw[0], v->random).p };
        struct seckey *key, *draft;
        struct secret *of_vector;
        struct sealed sealed;
        struct message m;

        message_init(&m);
        unhex(keys[0], v->subkey[0]);
        unhex(keys[1], v->subkey[1]);
        unhex(raw[1], v->hedge);
        in.hedge = of_vector = secret_take(raw[1], 32);
        unhex(salt_of, v->salt);
        assert_int_equal(content_pad(&m.plain, salt_of, unhex(content, v->content)), 0);
        in.plain = buf_span(&m.plain);
        CHECK_EQ(header_decode(&h, REALM_EXERCISE, in.header), 0, v->name);
        CHECK_EQ(stamp_decode(&s, in.stamp), 0, v->name);
        CHECK_EQ(seal(&in, &sealed), 0, v->name);
        check_hex(sealed.h, v->h, v->name);
        check_hex(sealed.wraps.p + 3, v->enc, v->name); /* array, byte string of 32 */
        check_hex(sealed.wraps.p, v->wraps, v->name);
        CHECK_EQ(sealed.wraps.n, strlen(v->wraps) / 2, v->name);
        check_hex(sealed.body_hash, v->body_hash, v->name);
        check_hex(sealed.id, v->id, v->name);
        unhex(seed, v->releaser);
        assert_int_equal(seckey_from_seed(&key, seed), 0);
        unhex(seed, v->drafter);
        assert_int_equal(seckey_from_seed(&draft, seed), 0);
        assert_int_equal(seal_release(key, REALM_EXERCISE, sealed.id, sig), 0);
        check_hex(sig, v->sig, v->name);
        envelope_mid(raw[2], REALM_EXERCISE, in.header);
        check_hex(raw[2], v->mid, v->name);
        assert_int_equal(seal_draft(draft, REALM_EXERCISE, raw[2], m.draft_sig), 0);
        check_hex(m.draft_sig, v->draft_sig, v->name);

        struct envelope e = { .header_bytes = in.header,
                              .stamp_bytes = in.stamp,
                              .wraps_bytes = buf_span(&sealed.wraps),
                              .body = buf_span(&sealed.body),
                              .body_len = sealed.body.n,
                              .sig = sig };
        assert_int_equal(envelope_put(&m.file, &e), 0);
        CHECK_EQ(envelope_decode(&m.env, REALM_EXERCISE, buf_span(&m.file)), 0, v->name);
        CHECK_EQ(envelope_verify(&m.env), 0, v->name);
        vector_open(v, &m.env, with);
        sealed_release(&sealed);
        secret_free(of_vector);
        seckey_free(key);
        seckey_free(draft);
        psk_ring_close(with);
        message_release(&m);
    }
}

static void test_many(void **state)
{
    static char name[ENVELOPE_TO_MAX][16];
    static uint8_t keys[ENVELOPE_TO_MAX][32];
    struct seal_input in;
    struct message m;

    (void)state;
    message_init(&m);
    message_write(&m, 10);
    m.h.n_to = ENVELOPE_TO_MAX;
    for (size_t i = 0; i < ENVELOPE_TO_MAX; i++) {
        snprintf(name[i], sizeof(name[i]), "p%zu.desk", i);
        m.h.to[i] = (struct recipient){ span_str(name[i]), ROLE_INFORMATION };
        memcpy(keys[i], subkey[i % POCS], 32);
    }
    m.h.to[ENVELOPE_TO_MAX - 1].poc = span_str(poc[2]);
    message_heads(&m);
    in = input(&m);
    in.subkey = (const uint8_t(*)[32])keys;
    CHECK_EQ(seal(&in, &m.sealed), 0, "600 recipients");
    CHECK_EQ(message_envelope(&m), 0, "600 recipients");
    CHECK_EQ(message_open(&m, 2), 0, "the last one reads");
    message_release(&m);
}

static void test_failing_memory(void **state)
{
    struct message m;
    bool fired = true;
    int times = 0;

    (void)state;
    message_init(&m);
    m.s.psk_epoch = 3;
    m.s.psk_step = 5;
    message_write(&m, 10);
    message_heads(&m);
    for (int nth = 1; fired; nth++) {
        struct seal_input in = input(&m);
        int rc;

        sealed_release(&m.sealed);
        fail_arm(FAIL_GUARDED, nth);
        rc = seal(&in, &m.sealed);
        fired = fail_disarm();
        times += fired;
        CHECK_EQ(rc, fired ? -HL_ENOMEM : 0, "seal");
        CHECK_EQ(fired && m.sealed.wraps.p, 0, "seal");
    }
    assert_int_equal(message_envelope(&m), 0);
    fired = true;
    for (int nth = 1; fired; nth++) {
        int rc;

        fail_arm(FAIL_GUARDED, nth);
        rc = message_open(&m, 1);
        fired = fail_disarm();
        times += fired;
        CHECK_EQ(rc, fired ? -HL_ENOMEM : 0, "open");
    }
    CHECK_EQ(times >= 2, 1, "something failed");
    message_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_who_cannot),
        cmocka_unit_test(test_psk),
        cmocka_unit_test(test_refuses_to_seal),
        cmocka_unit_test(test_never_the_same),
        cmocka_unit_test(test_bodyless),
        cmocka_unit_test(test_every_bit_of_the_wraps),
        cmocka_unit_test(test_body_changes),
        cmocka_unit_test(test_not_portable),
        cmocka_unit_test(test_crafted),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_failing_memory),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
