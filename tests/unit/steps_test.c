#include "common/error.h"
#include "common/steps.h"
#include "tests/check.h"

#define T UINT64_C(1796000000000)

static const struct header header = {
    .n_to = 5,
    .to = { { { (const uint8_t *)"a.act", 5 }, ROLE_ACTION },
            { { (const uint8_t *)"a.alt", 5 }, ROLE_ALTERNATE + 1 },
            { { (const uint8_t *)"b.act", 5 }, ROLE_ACTION },
            { { (const uint8_t *)"b.alt", 5 }, ROLE_ALTERNATE + 1 },
            { { (const uint8_t *)"c.inf", 5 }, ROLE_INFORMATION } },
};

/* A history of steps, a second apart as entries 10, 11, ...; then what stands at @poc, and the
 * counts. */
struct step {
    const char *poc;
    unsigned kind, code;
};

/* clang-format off */
static const struct {
    const char *name;
    struct step step[4];
    const char *poc;
    unsigned last;
    uint64_t delivered, acknowledged; /* index; 0 = not */
    bool by_alternate;
    size_t overdue, undelivered; /* at the due time */
} rows[] = {
    { "silence", { { 0 } }, "a.act", 0, 0, 0, false, 2, 2 },
    { "delivered to one", { { "a.act", 16, 0 } }, "a.act", 16, 10, 0, false, 2, 1 },
    { "delivered twice", { { "a.act", 16, 0 }, { "a.act", 16, 0 } }, "a.act", 16, 10, 0, false, 2, 1 },
    { "acknowledged by one", { { "a.act", 16, 0 }, { "a.act", 17, 0 } }, "a.act", 17, 10, 11, false, 1, 1 },
    { "acknowledged implies delivered", { { "a.act", 17, 0 } }, "a.act", 17, 10, 10, false, 1, 1 },
    { "acknowledged twice", { { "a.act", 17, 0 }, { "a.act", 17, 0 } }, "a.act", 17, 10, 10, false, 1, 1 },
    { "acknowledged by all", { { "a.act", 17, 0 }, { "b.act", 17, 0 } }, "b.act", 17, 11, 11, false, 0, 0 },
    { "understood", { { "a.act", 18, 0 } }, "a.act", 18, 10, 10, false, 1, 1 },
    { "passed", { { "a.act", 19, 0 } }, "a.act", 19, 10, 10, false, 1, 1 },
    { "refused is an answer", { { "a.act", 20, 5 } }, "a.act", 20, 10, 10, false, 1, 1 },
    { "understood stands after acknowledged again", { { "a.act", 18, 0 }, { "a.act", 17, 0 } }, "a.act", 18, 10, 10, false, 1, 1 },
    { "cannot read is delivered, not answered", { { "a.act", 21, 9 } }, "a.act", 21, 10, 0, false, 2, 1 },
    { "read after cannot-read", { { "a.act", 21, 9 }, { "a.act", 17, 0 } }, "a.act", 17, 10, 11, false, 1, 1 },
    { "delivered after cannot-read", { { "a.act", 21, 9 }, { "a.act", 16, 0 } }, "a.act", 21, 10, 0, false, 2, 1 },
    { "alternate counts for its principal", { { "a.alt", 17, 0 } }, "a.act", 0, 0, 10, true, 1, 1 },
    { "alternate's own state", { { "a.alt", 17, 0 } }, "a.alt", 17, 10, 10, false, 1, 1 },
    { "alternate's machine does not count", { { "a.alt", 16, 0 } }, "a.act", 0, 0, 0, false, 2, 2 },
    { "not for another's principal", { { "b.alt", 17, 0 } }, "a.act", 0, 0, 0, false, 1, 1 },
    { "principal after alternate", { { "a.alt", 17, 0 }, { "a.act", 17, 0 } }, "a.act", 17, 11, 10, true, 1, 1 },
    { "alternate after principal", { { "a.act", 17, 0 }, { "a.alt", 17, 0 } }, "a.act", 17, 10, 10, false, 1, 1 },
    { "information counts for nobody", { { "c.inf", 17, 0 } }, "a.act", 0, 0, 0, false, 2, 2 },
};
/* clang-format on */

static const struct step_state *at(const struct steps *s, const char *poc)
{
    for (size_t i = 0; i < s->n; i++)
        if (span_eq_str(s->at[i].poc, poc))
            return &s->at[i];
    fail();
    return NULL;
}

