#include <fcntl.h>

#include "server/broker.h"
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

static void message(struct world_message *m, uint64_t seq)
{
    world_message_init(m, &R.w);
    m->seq = seq;
    m->salt = (uint8_t)seq;
    m->precedence = seq % 3 == 0 ? PRECEDENCE_FLASH : PRECEDENCE_ROUTINE;
}

/*
 * The broker is killed after any number of turns, with or without the signer's answer.  What it
 * promised (RECORDED) is there with the same receipt; what was not acknowledged by a step is
 * delivered again; a message submitted again is one entry.
 */
static void test_kill_anywhere(void **state)
{
    enum { N = 6 };
    struct rig_mail mail[N];
    bool promised[N] = { false };
    uint64_t index[N] = { 0 };
    struct frame f;

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        struct world_message m;

        message(&m, i + 1);
        rig_mail(&mail[i], &R, &m);
    }
    for (unsigned round = 0; round < 24; round++) {
        rig_restart(&R);
        rig_hello(&R, 1, B_DIP, 0, SPAN_NONE);
        for (unsigned i = 0; i < N; i++)
            if ((round + i) % 2 == 0 || round > 20)
                CHECK_EQ(rig_submit(&R, 1, B_DIP, i + 1, &mail[i]), 0, "submit");
        for (unsigned turn = 0; turn < round % 5; turn++)
            CHECK_EQ(broker_turn(R.b, R.now++) >= 0, 1, "turn");
        if (round % 3 != 0)
            CHECK_EQ(rig_sign(&R), 0, "sign");
        if (round % 4 == 3)
            CHECK_EQ(rig_run(&R), 0, "to the end");
        while (rig_take(&R, 1, VERB_RECORDED, &f)) {
            unsigned i = (unsigned)f.tag - 1;

            CHECK_EQ(!promised[i] || index[i] == f.index, 1, "one entry for one envelope");
            promised[i] = true;
            index[i] = f.index;
            rig_check_receipt(&R, &f, &mail[i], "receipt");
        }
    }
    rig_restart(&R);
    rig_connect(&R, 1, B_DIP);
    rig_connect(&R, 2, A_DIP);
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), N, "each waits once");
    for (unsigned i = 0; i < N; i++) {
        CHECK_EQ(promised[i], 1, "the rounds reached every message");
        CHECK_EQ(rig_record(&R, 1, B_DIP, i + 1, &mail[i], &f), 0, "again");
        CHECK_EQ(f.index, index[i], "the entry that was promised");
        rig_check_receipt(&R, &f, &mail[i], "receipt");
        rig_mail_release(&mail[i]);
    }
    CHECK_EQ(R.signed_size, WORLD_DOCUMENTS + N, "no entry twice");
}

/* Recorded, killed before the signature: the next process asks for it and the receipt comes. */
static void test_unsigned_entries_are_signed_later(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f;

    (void)state;
    rig_connect(&R, 1, B_DIP);
    R.no_sign = true;
    message(&m, 1);
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), -HL_ENOANSWER, "no receipt");
    rig_restart(&R);
    R.no_sign = false;
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(R.signed_size, WORLD_DOCUMENTS + 1, "signed after the start");
    rig_connect(&R, 1, B_DIP);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), 0, "receipt");
    rig_check_receipt(&R, &f, &mail, "receipt");
    rig_mail_release(&mail);
}

/* The signer's note was lost with the process: the signer repeats it, and the question goes on from
 * there. */
static void test_signer_ahead_of_our_note(void **state)
{
    struct world_message m;
    struct rig_mail mail[2];
    struct frame f;

    (void)state;
    rig_connect(&R, 1, B_DIP);
    for (unsigned i = 0; i < 2; i++) {
        message(&m, i + 1);
        rig_mail(&mail[i], &R, &m);
    }
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail[0], &f), 0, "first");
    rig_restart(&R); /* its note was never committed */
    R.no_sign = true;
    rig_connect(&R, 1, B_DIP);
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 2, &mail[1]), 0, "second");
    CHECK_EQ(rig_run(&R), 0, "run");
    R.no_sign = false;
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &f), 1, "receipt");
    rig_check_receipt(&R, &f, &mail[1], "receipt");
    CHECK_EQ(R.signed_size, WORLD_DOCUMENTS + 2, "both");
    rig_mail_release(&mail[0]);
    rig_mail_release(&mail[1]);
}

/* ---- a restored backup ---- */

static void copy_store(const struct rig *r, bool back)
{
    static const char *const part[] = { "", "-wal" };

    for (size_t i = 0; i < COUNT(part); i++) {
        char from[160], to[160];
        struct buf file;

        snprintf(from, sizeof(from), "%s%s%s", r->store, back ? ".copy" : "", part[i]);
        snprintf(to, sizeof(to), "%s%s%s", r->store, back ? "" : ".copy", part[i]);
        buf_init(&file, 1u << 30);
        unlink(to);
        if (file_read(from, &file) == 0)
            CHECK_EQ(file_publish(to, buf_span(&file), 0600), 0, to);
        buf_release(&file);
    }
    if (back) {
        char shm[160];

        snprintf(shm, sizeof(shm), "%s-shm", r->store);
        unlink(shm);
    }
}

