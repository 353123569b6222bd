#include "server/broker.h"
#include "server/quota.h"
#include "tests/rig.h"
#include "tests/world.h"

static struct rig R;
#define B_DIP "borealia.diplomatic"
#define A_DIP "arcadia.diplomatic"

static int setup(void **state)
{
    (void)state;
    rig_open(&R);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&R);
    return 0;
}

static int submit(unsigned precedence, uint64_t seq, size_t bucket, struct rig_mail *keep)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f;
    int rc;

    world_message_init(&m, &R.w);
    m.seq = seq;
    m.salt = (uint8_t)seq;
    m.precedence = precedence;
    m.bucket = bucket;
    rig_mail(&mail, &R, &m);
    rc = rig_record(&R, 1, B_DIP, seq, &mail, &f);
    if (keep)
        *keep = mail;
    else
        rig_mail_release(&mail);
    return rc;
}

static int step(const struct rig_mail *mail, uint64_t seq)
{
    struct world_message s;
    struct rig_mail m;
    struct frame f;
    int rc;

    rig_step(&s, &R, KIND_DELIVERED, A_DIP, "station", mail->env.mid, seq);
    rig_mail(&m, &R, &s);
    rc = rig_record(&R, 1, B_DIP, 500 + seq, &m, &f);
    rig_mail_release(&m);
    return rc;
}

static void test_space(void **state)
{
    static const struct {
        const char *name;
        uint64_t low, min;
        int want[4]; /* by precedence */
    } rows[] = {
        { "ample", 1, 1, { 0, 0, 0, 0 } },
        { "low", UINT64_MAX, 1, { -HL_ESPACE, -HL_ESPACE, 0, 0 } },
        { "least", UINT64_MAX, UINT64_MAX, { -HL_ESPACE, -HL_ESPACE, -HL_ESPACE, 0 } },
    };
    struct rig_mail first;
    struct frame f;

    (void)state;
    rig_connect(&R, 1, B_DIP);
    CHECK_EQ(submit(PRECEDENCE_ROUTINE, 100, 4096, &first), 0, "before");
    for (size_t i = 0; i < COUNT(rows); i++) {
        R.conf.space_low = rows[i].low;
        R.conf.space_min = rows[i].min;
        rig_restart(&R);
        rig_connect(&R, 1, B_DIP);
        for (unsigned p = 0; p < 4; p++)
            CHECK_EQ(submit(p, 10 * i + p + 1, 4096, NULL), rows[i].want[p], rows[i].name);
        CHECK_EQ(step(&first, i + 1), 0, "a step always");
        f = (struct frame){ .verb = VERB_FETCH, .tag = 1, .what = FETCH_ENTRIES, .a = 0, .b = 1 };
        CHECK_EQ(rig_send(&R, 1, B_DIP, &f), 0, "fetch");
        CHECK_EQ(rig_run(&R), 0, "run");
        CHECK_EQ(rig_take(&R, 1, VERB_FETCHED, &f), 1, "reads always work");
        rig_clear(&R);
    }
    rig_mail_release(&first);
}

/* What waits for one PoC: ROUTINE and PRIORITY to the quota, IMMEDIATE to twice, FLASH to four
 * times. */
static void test_quota(void **state)
{
    static const struct {
        unsigned precedence, room;
    } rows[] = { { 0, 5 }, { 1, 0 }, { 2, 5 }, { 0, 0 }, { 3, 10 }, { 2, 0 } };
    struct rig_mail first;
    uint64_t seq = 1;

    (void)state;
    R.conf.quota_messages = 5;
    rig_restart(&R);
    rig_connect(&R, 1, B_DIP);
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (unsigned n = 0; n < rows[i].room; n++, seq++)
            CHECK_EQ(submit(rows[i].precedence, seq, 4096, seq == 1 ? &first : NULL), 0, "room");
        CHECK_EQ(submit(rows[i].precedence, seq++, 4096, NULL), -HL_EQUOTA, "full");
    }
    rig_restart(&R); /* counted again from the store */
    rig_connect(&R, 1, B_DIP);
    CHECK_EQ(submit(3, seq++, 4096, NULL), -HL_EQUOTA, "still full");
    CHECK_EQ(step(&first, 1), 0, "one is delivered");
    CHECK_EQ(submit(3, seq++, 4096, NULL), 0, "room for one");
    CHECK_EQ(submit(3, seq++, 4096, NULL), -HL_EQUOTA, "and no more");
    rig_mail_release(&first);
}

static void test_quota_bytes(void **state)
{
    (void)state;
    R.conf.quota_bytes = 20000;
    rig_restart(&R);
    rig_connect(&R, 1, B_DIP);
    CHECK_EQ(submit(0, 1, 8192, NULL), 0, "8 KiB");
    CHECK_EQ(submit(0, 2, 8192, NULL), 0, "16 KiB");
    CHECK_EQ(submit(0, 3, 8192, NULL), -HL_EQUOTA, "24 KiB");
    CHECK_EQ(submit(2, 4, 8192, NULL), 0, "IMMEDIATE has more");
}

