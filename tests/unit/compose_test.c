#include "tests/check.h"

#include <stdlib.h>

#include "client/compose.h"
#include "client/sync.h"
#include "common/card.h"
#include "common/clock.h"
#include "common/error.h"
#include "keys/open.h"
#include "keys/seal.h"
#include "tests/office.h"

/* From what an officer wants to say to an envelope that its reader opens; and everything that is
 * refused before. */

static struct world world;
static struct office arcadia, borealia; /* the technical PoCs */
static const char nowhere[] = "tcp://127.0.0.1:1";

static int setup(void **state)
{
    const struct office *both[] = { &arcadia, &borealia };

    (void)state;
    world_init(&world, REALM_EXERCISE, clock_now_ms());
    office_open(&arcadia, &world, "arcadia.technical", nowhere, world_xkey("doria/curve").pk);
    office_open(&borealia, &world, "borealia.technical", nowhere, world_xkey("doria/curve").pk);
    office_fold(&arcadia, both, 2);
    office_fold(&borealia, both, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    office_close(&arcadia);
    office_close(&borealia);
    world_release(&world);
    return 0;
}

static struct seckey *key_of(const char *label)
{
    struct world_key k = world_key(label);
    struct seckey *key;

    assert_int_equal(seckey_from_seed(&key, k.sk), 0);
    return key;
}

/* A notification of BOREALIA on the technical channel; a row changes one thing of it. */
struct said {
    struct draft_input in;
    struct content content;
    struct recipient to[8];
};

static void said_init(struct said *s)
{
    memset(s, 0, sizeof(*s));
    s->to[0] = (struct recipient){ span_str("arcadia.technical"), ROLE_ACTION };
    s->content.subject = span_str("remote control lost");
    s->content.language = span_str("en");
    s->content.n = CONTENT_FIXED;
    s->content.name[s->content.n] = span_str("text");
    s->content.field[s->content.n++] = span_str("eleven substations");
    s->in = (struct draft_input){ .channel_name = span_str("arcadia-borealia.technical"),
                                  .kind = KIND_NOTIFICATION,
                                  .n_to = 1,
                                  .to = s->to,
                                  .category = SPAN_NONE,
                                  .content = &s->content };
}

static void said_labels(struct said *s)
{
    struct channel_facts facts;
    int rc;

    assert_non_null(compose_channel(&borealia.agent, s->in.channel_name, NULL, &facts, &rc,
                                    &(struct buf){ .max = 100 }));
    s->in.category = facts.agreement->category[0];
    s->in.marking = facts.agreement->marking[0];
}

/* ---- two persons, and back ---- */

static void open_it(const struct prepared *p, const struct desk_draft *d)
{
    struct envelope *env = malloc(sizeof(*env));
    struct opened opened;

    assert_int_equal(envelope_decode(env, REALM_EXERCISE, buf_span(&p->message.envelope)), 0);
    CHECK_EQ(envelope_verify(env), 0, "both signatures");
    CHECK_EQ(
        open_envelope(env, span_str("arcadia.technical"), arcadia.station.subkeys, NULL, &opened),
        0, "opens");
    CHECK_EQ(span_eq(opened.content_bytes, buf_span(&d->content)), 1, "what was drafted");
    CHECK_BYTES(env->mid, d->mid, 32, "message id");
    CHECK_EQ(env->stamp.seq, p->message.seq, "number");
    opened_release(&opened);
    CHECK_EQ(
        open_envelope(env, span_str("borealia.technical"), borealia.station.subkeys, NULL, &opened),
        -HL_EMEMBER, "not addressed");
    free(env);
}

static void drafted_by_one_released_by_another(void **state)
{
    struct seckey *drafter = key_of("borealia.technical/watch-1"),
                  *releaser = key_of("borealia.technical/watch-2");
    struct desk_draft d, held;
    struct prepared p, again;
    struct said s;
    struct buf why;
    uint8_t sig[64], chain[16];
    uint64_t seq;

    (void)state;
    buf_init(&why, 1024);
    said_init(&s);
    said_labels(&s);
    CHECK_EQ(compose_draft(&borealia.agent, &s.in, &d, &why), 0, "draft");
    CHECK_EQ(compose_sign_draft(&borealia.agent, &d, drafter), 0, "sign");
    CHECK_EQ(desk_draft_put(borealia.agent.desk, &d), 0, "kept");
    prepared_init(&p);
    CHECK_EQ(compose_prepare(&borealia.agent, &d, seckey_public(releaser), 0, &p, &why), 0,
             buf_str(&why));
    CHECK_EQ(prepared_keep(&borealia.agent, &p), 0, "waits for its signature");
    CHECK_EQ(seal_release(releaser, REALM_EXERCISE, p.message.id, sig), 0, "signed elsewhere");
    prepared_init(&again);
    CHECK_EQ(prepared_load(&borealia.agent, p.message.id, &again, &why), 0, "taken up");
    sig[5] ^= 1;
    CHECK_EQ(compose_commit(&borealia.agent, &again, sig), -HL_ESIG, "a broken signature");
    sig[5] ^= 1;
    CHECK_EQ(compose_commit(&borealia.agent, &again, sig), 0, "commit");
    open_it(&again, &d);
    CHECK_EQ(desk_draft_get(borealia.agent.desk, d.mid, &held), -HL_ENOENT, "the draft is gone");
    CHECK_EQ(desk_number(borealia.agent.desk, again.message.channel, chain, &seq), 0, "number");
    CHECK_EQ(seq, again.message.seq + 1, "taken");
    CHECK_EQ(compose_commit(&borealia.agent, &p, sig), -HL_ESTATE, "a number is taken once");
    prepared_release(&p);
    prepared_release(&again);
    desk_draft_release(&d);
    desk_draft_release(&held);
    seckey_free(drafter);
    seckey_free(releaser);
    buf_release(&why);
}

static void sealing_again_is_new(void **state)
{
    struct seckey *key = key_of("borealia.technical/watch-2"),
                  *drafter = key_of("borealia.technical/watch-1");
    struct desk_draft d;
    struct prepared a, b;
    struct said s;
    struct buf why;

    (void)state;
    buf_init(&why, 1024);
    said_init(&s);
    said_labels(&s);
    assert_int_equal(compose_draft(&borealia.agent, &s.in, &d, &why), 0);
    assert_int_equal(compose_sign_draft(&borealia.agent, &d, drafter), 0);
    prepared_init(&a);
    prepared_init(&b);
    CHECK_EQ(compose_prepare(&borealia.agent, &d, seckey_public(key), 0, &a, &why), 0, "one");
    CHECK_EQ(compose_prepare(&borealia.agent, &d, seckey_public(key), 0, &b, &why), 0, "two");
    CHECK_BYTES(a.message.mid, b.message.mid, 32, "one message");
    CHECK_EQ(memcmp(a.message.id, b.message.id, 32) != 0, 1, "two envelopes");
    CHECK_EQ(span_eq(buf_span(&a.message.envelope), buf_span(&b.message.envelope)), 0,
             "two envelopes");
    prepared_release(&a);
    prepared_release(&b);
    desk_draft_release(&d);
    seckey_free(key);
    seckey_free(drafter);
    buf_release(&why);
}

/* ---- what is refused before a number is taken ---- */

static void other_channel(struct said *s)
{
    s->in.channel_name = span_str("no.such.channel");
}
static void other_category(struct said *s)
{
    s->in.category = span_str("gossip");
}
static void no_marking(struct said *s)
{
    s->in.marking = SPAN_NONE;
}
static void sealed(struct said *s)
{
    s->in.seal_labels = true;
}
static void no_member(struct said *s)
{
    s->to[0].poc = span_str("caldera.technical");
}
static void long_flash(struct said *s)
{
    static uint8_t text[5000];

    memset(text, 'x', sizeof(text));
    s->in.precedence = PRECEDENCE_FLASH;
    s->content.field[CONTENT_FIXED] = SPAN(text, sizeof(text));
}
static void annex_of_a_type(struct said *s, const char *type)
{
    static uint8_t bytes[200];
    struct attachment a = { span_str(type), span_str("a"), span_str("1,2\n") };
    struct buf out = { .max = sizeof(bytes) };

    assert_int_equal(attachment_put(&out, &a), 0);
    memcpy(bytes, out.p, out.n);
    s->content.name[s->content.n] = span_str("attachment");
    s->content.field[s->content.n++] = SPAN(bytes, out.n);
    buf_release(&out);
}
static void flash_with_annex(struct said *s)
{
    annex_of_a_type(s, "text/csv");
    s->in.precedence = PRECEDENCE_FLASH;
}
static void annex_of_another_type(struct said *s)
{
    annex_of_a_type(s, "application/x-executable");
}
static void annex(struct said *s)
{
    annex_of_a_type(s, "text/csv");
}
static void twice(struct said *s)
{
    s->to[1] = s->to[0];
    s->in.n_to = 2;
}
static void nobody(struct said *s)
{
    s->in.n_to = 0;
}
static void reply_to_nothing(struct said *s)
{
    static const uint8_t mid[32] = "unknown";

    s->in.kind = KIND_REPLY;
    s->in.ref[0] = mid;
    s->in.n_refs = 1;
}
static void as_it_is(struct said *s)
{
    (void)s;
}

static void refused_before_a_number_is_taken(void **state)
{
    static const struct {
        const char *name;
        void (*change)(struct said *s);
        const char *drafter, *releaser;
        int want;
    } rows[] = {
        { "good", as_it_is, "watch-1", "watch-2", 0 },
        { "one person where two are asked for", as_it_is, NULL, "watch-1", -HL_ETWOPERSON },
        { "the drafter releases", as_it_is, "watch-1", "watch-1", -HL_ETWOPERSON },
        { "a key of nobody", as_it_is, "watch-1", "watch-9", -HL_EKEY },
        { "the station's key", as_it_is, "watch-1", "station", -HL_EPERM },
        { "unknown channel", other_channel, "watch-1", "watch-2", -HL_ECHANNEL },
        { "unknown category", other_category, "watch-1", "watch-2", -HL_ECATEGORY },
        { "no marking", no_marking, "watch-1", "watch-2", -HL_EMARKING },
        { "sealed labels", sealed, "watch-1", "watch-2", -HL_EKIND },
        { "not a member", no_member, "watch-1", "watch-2", -HL_EMEMBER },
        { "a long FLASH", long_flash, "watch-1", "watch-2", -HL_EFLASH },
        { "an annex", annex, "watch-1", "watch-2", 0 },
        { "an annex of another type", annex_of_another_type, "watch-1", "watch-2",
          -HL_EATTACHMENT },
        { "a FLASH with an annex", flash_with_annex, "watch-1", "watch-2", -HL_EFLASH },
        { "a recipient twice", twice, "watch-1", "watch-2", -HL_EFORMAT },
        { "no recipient", nobody, "watch-1", "watch-2", -HL_EKIND },
        { "a reply to nothing", reply_to_nothing, "watch-1", "watch-2", -HL_ETARGET },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct seckey *drafter = NULL, *releaser;
        char label[64];
        struct desk_draft d;
        struct prepared p;
        struct said s;
        struct buf why;
        int rc;

        buf_init(&why, 1024);
        said_init(&s);
        said_labels(&s);
        rows[i].change(&s);
        snprintf(label, sizeof(label), "borealia.technical/%s", rows[i].releaser);
        releaser = key_of(label);
        prepared_init(&p);
        rc = compose_draft(&borealia.agent, &s.in, &d, &why);
        if (!rc && rows[i].drafter) {
            snprintf(label, sizeof(label), "borealia.technical/%s", rows[i].drafter);
            drafter = key_of(label);
            assert_int_equal(compose_sign_draft(&borealia.agent, &d, drafter), 0);
        }
        if (!rc)
            rc = compose_prepare(&borealia.agent, &d, seckey_public(releaser), 0, &p, &why);
        CHECK_EQ(rc, rows[i].want, rows[i].name);
        if (rc)
            CHECK_EQ(strlen(buf_str(&why)) > 0, 1, rows[i].name);
        prepared_release(&p);
        desk_draft_release(&d);
        seckey_free(drafter);
        seckey_free(releaser);
        buf_release(&why);
    }
}

/* ---- the clock ---- */

static void a_doubted_clock_is_told(void **state)
{
    bool doubted = true;

    (void)state;
    CHECK_EQ(compose_now(&borealia.agent, &doubted) / 10000, clock_now_ms() / 10000,
             "no witness: this clock");
    CHECK_EQ(doubted, 0, "not doubted");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(drafted_by_one_released_by_another),
        TEST(sealing_again_is_new),
        TEST(refused_before_a_number_is_taken),
        TEST(a_doubted_clock_is_told),
    };

    if (keys_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
