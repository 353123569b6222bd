#include "server/broker.h"
#include "tests/rig.h"
#include "tests/world.h"

static struct rig R;
#define B_DIP "borealia.diplomatic"
#define A_DIP "arcadia.diplomatic"
#define A_TEC "arcadia.technical"

static uint8_t chain; /* each test has one of its own */

static void message(struct world_message *m, uint64_t seq, unsigned precedence, size_t bucket)
{
    world_message_init(m, &R.w);
    m->chain = chain;
    m->seq = seq;
    m->salt = (uint8_t)(chain * 16 + seq);
    m->precedence = precedence;
    m->bucket = bucket;
}

static int setup(void **state)
{
    (void)state;
    chain++;
    rig_open(&R);
    rig_connect(&R, 1, B_DIP);
    rig_connect(&R, 2, A_DIP);
    rig_clear(&R);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&R);
    return 0;
}

/* Send the body of @mail as the broker asks for it, at most @max chunks.  Returns the offset
 * reached. */
static uint64_t upload(uint64_t conn, uint64_t tag, const struct rig_mail *mail, size_t max,
                       size_t piece)
{
    uint64_t total = mail->front.n + mail->env.body.n, at = 0;
    struct frame got;

    CHECK_EQ(rig_run(&R), 0, "run");
    for (size_t i = 0; i <= max; i++) {
        while (rig_take(&R, conn, VERB_GOT, &got))
            if (got.tag == tag)
                at = got.offset;
        if (at == 0 || at == total || i == max)
            break;
        for (uint64_t end = at + 2 * WIRE_CHUNK; at < total && at < end;) {
            struct frame f = { .verb = VERB_CHUNK, .tag = tag, .offset = at };
            size_t left = (size_t)((at < mail->front.n ? mail->front.n : total) - at);
            const uint8_t *p =
                at < mail->front.n ? mail->front.p + at : mail->env.body.p + (at - mail->front.n);

            if (at < mail->front.n && end > mail->front.n)
                end = mail->front.n; /* no body before the verdict */
            f.bytes = SPAN(p, left < piece ? left : piece);
            at += f.bytes.n;
            CHECK_EQ(rig_send(&R, conn, B_DIP, &f), 0, "chunk");
        }
        CHECK_EQ(rig_run(&R), 0, "run");
    }
    return at;
}

/* Receive one delivery whole, acknowledging as it comes; counts what was in flight. */
static void receive(uint64_t conn, const char *poc, const struct rig_mail *mail, const char *row)
{
    struct frame d, f;
    struct buf got;
    size_t total = mail->front.n + mail->env.body.n;

    CHECK_EQ(rig_take(&R, conn, VERB_DELIVER, &d), 1, row);
    CHECK_EQ(d.front_len, mail->front.n, row);
    buf_init(&got, ENVELOPE_MAX);
    buf_put_span(&got, d.front);
    buf_put_span(&got, d.body);
    for (int i = 0; got.n < total && i < 100; i++) {
        while (rig_take(&R, conn, VERB_CHUNK, &f)) {
            CHECK_EQ(f.tag, d.tag, row);
            CHECK_EQ(f.offset, got.n, row);
            buf_put_span(&got, f.bytes);
        }
        rig_got(&R, conn, poc, d.tag, got.n);
        CHECK_EQ(rig_run(&R), 0, row);
    }
    CHECK_EQ(got.n, total, row);
    CHECK_BYTES(got.p, mail->front.p, mail->front.n, row);
    CHECK_BYTES(got.p + mail->front.n, mail->env.body.p, mail->env.body.n, row);
    buf_release(&got);
}

static void test_large_both_ways(void **state)
{
    static const struct {
        const char *name;
        size_t bucket, piece;
    } rows[] = {
        { "32 KiB", 32768, WIRE_CHUNK },
        { "64 KiB", 65536, WIRE_CHUNK },
        { "512 KiB", 524288, WIRE_CHUNK },
        { "128 KiB in small pieces", 131072, 2000 },
    };
    struct frame f;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world_message m;
        struct rig_mail mail;

        message(&m, i + 1, PRECEDENCE_PRIORITY, rows[i].bucket);
        rig_mail(&mail, &R, &m);
        CHECK_EQ(rig_submit(&R, 1, B_DIP, i + 1, &mail), 0, rows[i].name);
        upload(1, i + 1, &mail, 1000, rows[i].piece);
        CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &f), 1, rows[i].name);
        rig_check_receipt(&R, &f, &mail, rows[i].name);
        receive(2, A_DIP, &mail, rows[i].name);
        rig_mail_release(&mail);
    }
}

/* A front of more than one chunk, to 400 who are nobody: whole, verified and judged before any byte
 * of the body. */
