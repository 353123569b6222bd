#include "common/tlog/tile.h"
#include "server/broker.h"
#include "tests/rig.h"
#include "tests/world.h"

static struct rig R;
#define B_DIP "borealia.diplomatic"
#define B_TEC "borealia.technical"
#define A_DIP "arcadia.diplomatic"
#define A_TEC "arcadia.technical"
#define C_TEC "caldera.technical"

static struct rig_mail small, large, step;

static void submit(uint64_t conn, const char *poc, uint64_t tag, const struct rig_mail *mail)
{
    struct frame f;
    uint64_t at = 0, total = mail->front.n + mail->env.body.n;

    CHECK_EQ(rig_submit(&R, conn, poc, tag, mail), 0, "submit");
    CHECK_EQ(rig_run(&R), 0, "run");
    while (rig_take(&R, conn, VERB_GOT, &f) && (at = f.offset) < total) {
        f = (struct frame){ .verb = VERB_CHUNK, .tag = tag, .offset = at };
        f.bytes = SPAN(mail->env.body.p + (at - mail->front.n), WIRE_CHUNK);
        if (total - at < WIRE_CHUNK)
            f.bytes.n = (size_t)(total - at);
        CHECK_EQ(rig_send(&R, conn, poc, &f), 0, "chunk");
        CHECK_EQ(rig_run(&R), 0, "run");
    }
    CHECK_EQ(rig_take(&R, conn, VERB_RECORDED, &f), 1, "recorded");
}

/* Entries 14, 15, 16: a small message, a large one with a held alternate, a step. */
static int setup(void **state)
{
    struct world_message m;

    (void)state;
    rig_open(&R);
    rig_connect(&R, 1, B_DIP);
    rig_connect(&R, 2, A_DIP);
    world_message_init(&m, &R.w);
    rig_mail(&small, &R, &m);
    submit(1, B_DIP, 1, &small);
    m.seq = 2;
    m.salt = 2;
    m.bucket = 65536;
    m.to[1] = A_TEC;
    m.role[1] = ROLE_ALTERNATE + 1;
    rig_mail(&large, &R, &m);
    submit(1, B_DIP, 2, &large);
    rig_step(&m, &R, KIND_DELIVERED, A_DIP, "station", small.env.mid, 1);
    rig_mail(&step, &R, &m);
    submit(2, A_DIP, 3, &step);
    rig_connect(&R, 3, C_TEC);
    rig_connect(&R, 4, A_TEC);
    rig_connect(&R, 5, B_TEC);
    rig_clear(&R);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_mail_release(&small);
    rig_mail_release(&large);
    rig_mail_release(&step);
    rig_close(&R);
    return 0;
}

static int between(void **state)
{
    (void)state;
    rig_clear(&R);
    return 0;
}

static int fetch(uint64_t conn, const char *poc, uint64_t what, uint64_t a, uint64_t b,
                 struct frame *f)
{
    *f = (struct frame){ .verb = VERB_FETCH, .tag = 77, .what = what, .a = a, .b = b };
    CHECK_EQ(rig_send(&R, conn, poc, f), 0, "fetch");
    CHECK_EQ(rig_run(&R), 0, "run");
    if (rig_take(&R, conn, VERB_FETCHED, f))
        return 0;
    return rig_take(&R, conn, VERB_REFUSED, f) ? -(int)f->code : -HL_ENOANSWER;
}

