#include "common/clock.h"

#include <time.h>

#include "tests/check.h"

static void wall_clock(void **state)
{
    uint64_t before = (uint64_t)time(NULL) * 1000, now = clock_now_ms();

    (void)state;
    /* time() may lag the fine clock by a tick at a second's edge */
    assert_true(now + 50 >= before && now < before + 10000);
}

static void an_offset_moves_wall_time_only(void **state)
{
    uint64_t mono = clock_mono_ms(), now = clock_now_ms(), later;

    (void)state;
    clock_adjust(-86400000);
    later = clock_now_ms();
    assert_true(later + 86400000 >= now && later + 86400000 < now + 10000);
    clock_adjust(3600000);
    assert_true(clock_now_ms() >= now + 3600000);
    assert_true(clock_mono_ms() >= mono && clock_mono_ms() < mono + 10000);
    clock_adjust(0);
}

static void monotonic(void **state)
{
    uint64_t a = clock_mono_us(), b = clock_mono_us();

    (void)state;
    assert_true(b >= a);
    assert_true(clock_mono_ms() >= a / 1000);
}

static void days(void **state)
{
    static const struct {
        uint64_t ms, want;
    } rows[] = { { 0, 0 }, { 86399999, 0 }, { 86400000, 1 }, { 1795312142000, 20779 } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(clock_day(rows[i].ms), rows[i].want, "day");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_clock),
        cmocka_unit_test(an_offset_moves_wall_time_only),
        cmocka_unit_test(monotonic),
        cmocka_unit_test(days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