static void big_front(struct buf *front, struct envelope *env, struct buf part[3])
{
    static char name[400][16];
    static struct wraps wraps;
    struct world_key key = world_key("borealia.diplomatic/watch-1");
    struct buf message;
    uint8_t sig[64];

    *env = (struct envelope){ .header = { .realm = R.w.realm,
                                          .kind = KIND_NOTIFICATION,
                                          .channel = R.w.channel[WORLD_CRISIS],
                                          .sender = span_str(B_DIP),
                                          .n_to = COUNT(name),
                                          .category = 1,
                                          .marking = 1,
                                          .commit = SPAN(R.w.channel[WORLD_NOTICE], 32) },
                              .stamp = { .key = key.pk, .chain = R.w.channel[0], .seq = 1 },
                              .body_len = 65536 + ENVELOPE_TAG };
    wraps = (struct wraps){ .enc = key.pk, .n = COUNT(name) };
    for (size_t i = 0; i < COUNT(name); i++) {
        snprintf(name[i], sizeof(name[i]), "nobody.n%zu", i);
        env->header.to[i] = (struct recipient){ span_str(name[i]), ROLE_ACTION };
        wraps.wrap[i] = (struct wrap){ key.pk, key.sk };
    }
    for (int i = 0; i < 3; i++)
        buf_init(&part[i], ENVELOPE_FRONT_MAX);
    header_put(&part[0], &env->header);
    stamp_put(&part[1], &env->stamp);
    wraps_put(&part[2], &wraps);
    env->header_bytes = buf_span(&part[0]);
    env->stamp_bytes = buf_span(&part[1]);
    env->wraps_bytes = buf_span(&part[2]);
    crypto_hash_sha256(env->wraps_hash, part[2].p, part[2].n);
    envelope_head(env->h, R.w.realm, env->header_bytes, env->stamp_bytes);
    envelope_id(env->id, R.w.realm, env->h, env->wraps_hash, env->body_hash);
    buf_init(&message, 256);
    envelope_release_message(&message, R.w.realm, env->id);
    crypto_sign_detached(sig, NULL, message.p, message.n, key.sk);
    env->sig = sig;
    CHECK_EQ(envelope_put_front(front, env), 0, "front");
    CHECK_EQ(front->n > WIRE_CHUNK, 1, "more than a chunk");
    buf_release(&message);
}

static void test_front_in_pieces(void **state)
{
    static const struct {
        const char *name;
        size_t piece;
        bool spoil;
        int want;
    } rows[] = {
        { "chunks", WIRE_CHUNK, false, HL_EMEMBER },
        { "small pieces", 1000, false, HL_EMEMBER },
        { "a byte changed", WIRE_CHUNK, true, HL_ESIG },
    };
    static struct envelope env;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct frame f = { .verb = VERB_SUBMIT, .tag = i + 1 }, got;
        struct buf front, part[3];
        uint64_t at = WIRE_CHUNK;

        buf_init(&front, ENVELOPE_FRONT_MAX);
        big_front(&front, &env, part);
        front.p[front.n - 5] ^= rows[i].spoil;
        f.front_len = front.n;
        f.front = SPAN(front.p, WIRE_CHUNK);
        CHECK_EQ(rig_send(&R, 1, B_DIP, &f), 0, rows[i].name);
        while (at < front.n) {
            CHECK_EQ(rig_run(&R), 0, rows[i].name);
            CHECK_EQ(rig_take(&R, 1, VERB_GOT, &got), 1, rows[i].name);
            CHECK_EQ(got.offset, at, "the next piece is wanted");
            f = (struct frame){ .verb = VERB_CHUNK, .tag = i + 1, .offset = at };
            f.bytes =
                SPAN(front.p + at, front.n - at < rows[i].piece ? front.n - at : rows[i].piece);
            at += f.bytes.n;
            CHECK_EQ(rig_send(&R, 1, B_DIP, &f), 0, rows[i].name);
        }
        CHECK_EQ(rig_run(&R), 0, rows[i].name);
        CHECK_EQ(rig_count(&R, 1, VERB_GOT), 0, "no leave for the body");
        CHECK_EQ(rig_take(&R, 1, VERB_REFUSED, &got), 1, rows[i].name);
        CHECK_EQ(got.code, rows[i].want, rows[i].name);
        CHECK_EQ(got.tag, i + 1, rows[i].name);
        buf_release(&front);
        for (int k = 0; k < 3; k++)
            buf_release(&part[k]);
    }
}

