#include "tests/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/desk.h"
#include "common/error.h"
#include "common/file.h"

/* The desk's six invariants, each by name; reopening; damage; what lies on the disk. */

static char dir[64], path[96];
static struct vault *vault;
static struct desk *desk;
static const char *const poc = "arcadia.technical";
static const struct span host_a = { (const uint8_t *)"a.example/live/doria/1", 22 };
static const struct span host_b = { (const uint8_t *)"b.example/live/caldera/1", 24 };
static uint8_t channel[32] = "channel one", other[32] = "channel two";

static int setup(void **state)
{
    char key[96];

    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/desk-test.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/desk.db", dir);
    snprintf(key, sizeof(key), "%s/vault.key", dir);
    assert_int_equal(vault_new(key, REALM_LIVE, poc, NULL), 0);
    assert_int_equal(vault_open(&vault, key, REALM_LIVE, NULL), 0);
    return desk_open(path, REALM_LIVE, span_str(poc), vault, &desk);
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    desk_close(desk);
    vault_close(vault);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

static void reopen(void)
{
    desk_close(desk);
    desk = NULL;
    assert_int_equal(desk_open(path, REALM_LIVE, span_str(poc), vault, &desk), 0);
}

static void fill(uint8_t *p, size_t n, const char *label, uint64_t i)
{
    memset(p, 0, n);
    snprintf((char *)p, n, "%s %llu", label, (unsigned long long)i);
}

/* A message of the desk: the envelope is opaque to it. */
static void message(struct message *m, enum message_way way, const char *sender, uint64_t i)
{
    message_init(m);
    m->way = way;
    m->state = way == MESSAGE_OUT ? MESSAGE_QUEUED : MESSAGE_NEW;
    fill(m->mid, 32, "mid", i);
    fill(m->id, 32, "id", i);
    fill(m->salt, 32, "salt", i);
    memcpy(m->channel, channel, 32);
    m->kind = KIND_NOTIFICATION;
    m->time_ms = 1000 + i;
    m->seq = i;
    snprintf(m->sender, sizeof(m->sender), "%s", sender);
    buf_put_str(&m->envelope, "the envelope");
    buf_put_str(&m->content, "SECRETCONTENT");
}

static int send_next(uint64_t i, uint8_t chain[16], uint64_t *seq)
{
    const struct span hosts[] = { host_a, host_b };
    struct message m;
    int rc;

    message(&m, MESSAGE_OUT, poc, i);
    rc = desk_number(desk, channel, m.chain, &m.seq);
    memcpy(chain, m.chain, 16);
    *seq = m.seq;
    if (!rc)
        rc = desk_send(desk, &m, hosts, 2);
    message_release(&m);
    return rc;
}

static int count_row(void *arg, const struct outbox_row *row)
{
    CHECK_EQ(row->bytes.n > 0, 1, "bytes");
    ++*(int *)arg;
    return 0;
}

static int outbox(struct span origin)
{
    int n = 0;

    assert_int_equal(desk_outbox_each(desk, origin, count_row, &n), 0);
    return n;
}

/* 1 */
static void numbers_are_taken_with_their_envelope(void **state)
{
    uint8_t chain[16], again[16], mid[32];
    struct message m;
    uint64_t seq;

    (void)state;
    for (uint64_t i = 1; i <= 3; i++) {
        CHECK_EQ(send_next(i, chain, &seq), 0, "send");
        CHECK_EQ(seq, i, "one after the other");
    }
    CHECK_EQ(desk_number(desk, channel, again, &seq), 0, "peek");
    CHECK_EQ(seq, 4, "peeking takes nothing");
    CHECK_EQ(desk_number(desk, channel, again, &seq), 0, "peek");
    CHECK_EQ(seq, 4, "peeking takes nothing");
    CHECK_BYTES(again, chain, 16, "one chain");
    message(&m, MESSAGE_OUT, poc, 9);
    memcpy(m.chain, chain, 16);
    m.seq = 3;
    CHECK_EQ(desk_send(desk, &m, &host_a, 1), -HL_ESTATE, "a number that was taken");
    message_release(&m);
    CHECK_EQ(desk_message(desk, m.mid, &m), -HL_ENOENT, "and nothing is stored");
    message_release(&m);
    CHECK_EQ(desk_number(desk, other, again, &seq), 0, "another channel");
    CHECK_EQ(seq, 1, "has its own numbers");
    CHECK_EQ(memcmp(again, chain, 16) != 0, 1, "and its own chain");
    CHECK_EQ(desk_begin(desk), 0, "begin");
    CHECK_EQ(send_next(4, chain, &seq), 0, "in a transaction");
    desk_abort(desk);
    fill(mid, 32, "mid", 4);
    CHECK_EQ(desk_message(desk, mid, &m), -HL_ENOENT, "taken back with its number");
    message_release(&m);
    CHECK_EQ(send_next(5, chain, &seq), 0, "send");
    CHECK_EQ(seq, 4, "the number is free again");
    reopen();
    CHECK_EQ(send_next(6, chain, &seq), 0, "send");
    CHECK_EQ(seq, 5, "after reopening");
}

static void inner_aborts_take_back_only_their_own(void **state)
{
    uint8_t chain[16], mid[32];
    struct message m;
    uint64_t seq;

    (void)state;
    CHECK_EQ(desk_begin(desk), 0, "outer");
    CHECK_EQ(send_next(1, chain, &seq), 0, "send");
    CHECK_EQ(desk_begin(desk), 0, "inner");
    CHECK_EQ(send_next(2, chain, &seq), 0, "send");
    desk_abort(desk);
    CHECK_EQ(desk_commit(desk), 0, "outer");
    reopen();
    fill(mid, 32, "mid", 1);
    CHECK_EQ(desk_message(desk, mid, &m), 0, "outer stays");
    message_release(&m);
    fill(mid, 32, "mid", 2);
    CHECK_EQ(desk_message(desk, mid, &m), -HL_ENOENT, "inner is gone");
    message_release(&m);
}

/* 2 */
static void outbox_rows_go_one_by_one(void **state)
{
    uint8_t chain[16], id[32], mid[32];
    char sentence[256];
    struct receipt r;
    struct message m;
    uint64_t seq;
    bool last;
    int why;

    (void)state;
    CHECK_EQ(send_next(1, chain, &seq), 0, "send");
    fill(id, 32, "id", 1);
    fill(mid, 32, "mid", 1);
    CHECK_EQ(outbox(host_a) + outbox(host_b), 2, "a row for each host");
    CHECK_EQ(desk_outbox_refuse(desk, host_b, id, -HL_EHOST, "no", &last), 0, "refused by one");
    CHECK_EQ(last, 0, "the other may still record it");
    CHECK_EQ(outbox(host_b), 0, "not sent again");
    CHECK_EQ(desk_outbox_refusal(desk, host_b, id, &why, sentence), 0, "why");
    CHECK_EQ(why, -HL_EHOST, "why");
    assert_string_equal(sentence, "no");
    CHECK_EQ(desk_outbox_refusal(desk, host_a, id, &why, sentence), 1, "waits");
    receipt_init(&r);
    r.proved = true;
    CHECK_EQ(desk_receipt_put(desk, host_a, mid, &r), 0, "receipt");
    CHECK_EQ(desk_outbox_done(desk, host_a, id), 0, "done");
    CHECK_EQ(outbox(host_a), 0, "gone");
    CHECK_EQ(desk_outbox_refusal(desk, host_a, id, &why, sentence), -HL_ENOENT, "gone");
    CHECK_EQ(desk_message(desk, mid, &m), 0, "message");
    CHECK_EQ(m.recorded, 1, "by one host");
    message_release(&m);
    CHECK_EQ(send_next(2, chain, &seq), 0, "send");
    fill(id, 32, "id", 2);
    CHECK_EQ(desk_outbox_refuse(desk, host_a, id, -HL_EHOST, "no", &last), 0, "refused");
    CHECK_EQ(last, 0, "one is left");
    CHECK_EQ(desk_outbox_refuse(desk, host_b, id, -HL_EHOST, "no", &last), 0, "refused");
    CHECK_EQ(last, 1, "by all");
    receipt_release(&r);
}

static int take_order(void *arg, const struct outbox_row *row)
{
    char **at = arg;

    *(*at)++ = row->document ? 'd' : (char)('0' + row->precedence);
    return 0;
}

static void documents_and_urgent_ones_go_first(void **state)
{
    static const unsigned precedence[] = { 0, 3, 1, 3 };
    char order[16] = "", *at = order;
    uint8_t id[32], twice[32];

    (void)state;
    for (size_t i = 0; i < COUNT(precedence); i++) {
        struct message m;

        message(&m, MESSAGE_OUT, poc, i);
        m.precedence = precedence[i];
        assert_int_equal(desk_number(desk, channel, m.chain, &m.seq), 0);
        assert_int_equal(desk_send(desk, &m, &host_a, 1), 0);
        message_release(&m);
    }
    CHECK_EQ(desk_outbox_document(desk, span_str("hotline/1 live card"), &host_a, 1, id), 0,
             "document");
    CHECK_EQ(desk_outbox_document(desk, span_str("hotline/1 live card"), &host_a, 1, twice), 0,
             "twice");
    CHECK_BYTES(id, twice, 32, "one id");
    assert_int_equal(desk_outbox_each(desk, host_a, take_order, &at), 0);
    assert_string_equal(order, "d3310");
}

/* 3 */
static void a_message_is_acted_on_once(void **state)
{
    static const struct {
        const char *name;
        unsigned precedence;
        enum message_state state;
        int want;
        unsigned now;
    } rows[] = {
        { "first copy cannot be read", 1, MESSAGE_CANNOT_READ, 1, 1 },
        { "nor the second", 1, MESSAGE_CANNOT_READ, 0, 1 },
        { "one that opens is new", 1, MESSAGE_NEW, 1, 1 },
        { "a repetition", 1, MESSAGE_NEW, 0, 1 },
        { "at a higher precedence", 3, MESSAGE_NEW, 2, 3 },
        { "at that again", 3, MESSAGE_NEW, 0, 3 },
        { "at a lower one", 0, MESSAGE_NEW, 0, 3 },
        { "a copy that cannot be read comes late", 3, MESSAGE_CANNOT_READ, 0, 3 },
    };
    struct message m, got;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        message(&m, MESSAGE_IN, "borealia.technical", 7);
        m.precedence = rows[i].precedence;
        m.state = rows[i].state;
        if (m.state == MESSAGE_CANNOT_READ)
            buf_clear(&m.content);
        CHECK_EQ(desk_receive(desk, &m), rows[i].want, rows[i].name);
        CHECK_EQ(desk_message(desk, m.mid, &got), 0, rows[i].name);
        CHECK_EQ(got.precedence, rows[i].now, rows[i].name);
        CHECK_EQ(got.state, i < 2 ? MESSAGE_CANNOT_READ : MESSAGE_NEW, rows[i].name);
        message_release(&got);
        message_release(&m);
    }
}

