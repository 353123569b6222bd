#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/fail.h"

#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "keys/psk.h"
#include "keys/secret_bytes.h"
#include "tests/vectors/seal.inc"

#define FIRST 20000 /* UTC day of step 1 */

static char dir[] = "/tmp/ring-test-XXXXXX";
static char half_a[64], half_b[64];
static uint8_t channel[32] = "channel", other_channel[32] = "another";

static int files(const char *prefix)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int n = 0;

    while ((e = readdir(d)))
        n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
    closedir(d);
    return n;
}

static int remove_one(void *arg, const char *path)
{
    (void)arg;
    return strstr(path, "/psk-") ? unlink(path) : 0;
}

static struct psk_ring *open_ring(const struct secret *pass)
{
    struct psk_ring *ring;

    assert_int_equal(psk_ring_open(&ring, dir, REALM_LIVE, pass), 0);
    return ring;
}

static int setup(void **state)
{
    (void)state;
    keyfile_set_cost(1, 8);
    if (keys_init() || !mkdtemp(dir))
        return -1;
    snprintf(half_a, sizeof(half_a), "%s/half-a.key", dir);
    snprintf(half_b, sizeof(half_b), "%s/half-b.key", dir);
    return psk_half_new(half_a, REALM_LIVE, "half a", NULL) ||
           psk_half_new(half_b, REALM_LIVE, "half b", NULL);
}

static int clean(void **state)
{
    (void)state;
    fail_disarm();
    return file_each(dir, "", remove_one, NULL);
}

static int teardown(void **state)
{
    clean(state);
    return keyfile_destroy(half_a) || keyfile_destroy(half_b) || rmdir(dir);
}

/* 0, and psk[step] in @out; @day is that of sealing. */
static int at(const struct psk_ring *ring, uint32_t epoch, uint32_t step, uint64_t day,
              uint8_t out[static 32])
{
    struct secret *s = secret_new(32);
    int rc = psk_at(ring, channel, epoch, step, day * CLOCK_DAY_MS + CLOCK_DAY_MS / 2, s);

    memcpy(out, s->p, 32);
    secret_free(s);
    return rc;
}

static int combine(struct psk_ring *ring, uint32_t epoch)
{
    return psk_combine(ring, half_a, half_b, NULL, NULL, channel, epoch, FIRST);
}

static void half_file(const char *path, const char *hex)
{
    uint8_t raw[32];
    struct secret *s;

    assert_int_equal(text_unhex(raw, 32, span_str(hex)), 0);
    s = secret_take(raw, 32);
    assert_int_equal(keyfile_create(path, REALM_EXERCISE, KEY_PSK, "half", NULL, s, NULL), 0);
    secret_free(s);
}

static void test_vector(void **state)
{
    const struct seal_vector *v = &seal_vectors[1];
    char a[64], b[64], digits[9];
    struct secret *got = secret_new(32);
    struct psk_ring *ring;
    uint8_t raw[32];

    (void)state;
    snprintf(a, sizeof(a), "%s/vector-a", dir);
    snprintf(b, sizeof(b), "%s/vector-b", dir);
    half_file(a, v->half_a);
    half_file(b, v->half_b);
    assert_int_equal(text_unhex(raw, 32, span_str(v->channel)), 0);
    assert_int_equal(psk_ring_open(&ring, dir, REALM_EXERCISE, NULL), 0);
    CHECK_EQ(psk_combine(ring, b, a, NULL, NULL, raw, v->psk_epoch, v->first_day), 0, "combine");
    CHECK_EQ(psk_check_value(ring, raw, v->psk_epoch, digits), 0, "check value");
    assert_string_equal(digits, v->check);
    CHECK_EQ(psk_at(ring, raw, v->psk_epoch, v->psk_step,
                    (uint64_t)(v->first_day + v->psk_step - 1) * CLOCK_DAY_MS, got),
             0, "step");
    assert_int_equal(text_unhex(raw, 32, span_str(v->step)), 0);
    CHECK_BYTES(got->p, raw, 32, "psk[step]");
    secret_free(got);
    psk_ring_close(ring);
    keyfile_destroy(a);
    keyfile_destroy(b);
}

