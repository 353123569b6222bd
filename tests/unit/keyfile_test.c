#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/fail.h"

#include "common/error.h"
#include "common/file.h"
#include "keys/keyfile_text.h"
#include "keys/secret_bytes.h"

static char dir[] = "/tmp/keyfile-test-XXXXXX";
static char path[64];
static struct secret *pass, *other_pass;

static const char *in_dir(const char *name)
{
    static char full[128];

    snprintf(full, sizeof(full), "%s/%s", dir, name);
    return full;
}

/* Names in the folder. */
static int files(void)
{
    DIR *d = opendir(dir);
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static int setup(void **state)
{
    (void)state;
    if (keys_init() || !mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/a.key", dir);
    keyfile_set_cost(1, 8);
    pass = secret_take((char[]){ "correct horse" }, 13);
    other_pass = secret_take((char[]){ "correct hors" }, 12);
    return pass && other_pass ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    secret_free(pass);
    secret_free(other_pass);
    return rmdir(dir);
}

static const struct {
    const char *name;
    enum key_use use;
} uses[] = {
    { "root", KEY_ROOT },       { "position", KEY_POSITION }, { "machine", KEY_MACHINE },
    { "witness", KEY_WITNESS }, { "log", KEY_LOG },           { "transport", KEY_TRANSPORT },
    { "vault", KEY_VAULT },     { "psk", KEY_PSK },           { "subkeys", KEY_SUBKEYS },
};

/* A secret fit for @use, and its public half. */
static struct secret *fit(enum key_use use, uint8_t pub[static 32], bool *has)
{
    struct secret *s = secret_random(use > KEY_TRANSPORT ? 77 : 32);
    uint8_t sk[64];

    *has = use <= KEY_TRANSPORT;
    if (use == KEY_TRANSPORT)
        crypto_scalarmult_base(pub, s->p);
    else
        crypto_sign_seed_keypair(pub, sk, s->p);
    return s;
}

static int create(enum key_use use, const struct secret *with, struct secret **secret)
{
    uint8_t pub[32];
    bool has;

    *secret = fit(use, pub, &has);
    return keyfile_create(path, REALM_LIVE, use, "arcadia.technical/watch-1", has ? pub : NULL,
                          *secret, with);
}

static void test_round(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(uses) * 2; i++) {
        enum key_use use = uses[i / 2].use;
        const struct secret *with = i % 2 ? pass : NULL;
        struct secret *made, *got;
        struct keyfile_info info;
        struct stat st;

        CHECK_EQ(create(use, with, &made), 0, uses[i / 2].name);
        assert_int_equal(stat(path, &st), 0);
        CHECK_EQ(st.st_mode & 07777, 0400, uses[i / 2].name);
        CHECK_EQ(keyfile_info(path, REALM_LIVE, &info), 0, uses[i / 2].name);
        CHECK_EQ(info.use, use, uses[i / 2].name);
        CHECK_EQ(info.sealed, with != NULL, uses[i / 2].name);
        CHECK_EQ(info.has_public, use <= KEY_TRANSPORT, uses[i / 2].name);
        assert_string_equal(info.name, "arcadia.technical/watch-1");
        CHECK_EQ(keyfile_load(path, REALM_LIVE, use, with, &got), 0, uses[i / 2].name);
        CHECK_EQ(span_eq(secret_span(made), secret_span(got)), 1, uses[i / 2].name);
        secret_free(made);
        CHECK_EQ(create(use, with, &made), -HL_EEXIST, "never overwrites");
        secret_free(made);
        secret_free(got);
        CHECK_EQ(keyfile_destroy(path), 0, uses[i / 2].name);
        CHECK_EQ(files(), 0, "nothing is left");
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *name;
        enum key_use use;
        enum realm realm;
        int with; /* 0 no passphrase, 1 the right one, 2 another */
        bool sealed;
        int want;
    } rows[] = {
        { "as made", KEY_MACHINE, REALM_LIVE, 0, false, 0 },
        { "as made, sealed", KEY_MACHINE, REALM_LIVE, 1, true, 0 },
        { "other realm", KEY_MACHINE, REALM_EXERCISE, 0, false, -HL_EREALM },
        { "other realm, sealed", KEY_MACHINE, REALM_EXERCISE, 1, true, -HL_EREALM },
        { "other use", KEY_POSITION, REALM_LIVE, 0, false, -HL_EKEY },
        { "other use, sealed", KEY_LOG, REALM_LIVE, 1, true, -HL_EKEY },
        { "wrong passphrase", KEY_MACHINE, REALM_LIVE, 2, true, -HL_EPASS },
        { "no passphrase", KEY_MACHINE, REALM_LIVE, 0, true, -HL_EPASS },
        { "a passphrase for a bare one", KEY_MACHINE, REALM_LIVE, 1, false, -HL_EPASS },
    };
    const struct secret *list[] = { NULL, pass, other_pass };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct secret *made, *got = (struct secret *)(uintptr_t)1;

        assert_int_equal(create(KEY_MACHINE, rows[i].sealed ? pass : NULL, &made), 0);
        CHECK_EQ(keyfile_load(path, rows[i].realm, rows[i].use, list[rows[i].with], &got),
                 rows[i].want, rows[i].name);
        CHECK_EQ(rows[i].want && got, 0, rows[i].name);
        secret_free(made);
        secret_free(got);
        keyfile_destroy(path);
    }
}

