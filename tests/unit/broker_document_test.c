#include "server/broker.h"
#include "tests/rig.h"
#include "tests/world.h"

static struct rig R;
#define B_DIP "borealia.diplomatic"
#define A_DIP "arcadia.diplomatic"
#define A_TEC "arcadia.technical"

enum { ALL = (1u << WORLD_DOCUMENTS) - 1, DORIA_CARD = 1u << WORLD_DORIA };

static int setup(void **state)
{
    (void)state;
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

static void message(struct rig_mail *mail, uint64_t seq, const char *from, const char *to)
{
    struct world_message m;

    world_message_init(&m, &R.w);
    m.seq = seq;
    m.salt = (uint8_t)seq;
    m.sender = from;
    m.to[0] = to;
    rig_mail(mail, &R, &m);
}

/* ARCADIA's card after @prev, changed. */
static void next_card(struct buf *note, struct span prev, void (*change)(struct card *card))
{
    struct card card;
    struct buf text;

    world_card(&card, R.w.realm, WORLD_ARCADIA, R.w.now_ms);
    world_next_card(&card, prev);
    change(&card);
    buf_init(&text, DOCUMENT_MAX);
    buf_init(note, DOCUMENT_MAX);
    CHECK_EQ(card_print(&text, R.w.realm, &card), 0, "print");
    world_sign_roots(note, buf_span(&text), "arcadia");
    buf_release(&text);
    world_card_release(&card);
}

static struct card_poc *office(struct card *card, const char *name)
{
    for (size_t i = 0; i < card->n_pocs; i++)
        if (strcmp(card->poc[i].name, name) == 0)
            return &card->poc[i];
    return NULL;
}

static void new_transport_key(struct card *card)
{
    struct world_key k = world_xkey("arcadia.diplomatic/transport-2");

    memcpy(office(card, A_DIP)->transport[0], k.pk, 32);
}

static void later_validity(struct card *card)
{
    card->until_ms += 1000;
}

static void longer_validity(struct card *card)
{
    card->until_ms += 2000;
}

static bool in_table(const char *poc)
{
    uint8_t key[32];

    rig_key(key, poc);
    for (size_t i = 0; i < R.n_keys; i++)
        if (memcmp(R.keys[i], key, 32) == 0)
            return true;
    return false;
}

/* A card that replaces a transport key ends the session that uses the old one, at once. */
static void test_revocation_on_a_live_session(void **state)
{
    struct rig_mail mail, other;
    struct frame f, ping = { .verb = VERB_PING, .tag = 3 };
    struct buf note;
    size_t tables = R.tables;

    (void)state;
    message(&mail, 1, B_DIP, A_DIP);
    message(&other, 2, B_DIP, A_DIP);
    next_card(&note, buf_span(&R.w.card[WORLD_ARCADIA]), new_transport_key);
    CHECK_EQ(in_table(A_DIP), 1, "before");
    CHECK_EQ(rig_document(&R, 1, B_DIP, 1, buf_span(&note), &f), 0, "any member may bring it");
    CHECK_EQ(f.salt.n, 0, "a public entry has no salt");
    CHECK_EQ(R.tables, tables + 1, "a new table");
    CHECK_EQ(in_table(A_DIP), 0, "without the key");
    CHECK_EQ(in_table(B_DIP), 1, "others stay");
    CHECK_EQ(rig_record(&R, 1, B_DIP, 2, &mail, &f), 0, "a message for it");
    CHECK_EQ(rig_count(&R, 2, VERB_DELIVER), 0, "does not go to the old session");
    rig_clear(&R);
    CHECK_EQ(rig_send(&R, 2, A_DIP, &ping), 0, "a frame of the old key");
    rig_hello(&R, 9, A_DIP, 0, SPAN_NONE);
    CHECK_EQ(rig_submit(&R, 2, A_DIP, 3, &other), 0, "another");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(R.n, 0, "is dropped without an answer");
    rig_restart(&R); /* the same from the store */
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(in_table(A_DIP), 0, "after a restart");
    rig_mail_release(&mail);
    rig_mail_release(&other);
    buf_release(&note);
}

/* What was recorded before a stop's entry is delivered; later submissions are refused. */
static void test_stop(void **state)
{
    struct stop stop = {
        .party = span_str("borealia"), .card = 1, .what = STOP_KEY, .reason = span_str("lost")
    };
    const char *const chief[] = { "borealia.technical/chief" };
    struct rig_mail before, after;
    struct buf text, note;
    struct frame f;

    (void)state;
    message(&before, 1, B_DIP, A_DIP);
    message(&after, 2, B_DIP, A_DIP);
    broker_gone(R.b, 2);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 1, &before, &f), 0, "before");
    memcpy(stop.id, world_key("borealia.diplomatic/watch-1").pk, 32);
    buf_init(&text, DOCUMENT_MAX);
    buf_init(&note, DOCUMENT_MAX);
    CHECK_EQ(stop_print(&text, R.w.realm, &stop), 0, "stop");
    world_sign(&note, buf_span(&text), "borealia.technical", chief, 1);
    CHECK_EQ(rig_document(&R, 1, B_DIP, 2, buf_span(&note), &f), 0, "stopped");
    CHECK_EQ(rig_record(&R, 1, B_DIP, 3, &after, &f), -HL_ESTOPPED, "after");
    CHECK_EQ(rig_record(&R, 1, B_DIP, 4, &before, &f), 0, "what was recorded stays recorded");
    rig_connect(&R, 2, A_DIP);
    CHECK_EQ(rig_take(&R, 2, VERB_DELIVER, &f), 1, "and is delivered");
    rig_restart(&R);
    rig_connect(&R, 1, B_DIP);
    CHECK_EQ(rig_record(&R, 1, B_DIP, 5, &after, &f), -HL_ESTOPPED, "over a restart");
    buf_release(&text);
    buf_release(&note);
    rig_mail_release(&before);
    rig_mail_release(&after);
}