/* 4 */
static void an_older_desk_draws_a_new_chain(void **state)
{
    uint8_t chain[16], fresh[16];
    uint64_t seq;
    struct buf copy;

    (void)state;
    CHECK_EQ(send_next(1, chain, &seq), 0, "send");
    desk_close(desk); /* the backup, taken while nobody writes */
    buf_init(&copy, 16u << 20);
    assert_int_equal(file_read(path, &copy), 0);
    assert_int_equal(desk_open(path, REALM_LIVE, span_str(poc), vault, &desk), 0);
    CHECK_EQ(send_next(2, chain, &seq), 0, "send");
    CHECK_EQ(desk_known_number(desk, channel, chain, 2), 0, "as far as the host knows");
    desk_close(desk); /* restored */
    unlink(path);
    assert_int_equal(file_publish(path, buf_span(&copy), 0600), 0);
    buf_release(&copy);
    assert_int_equal(desk_open(path, REALM_LIVE, span_str(poc), vault, &desk), 0);
    CHECK_EQ(desk_known_number(desk, channel, chain, 1), 0, "a host that knows no more than we");
    CHECK_EQ(desk_known_number(desk, channel, chain, 2), 1, "one that knows more");
    CHECK_EQ(desk_known_number(desk, channel, chain, 2), 0, "once");
    CHECK_EQ(send_next(3, fresh, &seq), 0, "send");
    CHECK_EQ(seq, 3, "continues at the highest known");
    CHECK_EQ(memcmp(fresh, chain, 16) != 0, 1, "on another chain");
    CHECK_EQ(desk_number_renew(desk, channel, chain), 0, "of a chain that we left");
    CHECK_EQ(desk_number(desk, channel, chain, &seq), 0, "number");
    CHECK_BYTES(chain, fresh, 16, "nothing changes");
    CHECK_EQ(desk_number_renew(desk, channel, fresh), 0, "refused for its number");
    CHECK_EQ(desk_number(desk, channel, chain, &seq), 0, "number");
    CHECK_EQ(seq, 4, "goes on");
    CHECK_EQ(memcmp(fresh, chain, 16) != 0, 1, "on another chain");
    CHECK_EQ(desk_known_number(desk, other, chain, 41), 1, "a channel that this desk never saw");
    CHECK_EQ(desk_number(desk, other, chain, &seq), 0, "number");
    CHECK_EQ(seq, 42, "after what the host knows");
}

