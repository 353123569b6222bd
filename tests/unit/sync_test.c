#include "tests/check.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/compose.h"
#include "client/sync.h"
#include "client/witness.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/record.h"
#include "tests/host.h"
#include "tests/office.h"

/*
 * A client that does not believe its host.  The host's log and signatures are real; what it says is
 * scripted, and wrong where a row says so.
 */
static struct world world;
static struct host host;
static struct office arcadia;

static int setup(void **state)
{
    (void)state;
    world_init(&world, REALM_EXERCISE, clock_now_ms());
    host_open(&host, &world);
    host_ground(&host);
    office_open(&arcadia, &world, "arcadia.technical", host.endpoint,
                transport_public(host.transport));
    host_document(&host, buf_span(&arcadia.subkeys));
    host_sign(&host, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    office_close(&arcadia);
    host_close(&host);
    world_release(&world);
    return 0;
}

static struct sync *sync_of(void)
{
    return arcadia.agent.sync[0];
}

/* Let both work until @when is true; false when it does not become so. */
static bool until(bool (*when)(void), int ms)
{
    uint64_t end = clock_mono_ms() + (uint64_t)ms;

    do {
        assert_int_equal(agent_step(&arcadia.agent, 2), 0);
        host_step(&host);
        if (when())
            return true;
    } while (clock_mono_ms() < end);
    return false;
}

static bool quiet(void)
{
    return sync_quiet(sync_of());
}
static bool dead(void)
{
    return sync_is_dead(sync_of());
}
static bool faulty(void)
{
    return sync_fault_text(sync_of())[0] != 0;
}
static bool never(void)
{
    return false;
}

static int count_evidence(void *arg, uint64_t time_ms, const char *what, struct span bytes)
{
    (void)time_ms;
    (void)what;
    (void)bytes;
    ++*(int *)arg;
    return 0;
}

static int evidence(void)
{
    int n = 0;

    assert_int_equal(desk_evidence_each(arcadia.agent.desk, count_evidence, &n), 0);
    return n;
}

static int count_event(void *arg, const struct desk_event *e)
{
    ((int *)arg)[e->what]++;
    return 0;
}

static int events(enum event_what what)
{
    int n[8] = { 0 };

    assert_int_equal(desk_event_each(arcadia.agent.desk, 0, count_event, n), 0);
    return n[what];
}

/* ---- an honest host ---- */

static void comes_into_step(void **state)
{
    struct channel_facts facts;
    uint8_t root[32], ours[32];

    (void)state;
    CHECK_EQ(until(quiet, 5000), 1, "quiet");
    CHECK_EQ(sync_size(sync_of()), host.n, "all entries");
    host_root(&host, host.n, root);
    merkle_range_root(&sync_seen(sync_of())->range, ours);
    CHECK_BYTES(ours, root, 32, "our own root");
    CHECK_EQ(directory_channel(sync_directory(sync_of()), DIRECTORY_NOW, clock_now_ms(),
                               world.channel[WORLD_CRISIS], &facts),
             0, "agreement in force");
    CHECK_EQ(faulty(), 0, "no fault");
    CHECK_EQ(evidence(), 0, "no evidence");
    CHECK_EQ(sync_seen(sync_of())->cursor, WORLD_DOCUMENTS,
             "the cursor is behind the last agreement note");
}

static bool again(void)
{
    return host.hellos == 2 && quiet();
}

static void takes_up_where_it_was(void **state)
{
    struct desk *desk = arcadia.agent.desk;
    struct buf why;

    (void)state;
    assert_true(until(quiet, 5000));
    arcadia.agent.desk = NULL; /* the desk stays, the agent is another */
    agent_release(&arcadia.agent);
    memset(&arcadia.agent, 0, sizeof(arcadia.agent));
    arcadia.agent.station = &arcadia.station;
    arcadia.agent.desk = desk;
    arcadia.agent.listen_fd = arcadia.agent.lock_fd = -1;
    arcadia.agent.bench = true;
    buf_init(&why, 1000);
    assert_int_equal(agent_connect(&arcadia.agent, &why), 0);
    CHECK_EQ(sync_size(sync_of()), host.n, "at once");
    CHECK_EQ(until(again, 5000), 1, "quiet");
    CHECK_EQ(host.since, WORLD_DOCUMENTS, "openings are asked for from the cursor");
    CHECK_EQ(host.hello_note.n > 0, 1, "the newest checkpoint is shown to the host");
}

/* ---- messages ---- */

static void envelope_of(struct buf *file, const struct world_message *m)
{
    buf_init(file, ENVELOPE_MAX);
    world_envelope(file, &world, m);
}

/* From BOREALIA's technical PoC; its body opens for nobody, so ARCADIA answers cannot-read. */
static void a_message(struct world_message *m)
{
    world_message_init(m, &world);
    m->sender = "borealia.technical";
    m->draft = "watch-2";
    m->channel = WORLD_TECHNICAL;
    m->to[0] = "arcadia.technical";
    m->to[1] = NULL;
    m->seq = 1;
}

static bool answered(void)
{
    return host.submits >= 1;
}

static void what_does_not_open_is_answered_so(void **state)
{
    struct world_message m;
    struct message got;
    struct buf file;
    uint8_t mid[32];
    size_t i;

    (void)state;
    assert_true(until(quiet, 5000));
    a_message(&m);
    envelope_of(&file, &m);
    i = host_envelope(&host, buf_span(&file));
    host_deliver(&host, buf_span(&file), i, 0);
    host_sign(&host, true);
    CHECK_EQ(until(answered, 5000), 1, "a step");
    CHECK_EQ(until(quiet, 5000), 1, "quiet");
    CHECK_EQ(events(EVENT_CANNOT_READ), 1, "officers are told");
    assert_int_equal(desk_receipt_by_index(arcadia.agent.desk, span_str(world.origin), i, mid), 0);
    CHECK_EQ(desk_message(arcadia.agent.desk, mid, &got), 0, "kept");
    CHECK_EQ(got.state, MESSAGE_CANNOT_READ, "as what it is");
    CHECK_EQ(
        desk_step_done(arcadia.agent.desk, mid, span_str("arcadia.technical"), KIND_CANNOT_READ), 1,
        "step");
    message_release(&got);
    host_deliver(&host, buf_span(&file), i, 0); /* and again */
    until(never, 300);
    CHECK_EQ(host.submits, 1, "one step for one message");
    CHECK_EQ(events(EVENT_CANNOT_READ), 1, "and one alarm");
    buf_release(&file);
}

static bool seen_early(void)
{
    return events(EVENT_CANNOT_READ) == 1;
}

static void only_a_flash_is_shown_before_its_entry(void **state)
{
    struct world_message m;
    struct buf routine, flash;
    size_t i;

    (void)state;
    assert_true(until(quiet, 5000));
    a_message(&m);
    envelope_of(&routine, &m);
    m.precedence = PRECEDENCE_FLASH;
    m.seq = 2;
    m.salt = 9;
    envelope_of(&flash, &m);
    i = host_envelope(&host, buf_span(&routine));
    host_envelope(&host, buf_span(&flash));
    host_deliver(&host, buf_span(&routine), i, 0);
    until(never, 300);
    CHECK_EQ(events(EVENT_CANNOT_READ), 0, "the routine one waits");
    host_deliver(&host, buf_span(&flash), i + 1, 0);
    CHECK_EQ(until(seen_early, 2000), 1, "the FLASH does not");
    host_sign(&host, true);
    CHECK_EQ(until(quiet, 5000), 1, "quiet");
    CHECK_EQ(events(EVENT_CANNOT_READ), 2, "now both");
    buf_release(&routine);
    buf_release(&flash);
}

static void wrong_key(struct world_message *m)
{
    m->key = "caldera.technical/watch-1";
}
static void one_person(struct world_message *m)
{
    m->draft = NULL;
}
static void not_a_member(struct world_message *m)
{
    m->sender = "caldera.technical";
    m->draft = NULL;
}
static void wrong_category(struct world_message *m)
{
    m->category = 60;
}

static void what_no_rule_allows_is_never_shown(void **state)
{
    static const struct {
        const char *name;
        void (*change)(struct world_message *m);
    } rows[] = {
        { "a key of another party", wrong_key },
        { "one person where two are asked for", one_person },
        { "a sender that is no member", not_a_member },
        { "a category that the agreement does not have", wrong_category },
    };

    (void)state;
    assert_true(until(quiet, 5000));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world_message m;
        struct buf file;
        size_t at;

        a_message(&m);
        m.salt = (uint8_t)(i + 1);
        m.seq = i + 10;
        rows[i].change(&m);
        envelope_of(&file, &m);
        at = host_envelope(&host, buf_span(&file));
        host_sign(&host, true);
        host_deliver(&host, buf_span(&file), at, 0);
        until(never, 150);
        CHECK_EQ(evidence(), (int)i + 1, rows[i].name);
        CHECK_EQ(events(EVENT_MESSAGE) + events(EVENT_CANNOT_READ), 0, rows[i].name);
        CHECK_EQ(host.submits, 0, rows[i].name);
        buf_release(&file);
    }
}

