#include "tests/check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/agent.h"
#include "client/station.h"
#include "common/card.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "tests/world.h"

/* A station's folder: made once, read strictly, locked by one, and what stands in it for the card.
 */

static char dir[64], desk[80];
static struct buf why;

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/station-test.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(desk, sizeof(desk), "%s/desk", dir);
    buf_init(&why, 4096);
    return station_create(desk, REALM_EXERCISE, "arcadia.technical", "ar,en", "24/7", true, NULL,
                          &why);
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    buf_release(&why);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

static void write_conf(const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/hotline.conf", desk);
    assert_int_equal(file_publish(path, span_str(text), 0600), 0);
}

static void made_once_and_opened(void **state)
{
    struct station *s;
    struct stat st;
    char path[600];

    (void)state;
    CHECK_EQ(station_open(&s, desk, &why), 0, buf_str(&why));
    assert_string_equal(s->poc, "arcadia.technical");
    assert_string_equal(s->language, "ar");
    CHECK_EQ(s->realm, REALM_EXERCISE, "realm");
    CHECK_EQ(s->n_hosts, 0, "hosts");
    CHECK_EQ(station_unlock(s, NULL, &why), 0, buf_str(&why));
    CHECK_EQ(s->machine && s->witness && s->transport && s->vault && s->subkeys && s->psk, 1,
             "all keys");
    CHECK_EQ(station_unlock(s, NULL, &why), 0, "again is nothing");
    station_path(s, path, "keys/machine.key");
    assert_int_equal(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0400, "a secret's mode");
    assert_int_equal(stat(desk, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0700, "the folder's mode");
    station_close(s);
    CHECK_EQ(station_create(desk, REALM_LIVE, "arcadia.x", "en", "24/7", false, NULL, &why),
             -HL_EEXIST, "never twice");
}

static void what_is_wrong_is_told(void **state)
{
    static const struct {
        const char *name, *conf;
        int want;
    } rows[] = {
        { "good", "realm = \"live\"; poc = \"a.b\";", 0 },
        { "no realm", "poc = \"a.b\";", -HL_ECONFIG },
        { "another realm", "realm = \"test\"; poc = \"a.b\";", -HL_ECONFIG },
        { "no PoC", "realm = \"live\"; poc = \"arcadia\";", -HL_ECONFIG },
        { "a language that is none", "realm = \"live\"; poc = \"a.b\"; language = \"e n\";",
          -HL_ECONFIG },
        { "two languages", "realm = \"live\"; poc = \"a.b\"; language = \"en,fr\";", -HL_ECONFIG },
        { "the live clock moved", "realm = \"live\"; poc = \"a.b\"; clock_offset_s = 60;",
          -HL_ECONFIG },
        { "the clock of an exercise", "realm = \"exercise\"; poc = \"a.b\"; clock_offset_s = 0;",
          0 },
        { "a setting that is none", "realm = \"live\"; poc = \"a.b\"; realmm = 1;", -HL_ECONFIG },
        { "a host of one word", "realm = \"live\"; poc = \"a.b\"; hosts = [ \"x\" ];",
          -HL_ECONFIG },
        { "a host of the other realm",
          "realm = \"live\"; poc = \"a.b\"; hosts = [ \"d.example/exercise/d/1 k k tcp://x\" ];",
          -HL_ECONFIG },
        { "an empty file", "", -HL_ECONFIG },
        { "another file", "@include \"/etc/passwd\"", -HL_ECONFIG },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct station *s;

        write_conf(rows[i].conf);
        buf_clear(&why);
        CHECK_EQ(station_open(&s, desk, &why), rows[i].want, rows[i].name);
        CHECK_EQ(rows[i].want == 0 || why.n > 0, 1, rows[i].name);
        station_close(s);
    }
    {
        struct station *s;

        CHECK_EQ(station_open(&s, "/nonexistent", &why), -HL_ENOENT, "no such desk");
    }
}

static void hosts_are_added_one_by_one(void **state)
{
    struct world_key log = world_key("doria/log"), curve = world_xkey("doria/curve");
    char line[400];
    struct station *s;
    struct buf host;

    (void)state;
    assert_int_equal(station_open(&s, desk, &why), 0);
    for (int i = 0; i < STATION_HOSTS + 1; i++) {
        buf_init(&host, 400);
        buf_printf(&host, "d.example/exercise/doria/%d ", i + 1);
        text_base64(&host, SPAN(log.pk, 32));
        buf_put_str(&host, " ");
        text_base64(&host, SPAN(curve.pk, 32));
        buf_put_str(&host, " tcp://127.0.0.1:7000");
        snprintf(line, sizeof(line), "%s", buf_str(&host));
        CHECK_EQ(station_add_host(s, line, &why), i < STATION_HOSTS ? 0 : -HL_ETOOBIG, "add");
        if (i < STATION_HOSTS) {
            station_close(s);
            assert_int_equal(station_open(&s, desk, &why), 0);
            CHECK_EQ(s->n_hosts, i + 1, "and it reads back");
            CHECK_EQ(station_add_host(s, line, &why), -HL_EEXIST, "once");
        }
        buf_release(&host);
    }
    assert_string_equal(s->host[2].origin, "d.example/exercise/doria/3");
    CHECK_BYTES(s->host[2].log.key, log.pk, 32, "log key");
    CHECK_BYTES(s->host[2].curve, curve.pk, 32, "curve key");
    CHECK_EQ(station_add_host(s, "nonsense", &why), -HL_ECONFIG, "nonsense");
    station_close(s);
}

/* What stands in poc.public is what a card takes. */
static void positions_stand_in_poc_public(void **state)
{
    struct station *s;
    struct buf public;
    char path[600];

    (void)state;
    assert_int_equal(station_open(&s, desk, &why), 0);
    CHECK_EQ(station_position(s, "watch-1", "officer-1", PERM_DRAFT | PERM_ACKNOWLEDGE, NULL), 0,
             "position");
    CHECK_EQ(station_position(s, "watch-1", "officer-2", PERM_DRAFT, NULL), -HL_EEXIST, "twice");
    CHECK_EQ(station_position(s, "Watch", "officer-2", PERM_DRAFT, NULL), -HL_EUSAGE, "no label");
    CHECK_EQ(station_position(s, "station", "officer-2", PERM_DRAFT, NULL), -HL_EUSAGE,
             "the machine's name");
    CHECK_EQ(station_position(s, "watch-2", "officer-2", PERM_MACHINE, NULL), -HL_EUSAGE,
             "the machine's permission");
    CHECK_EQ(station_position(s, "watch-2", "officer-2", 0, NULL), -HL_EUSAGE, "no permission");
    buf_init(&public, 8192);
    station_path(s, path, "poc.public");
    assert_int_equal(file_read(path, &public), 0);
    assert_non_null(strstr(buf_str(&public), "witness witness/arcadia.technical "));
    assert_non_null(strstr(buf_str(&public), "\npoc technical ar,en 24/7\ntransport "));
    assert_non_null(strstr(buf_str(&public), " machine station station\n"));
    assert_non_null(strstr(buf_str(&public), " draft,acknowledge officer-1 watch-1\n"));
    buf_release(&public);
    station_close(s);
}

static void one_process_holds_a_desk(void **state)
{
    struct station *s;
    struct agent *a, *b;

    (void)state;
    assert_int_equal(station_open(&s, desk, &why), 0);
    CHECK_EQ(agent_open(&a, s, &why), 0, buf_str(&why));
    buf_clear(&why);
    CHECK_EQ(agent_open(&b, s, &why), -HL_EBUSY, "held");
    assert_string_equal(buf_str(&why), "another process holds the desk");
    agent_close(a);
    CHECK_EQ(agent_open(&b, s, &why), 0, "given back");
    agent_close(b);
    station_close(s);
}

static void sealed_stations_ask_for_their_passphrase(void **state)
{
    char other[80], word[] = "a long passphrase", wrong[] = "another passphrase";
    struct secret *pass = secret_take(word, sizeof(word) - 1),
                  *bad = secret_take(wrong, sizeof(wrong) - 1);
    struct station *s;
    struct agent *a;

    (void)state;
    keyfile_set_cost(1, 8);
    snprintf(other, sizeof(other), "%s/sealed", dir);
    CHECK_EQ(
        station_create(other, REALM_EXERCISE, "arcadia.technical", "en", "24/7", false, pass, &why),
        0, buf_str(&why));
    assert_int_equal(station_open(&s, other, &why), 0);
    CHECK_EQ(agent_open(&a, s, &why), -HL_EPASS, "not unattended");
    CHECK_EQ(station_unlock(s, bad, &why), -HL_EPASS, "another passphrase");
    CHECK_EQ(station_unlock(s, pass, &why), 0, "its own");
    CHECK_EQ(agent_open(&a, s, &why), 0, "then it runs");
    agent_close(a);
    station_close(s);
    secret_free(pass);
    secret_free(bad);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(made_once_and_opened),       TEST(what_is_wrong_is_told),
        TEST(hosts_are_added_one_by_one), TEST(positions_stand_in_poc_public),
        TEST(one_process_holds_a_desk),   TEST(sealed_stations_ask_for_their_passphrase),
    };

    if (keys_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
