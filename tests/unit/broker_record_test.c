#include "common/text.h"
#include "server/broker.h"
#include "tests/rig.h"
#include "tests/world.h"

static struct rig R;
#define B_DIP "borealia.diplomatic"
#define A_DIP "arcadia.diplomatic"

/* Each test has a chain of its own, so its numbers begin at 1. */
static void message(struct world_message *m, uint8_t chain, uint64_t seq)
{
    world_message_init(m, &R.w);
    m->chain = chain;
    m->seq = seq;
    m->salt = chain;
}

static int setup(void **state)
{
    (void)state;
    rig_open(&R);
    rig_connect(&R, 1, B_DIP);
    rig_connect(&R, 2, A_DIP);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&R);
    return 0;
}

static int between(void **state)
{
    (void)state;
    R.no_sign = false;
    rig_got_all(&R, 2, A_DIP);
    CHECK_EQ(rig_run(&R), 0, "rest");
    rig_got_all(&R, 2, A_DIP);
    CHECK_EQ(rig_run(&R), 0, "rest");
    rig_clear(&R);
    return 0;
}

static void test_receipt_after_signature(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f;

    (void)state;
    R.no_sign = true;
    message(&m, 1, 1);
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 7, &mail, &f), -HL_ENOANSWER, "nothing is promised unsigned");
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 1, "but the delivery has left");
    CHECK_EQ(rig_take(&R, 2, VERB_DELIVER, &f), 1, "delivery");
    CHECK_BYTES(f.body.p, mail.env.body.p, mail.env.body.n, "its body");
    CHECK_BYTES(f.front.p, mail.front.p, mail.front.n, "its front");
    R.no_sign = false;
    CHECK_EQ(rig_run(&R), 0, "signed");
    CHECK_EQ(rig_count(&R, 1, VERB_CHECKPOINT), 1, "the note once");
    CHECK_EQ(rig_before(&R, 1, VERB_CHECKPOINT, VERB_RECORDED), 1, "before the receipt");
    CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &f), 1, "receipt");
    CHECK_EQ(f.tag, 7, "its tag");
    rig_check_receipt(&R, &f, &mail, "receipt");
    rig_mail_release(&mail);
}

/* The body of one turn under the signature of one note. */
static void test_note_once_for_many(void **state)
{
    struct world_message m;
    struct rig_mail mail[20];
    struct frame f;

    (void)state;
    for (unsigned i = 0; i < COUNT(mail); i++) {
        message(&m, 2, i + 1);
        m.salt = (uint8_t)(100 + i);
        rig_mail(&mail[i], &R, &m);
        CHECK_EQ(rig_submit(&R, 1, B_DIP, i + 1, &mail[i]), 0, "submit");
    }
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_count(&R, 1, VERB_CHECKPOINT), 1, "one note");
    for (unsigned i = 0; i < COUNT(mail); i++) {
        CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &f), 1, "receipt");
        CHECK_EQ(f.tag, i + 1, "in order");
        rig_check_receipt(&R, &f, &mail[i], "receipt");
        rig_mail_release(&mail[i]);
    }
}

static void test_duplicate(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame first, again, other;

    (void)state;
    message(&m, 3, 1);
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 1, &mail), 0, "submit");
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 2, &mail), 0, "again, in the same turn");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &first), 1, "first");
    CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &again), 1, "second");
    CHECK_EQ(again.index, first.index, "same entry");
    CHECK_EQ(rig_record(&R, 1, B_DIP, 3, &mail, &again), 0, "later");
    CHECK_EQ(again.index, first.index, "same entry later");
    CHECK_BYTES(again.salt.p, first.salt.p, 32, "same salt");
    CHECK_EQ(again.time_ms, first.time_ms, "same time");
    rig_check_receipt(&R, &again, &mail, "receipt later");
    CHECK_EQ(rig_record(&R, 2, A_DIP, 9, &mail, &other), 0, "any member may bring it");
    CHECK_EQ(other.index, first.index, "same entry by another");
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 1, "delivered once");
    rig_mail_release(&mail);
}