static void test_nothing_before_the_verdict(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f = { .verb = VERB_CHUNK, .tag = 5 };

    (void)state;
    message(&m, 1, PRECEDENCE_ROUTINE, 65536);
    m.category = 60;
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 5, &mail), 0, "submit");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_count(&R, 1, VERB_GOT), 0, "no leave to send a body");
    CHECK_EQ(rig_count(&R, 1, VERB_REFUSED), 1, "refused at once");
    f.offset = mail.front.n;
    f.bytes = SPAN(mail.env.body.p, WIRE_CHUNK);
    rig_clear(&R);
    CHECK_EQ(rig_send(&R, 1, B_DIP, &f), 0, "a body that nobody asked for");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(R.n, 0, "is nothing");
    rig_mail_release(&mail);
}

static void test_resumption(void **state)
{
    static const struct {
        const char *name;
        bool restart;
        size_t want; /* chunks kept */
    } rows[] = {
        { "the connection is lost", false, 4 },
        { "the broker is killed", true, 4 },
    };
    struct frame f;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world_message m;
        struct rig_mail mail;

        message(&m, i + 1, PRECEDENCE_ROUTINE, 262144);
        rig_mail(&mail, &R, &m);
        CHECK_EQ(rig_submit(&R, 1, B_DIP, 1, &mail), 0, rows[i].name);
        CHECK_EQ(upload(1, 1, &mail, 2, WIRE_CHUNK), mail.front.n + 4 * WIRE_CHUNK, rows[i].name);
        if (rows[i].restart)
            rig_restart(&R);
        else
            broker_gone(R.b, 1);
        rig_connect(&R, 1, B_DIP);
        CHECK_EQ(rig_submit(&R, 1, B_DIP, 2, &mail), 0, rows[i].name);
        CHECK_EQ(rig_run(&R), 0, rows[i].name);
        CHECK_EQ(rig_take(&R, 1, VERB_GOT, &f), 1, rows[i].name);
        CHECK_EQ(f.offset, mail.front.n + rows[i].want * WIRE_CHUNK, rows[i].name);
        rig_clear(&R);
        CHECK_EQ(rig_submit(&R, 1, B_DIP, 3, &mail), 0, "and once more, on another stream");
        upload(1, 3, &mail, 1000, WIRE_CHUNK);
        CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &f), 1, rows[i].name);
        rig_check_receipt(&R, &f, &mail, rows[i].name);
        CHECK_EQ(rig_count(&R, 1, VERB_REFUSED), 1, "the stream that lost was told");
        rig_clear(&R);
        rig_connect(&R, 2, A_DIP);
        receive(2, A_DIP, &mail, rows[i].name);
        broker_gone(R.b, 2);
        rig_clear(&R);
        rig_mail_release(&mail);
        rig_connect(&R, 2, A_DIP);
        {
            struct world_message s;
            struct rig_mail step;

            rig_step(&s, &R, KIND_DELIVERED, A_DIP, "station", mail.env.mid, i + 1);
            rig_mail(&step, &R, &s);
            CHECK_EQ(rig_record(&R, 2, A_DIP, 9, &step, &f), 0, "step");
            rig_mail_release(&step);
        }
        rig_clear(&R);
    }
}

static void test_wrong_body(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f;

    (void)state;
    message(&m, 1, PRECEDENCE_ROUTINE, 65536);
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 1, &mail), 0, "submit");
    mail.file.p[mail.file.n - 1000] ^= 1; /* the body that env borrows */
    upload(1, 1, &mail, 1000, WIRE_CHUNK);
    CHECK_EQ(rig_take(&R, 1, VERB_REFUSED, &f), 1, "refused");
    CHECK_EQ(f.code, HL_EFORMAT, "code");
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 0, "nothing delivered");
    mail.file.p[mail.file.n - 1000] ^= 1;
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 2, &mail), 0, "the right one");
    CHECK_EQ(upload(1, 2, &mail, 0, WIRE_CHUNK), mail.front.n, "from the beginning");
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 3, &mail), 0, "again");
    upload(1, 3, &mail, 1000, WIRE_CHUNK);
    CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &f), 1, "recorded");
    rig_mail_release(&mail);
}

static void test_chunks_out_of_order(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f = { .verb = VERB_CHUNK, .tag = 1 }, got;

    (void)state;
    message(&m, 1, PRECEDENCE_ROUTINE, 131072);
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 1, &mail), 0, "submit");
    upload(1, 1, &mail, 1, WIRE_CHUNK);
    for (unsigned i = 0; i < 4; i++) {
        static const size_t at[4] = { 0, 3, 1, 4 };

        rig_clear(&R);
        f.offset = mail.front.n + at[i] * WIRE_CHUNK;
        f.bytes = SPAN(mail.env.body.p, at[i] == 4 ? 17 : WIRE_CHUNK);
        CHECK_EQ(rig_send(&R, 1, B_DIP, &f), 0, "chunk");
        CHECK_EQ(rig_run(&R), 0, "run");
        CHECK_EQ(rig_take(&R, 1, VERB_GOT, &got), 1, "an answer");
        CHECK_EQ(got.offset, mail.front.n + 2 * WIRE_CHUNK, "what is wanted did not change");
    }
    rig_mail_release(&mail);
}