/* Everybody can rebuild the tree from the entries, and the proofs lead to its root. */
static void test_tree(void **state)
{
    struct merkle_range range, part;
    struct frame f;
    struct span rest, entry;
    uint8_t leaf[64][32], root[32], old[32], proof[MERKLE_MAX_PROOF][32];
    int rc = 0;

    (void)state;
    merkle_range_init(&range);
    merkle_range_init(&part);
    while (range.size < R.signed_size) {
        CHECK_EQ(fetch(3, C_TEC, FETCH_ENTRIES, range.size, 5, &f), 0, "entries");
        CHECK_EQ(f.b > 0 && f.b <= 5, 1, "how many");
        rest = f.bytes;
        while (bundle_next(&rest, &entry, &rc)) {
            merkle_leaf(leaf[range.size], entry);
            if (range.size < 7)
                merkle_range_add(&part, leaf[range.size]);
            merkle_range_add(&range, leaf[range.size]);
        }
        CHECK_EQ(rc, 0, "a whole bundle");
    }
    merkle_range_root(&range, root);
    merkle_range_root(&part, old);
    CHECK_BYTES(root, R.signed_root, 32, "the signed root");
    for (uint64_t i = 0; i < range.size; i++) {
        CHECK_EQ(fetch(3, C_TEC, FETCH_INCLUSION, i, range.size, &f), 0, "inclusion");
        memcpy(proof, f.bytes.p, f.bytes.n);
        CHECK_EQ(
            merkle_verify_inclusion(leaf[i], i, range.size, HASHES(proof), f.bytes.n / 32, root), 0,
            "inclusion");
    }
    CHECK_EQ(fetch(3, C_TEC, FETCH_CONSISTENCY, 7, range.size, &f), 0, "consistency");
    memcpy(proof, f.bytes.p, f.bytes.n);
    CHECK_EQ(merkle_verify_consistency(7, old, range.size, root, HASHES(proof), f.bytes.n / 32), 0,
             "consistency");
    CHECK_EQ(fetch(3, C_TEC, FETCH_TILE, 0, 0, &f), 0, "tile");
    CHECK_EQ(f.bytes.n, range.size * 32, "partial");
    CHECK_BYTES(f.bytes.p, leaf, range.size * 32, "its hashes");
    CHECK_EQ(fetch(3, C_TEC, FETCH_CHECKPOINT, 0, 0, &f), 0, "checkpoint");
    CHECK_BYTES(f.bytes.p, R.note.p, R.note.n, "the newest");
}

static void test_out_of_range(void **state)
{
    static const struct {
        const char *name;
        uint64_t what, a, b;
        int want;
    } rows[] = {
        { "entries past the end", FETCH_ENTRIES, 5000, 5, 0 },
        { "entry far past the end", FETCH_ENTRIES, INT64_MAX, INT64_MAX, 0 },
        { "no entries", FETCH_ENTRIES, 0, 0, 0 },
        { "tile past the end", FETCH_TILE, 0, 1, -HL_ENOENT },
        { "tile of no level", FETCH_TILE, 8, 0, -HL_ENOENT },
        { "tile far away", FETCH_TILE, 7, INT64_MAX, -HL_ENOENT },
        { "inclusion of what is not", FETCH_INCLUSION, 17, 17, -HL_ENOENT },
        { "inclusion in what is not", FETCH_INCLUSION, 1, 5000, -HL_ENOENT },
        { "consistency backwards", FETCH_CONSISTENCY, 9, 8, -HL_ENOENT },
        { "consistency with the future", FETCH_CONSISTENCY, 9, 8000, -HL_ENOENT },
        { "consistency from nothing", FETCH_CONSISTENCY, 0, 8, 0 },
        { "openings past the end", FETCH_OPENINGS, INT64_MAX, INT64_MAX, 0 },
        { "no openings", FETCH_OPENINGS, 0, 0, 0 },
        { "body of a document", FETCH_BODY, 0, 0, -HL_ENOENT },
        { "body past the end", FETCH_BODY, 5000, 0, -HL_ENOENT },
        { "no cosignatures", FETCH_CHECKPOINT, 1, 0, -HL_ENOENT },
        { "audit without mandate", FETCH_AUDIT, 0, 5, -HL_EPERM },
    };
    struct frame f;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(fetch(1, B_DIP, rows[i].what, rows[i].a, rows[i].b, &f), rows[i].want,
                 rows[i].name);
}

/* Bodies are for sender and addressees; whether they are there is nobody else's business. */
static void test_body_is_addressed(void **state)
{
    static const struct {
        const char *name, *poc;
        uint64_t conn, index;
        int want;
    } rows[] = {
        { "the sender", B_DIP, 1, 15, 0 },
        { "the addressee", A_DIP, 2, 15, 0 },
        { "an alternate before its turn", A_TEC, 4, 15, -HL_ENOENT },
        { "a member that is no addressee", B_TEC, 5, 15, -HL_ENOENT },
        { "an auditor", C_TEC, 3, 15, -HL_ENOENT },
        { "the step's sender", A_DIP, 2, 16, 0 },
        { "the step's addressee by default", B_DIP, 1, 16, 0 },
        { "the step is not everybody's", B_TEC, 5, 16, -HL_ENOENT },
    };
    struct frame f;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig_clear(&R);
        CHECK_EQ(fetch(rows[i].conn, rows[i].poc, FETCH_BODY, rows[i].index, 0, &f), rows[i].want,
                 rows[i].name);
    }
}

