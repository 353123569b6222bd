#include "common/tlog/quorum.h"
#include "server/broker.h"
#include "tests/rig.h"
#include "tests/world.h"

static struct rig R;
#define B_DIP "borealia.diplomatic"
#define A_DIP "arcadia.diplomatic"
#define WITNESSES 3

/* The stations that hold witness keys, as tlog-witness wants them: what each cosigned last. */
static struct witness {
    const char *party, *poc;
    uint64_t conn, size;
    uint8_t root[32];
    struct seckey *key;
    unsigned asked, conflicts;
} W[WITNESSES] = { { .party = "arcadia", .poc = "arcadia.technical", .conn = 21 },
                   { .party = "borealia", .poc = "borealia.technical", .conn = 22 },
                   { .party = "caldera", .poc = "caldera.technical", .conn = 23 } };

static int setup(void **state)
{
    (void)state;
    rig_open(&R);
    for (size_t i = 0; i < WITNESSES; i++) {
        char label[64];
        uint8_t seed[32];
        int n = snprintf(label, sizeof(label), "%s/witness", W[i].party);

        crypto_hash_sha256(seed, (const uint8_t *)label, (size_t)n);
        CHECK_EQ(seckey_from_seed(&W[i].key, seed), 0, label);
        W[i].size = 0;
        W[i].asked = W[i].conflicts = 0;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < WITNESSES; i++)
        seckey_free(W[i].key);
    rig_close(&R);
    return 0;
}

/* What the witness answers, by the table of tlog-witness. */
static uint64_t judge(struct witness *w, const struct frame *ask, struct buf *body)
{
    struct add_checkpoint req;
    struct checkpoint cp;
    struct note *note = malloc(sizeof(*note));
    char name[64];
    uint64_t status = 400;

    snprintf(name, sizeof(name), "%s.example/witness", w->party);
    if (add_checkpoint_parse(&req, ask->note) == 0 &&
        checkpoint_open(&cp, note, req.note, &R.log_key) == 0) {
        status = 200;
        if (req.old != w->size) {
            status = 409;
            w->conflicts++;
            buf_printf(body, "%llu\n", (unsigned long long)w->size);
        } else if (w->size && merkle_verify_consistency(w->size, w->root, cp.size, cp.root,
                                                        HASHES(req.proof), req.n)) {
            status = 422;
        } else {
            w->size = cp.size;
            memcpy(w->root, cp.root, 32);
            CHECK_EQ(sign_cosignature(body, note->text, span_str(name), R.now / 1000, w->key), 0,
                     "cosign");
        }
    }
    free(note);
    return status;
}

/* Witness @w answers everything that it is asked; @spoil changes a byte of its signature. */
static void answer(struct witness *w, bool spoil)
{
    struct frame f, reply = { .verb = VERB_COSIGNED };
    struct buf body;

    buf_init(&body, 4096);
    while (rig_take(&R, w->conn, VERB_ADD_CHECKPOINT, &f)) {
        w->asked++;
        buf_clear(&body);
        reply.tag = f.tag;
        reply.status = judge(w, &f, &body);
        reply.note = buf_span(&body);
        if (spoil)
            body.p[body.n - 10] ^= 1;
        CHECK_EQ(rig_send(&R, w->conn, w->poc, &reply), 0, "cosigned");
        CHECK_EQ(rig_run(&R), 0, "run");
    }
    buf_release(&body);
}

static void policy(struct quorum **q, const struct world *w)
{
    struct agreement *a;
    struct document doc;
    struct buf text;

    buf_init(&text, 65536);
    CHECK_EQ(document_decode(&doc, w->realm, buf_span(&w->agreement[0])), 0, "document");
    CHECK_EQ(agreement_new(&a, w->realm, doc.note.text, NULL), 0, "agreement");
    CHECK_EQ(agreement_policy(&text, a, &R.log_key), 0, "policy");
    CHECK_EQ(quorum_parse(q, buf_span(&text), NULL), 0, "quorum");
    agreement_free(a);
    buf_release(&text);
}

