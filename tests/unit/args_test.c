#include "tests/check.h"

#include "client/args.h"
#include "common/error.h"

static const struct arg_spec specs[] = {
    { "channel", 0, "NAME", "channel", "" },
    { "wait", 'W', "SECONDS", "wait_s", "" },
    { "all", 'a', NULL, "all", "" },
    { NULL, 0, NULL, NULL, NULL },
};

/* argv is split at spaces; "_" stands for an empty word. */
static int parse(struct args *a, char *line, struct buf *why)
{
    char *argv[16], *end = line;
    int argc = 0;

    while (*end && argc < 16) {
        argv[argc++] = end;
        end += strcspn(end, " ");
        if (*end)
            *end++ = 0;
    }
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "_") == 0)
            argv[i][0] = 0;
    return args_parse(a, specs, argc, argv, why);
}

static const struct {
    const char *line;
    int want;
    const char *channel, *wait, *all; /* NULL: absent */
    size_t positional;
    const char *why; /* the whole sentence */
} rows[] = {
    { "", 0, NULL, NULL, NULL, 0, "" },
    { "x y", 0, NULL, NULL, NULL, 2, "" },
    { "--channel c x", 0, "c", NULL, NULL, 1, "" },
    { "x --channel=c", 0, "c", NULL, NULL, 1, "" },
    { "--channel=", 0, "", NULL, NULL, 0, "" },
    { "--channel _", 0, "", NULL, NULL, 0, "" },
    { "--channel=a=b", 0, "a=b", NULL, NULL, 0, "" },
    { "--channel a --channel b", 0, "b", NULL, NULL, 0, "" },
    { "--channel --all", 0, "--all", NULL, NULL, 0, "" },
    { "-W 5 -a", 0, NULL, "5", "1", 0, "" },
    { "-W5", 0, NULL, "5", NULL, 0, "" },
    { "x --all y", 0, NULL, NULL, "1", 2, "" },
    { "-- --all -W", 0, NULL, NULL, NULL, 2, "" },
    { "-", 0, NULL, NULL, NULL, 1, "" },
    { "_", 0, NULL, NULL, NULL, 1, "" },
    { "--chanel c", -HL_EUSAGE, NULL, NULL, NULL, 0,
      "unknown option --chanel; did you mean --channel?" },
    { "--nothing", -HL_EUSAGE, NULL, NULL, NULL, 0, "unknown option --nothing" },
    { "--chan c", -HL_EUSAGE, NULL, NULL, NULL, 0, "unknown option --chan" },
    { "-x", -HL_EUSAGE, NULL, NULL, NULL, 0, "unknown option -x" },
    { "--all=1", -HL_EUSAGE, NULL, NULL, NULL, 0, "--all takes no value" },
    { "-a1", -HL_EUSAGE, NULL, NULL, NULL, 0, "--all takes no value" },
    { "--channel", -HL_EUSAGE, NULL, NULL, NULL, 0, "--channel needs NAME" },
    { "-W", -HL_EUSAGE, NULL, NULL, NULL, 0, "--wait needs SECONDS" },
};

static void check_word(const char *got, const char *want, const char *row)
{
    CHECK_EQ(got != NULL, want != NULL, row);
    if (want)
        CHECK_EQ(strcmp(got, want), 0, row);
}

static void lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *row = rows[i].line;
        struct args a;
        struct buf why;
        char line[80];

        buf_init(&why, 1024);
        snprintf(line, sizeof(line), "%s", row);
        CHECK_EQ(parse(&a, line, &why), rows[i].want, row);
        CHECK_EQ(strcmp(buf_str(&why), rows[i].why), 0, row);
        if (!rows[i].want) {
            CHECK_EQ(a.n_positional, rows[i].positional, row);
            check_word(args_get(&a, "channel"), rows[i].channel, row);
            check_word(args_get(&a, "wait"), rows[i].wait, row);
            check_word(args_get(&a, "all"), rows[i].all, row);
        }
        buf_release(&why);
    }
}

static void several_of_one_name(void **state)
{
    char line[] = "--channel a --all --channel b";
    struct args a;
    struct buf why;

    (void)state;
    buf_init(&why, 1024);
    CHECK_EQ(parse(&a, line, &why), 0, "parse");
    check_word(args_nth(&a, "channel", 0), "a", "first");
    check_word(args_nth(&a, "channel", 1), "b", "second");
    check_word(args_nth(&a, "channel", 2), NULL, "third");
    buf_release(&why);
}

/* One word more than there is room for is refused, not written behind the end. */
static void as_many_as_fit(void **state)
{
    static char word[] = "x", flag[] = "-a";
    static char *argv[ARGS_MAX + 1];
    static const char *const kinds[] = { word, flag };

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct args a;
        struct buf why;

        for (size_t i = 0; i < COUNT(argv); i++)
            argv[i] = k ? flag : word;
        buf_init(&why, 1024);
        CHECK_EQ(args_parse(&a, specs, ARGS_MAX, argv, &why), 0, kinds[k]);
        CHECK_EQ(args_parse(&a, specs, ARGS_MAX + 1, argv, &why), -HL_EUSAGE, kinds[k]);
        buf_release(&why);
    }
}

static void near_words(void **state)
{
    static const char *const list[] = { "inbox", "outbox", "status", NULL };
    static const struct {
        const char *word, *want;
    } near[] = {
        { "inbox", "inbox" },  { "inbx", "inbox" }, { "statsu", "status" },
        { "outbx", "outbox" }, { "release", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(near); i++)
        check_word(nearest(near[i].word, list), near[i].want, near[i].word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(several_of_one_name),
        cmocka_unit_test(as_many_as_fit),
        cmocka_unit_test(near_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