static void test_window(void **state)
{
    static const struct {
        const char *name;
        uint32_t epoch, step;
        uint64_t day; /* of sealing */
        int want;
    } rows[] = {
        { "first day", 1, 1, FIRST, 0 },
        { "the day before", 1, 1, FIRST - 1, 0 },
        { "the day after", 1, 1, FIRST + 1, 0 },
        { "two days before", 1, 1, FIRST - 2, -HL_EPSK },
        { "two days after", 1, 1, FIRST + 2, -HL_EPSK },
        { "step 0", 1, 0, FIRST - 1, -HL_EPSK },
        { "last step", 1, 366, FIRST + 365, 0 },
        { "beyond the last", 1, 367, FIRST + 366, -HL_EPSK },
        { "largest", 1, UINT32_MAX, FIRST + (uint64_t)UINT32_MAX - 1, -HL_EPSK },
        { "unknown epoch", 2, 1, FIRST, -HL_EPSK },
        { "sealed in 1970", 1, 1, 0, -HL_EPSK },
        { "sealed at the end of time", 1, 1, INT64_MAX / CLOCK_DAY_MS - 1, -HL_EPSK },
    };
    struct psk_ring *ring = open_ring(NULL);
    uint8_t out[32];

    (void)state;
    assert_int_equal(combine(ring, 1), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_EQ(at(ring, rows[i].epoch, rows[i].step, rows[i].day, out), rows[i].want,
                 rows[i].name);
        CHECK_EQ(sodium_is_zero(out, 32), rows[i].want != 0, rows[i].name);
    }
    struct secret *s = secret_new(32);

    CHECK_EQ(psk_at(ring, other_channel, 1, 1, FIRST * CLOCK_DAY_MS, s), -HL_EPSK, "other channel");
    secret_free(s);
    psk_ring_close(ring);
}

static void test_current(void **state)
{
    static const struct {
        const char *name;
        uint64_t day;
        int want;
        uint32_t epoch, step;
    } rows[] = {
        { "before all", FIRST - 1, -HL_EPSK, 0, 0 },
        { "first day", FIRST, 0, 1, 1 },
        { "before the second epoch", FIRST + 9, 0, 1, 10 },
        { "the second begins", FIRST + 10, 0, 2, 1 },
        { "its last day", FIRST + 375, 0, 2, 366 },
        { "exhausted", FIRST + 376, -HL_EPSK, 0, 0 },
        { "end of time", UINT64_MAX, -HL_EPSK, 0, 0 },
    };
    struct psk_ring *ring = open_ring(NULL);

    (void)state;
    assert_int_equal(combine(ring, 1), 0);
    assert_int_equal(psk_combine(ring, half_a, half_b, NULL, NULL, channel, 2, FIRST + 10), 0);
    assert_int_equal(psk_combine(ring, half_a, half_b, NULL, NULL, other_channel, 9, FIRST), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t epoch = 0, step = 0;

        CHECK_EQ(psk_current(ring, channel, rows[i].day, &epoch, &step), rows[i].want,
                 rows[i].name);
        CHECK_EQ(epoch, rows[i].epoch, rows[i].name);
        CHECK_EQ(step, rows[i].step, rows[i].name);
    }
    assert_int_equal(psk_advance(ring, FIRST + 20), 0);
    uint32_t epoch, step;

    CHECK_EQ(psk_current(ring, channel, FIRST + 15, &epoch, &step), -HL_EPSK, "destroyed");
    psk_ring_close(ring);
}