/* A host that lies, or a stolen key that used up the last number, leaves us numbers to send under.
 */
static void no_claim_uses_up_the_numbers(void **state)
{
    static const struct {
        const char *name;
        uint64_t claim;
        int drawn;
        uint64_t next;
    } claims[] = {
        { "the last number", INT64_MAX, 0, 1 },
        { "too far", DESK_JUMP_MAX + 1, 0, 1 },
        { "as far as one goes", DESK_JUMP_MAX, 1, DESK_JUMP_MAX + 1 },
        { "the last number again", INT64_MAX, 0, DESK_JUMP_MAX + 1 },
    };
    static const uint8_t theirs[16] = "theirs", silent[32] = "silent";
    uint8_t before[16], after[16];
    uint64_t seq;

    (void)state;
    for (size_t i = 0; i < COUNT(claims); i++) {
        const char *name = claims[i].name;

        CHECK_EQ(desk_number(desk, silent, before, &seq), 0, name);
        CHECK_EQ(desk_known_number(desk, silent, theirs, claims[i].claim), claims[i].drawn, name);
        CHECK_EQ(desk_number(desk, silent, after, &seq), 0, name);
        CHECK_EQ(seq, claims[i].next, name);
        CHECK_EQ(memcmp(before, after, 16) != 0, 1, name);
    }
}

