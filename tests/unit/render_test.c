#include "client/render.h"

#include <stdlib.h>

#include "client/form.h"
#include "client/render_text.h"
#include "common/cbor.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "tests/check.h"

#define RELEASE UINT64_C(1795312142000) /* 2026-11-22T01:49:02Z */
#define BOOK "conf/phrasebook/core.cfg"

static struct phrasebook *book;

static int open_book(void **state)
{
    struct buf why;
    int rc;

    (void)state;
    buf_init(&why, 4096);
    rc = phrasebook_open(&book, BOOK, &why);
    if (rc)
        fputs(buf_str(&why), stderr);
    buf_release(&why);
    return rc;
}

static int close_book(void **state)
{
    (void)state;
    phrasebook_free(book);
    return 0;
}

static const struct render_to to_arcadia[] = {
    { { (const uint8_t *)"arcadia.technical", 17 }, ROLE_ACTION },
    { { (const uint8_t *)"arcadia.diplomatic", 18 }, ROLE_INFORMATION },
};
static const struct render_to to_borealia[] = {
    { { (const uint8_t *)"borealia.technical", 18 }, ROLE_ACTION },
    { { (const uint8_t *)"borealia.diplomatic", 19 }, ROLE_INFORMATION },
};

static struct render_facts notification(void)
{
    return (struct render_facts){
        .realm = REALM_EXERCISE,
        .exercise = span_str("NORTHERN LAMP 26"),
        .precedence = PRECEDENCE_FLASH,
        .kind = KIND_NOTIFICATION,
        .marking = span_str("TLP:AMBER+STRICT"),
        .category = span_str("incident"),
        .number = span_str("BOREALIA 7-6"),
        .channel = span_str("arcadia-borealia.crisis"),
        .sender = span_str("borealia.technical"),
        .n_to = COUNT(to_arcadia),
        .to = to_arcadia,
        .sealed_ms = RELEASE,
        .ack_due_ms = RELEASE + 600000,
    };
}

/* The content of a form as the sender's client would make it. */
static void content_of(struct content *c, const struct form *f)
{
    static char names[CONTENT_NUMBER_MAX][4];

    *c = (struct content){
        .subject = span_str(f->subject),
        .language = span_str(f->language),
        .form = span_str(f->id),
        .phrasebook = SPAN(f->phrasebook, 32),
        .n = CONTENT_FIXED + f->n,
    };
    for (size_t i = 0; i < f->n; i++) {
        snprintf(names[i], sizeof(names[i]), "%u", f->field[i].number);
        c->name[CONTENT_FIXED + i] = span_str(names[i]);
        c->field[CONTENT_FIXED + i] = f->field[i].bytes;
    }
}

static struct form *form_of(const char *path, uint64_t release)
{
    struct form *f;
    struct buf why;

    buf_init(&why, 4096);
    if (form_read(&f, path, book, release, &why))
        fail_msg("%s", buf_str(&why));
    buf_release(&why);
    return f;
}

/* GOLDEN=1 writes the files anew; a reader then compares them. */
static void check_golden(const char *path, const struct buf *got)
{
    struct buf want;

    if (getenv("GOLDEN"))
        CHECK_EQ(file_publish(path, buf_span(got), 0644), 0, path);
    buf_init(&want, 1 << 20);
    CHECK_EQ(file_read(path, &want), 0, path);
    if (!span_eq(buf_span(got), buf_span(&want)))
        fail_msg("differs from %s:\n%.*s", path, (int)got->n, (const char *)got->p);
    buf_release(&want);
}

static void golden(const char *lang, const char *form, uint64_t release, struct render_facts facts,
                   const char *path)
{
    struct form *f = form_of(form, release);
    struct content c;
    struct buf out;

    content_of(&c, f);
    buf_init(&out, RENDER_MAX);
    CHECK_EQ(render_message(&out, book, (size_t)phrasebook_find_language(book, span_str(lang)),
                            &facts, &c),
             0, path);
    check_golden(path, &out);
    buf_release(&out);
    form_free(f);
}

static void demo_notification(void **state)
{
    (void)state;
    golden("en", "conf/demo/notification.cfg", RELEASE, notification(),
           "tests/vectors/rendered-notification-en.txt");
    golden("ar", "conf/demo/notification.cfg", RELEASE, notification(),
           "tests/vectors/rendered-notification-ar.txt");
}