/* ---- windows ---- */

static size_t in_flight(uint64_t conn)
{
    struct frame f;
    size_t n = 0;

    for (size_t i = 0; i < R.n; i++)
        if (R.frame[i].conn == conn && frame_decode(&f, buf_span(&R.frame[i].bytes)) == 0)
            n += f.verb == VERB_DELIVER ? f.front.n + f.body.n
                 : f.verb == VERB_CHUNK ? f.bytes.n
                                        : 0;
    return n;
}

static void record_many(unsigned n, unsigned precedence, size_t bucket, struct rig_mail *mail)
{
    struct world_message m;
    struct frame f;

    for (unsigned i = 0; i < n; i++) {
        message(&m, 100 * precedence + i + 1, precedence, bucket);
        m.salt = (uint8_t)(60 * precedence + i);
        rig_mail(&mail[i], &R, &m);
        CHECK_EQ(rig_submit(&R, 1, B_DIP, i + 1, &mail[i]), 0, "submit");
        upload(1, i + 1, &mail[i], 1000, WIRE_CHUNK);
        CHECK_EQ(rig_take(&R, 1, VERB_RECORDED, &f), 1, "recorded");
    }
}

static void release_many(struct rig_mail *mail, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        rig_mail_release(&mail[i]);
}

static void test_window(void **state)
{
    struct rig_mail mail[30], flash[20];
    struct frame f;
    size_t ordinary;

    (void)state;
    record_many(COUNT(mail), PRECEDENCE_ROUTINE, 8192, mail);
    ordinary = in_flight(2);
    CHECK_EQ(ordinary > WIRE_WINDOW / 2 && ordinary <= WIRE_WINDOW, 1, "two chunks, no more");
    record_many(COUNT(flash), PRECEDENCE_FLASH, 4096, flash);
    CHECK_EQ(in_flight(2) > ordinary, 1, "FLASH goes although the window is full");
    CHECK_EQ(in_flight(2) <= 2 * WIRE_WINDOW, 1, "within its own");
    for (size_t n = 0; n < COUNT(mail) + COUNT(flash);) {
        CHECK_EQ(rig_take(&R, 2, VERB_DELIVER, &f), 1, "one after the other");
        rig_got(&R, 2, A_DIP, f.tag, f.front.n + f.body.n);
        CHECK_EQ(rig_run(&R), 0, "run");
        n++;
    }
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 0, "all, each once");
    release_many(mail, COUNT(mail));
    release_many(flash, COUNT(flash));
}

/* A FLASH does not wait for the rest of a large one. */
static void test_flash_overtakes_chunks(void **state)
{
    struct rig_mail large, flash;
    struct frame f;

    (void)state;
    record_many(1, PRECEDENCE_ROUTINE, 524288, &large);
    CHECK_EQ(in_flight(2) <= WIRE_WINDOW, 1, "the large one fills its window");
    rig_clear(&R);
    record_many(1, PRECEDENCE_FLASH, 4096, &flash);
    CHECK_EQ(rig_take(&R, 2, VERB_DELIVER, &f), 1, "FLASH is there");
    CHECK_BYTES(f.front.p, flash.front.p, flash.front.n, "whole");
    rig_mail_release(&large);
    rig_mail_release(&flash);
}

/* GOT of what was never sent, of other tags, backwards: the window stays what it is. */
static void test_got_lies(void **state)
{
    struct rig_mail mail;
    struct frame f;
    size_t before;

    (void)state;
    record_many(1, PRECEDENCE_ROUTINE, 524288, &mail);
    before = in_flight(2);
    CHECK_EQ(rig_take(&R, 2, VERB_DELIVER, &f), 1, "begun");
    rig_got(&R, 2, A_DIP, f.tag, 1048576);
    rig_got(&R, 2, A_DIP, f.tag, before + 1);
    rig_got(&R, 2, A_DIP, f.tag + 1, 100);
    rig_got(&R, 2, A_DIP, f.tag, 0);
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(in_flight(2), before, "nothing more was sent");
    rig_got(&R, 2, A_DIP, f.tag, before);
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(in_flight(2), before + WIRE_WINDOW, "an honest one moves it as if nothing had been");
    rig_mail_release(&mail);
}

/* ---- mailbox ---- */