/* The newest CHECKPOINT of @conn under the agreement's policy: how many witnesses of it cosigned.
 */
static unsigned newest(uint64_t conn, struct quorum_result *res, struct checkpoint *cp)
{
    struct quorum *q;
    struct frame f;
    unsigned n = 0;

    policy(&q, &R.w);
    while (rig_take(&R, conn, VERB_CHECKPOINT, &f)) {
        CHECK_EQ(quorum_check(q, f.note, cp, res), 0, "under the policy");
        n = res->cosigned;
    }
    quorum_free(q);
    return n;
}

static void record(uint64_t seq)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f;

    world_message_init(&m, &R.w);
    m.seq = seq;
    m.salt = (uint8_t)seq;
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_record(&R, 1, B_DIP, seq, &mail, &f), 0, "recorded");
    rig_mail_release(&mail);
}

static void test_quorum(void **state)
{
    struct quorum_result res;
    struct checkpoint cp;
    struct frame f;

    (void)state;
    rig_connect(&R, 1, B_DIP);
    for (size_t i = 0; i < WITNESSES; i++)
        rig_connect(&R, W[i].conn, W[i].poc);
    record(1);
    R.now += 3000;
    CHECK_EQ(rig_run(&R), 0, "run");
    answer(&W[0], false);
    CHECK_EQ(newest(1, &res, &cp), 0, "one of two is no quorum");
    answer(&W[1], true);
    CHECK_EQ(newest(1, &res, &cp), 0, "a spoilt signature counts nothing");
    answer(&W[2], false);
    CHECK_EQ(newest(1, &res, &cp), 2, "two are");
    CHECK_EQ(res.met, 1, "met");
    CHECK_EQ(cp.size, WORLD_DOCUMENTS + 1, "of the tree with the entry");
    rig_restart(&R); /* it was stored */
    rig_connect(&R, 1, B_DIP);
    f = (struct frame){ .verb = VERB_FETCH, .tag = 5, .what = FETCH_CHECKPOINT, .a = 1 };
    CHECK_EQ(rig_send(&R, 1, B_DIP, &f), 0, "fetch");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_take(&R, 1, VERB_FETCHED, &f), 0,
             "not before the next commit: it is only a grade");
}

/* A witness that cosigned before says so by 409 and is asked from there; once. */
static void test_conflict(void **state)
{
    struct quorum_result res;
    struct checkpoint cp;

    (void)state;
    rig_connect(&R, 1, B_DIP);
    for (size_t i = 0; i < WITNESSES; i++)
        rig_connect(&R, W[i].conn, W[i].poc);
    for (unsigned round = 0; round < 3; round++) {
        record(round + 1);
        R.now += 3000;
        CHECK_EQ(rig_run(&R), 0, "run");
        for (size_t i = 0; i < WITNESSES; i++)
            answer(&W[i], false);
        CHECK_EQ(newest(1, &res, &cp) >= 2, 1, "quorum");
        CHECK_EQ(cp.size, WORLD_DOCUMENTS + round + 1, "of this round");
        rig_clear(&R);
        if (round == 1) { /* the broker forgets what each cosigned */
            rig_restart(&R);
            R.now += 60000;
            rig_connect(&R, 1, B_DIP);
            for (size_t i = 0; i < WITNESSES; i++)
                rig_connect(&R, W[i].conn, W[i].poc);
        }
    }
    for (size_t i = 0; i < WITNESSES; i++)
        CHECK_EQ(W[i].conflicts, 1, "asked from nothing once after the start");
}