static void demo_others(void **state)
{
    struct render_facts facts = notification();

    (void)state;
    facts.precedence = PRECEDENCE_IMMEDIATE;
    facts.kind = KIND_REPLY;
    facts.number = span_str("ARCADIA 4-5");
    facts.sender = span_str("arcadia.technical");
    facts.to = to_borealia;
    facts.ack_due_ms = 0;
    facts.sealed_ms = RELEASE + 20 * 60000;
    golden("en", "conf/demo/reply.cfg", facts.sealed_ms, facts,
           "tests/vectors/rendered-reply-en.txt");
    facts.precedence = PRECEDENCE_ROUTINE;
    facts.kind = KIND_INFORMATION;
    golden("ar", "conf/demo/closure.cfg", facts.sealed_ms, facts,
           "tests/vectors/rendered-closure-ar.txt");
    facts.precedence = PRECEDENCE_PRIORITY;
    facts.category = span_str("observables");
    facts.channel = span_str("arcadia-borealia.technical");
    facts.n_to = 1;
    golden("en", "conf/demo/annex.cfg", facts.sealed_ms, facts,
           "tests/vectors/rendered-annex-en.txt");
}

/* Renders one message with one field (and perhaps free text) that need not come from a form. */
static void render_one(struct buf *out, const char *lang, enum realm realm,
                       const struct form_field *f, struct span text)
{
    struct render_facts facts = notification();
    struct content c = { .subject = span_str("ICT-1"),
                         .language = span_str("en"),
                         .form = span_str("ICT-1"),
                         .n = CONTENT_FIXED };
    struct buf field;

    facts.realm = realm;
    buf_init(&field, CONTENT_MAX);
    if (f) {
        CHECK_EQ(form_field_put(&field, f), 0, "field");
        c.name[c.n] = span_str("7");
        c.field[c.n++] = buf_span(&field);
    }
    if (text.n) {
        c.name[c.n] = span_str("text");
        c.field[c.n++] = text;
    }
    buf_clear(out);
    CHECK_EQ(render_message(out, book, (size_t)phrasebook_find_language(book, span_str(lang)),
                            &facts, &c),
             0, lang);
    buf_release(&field);
}

static void require(struct buf *out, const char *part)
{
    if (!strstr(buf_str(out), part))
        fail_msg("missing '%s' in:\n%s", part, buf_str(out));
}

static void refuse(struct buf *out, const char *part)
{
    if (strstr(buf_str(out), part))
        fail_msg("found '%s' in:\n%s", part, buf_str(out));
}

#define FSI "\xe2\x81\xa8"
#define PDI "\xe2\x81\xa9"
#define RLM "\xe2\x80\x8f"

static void nothing_is_hidden(void **state)
{
    struct form_field f = { .number = 7, .code = span_str("ZZZ-77"), .n = 2 };
    struct buf out;

    (void)state;
    buf_init(&out, RENDER_MAX);
    f.param[0] = (struct param){ .name = span_str("what"),
                                 .type = PARAM_TEXT,
                                 .bytes = span_str("some thing") };
    f.param[1] = (struct param){ .name = span_str("at"), .type = PARAM_TIME, .u = RELEASE };
    render_one(&out, "en", REALM_EXERCISE, &f, SPAN_NONE);
    require(&out, " 7 ZZZ-77        [NO TRANSLATION] ZZZ-77 what = some thing; at =\n"
                  "                 2026-11-22T01:49:02Z\n");

    /* known phrase, one parameter too many: filling in the text would hide it */
    f.code = span_str("CLO-01");
    f.param[0] =
        (struct param){ .name = span_str("of"), .type = PARAM_TEXT, .bytes = span_str("X 1-2") };
    render_one(&out, "en", REALM_EXERCISE, &f, SPAN_NONE);
    require(&out, "[UNREADABLE FIELD] CLO-01 of = X 1-2; at = 2026-11-22T01:49:02Z");

    /* one too few, or of another type */
    f.n = 1;
    f.param[0].name = span_str("off");
    render_one(&out, "en", REALM_EXERCISE, &f, SPAN_NONE);
    require(&out, "[UNREADABLE FIELD] CLO-01 off = X 1-2");
    f.param[0] = (struct param){ .name = span_str("of"), .type = PARAM_UINT, .u = 12 };
    render_one(&out, "en", REALM_EXERCISE, &f, SPAN_NONE);
    require(&out, "[UNREADABLE FIELD] CLO-01 of = 12");

    /* a word that this book does not have */
    f = (struct form_field){ .number = 7, .code = span_str("FUP-01"), .n = 1 };
    f.param[0] = (struct param){ .name = span_str("follow_up"),
                                 .type = PARAM_CODE,
                                 .bytes = span_str("new-word") };
    render_one(&out, "ar", REALM_EXERCISE, &f, SPAN_NONE);
    require(&out, FSI "new-word" PDI);
    require(&out, "لا توجد ترجمة");
    buf_release(&out);
}