static void test_modes(void **state)
{
    static const struct {
        const char *name;
        mode_t mode, folder;
        int want;
    } rows[] = {
        { "0400", 0400, 0700, 0 },
        { "0600", 0600, 0700, 0 },
        { "group reads", 0440, 0700, -HL_EMODE },
        { "others read", 0404, 0700, -HL_EMODE },
        { "all read", 0444, 0700, -HL_EMODE },
        { "group writes", 0420, 0700, -HL_EMODE },
        { "others write", 0402, 0700, -HL_EMODE },
        { "folder that all read", 0400, 0755, 0 },
        { "folder that the group writes", 0400, 0770, -HL_EMODE },
        { "folder that others write", 0400, 0707, -HL_EMODE },
        { "sticky folder", 0400, 01777, 0 },
    };
    struct secret *made, *got;
    struct keyfile_info info;

    (void)state;
    assert_int_equal(create(KEY_MACHINE, NULL, &made), 0);
    secret_free(made);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chmod(path, rows[i].mode), 0);
        assert_int_equal(chmod(dir, rows[i].folder), 0);
        CHECK_EQ(keyfile_load(path, REALM_LIVE, KEY_MACHINE, NULL, &got), rows[i].want,
                 rows[i].name);
        CHECK_EQ(keyfile_info(path, REALM_LIVE, &info), rows[i].want, rows[i].name);
        secret_free(got);
    }
    chmod(dir, 0777);
    CHECK_EQ(keyfile_destroy(path), -HL_EMODE, "not in a folder of others");
    chmod(path, 0444);
    chmod(dir, 0700);
    CHECK_EQ(keyfile_destroy(path), 0, "an exposed key can be destroyed");
    chmod(dir, 0777);
    CHECK_EQ(create(KEY_MACHINE, NULL, &made), -HL_EMODE, "not created where others write");
    secret_free(made);
    chmod(dir, 0700);
    if (geteuid() == 0) {
        assert_int_equal(create(KEY_MACHINE, NULL, &made), 0);
        secret_free(made);
        assert_int_equal(chown(path, 1, 1), 0);
        CHECK_EQ(keyfile_load(path, REALM_LIVE, KEY_MACHINE, NULL, &got), -HL_EMODE, "another's");
        keyfile_destroy(path);
    }
}

