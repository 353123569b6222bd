#include "tests/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/compose.h"
#include "client/sync.h"
#include "client/verb.h"
#include "client/waiter.h"
#include "common/cbor.h"
#include "common/clock.h"
#include "common/content.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "common/tlog/proof.h"
#include "keys/seal.h"
#include "tests/host.h"
#include "tests/office.h"

/* Verbs: what they take and refuse, what they answer, how they wait and end; on the socket and
 * here. */

static struct world world;
static struct host host;
static struct office office; /* borealia.technical */
static struct answer a;

static int setup(void **state)
{
    (void)state;
    world_init(&world, REALM_EXERCISE, clock_now_ms());
    host_open(&host, &world);
    host_ground(&host);
    office_open(&office, &world, "borealia.technical", host.endpoint,
                transport_public(host.transport));
    host_document(&host, buf_span(&office.subkeys));
    host_sign(&host, false);
    answer_init(&a);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    answer_release(&a);
    office_close(&office);
    host_close(&host);
    world_release(&world);
    return 0;
}

static int ask(void)
{
    int rc = office_run(&office, &a, host_step, &host);

    return rc;
}

#define ASK(...)                                                                                   \
    (answer_release(&a), answer_init(&a), office_start(&office, &a, __VA_ARGS__, NULL), ask())

static char category[80], marking[80];

static void labels(void)
{
    struct channel_facts facts;
    struct buf why;
    int rc;

    buf_init(&why, 1000);
    assert_int_equal(ASK("inbox"), 0); /* in step, and all openings proved */
    assert_non_null(compose_channel(&office.agent, span_str("arcadia-borealia.technical"), NULL,
                                    &facts, &rc, &why));
    snprintf(category, sizeof(category), "category=%.*s", (int)facts.agreement->category[0].n,
             (const char *)facts.agreement->category[0].p);
    snprintf(marking, sizeof(marking), "marking=%.*s", (int)facts.agreement->marking[0].n,
             (const char *)facts.agreement->marking[0].p);
    buf_release(&why);
}

static void on_duty(const char *position)
{
    char word[64];

    snprintf(word, sizeof(word), "position=%s", position);
    assert_int_equal(ASK("duty-begin", word), 0);
}

#define SEND                                                                                       \
    "send", "channel=arcadia-borealia.technical", "to=arcadia.technical action", category,         \
        marking, "subject=remote control lost", "text=eleven substations"

/* ---- the request and its answer, as bytes ---- */

static void requests_survive_the_socket(void **state)
{
    static struct verb_request in, out;
    struct buf bytes, strings, again;

    (void)state;
    buf_init(&bytes, VERB_REQUEST_MAX);
    buf_init(&strings, VERB_REQUEST_MAX);
    buf_init(&again, VERB_REQUEST_MAX);
    snprintf(in.name, sizeof(in.name), "send");
    verb_add(&in, "channel", span_str("x"));
    verb_add(&in, "empty", SPAN_NONE);
    for (size_t i = 0; i < 600; i++)
        verb_add(&in, "to", span_str("arcadia.technical action"));
    CHECK_EQ(verb_request_put(&bytes, &in), 0, "put");
    CHECK_EQ(verb_request_decode(&out, buf_span(&bytes), &strings), 0, "decode");
    assert_string_equal(out.name, "send");
    CHECK_EQ(out.n, 602, "pairs");
    CHECK_EQ(verb_get(&out, "empty").p != NULL, 1, "there, and empty");
    CHECK_EQ(verb_get_nth(&out, "to", 599).p != NULL && verb_get_nth(&out, "to", 600).p == NULL, 1,
             "all of them");
    CHECK_EQ(verb_request_put(&again, &out), 0, "put again");
    CHECK_EQ(span_eq(buf_span(&bytes), buf_span(&again)), 1, "the same bytes");
    for (size_t n = 0; n < bytes.n && n < 200; n++)
        CHECK_EQ(verb_request_decode(&out, SPAN(bytes.p, n), &strings) != 0 && out.n == 0, 1,
                 "cut short");
    while (in.n <= VERB_PAIRS_MAX)
        verb_add(&in, "to", span_str("x"));
    CHECK_EQ(verb_request_put(&again, &in), -HL_ETOOBIG, "too many pairs");
    buf_release(&bytes);
    buf_release(&strings);
    buf_release(&again);
}