/* 5 */
static void a_witness_moves_only_from_where_it_stands(void **state)
{
    uint8_t root[32] = "root", got[32];
    uint64_t size;

    (void)state;
    CHECK_EQ(desk_witness_get(desk, host_a, &size, got), -HL_ENOENT, "never");
    CHECK_EQ(desk_witness_set(desk, host_a, 3, 5, root, span_str("n")), -HL_ESTATE, "not from 3");
    CHECK_EQ(desk_witness_set(desk, host_a, 0, 5, root, span_str("n")), 0, "from 0");
    CHECK_EQ(desk_witness_set(desk, host_a, 0, 6, root, span_str("n")), -HL_ESTATE, "not twice");
    reopen();
    CHECK_EQ(desk_witness_get(desk, host_a, &size, got), 0, "kept");
    CHECK_EQ(size, 5, "size");
    CHECK_BYTES(got, root, 32, "root");
    CHECK_EQ(desk_witness_set(desk, host_a, 5, 9, root, span_str("n")), 0, "from 5");
}

/* ---- finding ---- */

static void a_number_finds_its_message(void **state)
{
    static const struct {
        const char *text;
        bool in_channel;
        int want;
    } rows[] = {
        { "BOREALIA 7-6", true, 0 },
        { "borealia 7-6", true, 0 },
        { "BOREALIA 7-5", true, -HL_EFORMAT },
        { "BOREALIA 7", true, -HL_EFORMAT },
        { "BOREALIA 7-6", false, -HL_EAMBIGUOUS },
        { "CALDERA 7-6", true, -HL_ENOENT },
        { "BORE 7-6", true, -HL_ENOENT },
        { "BOREALIA 8-4", false, 0 }, /* the step under that number is not found, the message is */
        { "", false, -HL_EFORMAT },
    };
    struct message m;
    uint8_t mid[32];

    (void)state;
    for (uint64_t i = 0; i < 4; i++) {
        message(&m, MESSAGE_IN, i == 1 ? "borealia.diplomatic" : "borealia.technical", i);
        m.seq = i < 2 ? 7 : 8;
        m.kind = i == 2 ? KIND_DELIVERED : KIND_NOTIFICATION;
        memcpy(m.channel, i == 1 ? other : channel, 32);
        assert_int_equal(desk_receive(desk, &m), 1);
        message_release(&m);
    }
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(desk_find(desk, rows[i].text, rows[i].in_channel ? channel : NULL, mid),
                 rows[i].want, rows[i].text);
}