static void test_combine_refuses(void **state)
{
    struct psk_ring *ring = open_ring(NULL);
    struct secret *pass = secret_random(8), *longer = secret_random(84);
    char sealed[64], ring_file[64];
    uint8_t a[32], b[32];

    (void)state;
    snprintf(sealed, sizeof(sealed), "%s/sealed", dir);
    snprintf(ring_file, sizeof(ring_file), "%s/longer", dir);
    assert_int_equal(psk_half_new(sealed, REALM_LIVE, "half", pass), 0);
    assert_int_equal(keyfile_create(ring_file, REALM_LIVE, KEY_PSK, "x", NULL, longer, NULL), 0);
    CHECK_EQ(psk_combine(ring, half_a, half_a, NULL, NULL, channel, 1, FIRST), -HL_EDUPLICATE,
             "one half twice");
    CHECK_EQ(psk_combine(ring, half_a, sealed, NULL, NULL, channel, 1, FIRST), -HL_EPASS, "sealed");
    CHECK_EQ(psk_combine(ring, half_a, ring_file, NULL, NULL, channel, 1, FIRST), -HL_EFORMAT,
             "no half");
    CHECK_EQ(psk_combine(ring, half_a, dir, NULL, NULL, channel, 1, FIRST), -HL_EFORMAT,
             "a folder");
    CHECK_EQ(files("psk-"), 0, "nothing made");
    CHECK_EQ(psk_combine(ring, half_a, sealed, NULL, pass, channel, 1, FIRST), 0, "its passphrase");
    CHECK_EQ(psk_combine(ring, sealed, half_a, pass, NULL, channel, 2, FIRST), 0, "other order");
    CHECK_EQ(combine(ring, 1), -HL_EEXIST, "the epoch is taken");
    CHECK_EQ(at(ring, 1, 1, FIRST, a) || at(ring, 2, 1, FIRST, b), 0, "both");
    CHECK_EQ(memcmp(a, b, 32) != 0, 1, "the epoch is bound");
    psk_ring_close(ring);
    keyfile_destroy(sealed);
    keyfile_destroy(ring_file);
    secret_free(pass);
    secret_free(longer);
}

/* What the ring's only file held is gone from its bytes. */
static bool wiped(int fd)
{
    uint8_t bytes[1024];
    ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

    close(fd);
    return n > 100 && sodium_is_zero(bytes, (size_t)n);
}

static int fd_of_ring_file(void)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int fd = -1;

    while (fd < 0 && (e = readdir(d)))
        if (strncmp(e->d_name, "psk-", 4) == 0)
            fd = openat(dirfd(d), e->d_name, O_RDONLY);
    closedir(d);
    return fd;
}

static void test_advance(void **state)
{
    static const struct {
        const char *name;
        uint64_t keep_from;
        uint32_t lowest;
        bool written;
    } rows[] = {
        { "before the first day", FIRST - 5, 1, false },
        { "the first day", FIRST, 1, false },
        { "the second", FIRST + 1, 2, true },
        { "not back", FIRST, 2, false },
        { "a week on", FIRST + 8, 9, true },
        { "the last", FIRST + 365, 366, true },
    };
    struct secret *pass = secret_random(8);
    struct psk_ring *ring = open_ring(pass);
    uint8_t want[32], got[32];
    struct psk_info info;
    char digits[9];

    (void)state;
    assert_int_equal(combine(ring, 1), 0);
    assert_int_equal(psk_check_value(ring, channel, 1, digits), 0);
    assert_int_equal(at(ring, 1, 366, FIRST + 365, want), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = fd_of_ring_file();

        CHECK_EQ(psk_advance(ring, rows[i].keep_from), 0, rows[i].name);
        CHECK_EQ(wiped(fd), rows[i].written, rows[i].name);
        psk_ring_close(ring);
        ring = open_ring(pass);
        CHECK_EQ(psk_list(ring, 0, &info), 1, rows[i].name);
        CHECK_EQ(info.lowest_step, rows[i].lowest, rows[i].name);
        assert_string_equal(info.check, digits);
        CHECK_EQ(at(ring, 1, 366, FIRST + 365, got), 0, rows[i].name);
        CHECK_BYTES(got, want, 32, rows[i].name);
        CHECK_EQ(rows[i].lowest > 1 &&
                     at(ring, 1, rows[i].lowest - 1, FIRST + rows[i].lowest - 2, got) != -HL_EPSK,
                 0, rows[i].name);
    }
    int fd = fd_of_ring_file();

    CHECK_EQ(psk_advance(ring, FIRST + 366), 0, "past the last step");
    CHECK_EQ(psk_list(ring, 0, &info), 0, "gone");
    CHECK_EQ(files("psk-"), 0, "gone");
    CHECK_EQ(wiped(fd), 1, "wiped");
    psk_ring_close(ring);
    secret_free(pass);
}