static void hostile_requests_are_refused(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t n;
    } rows[] = {
        { "nothing", "", 0 },
        { "no array", "\x41x", 2 },
        { "one item", "\x81\x41x", 3 },
        { "three items", "\x83\x41x\x80\x00", 5 },
        { "name empty", "\x82\x40\x80", 3 },
        { "name in capitals", "\x82\x41X\x80", 4 },
        { "name with a NUL", "\x82\x42x\x00\x80", 5 },
        { "name too long", "\x82\x58\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x80", 36 },
        { "pairs no array", "\x82\x41x\x40", 4 },
        { "pair of one", "\x82\x41x\x81\x81\x41k", 7 },
        { "pair of three", "\x82\x41x\x81\x83\x41k\x40\x40", 9 },
        { "key no string", "\x82\x41x\x81\x82\x01\x40", 7 },
        { "value no string", "\x82\x41x\x81\x82\x41k\x01", 8 },
        { "more pairs than bytes", "\x82\x41x\x19\x03\x20", 6 },
        { "a billion pairs", "\x82\x41x\x1a\x40\x00\x00\x00", 8 },
        { "a long head", "\x82\x58\x01x\x80", 5 },
        { "trailing byte", "\x82\x41x\x80\x00", 5 },
    };
    static struct verb_request req;
    struct buf strings;

    (void)state;
    buf_init(&strings, VERB_REQUEST_MAX);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int rc = verb_request_decode(&req, SPAN(rows[i].bytes, rows[i].n), &strings);

        CHECK_EQ(rc == -HL_EFORMAT || rc == -HL_ETOOBIG, 1, rows[i].name);
        CHECK_EQ(req.n, 0, rows[i].name);
    }
    CHECK_EQ(verb_request_decode(&req, SPAN("\x82\x41x\x80", 4), &strings), 0, "the smallest");
    buf_release(&strings);
}

static void every_verb_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    CHECK_EQ(ASK("no-such-verb"), -HL_EUSAGE, "no such verb");
    for (const struct verb_entry *e = verb_entries; e->name; e++) {
        CHECK_EQ(ASK(e->name, "surprise=1"), -HL_EUSAGE, e->name);
        CHECK_EQ(strlen(a.sentence) > 0, 1, e->name);
    }
    CHECK_EQ(ASK("inbox", "limit=1", "limit=2"), -HL_EUSAGE, "twice");
    CHECK_EQ(ASK("inbox", "limit=x"), -HL_EUSAGE, "no number");
    CHECK_EQ(ASK("watch", "wait_s=999999"), -HL_EUSAGE, "too long");
    CHECK_EQ(ASK("show", "number=BOREALIA 7-5"), -HL_EUSAGE, "a wrong check digit");
    CHECK_EQ(ASK("show", "number=BOREALIA 7-6"), -HL_ENOENT, "nothing of that number");
    CHECK_EQ(ASK("show", "mid=short"), -HL_EUSAGE, "a short id");
    CHECK_EQ(ASK("draft-drop", "draft=3"), -HL_ENOENT, "no such draft");
}

static int refuse_row(void *arg, const struct pair *pair, size_t n)
{
    (void)pair;
    (void)n;
    ++*(int *)arg;
    return 1;
}

static void count_end(void *arg, int code, const char *sentence)
{
    (void)sentence;
    *(int *)arg += code ? 1000 : 100;
}

/* A reader that takes no more: the verb ends, and says so, for its handle is gone. */
static void who_takes_no_rows_ends_the_verb(void **state)
{
    static const char *const verbs[] = { "status", "contacts", "documents" };
    struct verb_request *req = office_request();

    (void)state;
    assert_int_equal(ASK("inbox"), 0);
    for (size_t i = 0; i < COUNT(verbs); i++) {
        int called = 0;
        const struct verb_sink sink = { &called, refuse_row, count_end };

        memset(req, 0, sizeof(*req));
        snprintf(req->name, sizeof(req->name), "%s", verbs[i]);
        CHECK_EQ(verb_start(&office.agent, req, &sink) == NULL, 1, verbs[i]);
        CHECK_EQ(called % 100 >= 1 && called >= 100, 1, verbs[i]);
    }
}