struct gaps {
    uint64_t first[8], last[8];
    size_t n;
};

static int take_gap(void *arg, uint64_t first, uint64_t last, uint64_t since_ms)
{
    struct gaps *g = arg;

    (void)since_ms;
    g->first[g->n] = first;
    g->last[g->n++] = last;
    return 0;
}

static void gaps_are_what_is_missing_between(void **state)
{
    static const uint64_t seen[] = { 4, 9, 5, 12, 10, 5 };
    struct span sender = span_str("borealia.technical");
    uint8_t id[32], chain[16] = "chain", second[16] = "second";
    struct gaps g = { .n = 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(seen); i++) {
        fill(id, 32, "id", seen[i]);
        CHECK_EQ(desk_number_keep(desk, sender, channel, i == 3 ? second : chain, seen[i], id, i),
                 0, "keep");
    }
    CHECK_EQ(desk_gaps(desk, sender, channel, take_gap, &g), 0, "gaps");
    CHECK_EQ(g.n, 2, "two, over all chains");
    CHECK_EQ(g.first[0] == 6 && g.last[0] == 8 && g.first[1] == 11 && g.last[1] == 11, 1, "which");
    fill(id, 32, "id", 4);
    CHECK_EQ(desk_number_state(desk, sender, channel, chain, 4, id), NUMBER_SAME, "the same");
    fill(id, 32, "id", 5);
    CHECK_EQ(desk_number_state(desk, sender, channel, chain, 4, id), NUMBER_OTHER, "another");
    CHECK_EQ(desk_number_state(desk, sender, channel, second, 4, id), NUMBER_FREE, "another chain");
    CHECK_EQ(desk_number_state(desk, sender, other, chain, 4, id), NUMBER_FREE, "another channel");
}

static void states_move_one_way(void **state)
{
    static const struct {
        const char *name;
        enum message_state from, to, want;
    } rows[] = {
        { "recorded", MESSAGE_QUEUED, MESSAGE_RECORDED, MESSAGE_RECORDED },
        { "refused", MESSAGE_QUEUED, MESSAGE_REFUSED, MESSAGE_REFUSED },
        { "one recorded, one refused", MESSAGE_RECORDED, MESSAGE_REFUSED, MESSAGE_RECORDED },
        { "refused, then recorded elsewhere", MESSAGE_REFUSED, MESSAGE_RECORDED, MESSAGE_RECORDED },
        { "seen", MESSAGE_NEW, MESSAGE_SEEN, MESSAGE_SEEN },
        { "seen again", MESSAGE_ACKNOWLEDGED, MESSAGE_SEEN, MESSAGE_ACKNOWLEDGED },
        { "acknowledged unseen", MESSAGE_NEW, MESSAGE_ACKNOWLEDGED, MESSAGE_ACKNOWLEDGED },
        { "shown early, refused at its entry", MESSAGE_SEEN, MESSAGE_REFUSED, MESSAGE_REFUSED },
    };
    struct message m;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        message(&m, MESSAGE_IN, "borealia.technical", i);
        m.state = rows[i].from;
        assert_int_equal(desk_receive(desk, &m), 1);
        CHECK_EQ(desk_message_state(desk, m.mid, rows[i].to, -HL_EHOST, "why"), 0, rows[i].name);
        message_release(&m);
        fill(m.mid, 32, "mid", i);
        assert_int_equal(desk_message(desk, m.mid, &m), 0);
        CHECK_EQ(m.state, rows[i].want, rows[i].name);
        message_release(&m);
    }
}