static void test_restored_backup(void **state)
{
    static const char *const rows[] = { "the client is ahead", "another history of the same size" };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world_message m;
        struct rig_mail mail[3];
        struct frame f;
        struct buf note;

        if (i) {
            rig_close(&R);
            rig_open(&R);
        }
        for (unsigned k = 0; k < 3; k++) {
            message(&m, k + 1);
            rig_mail(&mail[k], &R, &m);
        }
        rig_connect(&R, 1, B_DIP);
        CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail[0], &f), 0, rows[i]);
        rig_stop(&R);
        copy_store(&R, false);
        CHECK_EQ(rig_start(&R), 0, rows[i]);
        rig_connect(&R, 1, B_DIP);
        CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail[1], &f), 0, rows[i]);
        buf_init(&note, 4096);
        buf_put_span(&note, buf_span(&R.note)); /* the client keeps it */
        rig_stop(&R);
        copy_store(&R, true);
        CHECK_EQ(rig_start(&R), 0, rows[i]);
        R.no_sign = true;
        R.alarms = 0;
        rig_connect(&R, 1, B_DIP);
        if (i == 1) {
            CHECK_EQ(rig_submit(&R, 1, B_DIP, 1, &mail[2]), 0, rows[i]);
            CHECK_EQ(rig_run(&R), 0, "another entry takes its place");
        }
        CHECK_EQ(R.alarms, 0, rows[i]);
        note.p[note.n - 10] ^= 1; /* not signed by the host: it says nothing */
        rig_hello(&R, 2, A_DIP, 0, buf_span(&note));
        CHECK_EQ(rig_run(&R), 0, rows[i]);
        CHECK_EQ(R.alarms, 0, "a lie stops no host");
        note.p[note.n - 10] ^= 1;
        rig_clear(&R);
        rig_hello(&R, 2, A_DIP, 0, buf_span(&note));
        CHECK_EQ(rig_run(&R), 0, rows[i]);
        CHECK_EQ(R.alarms >= 1, 1, "the operator is alarmed");
        for (int again = 0; again < 2; again++) {
            CHECK_EQ(rig_take(&R, 2, VERB_DELIVER, &f), 1, "deliveries go on");
            CHECK_EQ(rig_record(&R, 2, A_DIP, 8, &mail[1], &f), -HL_EDEAD,
                     "nothing more is recorded");
            R.now += 3600000;
            R.asked = 0;
            CHECK_EQ(rig_run(&R), 0, rows[i]);
            CHECK_EQ(R.asked, 0, "nor signed");
            rig_restart(&R); /* for good */
            rig_connect(&R, 2, A_DIP);
        }
        R.no_sign = false;
        buf_release(&note);
        for (unsigned k = 0; k < 3; k++)
            rig_mail_release(&mail[k]);
    }
}

/* The signer itself has signed more than the store holds. */
static void test_signer_knows_more(void **state)
{
    struct world_message m;
    struct rig_mail mail[2];
    struct frame f;

    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        message(&m, k + 1);
        rig_mail(&mail[k], &R, &m);
    }
    rig_stop(&R);
    copy_store(&R, false);
    CHECK_EQ(rig_start(&R), 0, "start");
    rig_connect(&R, 1, B_DIP);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail[0], &f), 0, "first");
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail[1], &f), 0, "second");
    rig_stop(&R);
    copy_store(&R, true);
    CHECK_EQ(rig_start(&R), 0, "restored");
    R.alarms = 0;
    rig_connect(&R, 1, B_DIP);
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 1, &mail[1]), 0, "a new entry");
    CHECK_EQ(rig_run(&R), 0, "the signer answers with its own last note");
    CHECK_EQ(rig_count(&R, 1, VERB_RECORDED), 0, "no receipt");
    CHECK_EQ(R.alarms >= 1, 1, "alarm");
    CHECK_EQ(rig_record(&R, 1, B_DIP, 2, &mail[0], &f), -HL_EDEAD, "dead");
    rig_mail_release(&mail[0]);
    rig_mail_release(&mail[1]);
}

/* A second writer on the same store: the first one ends with its next commit, and nothing is lost.
 */
static void test_fenced(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct broker *second;
    struct frame f;

    (void)state;
    rig_connect(&R, 1, B_DIP);
    message(&m, 1);
    rig_mail(&mail, &R, &m);
    if (broker_open(&R.conf, &R.out, &second) == 0) {
        CHECK_EQ(rig_submit(&R, 1, B_DIP, 1, &mail), 0, "submit");
        CHECK_EQ(broker_turn(R.b, R.now), -HL_EFENCED, "fenced");
        CHECK_EQ(rig_count(&R, 1, VERB_RECORDED), 0, "nothing promised");
        CHECK_EQ(broker_turn(R.b, R.now), -HL_EFENCED, "for good");
        broker_close(second);
    }
    rig_restart(&R);
    rig_connect(&R, 1, B_DIP);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), 0, "recorded");
    rig_mail_release(&mail);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_kill_anywhere),
        T(test_unsigned_entries_are_signed_later),
        T(test_signer_ahead_of_our_note),
        T(test_restored_backup),
        T(test_signer_knows_more),
        T(test_fenced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