static size_t count_openings(uint64_t conn, unsigned notice, char *detail, size_t max)
{
    struct frame f;
    struct record rec;
    size_t n = 0;

    while (rig_take(&R, conn, VERB_OPENING, &f)) {
        CHECK_EQ(record_decode(&rec, f.bytes), 0, "opening");
        if (rec.type != RECORD_NOTICE || rec.notice != notice)
            continue;
        n++;
        snprintf(detail, max, "%.*s", (int)rec.detail.n, (const char *)rec.detail.p);
    }
    return n;
}

static void test_number_conflict(void **state)
{
    struct world_message m;
    struct rig_mail mail, other;
    struct frame f;
    char detail[1100] = "", hex[65];

    (void)state;
    message(&m, 4, 1);
    rig_mail(&mail, &R, &m);
    m.salt = 0x77;
    rig_mail(&other, &R, &m);
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 1, &mail), 0, "submit");
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 2, &other), 0, "the same number in the same turn");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &f), 1, "first stands");
    CHECK_EQ(rig_take(&R, 1, VERB_REFUSED, &f), 1, "second is refused");
    CHECK_EQ(f.code, HL_ENUMBER, "code");
    CHECK_EQ(f.tag, 2, "tag");
    CHECK_EQ(count_openings(1, NOTICE_REFUSED, detail, sizeof(detail)), 1, "on record");
    text_hex(hex, other.env.id, 32);
    CHECK_EQ(strstr(detail, hex) != NULL, 1, "the notice names the envelope");
    CHECK_EQ(strncmp(detail, "E-NUMBER", 8), 0, "and the code");
    rig_restart(&R); /* from the store alone */
    rig_connect(&R, 1, B_DIP);
    rig_connect(&R, 2, A_DIP);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 3, &other, &f), -HL_ENUMBER, "after a restart");
    CHECK_EQ(rig_record(&R, 1, B_DIP, 4, &mail, &f), 0, "and the first still has its receipt");
    rig_check_receipt(&R, &f, &mail, "receipt");
    rig_mail_release(&mail);
    rig_mail_release(&other);
}

/* ---- refusals: each with its code and a sentence ---- */

static void wrong_key(struct world_message *m)
{
    m->channel = WORLD_NOTICE;
    m->sender = "doria.technical";
    m->key = "watch-2";
}
static void stolen_name(struct world_message *m)
{
    m->sender = B_DIP;
    m->key = "caldera.technical/watch-1";
}
static void not_member(struct world_message *m)
{
    m->to[0] = "caldera.technical";
}
static void bad_category(struct world_message *m)
{
    m->category = 60;
}
static void bad_marking(struct world_message *m)
{
    m->marking = 30;
}
static void target_unknown(struct world_message *m)
{
    m->kind = KIND_REPLY;
    m->n_refs = 1;
    memset(m->ref[0], 0xee, 32);
}
static void machine_sends(struct world_message *m)
{
    m->key = "station";
}
static void two_needed(struct world_message *m)
{
    m->sender = "borealia.technical";
    m->to[0] = "arcadia.technical";
}

static const struct {
    const char *name;
    void (*change)(struct world_message *m);
    int want;
} refusals[] = {
    { "a key without the permission", wrong_key, -HL_EPERM },
    { "a key of another PoC", stolen_name, -HL_EKEY },
    { "recipient is no member", not_member, -HL_EMEMBER },
    { "category", bad_category, -HL_ECATEGORY },
    { "marking", bad_marking, -HL_EMARKING },
    { "unknown target", target_unknown, -HL_ETARGET },
    { "a machine sends a notification", machine_sends, -HL_EPERM },
    { "one person where two are needed", two_needed, -HL_ETWOPERSON },
};

static void test_refusals(void **state)
{
    struct frame f;

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct world_message m;
        struct rig_mail mail;

        R.now += 60000; /* so that each may be recorded */
        message(&m, 5, i + 1);
        refusals[i].change(&m);
        rig_mail(&mail, &R, &m);
        CHECK_EQ(rig_record(&R, 1, B_DIP, i + 1, &mail, &f), refusals[i].want, refusals[i].name);
        CHECK_EQ(f.tag, i + 1, refusals[i].name);
        CHECK_EQ(f.sentence.n > 20, 1, refusals[i].name);
        CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 0, refusals[i].name);
        rig_mail_release(&mail);
    }
}