/* ---- sending ---- */

static void two_persons_send(void **state)
{
    char draft[64];

    (void)state;
    labels();
    CHECK_EQ(ASK(SEND), -HL_EDUTY, "nobody is on duty");
    on_duty("watch-1");
    CHECK_EQ(ASK(SEND), -HL_EWAITING, "a second person is asked for");
    CHECK_EQ(answer_count(&a, "draft"), 1, "the draft is shown");
    CHECK_EQ(answer_is(&a, "draft", 0, "draft", "1"), 1, "under its number");
    CHECK_EQ(host.submits, 0, "nothing left");
    CHECK_EQ(ASK("drafts"), 0, "drafts");
    CHECK_EQ(answer_is(&a, "draft", 0, "subject", "remote control lost"), 1, "subject");
    CHECK_EQ(answer_is(&a, "draft", 0, "signed", "1"), 1, "signed");
    snprintf(draft, sizeof(draft), "draft=1");
    CHECK_EQ(ASK("release", draft), -HL_ETWOPERSON, "the drafter cannot release");
    on_duty("watch-2");
    CHECK_EQ(ASK("release", draft), -HL_EDUTY, "several might: name one");
    CHECK_EQ(ASK("release", draft, "position=watch-2"), 0, "released");
    CHECK_EQ(answer_is(&a, "message", 0, "state", "recorded"), 1, "recorded");
    CHECK_EQ(answer_is(&a, "message", 0, "number", "BOREALIA 1-3"), 1, "number");
    CHECK_EQ(answer_is(&a, "host", 0, "grade", "logged"), 1, "grade");
    CHECK_EQ(host.submits, 1, "once");
    CHECK_EQ(ASK("drafts"), 0, "drafts");
    CHECK_EQ(answer_count(&a, "draft"), 0, "gone");
    CHECK_EQ(ASK("show", "number=borealia 1-3"), 0, "show");
    CHECK_EQ(answer_is(&a, "header", 0, "position", "watch-2"), 1, "released by");
    CHECK_EQ(answer_is(&a, "header", 0, "draft_position", "watch-1"), 1, "drafted by");
    CHECK_EQ(answer_is(&a, "field", 0, "bytes", "eleven substations"), 1, "text");
    CHECK_EQ(answer_is(&a, "recipient", 0, "poc", "arcadia.technical"), 1, "to");
    CHECK_EQ(ASK("release", draft), -HL_ENOENT, "once");
}

static void a_single_office_sends_at_once(void **state)
{
    (void)state;
    labels();
    on_duty("watch-1");
    CHECK_EQ(ASK(SEND, "alone=1"), 0, "released alone, where the agreement allows it");
    CHECK_EQ(answer_is(&a, "message", 0, "flags", "released-alone"), 1, "and all see it");
}

static void waiting_ends_as_it_says(void **state)
{
    uint64_t before;

    (void)state;
    labels();
    on_duty("watch-1");
    CHECK_EQ(ASK(SEND, "alone=1", "wait_s=0"), -HL_EQUEUED, "not waited for");
    before = clock_mono_ms();
    CHECK_EQ(ASK(SEND, "alone=1", "wait_s=1"), -HL_EDEADLINE, "recorded, not acknowledged");
    CHECK_EQ(clock_mono_ms() - before < 3000, 1, "in time");
    CHECK_EQ(answer_is(&a, "message", 0, "state", "recorded"), 1, "recorded");
    host.lie = LIE_SILENCE;
    CHECK_EQ(ASK(SEND, "alone=1", "wait_s=1"), -HL_EQUEUED, "not recorded");
    CHECK_EQ(answer_is(&a, "message", 0, "state", "queued"), 1, "queued");
    CHECK_EQ(ASK("watch", "wait_s=1"), 0, "nothing happened, nothing was awaited");
    CHECK_EQ(ASK("watch", "count=3", "wait_s=1"), -HL_EDEADLINE, "fewer than awaited");
    CHECK_EQ(ASK("watch", "since=0", "count=2", "wait_s=1"), 0, "as many as awaited");
    CHECK_EQ(answer_count(&a, "event"), 2, "no more");
}

