#include <stdlib.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/fail.h"

#include "common/error.h"
#include "keys/secret_bytes.h"
#include "keys/vault.h"

static char dir[] = "/tmp/vault-test-XXXXXX";
static char path[64];
static struct vault *vault;

static int setup(void **state)
{
    (void)state;
    keyfile_set_cost(1, 8);
    if (keys_init() || !mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/vault.key", dir);
    return vault_new(path, REALM_LIVE, "arcadia.technical", NULL) ||
           vault_open(&vault, path, REALM_LIVE, NULL);
}

static int teardown(void **state)
{
    (void)state;
    vault_close(vault);
    return keyfile_destroy(path) || rmdir(dir);
}

static void test_round(void **state)
{
    static const size_t sizes[] = { 0, 1, 4096, 1048576 };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint8_t *plain = calloc(1, sizes[i] + 1);
        struct buf sealed, again, back;

        randombytes_buf(plain, sizes[i]);
        buf_init(&sealed, sizes[i] + VAULT_OVERHEAD);
        buf_init(&again, sizes[i] + VAULT_OVERHEAD);
        buf_init(&back, sizes[i] + 1);
        CHECK_EQ(vault_seal(vault, &sealed, "inbox 7", SPAN(plain, sizes[i])), 0, "seal");
        CHECK_EQ(vault_seal(vault, &again, "inbox 7", SPAN(plain, sizes[i])), 0, "seal again");
        CHECK_EQ(sealed.n, sizes[i] + VAULT_OVERHEAD, "overhead");
        CHECK_EQ(memcmp(sealed.p, again.p, sealed.n) != 0, 1, "a fresh nonce each time");
        buf_put_str(&back, "<");
        CHECK_EQ(vault_unseal(vault, &back, "inbox 7", buf_span(&sealed)), 0, "unseal");
        CHECK_EQ(back.n, sizes[i] + 1, "appended");
        CHECK_BYTES(back.p + 1, plain, sizes[i], "the same");
        buf_release(&sealed);
        buf_release(&again);
        buf_release(&back);
        free(plain);
    }
}

static void test_refuses(void **state)
{
    struct buf sealed, out;

    (void)state;
    buf_init(&sealed, 1000);
    buf_init(&out, 1000);
    assert_int_equal(vault_seal(vault, &sealed, "inbox 7", span_str("arcadia 4-7")), 0);
    CHECK_EQ(vault_unseal(vault, &out, "inbox 8", buf_span(&sealed)), -HL_EOPEN, "other label");
    CHECK_EQ(vault_unseal(vault, &out, "inbox ", buf_span(&sealed)), -HL_EOPEN, "shorter label");
    CHECK_EQ(vault_unseal(vault, &out, "", buf_span(&sealed)), -HL_EOPEN, "no label");
    for (size_t n = 0; n < sealed.n; n++)
        CHECK_EQ(vault_unseal(vault, &out, "inbox 7", SPAN(sealed.p, n)), -HL_EOPEN, "truncated");
    for (size_t bit = 0; bit < sealed.n * 8; bit++) {
        sealed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQ(vault_unseal(vault, &out, "inbox 7", buf_span(&sealed)), -HL_EOPEN, "one bit");
        sealed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_EQ(out.n, 0, "nothing came out");
    out.max = 10;
    CHECK_EQ(vault_unseal(vault, &out, "inbox 7", buf_span(&sealed)), -HL_ETOOBIG, "no room");
    buf_release(&sealed);
    buf_release(&out);
}

static void test_another_desk(void **state)
{
    char other[64];
    struct vault *v;
    struct buf sealed, out;

    (void)state;
    snprintf(other, sizeof(other), "%s/other.key", dir);
    buf_init(&sealed, 100);
    buf_init(&out, 100);
    assert_int_equal(vault_new(other, REALM_LIVE, "b", NULL), 0);
    assert_int_equal(vault_open(&v, other, REALM_LIVE, NULL), 0);
    assert_int_equal(vault_seal(vault, &sealed, "x", span_str("text")), 0);
    CHECK_EQ(vault_unseal(v, &out, "x", buf_span(&sealed)), -HL_EOPEN, "another vault");
    CHECK_EQ(secret_size(vault_hedge(v)), 32, "hedge");
    CHECK_EQ(span_eq(secret_span(vault_hedge(v)), secret_span(vault_hedge(vault))), 0, "its own");
    vault_close(v);
    assert_int_equal(vault_open(&v, path, REALM_LIVE, NULL), 0);
    CHECK_EQ(vault_unseal(v, &out, "x", buf_span(&sealed)), 0, "the same vault, opened again");
    CHECK_EQ(span_eq(secret_span(vault_hedge(v)), secret_span(vault_hedge(vault))), 1, "the same");
    vault_close(v);
    keyfile_destroy(other);
    buf_release(&sealed);
    buf_release(&out);
}

static void test_open_refuses(void **state)
{
    struct secret *half = secret_random(32), *pass = secret_random(9);
    struct vault *v = (struct vault *)(uintptr_t)1;
    char other[64];

    (void)state;
    snprintf(other, sizeof(other), "%s/other.key", dir);
    CHECK_EQ(vault_open(&v, other, REALM_LIVE, NULL), -HL_ENOKEY, "no file");
    CHECK_EQ(v == NULL, 1, "no file");
    CHECK_EQ(vault_open(&v, path, REALM_EXERCISE, NULL), -HL_EREALM, "other realm");
    CHECK_EQ(vault_open(&v, path, REALM_LIVE, pass), -HL_EPASS, "a passphrase for a bare file");
    assert_int_equal(keyfile_create(other, REALM_LIVE, KEY_VAULT, "x", NULL, half, NULL), 0);
    CHECK_EQ(vault_open(&v, other, REALM_LIVE, NULL), -HL_EFORMAT, "half a secret");
    keyfile_destroy(other);
    assert_int_equal(vault_new(other, REALM_LIVE, "x", pass), 0);
    CHECK_EQ(vault_open(&v, other, REALM_LIVE, pass), 0, "sealed");
    vault_close(v);
    keyfile_destroy(other);
    secret_free(half);
    secret_free(pass);
}

static void test_failing_memory(void **state)
{
    bool fired = true;
    int times = 0;

    (void)state;
    for (int nth = 1; fired; nth++) {
        struct vault *v;
        int rc;

        fail_arm(FAIL_GUARDED, nth);
        rc = vault_open(&v, path, REALM_LIVE, NULL);
        fired = fail_disarm();
        times += fired;
        CHECK_EQ(rc, fired ? -HL_ENOMEM : 0, "open");
        CHECK_EQ(v != NULL, !fired, "open");
        vault_close(v);
    }
    CHECK_EQ(times > 2, 1, "something failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),          cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_another_desk),   cmocka_unit_test(test_open_refuses),
        cmocka_unit_test(test_failing_memory),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
