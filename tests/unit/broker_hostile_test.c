#include <sqlite3.h>

#include "server/broker.h"
#include "server/store_sqlite.h"
#include "tests/rig.h"
#include "tests/world.h"

/*
 * Frames of an enemy who holds a transport key that is in force, or has the front.  Whatever it
 * sends: the turn goes on, no entry is made, no mailbox loses anything, and those who keep to the
 * protocol are served.
 */
static struct rig R;
#define B_DIP "borealia.diplomatic"
#define A_DIP "arcadia.diplomatic"
#define A_TEC "arcadia.technical"
#define ENEMY 9 /* connection of caldera.technical */
#define C_TEC "caldera.technical"

static struct rig_mail known, large,
    delivered; /* recorded; too large to be inline; a step that was not sent */
static uint64_t size;

static uint32_t seed = 1;
static uint32_t dice(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

static int setup(void **state)
{
    struct world_message m;
    struct frame f;

    (void)state;
    rig_open(&R);
    rig_connect(&R, 1, B_DIP);
    world_message_init(&m, &R.w);
    rig_mail(&known, &R, &m);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &known, &f), 0, "a message that waits");
    m.seq = 2;
    m.salt = 2;
    m.bucket = 65536;
    rig_mail(&large, &R, &m);
    rig_step(&m, &R, KIND_DELIVERED, A_DIP, "station", known.env.mid, 1);
    rig_mail(&delivered, &R, &m);
    size = R.signed_size;
    rig_clear(&R);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_mail_release(&known);
    rig_mail_release(&large);
    rig_mail_release(&delivered);
    rig_close(&R);
    return 0;
}

/* The world is as it was, and the broker does its work. */
static void still_good(const char *row)
{
    struct frame f;

    CHECK_EQ(rig_run(&R), 0, row);
    CHECK_EQ(R.signed_size, size, row);
    rig_clear(&R);
    rig_connect(&R, 2, A_DIP);
    CHECK_EQ(rig_take(&R, 2, VERB_DELIVER, &f), 1, row);
    CHECK_BYTES(f.front.p, known.front.p, known.front.n, row);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 77, &known, &f), 0, row);
    rig_check_receipt(&R, &f, &known, row);
    broker_gone(R.b, 2);
    broker_gone(R.b, ENEMY);
    rig_clear(&R);
}

/* A good frame of each verb, of either side. */
static void make_frame(struct frame *f, unsigned verb)
{
    *f = (struct frame){
        .verb = verb, .tag = 1 + dice(3), .proto = WIRE_PROTO, .realm = REALM_LIVE
    };
    f->poc = span_str(C_TEC);
    f->origin = span_str(R.w.origin);
    f->note = buf_span(&R.note);
    f->what = 1 + dice(8);
    f->a = dice(30);
    f->b = dice(30);
    f->index = dice(30);
    f->status = 200;
    f->code = 5;
    f->sentence = span_str("no");
    f->salt = SPAN(R.signed_root, 32);
    f->bytes = SPAN(large.env.body.p, 1 + dice(WIRE_CHUNK));
    f->offset = dice(4) ? dice(100000) : large.front.n;
    if (verb == VERB_DOCUMENT)
        f->note = dice(2) ? buf_span(&R.w.card[dice(WORLD_PARTIES)])
                          : buf_span(&R.w.agreement[dice(WORLD_PARTIES)]);
    if (verb == VERB_SUBMIT || verb == VERB_DELIVER) {
        const struct rig_mail *m = dice(2) ? &known : &large;

        f->front = buf_span(&m->front);
        f->front_len = m->front.n;
        f->body = m == &known ? m->env.body : SPAN_NONE;
    }
}

static const unsigned verbs[] = { VERB_HELLO,         VERB_SUBMIT,  VERB_CHUNK,    VERB_DOCUMENT,
                                  VERB_GOT,           VERB_FETCH,   VERB_COSIGNED, VERB_PING,
                                  VERB_PONG,          VERB_WELCOME, VERB_DELIVER,  VERB_RECORDED,
                                  VERB_CHECKPOINT,    VERB_REFUSED, VERB_FETCHED,  VERB_OPENING,
                                  VERB_ADD_CHECKPOINT };

enum state { NO_KEY, NO_HELLO, READY, STREAMING, STATES };
static const char *const state_name[STATES] = { "a key in no card", "before HELLO", "ready",
                                                "in a stream" };

static void enter(enum state state)
{
    struct frame f;

    if (state >= READY) {
        rig_hello(&R, ENEMY, C_TEC, 0, SPAN_NONE);
        CHECK_EQ(rig_run(&R), 0, "hello");
    }
    if (state == STREAMING) { /* of a front in pieces */
        f = (struct frame){ .verb = VERB_SUBMIT, .tag = 1, .front_len = WIRE_CHUNK + 500 };
        f.front = SPAN(large.env.body.p, WIRE_CHUNK);
        CHECK_EQ(rig_send(&R, ENEMY, C_TEC, &f), 0, "submit");
        CHECK_EQ(rig_run(&R), 0, "run");
    }
}