static void refusals_are_told_and_close_the_number(void **state)
{
    (void)state;
    labels();
    on_duty("watch-1");
    host.lie = LIE_REFUSE;
    host.code = HL_EMARKING;
    CHECK_EQ(ASK(SEND, "alone=1"), -HL_EMARKING, "refused");
    CHECK_EQ(answer_is(&a, "message", 0, "state", "refused"), 1, "state");
    CHECK_EQ(answer_is(&a, "host", 0, "code", "E-MARKING"), 1, "by whom");
    host.lie = LIE_NONE;
    CHECK_EQ(ASK(SEND, "alone=1"), 0, "the next goes");
    CHECK_EQ(answer_is(&a, "message", 0, "number", "BOREALIA 2-1"), 1, "under the next number");
    CHECK_EQ(host.submits >= 3, 1, "and the void that closes the first");
    CHECK_EQ(ASK("outbox"), 0, "outbox");
    CHECK_EQ(answer_count(&a, "message"), 2, "both are shown, the void is not");
}

static void a_number_of_an_older_desk_is_left(void **state)
{
    uint8_t before[16], after[16];
    uint64_t seq;

    (void)state;
    labels();
    on_duty("watch-1");
    assert_int_equal(desk_number(office.agent.desk, world.channel[WORLD_TECHNICAL], before, &seq),
                     0);
    host.lie = LIE_REFUSE;
    host.code = HL_ENUMBER;
    CHECK_EQ(ASK(SEND, "alone=1"), -HL_ENUMBER, "another envelope has it");
    assert_int_equal(desk_number(office.agent.desk, world.channel[WORLD_TECHNICAL], after, &seq),
                     0);
    CHECK_EQ(memcmp(before, after, 16) != 0, 1, "a new chain");
    CHECK_EQ(seq, 2, "goes on");
    CHECK_EQ(host.submits, 1, "no void for a number that is taken");
}

static void a_restored_desk_draws_a_new_chain(void **state)
{
    static const uint8_t chain[16] = "the old chain";

    (void)state;
    host.known_channel = world.channel[WORLD_TECHNICAL];
    host.known_chain = chain;
    host.known_seq = 41;
    labels();
    on_duty("watch-1");
    CHECK_EQ(ASK(SEND, "alone=1"), 0, "send");
    CHECK_EQ(span_eq_str(SPAN(answer_get(&a, "message", 0, "number").p, 11), "BOREALIA 42"), 1,
             "after what the host knows");
    CHECK_EQ(ASK("watch", "since=0", "count=1", "wait_s=1"), 0, "told");
    CHECK_EQ(answer_is(&a, "event", 0, "what", "fault"), 1, "told");
}

static void the_releaser_signs_elsewhere(void **state)
{
    struct world_key k = world_key("borealia.technical/watch-2");
    struct seckey *key;
    uint8_t sig[64];
    struct verb_request *req;
    static uint8_t id[32];

    (void)state;
    assert_int_equal(seckey_from_seed(&key, k.sk), 0);
    labels();
    on_duty("watch-1");
    CHECK_EQ(ASK(SEND, "draft_only=1"), -HL_EWAITING, "drafted");
    answer_release(&a);
    answer_init(&a);
    req = office_request();
    memset(req, 0, sizeof(*req));
    snprintf(req->name, sizeof(req->name), "release-prepare");
    verb_add(req, "draft", span_str("1"));
    verb_add(req, "key", SPAN(k.pk, 32));
    office_begin(&office, &a);
    CHECK_EQ(ask(), 0, a.sentence);
    CHECK_EQ(answer_get(&a, "release", 0, "id").n, 32, "what to sign");
    memcpy(id, answer_get(&a, "release", 0, "id").p, 32);
    assert_int_equal(seal_release(key, REALM_EXERCISE, id, sig), 0);
    for (int good = 0; good < 2; good++) {
        answer_release(&a);
        answer_init(&a);
        memset(req, 0, sizeof(*req));
        snprintf(req->name, sizeof(req->name), "release-commit");
        sig[0] ^= !good;
        verb_add(req, "id", SPAN(id, 32));
        verb_add(req, "sig", SPAN(sig, 64));
        office_begin(&office, &a);
        CHECK_EQ(ask(), good ? 0 : -HL_ESIG, good ? "a good signature" : "a bad one");
        sig[0] ^= !good;
    }
    CHECK_EQ(answer_is(&a, "message", 0, "state", "recorded"), 1, "recorded");
    seckey_free(key);
}

