#include "client/form.h"

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "tests/check.h"

#define RELEASE UINT64_C(1795312142000) /* 2026-11-22T01:49:02Z */
#define MINUTE UINT64_C(60000)

static struct phrasebook *book;

static int open_book(void **state)
{
    struct buf why;
    int rc;

    (void)state;
    buf_init(&why, 4096);
    rc = phrasebook_open(&book, "conf/phrasebook/core.cfg", &why);
    buf_release(&why);
    return rc;
}

static int close_book(void **state)
{
    (void)state;
    phrasebook_free(book);
    return 0;
}

static struct form_field field_of(const struct form *f, unsigned number)
{
    struct form_field field = { 0 };

    for (size_t i = 0; i < f->n; i++)
        if (f->field[i].number == number)
            CHECK_EQ(form_field_decode(&field, f->field[i].bytes), 0, "decodes");
    return field;
}

static void check_text(const struct form_field *f, size_t i, unsigned type, const char *want)
{
    CHECK_EQ(f->param[i].type, type, want);
    if (!span_eq_str(f->param[i].bytes, want))
        fail_msg("got '%.*s', want '%s'", (int)f->param[i].bytes.n,
                 (const char *)f->param[i].bytes.p, want);
}

static void the_demo_notification(void **state)
{
    struct form_field f;
    struct form *form;
    struct span rest, id;
    struct buf why;
    size_t left = 0;

    (void)state;
    buf_init(&why, 4096);
    if (form_read(&form, "conf/demo/notification.cfg", book, RELEASE, &why))
        fail_msg("%s", buf_str(&why));
    assert_string_equal(form->id, "ICT-1");
    assert_string_equal(form->channel, "arcadia-borealia.crisis");
    assert_string_equal(form->subject, "ICT-1 initial");
    assert_string_equal(form->marking, "TLP:AMBER+STRICT");
    CHECK_EQ(form->kind, KIND_NOTIFICATION, "kind of the form");
    CHECK_EQ(form->precedence, PRECEDENCE_FLASH, "precedence");
    CHECK_EQ(form->ack_within_s, 600, "ack_within_min");
    CHECK_EQ(form->action.n, 1, "action");
    assert_string_equal(form->info.v[0], "arcadia.diplomatic");
    CHECK_EQ(form->n, 21, "20 fields and the stage");
    CHECK_BYTES(form->phrasebook, phrasebook_digest(book), 32, "digest");

    f = field_of(form, 2);
    check_text(&f, 0, PARAM_CODE, "disruption-of-operation");
    check_text(&f, 1, PARAM_CODE, "likely");
    f = field_of(form, 3);
    CHECK_EQ(f.param[0].type, PARAM_TIME, "began");
    CHECK_EQ(f.param[0].u, RELEASE - 2000 - 130 * MINUTE, "T-02:10, to the minute");
    CHECK_EQ(f.param[1].type, PARAM_DURATION, "accuracy_min");
    CHECK_EQ(f.param[1].u, 1200, "seconds");
    f = field_of(form, 4);
    CHECK_EQ(f.param[2].type, PARAM_BOOL, "critical");
    CHECK_EQ(f.param[2].u, 1, "critical");
    f = field_of(form, 5);
    CHECK_EQ(f.param[4].u, 83000, "customers");
    check_text(&f, 6, PARAM_CODE, "manual-under-way");
    f = field_of(form, 14);
    check_text(&f, 0, PARAM_TEXT, "b");
    CHECK_EQ(f.param[2].u, RELEASE - 2000 - 2880 * MINUTE, "T-48:00");
    f = field_of(form, 16);
    CHECK_EQ(f.param[1].u, RELEASE - 2000 + 1440 * MINUTE, "T+24:00");
    f = field_of(form, 19);
    rest = f.param[0].bytes;
    assert_true(param_list_next(&rest, &left, &id));
    assert_true(span_eq_str(id, "operator"));
    assert_true(param_list_next(&rest, &left, &id));
    assert_true(span_eq_str(id, "network-details"));
    CHECK_EQ(left, 0, "two");
    f = field_of(form, FORM_STAGE);
    check_text(&f, 0, PARAM_CODE, "initial");
    form_free(form);
    buf_release(&why);
}

