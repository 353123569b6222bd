#include "tests/check.h"

#include "common/tlog/tile.h"
#include "server/log.h"
#include "tests/store_sample.h"

/*
 * Roots, proofs and tiles of the log against a tree held whole in memory: all complete subtrees in
 * one array a level, the root by promoting the odd node of each level (which RFC 6962's recursion
 * comes to).
 */
#define REF_MAX 66000
#define REF_LEVELS 17

struct reference {
    uint64_t size;
    uint8_t (*level[REF_LEVELS])[32];
};

static void reference_make(struct reference *ref)
{
    *ref = (struct reference){ .size = 0 };
    for (unsigned l = 0; l < REF_LEVELS; l++)
        assert_non_null(ref->level[l] = calloc((REF_MAX >> l) + 1, 32));
}

static void reference_free(struct reference *ref)
{
    for (unsigned l = 0; l < REF_LEVELS; l++)
        free(ref->level[l]);
}

static void reference_add(struct reference *ref, uint64_t n)
{
    struct sample s;
    uint8_t entry[32];

    sample_dummy(&s, n);
    record_entry(entry, REALM_EXERCISE, s.salt, s.e.record);
    merkle_leaf(ref->level[0][n], SPAN(entry, 32));
    for (unsigned l = 1; l < REF_LEVELS && ((n + 1) & ((1u << l) - 1)) == 0; l++)
        merkle_node(ref->level[l][n >> l], ref->level[l - 1][(n >> l) * 2],
                    ref->level[l - 1][(n >> l) * 2 + 1]);
    ref->size = n + 1;
}

static void reference_root(const struct reference *ref, uint64_t size, uint8_t root[static 32])
{
    static uint8_t h[REF_MAX][32];
    uint64_t n = size;

    merkle_empty(root);
    if (!size)
        return;
    memcpy(h, ref->level[0], size * 32);
    for (; n > 1; n = (n + 1) / 2)
        for (uint64_t i = 0; i < n; i += 2) {
            if (i + 1 < n)
                merkle_node(h[i / 2], h[i], h[i + 1]);
            else
                memmove(h[i / 2], h[i], 32);
        }
    memcpy(root, h[0], 32);
}

static int reference_get(void *arg, unsigned level, uint64_t n, uint8_t out[static 32])
{
    struct reference *ref = arg;

    assert_true(level < REF_LEVELS && (n + 1) << level <= ref->size);
    memcpy(out, ref->level[level][n], 32);
    return 0;
}

static void check_inclusion(struct opened *o, struct reference *ref, uint64_t i, uint64_t size)
{
    uint8_t got[MERKLE_MAX_PROOF][32], want[MERKLE_MAX_PROOF][32];
    size_t n, m;

    CHECK_EQ(log_inclusion(o->log, i, size, got, &n), 0, "inclusion");
    CHECK_EQ(merkle_prove_inclusion(i, size, reference_get, ref, want, &m), 0, "reference");
    CHECK_EQ(n, m, "length");
    CHECK_BYTES(got, want, n * 32, "inclusion");
}

static void check_consistency(struct opened *o, struct reference *ref, uint64_t a, uint64_t b)
{
    uint8_t got[MERKLE_MAX_PROOF][32], want[MERKLE_MAX_PROOF][32];
    size_t n, m;

    CHECK_EQ(log_consistency(o->log, a, b, got, &n), 0, "consistency");
    CHECK_EQ(merkle_prove_consistency(a, b, reference_get, ref, want, &m), 0, "reference");
    CHECK_EQ(n, m, "length");
    CHECK_BYTES(got, want, n * 32, "consistency");
}

static void check_root(struct opened *o, struct reference *ref, uint64_t size)
{
    uint8_t got[32], want[32];

    reference_root(ref, size, want);
    CHECK_EQ(log_root_at(o->log, size, got), 0, "root at");
    CHECK_BYTES(got, want, 32, "root at");
    if (size != log_size(o->log))
        return;
    log_root(o->log, got);
    CHECK_BYTES(got, want, 32, "root");
}