static void test_open_refuses(void **state)
{
    struct secret *pass = secret_random(8);
    struct psk_ring *ring = open_ring(pass);
    char path[256] = "", moved[256], hex[65];

    (void)state;
    assert_int_equal(combine(ring, 1), 0);
    psk_ring_close(ring);
    text_hex(hex, channel, 32);
    snprintf(path, sizeof(path), "%s/psk-%s-1", dir, hex);
    snprintf(moved, sizeof(moved), "%s/psk-%s-2", dir, hex);
    CHECK_EQ(psk_ring_open(&ring, dir, REALM_LIVE, NULL), -HL_EPASS, "no passphrase");
    CHECK_EQ(psk_ring_open(&ring, dir, REALM_EXERCISE, pass), -HL_EREALM, "other realm");
    assert_int_equal(rename(path, moved), 0);
    CHECK_EQ(psk_ring_open(&ring, dir, REALM_LIVE, pass), -HL_EFORMAT, "another's name");
    CHECK_EQ(ring == NULL, 1, "another's name");
    assert_int_equal(rename(moved, path), 0);
    assert_int_equal(chmod(path, 0440), 0);
    CHECK_EQ(psk_ring_open(&ring, dir, REALM_LIVE, pass), -HL_EMODE, "readable by others");
    assert_int_equal(chmod(path, 0400), 0);
    CHECK_EQ(psk_ring_open(&ring, dir, REALM_LIVE, pass), 0, "as before");
    psk_ring_close(ring);
    secret_free(pass);
}

static void test_leftovers(void **state)
{
    struct psk_ring *ring = open_ring(NULL);
    char path[256], hex[65];
    int fd;

    (void)state;
    text_hex(hex, channel, 32);
    snprintf(path, sizeof(path), "%s/psk-%s-1.new-0badcafe", dir, hex);
    assert_int_equal(combine(ring, 1), 0);
    psk_ring_close(ring);
    assert_int_equal(file_create(path,
                                 span_str("hotline/1 live secret psk\nname x\npublic -\n"
                                          "kdf none\nbox half of it, then the power went, "
                                          "but this is some bytes more\n"),
                                 0600),
                     0);
    fd = open(path, O_RDONLY);
    ring = open_ring(NULL);
    CHECK_EQ(files("psk-"), 1, "only the whole one");
    CHECK_EQ(wiped(fd), 1, "the half one is wiped");
    psk_ring_close(ring);
}

/* Each call of combining or advancing fails once; a ring opened again knows the same steps. */
static void test_failing_calls(void **state)
{
    static const enum fail_kind kinds[] = { FAIL_GUARDED, FAIL_WRITE, FAIL_SYNC, FAIL_RENAME };

    for (size_t i = 0; i < COUNT(kinds) * 2; i++) {
        bool advance = i % 2, fired = true;
        int times = 0;

        for (int nth = 1; fired; nth++) {
            struct psk_ring *ring = open_ring(NULL);
            uint8_t got[32];
            struct psk_info info;
            int rc;

            if (advance)
                assert_int_equal(combine(ring, 1), 0);
            fail_arm(kinds[i / 2], nth);
            rc = advance ? psk_advance(ring, FIRST + 3) : combine(ring, 1);
            fired = fail_disarm();
            times += fired;
            CHECK_EQ(rc != 0, fired, "reported");
            psk_ring_close(ring);
            ring = open_ring(NULL);
            CHECK_EQ(files("psk-") <= 1, 1, "no half file");
            CHECK_EQ(psk_list(ring, 0, &info) || !advance, 1, "not lost");
            CHECK_EQ(advance || rc ? 0 : at(ring, 1, 1, FIRST, got), 0, "combined");
            CHECK_EQ(advance ? at(ring, 1, 4, FIRST + 3, got) : 0, 0, "still there");
            psk_ring_close(ring);
            clean(state);
        }
        CHECK_EQ(times > 0, 1, "something failed");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_vector, clean),
        cmocka_unit_test_teardown(test_window, clean),
        cmocka_unit_test_teardown(test_current, clean),
        cmocka_unit_test_teardown(test_combine_refuses, clean),
        cmocka_unit_test_teardown(test_advance, clean),
        cmocka_unit_test_teardown(test_open_refuses, clean),
        cmocka_unit_test_teardown(test_leftovers, clean),
        cmocka_unit_test_teardown(test_failing_calls, clean),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
