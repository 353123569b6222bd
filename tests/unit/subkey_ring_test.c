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
#include "keys/secret_bytes.h"
#include "keys/subkeys_pair.h"

#define FIRST UINT64_C(20000)
#define HOUR UINT64_C(3600000)
#define POC "arcadia.technical"

static char dir[] = "/tmp/subkey-test-XXXXXX";

static int count_one(void *arg, const char *path)
{
    (void)path;
    ++*(int *)arg;
    return 0;
}

static int files(void)
{
    int n = 0;

    file_each(dir, "", count_one, &n);
    return n;
}

static int remove_one(void *arg, const char *path)
{
    (void)arg;
    return unlink(path);
}

static int clean(void **state)
{
    (void)state;
    fail_disarm();
    return file_each(dir, "", remove_one, NULL);
}

static int setup(void **state)
{
    (void)state;
    keyfile_set_cost(1, 8);
    return keys_init() || !mkdtemp(dir);
}

static int teardown(void **state)
{
    clean(state);
    return rmdir(dir);
}

static struct subkey_ring *open_ring(const struct secret *pass)
{
    struct subkey_ring *ring;

    assert_int_equal(subkey_ring_open(&ring, dir, REALM_LIVE, span_str(POC), pass), 0);
    return ring;
}

static const char *file_of(unsigned serial)
{
    static char path[2][128];
    static unsigned turn;

    turn ^= 1;
    snprintf(path[turn], sizeof(path[turn]), "%s/subkeys-%u", dir, serial);
    return path[turn];
}

static void test_make(void **state)
{
    struct secret *pass = secret_random(8);
    const struct secret *with[] = { NULL, pass };

    for (size_t i = 0; i < COUNT(with); i++) {
        struct subkey_ring *ring = open_ring(with[i]);
        struct subkeys pub, again;
        struct hpke_pair pair;
        uint8_t pk[32];

        CHECK_EQ(subkey_ring_serial(ring), 0, "empty");
        CHECK_EQ(subkey_ring_make(ring, 1, FIRST, 30, &pub), 0, "make");
        CHECK_EQ(pub.serial == 1 && pub.first_day == FIRST && pub.n == 30, 1, "the list");
        assert_string_equal(pub.poc, POC);
        CHECK_EQ(subkey_ring_make(ring, 1, FIRST, 30, &again), -HL_EEXIST, "the same serial");
        CHECK_EQ(subkey_ring_make(ring, 7, FIRST + 7, SUBKEYS_DAYS, &again), 0, "renewed");
        CHECK_EQ(subkey_ring_make(ring, 6, FIRST, 30, &again), -HL_EEXIST, "a lower serial");
        subkey_ring_close(ring);
        ring = open_ring(with[i]);
        CHECK_EQ(subkey_ring_serial(ring), 7, "serial");
        for (size_t d = 0; d < pub.n; d++) {
            CHECK_EQ(subkey_ring_pair(ring, pub.key[d], &pair), 1, "held");
            crypto_scalarmult_base(pk, pair.sk);
            CHECK_BYTES(pk, pub.key[d], 32, "both halves");
            CHECK_BYTES(pair.pk, pub.key[d], 32, "both halves");
            CHECK_EQ(d && memcmp(pub.key[d], pub.key[d - 1], 32) == 0, 0, "fresh each day");
        }
        CHECK_EQ(subkey_ring_has(ring, again.key[SUBKEYS_DAYS - 1]), 1, "of the second list");
        CHECK_EQ(subkey_ring_has(ring, (uint8_t[32]){ 0 }), 0, "zeroes");
        CHECK_EQ(subkey_ring_has(ring, (uint8_t[32]){ 9 }), 0, "a stranger");
        subkey_ring_close(ring);
        clean(state);
    }
    secret_free(pass);
}

