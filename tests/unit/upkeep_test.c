#include "tests/check.h"

#include <stdlib.h>

#include "client/sync.h"
#include "client/upkeep.h"
#include "common/clock.h"
#include "common/error.h"
#include "tests/host.h"
#include "tests/office.h"

/* What a station does unasked: its subkeys, and what it destroys; at other times, by the clock of
 * the exercise. */

#define DAY_S (24 * 3600)

static struct world world;
static struct host host;
static struct office office;

static int setup(void **state)
{
    (void)state;
    clock_adjust(0);
    world_init(&world, REALM_EXERCISE, clock_now_ms());
    host_open(&host, &world);
    host_ground(&host);
    office_open(&office, &world, "arcadia.technical", host.endpoint,
                transport_public(host.transport));
    office.agent.bench = false;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    office_close(&office);
    host_close(&host);
    world_release(&world);
    clock_adjust(0);
    return 0;
}

static bool until(bool (*when)(void), int ms)
{
    uint64_t end = clock_mono_ms() + (uint64_t)ms;

    do {
        assert_int_equal(agent_step(&office.agent, 2), 0);
        host_step(&host);
        if (when())
            return true;
    } while (clock_mono_ms() < end);
    return false;
}

static bool quiet(void)
{
    return sync_quiet(office.agent.sync[0]);
}
static bool never(void)
{
    return false;
}

static uint64_t serial(uint64_t *last)
{
    uint64_t n = 0;

    *last = directory_last_subkey_day(sync_directory(office.agent.sync[0]), DIRECTORY_NOW,
                                      span_str("arcadia.technical"), &n);
    return n;
}

static uint64_t awaited;

static bool renewed(void)
{
    uint64_t last;

    office.agent.upkeep_at = 0;
    return serial(&last) >= awaited && quiet();
}

/*
 * The world's list runs 30 days from yesterday; the office's own, list 2, from today.  So a week on
 * list 2 is due; when that has run out, too, another is drawn.
 */
static void subkeys_are_renewed_weekly(void **state)
{
    static const struct {
        const char *name;
        int days;
        uint64_t serial;
    } rows[] = {
        { "29 days left", 0, 1 },
        { "23 days left", 6, 1 },
        { "22 days left", 7, 2 },
        { "none left in any list", 40, 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t last, today;

        if (i) {
            teardown(NULL);
            setup(NULL);
        }
        assert_true(until(quiet, 5000));
        CHECK_EQ(serial(&last), 1, rows[i].name);
        CHECK_EQ(host.documents, 0, rows[i].name);
        clock_adjust((int64_t)rows[i].days * DAY_S * 1000);
        today = clock_day(clock_now_ms());
        awaited = rows[i].serial;
        CHECK_EQ(until(renewed, 5000), 1, rows[i].name);
        until(never, 150);
        office.agent.upkeep_at = 0;
        until(never, 150);
        CHECK_EQ(serial(&last), rows[i].serial, rows[i].name);
        CHECK_EQ(host.documents, rows[i].serial - 1, "once each");
        CHECK_EQ(last - today + 1 >= UPKEEP_DAYS_LEFT, 1, "enough for a week");
        if (rows[i].serial == 3)
            CHECK_EQ(last, today + UPKEEP_DAYS - 1, "30 days from today");
    }
}

/* The office drew list 2 when it was made, and never announced it: as after a crash in between. */
static void a_list_that_was_drawn_is_announced_not_drawn_again(void **state)
{
    uint64_t last;

    (void)state;
    assert_true(until(quiet, 5000));
    CHECK_EQ(subkey_ring_serial(office.station.subkeys), 2, "drawn");
    clock_adjust(INT64_C(8) * DAY_S * 1000);
    awaited = 2;
    CHECK_EQ(until(renewed, 3000), 1, "announced");
    CHECK_EQ(serial(&last), 2, "as the log's next");
    CHECK_EQ(subkey_ring_serial(office.station.subkeys), 2, "not drawn again");
    CHECK_EQ(subkey_ring_has(office.station.subkeys,
                             directory_subkey(sync_directory(office.agent.sync[0]), DIRECTORY_NOW,
                                              span_str("arcadia.technical"), last)),
             1, "its private half is here");
}

static bool refused_twice(void)
{
    return host.documents >= 2;
}

static void silence_of_the_host_draws_no_second_list(void **state)
{
    (void)state;
    assert_true(until(quiet, 5000));
    host.lie = LIE_SILENCE;
    clock_adjust(INT64_C(8) * DAY_S * 1000);
    for (int i = 0; i < 3; i++) {
        office.agent.upkeep_at = 0;
        until(refused_twice, 100);
    }
    CHECK_EQ(subkey_ring_serial(office.station.subkeys), 2, "what waits is not drawn again");
}

static bool cosigned(void)
{
    return sync_cosigned_ms(office.agent.sync[0]) != 0;
}

static bool held(uint64_t day)
{
    const uint8_t *key = directory_subkey(sync_directory(office.agent.sync[0]), DIRECTORY_NOW,
                                          span_str("arcadia.technical"), day);

    assert_non_null(key);
    return subkey_ring_has(office.station.subkeys, key);
}

/* A day's key goes 96 h after its end, when this clock and the witnesses both say so. */
static void keys_go_when_two_clocks_agree(void **state)
{
    static const struct {
        const char *name;
        int ours, theirs; /* days from now */
        bool kept;
    } rows[] = {
        { "today", 0, 0, true },
        { "this clock alone is ahead", 20, 0, true },
        { "the witnesses alone are ahead", 0, 20, true },
        { "both, four days after its end less one", 4, 4, true },
        { "both, past four days after its end", 6, 6, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t today;

        if (i) {
            teardown(NULL);
            setup(NULL);
        }
        today = clock_day(clock_now_ms());
        host_document(&host, buf_span(&office.subkeys));
        host_sign(&host, false);
        assert_true(until(quiet, 5000));
        CHECK_EQ(held(today), 1, rows[i].name);
        host_cosign(&host,
                    (uint64_t)((int64_t)(clock_now_ms() / 1000) + (int64_t)rows[i].theirs * DAY_S),
                    true);
        CHECK_EQ(until(cosigned, 2000), 1, rows[i].name);
        clock_adjust((int64_t)rows[i].ours * DAY_S * 1000);
        office.agent.upkeep_at = 0;
        until(never, 150);
        CHECK_EQ(held(today), rows[i].kept, rows[i].name);
        CHECK_EQ(held(today + 25), 1, "a later day's");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(subkeys_are_renewed_weekly),
        TEST(a_list_that_was_drawn_is_announced_not_drawn_again),
        TEST(silence_of_the_host_draws_no_second_list),
        TEST(keys_go_when_two_clocks_agree),
    };

    if (keys_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