static void test_not_files(void **state)
{
    struct secret *made, *got;
    const char *link_name;

    (void)state;
    CHECK_EQ(keyfile_load(path, REALM_LIVE, KEY_LOG, NULL, &got), -HL_ENOKEY, "none");
    CHECK_EQ(keyfile_destroy(path), -HL_ENOKEY, "none");
    CHECK_EQ(keyfile_load(in_dir("no/such.key"), REALM_LIVE, KEY_LOG, NULL, &got), -HL_ENOKEY,
             "no folder");
    assert_int_equal(mkfifo(path, 0400), 0);
    CHECK_EQ(keyfile_load(path, REALM_LIVE, KEY_LOG, NULL, &got), -HL_EFORMAT, "a fifo");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    CHECK_EQ(keyfile_load(path, REALM_LIVE, KEY_LOG, NULL, &got), -HL_EFORMAT, "a folder");
    rmdir(path);
    assert_int_equal(create(KEY_LOG, NULL, &made), 0);
    secret_free(made);
    link_name = in_dir("link.key");
    assert_int_equal(symlink(path, link_name), 0);
    CHECK_EQ(keyfile_load(link_name, REALM_LIVE, KEY_LOG, NULL, &got), -HL_ESYS, "a link");
    CHECK_EQ(errno, ELOOP, "a link");
    CHECK_EQ(keyfile_destroy(link_name), -HL_ESYS, "a link is not followed to destroy");
    unlink(link_name);
    CHECK_EQ(keyfile_load(path, REALM_LIVE, KEY_LOG, NULL, &got), 0, "what it pointed to stands");
    secret_free(got);
    keyfile_destroy(path);
}

/* The text of a good file, with or without passphrase. */
static void good_text(struct buf *text, enum key_use use, const struct secret *with)
{
    struct keyfile_info info = { .use = use, .name = "arcadia", .sealed = with != NULL };
    struct secret *s = fit(use, info.public, &info.has_public);

    assert_int_equal(guarded_init(text, KEYFILE_TEXT_MAX), 0);
    assert_int_equal(keyfile_text_put(text, REALM_LIVE, &info, s, with), 0);
    secret_free(s);
}

static const struct {
    const char *name;
    enum key_use use;
    bool sealed;
} texts[] = {
    { "signing", KEY_POSITION, false },
    { "signing, sealed", KEY_POSITION, true },
    { "transport", KEY_TRANSPORT, false },
    { "no public half", KEY_VAULT, false },
    { "no public half, sealed", KEY_VAULT, true },
};

static void test_every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        const struct secret *with = texts[i].sealed ? pass : NULL;
        struct buf text;

        good_text(&text, texts[i].use, with);
        for (size_t n = 0; n <= text.n; n++) {
            uint8_t *exact = malloc(n ? n : 1); /* a byte behind it is seen by the sanitizer */
            struct secret *got;
            int rc;

            memcpy(exact, text.p, n);
            rc = keyfile_text_open(SPAN(exact, n), REALM_LIVE, texts[i].use, with, &got);
            CHECK_EQ(rc == 0, n == text.n, texts[i].name);
            secret_free(got);
            free(exact);
        }
        guarded_release(&text);
    }
}

static void test_every_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        const struct secret *with = texts[i].sealed ? pass : NULL;
        struct buf text;

        good_text(&text, texts[i].use, with);
        for (size_t bit = 0; bit < text.n * 8; bit++) {
            struct secret *got;

            text.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK_EQ(keyfile_text_open(buf_span(&text), REALM_LIVE, texts[i].use, with, &got) != 0,
                     1, texts[i].name);
            CHECK_EQ(got == NULL, 1, texts[i].name);
            text.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        guarded_release(&text);
    }
}