static void test_rates(void **state)
{
    const struct quota_conf conf = { 1, 1 };
    struct quotas *q;
    unsigned n = 0;

    (void)state;
    CHECK_EQ(quotas_open(&conf, &q), 0, "open");
    while (quota_take(q, QUOTA_REFUSALS, span_str("a.b"), 1000))
        n++;
    CHECK_EQ(n, 8, "burst");
    CHECK_EQ(quota_take(q, QUOTA_REFUSALS, span_str("c.d"), 1000), 1, "another's are its own");
    CHECK_EQ(quota_take(q, QUOTA_REFUSALS, span_str("a.b"), 30999), 0, "not yet");
    CHECK_EQ(quota_take(q, QUOTA_REFUSALS, span_str("a.b"), 31000), 1, "one came back");
    CHECK_EQ(quota_take(q, QUOTA_REFUSALS, span_str("a.b"), 31000), 0, "one");
    CHECK_EQ(quota_take(q, QUOTA_REFUSALS, span_str("a.b"), 500), 0,
             "a clock that goes back gives nothing");
    quotas_close(q);
}

/* Streams of one connection, then of one sender. */
static void test_upload_limits(void **state)
{
    struct frame f;
    unsigned streams = 0, refused = 0;

    (void)state;
    for (uint64_t i = 0; i < 24; i++) {
        struct world_message m;
        struct rig_mail mail;

        if (i % 4 == 0)
            rig_connect(&R, 1 + i / 4, B_DIP);
        world_message_init(&m, &R.w);
        m.seq = i + 1;
        m.salt = (uint8_t)m.seq;
        m.bucket = 65536;
        rig_mail(&mail, &R, &m);
        CHECK_EQ(rig_submit(&R, 1 + i / 4, B_DIP, i + 1, &mail), 0, "submit");
        CHECK_EQ(rig_run(&R), 0, "run");
        streams += rig_take(&R, 1 + i / 4, VERB_GOT, &f);
        refused += rig_take(&R, 1 + i / 4, VERB_REFUSED, &f) && f.tag != 0;
        rig_mail_release(&mail);
    }
    CHECK_EQ(streams + refused, 24, "each is answered");
    CHECK_EQ(streams >= 16, 1, "sixteen may be on their way");
}

static void test_fifth_stream_of_a_connection(void **state)
{
    struct frame f;

    (void)state;
    rig_connect(&R, 1, B_DIP);
    for (uint64_t i = 0; i < 5; i++) {
        struct world_message m;
        struct rig_mail mail;

        world_message_init(&m, &R.w);
        m.seq = i + 1;
        m.salt = (uint8_t)m.seq;
        m.bucket = 65536;
        rig_mail(&mail, &R, &m);
        CHECK_EQ(rig_submit(&R, 1, B_DIP, i + 1, &mail), 0, "submit");
        CHECK_EQ(rig_run(&R), 0, "run");
        CHECK_EQ(rig_take(&R, 1, i < 4 ? VERB_GOT : VERB_REFUSED, &f), 1, "four, and no fifth");
        rig_mail_release(&mail);
    }
    CHECK_EQ(f.code, HL_EQUOTA, "code");
}

/* One connection that floods is told so, and does not stop the others. */
static void test_flood(void **state)
{
    struct frame ping = { .verb = VERB_PING, .tag = 1 }, f;
    uint64_t pongs;

    (void)state;
    rig_connect(&R, 1, B_DIP);
    rig_connect(&R, 2, A_DIP);
    rig_clear(&R);
    for (int i = 0; i < 5000; i++)
        CHECK_EQ(rig_send(&R, 1, B_DIP, &ping), 0, "taken or dropped");
    CHECK_EQ(rig_send(&R, 2, A_DIP, &ping), 0, "another");
    CHECK_EQ(rig_run(&R), 0, "run");
    pongs = rig_count(&R, 1, VERB_PONG);
    CHECK_EQ(pongs, 2048, "what is beyond the limit is dropped");
    CHECK_EQ(rig_take(&R, 1, VERB_REFUSED, &f), 1, "and it is told");
    CHECK_EQ(f.code, HL_EQUOTA, "code");
    CHECK_EQ(rig_count(&R, 2, VERB_PONG), 1, "the other is answered");
}

/* Beyond its limit in all, the queue takes the frame and says: read no more. */
static void test_queue_full(void **state)
{
    static uint8_t bytes[60000];
    uint64_t conn = 1;
    int rc = 0;

    (void)state;
    for (unsigned i = 0; i < 4000 && rc == 0; i++, conn += i % 15 == 0)
        rc = rig_bytes(&R, conn, B_DIP, SPAN(bytes, sizeof(bytes)));
    CHECK_EQ(rc, -HL_EQUOTA, "full");
    CHECK_EQ(rig_run(&R), 0, "it empties");
    CHECK_EQ(rig_bytes(&R, 1, B_DIP, SPAN(bytes, 10)), 0, "and takes more");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_space),         T(test_quota),
        T(test_quota_bytes),   cmocka_unit_test(test_rates),
        T(test_upload_limits), T(test_fifth_stream_of_a_connection),
        T(test_flood),         T(test_queue_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