static void send(enum state state, struct span bytes)
{
    static const uint8_t nobody[32] = { 0x42 };

    if (state == NO_KEY)
        CHECK_EQ(broker_frame(R.b, ENEMY, nobody, bytes), 0, "frame");
    else
        CHECK_EQ(rig_bytes(&R, ENEMY, C_TEC, bytes), 0, "frame");
}

/* Every verb, whole, in every state. */
static void test_every_verb_in_every_state(void **s)
{
    struct buf bytes;
    struct frame f;

    (void)s;
    buf_init(&bytes, WIRE_FRAME_MAX);
    for (enum state state = NO_KEY; state < STATES; state++) {
        for (size_t i = 0; i < COUNT(verbs); i++) {
            /* large is signed: in the states that may submit it, it would be taken */
            enter(state);
            make_frame(&f, verbs[i]);
            if (f.verb == VERB_SUBMIT)
                f.front = SPAN(known.front.p, known.front.n), f.front_len = known.front.n,
                f.body = known.env.body;
            buf_clear(&bytes);
            CHECK_EQ(frame_put(&bytes, &f), 0, "put");
            send(state, buf_span(&bytes));
            CHECK_EQ(rig_run(&R), 0, state_name[state]);
            if (state == NO_KEY)
                CHECK_EQ(R.n, 0, "no answer to strangers");
            broker_gone(R.b, ENEMY);
            rig_clear(&R);
        }
        still_good(state_name[state]);
    }
    buf_release(&bytes);
}

/* Every truncation of one frame of each verb. */
static void test_truncations(void **s)
{
    struct buf bytes;
    struct frame f;

    (void)s;
    buf_init(&bytes, WIRE_FRAME_MAX);
    enter(READY);
    for (size_t i = 0; i < COUNT(verbs); i++) {
        make_frame(&f, verbs[i]);
        buf_clear(&bytes);
        CHECK_EQ(frame_put(&bytes, &f), 0, "put");
        for (size_t n = 0; n < bytes.n; n += n < 80 || n + 80 > bytes.n ? 1 : 997) {
            uint8_t *exact =
                malloc(n + 1); /* of exactly that size, so that a sanitizer sees one byte more */

            memcpy(exact, bytes.p, n);
            send(READY, SPAN(exact, n));
            free(exact);
        }
        CHECK_EQ(rig_run(&R), 0, "run");
        rig_clear(&R);
    }
    still_good("truncations");
    buf_release(&bytes);
}

static void mutate(struct buf *b)
{
    unsigned n = 1 + dice(4);

    for (unsigned i = 0; i < n && b->n; i++) {
        size_t at = dice(2) ? dice((uint32_t)b->n) : dice(b->n < 40 ? (uint32_t)b->n : 40);

        switch (dice(5)) {
        case 0:
            b->p[at] ^= (uint8_t)(1u << dice(8));
            break;
        case 1:
            b->p[at] = (uint8_t)dice(256);
            break;
        case 2:
            b->n = at;
            break;
        case 3:
            buf_put(b, "\x58\x20tail of something else", 8);
            break;
        case 4:
            memmove(b->p + at, b->p + at / 2, b->n - at);
            break;
        }
    }
}

/* Ten thousand random changes of good frames, across connections and states. */
static void test_mutations(void **s)
{
    struct buf bytes;
    struct frame f;

    (void)s;
    buf_init(&bytes, 2 * WIRE_FRAME_MAX);
    for (unsigned i = 0; i < 10000; i++) {
        enum state state = (enum state)(i / 100 % STATES);

        if (i % 100 == 0) {
            CHECK_EQ(rig_run(&R), 0, "run");
            broker_gone(R.b, ENEMY);
            rig_clear(&R);
            enter(state);
        }
        make_frame(&f, verbs[dice(COUNT(verbs))]);
        if (f.verb == VERB_SUBMIT && f.front.p == large.front.p)
            f.front_len += 1 + dice(5); /* never the whole of what may be taken */
        buf_clear(&bytes);
        if (frame_put(&bytes, &f))
            continue;
        mutate(&bytes);
        send(state, buf_span(&bytes));
        if (dice(8) == 0)
            CHECK_EQ(rig_run(&R), 0, "run");
    }
    still_good("mutations");
    buf_release(&bytes);
}

/* Bytes that are nothing at all. */
static void test_garbage(void **s)
{
    static uint8_t noise[WIRE_FRAME_MAX];

    (void)s;
    enter(READY);
    for (unsigned i = 0; i < 500; i++) {
        size_t n = dice(i % 10 ? 200 : WIRE_FRAME_MAX);

        for (size_t k = 0; k < n; k++)
            noise[k] = (uint8_t)dice(256);
        send(i % 2 ? READY : NO_KEY, SPAN(noise, n));
        if (i % 9 == 0)
            CHECK_EQ(rig_run(&R), 0, "run");
        rig_clear(&R);
    }
    send(READY, SPAN(noise, 0));
    still_good("garbage");
}