/* Files that a careful enemy would write: everything fits but one thing. */
static void test_crafted(void **state)
{
    struct keyfile_info info = { .use = KEY_POSITION, .name = "x", .has_public = true };
    struct secret *seed = secret_random(32), *longer = secret_random(33), *got;
    uint8_t other[32], sk[64], zero_order[32] = { 1 };
    struct buf text;
    static const struct {
        const char *name;
        int want;
    } rows[] = {
        { "right", 0 },
        { "another's public half", -HL_EFORMAT },
        { "public half of small order", -HL_EBADKEY },
        { "seed of 33 bytes", -HL_EFORMAT },
    };

    (void)state;
    crypto_sign_keypair(other, sk);
    for (size_t i = 0; i < COUNT(rows); i++) {
        crypto_sign_seed_keypair(info.public, sk, seed->p);
        if (i == 1)
            memcpy(info.public, other, 32);
        if (i == 2)
            memcpy(info.public, zero_order, 32);
        assert_int_equal(guarded_init(&text, KEYFILE_TEXT_MAX), 0);
        assert_int_equal(keyfile_text_put(&text, REALM_LIVE, &info, i == 3 ? longer : seed, NULL),
                         0);
        CHECK_EQ(keyfile_text_open(buf_span(&text), REALM_LIVE, KEY_POSITION, NULL, &got),
                 rows[i].want, rows[i].name);
        secret_free(got);
        guarded_release(&text);
    }
    secret_free(seed);
    secret_free(longer);
}

static void test_grammar(void **state)
{
#define H "hotline/1 live secret vault\n"
#define SALT "AAAAAAAAAAAAAAAAAAAAAA=="
#define END "box AAAA\n"
    static const struct {
        const char *name, *text;
        int want;
    } rows[] = {
        { "bare", H "name x\npublic -\nkdf none\n" END, 0 },
        { "sealed", H "name x\npublic -\nkdf argon2id 3 262144 " SALT "\n" END, 0 },
        { "cost 16, 1 GiB", H "name x\npublic -\nkdf argon2id 16 1048576 " SALT "\n" END, 0 },
        { "cost 17", H "name x\npublic -\nkdf argon2id 17 8 " SALT "\n" END, -HL_EFORMAT },
        { "cost 0", H "name x\npublic -\nkdf argon2id 0 8 " SALT "\n" END, -HL_EFORMAT },
        { "beyond 1 GiB", H "name x\npublic -\nkdf argon2id 1 1048577 " SALT "\n" END,
          -HL_EFORMAT },
        { "7 KiB", H "name x\npublic -\nkdf argon2id 1 7 " SALT "\n" END, -HL_EFORMAT },
        { "leading zero", H "name x\npublic -\nkdf argon2id 03 8 " SALT "\n" END, -HL_EFORMAT },
        { "short salt", H "name x\npublic -\nkdf argon2id 3 8 AAAA\n" END, -HL_EFORMAT },
        { "other kdf", H "name x\npublic -\nkdf scrypt 3 8 " SALT "\n" END, -HL_EFORMAT },
        { "no name", H "public -\nkdf none\n" END, -HL_EFORMAT },
        { "empty name", H "name \npublic -\nkdf none\n" END, -HL_EFORMAT },
        { "escape in the name", H "name \x1b[2J\npublic -\nkdf none\n" END, -HL_EFORMAT },
        { "twice", H "name x\nname x\npublic -\nkdf none\n" END, -HL_EFORMAT },
        { "public half of a vault", H "name x\npublic " SALT "\nkdf none\n" END, -HL_EFORMAT },
        { "trailing byte", H "name x\npublic -\nkdf none\n" END "x", -HL_EFORMAT },
        { "unknown use", "hotline/1 live secret hedge\nname x\npublic -\nkdf none\n" END,
          -HL_EFORMAT },
        { "no secret", "hotline/1 live card\nname x\npublic -\nkdf none\n" END, -HL_EFORMAT },
        { "version 2", "hotline/2 live secret vault\nname x\npublic -\nkdf none\n" END,
          -HL_EFORMAT },
        { "other realm", "hotline/1 exercise secret vault\nname x\npublic -\nkdf none\n" END,
          -HL_EREALM },
        { "CR LF", "hotline/1 live secret vault\r\nname x\r\npublic -\r\nkdf none\r\n" END,
          -HL_EFORMAT },
        { "no public half of a log", "hotline/1 live secret log\nname x\npublic -\nkdf none\n" END,
          -HL_EFORMAT },
    };
#undef H
#undef SALT
#undef END
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct keyfile_info info;

        CHECK_EQ(keyfile_text_info(span_str(rows[i].text), REALM_LIVE, &info), rows[i].want,
                 rows[i].name);
    }
}