static int count_message(void *arg, const struct message *m)
{
    (void)m;
    ++*(int *)arg;
    return 0;
}

static void what_is_open_is_found_without_the_rest(void **state)
{
    uint8_t chain[16], mid[32];
    struct message m;
    uint64_t seq;
    int n = 0;

    (void)state;
    CHECK_EQ(send_next(1, chain, &seq), 0, "send");
    CHECK_EQ(send_next(2, chain, &seq), 0, "send");
    message(&m, MESSAGE_OUT, poc, 3);
    m.kind = KIND_DELIVERED;
    assert_int_equal(desk_number(desk, channel, m.chain, &m.seq), 0);
    CHECK_EQ(desk_send(desk, &m, &host_a, 1), 0, "a step");
    message_release(&m);
    for (uint64_t i = 10; i < 14; i++) {
        message(&m, MESSAGE_IN, "borealia.technical", i);
        m.state = i == 13 ? MESSAGE_ACKNOWLEDGED : (enum message_state)(MESSAGE_NEW + (i - 10) % 2);
        assert_int_equal(desk_receive(desk, &m), 1);
        message_release(&m);
    }
    CHECK_EQ(desk_each_open(desk, MESSAGE_OUT, count_message, &n), 0, "open");
    CHECK_EQ(n, 2, "steps are not");
    fill(mid, 32, "mid", 1);
    CHECK_EQ(desk_message_close(desk, mid), 0, "close");
    n = 0;
    CHECK_EQ(desk_each_open(desk, MESSAGE_OUT, count_message, &n), 0, "open");
    CHECK_EQ(n, 1, "what was closed is not");
    n = 0;
    CHECK_EQ(desk_each_open(desk, MESSAGE_IN, count_message, &n), 0, "open");
    CHECK_EQ(n, 3, "what was acknowledged is not");
    n = 0;
    CHECK_EQ(desk_each_message(desk, MESSAGE_OUT, count_message, &n), 0, "all");
    CHECK_EQ(n, 3, "all");
}

/* ---- drafts ---- */

static void drafts_read_back(void **state)
{
    uint8_t id[32] = "prepared", mid[32];
    struct desk_draft d, got;
    struct buf bytes;

    (void)state;
    desk_draft_init(&d);
    fill(d.mid, 32, "mid", 1);
    fill(d.salt, 32, "salt", 1);
    fill(d.draft_sig, 64, "sig", 1);
    d.signed_draft = true;
    d.precedence = 3;
    d.ack_within_s = 600;
    d.made_ms = 77;
    buf_put_str(&d.header, "the header");
    buf_put_str(&d.content, "SECRETCONTENT");
    buf_init(&bytes, 100);
    CHECK_EQ(desk_draft_put(desk, &d), 0, "put");
    CHECK_EQ(desk_prepared_put(desk, d.mid, id, span_str("SECRETCONTENT")), 0, "prepared");
    reopen();
    CHECK_EQ(desk_draft_get(desk, d.mid, &got), 0, "get");
    CHECK_BYTES(got.salt, d.salt, 32, "salt");
    CHECK_BYTES(got.draft_sig, d.draft_sig, 64, "signature");
    CHECK_EQ(got.signed_draft && got.precedence == 3 && got.ack_within_s == 600 &&
                 got.made_ms == 77,
             1, "rest");
    CHECK_EQ(span_eq_str(buf_span(&got.content), "SECRETCONTENT"), 1, "content");
    desk_draft_release(&got);
    CHECK_EQ(desk_prepared_get(desk, id, mid, &bytes), 0, "prepared");
    CHECK_EQ(span_eq_str(buf_span(&bytes), "SECRETCONTENT"), 1, "prepared");
    CHECK_EQ(desk_draft_drop(desk, d.mid), 0, "drop");
    CHECK_EQ(desk_draft_drop(desk, d.mid), -HL_ENOENT, "once");
    CHECK_EQ(desk_prepared_get(desk, id, mid, &bytes), -HL_ENOENT, "with what was prepared");
    CHECK_EQ(desk_draft_get(desk, d.mid, &got), -HL_ENOENT, "gone");
    desk_draft_release(&got);
    desk_draft_release(&d);
    buf_release(&bytes);
}