static int step(unsigned kind, const char *sender, const char *key, const uint8_t *mid,
                uint64_t seq, uint64_t conn, const char *by)
{
    struct world_message s;
    struct rig_mail mail;
    struct frame f;
    int rc;

    rig_step(&s, &R, kind, sender, key, mid, seq);
    s.chain = chain;
    rig_mail(&mail, &R, &s);
    rc = rig_record(&R, conn, by, 70 + seq, &mail, &f);
    rig_mail_release(&mail);
    return rc;
}

/* Until its signed step, a message comes again on every connection; after it, never. */
static void test_leaves_by_step_only(void **state)
{
    static const struct {
        const char *name;
        unsigned kind;
        const char *key;
    } rows[] = {
        { "delivered", KIND_DELIVERED, "station" },
        { "acknowledged", KIND_ACKNOWLEDGED, "watch-1" },
        { "cannot-read", KIND_CANNOT_READ, "station" },
    };
    struct frame f;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world_message m;
        struct rig_mail mail;

        message(&m, i + 1, PRECEDENCE_ROUTINE, 4096);
        rig_mail(&mail, &R, &m);
        CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), 0, rows[i].name);
        CHECK_EQ(rig_take(&R, 2, VERB_DELIVER, &f), 1, rows[i].name);
        rig_got(&R, 2, A_DIP, f.tag, f.front.n + f.body.n);
        CHECK_EQ(rig_run(&R), 0, "run");
        for (int again = 0; again < 3; again++) {
            if (again == 1)
                rig_restart(&R);
            else
                broker_gone(R.b, 2);
            rig_connect(&R, 1, B_DIP);
            rig_connect(&R, 2, A_DIP);
            CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 1, rows[i].name);
            rig_got_all(&R, 2, A_DIP);
        }
        CHECK_EQ(step(rows[i].kind, A_DIP, rows[i].key, mail.env.mid, i + 1, 2, A_DIP), 0,
                 rows[i].name);
        CHECK_EQ(rig_take(&R, 1, VERB_DELIVER, &f), 1, "the sender learns of it");
        CHECK_EQ(f.flags, DELIVER_EVENT, "as an event");
        rig_got(&R, 1, B_DIP, f.tag, f.front.n);
        rig_restart(&R);
        rig_connect(&R, 2, A_DIP);
        CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 0, rows[i].name);
        rig_connect(&R, 1, B_DIP);
        rig_got_all(&R, 1, B_DIP);
        rig_clear(&R);
        rig_mail_release(&mail);
    }
}

/* A step by who is no recipient, or on what is not known, changes nothing. */
static void test_step_of_another(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f;
    uint8_t unknown[32] = { 9 };

    (void)state;
    message(&m, 1, PRECEDENCE_ROUTINE, 4096);
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), 0, "recorded");
    CHECK_EQ(step(KIND_DELIVERED, A_TEC, "station", mail.env.mid, 1, 1, B_DIP), -HL_ETARGET,
             "no recipient");
    CHECK_EQ(step(KIND_DELIVERED, A_DIP, "station", unknown, 2, 2, A_DIP), -HL_ETARGET,
             "unknown message");
    rig_clear(&R);
    rig_restart(&R);
    rig_connect(&R, 2, A_DIP);
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 1, "it still waits");
    rig_mail_release(&mail);
}

/* A message sealed again is one message: the step takes both copies. */
static void test_sealed_again(void **state)
{
    struct world_message m;
    struct rig_mail a, b;
    struct frame f;

    (void)state;
    message(&m, 1, PRECEDENCE_ROUTINE, 4096);
    rig_mail(&a, &R, &m);
    m.seq = 2; /* another stamp, the same header */
    m.precedence = PRECEDENCE_IMMEDIATE;
    rig_mail(&b, &R, &m);
    CHECK_BYTES(a.env.mid, b.env.mid, 32, "one message");
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &a, &f), 0, "first");
    CHECK_EQ(rig_record(&R, 1, B_DIP, 2, &b, &f), 0, "again");
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 2, "both are delivered");
    CHECK_EQ(step(KIND_DELIVERED, A_DIP, "station", a.env.mid, 1, 2, A_DIP), 0, "step");
    rig_clear(&R);
    rig_restart(&R);
    rig_connect(&R, 2, A_DIP);
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 0, "neither waits");
    rig_mail_release(&a);
    rig_mail_release(&b);
}

/* Who has said that he has a message does not say it again: sealed again, it comes as an event and
 * does not wait. */