static void test_names(void **state)
{
    struct secret *s = secret_random(32);
    char longest[129];

    (void)state;
    memset(longest, 'n', 128);
    longest[128] = 0;
    CHECK_EQ(keyfile_create(path, REALM_LIVE, KEY_PSK, longest, NULL, s, NULL), -HL_EFORMAT, "128");
    CHECK_EQ(keyfile_create(path, REALM_LIVE, KEY_PSK, "", NULL, s, NULL), -HL_EFORMAT, "empty");
    CHECK_EQ(keyfile_create(path, REALM_LIVE, KEY_PSK, "a\nb", NULL, s, NULL), -HL_EFORMAT, "LF");
    CHECK_EQ(files(), 0, "nothing made");
    longest[127] = 0;
    CHECK_EQ(keyfile_create(path, REALM_LIVE, KEY_PSK, longest, NULL, s, NULL), 0, "127");
    keyfile_destroy(path);
    secret_free(s);
}

/* What replace and destroy leave in the bytes of the old file, seen through a descriptor held open.
 */
static bool overwritten(int fd)
{
    uint8_t bytes[KEYFILE_TEXT_MAX];
    ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

    close(fd);
    return n > 100 && sodium_is_zero(bytes, (size_t)n);
}

static void test_replace_and_destroy(void **state)
{
    struct secret *a = secret_random(32), *b = secret_random(32), *got;
    struct stat st;
    int fd;

    (void)state;
    CHECK_EQ(keyfile_replace(path, REALM_LIVE, KEY_PSK, "x", NULL, a, pass), 0, "the first");
    fd = open(path, O_RDONLY);
    CHECK_EQ(keyfile_replace(path, REALM_LIVE, KEY_PSK, "x", NULL, b, pass), 0, "the second");
    CHECK_EQ(overwritten(fd), 1, "the first is wiped");
    assert_int_equal(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0400, "mode");
    CHECK_EQ(keyfile_load(path, REALM_LIVE, KEY_PSK, pass, &got), 0, "loads");
    CHECK_EQ(span_eq(secret_span(b), secret_span(got)), 1, "the second");
    fd = open(path, O_RDONLY);
    CHECK_EQ(keyfile_destroy(path), 0, "destroyed");
    CHECK_EQ(overwritten(fd), 1, "wiped");
    CHECK_EQ(files(), 0, "gone");
    secret_free(a);
    secret_free(b);
    secret_free(got);
}