static void test_open_refuses(void **state)
{
    struct secret *pass = secret_random(8), *junk = secret_random(40);
    struct subkey_ring *ring = open_ring(NULL);
    struct subkeys pub;

    (void)state;
    assert_int_equal(subkey_ring_make(ring, 3, FIRST, 2, &pub), 0);
    subkey_ring_close(ring);
    CHECK_EQ(subkey_ring_open(&ring, dir, REALM_LIVE, span_str("arcadia.diplomatic"), NULL),
             -HL_EKEY, "another PoC");
    CHECK_EQ(ring == NULL, 1, "another PoC");
    CHECK_EQ(subkey_ring_open(&ring, dir, REALM_EXERCISE, span_str(POC), NULL), -HL_EREALM,
             "other realm");
    CHECK_EQ(subkey_ring_open(&ring, dir, REALM_LIVE, span_str(POC), pass), -HL_EPASS,
             "a passphrase that it has not");
    CHECK_EQ(subkey_ring_open(&ring, "/nonexistent", REALM_LIVE, span_str(POC), NULL), -HL_ENOENT,
             "no folder");
    assert_int_equal(rename(file_of(3), file_of(4)), 0);
    CHECK_EQ(subkey_ring_open(&ring, dir, REALM_LIVE, span_str(POC), NULL), -HL_EFORMAT,
             "another serial's name");
    assert_int_equal(rename(file_of(4), file_of(3)), 0);
    assert_int_equal(keyfile_create(file_of(9), REALM_LIVE, KEY_SUBKEYS, POC, NULL, junk, NULL), 0);
    CHECK_EQ(subkey_ring_open(&ring, dir, REALM_LIVE, span_str(POC), NULL) != 0, 1, "junk");
    unlink(file_of(9));
    assert_int_equal(chmod(file_of(3), 0444), 0);
    CHECK_EQ(subkey_ring_open(&ring, dir, REALM_LIVE, span_str(POC), NULL), -HL_EMODE, "mode");
    secret_free(pass);
    secret_free(junk);
}

/* Lists whose secret was written by another hand: each length but the right one, and what a number
 * may say. */
static void test_hostile_lists(void **state)
{
    static const struct {
        const char *name;
        size_t at; /* byte to overwrite with 0xff, in front of the first scalar */
    } rows[] = {
        { "length of the PoC", 0 },
        { "the PoC", 5 },
        { "serial", sizeof(POC) },
        { "first day", sizeof(POC) + 8 },
        { "number of days", sizeof(POC) + 16 },
    };
    uint8_t good[sizeof(POC) + 17 + 64] = { sizeof(POC) - 1 };

    (void)state;
    memcpy(good + 1, POC, sizeof(POC) - 1);
    put_u64(good + sizeof(POC), 1);
    put_u64(good + sizeof(POC) + 8, FIRST);
    good[sizeof(POC) + 16] = 2;
    randombytes_buf(good + sizeof(POC) + 17, 64);
    for (size_t n = 1; n <= sizeof(good) + COUNT(rows); n++) {
        size_t row = n - sizeof(good) - 1;
        uint8_t copy[sizeof(good)];
        struct subkey_ring *ring;
        struct secret *s;

        memcpy(copy, good, sizeof(good));
        if (n > sizeof(good))
            copy[rows[row].at] = 0xff;
        s = secret_take(copy, n < sizeof(good) ? n : sizeof(good));
        assert_int_equal(keyfile_create(file_of(1), REALM_LIVE, KEY_SUBKEYS, POC, NULL, s, NULL),
                         0);
        CHECK_EQ(subkey_ring_open(&ring, dir, REALM_LIVE, span_str(POC), NULL) == 0,
                 n == sizeof(good), n > sizeof(good) ? rows[row].name : "length");
        subkey_ring_close(ring);
        secret_free(s);
        keyfile_destroy(file_of(1));
    }
}

static void test_expire(void **state)
{
    static const struct {
        const char *name;
        uint64_t local, cosigned; /* hours after the end of the list's first day */
        bool drained;
        size_t want;
    } rows[] = {
        { "at its end", 0, 0, true, 0 },
        { "95 h", 95, 95, true, 0 },
        { "96 h, drained", 96, 96, true, 1 },
        { "96 h, not drained", 96, 96, false, 0 },
        { "only the local clock", 9999, 95, true, 0 },
        { "only the cosigned time", 95, 9999, true, 0 },
        { "96 h and a day", 120, 120, true, 2 },
        { "719 h, not drained", 719, 719, false, 0 },
        { "30 days, not drained", 720, 720, false, 1 },
        { "30 days by one clock", 9999, 719, false, 0 },
        { "long after", 9999, 9999, false, 3 },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct subkey_ring *ring = open_ring(NULL);
        uint64_t end = (FIRST + 1) * CLOCK_DAY_MS;
        struct subkeys pub;

        assert_int_equal(subkey_ring_make(ring, 1, FIRST, 3, &pub), 0);
        CHECK_EQ(subkey_ring_expire(ring, end + rows[i].local * HOUR, end + rows[i].cosigned * HOUR,
                                    rows[i].drained),
                 rows[i].want, rows[i].name);
        for (int again = 0; again < 2; again++) {
            for (size_t d = 0; d < 3; d++)
                CHECK_EQ(subkey_ring_has(ring, pub.key[d]), d >= rows[i].want, rows[i].name);
            CHECK_EQ(subkey_ring_serial(ring), 1, rows[i].name);
            subkey_ring_close(ring);
            ring = open_ring(NULL);
        }
        CHECK_EQ(subkey_ring_expire(ring, end + rows[i].local * HOUR, end + rows[i].cosigned * HOUR,
                                    rows[i].drained),
                 0, "nothing twice");
        subkey_ring_close(ring);
        clean(state);
    }
}