/* The front lies: another's step without his signature, a connection that changes its key, numbers
 * that are not. */
static void test_lying_front(void **s)
{
    struct frame f;

    (void)s;
    delivered.front.p[delivered.front.n - 3] ^= 1;
    rig_connect(&R, ENEMY, A_DIP); /* as if it were he */
    CHECK_EQ(rig_record(&R, ENEMY, A_DIP, 1, &delivered, &f), -HL_ESIG,
             "a step that he did not sign");
    delivered.front.p[delivered.front.n - 3] ^= 1;
    rig_hello(&R, 1, C_TEC, 0, SPAN_NONE); /* connection 1 is another's */
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_count(&R, 1, VERB_WELCOME), 0, "a connection does not change its key");
    CHECK_EQ(rig_bytes(&R, 0, C_TEC, SPAN("x", 1)), 0, "connection 0");
    broker_gone(R.b, 12345);
    still_good("lying front");
}

/* A tag used again for another stream while the first waits for its verdict. */
static void test_tag_used_again(void **s)
{
    struct frame f = { .verb = VERB_SUBMIT, .tag = 1, .front_len = WIRE_CHUNK + 400 },
                 c = { .verb = VERB_CHUNK, .tag = 1 };

    (void)s;
    enter(READY);
    f.front = SPAN(large.env.body.p, WIRE_CHUNK);
    c.offset = WIRE_CHUNK;
    c.bytes = SPAN(large.env.body.p, 400);
    for (unsigned i = 0; i < 50; i++) {
        CHECK_EQ(rig_send(&R, ENEMY, C_TEC, &f), 0, "front");
        if (dice(4))
            CHECK_EQ(rig_send(&R, ENEMY, C_TEC, &c), 0, "its rest");
        CHECK_EQ(rig_submit(&R, ENEMY, C_TEC, 1, &known), 0, "the same tag");
        if (dice(3) == 0)
            CHECK_EQ(broker_turn(R.b, R.now) >= 0, 1, "turn");
    }
    still_good("tag used again");
}

/* An entry damaged on the disk waits for the operator; the others go on. */
static void test_poisoned_entry(void **s)
{
    struct world_message m;
    struct rig_mail second, step;
    struct frame f;
    struct buf json;
    int on = 1;
    sqlite3 *db;

    (void)s;
    world_message_init(&m, &R.w);
    m.seq = 7;
    m.salt = 7;
    rig_mail(&second, &R, &m);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &second, &f), 0, "a second one waits");
    rig_stop(&R);
    CHECK_EQ(sqlite3_open_v2(R.store, &db, SQLITE_OPEN_READWRITE, STORE_VFS), SQLITE_OK, "open");
    CHECK_EQ(sqlite3_exec(db, "UPDATE entry SET record = zeroblob(length(record)) WHERE idx = 14",
                          NULL, NULL, NULL),
             SQLITE_OK, "damage");
    CHECK_EQ(sqlite3_changes(db), 1, "one row");
    sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
    sqlite3_close(db);
    CHECK_EQ(rig_start(&R), 0, "start");
    rig_connect(&R, 1, B_DIP);
    rig_connect(&R, 2, A_DIP);
    CHECK_EQ(rig_take(&R, 2, VERB_DELIVER, &f), 1, "the other is delivered");
    CHECK_BYTES(f.front.p, second.front.p, second.front.n, "that one");
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 0, "and no other");
    rig_step(&m, &R, KIND_DELIVERED, A_DIP, "station", known.env.mid, 1);
    rig_mail(&step, &R, &m);
    CHECK_EQ(rig_record(&R, 2, A_DIP, 3, &step, &f), -HL_EBROKER,
             "a step on the damaged one cannot be judged");
    CHECK_EQ(rig_record(&R, 1, B_DIP, 4, &known, &f), -HL_EBROKER, "nor its duplicate");
    f = (struct frame){ .verb = VERB_FETCH, .tag = 5, .what = FETCH_BODY, .a = 14 };
    CHECK_EQ(rig_send(&R, 2, A_DIP, &f), 0, "fetch");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_take(&R, 2, VERB_REFUSED, &f), 1, "nor fetched");
    buf_init(&json, 65536);
    CHECK_EQ(broker_status(R.b, &json), 0, "status");
    CHECK_EQ(strstr(buf_str(&json), "\"head\"") != NULL, 1, "is written");
    buf_release(&json);
    rig_mail_release(&second);
    rig_mail_release(&step);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_every_verb_in_every_state),
        T(test_truncations),
        T(test_mutations),
        T(test_garbage),
        T(test_lying_front),
        T(test_tag_used_again),
        T(test_poisoned_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
