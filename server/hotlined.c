/*
 * hotlined: the broker.  This file reads the command line and becomes one of the processes of
 * DESIGN 7.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <zmq.h>

#include <libconfig.h>
#include <sodium.h>
#include <sqlite3.h>

#include "common/error.h"
#include "common/file.h"
#include "common/version.h"
#include "keys/keyfile.h"
#include "keys/transport.h"
#include "server/config.h"
#include "server/core.h"
#include "server/front.h"
#include "server/parent.h"
#include "server/publisher.h"
#include "server/sandbox.h"
#include "server/signer.h"
#include "server/store.h"

static const char usage[] =
    "usage: hotlined [-c FILE]                 run the broker\n"
    "       hotlined -t [-c FILE]              check the settings and the keys, and end\n"
    "       hotlined status [-c FILE]          what the running broker says, JSON lines\n"
    "       hotlined init DIR --realm live|exercise --origin ORIGIN --listen tcp://ADDRESS:PORT "
    "--no-passphrase\n"
    "                                          make a broker's folder: settings, keys, "
    "host.public\n"
    "       hotlined --dump-config [-c FILE]   every setting, its value and where it comes from\n"
    "       hotlined --version | --help\n"
    "FILE is /etc/hotline/hotlined.conf unless given.  SIGHUP reads the documents folder again; "
    "SIGTERM ends cleanly.\n";

struct options {
    const char *conf, *realm, *origin, *listen, *role;
    bool check, dump, no_passphrase;
};

static int fail(int rc, const char *what)
{
    fprintf(stderr, "hotlined: error: %s%s%s\nhint: %s (%s)\n", what ? what : "", what ? ": " : "",
            error_text(rc), error_hint(rc), error_name(rc));
    return error_exit(rc);
}

static int fail_why(int rc, struct buf *why)
{
    if (why->n == 0)
        buf_printf(why, "hotlined: error: %s\n", error_text(rc));
    fprintf(stderr, "%shint: %s (%s)\n", buf_str(why), error_hint(rc), error_name(rc));
    return error_exit(rc);
}

/* ---- the keys ---- */

/* What is wrong with a key file, by its name. */
static int fail_key(int rc, const char *path)
{
    const char *text = rc == -HL_EKEY ? "a secret key of another use" : error_text(rc);

    if (rc == -HL_ESYS)
        text = strerror(errno);
    fprintf(stderr, "<3>key file %s: %s\n", path, text);
    return rc;
}

static int load_log_key(const struct config *c, struct seckey **key)
{
    char path[CONFIG_PATH_MAX];
    int rc = config_key(path, "log.key", c->log_key);

    if (!rc)
        rc = keyfile_load_sign(path, c->realm, KEY_LOG, NULL, key);
    return rc ? fail_key(rc, path) : 0;
}

/* Its public half, without opening it. */
static int read_log_key(const struct config *c, struct keyfile_info *info)
{
    char path[CONFIG_PATH_MAX];
    int rc = config_key(path, "log.key", c->log_key);

    if (!rc)
        rc = keyfile_info(path, c->realm, info);
    if (!rc && (info->use != KEY_LOG || !info->has_public))
        rc = -HL_EKEY;
    return rc ? fail_key(rc, path) : 0;
}

static int load_transport_key(const struct config *c, struct transport_key **key)
{
    char path[CONFIG_PATH_MAX];
    int rc = config_key(path, "transport.key", c->transport_key);

    if (!rc)
        rc = transport_load(path, c->realm, NULL, key);
    return rc ? fail_key(rc, path) : 0;
}

/* ---- the roles ---- */

static int run_core(const struct config *c)
{
    const char *dir[] = { c->state, c->documents };
    const struct core_fds fds = { FD_PARENT, FD_FRONT, FD_SIGNER, FD_PUBLISHER };
    struct keyfile_info log;
    int rc = read_log_key(c, &log);

    if (!rc)
        rc = sandbox_enter(SANDBOX_CORE, dir, access(c->documents, R_OK) == 0 ? 2 : 1);
    return rc ? rc : core_run(c, log.public, &fds);
}

