#include "tests/check.h"

#include "client/output.h"

static const struct {
    const char *key;
    enum value_type type;
    const char *value;
    size_t n;
    const char *want; /* as a person reads it */
} rows[] = {
    { "subject", VALUE_TEXT, "port closed", 11, "port closed" },
    { "subject", VALUE_TEXT, "a\033[2Jb\n", 7, "a\\x1b[2Jb\\x0a" },
    { "signed", VALUE_TEXT, "arcadia", 7, "arcadia" },
    { "size", VALUE_NUMBER, "42", 2, "42" },
    { "pinned", VALUE_FLAG, "1", 1, "yes" },
    { "pinned", VALUE_FLAG, "0", 1, "no" },
    { "mid", VALUE_HEX, "\x00\xff\x10", 3, "00ff10" },
    { "bytes", VALUE_BASE64, "abc", 3, "YWJj" },
    { "due_ms", VALUE_TIME, "0", 1, "" },
    { "due_ms", VALUE_TIME, "1763776142000", 13, "2025-11-22T01:49:02Z" },
    { "_ms", VALUE_TEXT, "7", 1, "7" },
    { "ms", VALUE_NUMBER, "7", 1, "7" },
};

static void values(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;

        buf_init(&b, 1024);
        CHECK_EQ(output_type(rows[i].key), rows[i].type, rows[i].key);
        output_value(&b, rows[i].key, SPAN(rows[i].value, rows[i].n));
        if (strcmp(buf_str(&b), rows[i].want) != 0)
            fprintf(stderr, "[%s] got \"%s\"\n", rows[i].key, buf_str(&b));
        CHECK_EQ(strcmp(buf_str(&b), rows[i].want), 0, rows[i].key);
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