/* ARCADIA's watch officer acknowledges message @mid. */
static void acknowledge(const uint8_t *mid, uint64_t seq)
{
    struct world_message m;
    struct buf file;
    size_t i;

    world_message_init(&m, &world);
    m.kind = KIND_ACKNOWLEDGED;
    m.channel = WORLD_TECHNICAL;
    m.sender = "arcadia.technical";
    m.key = "watch-1";
    m.draft = NULL;
    m.to[0] = "borealia.technical";
    m.to[1] = NULL;
    m.role[0] = ROLE_INFORMATION;
    m.category = m.marking = 0;
    m.seq = seq;
    m.n_refs = 1;
    memcpy(m.ref[0], mid, 32);
    buf_init(&file, ENVELOPE_MAX);
    world_envelope(&file, &world, &m);
    i = host_envelope(&host, buf_span(&file));
    host_sign(&host, true);
    host_deliver(&host, buf_span(&file), i, DELIVER_EVENT);
    buf_release(&file);
}

static void an_acknowledgement_closes(void **state)
{
    uint8_t mid[32];

    (void)state;
    labels();
    on_duty("watch-1");
    CHECK_EQ(ASK(SEND, "alone=1"), 0, "send");
    memcpy(mid, answer_get(&a, "message", 0, "mid").p, 32);
    CHECK_EQ(ASK("outbox"), 0, "outbox");
    CHECK_EQ(answer_count(&a, "message"), 1, "it is owed an acknowledgement");
    acknowledge(mid, 1);
    CHECK_EQ(ASK("ping"), 0, "a round later");
    CHECK_EQ(ASK("ping"), 0, "and another");
    CHECK_EQ(ASK("outbox"), 0, "outbox");
    CHECK_EQ(answer_count(&a, "message"), 0, "closed");
    CHECK_EQ(ASK("outbox", "all=1"), 0, "outbox");
    CHECK_EQ(answer_count(&a, "message"), 1, "and kept");
    CHECK_EQ(ASK("show", "number=BOREALIA 1-3"), 0, "show");
    CHECK_EQ(answer_is(&a, "recipient", 0, "last", "acknowledged"), 1, "by whom");
    CHECK_EQ(answer_is(&a, "step", 0, "kind", "acknowledged"), 1, "the step");
}

static void retracting_is_one_action(void **state)
{
    (void)state;
    labels();
    on_duty("watch-1");
    CHECK_EQ(ASK(SEND, "alone=1", "precedence=IMMEDIATE"), 0, "send");
    CHECK_EQ(ASK("retract", "number=BOREALIA 1-3", "text=sent in error"), 0, a.sentence);
    CHECK_EQ(answer_is(&a, "message", 0, "kind", "retraction"), 1, "kind");
    CHECK_EQ(answer_is(&a, "message", 0, "precedence", "IMMEDIATE"), 1, "same precedence");
    CHECK_EQ(ASK("show", "number=BOREALIA 1-3"), 0, "show");
    CHECK_EQ(answer_is(&a, "message", 0, "retracted", "unconfirmed"), 1,
             "until a second position speaks");
    CHECK_EQ(answer_is(&a, "related", 0, "kind", "retraction"), 1, "what refers to it");
    CHECK_EQ(ASK("thread", "number=BOREALIA 1-3"), 0, "thread");
    CHECK_EQ(answer_count(&a, "message"), 2, "both");
}

static void receipts_verify_elsewhere(void **state)
{
    struct proof proof;
    struct checkpoint cp;
    struct quorum_result res;
    struct quorum *q;

    (void)state;
    labels();
    on_duty("watch-1");
    CHECK_EQ(ASK(SEND, "alone=1"), 0, "send");
    CHECK_EQ(ASK("receipt", "number=BOREALIA 1-3"), 0, a.sentence);
    CHECK_EQ(answer_is(&a, "receipt", 0, "grade", "logged"), 1, "no witness has cosigned");
    assert_int_equal(quorum_parse(&q, answer_get(&a, "receipt", 0, "policy"), NULL), 0);
    CHECK_EQ(quorum_check_proof(q, answer_get(&a, "receipt", 0, "proof"),
                                answer_get(&a, "receipt", 0, "entry"), &proof, &cp, &res),
             0, "by the policy that comes with it");
    quorum_free(q);
    CHECK_EQ(ASK("receipt", "number=BOREALIA 1-3", "witnessed=1", "wait_s=1"), -HL_EQUORUM,
             "nothing less will do");
    CHECK_EQ(ASK("receipt", "number=BOREALIA 1-3", "host=other.example/exercise/doria/1"),
             -HL_EQUEUED, "another host");
}

