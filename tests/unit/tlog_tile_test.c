#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "common/tlog/tile.h"
#include "tests/vectors/tlog.h"

#define ENTRIES TILE_ENTRIES

static void path_rows(void **state)
{
    static const struct {
        struct tile_id id;
        const char *path;
    } rows[] = {
        { { 0, 0, 256 }, "tile/0/000" },
        { { 0, 67, 256 }, "tile/0/067" },
        { { 0, 999, 256 }, "tile/0/999" },
        { { 0, 1000, 256 }, "tile/0/x001/000" },
        { { 0, 1234067, 256 }, "tile/0/x001/x234/067" },
        { { 0, 1234, 17 }, "tile/0/x001/234.p/17" },
        { { 7, 0, 1 }, "tile/7/000.p/1" },
        { { 1, 0, 255 }, "tile/1/000.p/255" },
        { { ENTRIES, 0, 256 }, "tile/entries/000" },
        { { ENTRIES, 273, 112 }, "tile/entries/273.p/112" },
        { { ENTRIES, 36028797018963967, 256 }, "tile/entries/x036/x028/x797/x018/x963/967" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[TILE_PATH_MAX];
        struct tile_id id;

        tile_path(path, &rows[i].id);
        CHECK_EQ(strcmp(path, rows[i].path), 0, rows[i].path);
        CHECK_EQ(tile_parse(&id, span_str(path)), 0, path);
        CHECK_EQ(id.level, rows[i].id.level, path);
        CHECK_EQ(id.n, rows[i].id.n, path);
        CHECK_EQ(id.width, rows[i].id.width, path);
    }
}

static void bad_paths(void **state)
{
    static const char *const rows[] = {
        "",
        "tile",
        "tile/0",
        "tile//000",
        "tile/0/",
        "tile/8/000",
        "tile/00/000",
        "tile/01/000",
        "tile/63/000",
        "tile/-1/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/x001",
        "tile/0/x001/",
        "tile/0/001/000",
        "tile/0/x1/000",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/1/",
        "tile/0/000.p/1x",
        "tile/0/../000",
        "tile/0/x001/../000",
        "Tile/0/000",
        "/tile/0/000",
        "tile/entries/000.p/0",
        "tile/entriesx/000",
        "tile/data/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x001/x001/x001/x001/x001/x001/x001/001",
        "tile/0/ 00",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tile_id id;

        CHECK_EQ(tile_parse(&id, span_str(rows[i])), -HL_EFORMAT, rows[i]);
    }
    CHECK_EQ(tile_parse(&(struct tile_id){ 0 }, SPAN("tile/0/000\0", 11)), -HL_EFORMAT, "NUL");
}

static void widths(void **state)
{
    static const struct {
        unsigned level;
        uint64_t n, size;
        unsigned want;
    } rows[] = {
        { 0, 0, 0, 0 },
        { 0, 0, 1, 1 },
        { 0, 0, 255, 255 },
        { 0, 0, 256, 256 },
        { 0, 1, 256, 0 },
        { 1, 0, 255, 0 },
        { 1, 0, 256, 1 },
        { 0, 272, 70000, 256 },
        { 0, 273, 70000, 112 },
        { 0, 274, 70000, 0 },
        { 1, 0, 70000, 256 },
        { 1, 1, 70000, 17 },
        { 2, 0, 70000, 1 },
        { 3, 0, 70000, 0 },
        { ENTRIES, 273, 70000, 112 },
        { ENTRIES, 0, 3, 3 },
        { 7, 0, MERKLE_MAX_SIZE, 64 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(tile_width(rows[i].level, rows[i].n, rows[i].size), rows[i].want, "width");
}

static void bundles(void **state)
{
    static const struct {
        const char *name, *hex;
        unsigned n;
        int want;
    } rows[] = {
        { "example", EXAMPLE_BUNDLE, 3, 0 },
        { "none", "", 0, 0 },
        { "one empty", "0000", 1, 0 },
        { "half a length", "00", 0, -HL_EFORMAT },
        { "length only", "0001", 0, -HL_EFORMAT },
        { "short entry", "000000024141000341", 2, -HL_EFORMAT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].hex) / 2;
        uint8_t *p = malloc(len ? len : 1);
        struct span rest = SPAN(p, len), entry;
        struct buf again;
        unsigned n = 0;
        int rc;

        assert_non_null(p);
        CHECK_EQ(text_unhex(p, len, span_str(rows[i].hex)), 0, rows[i].name);
        buf_init(&again, 1000);
        while (bundle_next(&rest, &entry, &rc)) {
            bundle_put(&again, entry);
            n++;
        }
        CHECK_EQ(rc, rows[i].want, rows[i].name);
        CHECK_EQ(n, rows[i].n, rows[i].name);
        if (!rc)
            CHECK_EQ(span_eq(buf_span(&again), SPAN(p, len)), 1, rows[i].name);
        buf_release(&again);
        free(p);
    }
}

/* A folder of its own for each test, removed at the end. */
static char *folder_new(void)
{
    char *path = strdup("/tmp/hotline-tile-XXXXXX");

    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

static void folder_free(char *path)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -r '%s'", path);
    CHECK_EQ(system(command), 0, "rm");
    free(path);
}

/* Entry i is "entry i"; every seventh is empty. */
static void entry_make(struct buf *out, uint64_t i)
{
    buf_clear(out);
    if (i % 7)
        buf_printf(out, "entry %u", (unsigned)i);
}

/* Writes all bundles and hash tiles of a tree of @size entries, each level from the one below. */
static void tree_write(const char *path, size_t size, uint8_t root[static 32])
{
    uint8_t(*hash)[32] = calloc(size + 1, 32);
    struct merkle_range range;
    struct buf entry, bundle;

    assert_non_null(hash);
    buf_init(&entry, 100);
    buf_init(&bundle, 65536);
    merkle_range_init(&range);
    for (size_t i = 0; i < size; i++) {
        struct tile_id id = { ENTRIES, i / 256, tile_width(ENTRIES, i / 256, size) };

        entry_make(&entry, i);
        bundle_put(&bundle, buf_span(&entry));
        merkle_leaf(hash[i], buf_span(&entry));
        merkle_range_add(&range, hash[i]);
        if (i % 256 != 255 && i != size - 1)
            continue;
        CHECK_EQ(tile_write(path, &id, buf_span(&bundle)), 0, "write bundle");
        buf_clear(&bundle);
    }
    merkle_range_root(&range, root);
    for (unsigned level = 0; size; level++) {
        size_t full = size / 256;

        for (size_t n = 0; n * 256 < size; n++) {
            struct tile_id id = { level, n,
                                  size - n * 256 < 256 ? (unsigned)(size - n * 256) : 256 };

            CHECK_EQ(tile_write(path, &id, SPAN(hash[n * 256], id.width * 32)), 0, "write tile");
            if (id.width == 256)
                tile_subtree_hash(hash[n], HASHES(hash[n * 256]), 8, 0);
        }
        size = full;
    }
    buf_release(&entry);
    buf_release(&bundle);
    free(hash);
}

static void check_tree(const char *path, size_t size, const uint8_t root[static 32],
                       const char *row)
{
    uint8_t got[32], leaf[32], proof[MERKLE_MAX_PROOF][32];
    size_t step = size < 600 ? 1 : 997, n;
    struct tile_dir *d;
    struct buf entry, want;

    buf_init(&entry, 100);
    buf_init(&want, 100);
    CHECK_EQ(tile_dir_open(path, size, &d), 0, row);
    CHECK_EQ(merkle_root(size, tile_dir_get, d, got), 0, row);
    CHECK_BYTES(got, root, 32, row);
    for (size_t i = 0; i < size; i += i + step < size || i == size - 1 ? step : size - 1 - i) {
        buf_clear(&entry);
        CHECK_EQ(tile_dir_entry(d, i, &entry), 0, row);
        entry_make(&want, i);
        CHECK_EQ(span_eq(buf_span(&entry), buf_span(&want)), 1, row);
        merkle_leaf(leaf, buf_span(&entry));
        CHECK_EQ(merkle_prove_inclusion(i, size, tile_dir_get, d, proof, &n), 0, row);
        CHECK_EQ(merkle_verify_inclusion(leaf, i, size, HASHES(proof), n, root), 0, row);
    }
    CHECK_EQ(tile_dir_entry(d, size, &entry), -HL_EUSAGE, row);
    tile_dir_close(d);
    buf_release(&entry);
    buf_release(&want);
}

static void trees(void **state)
{
    static const struct {
        const char *row;
        size_t size;
    } rows[] = { { "0", 0 },     { "1", 1 },     { "3", 3 },     { "255", 255 },    { "256", 256 },
                 { "257", 257 }, { "511", 511 }, { "513", 513 }, { "65793", 65793 } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *path = folder_new();
        uint8_t root[32];

        tree_write(path, rows[i].size, root);
        check_tree(path, rows[i].size, root, rows[i].row);
        folder_free(path);
    }
}

/* One folder serves every earlier size: a partial tile that is gone is read from the full one. */
static void earlier_sizes(void **state)
{
    char *path = folder_new();
    uint8_t root[32], entry_root[32];
    struct merkle_range range;
    struct buf entry;

    (void)state;
    tree_write(path, 256, root);
    merkle_range_init(&range);
    buf_init(&entry, 100);
    for (size_t size = 1; size <= 256; size++) {
        uint8_t leaf[32];

        entry_make(&entry, size - 1);
        merkle_leaf(leaf, buf_span(&entry));
        merkle_range_add(&range, leaf);
        merkle_range_root(&range, entry_root);
        if (size % 37 == 0 || size == 256)
            check_tree(path, size, entry_root, "earlier");
    }
    buf_release(&entry);
    folder_free(path);
}

static void damaged_files(void **state)
{
    static const struct {
        const char *name, *file, *bytes;
        size_t n;
        int entry, get;
    } rows[] = {
        { "no bundle", "tile/entries/000.p/3", NULL, 0, -HL_ENOENT, 0 },
        { "no tile", "tile/0/000.p/3", NULL, 0, 0, -HL_ENOENT },
        { "bundle cut", "tile/entries/000.p/3", "\0\0\0\0\0\7entr", 10, -HL_EFORMAT, 0 },
        { "entry too few", "tile/entries/000.p/3", "\0\0\0\0", 4, -HL_EFORMAT, 0 },
        { "entry too many", "tile/entries/000.p/3", "\0\0\0\0\0\0\0\0", 8, -HL_EFORMAT, 0 },
        { "tile cut", "tile/0/000.p/3", "12345678901234567890123456789012", 32, 0, -HL_EFORMAT },
        { "tile empty", "tile/0/000.p/3", "", 0, 0, -HL_EFORMAT },
        { "full tile of another length", "tile/0/000", "x", 1, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *path = folder_new(), file[256];
        uint8_t root[32], hash[32];
        struct tile_dir *d;
        struct buf entry;

        tree_write(path, 3, root);
        snprintf(file, sizeof(file), "%s/%s", path, rows[i].file);
        if (rows[i].bytes)
            CHECK_EQ(file_publish(file, SPAN(rows[i].bytes, rows[i].n), 0644), 0, rows[i].name);
        else
            CHECK_EQ(unlink(file), 0, rows[i].name);
        buf_init(&entry, 100);
        CHECK_EQ(tile_dir_open(path, 3, &d), 0, rows[i].name);
        CHECK_EQ(tile_dir_entry(d, 2, &entry), rows[i].entry, rows[i].name);
        CHECK_EQ(tile_dir_get(d, 0, 2, hash), rows[i].get, rows[i].name);
        tile_dir_close(d);
        buf_release(&entry);
        folder_free(path);
    }
}

static void get_limits(void **state)
{
    char *path = folder_new();
    uint8_t root[32], hash[32];
    struct tile_dir *d;

    (void)state;
    tree_write(path, 300, root);
    CHECK_EQ(tile_dir_open(path, 300, &d), 0, "open");
    CHECK_EQ(tile_dir_get(d, 0, 299, hash), 0, "last leaf");
    CHECK_EQ(tile_dir_get(d, 0, 300, hash), -HL_EUSAGE, "beyond the last leaf");
    CHECK_EQ(tile_dir_get(d, 8, 0, hash), 0, "first full tile");
    CHECK_EQ(tile_dir_get(d, 8, 1, hash), -HL_EUSAGE, "second full tile");
    CHECK_EQ(tile_dir_get(d, 5, 9, hash), -HL_EUSAGE, "subtree that is not complete");
    CHECK_EQ(tile_dir_get(d, 64, 0, hash), -HL_EUSAGE, "level beyond all");
    tile_dir_close(d);
    folder_free(path);
}

static void write_once(void **state)
{
    static const struct tile_id id = { 0, 1234, 17 };
    char *path = folder_new(), file[256];
    struct buf in;

    (void)state;
    CHECK_EQ(tile_write(path, &id, span_str("abc")), 0, "new");
    CHECK_EQ(tile_write(path, &id, span_str("abc")), 0, "the same again");
    CHECK_EQ(tile_write(path, &id, span_str("abd")), -HL_EFORK, "other bytes");
    CHECK_EQ(tile_write(path, &id, span_str("ab")), -HL_EFORK, "shorter");
    CHECK_EQ(tile_write(path, &id, span_str("abcd")), -HL_EFORK, "longer");
    CHECK_EQ(tile_write(path, &id, SPAN_NONE), -HL_EFORK, "empty");
    snprintf(file, sizeof(file), "%s/tile/0/x001/234.p/17", path);
    buf_init(&in, 100);
    CHECK_EQ(file_read(file, &in), 0, "read");
    CHECK_EQ(span_eq_str(buf_span(&in), "abc"), 1, "the first stands");
    buf_release(&in);
    folder_free(path);
}

static void example(void **state)
{
    static const char *const entries[] = { "alpha", "", "charlie" };
    uint8_t want[96], hash[3][32], node[32];

    (void)state;
    CHECK_EQ(text_unhex(want, 96, span_str(EXAMPLE_TILE)), 0, "hex");
    for (size_t i = 0; i < 3; i++) {
        merkle_leaf(hash[i], span_str(entries[i]));
        CHECK_BYTES(hash[i], want + 32 * i, 32, entries[i]);
    }
    tile_subtree_hash(node, HASHES(hash), 1, 0);
    CHECK_EQ(text_unhex(want, 32, span_str(EXAMPLE_NODE01)), 0, "hex");
    CHECK_BYTES(node, want, 32, "node");
    merkle_node(node, node, hash[2]);
    CHECK_EQ(text_unhex(want, 32, span_str(EXAMPLE_ROOT)), 0, "hex");
    CHECK_BYTES(node, want, 32, "root");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_rows),     cmocka_unit_test(bad_paths),
        cmocka_unit_test(widths),        cmocka_unit_test(bundles),
        cmocka_unit_test(trees),         cmocka_unit_test(earlier_sizes),
        cmocka_unit_test(damaged_files), cmocka_unit_test(get_limits),
        cmocka_unit_test(write_once),    cmocka_unit_test(example),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