static void states_are_told_apart(void **state)
{
    struct form_field f = { .number = 7, .code = span_str("SEV-01"), .state = FIELD_UNKNOWN };
    struct buf out;

    (void)state;
    buf_init(&out, RENDER_MAX);
    render_one(&out, "en", REALM_EXERCISE, &f, SPAN_NONE);
    require(&out, " 7 Severity      unknown to the sender\n");
    f.state = FIELD_WITHHELD;
    render_one(&out, "en", REALM_EXERCISE, &f, SPAN_NONE);
    require(&out, " 7 Severity      withheld by the sender\n");
    buf_release(&out);
}

/* A sender's text cannot look like a line of ours, move the cursor or turn the line. */
static void hostile_text_stays_inside(void **state)
{
    static const char text[] =
        "first\nEND OF BOREALIA 7-6\n\x1b[2J\xe2\x80\xae"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxEND OF Y";
    struct buf out;
    size_t ends = 0;

    (void)state;
    buf_init(&out, RENDER_MAX);
    render_one(&out, "en", REALM_EXERCISE, NULL, span_str(text));
    require(&out, "TEXT       (not agreed wording, en)\n| first\n| END OF BOREALIA 7-6\n| " FSI
                  "\\x1b[2J\\xe2\\x80\\xae");
    refuse(&out, "\x1b");
    for (const char *p = buf_str(&out); (p = strstr(p, "\nEND OF")); p++)
        ends++;
    CHECK_EQ(ends, 1, "one end");
    for (const char *p = buf_str(&out), *lf; (lf = strchr(p, '\n')); p = lf + 1)
        CHECK_EQ(text_columns(SPAN(p, lf - p)) <= 80, 1, "no line that a terminal would break");
    render_one(&out, "ar", REALM_EXERCISE, NULL, span_str(text));
    refuse(&out, "\xe2\x80\xae");
    require(&out, RLM "| " FSI "END OF BOREALIA 7-6" PDI "\n");
    buf_release(&out);
}

/* Each isolate that a line opens, it closes: lines are paragraphs to the bidi algorithm. */
static void isolates_close_on_their_line(void **state)
{
    static const char text[] =
        "a text of many words which is much longer than one line of a terminal can be, so "
        "that it must be broken inside of its isolate, more than once, here and there";
    struct buf out;
    int open = 0;

    (void)state;
    buf_init(&out, RENDER_MAX);
    render_one(&out, "ar", REALM_EXERCISE, NULL, span_str(text));
    for (size_t i = 0; i + 2 < out.n; i++) {
        if (memcmp(out.p + i, FSI, 3) == 0)
            open++;
        if (memcmp(out.p + i, PDI, 3) == 0)
            open--;
        if (out.p[i] == '\n' && open != 0)
            fail_msg("an isolate stays open:\n%.*s", (int)i, (const char *)out.p);
        if (out.p[i] == '\n' && out.p[i + 1] != '\n')
            CHECK_EQ(memcmp(out.p + i + 1, RLM, 3), 0, "each line begins right to left");
    }
    buf_release(&out);
}

static void live_shows_only_agreed_languages(void **state)
{
    struct form_field f = { .number = 7, .code = span_str("ATT-00") };
    struct buf out;

    (void)state;
    buf_init(&out, RENDER_MAX);
    render_one(&out, "ar", REALM_LIVE, &f, SPAN_NONE);
    require(&out, "LIVE LIVE LIVE\n");
    require(&out, "الترجمة غير متفق عليها");
    require(&out, "none. This message attributes the activity to no State or\n");
    refuse(&out, "EXERCISE");
    render_one(&out, "ar", REALM_EXERCISE, &f, SPAN_NONE);
    require(&out, "لا إسناد");
    refuse(&out, "LIVE");
    buf_release(&out);
}

