#include "common/settings.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/error.h"
#include "tests/check.h"

struct target {
    char *origin, *note;
    int64_t port, mailbox;
    bool quiet;
    struct settings_list members;
};

#define AT(field) offsetof(struct target, field)

static const struct setting table[] = {
    { "origin", SETTING_STRING, AT(origin), true, 1, 20, 0, NULL, "the log's origin" },
    { "note", SETTING_STRING, AT(note), false, 0, 0, 0, "none", NULL },
    { "limits.mailbox_kb", SETTING_INT, AT(mailbox), false, 64, 5000000000, 4096, NULL, NULL },
    { "limits.net.port", SETTING_INT, AT(port), false, 1, 65535, 41873, NULL, NULL },
    { "quiet", SETTING_BOOL, AT(quiet), false, 0, 0, 1, NULL, NULL },
    { "members", SETTING_STRINGS, AT(members), false, 1, 8, 0, NULL, NULL },
};

static char path[64];

static int load(struct span bytes, struct target *t, struct buf *why)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
    assert_int_equal(fclose(f), 0);
    buf_clear(why);
    return settings_load(path, table, COUNT(table), t, why);
}

static void must(struct span bytes, struct target *t, struct buf *why)
{
    if (load(bytes, t, why))
        fail_msg("%s", buf_str(why));
}

static int make_file(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "/tmp/settings-test-XXXXXX");
    fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void good(void **state)
{
    struct target t;
    struct buf why;

    (void)state;
    buf_init(&why, 4096);
    must(span_str("# all of them\n"
                  "origin = \"host/live\";\n"
                  "note = \"a # b // c /* d */ 99999999999999999999\";\n"
                  "limits : { mailbox_kb = 4300000000; net = { port = 0x1F90; } }\n"
                  "quiet = false; members = [ \"arcadia\", \"borealia\" ];\n"),
         &t, &why);
    assert_string_equal(t.origin, "host/live");
    assert_string_equal(t.note, "a # b // c /* d */ 99999999999999999999");
    CHECK_EQ(t.mailbox, 4300000000, "above 32 bits, without any suffix");
    CHECK_EQ(t.port, 8080, "hexadecimal");
    CHECK_EQ(t.quiet, false, "bool");
    CHECK_EQ(t.members.n, 2, "list");
    assert_string_equal(t.members.v[1], "borealia");
    settings_free(table, COUNT(table), &t);
    assert_null(t.origin);
    assert_null(t.members.v);
    buf_release(&why);
}

static void defaults(void **state)
{
    struct target t;
    struct buf why;

    (void)state;
    buf_init(&why, 4096);
    must(span_str("origin = \"x\""), &t, &why);
    assert_string_equal(t.note, "none");
    CHECK_EQ(t.mailbox, 4096, "dflt");
    CHECK_EQ(t.port, 41873, "dflt");
    CHECK_EQ(t.quiet, true, "dflt");
    CHECK_EQ(t.members.n, 0, "dflt");
    settings_free(table, COUNT(table), &t);
    buf_release(&why);
}

#define O "origin = \"x\";\n"