/* A stop that waits behind a message in the queue is recorded before the messages behind it. */
static void test_document_closes_its_turn(void **state)
{
    struct rig_mail a, b;
    struct frame f, doc = { .verb = VERB_DOCUMENT, .tag = 2 };
    struct buf note;

    (void)state;
    message(&a, 1, B_DIP, A_DIP);
    message(&b, 2, A_DIP, B_DIP);
    next_card(&note, buf_span(&R.w.card[WORLD_ARCADIA]), new_transport_key);
    doc.note = buf_span(&note);
    CHECK_EQ(rig_submit(&R, 1, B_DIP, 1, &a), 0, "a ROUTINE");
    CHECK_EQ(rig_send(&R, 1, B_DIP, &doc), 0, "a card");
    CHECK_EQ(rig_submit(&R, 2, A_DIP, 3, &b), 0, "a ROUTINE of the session that it ends");
    CHECK_EQ(broker_turn(R.b, R.now), 1, "the card's turn ends with it");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(rig_count(&R, 1, VERB_RECORDED), 2, "both of the other session");
    CHECK_EQ(rig_take(&R, 2, VERB_RECORDED, &f), 0, "nothing of the one that ended");
    CHECK_EQ(R.signed_size, WORLD_DOCUMENTS + 2, "nor an entry");
    buf_release(&note);
    rig_mail_release(&a);
    rig_mail_release(&b);
}

static void test_known_document(void **state)
{
    struct frame f;

    (void)state;
    for (int again = 0; again < 2; again++) {
        CHECK_EQ(rig_document(&R, 1, B_DIP, 1, buf_span(&R.w.card[WORLD_ARCADIA]), &f), 0,
                 "a card again");
        CHECK_EQ(f.salt.n, 0, "public");
        CHECK_EQ(f.index < WORLD_PARTIES, 1, "the entry that it has");
        CHECK_EQ(rig_document(&R, 1, B_DIP, 2, buf_span(&R.w.agreement[0]), &f), 0,
                 "an agreement note again");
        CHECK_EQ(f.salt.n, 32, "opened");
        CHECK_EQ(R.signed_size, WORLD_DOCUMENTS, "nothing is recorded twice");
        rig_restart(&R);
        rig_connect(&R, 1, B_DIP);
    }
    CHECK_EQ(broker_reload(R.b), 0, "the folder again");
    CHECK_EQ(rig_run(&R), 0, "run");
    CHECK_EQ(R.signed_size, WORLD_DOCUMENTS, "nor from there");
}