/* A front changed after signing is refused, and leaves no trace in the record. */
static void test_unsigned_changes_nothing(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f;
    uint64_t size;

    (void)state;
    message(&m, 6, 1);
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_run(&R), 0, "rest");
    size = R.signed_size;
    mail.front.p[mail.front.n - 1] ^= 1;
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), -HL_ESIG, "signature");
    mail.front.p[mail.front.n - 1] ^= 1;
    mail.file.p[mail.file.n - 100] ^= 1; /* of the body */
    CHECK_EQ(rig_record(&R, 1, B_DIP, 2, &mail, &f), -HL_EFORMAT, "body");
    CHECK_EQ(rig_run(&R), 0, "rest");
    CHECK_EQ(R.signed_size, size, "no entry was made");
    rig_mail_release(&mail);
}

/* Refusals of signed envelopes are on record, but only so many. */
static void test_refusals_are_rate_limited(void **state)
{
    struct frame f;
    uint64_t before;

    (void)state;
    R.now += 3600000; /* all tokens are back */
    CHECK_EQ(rig_run(&R), 0, "rest");
    before = R.signed_size;
    for (unsigned i = 0; i < 40; i++) {
        struct world_message m;
        struct rig_mail mail;

        message(&m, 7, i + 1);
        m.category = 60;
        rig_mail(&mail, &R, &m);
        CHECK_EQ(rig_record(&R, 1, B_DIP, i + 1, &mail, &f), -HL_ECATEGORY, "refused");
        rig_mail_release(&mail);
    }
    CHECK_EQ(R.signed_size - before, 8, "eight notices, no more");
}

static void test_time_never_goes_back(void **state)
{
    struct world_message m;
    struct rig_mail a, b;
    struct frame f, g;

    (void)state;
    message(&m, 8, 1);
    rig_mail(&a, &R, &m);
    m.seq = 2;
    m.salt = 81;
    rig_mail(&b, &R, &m);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &a, &f), 0, "first");
    R.now -= 5000;
    CHECK_EQ(rig_record(&R, 1, B_DIP, 2, &b, &g), 0, "second");
    CHECK_EQ(g.time_ms, f.time_ms, "not before the first");
    R.now += 5000;
    rig_mail_release(&a);
    rig_mail_release(&b);
}

/* ROUTINE waits first, FLASH goes first. */
static void test_flash_first(void **state)
{
    struct world_message m;
    struct rig_mail mail[4];
    struct frame f;
    uint64_t index[4] = { 0 };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        message(&m, 9, i + 1);
        m.salt = (uint8_t)(90 + i);
        m.precedence = i; /* ROUTINE ... FLASH */
        rig_mail(&mail[i], &R, &m);
        CHECK_EQ(rig_submit(&R, 1, B_DIP, i + 1, &mail[i]), 0, "submit");
    }
    CHECK_EQ(broker_turn(R.b, R.now), 1, "a turn with FLASH leaves the others for the next");
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 1, "and holds only FLASH");
    CHECK_EQ(R.asked, R.signed_size + 1, "one entry");
    CHECK_EQ(rig_run(&R), 0, "run");
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &f), 1, "receipt");
        index[f.tag - 1] = f.index;
        rig_mail_release(&mail[i]);
    }
    for (unsigned i = 1; i < 4; i++)
        CHECK_EQ(index[i] < index[i - 1], 1, "higher precedence, smaller index");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_receipt_after_signature, between),
        cmocka_unit_test_setup(test_note_once_for_many, between),
        cmocka_unit_test_setup(test_duplicate, between),
        cmocka_unit_test_setup(test_number_conflict, between),
        cmocka_unit_test_setup(test_refusals, between),
        cmocka_unit_test_setup(test_unsigned_changes_nothing, between),
        cmocka_unit_test_setup(test_refusals_are_rate_limited, between),
        cmocka_unit_test_setup(test_time_never_goes_back, between),
        cmocka_unit_test_setup(test_flash_first, between),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