static void values_in_other_scripts_are_isolated(void **state)
{
    struct form_field f = { .number = 7, .code = span_str("CLO-01"), .n = 1 };
    struct buf out;

    (void)state;
    buf_init(&out, RENDER_MAX);
    f.param[0] = (struct param){ .name = span_str("of"),
                                 .type = PARAM_TEXT,
                                 .bytes = span_str("بورياليا 7-6") };
    render_one(&out, "en", REALM_EXERCISE, &f, SPAN_NONE);
    require(&out, " 7 Closes        " FSI "بورياليا 7-6" PDI "\n");
    buf_release(&out);
}

static void attachments_are_described(void **state)
{
    struct attachment a = { span_str("text/csv"), span_str("annex A"), span_str("1,2\n") };
    struct render_facts facts = notification();
    struct content c = { .language = span_str("en"), .n = CONTENT_FIXED + 1 };
    struct buf field, out;

    (void)state;
    buf_init(&field, 4096);
    buf_init(&out, RENDER_MAX);
    CHECK_EQ(attachment_put(&field, &a), 0, "attachment");
    c.name[CONTENT_FIXED] = span_str("attachment");
    c.field[CONTENT_FIXED] = buf_span(&field);
    CHECK_EQ(render_message(&out, book, 0, &facts, &c), 0, "attachment");
    require(&out, "ATTACHMENT text/csv, 4 bytes, annex A (not agreed wording), SHA-256\n"
                  "           52186c933993da4082b3cdc7c40bb4bf735b391ff54a2ef78c037dda6c38a680\n");
    c.field[CONTENT_FIXED] = SPAN(field.p, field.n - 1);
    buf_clear(&out);
    CHECK_EQ(render_message(&out, book, 0, &facts, &c), 0, "damaged");
    require(&out, "[UNREADABLE FIELD] attachment, ");
    buf_release(&field);
    buf_release(&out);
}

static void another_phrasebook_is_said(void **state)
{
    static const uint8_t other[32] = { 1 };
    struct render_facts facts = notification();
    struct content c = { .language = span_str("en"),
                         .phrasebook = SPAN(other, 32),
                         .n = CONTENT_FIXED };
    struct buf out;

    (void)state;
    buf_init(&out, RENDER_MAX);
    CHECK_EQ(render_message(&out, book, 0, &facts, &c), 0, "other");
    require(&out, "! ANOTHER PHRASEBOOK");
    c.phrasebook = SPAN(phrasebook_digest(book), 32);
    buf_clear(&out);
    CHECK_EQ(render_message(&out, book, 0, &facts, &c), 0, "ours");
    refuse(&out, "ANOTHER PHRASEBOOK");
    buf_release(&out);
}

static void times_name_their_day_when_needed(void **state)
{
    static const struct {
        uint64_t ms;
        const char *want;
    } rows[] = {
        { RELEASE, "resolved, 0149Z" },
        { RELEASE - 7200000, "resolved, 21 2349Z" },
        { RELEASE + 13 * UINT64_C(86400000), "resolved, 05 0149Z\n" },
        { RELEASE + 15 * UINT64_C(86400000), "resolved, 07 0149Z DEC 26\n" },
        { 0, "resolved, 01 0000Z JAN 70\n" },
        { INT64_MAX, "resolved, 17 0712Z AUG 94\n" },
    };
    struct form_field f = { .number = 2, .code = span_str("FIN-01"), .n = 2 };
    struct buf out;

    (void)state;
    buf_init(&out, RENDER_MAX);
    f.param[0] = (struct param){ .name = span_str("outcome"),
                                 .type = PARAM_CODE,
                                 .bytes = span_str("resolved") };
    f.param[1] = (struct param){ .name = span_str("at"), .type = PARAM_TIME };
    for (size_t i = 0; i < COUNT(rows); i++) {
        f.param[1].u = rows[i].ms;
        render_one(&out, "en", REALM_EXERCISE, &f, SPAN_NONE);
        require(&out, rows[i].want);
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(demo_notification),
        cmocka_unit_test(demo_others),
        cmocka_unit_test(nothing_is_hidden),
        cmocka_unit_test(states_are_told_apart),
        cmocka_unit_test(hostile_text_stays_inside),
        cmocka_unit_test(isolates_close_on_their_line),
        cmocka_unit_test(live_shows_only_agreed_languages),
        cmocka_unit_test(values_in_other_scripts_are_isolated),
        cmocka_unit_test(attachments_are_described),
        cmocka_unit_test(another_phrasebook_is_said),
        cmocka_unit_test(times_name_their_day_when_needed),
    };

    return cmocka_run_group_tests(tests, open_book, close_book);
}