static int run_front(const struct config *c)
{
    struct transport_key *key = NULL;
    int rc = load_transport_key(c, &key);

    if (!rc)
        rc = sandbox_enter(SANDBOX_FRONT, NULL, 0);
    if (!rc)
        rc = front_run(FD_CORE, c->listen, key);
    transport_free(key);
    return rc;
}

static int run_signer(const struct config *c)
{
    char folder[CONFIG_PATH_MAX], path[CONFIG_PATH_MAX];
    const char *dir[] = { folder };
    struct signer *signer = NULL;
    struct seckey *key = NULL;
    int rc = config_state(c, folder, "signer");

    if (!rc)
        rc = file_mkdir(folder, 0700);
    if (!rc)
        rc = load_log_key(c, &key);
    if (!rc)
        rc = config_state(c, path, "signer/head");
    if (!rc)
        rc = sandbox_enter(SANDBOX_SIGNER, dir, 1);
    if (!rc)
        rc = signer_open(path, c->origin, key, &signer);
    if (!rc)
        rc = signer_run(FD_CORE, signer);
    signer_close(signer);
    seckey_free(key);
    return rc;
}

static int run_publisher(const struct config *c)
{
    char store[CONFIG_PATH_MAX];
    const char *dir[] = { c->state, c->public };
    const struct store_conf conf = { .path = store, .realm = c->realm, .origin = c->origin };
    int rc = config_state(c, store, "store.db");

    if (!rc)
        rc = file_mkdir(c->public, 0755);
    if (!rc)
        rc = sandbox_enter(SANDBOX_PUBLISHER, dir, 2);
    return rc ? rc : publisher_run(FD_CORE, &conf, c->public);
}

static void say_store(int level, const char *line)
{
    fprintf(stderr, "<%d>store: %s\n", level, line);
}

static int run_role(const struct config *c, const char *role)
{
    static const struct {
        const char *name;
        int (*run)(const struct config *c);
    } roles[] = { { "core", run_core },
                  { "front", run_front },
                  { "signer", run_signer },
                  { "publisher", run_publisher } };
    int rc = -HL_EUSAGE;

    prctl(PR_SET_NAME, role); /* what ps shows */
    store_diag(say_store);
    for (size_t i = 0; i < COUNT(roles); i++)
        if (strcmp(role, roles[i].name) == 0)
            rc = roles[i].run(c);
    if (rc)
        fprintf(stderr, "<3>%s: %s: %s\n", role, error_text(rc), error_hint(rc));
    return error_exit(rc);
}

/* ---- what the operator asks ---- */

static int check(const struct config *c)
{
    struct transport_key *transport = NULL;
    struct seckey *key = NULL;
    int rc = load_log_key(c, &key);

    if (!rc)
        rc = load_transport_key(c, &transport);
    seckey_free(key);
    transport_free(transport);
    if (rc)
        return fail(rc, "keys");
    printf("settings and keys are right: %s, realm %s, on %s\n", c->origin, realm_name(c->realm),
           c->listen);
    return 0;
}

static int init(const struct options *o, const char *dir)
{
    enum realm realm;
    struct buf why;
    int rc;

    if (!o->realm || realm_parse(&realm, span_str(o->realm)) != 0 || !o->origin || !o->listen)
        return fputs(usage, stderr), EXIT_USAGE;
    if (!o->no_passphrase) {
        fputs("hotlined: error: a broker starts unattended, so its keys have no passphrase\n"
              "hint: say --no-passphrase; keep the folder keys/ to this account, or hand the keys "
              "over as credentials of the service manager\n",
              stderr);
        return EXIT_USAGE;
    }
    buf_init(&why, 1024);
    rc = config_make(dir, realm, o->origin, o->listen, &why);
    if (rc)
        rc = fail_why(rc, &why);
    else
        printf("made %s for %s\nnext: put the lines of %s/host.public into your party's card, the "
               "first cards and agreements into %s/documents, then: hotlined -c %s/hotlined.conf\n",
               dir, o->origin, dir, dir, dir);
    buf_release(&why);
    return rc;
}