/* Stage entries until the log has @size; what is staged is provable before its commit. */
static void grow(struct opened *o, struct reference *ref, uint64_t size)
{
    static struct sample s;
    uint8_t salt[32];

    while (log_size(o->log) < size) {
        reference_add(ref, log_size(o->log));
        sample_dummy(&s, log_size(o->log));
        CHECK_EQ(log_append(o->log, &s.e, salt), 0, "append");
    }
}

static void sizes_to_600(void **state)
{
    struct reference ref;
    struct folder f;
    struct opened o;

    (void)state;
    folder_make(&f);
    reference_make(&ref);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    check_root(&o, &ref, 0);
    for (uint64_t size = 1; size <= 600; size++) {
        grow(&o, &ref, size);
        check_root(&o, &ref, size);
        for (uint64_t i = 0; i < size; i += size < 100 ? 1 : 7)
            check_inclusion(&o, &ref, i, size);
        for (uint64_t a = 0; a <= size; a += size < 100 ? 1 : 11)
            check_consistency(&o, &ref, a, size);
        if (size % 37 == 0)
            CHECK_EQ(opened_commit(&o), 0, "commit");
        if (size % 111 == 0) {
            opened_close(&o);
            CHECK_EQ(opened_open(&o, &f.conf), 0, "reopen");
            CHECK_EQ(log_size(o.log), size, "reopen");
            check_root(&o, &ref, size);
        }
    }
    for (uint64_t size = 0; size <= 600; size++) /* older sizes */
        check_root(&o, &ref, size);
    for (uint64_t size = 1; size <= 600; size += 13)
        for (uint64_t i = 0; i < size; i += 5)
            check_inclusion(&o, &ref, i, size);
    opened_close(&o);
    reference_free(&ref);
    folder_remove(f.dir);
}

static void sizes_around_65536(void **state)
{
    static const uint64_t sizes[] = {
        65279, 65280, 65281, 65535, 65536, 65537, 65791, 65792, 65793
    };
    struct reference ref;
    struct folder f;
    struct opened o;

    (void)state;
    folder_make(&f);
    reference_make(&ref);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    for (uint64_t size = 4096; size < sizes[0]; size += 4096) { /* many tiles in one commit */
        grow(&o, &ref, size);
        check_inclusion(&o, &ref, size - 4096, size);
        CHECK_EQ(opened_commit(&o), 0, "commit");
    }
    for (size_t k = 0; k < COUNT(sizes); k++) {
        grow(&o, &ref, sizes[k]);
        for (int again = 0; again < 2; again++) { /* staged; committed and opened anew */
            check_root(&o, &ref, sizes[k]);
            for (uint64_t i = 0; i < sizes[k]; i += 1 + i / 9)
                check_inclusion(&o, &ref, i, sizes[k]);
            for (uint64_t a = 0; a <= sizes[k]; a += 1 + a / 5)
                check_consistency(&o, &ref, a, sizes[k]);
            if (again)
                break;
            CHECK_EQ(opened_commit(&o), 0, "commit");
            opened_close(&o);
            CHECK_EQ(opened_open(&o, &f.conf), 0, "reopen");
        }
    }
    for (uint64_t size = 3; size < 65793; size += 4999)
        check_root(&o, &ref, size);
    opened_close(&o);
    reference_free(&ref);
    folder_remove(f.dir);
}

static void tiles_as_committed(void **state)
{
    struct reference ref;
    struct folder f;
    struct opened o;
    struct buf out;

    (void)state;
    folder_make(&f);
    reference_make(&ref);
    buf_init(&out, 1 << 16);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(log_tile(o.log, 0, 0, &out), -HL_ENOENT, "empty");
    grow(&o, &ref, 300);
    CHECK_EQ(log_tile(o.log, 0, 0, &out), -HL_ENOENT, "staged only");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    grow(&o, &ref, 310);
    CHECK_EQ(log_tile(o.log, 0, 0, &out), 0, "full");
    CHECK_EQ(out.n, 8192, "full");
    CHECK_BYTES(out.p, ref.level[0], 8192, "full");
    buf_clear(&out);
    CHECK_EQ(log_tile(o.log, 0, 1, &out), 0, "partial");
    CHECK_EQ(out.n, 44 * 32, "only what is committed");
    CHECK_BYTES(out.p, ref.level[0][256], out.n, "partial");
    buf_clear(&out);
    CHECK_EQ(log_tile(o.log, 1, 0, &out), 0, "level 1");
    CHECK_EQ(out.n, 32, "level 1");
    CHECK_BYTES(out.p, ref.level[8][0], out.n, "level 1");
    CHECK_EQ(log_tile(o.log, 0, 2, &out), -HL_ENOENT, "behind");
    CHECK_EQ(log_tile(o.log, 2, 0, &out), -HL_ENOENT, "above");
    CHECK_EQ(log_tile(o.log, 99, 0, &out), -HL_ENOENT, "no such level");
    buf_release(&out);
    opened_close(&o);
    reference_free(&ref);
    folder_remove(f.dir);
}