/* With its envelope the whole notification must fit the bucket that a FLASH may have. */
static void the_demo_notification_is_bare(void **state)
{
    struct content c = { .n = CONTENT_FIXED };
    static char names[CONTENT_NUMBER_MAX][4];
    struct form *form;
    struct buf why, out;

    (void)state;
    buf_init(&why, 4096);
    buf_init(&out, CONTENT_MAX);
    if (form_read(&form, "conf/demo/notification.cfg", book, RELEASE, &why))
        fail_msg("%s", buf_str(&why));
    c.subject = span_str(form->subject);
    c.language = span_str(form->language);
    c.form = span_str(form->id);
    c.phrasebook = SPAN(form->phrasebook, 32);
    for (size_t i = 0; i < form->n; i++, c.n++) {
        snprintf(names[i], sizeof(names[i]), "%u", form->field[i].number);
        c.name[c.n] = span_str(names[i]);
        c.field[c.n] = form->field[i].bytes;
    }
    CHECK_EQ(content_put(&out, &c), 0, "content");
    CHECK_EQ(content_bucket(out.n), 4096, "the smallest bucket");
    form_free(form);
    buf_release(&why);
    buf_release(&out);
}

static void the_other_demo_forms(void **state)
{
    static const struct {
        const char *path;
        unsigned kind;
        size_t n;
    } rows[] = {
        { "conf/demo/reply.cfg", KIND_REPLY, 11 },
        { "conf/demo/annex.cfg", KIND_INFORMATION, 3 },
        { "conf/demo/closure.cfg", KIND_INFORMATION, 5 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct form *form;
        struct buf why;

        buf_init(&why, 4096);
        if (form_read(&form, rows[i].path, book, RELEASE, &why))
            fail_msg("%s", buf_str(&why));
        CHECK_EQ(form->kind, rows[i].kind, rows[i].path);
        CHECK_EQ(form->n, rows[i].n, rows[i].path);
        form_free(form);
        buf_release(&why);
    }
}

static int parse(const char *text, struct form **form, struct buf *why)
{
    buf_clear(why);
    return form_parse(form, "f", span_str(text), book, RELEASE, why);
}

static void unknown_and_withheld(void **state)
{
    struct form_field f;
    struct form *form;
    struct buf why;

    (void)state;
    buf_init(&why, 4096);
    if (parse("form = \"ICT-1\"; text = \"line\\nline\"; fields = (\n"
              "{ n = 6; code = \"SEV-01\"; state = \"unknown\"; },\n"
              "{ n = 7; code = \"XBR-02\"; state = \"withheld\"; } );",
              &form, &why))
        fail_msg("%s", buf_str(&why));
    f = field_of(form, 6);
    CHECK_EQ(f.state, FIELD_UNKNOWN, "unknown");
    CHECK_EQ(f.n, 0, "no parameters");
    CHECK_EQ(field_of(form, 7).state, FIELD_WITHHELD, "withheld");
    assert_string_equal(form->text, "line\nline");
    assert_string_equal(form->subject, "ICT-1");
    CHECK_EQ(form->precedence, PRECEDENCE_ROUTINE, "default");
    form_free(form);
    buf_release(&why);
}

static void times(void **state)
{
    static const struct {
        const char *text;
        uint64_t want; /* minutes since 1970; 0: refused */
    } rows[] = {
        { "T-00:00", RELEASE / MINUTE },
        { "T+00:00", RELEASE / MINUTE },
        { "T-00:01", RELEASE / MINUTE - 1 },
        { "T+100:59", RELEASE / MINUTE + 6059 },
        { "T-999:00", RELEASE / MINUTE - 59940 },
        { "2026-11-22T01:49:59Z", RELEASE / MINUTE },
        { "2026-11-22", RELEASE / MINUTE - 109 },
        { "T-00:60", 0 },
        { "T-0:10", 0 },
        { "T00:10", 0 },
        { "T-00:1", 0 },
        { "T-00:100", 0 },
        { "T--1:10", 0 },
        { "T-aa:10", 0 },
        { "T-00:1a", 0 },
        { "T-1000:00", 0 },
        { "", 0 },
        { "t-00:10", 0 },
        { "T-00.10", 0 },
        { "T-0x:10", 0 },
        { "now", 0 },
    };
    struct buf why, text;

    (void)state;
    buf_init(&why, 4096);
    buf_init(&text, 4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct form *form;
        int rc;

        buf_clear(&text);
        buf_printf(&text,
                   "form = \"ICT-3\"; fields = ( { n = 2; code = \"FIN-01\"; outcome = "
                   "\"resolved\"; at = \"%s\"; } );",
                   rows[i].text);
        rc = parse(buf_str(&text), &form, &why);
        CHECK_EQ(rc, rows[i].want ? 0 : -HL_ECONFIG, rows[i].text);
        if (rc == 0)
            CHECK_EQ(field_of(form, 2).param[1].u / MINUTE, rows[i].want, rows[i].text);
        else
            assert_non_null(strstr(buf_str(&why), "f:1: error: 'at' must be a time"));
        form_free(form);
    }
    buf_release(&why);
    buf_release(&text);
}

#define HEAD "form = \"ICT-1\";\n"
#define SEV(rest) HEAD "fields = ( {\n n = 6; code = \"SEV-01\"; " rest " } );"

static void refused(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        { "empty", "", "f:1: error: nothing is set" },
        { "no form", "fields = ( );", "f:1: error: 'form' is missing" },
        { "no fields", HEAD, "f:1: error: 'fields' is missing" },
        { "fields empty", HEAD "fields = ( );", "f:2: error: 'fields' must be a list" },
        { "fields no list", HEAD "fields = { n = 1; };", "f:2: error: 'fields' must be a list" },
        { "field no group", HEAD "fields = ( 1 );", "must be { n = ..; code = ..; ... }" },
        { "unknown form", "form = \"ICT-l\"; fields = ( { n = 1; } );",
          "f:1: error: unknown form 'ICT-l'; did you mean 'ICT-1'?" },
        { "unknown setting", HEAD "precedense = \"FLASH\"; fields = ( );",
          "f:2: error: unknown setting 'precedense'; did you mean 'precedence'?" },
        { "precedence", "\nprecedence = \"URGENT\";" HEAD "fields = ( );",
          "f:2: error: unknown precedence 'URGENT'" },
        { "kind", "kind = \"letter\";" HEAD "fields = ( );", "f:1: error: unknown kind 'letter'" },
        { "channel", "channel = \"Crisis\";" HEAD "fields = ( );",
          "f:1: error: 'Crisis' is not the name of a channel" },
        { "recipient", "action = [ \"arcadia\" ];" HEAD "fields = ( );",
          "f:1: error: 'arcadia' is not the name of a point of contact" },
        { "language", "language = \"fr\";" HEAD "fields = ( );",
          "f:1: error: the phrasebook has no language 'fr'" },
        { "stage",
          "stage = \"first\";" SEV("common = \"severe\"; national = \"4\"; trend = \"stable\";"),
          "f:1: error: unknown stage 'first'" },
        { "unknown code", HEAD "fields = ( { n = 6;\n code = \"SEV-0l\"; } );",
          "f:2: error: unknown phrase 'SEV-0l'; did you mean 'SEV-01'?" },
        { "no code", HEAD "fields = ( { n = 6; } );", "a field has a number n and a phrase code" },
        { "no number", HEAD "fields = ( { code = \"SEV-01\"; } );",
          "a field has a number n and a phrase code" },
        { "number beyond", HEAD "fields = ( { n = 21; code = \"SEV-01\"; } );",
          "form ICT-1 has fields 1 to 20, not 21" },
        { "number wraps", HEAD "fields = ( { n = 4294967302; code = \"SEV-01\"; } );",
          "has fields 1 to 20, not 0" },
        { "another family", HEAD "fields = ( { n = 7; code = \"SEV-01\"; } );",
          "field 7 of form ICT-1 takes phrases XBR-.., not SEV-01" },
        { "twice",
          HEAD "fields = ( { n = 10; code = \"ATT-00\"; }, { n = 10; code = \"ATT-00\"; } );",
          "field 10 stands out of order or twice" },
        { "missing parameter", SEV("common = \"severe\"; trend = \"stable\";"),
          "SEV-01: 'national' is missing" },
        { "unknown parameter", SEV("comon = \"severe\";"),
          "f:3: error: unknown parameter 'comon'; did you mean 'common'?" },
        { "unknown word", SEV("common = \"sevre\"; national = \"4\"; trend = \"stable\";"),
          "f:3: error: unknown word of 'severity' 'sevre'; did you mean 'severe'?" },
        { "number for word", SEV("common = 4; national = \"4\"; trend = \"stable\";"),
          "'common' must be a word in quotes" },
        { "number for name", SEV("common = \"severe\"; national = 4; trend = \"stable\";"),
          "'national' must be a name in quotes" },
        { "two lines in a name",
          SEV("common = \"severe\"; national = \"4\\n5\"; trend = \"stable\";"),
          "'national' must be a name in quotes" },
        { "a long name",
          SEV("common = \"severe\"; national = "
              "\"01234567890123456789012345678901234567890123456789012345678901234\"; trend = "
              "\"stable\";"),
          "1 to 64 bytes" },
        { "state", SEV("state = \"secret\";"), "'state' must be \"unknown\" or \"withheld\"" },
        { "withheld and said", SEV("state = \"withheld\"; trend = \"stable\";"),
          "SEV-01 is not stated, so 'trend' must be left out" },
        { "word for bool",
          HEAD "fields = ( { n = 4; code = \"SEC-03\"; sector = \"energy\"; subsector = \"rail\"; "
               "critical = \"yes\"; } );",
          "'critical' must be true or false" },
        { "negative",
          "form = \"ICT-4\"; fields = ( { n = 3; code = \"CLK-03\"; accuracy_s = -1; } );",
          "'accuracy_s' must be a whole number, not negative" },
        { "one word for a list",
          HEAD "fields = ( { n = 19; code = \"WHL-01\"; withheld = \"operator\"; reason = "
               "\"national law\"; } );",
          "'withheld' must be a list of words" },
        { "empty list",
          HEAD
          "fields = ( { n = 19; code = \"WHL-01\"; withheld = [ ]; reason = \"national law\"; } );",
          "'withheld' must be a list of words" },
        { "State unknown",
          HEAD "fields = ( { n = 9; code = \"ORI-02\"; territory = \"ATLANTIS\"; "
               "may_be_compromised = true; } );",
          "unknown word of 'party' 'ATLANTIS'" },
        { "include", HEAD "@include \"/etc/passwd\"", "f:2: error: @include is not allowed" },
    };
    struct form *form;
    struct buf why;

    (void)state;
    buf_init(&why, 4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_EQ(parse(rows[i].text, &form, &why), -HL_ECONFIG, rows[i].name);
        assert_null(form);
        if (!strstr(buf_str(&why), rows[i].want))
            fail_msg("[%s] got: %swant: %s", rows[i].name, buf_str(&why), rows[i].want);
    }
    CHECK_EQ(form_read(&form, "/nonexistent", book, RELEASE, &why), -HL_ENOENT, "missing file");
    form_free(NULL);
    buf_release(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_notification),
        cmocka_unit_test(the_demo_notification_is_bare),
        cmocka_unit_test(the_other_demo_forms),
        cmocka_unit_test(unknown_and_withheld),
        cmocka_unit_test(times),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, open_book, close_book);
}