/* ---- bounds ---- */

static int count_evidence(void *arg, uint64_t time_ms, const char *what, struct span bytes)
{
    (void)time_ms;
    (void)what;
    (void)bytes;
    ++*(int *)arg;
    return 0;
}

static void evidence_and_events_are_bounded(void **state)
{
    char bytes[32];
    int n = 0;

    (void)state;
    for (int i = 0; i < 300; i++) {
        snprintf(bytes, sizeof(bytes), "garbage %d", i);
        CHECK_EQ(desk_evidence_add(desk, "garbage", span_str(bytes)), 0, "add");
        CHECK_EQ(desk_evidence_add(desk, "garbage", span_str(bytes)), 0, "the same again");
    }
    CHECK_EQ(desk_evidence_add(desk, "a fork", span_str("note")), 0, "another kind has its room");
    CHECK_EQ(desk_evidence_each(desk, count_evidence, &n), 0, "each");
    CHECK_EQ(n, 129, "bounded by kind");
}

static int opening_salt(struct span origin, uint64_t index, bool *proved)
{
    uint8_t salt[32];
    struct buf record;
    int rc;

    buf_init(&record, 100);
    rc = desk_opening_get(desk, origin, index, salt, &record, proved);
    buf_release(&record);
    return rc ? rc : salt[0];
}

static void what_is_proved_is_not_replaced(void **state)
{
    uint8_t one[32] = { 1 }, two[32] = { 2 }, three[32] = { 3 };
    struct receipt r;
    bool proved;

    (void)state;
    CHECK_EQ(desk_opening_add(desk, host_a, 5, SPAN(one, 32), span_str("r"), false), 0, "claimed");
    CHECK_EQ(desk_opening_add(desk, host_a, 5, SPAN(two, 32), span_str("r"), true), 0, "proved");
    CHECK_EQ(desk_opening_add(desk, host_a, 5, SPAN(three, 32), span_str("r"), false), 0,
             "claimed again");
    CHECK_EQ(opening_salt(host_a, 5, &proved), 2, "the proved one stands");
    CHECK_EQ(proved, 1, "proved");
    CHECK_EQ(opening_salt(host_b, 5, &proved), -HL_ENOENT, "another log");
    receipt_init(&r);
    r.index = 5;
    r.proved = true;
    CHECK_EQ(desk_receipt_put(desk, host_a, one, &r), 0, "proved");
    r.index = 6;
    r.proved = false;
    CHECK_EQ(desk_receipt_put(desk, host_a, one, &r), 0, "claimed");
    receipt_release(&r);
    CHECK_EQ(desk_receipt_get(desk, host_a, one, &r), 0, "get");
    CHECK_EQ(r.index, 5, "the proved one stands");
    receipt_release(&r);
}

/* ---- the file ---- */

static void content_is_sealed_on_the_disk(void **state)
{
    struct message m;
    struct buf file;
    char wal[128];

    (void)state;
    message(&m, MESSAGE_IN, "borealia.technical", 1);
    assert_int_equal(desk_receive(desk, &m), 1);
    message_release(&m);
    drafts_read_back(NULL);
    snprintf(wal, sizeof(wal), "%s-wal", path);
    buf_init(&file, 64u << 20);
    for (int i = 0; i < 2; i++) {
        buf_clear(&file);
        if (file_read(i ? wal : path, &file) == 0)
            CHECK_EQ(memmem(file.p, file.n, "SECRETCONTENT", 13) == NULL, 1,
                     i ? "journal" : "file");
    }
    CHECK_EQ(file.n > 0, 1, "something was read");
    buf_release(&file);
}