static void mirrors_hold_what_was_verified(void **state)
{
    char dir[96], word[128], command[160];
    struct stat st;

    (void)state;
    labels();
    on_duty("watch-1");
    CHECK_EQ(ASK(SEND, "alone=1"), 0, "send");
    snprintf(dir, sizeof(dir), "%s/mirror", office.dir);
    snprintf(word, sizeof(word), "dir=%s", dir);
    CHECK_EQ(ASK("mirror", word), 0, a.sentence);
    CHECK_EQ(answer_is(&a, "mirror", 0, "missing", "0"), 1, "openings fit");
    snprintf(command, sizeof(command), "%s/checkpoint", dir);
    CHECK_EQ(stat(command, &st), 0, "checkpoint");
    snprintf(command, sizeof(command), "%s/openings/15", dir);
    CHECK_EQ(stat(command, &st), 0, "the opening of what we sent");
    host.lie = LIE_ENTRIES;
    snprintf(word, sizeof(word), "dir=%s-2", dir);
    CHECK_EQ(ASK("mirror", word, "wait_s=5"), -HL_EPROOF,
             "other entries than those that were signed");
    CHECK_EQ(ASK("mirror", "dir=relative"), -HL_EUSAGE, "a whole path");
}

static void attachments_are_saved_under_our_name(void **state)
{
    struct attachment at = { span_str("text/csv"), span_str("../../etc/passwd"),
                             span_str("1,2\n") };
    struct verb_request *req = office_request();
    char word[128], path[160];
    struct buf bytes, file;
    struct stat st;

    (void)state;
    labels();
    on_duty("watch-1");
    buf_init(&bytes, 1000);
    buf_init(&file, 1000);
    assert_int_equal(attachment_put(&bytes, &at), 0);
    answer_release(&a);
    answer_init(&a);
    memset(req, 0, sizeof(*req));
    snprintf(req->name, sizeof(req->name), "send");
    verb_add(req, "channel", span_str("arcadia-borealia.technical"));
    verb_add(req, "to", span_str("arcadia.technical action"));
    verb_add(req, "category", span_str(strchr(category, '=') + 1));
    verb_add(req, "marking", span_str(strchr(marking, '=') + 1));
    verb_add(req, "attachment", buf_span(&bytes));
    verb_add(req, "alone", span_str("1"));
    office_begin(&office, &a);
    CHECK_EQ(ask(), 0, a.sentence);
    snprintf(word, sizeof(word), "dir=%s", office.dir);
    CHECK_EQ(ASK("attachment", "number=BOREALIA 1-3", word), 0, a.sentence);
    snprintf(path, sizeof(path), "%s/BOREALIA-1-3-attachment", office.dir);
    CHECK_EQ(answer_is(&a, "attachment", 0, "path", path), 1, "a name of ours");
    CHECK_EQ(stat(path, &st) == 0 && (st.st_mode & 0777) == 0400, 1, "read-only");
    assert_int_equal(file_read(path, &file), 0);
    CHECK_EQ(span_eq_str(buf_span(&file), "1,2\n"), 1, "byte for byte");
    CHECK_EQ(ASK("attachment", "number=BOREALIA 1-3", word), -HL_EEXIST, "never overwritten");
    CHECK_EQ(ASK("attachment", "number=BOREALIA 1-3", "dir=relative"), -HL_EUSAGE, "a whole path");
    CHECK_EQ(ASK("attachment", "number=BOREALIA 1-3"), 0, "or the bytes");
    CHECK_EQ(answer_is(&a, "attachment", 0, "bytes", "1,2\n"), 1, "or the bytes");
    buf_release(&bytes);
    buf_release(&file);
}