static void test_body_bytes(void **state)
{
    uint64_t total = large.front.n + large.env.body.n;
    struct frame f;
    struct buf got;

    (void)state;
    buf_init(&got, ENVELOPE_MAX);
    while (got.n < total) {
        CHECK_EQ(fetch(2, A_DIP, FETCH_BODY, 15, got.n, &f), 0, "piece");
        CHECK_EQ(f.bytes.n > 0, 1, "something");
        buf_put_span(&got, f.bytes);
    }
    CHECK_EQ(got.n, total, "all");
    CHECK_BYTES(got.p, large.front.p, large.front.n, "front");
    CHECK_BYTES(got.p + large.front.n, large.env.body.p, large.env.body.n, "body");
    CHECK_EQ(fetch(2, A_DIP, FETCH_BODY, 15, large.front.n + 40000, &f), 0,
             "from the middle of a chunk");
    CHECK_BYTES(f.bytes.p, large.env.body.p + 40000, f.bytes.n, "those bytes");
    CHECK_EQ(fetch(2, A_DIP, FETCH_BODY, 15, total, &f), 0, "the end");
    CHECK_EQ(f.bytes.n, 0, "is empty");
    buf_release(&got);
}

/* Agreement notes are opened to the members and auditors; a step to whom it is for. */
static void test_openings(void **state)
{
    static const struct {
        const char *name, *poc;
        uint64_t conn;
        size_t notes, steps;
    } rows[] = {
        { "sender", B_DIP, 1, 4, 1 },
        { "recipient", A_DIP, 2, 4, 0 },
        { "auditor", C_TEC, 3, 4, 0 },
    };
    struct frame f;
    struct record rec;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t notes = 0, steps = 0;

        rig_clear(&R);
        CHECK_EQ(fetch(rows[i].conn, rows[i].poc, FETCH_OPENINGS, 0, 100, &f), 0, rows[i].name);
        CHECK_EQ(f.b > 0, 1, "where to go on");
        while (rig_take(&R, rows[i].conn, VERB_OPENING, &f)) {
            CHECK_EQ(record_decode(&rec, f.bytes), 0, rows[i].name);
            notes += rec.type == RECORD_AGREEMENT;
        }
        while (rig_take(&R, rows[i].conn, VERB_DELIVER, &f))
            steps += f.flags == DELIVER_EVENT;
        CHECK_EQ(notes, rows[i].notes, rows[i].name);
        CHECK_EQ(steps, rows[i].steps, rows[i].name);
    }
}

/* One by one, by the cursor that each answer gives. */
static void test_openings_by_cursor(void **state)
{
    struct frame f;
    uint64_t at = 0;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 10; i++) {
        rig_clear(&R);
        CHECK_EQ(fetch(1, B_DIP, FETCH_OPENINGS, at, 1, &f), 0, "next");
        n += rig_count(&R, 1, VERB_OPENING) + rig_count(&R, 1, VERB_DELIVER);
        if (f.b == at)
            break;
        at = f.b;
    }
    CHECK_EQ(n, 5, "four notes and a step, each once");
}

/* The auditor with full mandate gets every opening of the agreement, and each matches its entry. */
static void test_audit(void **state)
{
    struct frame f, entry;
    struct record rec;
    struct span rest, e;
    uint8_t want[32];
    size_t envelopes = 0, notes = 0, checked = 0;
    uint64_t at = 0;
    int rc = 0;

    (void)state;
    while (at < R.signed_size) {
        CHECK_EQ(fetch(3, C_TEC, FETCH_AUDIT, at, 3, &f), 0, "audit");
        CHECK_EQ(f.b > at, 1, "it goes on");
        at = f.b;
    }
    while (rig_take(&R, 3, VERB_OPENING, &f)) {
        CHECK_EQ(record_decode(&rec, f.bytes), 0, "record");
        envelopes += rec.type == RECORD_ENVELOPE;
        notes += rec.type == RECORD_AGREEMENT;
        record_entry(want, R.w.realm, f.salt.p, f.bytes);
        CHECK_EQ(fetch(3, C_TEC, FETCH_ENTRIES, f.index, 1, &entry), 0, "entry");
        rest = entry.bytes;
        CHECK_EQ(bundle_next(&rest, &e, &rc), 1, "one");
        CHECK_EQ(e.n, 32, "a commitment");
        CHECK_BYTES(e.p, want, 32, "the opening's");
        checked++;
    }
    CHECK_EQ(envelopes, 3, "two messages and a step");
    CHECK_EQ(notes, 4, "four notes");
    CHECK_EQ(checked, 7, "nothing else");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, between)
    const struct CMUnitTest tests[] = {
        T(test_tree),       T(test_out_of_range), T(test_body_is_addressed),
        T(test_body_bytes), T(test_openings),     T(test_openings_by_cursor),
        T(test_audit),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