static void one_number_for_two_envelopes_is_evidence(void **state)
{
    struct world_message m;
    struct buf one, two;
    size_t i, k;

    (void)state;
    assert_true(until(quiet, 5000));
    a_message(&m);
    envelope_of(&one, &m);
    m.salt = 7;
    envelope_of(&two, &m);
    i = host_envelope(&host, buf_span(&one));
    k = host_envelope(&host, buf_span(&two));
    host_sign(&host, true);
    host_deliver(&host, buf_span(&one), i, 0);
    host_deliver(&host, buf_span(&two), k, 0);
    until(answered, 2000);
    until(never, 200);
    CHECK_EQ(events(EVENT_CANNOT_READ), 1, "the first");
    CHECK_EQ(evidence(), 1, "the second is kept");
    buf_release(&one);
    buf_release(&two);
}

/* ---- a host that lies ---- */

static void two_checkpoints_of_one_size_end_its_use(void **state)
{
    struct frame f = { .verb = VERB_CHECKPOINT };
    struct channel_facts facts;
    uint8_t root[32] = { 1 };
    struct buf note, why;
    int rc;

    (void)state;
    assert_true(until(quiet, 5000));
    buf_init(&note, CHECKPOINT_MAX);
    buf_init(&why, 1000);
    host_note(&note, &host, host.n, root);
    f.note = buf_span(&note);
    host_send(&host, &f);
    CHECK_EQ(until(dead, 2000), 1, "dead");
    CHECK_EQ(evidence(), 2, "both notes are kept");
    CHECK_EQ(events(EVENT_FAULT), 1, "officers are told");
    assert_string_equal(sync_state_name(sync_of()), "dead");
    CHECK_EQ(compose_channel(&arcadia.agent, span_str("arcadia-borealia.crisis"), NULL, &facts, &rc,
                             &why) != NULL,
             1, "the agreement still stands");
    buf_release(&note);
    buf_release(&why);
}