static void limits_and_times(void **state)
{
    uint8_t proof[MERKLE_MAX_PROOF][32], root[32];
    struct folder f;
    struct opened o;
    size_t n;

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(log_time(o.log, 5), 5, "time");
    CHECK_EQ(opened_append(&o, 0, 10, true), 0, "commit");
    CHECK_EQ(log_time(o.log, 5), 1700000000009, "never back");
    CHECK_EQ(log_time(o.log, 1800000000000), 1800000000000, "forward");
    CHECK_EQ(log_inclusion(o.log, 10, 10, proof, &n), -HL_EUSAGE, "index = size");
    CHECK_EQ(log_inclusion(o.log, 0, 11, proof, &n), -HL_EUSAGE, "size too large");
    CHECK_EQ(log_consistency(o.log, 5, 11, proof, &n), -HL_EUSAGE, "size too large");
    CHECK_EQ(log_consistency(o.log, 6, 5, proof, &n), -HL_EUSAGE, "backwards");
    CHECK_EQ(log_root_at(o.log, 11, root), -HL_EUSAGE, "size too large");
    opened_close(&o);
    folder_remove(f.dir);
}

/* Salts are drawn where none is given, never twice, never for a document. */
static void salts(void **state)
{
    struct store_entry e = { .kind = ENTRY_DUMMY, .record = SPAN("\x82\x00\x00", 3) };
    uint8_t one[32] = { 0 }, two[32] = { 0 }, zero[32] = { 0 };
    struct stored got = { 0 };
    struct folder f;
    struct opened o;

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(log_append(o.log, &e, one), 0, "dummy");
    CHECK_EQ(e.index, 0, "index");
    e.salt = NULL;
    CHECK_EQ(log_append(o.log, &e, two), 0, "dummy");
    CHECK_EQ(e.index, 1, "index");
    CHECK_EQ(memcmp(one, two, 32) != 0 && memcmp(one, zero, 32) != 0, 1, "fresh salts");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    CHECK_EQ(store_read(o.st, 1, &got), 0, "read");
    CHECK_BYTES(got.salt, two, 32, "stored salt");
    stored_release(&got);
    opened_close(&o);
    folder_remove(f.dir);
}

/* A head whose root is not that of the edge is damage. */
static void wrong_root_is_refused(void **state)
{
    struct folder f;
    struct opened o;
    struct log *log;

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(opened_append(&o, 0, 300, true), 0, "commit");
    o.head.root[31] ^= 1;
    CHECK_EQ(log_open(o.st, REALM_EXERCISE, &o.head, &log), -HL_ESTORE, "root");
    o.head.root[31] ^= 1;
    o.head.size = 299;
    CHECK_EQ(log_open(o.st, REALM_EXERCISE, &o.head, &log), -HL_ESTORE, "shorter");
    o.head.size = 301;
    CHECK_EQ(log_open(o.st, REALM_EXERCISE, &o.head, &log), -HL_ESTORE, "longer");
    o.head.size = 300;
    CHECK_EQ(log_open(o.st, REALM_EXERCISE, &o.head, &log), 0, "right");
    log_close(log);
    opened_close(&o);
    folder_remove(f.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_to_600),
        cmocka_unit_test(sizes_around_65536),
        cmocka_unit_test(tiles_as_committed),
        cmocka_unit_test(limits_and_times),
        cmocka_unit_test(salts),
        cmocka_unit_test(wrong_root_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
