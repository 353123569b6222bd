#include <sodium.h>
#include <stdlib.h>

#include "tests/mutate.h"
#include "tests/world.h"

static int decode(struct stop *s, struct buf *note, struct span text)
{
    struct document doc;

    buf_init(note, 1 << 21);
    world_sign_roots(note, text, "arcadia");
    return stop_decode(s, REALM_LIVE, buf_span(note), &doc, NULL);
}

static int read_text(struct span text)
{
    struct buf printed, note;
    struct stop s;
    int rc = decode(&s, &note, text);

    if (!rc) {
        buf_init(&printed, DOCUMENT_MAX);
        assert_int_equal(stop_print(&printed, REALM_LIVE, &s), 0);
        check_reprint(text, &printed);
        buf_release(&printed);
    }
    buf_release(&note);
    return rc;
}

static void text_of(struct buf *text, enum stop_what what)
{
    struct stop s = { .party = span_str("arcadia"),
                      .card = 3,
                      .what = what,
                      .origin = span_str("arcadia.example/live/arcadia/1"),
                      .reason = span_str("Schl\xc3\xbcssel verloren, 03:10Z") };

    memset(s.id, 0x42, 32);
    buf_init(text, DOCUMENT_MAX);
    assert_int_equal(stop_print(text, REALM_LIVE, &s), 0);
}

static void fields(void **state)
{
    static const enum stop_what what[] = { STOP_KEY, STOP_SUBKEY, STOP_AGREEMENT, STOP_HOST };
    uint8_t id[32];

    (void)state;
    memset(id, 0x42, 32);
    for (size_t i = 0; i < COUNT(what); i++) {
        struct buf text, note;
        struct stop s;

        text_of(&text, what[i]);
        assert_int_equal(decode(&s, &note, buf_span(&text)), 0);
        assert_true(span_eq_str(s.party, "arcadia"));
        assert_int_equal(s.card, 3);
        assert_int_equal(s.what, what[i]);
        if (what[i] == STOP_HOST)
            assert_true(span_eq_str(s.origin, "arcadia.example/live/arcadia/1"));
        else
            assert_memory_equal(s.id, id, 32);
        assert_true(span_eq_str(s.reason, "Schl\xc3\xbcssel verloren, 03:10Z"));
        assert_int_equal(read_text(buf_span(&text)), 0);
        buf_release(&text);
        buf_release(&note);
    }
}

#define ID "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
static void rows(void **state)
{
    static const struct mutation table[] = {
        { "good", NULL, NULL, 0 },
        { "other realm", "live", "exercise", -HL_EREALM },
        { "other type", "live stop", "live card", -HL_EFORMAT },
        { "a PoC", "party arcadia", "party arcadia.technical", -HL_EFORMAT },
        { "card 0", "card 3", "card 0", -HL_EFORMAT },
        { "nothing to stop", "key " ID "\n", "", -HL_EFORMAT },
        { "two things", "key " ID "\n", "key " ID "\nsubkey " ID "\n", -HL_EFORMAT },
        { "a key and a host", "reason", "host a/live/arcadia/1\nreason", -HL_EFORMAT },
        { "a key twice", "key " ID "\n", "key " ID "\nkey " ID "\n", -HL_ETOOBIG },
        { "short key", "QkI=", "Qk==", -HL_EFORMAT },
        { "host with a plus", "key " ID "\n", "host a+b\n", -HL_EFORMAT },
        { "host with a blank", "key " ID "\n", "host a b\n", -HL_EFORMAT },
        { "no reason", "reason Schl\xc3\xbcssel verloren, 03:10Z\n", "", -HL_EFORMAT },
        { "empty reason", "reason Schl\xc3\xbcssel verloren, 03:10Z\n", "reason \n", -HL_EFORMAT },
        { "reason with a bidi override", "verloren", "\xe2\x80\xaeverloren", -HL_EFORMAT },
        { "reason with an escape", "verloren", "\x1b[2J", -HL_EFORMAT },
        { "reason in another script", "verloren", "\xe4\xb8\xa2\xe5\xa4\xb1", 0 },
    };
    struct buf text;

    (void)state;
    text_of(&text, STOP_KEY);
    mutate_rows(buf_span(&text), table, COUNT(table), read_text);
    buf_release(&text);
}

static void every_line(void **state)
{
    struct buf text;

    (void)state;
    text_of(&text, STOP_SUBKEY);
    /* words more or less in the reason */
    assert_int_equal(mutate_lines(buf_span(&text), read_text), 2);
    buf_release(&text);
}

static struct directory *dir;

static int judge(struct span note)
{
    return directory_check(dir, note, WORLD_NOW, true, NULL, NULL);
}

static void every_byte(void **state)
{
    static const char *const labels[] = { "arcadia.technical/chief" };
    struct stop s = { .party = span_str("arcadia"),
                      .card = 1,
                      .reason = span_str("verloren \xc3\xa9") };
    struct world_key key = world_key("arcadia.technical/watch-1");
    struct buf text, note;
    struct world w;
    uint8_t *copy;

    (void)state;
    world_init(&w, REALM_LIVE, WORLD_NOW);
    dir = world_directory(&w);
    memcpy(s.id, key.pk, 32);
    buf_init(&text, DOCUMENT_MAX);
    buf_init(&note, DOCUMENT_MAX);
    stop_print(&text, REALM_LIVE, &s);
    world_sign(&note, buf_span(&text), "arcadia.technical", labels, 1);
    assert_int_equal(judge(buf_span(&note)), 0);
    mutate_bytes(buf_span(&note), judge);
    /* in the free field the form stays good: the signature tells */
    copy = memmem(note.p, note.n, "verloren", 8);
    copy[1] ^= 4;
    assert_int_equal(judge(buf_span(&note)), -HL_ESIG);
    buf_release(&text);
    buf_release(&note);
    directory_free(dir);
    world_release(&w);
}

static int setup(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(rows),
        cmocka_unit_test(every_line),
        cmocka_unit_test(every_byte),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