static void test_sealed_again_after_the_step(void **state)
{
    struct world_message m;
    struct rig_mail a, b;
    struct frame f;

    (void)state;
    message(&m, 1, PRECEDENCE_ROUTINE, 4096);
    rig_mail(&a, &R, &m);
    m.seq = 2;
    m.precedence = PRECEDENCE_IMMEDIATE;
    rig_mail(&b, &R, &m);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &a, &f), 0, "first");
    CHECK_EQ(step(KIND_DELIVERED, A_DIP, "station", a.env.mid, 1, 2, A_DIP), 0, "step");
    rig_got_all(&R, 2, A_DIP);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 2, &b, &f), 0, "again");
    CHECK_EQ(rig_take(&R, 2, VERB_DELIVER, &f), 1, "it comes");
    CHECK_EQ(f.flags, DELIVER_EVENT, "as an event");
    rig_clear(&R);
    rig_restart(&R);
    rig_hello(&R, 2, A_DIP, f.index + 1, SPAN_NONE);
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 0, "and waits in no mailbox");
    rig_mail_release(&a);
    rig_mail_release(&b);
}

/* Answered in time, an alternate's copy will never be delivered: it must not fill the mailbox. */
static void test_held_copy_goes_when_answered(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f;

    (void)state;
    R.conf.quota_messages = 1;
    rig_restart(&R);
    rig_connect(&R, 1, B_DIP);
    for (uint64_t i = 1; i <= 5; i++) {
        message(&m, i, PRECEDENCE_ROUTINE, 4096);
        m.to[1] = A_TEC;
        m.role[1] = ROLE_ALTERNATE + 1;
        rig_mail(&mail, &R, &m);
        CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), 0, "room in both mailboxes");
        CHECK_EQ(step(KIND_ACKNOWLEDGED, A_DIP, "watch-1", mail.env.mid, i, 1, B_DIP), 0,
                 "answered");
        rig_mail_release(&mail);
    }
}

/* ---- sessions ---- */

static void test_newest_hello_gets_deliveries(void **state)
{
    struct rig_mail mail[3];
    struct frame f;

    (void)state;
    rig_connect(&R, 3, A_DIP);
    record_many(1, PRECEDENCE_ROUTINE, 4096, mail);
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 0, "the older gets nothing");
    CHECK_EQ(rig_count(&R, 3, VERB_DELIVER), 1, "the newer gets it");
    broker_gone(R.b, 3);
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 1, "when it ends the older takes over");
    rig_hello(&R, 2, A_DIP, 0, SPAN_NONE);
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 2, "a second HELLO begins anew");
    for (uint64_t c = 10; c < 16; c++)
        rig_connect(&R, c, A_DIP);
    CHECK_EQ(rig_take(&R, 2, VERB_REFUSED, &f), 1, "too many: the oldest goes");
    CHECK_EQ(f.code, HL_EBUSY, "and is told");
    rig_mail_release(&mail[0]);
}

static void test_hello_errors(void **state)
{
    static const struct {
        const char *name, *poc;
        uint64_t proto;
        enum realm realm;
        int want;
    } rows[] = {
        { "another protocol", "doria.technical", 2, REALM_LIVE, HL_ESUITE },
        { "the other realm", "doria.technical", WIRE_PROTO, REALM_EXERCISE, HL_EREALM },
        { "another's name", A_DIP, WIRE_PROTO, REALM_LIVE, HL_EKEY },
    };
    struct frame f;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct frame hello = { .verb = VERB_HELLO,
                               .proto = rows[i].proto,
                               .realm = rows[i].realm,
                               .poc = span_str(rows[i].poc) };

        CHECK_EQ(rig_send(&R, 50 + i, "doria.technical", &hello), 0, rows[i].name);
        CHECK_EQ(rig_run(&R), 0, rows[i].name);
        CHECK_EQ(rig_take(&R, 50 + i, VERB_REFUSED, &f), 1, rows[i].name);
        CHECK_EQ(f.code, rows[i].want, rows[i].name);
        CHECK_EQ(rig_count(&R, 50 + i, VERB_WELCOME), 0, rows[i].name);
    }
}

static void test_hello_comes_first(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f[] = { { .verb = VERB_FETCH, .tag = 1, .what = FETCH_ENTRIES, .b = 1 },
                         { .verb = VERB_DOCUMENT, .tag = 1, .note = buf_span(&R.w.card[0]) },
                         { .verb = VERB_GOT, .tag = 1, .offset = 1 },
                         { .verb = VERB_CHUNK, .tag = 1, .offset = 1, .bytes = SPAN("x", 1) },
                         { .verb = VERB_PING, .tag = 1 } },
                 got;

    (void)state;
    message(&m, 1, PRECEDENCE_ROUTINE, 4096);
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_record(&R, 40, B_DIP, 1, &mail, &got), -HL_ESTATE, "SUBMIT");
    for (size_t i = 0; i < COUNT(f); i++) {
        CHECK_EQ(rig_send(&R, 40, B_DIP, &f[i]), 0, "frame");
        CHECK_EQ(rig_run(&R), 0, "run");
        CHECK_EQ(rig_take(&R, 40, VERB_REFUSED, &got), 1, "refused");
        CHECK_EQ(got.code, HL_ESTATE, "state");
    }
    CHECK_EQ(rig_record(&R, 1, B_DIP, 2, &mail, &got), 0, "after its HELLO another may submit it");
    rig_mail_release(&mail);
}