static void every_row(void **state)
{
    static struct steps s;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *name = rows[i].name;
        const struct step_state *st;
        size_t undelivered;

        steps_init(&s, &header, T, 60);
        for (size_t k = 0; k < 4 && rows[i].step[k].poc; k++)
            CHECK_EQ(steps_add(&s, span_str(rows[i].step[k].poc), rows[i].step[k].kind,
                               rows[i].step[k].code, T + 1000 * (k + 1), 10 + k),
                     0, name);
        st = at(&s, rows[i].poc);
        CHECK_EQ(st->last, rows[i].last, name);
        CHECK_EQ(st->delivered_index, rows[i].delivered, name);
        CHECK_EQ(st->acknowledged_index, rows[i].acknowledged, name);
        CHECK_EQ(st->by_alternate, rows[i].by_alternate, name);
        CHECK_EQ(steps_overdue(&s, T + 60000, &undelivered), rows[i].overdue, name);
        CHECK_EQ(undelivered, rows[i].undelivered, name);
    }
}

static void times_and_codes(void **state)
{
    static struct steps s;
    const struct step_state *st;

    (void)state;
    steps_init(&s, &header, T, 0);
    steps_add(&s, span_str("a.act"), KIND_DELIVERED, 0, T + 5, 3);
    steps_add(&s, span_str("a.act"), KIND_REFUSED, 7, T + 6, 4);
    steps_add(&s, span_str("a.act"), KIND_ACKNOWLEDGED, 0, T + 7, 5);
    st = at(&s, "a.act");
    assert_int_equal(st->delivered_ms, T + 5);
    assert_int_equal(st->acknowledged_ms, T + 6);
    assert_int_equal(st->last, KIND_REFUSED);
    assert_int_equal(st->last_ms, T + 6);
    assert_int_equal(st->code, 7);
}

static void refuses(void **state)
{
    static struct steps s;

    (void)state;
    steps_init(&s, &header, T, 60);
    assert_int_equal(steps_add(&s, span_str("d.act"), KIND_DELIVERED, 0, T, 1), -HL_ETARGET);
    assert_int_equal(steps_add(&s, span_str("a.ac"), KIND_DELIVERED, 0, T, 1), -HL_ETARGET);
    assert_int_equal(steps_add(&s, SPAN_NONE, KIND_DELIVERED, 0, T, 1), -HL_ETARGET);
    assert_int_equal(steps_add(&s, span_str("a.act"), KIND_REPLY, 0, T, 1), -HL_ETARGET);
    assert_int_equal(steps_add(&s, span_str("a.act"), 22, 0, T, 1), -HL_ETARGET);
    assert_int_equal(at(&s, "a.act")->last, 0);
}

/* Overdue begins at the due time, is judged as of @now, and does not wrap. */
static void due(void **state)
{
    static const struct {
        const char *name;
        uint64_t recorded, deadline, now;
        size_t overdue;
    } due_rows[] = {
        { "no deadline", T, 0, UINT64_MAX, 0 },
        { "just before", T, 60, T + 59999, 0 },
        { "at the time", T, 60, T + 60000, 2 },
        { "beyond all time", T, UINT64_MAX / 1000, T + 1, 0 },
        { "beyond, wrapping", T, INT64_MAX, T + 1, 0 },
    };
    static struct steps s;
    size_t undelivered;

    (void)state;
    for (size_t i = 0; i < COUNT(due_rows); i++) {
        steps_init(&s, &header, due_rows[i].recorded, due_rows[i].deadline);
        CHECK_EQ(steps_overdue(&s, due_rows[i].now, &undelivered), due_rows[i].overdue,
                 due_rows[i].name);
        CHECK_EQ(undelivered, due_rows[i].overdue, due_rows[i].name);
    }
    steps_init(&s, &header, T, 60);
    steps_add(&s, span_str("a.act"), KIND_ACKNOWLEDGED, 0, T + 61000, 5); /* late */
    assert_int_equal(steps_overdue(&s, T + 60000, &undelivered), 2);
    assert_int_equal(undelivered, 2);
    assert_int_equal(steps_overdue(&s, T + 61000, &undelivered), 1);
}

/* A sender may ask for any time below 2^63 s: what cannot be reckoned is never due, not due at
 * once. */
static void due_within_time(void **state)
{
    static const struct {
        const char *name;
        uint64_t from_ms, deadline_s, due_ms;
    } at_rows[] = {
        { "none", T, 0, 0 },
        { "a minute", T, 60, T + 60000 },
        { "the longest", T, UINT32_MAX, T + UINT64_C(4294967295000) },
        { "a second longer", T, UINT64_C(4294967296), 0 },
        { "wraps to the second before", T, INT64_MAX, 0 },
        { "wraps to now", T, UINT64_C(1) << 61, 0 },
        { "the last moment", INT64_MAX - 1000, 1, INT64_MAX },
        { "beyond it", INT64_MAX - 999, 1, 0 },
        { "from the end of time", INT64_MAX, UINT32_MAX, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(at_rows); i++)
        CHECK_EQ(steps_due(at_rows[i].from_ms, at_rows[i].deadline_s), at_rows[i].due_ms,
                 at_rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row), cmocka_unit_test(times_and_codes), cmocka_unit_test(refuses),
        cmocka_unit_test(due),       cmocka_unit_test(due_within_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