static void a_fork_of_what_is_being_fetched(void **state)
{
    struct frame f = { .verb = VERB_CHECKPOINT };
    uint8_t one[32] = { 1 }, two[32] = { 2 };
    struct buf note;

    (void)state;
    assert_true(until(quiet, 5000));
    buf_init(&note, CHECKPOINT_MAX);
    host_note(&note, &host, host.n + 5, one);
    host_note(&note, &host, host.n + 5, two);
    f.note = SPAN(note.p, note.n / 2);
    host_send(&host, &f);
    f.note = SPAN(note.p + note.n / 2, note.n / 2);
    host_send(&host, &f);
    CHECK_EQ(until(dead, 2000), 1, "dead");
    CHECK_EQ(evidence(), 2, "both notes are kept");
    buf_release(&note);
}

/* Unsigned bytes prove nothing: the host is not believed, and not condemned. */
static void lies_that_prove_nothing(void **state)
{
    static const struct {
        const char *name;
        enum lie lie;
        bool size_grows; /* is the honest part of it still taken? */
    } rows[] = {
        { "entries that do not lead to the head", LIE_ENTRIES, false },
        { "an opening that is not in the log", LIE_SALT, true },
        { "a proof that leads nowhere", LIE_INCLUSION, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (i) {
            teardown(NULL);
            setup(NULL);
        }
        host.lie = rows[i].lie;
        CHECK_EQ(until(faulty, 5000), 1, rows[i].name);
        until(never, 200);
        CHECK_EQ(sync_size(sync_of()), rows[i].size_grows ? host.n : 0, rows[i].name);
        CHECK_EQ(dead(), 0, rows[i].name);
        CHECK_EQ(evidence() > 0, 1, rows[i].name);
        CHECK_EQ(directory_agreement(sync_directory(sync_of()), 0) == NULL, 1,
                 "no agreement is believed");
        CHECK_EQ(sync_seen(sync_of())->cursor, 0, "and all is asked for again");
        host.lie = LIE_NONE;
        CHECK_EQ(until(quiet, rows[i].size_grows ? 500 : 9000) || rows[i].size_grows, 1,
                 "an honest answer is taken");
    }
}

static void garbage_does_nothing(void **state)
{
    static const uint8_t garbage[][8] = {
        { 0 },
        { 0x80 },
        { 0xff, 0xff },
        { 0x81, 0x10 },
        { 0x82, 0x13, 0x40 },
        { 0x83, 0x14, 0x00, 0x01 },
        { 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
        { 0x82, 0x17, 0x5b, 0xff },
    };
    uint8_t noise[512];

    (void)state;
    assert_true(until(quiet, 5000));
    for (size_t i = 0; i < COUNT(garbage); i++)
        for (size_t n = 0; n <= 8; n++)
            host_send_bytes(&host, SPAN(garbage[i], n));
    for (unsigned i = 0; i < 200; i++) {
        for (size_t k = 0; k < sizeof(noise); k++)
            noise[k] = (uint8_t)((i * 131 + k * k * 7 + k) >> (i % 5));
        noise[0] = (uint8_t)(0x80 | (i % 10));
        noise[1] = (uint8_t)(i % 26);
        host_send_bytes(&host, SPAN(noise, (i * 37) % sizeof(noise)));
    }
    until(never, 200);
    CHECK_EQ(dead(), 0, "not dead");
    CHECK_EQ(sync_current(sync_of()), 1, "in step");
    CHECK_EQ(events(EVENT_MESSAGE), 0, "nothing shown");
}

static void an_older_head_is_told(void **state)
{
    (void)state;
    assert_true(until(quiet, 5000));
    host.n -= 2;
    host_sign(&host, false);
    host_send(&host, &(struct frame){ .verb = VERB_WELCOME,
                                      .proto = WIRE_PROTO,
                                      .realm = world.realm,
                                      .origin = span_str(world.origin),
                                      .note = buf_span(&host.note) });
    CHECK_EQ(until(faulty, 2000), 1, "told");
    CHECK_EQ(dead(), 0, "older is no contradiction");
    host.n += 2;
}

static bool greeted_twice(void)
{
    return host.hellos == 2 && quiet();
}

/* Its front gave the connection up, and nobody said so: the first refusal does. */
static void a_session_that_the_host_forgot_begins_anew(void **state)
{
    (void)state;
    assert_true(until(quiet, 5000));
    CHECK_EQ(host.hellos, 1, "greeted");
    host_send(&host, &(struct frame){ .verb = VERB_REFUSED,
                                      .code = HL_ESTATE,
                                      .sentence = SPAN("HELLO comes first", 17) });
    CHECK_EQ(until(greeted_twice, 5000), 1, "greeted again");
}

static void silence_is_told(void **state)
{
    (void)state;
    host.lie = LIE_SILENCE;
    CHECK_EQ(until(never, 500), 0, "time passes");
    CHECK_EQ(sync_unanswered(sync_of()), 0, "not at once");
}

/* ---- what senders saw ---- */

static bool two_faults(void)
{
    return events(EVENT_FAULT) >= 1;
}

static void senders_show_forks(void **state)
{
    static const struct {
        const char *name;
        size_t back; /* how much smaller than our tree */
        bool good;
        int faults;
    } rows[] = {
        { "the same head", 0, true, 0 },
        { "an older head of the same log", 9, true, 0 },
        { "another head of the same size", 0, false, 1 },
        { "another older head", 9, false, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world_key log = world_key("doria/log");
        struct world_message m;
        uint8_t root[32];
        struct buf file;
        size_t at, size;

        if (i) {
            teardown(NULL);
            setup(NULL);
        }
        assert_true(until(quiet, 5000));
        size = host.n - rows[i].back;
        host_root(&host, size, root);
        root[3] ^= !rows[i].good;
        a_message(&m);
        m.n_seen = 1;
        m.seen[0] = (struct seen){ log.pk, size, root };
        envelope_of(&file, &m);
        at = host_envelope(&host, buf_span(&file));
        host_sign(&host, true);
        host_deliver(&host, buf_span(&file), at, 0);
        until(answered, 3000);
        until(rows[i].faults ? two_faults : never, 400);
        CHECK_EQ(events(EVENT_FAULT), rows[i].faults, rows[i].name);
        CHECK_EQ(dead(), 0, "a sender's word alone condemns no host");
        buf_release(&file);
    }
}

/* ---- the clock ---- */

static bool cosigned(void)
{
    return sync_cosigned_ms(sync_of()) != 0;
}

/* What a quorum of witnesses cosigned a day and more from this clock's time is believed, and told.
 */
static void the_witnesses_time_is_sealed_by(void **state)
{
    static const struct {
        const char *name;
        int64_t off_s;
        bool doubted;
    } rows[] = {
        { "the same time", 0, false },
        { "twenty-three hours behind", -23 * 3600, false },
        { "twenty-three hours ahead", 23 * 3600, false },
        { "two days behind", -48 * 3600, true },
        { "two days ahead", 48 * 3600, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t now = clock_now_ms(), theirs = (uint64_t)((int64_t)(now / 1000) + rows[i].off_s);
        bool doubted;

        if (i) {
            teardown(NULL);
            setup(NULL);
        }
        assert_true(until(quiet, 5000));
        CHECK_EQ(cosigned(), 0, "no witness yet");
        host_cosign(&host, theirs, true);
        CHECK_EQ(until(cosigned, 2000), 1, rows[i].name);
        CHECK_EQ(sync_cosigned_ms(sync_of()), theirs * 1000, rows[i].name);
        CHECK_EQ(compose_now(&arcadia.agent, &doubted) / 100000,
                 (rows[i].doubted ? theirs * 1000 : now) / 100000, rows[i].name);
        CHECK_EQ(doubted, rows[i].doubted, rows[i].name);
    }
}

static bool witnessed(void)
{
    return sync_seen(sync_of())->witnessed.n != 0;
}

/* Cosignatures come when the tree has grown on: they count for the tree that they are on, once it
 * is shown to be ours. */
static void cosignatures_of_a_smaller_tree_count(void **state)
{
    static const struct {
        const char *name;
        enum lie lie;
        bool want;
    } rows[] = {
        { "shown to be the beginning of ours", LIE_NONE, true },
        { "not shown", LIE_CONSISTENCY, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct frame f = { .verb = VERB_CHECKPOINT };
        struct buf small;
        size_t n;

        if (i) {
            teardown(NULL);
            setup(NULL);
        }
        n = host.n;
        host.n = 5;
        host_sign(&host, false);
        host_cosign(&host, clock_now_ms() / 1000, false);
        buf_init(&small, CHECKPOINT_MAX);
        buf_put_span(&small, buf_span(&host.note));
        host.n = n;
        host_sign(&host, false);
        assert_true(until(quiet, 5000));
        host.lie = rows[i].lie;
        f.note = buf_span(&small);
        host_send(&host, &f);
        CHECK_EQ(until(witnessed, 1000), rows[i].want, rows[i].name);
        CHECK_EQ(faulty(), !rows[i].want, rows[i].name);
        CHECK_EQ(dead(), 0, rows[i].name);
        buf_release(&small);
    }
}

/* ---- the outbox ---- */

static struct answer answer;

static void receipts_are_verified(void **state)
{
    static const struct {
        const char *name;
        enum lie lie;
        unsigned code;
        int want;
    } rows[] = {
        { "recorded", LIE_NONE, 0, 0 },
        { "a receipt that leads nowhere", LIE_RECEIPT, 0, -HL_EQUEUED },
        { "refused for good", LIE_REFUSE, HL_ECATEGORY, -HL_ECATEGORY },
        { "refused for now", LIE_REFUSE, HL_EBROKER, -HL_EQUEUED },
        { "refused with a code of a later version", LIE_REFUSE, 126, -126 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct channel_facts facts;
        char category[80], marking[80];
        struct buf why;
        int rc;

        if (i) {
            teardown(NULL);
            setup(NULL);
        }
        assert_true(until(quiet, 5000));
        buf_init(&why, 1000);
        assert_non_null(compose_channel(&arcadia.agent, span_str("arcadia-borealia.technical"),
                                        NULL, &facts, &rc, &why));
        snprintf(category, sizeof(category), "category=%.*s", (int)facts.agreement->category[0].n,
                 (const char *)facts.agreement->category[0].p);
        snprintf(marking, sizeof(marking), "marking=%.*s", (int)facts.agreement->marking[0].n,
                 (const char *)facts.agreement->marking[0].p);
        host.lie = rows[i].lie;
        host.code = rows[i].code;
        answer_init(&answer);
        office_start(&arcadia, &answer, "link-test", "channel=arcadia-borealia.technical",
                     "to=borealia.technical information", category, marking, "wait_s=2", NULL);
        CHECK_EQ(office_run(&arcadia, &answer, host_step, &host), rows[i].want, rows[i].name);
        CHECK_EQ(dead(), 0, rows[i].name);
        answer_release(&answer);
        buf_release(&why);
    }
}

/* ---- the witness ---- */

static void ask(uint64_t old, size_t size, bool spoil_root, bool spoil_proof, uint64_t *status,
                struct buf *out)
{
    uint8_t proof[MERKLE_MAX_PROOF][32] = { { 0 } }, root[32];
    struct buf note, body;
    size_t n = 0;

    buf_init(&note, CHECKPOINT_MAX);
    buf_init(&body, 2 * CHECKPOINT_MAX);
    buf_clear(out);
    host_root(&host, size, root);
    root[0] ^= spoil_root;
    host_note(&note, &host, size, root);
    if (old && old < size)
        n = host_consistency(&host, old, size, proof);
    proof[0][0] ^= spoil_proof;
    assert_int_equal(add_checkpoint_put(&body, old, HASHES(proof), n, buf_span(&note)), 0);
    assert_int_equal(
        witness_answer(&arcadia.agent, &arcadia.station.host[0], buf_span(&body), status, out), 0);
    buf_release(&note);
    buf_release(&body);
}

static void a_witness_cosigns_only_what_grows(void **state)
{
    static const struct {
        const char *name;
        uint64_t old;
        size_t size;
        bool spoil_root, spoil_proof;
        uint64_t want;
        const char *body;
    } rows[] = {
        { "first", 0, 5, false, false, 200, NULL },
        { "from where it does not stand", 0, 9, false, false, 409, "5\n" },
        { "forward", 5, 9, false, false, 200, NULL },
        { "the same again", 9, 9, false, false, 200, NULL },
        { "the same size, another root", 9, 9, true, false, 422, "" },
        { "backward", 9, 5, false, false, 400, "" },
        { "a broken proof", 9, 13, false, true, 422, "" },
        { "another root", 9, 13, true, false, 422, "" },
        { "after all that, forward", 9, 13, false, false, 200, NULL },
    };
    uint64_t status;
    struct buf out;

    (void)state;
    assert_true(until(quiet, 5000));
    buf_init(&out, CHECKPOINT_MAX);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ask(rows[i].old, rows[i].size, rows[i].spoil_root, rows[i].spoil_proof, &status, &out);
        CHECK_EQ(status, rows[i].want, rows[i].name);
        if (rows[i].body)
            CHECK_EQ(span_eq_str(buf_span(&out), rows[i].body), 1, rows[i].name);
        else
            CHECK_EQ(out.n > 80, 1, "a signature line");
    }
    CHECK_EQ(evidence() >= 2, 1, "what contradicts is kept");
    CHECK_EQ(witness_answer(&arcadia.agent, &arcadia.station.host[0], span_str("old 0\n"), &status,
                            &out),
             0, "garbage");
    CHECK_EQ(status, 400, "garbage");
    buf_release(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comes_into_step),
        TEST(takes_up_where_it_was),
        TEST(what_does_not_open_is_answered_so),
        TEST(only_a_flash_is_shown_before_its_entry),
        TEST(what_no_rule_allows_is_never_shown),
        TEST(one_number_for_two_envelopes_is_evidence),
        TEST(two_checkpoints_of_one_size_end_its_use),
        TEST(a_fork_of_what_is_being_fetched),
        TEST(lies_that_prove_nothing),
        TEST(garbage_does_nothing),
        TEST(an_older_head_is_told),
        TEST(a_session_that_the_host_forgot_begins_anew),
        TEST(silence_is_told),
        TEST(senders_show_forks),
        TEST(the_witnesses_time_is_sealed_by),
        TEST(cosignatures_of_a_smaller_tree_count),
        TEST(receipts_are_verified),
        TEST(a_witness_cosigns_only_what_grows),
    };

    if (keys_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