static void test_destroy_only_keys(void **state)
{
    static const struct {
        const char *name, *text;
        int want;
    } rows[] = {
        { "a report", "Minutes of the meeting, nothing secret in it at all, by no means\n",
          -HL_EFORMAT },
        { "a card", "hotline/1 live card\nparty arcadia\nserial 1\n", -HL_EFORMAT },
        { "empty", "", -HL_EFORMAT },
        { "a damaged key", "hotline/1 live secret mach", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stat st;

        assert_int_equal(file_create(path, span_str(rows[i].text), 0644), 0);
        CHECK_EQ(keyfile_destroy(path), rows[i].want, rows[i].name);
        CHECK_EQ(stat(path, &st) == 0, rows[i].want != 0, rows[i].name);
        if (rows[i].want) {
            CHECK_EQ(st.st_size, strlen(rows[i].text), rows[i].name);
            CHECK_EQ(st.st_mode & 07777, 0644, rows[i].name);
        }
        unlink(path);
    }
}

static void test_recognised(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } rows[] = {
        { "hotline/1 live secret root\n", true },
        { "hotline/1 exercise secret vault\nname", true },
        { "PRIVATE+KEY+example.com/foo+530d903a+AekyeRrm", true },
        { "-----BEGIN PRIVATE KEY-----\n", true },
        { "AGE-SECRET-KEY-1QQQ", true },
        { "hotline/1 live card\nparty arcadia", false },
        { "hotline/1 live secre", false },
        { "-----BEGIN PUBLIC KEY-----\n", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_EQ(keyfile_recognised(span_str(rows[i].text)), rows[i].want, rows[i].text);
}

static void test_sign_keys(void **state)
{
    uint8_t pub[32], sig[64];
    struct seckey *key;

    (void)state;
    CHECK_EQ(keyfile_new_sign(path, REALM_EXERCISE, KEY_ROOT, "arcadia", pass, pub), 0, "new");
    CHECK_EQ(keyfile_load_sign(path, REALM_EXERCISE, KEY_ROOT, other_pass, &key), -HL_EPASS,
             "pass");
    CHECK_EQ(key == NULL, 1, "pass");
    CHECK_EQ(keyfile_load_sign(path, REALM_EXERCISE, KEY_ROOT, pass, &key), 0, "load");
    CHECK_BYTES(seckey_public(key), pub, 32, "public half");
    seckey_sign(key, span_str("text"), sig);
    CHECK_EQ(crypto_sign_verify_detached(sig, (const uint8_t *)"text", 4, pub), 0, "signs");
    seckey_free(key);
    keyfile_destroy(path);
}

/* Every guarded allocation, write, sync and rename fails once; what stands under the name always
 * loads. */
static void test_failing_calls(void **state)
{
    static const struct {
        const char *name;
        enum fail_kind what;
    } rows[] = {
        { "memory", FAIL_GUARDED },
        { "write", FAIL_WRITE },
        { "sync", FAIL_SYNC },
        { "rename", FAIL_RENAME },
    };
    struct secret *a = secret_random(32), *b = secret_random(32), *got;

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        const char *name = rows[i / 2].name;
        bool replace = i % 2, fired = true;
        int fired_times = 0;

        for (int nth = 1; fired; nth++) {
            int rc;

            if (replace)
                assert_int_equal(keyfile_create(path, REALM_LIVE, KEY_PSK, "x", NULL, a, pass), 0);
            fail_arm(rows[i / 2].what, nth);
            rc = (replace ? keyfile_replace : keyfile_create)(path, REALM_LIVE, KEY_PSK, "x", NULL,
                                                              b, pass);
            fired = fail_disarm();
            fired_times += fired;
            CHECK_EQ(rc != 0, fired, name);
            CHECK_EQ(files() <= 1, 1, name); /* no temporary file */
            CHECK_EQ(!replace || files() == 1, 1, name);
            if (files()) {
                CHECK_EQ(keyfile_load(path, REALM_LIVE, KEY_PSK, pass, &got), 0, name);
                CHECK_EQ(span_eq(secret_span(got), secret_span(b)) ||
                             (replace && fired && span_eq(secret_span(got), secret_span(a))),
                         1, name);
                secret_free(got);
            }
            keyfile_destroy(path);
        }
        CHECK_EQ(fired_times > 0, 1, name);
    }
    secret_free(a);
    secret_free(b);
}

static void test_failing_load(void **state)
{
    struct secret *made, *got;
    bool fired = true;
    int times = 0;

    (void)state;
    assert_int_equal(create(KEY_MACHINE, pass, &made), 0);
    for (int nth = 1; fired; nth++) {
        int rc;

        fail_arm(FAIL_GUARDED, nth);
        rc = keyfile_load(path, REALM_LIVE, KEY_MACHINE, pass, &got);
        fired = fail_disarm();
        times += fired;
        CHECK_EQ(rc, fired ? -HL_ENOMEM : 0, "memory");
        CHECK_EQ(got != NULL, !fired, "memory");
    }
    CHECK_EQ(times > 2, 1, "something failed");
    secret_free(got);
    secret_free(made);
    keyfile_destroy(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_not_files),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_crafted),
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_replace_and_destroy),
        cmocka_unit_test(test_destroy_only_keys),
        cmocka_unit_test(test_recognised),
        cmocka_unit_test(test_sign_keys),
        cmocka_unit_test(test_failing_calls),
        cmocka_unit_test(test_failing_load),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