static void refused(void **state)
{
    static const struct {
        const char *name, *text, *want; /* what the line must say after the file's name */
        size_t n;
    } rows[] = {
        { "empty", "", ":1: error: nothing is set in this file", 0 },
        { "only a comment", "# x\n", ":1: error: nothing is set", 0 },
        { "required", "quiet = true;", ":1: error: 'origin' is missing: the log's origin", 0 },
        { "unknown", O "colour = 1;", ":2: error: unknown setting 'colour'\n", 0 },
        { "one typo", O "qiuet = true;",
          ":2: error: unknown setting 'qiuet'; did you mean 'quiet'?", 0 },
        { "nested typo", O "\nlimits = { mailbx_kb = 70; }",
          ":3: error: unknown setting 'limits.mailbx_kb'; did you mean 'limits.mailbox_kb'?", 0 },
        { "unknown group", O "limit = { mailbox_kb = 70; }", ":2: error: unknown setting 'limit'",
          0 },
        { "a group that is none", O "limits = 5;", ":2: error: 'limits' must be a group", 0 },
        { "string for int", O "limits = { mailbox_kb = \"70\"; }", "must be a whole number", 0 },
        { "float for int", O "limits = { mailbox_kb = 1e3; }", "must be a whole number", 0 },
        { "int for bool", O "quiet = 1;", ":2: error: 'quiet' must be true or false", 0 },
        { "int for string", "origin = 5;", "'origin' must be text in quotes", 0 },
        { "string for list", O "members = \"x\";", "'members' must be a list of texts", 0 },
        { "ints in a list", O "members = [ 1 ];", "'members' must be a list of texts", 0 },
        { "group for int", O "limits = { mailbox_kb = { a = 1; }; }", "must be a whole number", 0 },
        { "too small", O "limits = { mailbox_kb = 63; }", "is 63; allowed are 64 to 5000000000",
          0 },
        { "too large", O "limits = { net = { port = 65536; }; }", "allowed are 1 to 65535", 0 },
        { "negative", O "limits = { net = { port = -1; }; }", "is -1; allowed", 0 },
        { "wraps in 32 bits", O "limits = { net = { port = 4294967297; }; }",
          "is 4294967297; allowed", 0 },
        { "wraps in 32 bits, hex", O "limits = { net = { port = 0x100000001; }; }", "allowed are",
          0 },
        { "beyond 63 bits", O "limits = { net = { port = 9223372036854775808; }; }",
          ":2: error: the number is too large", 0 },
        { "beyond 63 bits, L", O "limits = { net = { port = 99999999999999999999L; }; }",
          "too large", 0 },
        { "empty string", "origin = \"\";", "has 0 bytes; allowed are 1 to 20", 0 },
        { "long string", "origin = \"012345678901234567890\";", "has 21 bytes", 0 },
        { "long list item", O "members = [ \"123456789\" ];", "'members' has 9 bytes", 0 },
        { "twice", O O, ":2: error: duplicate setting name", 0 },
        { "syntax", O "quiet = ;", ":2: error: syntax error", 0 },
        { "include", O "\n  @include \"/etc/passwd\"\n", ":3: error: @include is not allowed", 0 },
        { "include in a string", "origin = \"@include\";", ":1: error: @include is not allowed",
          0 },
        { "include in a comment", O "/* \n@include \"x\" */", ":3: error: @include is not allowed",
          0 },
        { "NUL", O "\0quiet = 1;", ":2: error: not plain UTF-8", sizeof(O "\0quiet = 1;") - 1 },
        { "direction override", "# \xe2\x80\xae\n" O, ":1: error: not plain UTF-8", 0 },
        { "escape", O "note = \"\x1b[2J\";", ":2: error: not plain UTF-8", 0 },
        { "escape by escape", O "note = \"\\x1b[2J\";", ":2: error: a control or direction", 0 },
        { "open string", O "note = \"abc", "error: syntax error", 0 },
        { "open comment", "origin /* abc", "error: syntax error", 0 },
        { "a hundred brackets", O "note = ((((((((((((((((((((((((((((((",
          ":2: error: nested too deep", 0 },
    };
    struct target t;
    struct buf why;

    (void)state;
    buf_init(&why, 4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span bytes = rows[i].n ? SPAN(rows[i].text, rows[i].n) : span_str(rows[i].text);

        CHECK_EQ(load(bytes, &t, &why), -HL_ECONFIG, rows[i].name);
        if (!strstr(buf_str(&why), rows[i].want) || strncmp(buf_str(&why), path, strlen(path)) != 0)
            fail_msg("[%s] got: %swant: %s", rows[i].name, buf_str(&why), rows[i].want);
        assert_null(t.origin);
        assert_null(t.members.v);
    }
    CHECK_EQ(settings_load("/nonexistent", table, COUNT(table), &t, &why), -HL_ENOENT, "no file");
    buf_release(&why);
}

static void crlf_is_read(void **state)
{
    struct target t;
    struct buf why;

    (void)state;
    buf_init(&why, 4096);
    must(span_str("origin = \"x\";\r\nquiet = false;\r\n"), &t, &why);
    settings_free(table, COUNT(table), &t);
    buf_release(&why);
}

static void dump_names_the_origin(void **state)
{
    struct target t;
    struct buf why, out;
    char want[1024];

    (void)state;
    buf_init(&why, 4096);
    buf_init(&out, 4096);
    must(span_str("origin = \"a\\\"b\";\n\nmembers = [ \"x\", \"y\" ];"), &t, &why);
    CHECK_EQ(settings_dump(path, table, COUNT(table), &out), 0, "dump");
    snprintf(want, sizeof(want),
             "origin = \"a\\\"b\"; # %s:1\n"
             "note = \"none\"; # built-in\n"
             "limits.mailbox_kb = 4096; # built-in\n"
             "limits.net.port = 41873; # built-in\n"
             "quiet = true; # built-in\n"
             "members = [ \"x\", \"y\" ]; # %s:3\n",
             path, path);
    assert_string_equal(buf_str(&out), want);
    settings_free(table, COUNT(table), &t);
    buf_release(&out);
    buf_release(&why);
}

/* Every prefix of a good file is read or refused, never more. */
static void truncated(void **state)
{
    static const char text[] =
        "origin = \"x\"; limits = { mailbox_kb = 0x7f; net : { port = 5L } }\n"
        "/* c */ members = ( \"a\\\"\", \"b\" ); // end\n";

    (void)state;
    for (size_t n = 0; n < sizeof(text); n++) {
        uint8_t *exact = malloc(n ? n : 1);
        struct buf why;
        config_t c;

        memcpy(exact, text, n);
        buf_init(&why, 4096);
        config_init(&c);
        if (conf_parse(&c, "t", SPAN(exact, n), &why) && why.n == 0)
            fail_msg("%zu bytes: an error without a word", n);
        config_destroy(&c);
        buf_release(&why);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(defaults),
        cmocka_unit_test(refused),
        cmocka_unit_test(crlf_is_read),
        cmocka_unit_test(dump_names_the_origin),
        cmocka_unit_test(truncated),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