static void only_its_own_desk_is_opened(void **state)
{
    struct vault *stranger;
    struct desk *d;
    struct stat st;
    char key[96];

    (void)state;
    assert_int_equal(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600, "mode");
    desk_close(desk);
    desk = NULL;
    snprintf(key, sizeof(key), "%s/stranger.key", dir);
    assert_int_equal(vault_new(key, REALM_LIVE, poc, NULL), 0);
    assert_int_equal(vault_open(&stranger, key, REALM_LIVE, NULL), 0);
    CHECK_EQ(desk_open(path, REALM_EXERCISE, span_str(poc), vault, &d), -HL_EREALM, "other realm");
    CHECK_EQ(desk_open(path, REALM_LIVE, span_str("x.y"), vault, &d), -HL_ESTATE, "other PoC");
    CHECK_EQ(desk_open(path, REALM_LIVE, span_str(poc), stranger, &d), -HL_EOPEN,
             "other vault key");
    vault_close(stranger);
    assert_int_equal(file_publish(path, span_str("not a database at all, but long enough"), 0600),
                     0);
    CHECK_EQ(desk_open(path, REALM_LIVE, span_str(poc), vault, &d), -HL_ESTORE, "not a database");
    snprintf(key, sizeof(key), "%s/link.db", dir);
    assert_int_equal(symlink(path, key), 0);
    CHECK_EQ(desk_open(key, REALM_LIVE, span_str(poc), vault, &d), -HL_ESTORE, "a symbolic link");
}

static int touch(void *arg, const struct message *m)
{
    (void)m;
    ++*(int *)arg;
    return 0;
}

/* Any byte of the file may have changed: the desk says so, or reads what was written; it never
 * crashes or lies. */
static void damage_is_told(void **state)
{
    struct buf good, bad;
    int told = 0;

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        struct message m;

        message(&m, MESSAGE_IN, "borealia.technical", i);
        assert_int_equal(desk_receive(desk, &m), 1);
        message_release(&m);
    }
    desk_close(desk);
    desk = NULL;
    buf_init(&good, 16u << 20);
    buf_init(&bad, 16u << 20);
    assert_int_equal(file_read(path, &good), 0);
    for (size_t at = 0; at < good.n; at += 997) {
        struct desk *d = NULL;
        int seen = 0, rc;

        buf_clear(&bad);
        buf_put_span(&bad, buf_span(&good));
        bad.p[at] ^= 0x40;
        assert_int_equal(file_publish(path, buf_span(&bad), 0600), 0);
        rc = desk_open(path, REALM_LIVE, span_str(poc), vault, &d);
        if (!rc)
            rc = desk_each_message(d, MESSAGE_IN, touch, &seen);
        CHECK_EQ(rc == 0 || rc == -HL_ESTORE || rc == -HL_EREALM || rc == -HL_ESTATE ||
                     rc == -HL_EOPEN,
                 1, "a clear error");
        told += rc != 0;
        desk_close(d);
    }
    CHECK_EQ(told > 0, 1, "some of it was told");
    buf_release(&good);
    buf_release(&bad);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_taken_with_their_envelope),
        TEST(inner_aborts_take_back_only_their_own),
        TEST(outbox_rows_go_one_by_one),
        TEST(documents_and_urgent_ones_go_first),
        TEST(a_message_is_acted_on_once),
        TEST(an_older_desk_draws_a_new_chain),
        TEST(no_claim_uses_up_the_numbers),
        TEST(a_witness_moves_only_from_where_it_stands),
        TEST(a_number_finds_its_message),
        TEST(gaps_are_what_is_missing_between),
        TEST(states_move_one_way),
        TEST(what_is_open_is_found_without_the_rest),
        TEST(drafts_read_back),
        TEST(evidence_and_events_are_bounded),
        TEST(what_is_proved_is_not_replaced),
        TEST(content_is_sealed_on_the_disk),
        TEST(only_its_own_desk_is_opened),
        TEST(damage_is_told),
    };

    if (keys_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