static void test_welcome_numbers(void **state)
{
    struct rig_mail mail[3];
    struct frame f;

    (void)state;
    record_many(3, PRECEDENCE_PRIORITY, 4096, mail);
    rig_restart(&R);
    rig_hello(&R, 1, B_DIP, 0, SPAN_NONE);
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_take(&R, 1, VERB_WELCOME, &f), 1, "welcome");
    CHECK_EQ(f.n_numbers, 1, "one channel");
    CHECK_EQ(f.number[0].seq, 103, "highest number");
    CHECK_EQ(f.number[0].chain[0], chain, "its chain");
    CHECK_BYTES(f.number[0].channel, R.w.channel[WORLD_CRISIS], 32, "its channel");
    CHECK_EQ(f.size, WORLD_DOCUMENTS + 3, "size");
    CHECK_EQ(f.note.n > 0, 1, "the newest note");
    release_many(mail, 3);
}

/* ---- steps are events: they stay, and come again from the client's own cursor ---- */

static void test_events_by_cursor(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f;
    uint64_t delivered;

    (void)state;
    message(&m, 1, PRECEDENCE_ROUTINE, 4096);
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), 0, "recorded");
    CHECK_EQ(step(KIND_DELIVERED, A_DIP, "station", mail.env.mid, 1, 2, A_DIP), 0, "delivered");
    CHECK_EQ(step(KIND_ACKNOWLEDGED, A_DIP, "watch-1", mail.env.mid, 2, 2, A_DIP), 0,
             "acknowledged");
    CHECK_EQ(rig_take(&R, 1, VERB_DELIVER, &f), 1, "event");
    delivered = f.index;
    rig_restart(&R);
    rig_hello(&R, 1, B_DIP, delivered, SPAN_NONE);
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_count(&R, 1, VERB_DELIVER), 2, "both from the first on");
    rig_clear(&R);
    rig_hello(&R, 1, B_DIP, delivered + 1, SPAN_NONE);
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_count(&R, 1, VERB_DELIVER), 1, "the second alone");
    rig_clear(&R);
    rig_hello(&R, 1, B_DIP, UINT32_MAX, SPAN_NONE);
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_count(&R, 1, VERB_DELIVER), 0, "none");
    rig_mail_release(&mail);
}

/* ---- deadlines ---- */

static unsigned notices(uint64_t conn, unsigned kind)
{
    struct frame f;
    struct record rec;
    unsigned n = 0;

    for (size_t i = 0; i < R.n; i++) {
        if (R.frame[i].conn != conn || frame_decode(&f, buf_span(&R.frame[i].bytes)) != 0 ||
            f.verb != VERB_OPENING)
            continue;
        CHECK_EQ(record_decode(&rec, f.bytes), 0, "opening");
        n += rec.type == RECORD_NOTICE && rec.notice == kind;
    }
    return n;
}