/* A witness that says 409 for ever is not asked for ever. */
static void test_endless_conflict(void **state)
{
    struct frame f, reply = { .verb = VERB_COSIGNED, .status = 409, .note = span_str("7\n") };
    unsigned n = 0;

    (void)state;
    R.now += 3000; /* a round of the whole tree */
    CHECK_EQ(rig_run(&R), 0, "run");
    rig_connect(&R, W[0].conn, W[0].poc);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(rig_run(&R), 0, "run");
        if (!rig_take(&R, W[0].conn, VERB_ADD_CHECKPOINT, &f))
            continue;
        n++;
        reply.tag = f.tag;
        CHECK_EQ(rig_send(&R, W[0].conn, W[0].poc, &reply), 0, "409");
    }
    CHECK_EQ(n, 2, "asked again once, then left alone");
}

/* COSIGNED that was not asked for, by others than the witness, or for another tag. */
static void test_unasked_answers(void **state)
{
    struct quorum_result res;
    struct checkpoint cp;
    struct frame f, reply = { .verb = VERB_COSIGNED, .status = 200 };
    struct buf body;

    (void)state;
    buf_init(&body, 4096);
    rig_connect(&R, 1, B_DIP);
    record(1);
    R.now += 3000;
    rig_connect(&R, W[0].conn, W[0].poc);
    rig_connect(&R, W[1].conn, W[1].poc);
    answer(&W[0], false);
    CHECK_EQ(rig_take(&R, W[1].conn, VERB_ADD_CHECKPOINT, &f), 1, "asked");
    CHECK_EQ(judge(&W[1], &f, &body), 200, "a good answer");
    reply.note = buf_span(&body);
    reply.tag = f.tag + 1;
    CHECK_EQ(rig_send(&R, W[1].conn, W[1].poc, &reply), 0, "another tag");
    reply.tag = f.tag;
    CHECK_EQ(rig_send(&R, 1, B_DIP, &reply), 0, "another's");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(newest(1, &res, &cp), 0, "no quorum of those");
    CHECK_EQ(rig_send(&R, W[1].conn, W[1].poc, &reply), 0, "the witness's own");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(newest(1, &res, &cp), 2, "counts");
    buf_release(&body);
}

/* After a start nothing is signed before the last cosigners said HELLO, or the wait is over. */
static void test_start_waits_for_cosigners(void **state)
{
    static const char *const rows[] = { "they come", "they do not" };
    struct frame f;

    (void)state;
    rig_connect(&R, 1, B_DIP);
    for (size_t i = 0; i < WITNESSES; i++)
        rig_connect(&R, W[i].conn, W[i].poc);
    record(1);
    R.now += 3000;
    CHECK_EQ(rig_run(&R), 0, "run");
    answer(&W[0], false);
    answer(&W[1], false);
    record(2); /* commits the note with it */
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world_message m;
        struct rig_mail mail;

        rig_restart(&R);
        rig_connect(&R, 1, B_DIP);
        rig_connect(&R, 2, A_DIP);
        rig_clear(&R);
        world_message_init(&m, &R.w);
        m.seq = 10 + i;
        m.salt = (uint8_t)m.seq;
        rig_mail(&mail, &R, &m);
        CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), -HL_ENOANSWER, "accepted, not promised");
        CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 1, "delivered at once");
        if (i == 0) {
            rig_connect(&R, W[0].conn, W[0].poc);
            CHECK_EQ(rig_count(&R, 1, VERB_RECORDED), 0, "one is missing");
            rig_connect(&R, W[1].conn, W[1].poc);
        } else {
            R.now += 9000;
            CHECK_EQ(rig_run(&R), 0, "run");
            CHECK_EQ(rig_count(&R, 1, VERB_RECORDED), 0, "not yet");
            CHECK_EQ(broker_timeout(R.b, R.now) > 0 && broker_timeout(R.b, R.now) <= 1000, 1,
                     "it will wake");
            R.now += 1001;
            CHECK_EQ(rig_run(&R), 0, "run");
        }
        CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &f), 1, rows[i]);
        rig_check_receipt(&R, &f, &mail, rows[i]);
        rig_mail_release(&mail);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_quorum),
        T(test_conflict),
        T(test_endless_conflict),
        T(test_unasked_answers),
        T(test_start_waits_for_cosigners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
