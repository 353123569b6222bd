#include <stdio.h>
#include <string.h>

#include <libconfig.h>
#include <sodium.h>
#include <sqlite3.h>
#include <zmq.h>

#include "client/commands.h"
#include "common/error.h"
#include "common/text.h"
#include "common/version.h"

int print_version(void)
{
    int major, minor, patch;

    zmq_version(&major, &minor, &patch);
    printf("hotline %s  protocol hotline/1  libsodium %s  libzmq %d.%d.%d  libconfig %d.%d.%d  "
           "SQLite %s\n",
           HOTLINE_VERSION, sodium_version_string(), major, minor, patch, LIBCONFIG_VER_MAJOR,
           LIBCONFIG_VER_MINOR, LIBCONFIG_VER_REVISION, sqlite3_libversion());
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED_OTHER;
}

int cmd_explain(struct session *s)
{
    int code = error_by_name(s->args.positional[0]);

    if (!code)
        return session_fail(s, -HL_ENOENT, "no error is called %s; see `hotline help errors`",
                            s->args.positional[0]);
    printf("%s (%d), exit status %d\n%s\n%s\n", error_name(code), code, error_exit(code),
           error_text(code), error_hint(code));
    return 0;
}

static const struct {
    int code;
    const char *text;
} exits[] = {
    { EXIT_DONE, "done" },
    { EXIT_FAILED_OTHER, "unexpected failure" },
    { EXIT_USAGE, "wrong usage or settings" },
    { EXIT_FAILED, "verification FAILED: evidence of tampering or a bad signature; nothing else" },
    { EXIT_INCOMPLETE, "INCOMPLETE: could not be verified (key, witness or range missing)" },
    { EXIT_REFUSED, "refused by policy (agreement, marking, two-position rule, realm)" },
    { EXIT_QUEUED, "not sent or not delivered yet" },
    { EXIT_DEADLINE, "deadline passed" },
    { EXIT_KEY, "key problem (missing, untrusted, stopped, wrong permission)" },
};

int cmd_topic(struct session *s, const char *topic)
{
    if (strcmp(topic, "exit-codes") == 0) {
        for (size_t i = 0; i < COUNT(exits); i++)
            printf("%3d  %s\n", exits[i].code, exits[i].text);
        puts("Any other value is a failure.");
        return 0;
    }
    if (strcmp(topic, "errors") == 0) {
        for (int code = error_next(0); code; code = error_next(code))
            printf("%-14s %3d  %s\n", error_name(code), error_exit(code), error_text(code));
        return 0;
    }
    return session_fail(s, -HL_EUSAGE, "no command and no topic \"%s\"", topic);
}

int cmd_config(struct session *s)
{
    struct buf b;
    int rc;

    buf_init(&b, 1u << 20);
    rc = station_dump(s->station, &b);
    if (!rc)
        fwrite(b.p, 1, b.n, stdout);
    buf_release(&b);
    return rc;
}