/* Two cards of one serial: the party is frozen, also over a restart, and both are kept. */
static void test_conflict(void **state)
{
    struct buf first, second, third;
    struct frame f;

    (void)state;
    next_card(&first, buf_span(&R.w.card[WORLD_ARCADIA]), later_validity);
    next_card(&second, buf_span(&R.w.card[WORLD_ARCADIA]), longer_validity);
    next_card(&third, buf_span(&first), later_validity);
    R.alarms = 0;
    CHECK_EQ(rig_document(&R, 1, B_DIP, 1, buf_span(&first), &f), 0, "serial 2");
    CHECK_EQ(rig_document(&R, 1, B_DIP, 2, buf_span(&second), &f), -HL_ECONFLICT,
             "another serial 2");
    CHECK_EQ(R.alarms, 1, "the operator is told");
    for (int again = 0; again < 2; again++) {
        CHECK_EQ(rig_document(&R, 1, B_DIP, 3, buf_span(&third), &f), -HL_ECONFLICT, "frozen");
        rig_restart(&R);
        rig_connect(&R, 1, B_DIP);
    }
    buf_release(&first);
    buf_release(&second);
    buf_release(&third);
}

/* ---- admission ---- */

static void test_admission(void **state)
{
    static const struct {
        const char *name;
        uint32_t folder;
        int want;
    } rows[] = {
        { "nobody knows it", (1u << WORLD_ARCADIA), -HL_EADMIT },
        { "an agreement that stands here names it",
          ALL & ~DORIA_CARD & ~(1u << (WORLD_PARTIES + WORLD_POCS - 1)), 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct frame f;
        size_t last = WORLD_DOCUMENTS - 1; /* DORIA's own note of the agreement */

        rig_open_with(&R, rows[i].folder & ~(1u << last));
        rig_connect(&R, 2, A_DIP);
        CHECK_EQ(rig_document(&R, 2, A_DIP, 1, buf_span(&R.w.card[WORLD_DORIA]), &f), rows[i].want,
                 rows[i].name);
        CHECK_EQ(in_table("doria.technical"), rows[i].want == 0, rows[i].name);
        rig_close(&R);
    }
}

/* What is no document, or not signed, is refused with a reason and leaves nothing. */
static void test_bad_documents(void **state)
{
    struct buf note;
    struct frame f;
    static const size_t at[] = { 0, 11, 40, 200 };

    (void)state;
    buf_init(&note, DOCUMENT_MAX);
    for (size_t i = 0; i < COUNT(at); i++) {
        buf_clear(&note);
        next_card(&note, buf_span(&R.w.card[WORLD_ARCADIA]), later_validity);
        note.p[at[i]] ^= 1;
        CHECK_EQ(rig_document(&R, 1, B_DIP, i + 1, buf_span(&note), &f) < 0, 1, "refused");
        CHECK_EQ(f.sentence.n > 10, 1, "with a sentence");
        buf_release(&note);
    }
    CHECK_EQ(rig_document(&R, 1, B_DIP, 9, span_str("x"), &f), -HL_EFORMAT, "nothing at all");
    CHECK_EQ(R.signed_size, WORLD_DOCUMENTS, "no entry");
}

/* Public entries go to everybody's attention with the next checkpoint. */
static void test_announced(void **state)
{
    struct buf note;
    struct frame f;

    (void)state;
    next_card(&note, buf_span(&R.w.card[WORLD_ARCADIA]), later_validity);
    CHECK_EQ(rig_document(&R, 1, B_DIP, 1, buf_span(&note), &f), 0, "a card");
    CHECK_EQ(rig_take(&R, 2, VERB_CHECKPOINT, &f), 1, "the other session learns of it");
    buf_release(&note);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_revocation_on_a_live_session),
        T(test_stop),
        T(test_document_closes_its_turn),
        T(test_known_document),
        T(test_conflict),
        cmocka_unit_test(test_admission),
        T(test_bad_documents),
        T(test_announced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