static int version(void)
{
    int major, minor, patch;

    zmq_version(&major, &minor, &patch);
    printf("hotlined %s  protocol hotline/1  libsodium %s  libzmq %d.%d.%d  libconfig %d.%d.%d  "
           "SQLite %s\n",
           HOTLINE_VERSION, sodium_version_string(), major, minor, patch, LIBCONFIG_VER_MAJOR,
           LIBCONFIG_VER_MINOR, LIBCONFIG_VER_REVISION, sqlite3_libversion());
    return 0;
}

static int status(const struct config *c)
{
    int rc = parent_status(c);

    if (rc == -HL_ENOANSWER)
        fprintf(stderr,
                "hotlined: error: no broker of this account answers at %s/hotlined.sock\n"
                "hint: start it, or see what it said last (%s)\n",
                c->state, error_name(rc));
    else if (rc)
        fail(rc, "status");
    return error_exit(rc);
}

static int dump(const char *path)
{
    struct buf out;
    int rc;

    buf_init(&out, 1u << 20);
    rc = settings_dump(path, config_table, config_table_n, &out);
    if (!rc)
        fwrite(out.p, 1, out.n, stdout);
    buf_release(&out);
    return rc ? fail(rc, path) : 0;
}

static int run(const struct options *o, char **arg, int n)
{
    struct config c;
    struct buf why;
    int rc;

    if (n == 2 && strcmp(arg[0], "init") == 0)
        return init(o, arg[1]);
    if (n > 1 || (n == 1 && strcmp(arg[0], "status") != 0))
        return fputs(usage, stderr), EXIT_USAGE;
    if (o->dump)
        return dump(o->conf);
    buf_init(&why, 1024);
    rc = config_load(&c, o->conf, &why);
    if (rc) {
        rc = fail_why(rc, &why);
        buf_release(&why);
        return rc;
    }
    buf_release(&why);
    if (o->check) {
        rc = check(&c);
    } else if (o->role) {
        rc = run_role(&c, o->role);
    } else if (n == 1) {
        rc = status(&c);
    } else {
        rc = parent_run(&c, o->conf);
        if (rc < 0)
            rc = fail(rc, "ended");
        else if (rc > 0)
            fputs("hotlined: error: it could not start; the lines above say why\n", stderr);
    }
    config_release(&c);
    if (fflush(stdout) != 0)
        return EXIT_FAILED_OTHER;
    return rc;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' }, { "realm", required_argument, NULL, 'r' },
        { "origin", required_argument, NULL, 'o' }, { "listen", required_argument, NULL, 'l' },
        { "role", required_argument, NULL, 'R' },   { "no-passphrase", no_argument, NULL, 'n' },
        { "dump-config", no_argument, NULL, 'd' },  { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
    };
    struct options o = { .conf = "/etc/hotline/hotlined.conf" };
    int c;

    if (keys_init() != 0)
        return EXIT_FAILED_OTHER;
    while ((c = getopt_long(argc, argv, "c:th", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            o.conf = optarg;
            break;
        case 't':
            o.check = true;
            break;
        case 'r':
            o.realm = optarg;
            break;
        case 'o':
            o.origin = optarg;
            break;
        case 'l':
            o.listen = optarg;
            break;
        case 'R':
            o.role = optarg;
            break;
        case 'n':
            o.no_passphrase = true;
            break;
        case 'd':
            o.dump = true;
            break;
        case 'V':
            return version();
        case 'h':
            return fputs(usage, stdout), EXIT_DONE;
        default:
            return fputs(usage, stderr), EXIT_USAGE;
        }
    }
    return run(&o, argv + optind, argc - optind);
}