static void documents_go_and_are_listed(void **state)
{
    (void)state;
    CHECK_EQ(ASK("subkeys-announce"), 0, a.sentence);
    CHECK_EQ(answer_is(&a, "document", 0, "state", "recorded"), 1, "recorded");
    CHECK_EQ(host.documents, 1, "once");
    CHECK_EQ(ASK("ping"), 0, "a round later");
    CHECK_EQ(ASK("documents", "type=subkeys"), 0, "documents");
    CHECK_EQ(answer_count(&a, "document"), WORLD_POCS + 2, "all of them");
    CHECK_EQ(ASK("submit", "bytes=garbage"), -HL_EFORMAT, "no document");
    CHECK_EQ(ASK("contacts"), 0, "contacts");
    CHECK_EQ(answer_count(&a, "contact"), WORLD_POCS, "all");
    CHECK_EQ(ASK("agreement-list"), 0, "agreements");
    CHECK_EQ(answer_is(&a, "agreement", 0, "state", "in-force"), 1, "in force");
    CHECK_EQ(ASK("agreement-show", "name=ABCD-ICT-2026"), 0, "show");
    CHECK_EQ(answer_count(&a, "channel"), WORLD_CHANNELS, "channels");
    CHECK_EQ(ASK("agreement-show", "name=NONE"), -HL_ENOENT, "none");
    CHECK_EQ(ASK("status"), 0, "status");
    CHECK_EQ(answer_is(&a, "host", 0, "state", "current"), 1, "current");
    CHECK_EQ(answer_is(&a, "station", 0, "clock", "unknown"), 1, "no witness");
}

static void fingerprints_are_typed_not_shown(void **state)
{
    char groups[TEXT_GROUPS_SIZE], word[96];

    (void)state;
    text_groups(groups, world.fingerprint[WORLD_ARCADIA]);
    CHECK_EQ(ASK("party-list"), 0, "list");
    CHECK_EQ(answer_is(&a, "party", 0, "pinned", "0"), 1, "not compared yet");
    groups[0] = groups[0] == '9' ? '0' : (char)(groups[0] + 1);
    snprintf(word, sizeof(word), "typed=%s", groups);
    CHECK_EQ(ASK("party-pin", "party=arcadia", word), -HL_EFORMAT, "a typing error");
    assert_non_null(strstr(a.sentence, "group 1"));
    text_groups(groups, world.fingerprint[WORLD_BOREALIA]);
    snprintf(word, sizeof(word), "typed=%s", groups);
    CHECK_EQ(ASK("party-pin", "party=arcadia", word), -HL_EFINGERPRINT,
             "well typed, another party's");
    text_groups(groups, world.fingerprint[WORLD_ARCADIA]);
    snprintf(word, sizeof(word), "typed=%s", groups);
    CHECK_EQ(ASK("party-pin", "party=arcadia", word), 0, a.sentence);
    CHECK_EQ(answer_is(&a, "party", 0, "pinned", "1"), 1, "compared");
    CHECK_EQ(ASK("party-pin", "party=nobody", word), -HL_ENOENT, "no such party");
}

/* ---- the socket ---- */

struct asker {
    struct verb_request req;
    struct answer a;
    int rc;
    bool done;
};

static int asker_row(void *arg, const struct pair *pair, size_t n)
{
    struct asker *k = arg;

    (void)pair;
    k->a.n += n > 0;
    return 0;
}

static void asker_end(void *arg, int code, const char *sentence)
{
    struct asker *k = arg;

    k->a.code = code;
    k->a.ended = true;
    snprintf(k->a.sentence, sizeof(k->a.sentence), "%s", sentence);
}

