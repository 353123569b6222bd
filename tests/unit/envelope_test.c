#include "common/cbor.h"
#include "common/error.h"
#include "tests/check.h"
#include "tests/sample.h"

static struct sample S;
static struct envelope E;
static struct buf file;

/* Sign the sample as it stands and encode it. */
static struct span encode(void)
{
    assert_int_equal(sample_sign(&S), 0);
    buf_init(&file, 2 * ENVELOPE_MAX);
    assert_int_equal(envelope_put(&file, &S.env), 0);
    return buf_span(&file);
}

static void good(void **state)
{
    static void (*const make[])(struct sample *) = { sample_sealed, sample_step };

    (void)state;
    for (size_t i = 0; i < COUNT(make); i++) {
        struct buf again;

        make[i](&S);
        buf_init(&again, ENVELOPE_MAX);
        assert_int_equal(envelope_decode(&E, REALM_LIVE, encode()), 0);
        assert_int_equal(envelope_verify(&E), 0);
        assert_int_equal(envelope_put(&again, &E), 0);
        assert_true(span_eq(buf_span(&again), buf_span(&file)));
        buf_release(&again);
        buf_release(&file);
        sample_release(&S);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