/* An alternate's copy waits, held, until the deadline passed without an answer. */
static void test_escalation(void **state)
{
    static const struct {
        const char *name;
        unsigned kind; /* step before the deadline, 0 none */
        const char *key;
        unsigned undelivered, not_acknowledged, escalated;
        bool restart;
    } rows[] = {
        { "no step at all", 0, NULL, 1, 0, 1, false },
        { "delivered only", KIND_DELIVERED, "station", 0, 1, 1, false },
        { "delivered only, over a restart", KIND_DELIVERED, "station", 0, 1, 1, true },
        { "acknowledged", KIND_ACKNOWLEDGED, "watch-1", 0, 0, 0, false },
        { "acknowledged, over a restart", KIND_ACKNOWLEDGED, "watch-1", 0, 0, 0, true },
    };
    struct frame f;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world_message m;
        struct rig_mail mail;

        rig_connect(&R, 3, A_TEC);
        message(&m, i + 1, PRECEDENCE_FLASH, 4096);
        m.to[1] = A_TEC;
        m.role[1] = ROLE_ALTERNATE + 1;
        rig_mail(&mail, &R, &m);
        CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), 0, rows[i].name);
        CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 1, rows[i].name);
        CHECK_EQ(rig_count(&R, 3, VERB_DELIVER), 0, "held");
        if (rows[i].kind)
            CHECK_EQ(step(rows[i].kind, A_DIP, rows[i].key, mail.env.mid, i + 1, 2, A_DIP), 0,
                     rows[i].name);
        CHECK_EQ(rig_count(&R, 3, VERB_DELIVER), 0, "nor its steps");
        if (rows[i].restart) {
            rig_restart(&R);
            rig_connect(&R, 1, B_DIP);
            rig_connect(&R, 3, A_TEC);
        }
        rig_clear(&R);
        R.now += 599000;
        CHECK_EQ(rig_run(&R), 0, "run");
        CHECK_EQ(R.n > 0 &&
                     notices(1, NOTICE_UNDELIVERED) + notices(1, NOTICE_NOT_ACKNOWLEDGED) > 0,
                 0, "not yet due");
        R.now += 2000;
        CHECK_EQ(rig_run(&R), 0, "run");
        CHECK_EQ(notices(1, NOTICE_UNDELIVERED), rows[i].undelivered, rows[i].name);
        CHECK_EQ(notices(1, NOTICE_NOT_ACKNOWLEDGED), rows[i].not_acknowledged, rows[i].name);
        CHECK_EQ(notices(1, NOTICE_ESCALATED), rows[i].escalated, rows[i].name);
        CHECK_EQ(notices(3, NOTICE_ESCALATED), rows[i].escalated, "the alternate is told");
        CHECK_EQ(rig_take(&R, 3, VERB_DELIVER, &f), rows[i].escalated, rows[i].name);
        if (rows[i].escalated) {
            CHECK_EQ(f.flags, DELIVER_ESCALATED, rows[i].name);
            CHECK_EQ(step(KIND_DELIVERED, A_TEC, "station", mail.env.mid, i + 1, 3, A_TEC), 0,
                     "its step");
        }
        R.now += 3600000;
        rig_clear(&R);
        CHECK_EQ(rig_run(&R), 0, "run");
        CHECK_EQ(notices(1, NOTICE_UNDELIVERED) + notices(1, NOTICE_ESCALATED), 0, "once");
        rig_restart(&R);
        rig_connect(&R, 2, A_DIP);
        rig_connect(&R, 1, B_DIP);
        if (!rows[i].kind)
            CHECK_EQ(step(KIND_DELIVERED, A_DIP, "station", mail.env.mid, i + 1, 2, A_DIP), 0,
                     "late");
        rig_clear(&R);
        rig_mail_release(&mail);
    }
}

/* The ladder goes on at the same pace, also over a restart: one alternate a time, one notice of the
 * delay. */
static void test_ladder(void **state)
{
    struct world_message m;
    struct rig_mail mail;
    struct frame f;

    (void)state;
    message(&m, 1, PRECEDENCE_FLASH, 4096);
    m.to[1] = A_TEC;
    m.role[1] = ROLE_ALTERNATE + 1;
    m.to[2] = "borealia.technical";
    m.role[2] = ROLE_ALTERNATE + 2;
    rig_mail(&mail, &R, &m);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &mail, &f), 0, "recorded");
    for (unsigned rung = 1; rung <= 3; rung++) {
        rig_restart(&R);
        rig_connect(&R, 1, B_DIP);
        rig_clear(&R);
        R.now += 590000;
        CHECK_EQ(rig_run(&R), 0, "run");
        CHECK_EQ(notices(1, NOTICE_ESCALATED), 0, "not yet");
        R.now += 10500;
        CHECK_EQ(rig_run(&R), 0, "run");
        CHECK_EQ(notices(1, NOTICE_UNDELIVERED), rung == 1, "said once");
        CHECK_EQ(notices(1, NOTICE_ESCALATED), rung < 3, "the next alternate");
    }
    rig_connect(&R, 3, A_TEC);
    rig_connect(&R, 4, "borealia.technical");
    CHECK_EQ(rig_count(&R, 3, VERB_DELIVER) >= 1, 1, "the first has it");
    CHECK_EQ(rig_count(&R, 4, VERB_DELIVER) >= 1, 1, "the second has it");
    rig_mail_release(&mail);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_large_both_ways),
        T(test_front_in_pieces),
        T(test_nothing_before_the_verdict),
        T(test_resumption),
        T(test_wrong_body),
        T(test_chunks_out_of_order),
        T(test_window),
        T(test_flash_overtakes_chunks),
        T(test_got_lies),
        T(test_leaves_by_step_only),
        T(test_step_of_another),
        T(test_sealed_again),
        T(test_sealed_again_after_the_step),
        T(test_held_copy_goes_when_answered),
        T(test_newest_hello_gets_deliveries),
        T(test_hello_errors),
        T(test_hello_comes_first),
        T(test_welcome_numbers),
        T(test_events_by_cursor),
        T(test_escalation),
        T(test_ladder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
