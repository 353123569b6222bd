#include "common/parallel.h"

#include "tests/check.h"

#define N 1000

static void once_more(void *arg, size_t i)
{
    ((unsigned *)arg)[i] += (unsigned)i + 1;
}

static void each_index_once(void **state)
{
    static const struct {
        unsigned threads;
        size_t n;
    } rows[] = { { 0, 0 }, { 0, 5 }, { 1, N }, { 2, N }, { 7, 3 }, { 8, N }, { 99, N } };

    (void)state;
    for (size_t r = 0; r < COUNT(rows); r++) {
        unsigned seen[N] = { 0 };

        parallel_run(rows[r].threads, rows[r].n, once_more, seen);
        for (size_t i = 0; i < N; i++)
            CHECK_EQ(seen[i], i < rows[r].n ? i + 1 : 0, "each once");
    }
}

static void by_default_too(void **state)
{
    unsigned seen[N] = { 0 };

    (void)state;
    parallel_for(N, once_more, seen);
    for (size_t i = 0; i < N; i++)
        CHECK_EQ(seen[i], i + 1, "each once");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_index_once),
        cmocka_unit_test(by_default_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