static void *asker_run(void *arg)
{
    struct asker *k = arg;
    const struct verb_sink sink = { k, asker_row, asker_end };

    k->rc = agent_ask(&office.station, &k->req, &sink);
    __atomic_store_n(&k->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void socket_ask(struct asker *k, const char *verb)
{
    pthread_t thread;

    memset(k, 0, sizeof(*k));
    snprintf(k->req.name, sizeof(k->req.name), "%s", verb);
    assert_int_equal(pthread_create(&thread, NULL, asker_run, k), 0);
    while (!__atomic_load_n(&k->done, __ATOMIC_ACQUIRE)) {
        assert_int_equal(agent_step(&office.agent, 5), 0);
        host_step(&host);
    }
    pthread_join(thread, NULL);
}

static int raw_connect(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/agent.sock", office.dir);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

static void the_socket_serves_its_owner(void **state)
{
    static struct asker k;
    char path[128];
    struct stat st;

    (void)state;
    socket_ask(&k, "status");
    CHECK_EQ(k.rc, -HL_ENOENT, "no agent listens");
    CHECK_EQ(k.a.ended, 0, "no end");
    assert_int_equal(agent_listen(&office.agent), 0);
    snprintf(path, sizeof(path), "%s/agent.sock", office.dir);
    assert_int_equal(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600, "mode");
    socket_ask(&k, "status");
    CHECK_EQ(k.rc, 0, "status");
    CHECK_EQ(k.a.ended && k.a.n >= 2, 1, "rows and an end");
    socket_ask(&k, "no-such-verb");
    CHECK_EQ(k.rc, -HL_EUSAGE, "the end's code");
    CHECK_EQ(k.a.code, -HL_EUSAGE, "the end's code");
}

static void hostile_peers_lose_their_connection(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t n;
    } rows[] = {
        { "too long", "\x00\x30\x00\x01", 4 },      { "far too long", "\xff\xff\xff\xff", 4 },
        { "no request", "\x00\x00\x00\x00", 4 },    { "garbage", "\x00\x00\x00\x04garb", 8 },
        { "cut short", "\x00\x00\x00\x09\x82", 5 },
    };
    static struct asker k;

    (void)state;
    assert_int_equal(agent_listen(&office.agent), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = raw_connect();

        assert_int_equal(write(fd, rows[i].bytes, rows[i].n), (ssize_t)rows[i].n);
        shutdown(fd, SHUT_WR);
        for (int n = 0; n < 20; n++)
            assert_int_equal(agent_step(&office.agent, 5), 0);
        CHECK_EQ(office.agent.waiters == NULL, 1, rows[i].name);
        close(fd);
    }
    for (int i = 0; i < WAITERS_MAX + 10; i++) { /* nor do many of them keep others out for good */
        int fd = raw_connect();

        agent_step(&office.agent, 1);
        close(fd);
    }
    socket_ask(&k, "status");
    CHECK_EQ(k.rc, 0, "served after all that");
}

/* Needs another user: run by root, as in a container; else this is what the mode of the socket
 * says. */
static void another_user_is_refused(void **state)
{
    char byte;
    int fd;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(agent_listen(&office.agent), 0);
    assert_int_equal(chmod(office.dir, 0755), 0);
    {
        char path[128];

        snprintf(path, sizeof(path), "%s/agent.sock", office.dir);
        assert_int_equal(chmod(path, 0666), 0); /* the mode alone is not what keeps others out */
    }
    assert_int_equal(seteuid(65534), 0);
    fd = raw_connect();
    assert_int_equal(seteuid(0), 0);
    for (int n = 0; n < 10; n++)
        agent_step(&office.agent, 5);
    CHECK_EQ(read(fd, &byte, 1), 0, "closed");
    CHECK_EQ(office.agent.waiters == NULL, 1, "not taken");
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_survive_the_socket),
        cmocka_unit_test(hostile_requests_are_refused),
        TEST(every_verb_refuses_what_it_does_not_know),
        TEST(who_takes_no_rows_ends_the_verb),
        TEST(two_persons_send),
        TEST(a_single_office_sends_at_once),
        TEST(waiting_ends_as_it_says),
        TEST(refusals_are_told_and_close_the_number),
        TEST(a_number_of_an_older_desk_is_left),
        TEST(a_restored_desk_draws_a_new_chain),
        TEST(the_releaser_signs_elsewhere),
        TEST(an_acknowledgement_closes),
        TEST(retracting_is_one_action),
        TEST(receipts_verify_elsewhere),
        TEST(mirrors_hold_what_was_verified),
        TEST(attachments_are_saved_under_our_name),
        TEST(documents_go_and_are_listed),
        TEST(fingerprints_are_typed_not_shown),
        TEST(the_socket_serves_its_owner),
        TEST(hostile_peers_lose_their_connection),
        TEST(another_user_is_refused),
    };

    if (keys_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