static void test_no_cosigned_time(void **state)
{
    struct subkey_ring *ring = open_ring(NULL);
    struct subkeys pub;

    (void)state;
    assert_int_equal(subkey_ring_make(ring, 1, FIRST, 3, &pub), 0);
    CHECK_EQ(subkey_ring_expire(ring, UINT64_C(9999) * 365 * CLOCK_DAY_MS, 0, true), 0,
             "one clock destroys nothing");
    subkey_ring_close(ring);
}

static void test_lists_go(void **state)
{
    struct subkey_ring *ring = open_ring(NULL);
    uint64_t late = (FIRST + 100) * CLOCK_DAY_MS;
    struct subkeys pub[3];
    uint8_t bytes[1024];
    ssize_t n;
    int fd;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(subkey_ring_make(ring, i + 1, FIRST + i, 2, &pub[i]), 0);
    fd = open(file_of(1), O_RDONLY);
    CHECK_EQ(subkey_ring_expire(ring, late, late, true), 6, "all");
    n = pread(fd, bytes, sizeof(bytes), 0);
    close(fd);
    CHECK_EQ(n > 100 && sodium_is_zero(bytes, (size_t)n), 1, "the old bytes are wiped");
    CHECK_EQ(files(), 1, "the newest list's file stays");
    CHECK_EQ(subkey_ring_has(ring, (uint8_t[32]){ 0 }), 0, "a destroyed key is no key");
    CHECK_EQ(subkey_ring_serial(ring), 3, "for its serial");
    subkey_ring_close(ring);
    ring = open_ring(NULL);
    CHECK_EQ(subkey_ring_serial(ring), 3, "also at the next start");
    CHECK_EQ(subkey_ring_make(ring, 3, FIRST, 2, &pub[0]), -HL_EEXIST, "never again");
    subkey_ring_close(ring);
}

static void test_leftovers(void **state)
{
    struct subkey_ring *ring = open_ring(NULL);
    struct subkeys pub;
    char path[160];

    (void)state;
    assert_int_equal(subkey_ring_make(ring, 1, FIRST, 3, &pub), 0);
    subkey_ring_close(ring);
    snprintf(path, sizeof(path), "%s.new-00000001", file_of(2));
    assert_int_equal(file_create(path, span_str("half"), 0600), 0);
    ring = open_ring(NULL);
    CHECK_EQ(files(), 1, "half a file is gone");
    CHECK_EQ(subkey_ring_has(ring, pub.key[0]), 1, "the whole one stands");
    subkey_ring_close(ring);
}

static void test_failing_calls(void **state)
{
    static const enum fail_kind kinds[] = { FAIL_GUARDED, FAIL_WRITE, FAIL_SYNC, FAIL_RENAME };
    uint64_t late = (FIRST + 1) * CLOCK_DAY_MS + 96 * HOUR;

    for (size_t i = 0; i < COUNT(kinds) * 2; i++) {
        bool expire = i % 2, fired = true;
        int times = 0;

        for (int nth = 1; fired; nth++) {
            struct subkey_ring *ring = open_ring(NULL);
            struct subkeys pub = { 0 };
            bool done, held;

            if (expire)
                assert_int_equal(subkey_ring_make(ring, 1, FIRST, 3, &pub), 0);
            fail_arm(kinds[i / 2], nth);
            done = expire ? subkey_ring_expire(ring, late, late, true) == 1
                          : subkey_ring_make(ring, 1, FIRST, 3, &pub) == 0;
            fired = fail_disarm();
            times += fired;
            CHECK_EQ(done, !fired, "reported");
            held = subkey_ring_has(ring, pub.key[0]);
            CHECK_EQ(held, expire ? !done : done, "in memory");
            subkey_ring_close(ring);
            ring = open_ring(NULL);
            CHECK_EQ(files() <= 1, 1, "no half file");
            CHECK_EQ(done && subkey_ring_has(ring, pub.key[0]) != held, 0, "on the disk");
            CHECK_EQ(expire && !subkey_ring_has(ring, pub.key[2]), 0, "later days stay");
            subkey_ring_close(ring);
            clean(state);
        }
        CHECK_EQ(times > 0, 1, "something failed");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_make, clean),
        cmocka_unit_test_teardown(test_open_refuses, clean),
        cmocka_unit_test_teardown(test_hostile_lists, clean),
        cmocka_unit_test_teardown(test_expire, clean),
        cmocka_unit_test_teardown(test_no_cosigned_time, clean),
        cmocka_unit_test_teardown(test_lists_go, clean),
        cmocka_unit_test_teardown(test_leftovers, clean),
        cmocka_unit_test_teardown(test_failing_calls, clean),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
