#include "server/config.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/document.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "keys/keyfile.h"
#include "keys/transport.h"

#define AT(field) offsetof(struct config, field)

const struct setting config_table[] = {
    { "realm", SETTING_STRING, AT(realm_word), true, 0, 8, 0, NULL, "live or exercise" },
    { "origin", SETTING_STRING, AT(origin), true, 1, 255, 0, NULL,
      "<domain>/<realm>/<party>/<generation>: the log's name, unique for ever" },
    { "listen", SETTING_STRING, AT(listen), true, 1, 255, 0, NULL, "tcp://address:port" },
    { "state", SETTING_STRING, AT(state), false, 1, 400, 0, "state", "folder of the store" },
    { "public", SETTING_STRING, AT(public), false, 1, 400, 0, "public", "folder of the tiles" },
    { "documents", SETTING_STRING, AT(documents), false, 1, 400, 0, "documents",
      "folder of the first cards and agreements" },
    { "log_key", SETTING_STRING, AT(log_key), false, 1, 400, 0, "keys/log.key", "key file" },
    { "transport_key", SETTING_STRING, AT(transport_key), false, 1, 400, 0, "keys/transport.key",
      "key file" },
    { "user", SETTING_STRING, AT(user), false, 1, 32, 0, NULL, "account, when started by root" },
    { "limits.quota_messages", SETTING_INT, AT(quota_messages), false, 1, 10000000, 10000, NULL,
      "messages that may wait for one PoC" },
    { "limits.quota_mb", SETTING_INT, AT(quota_mb), false, 2, 1 << 20, 256, NULL,
      "MiB that may wait for one PoC" },
    { "limits.space_low_mb", SETTING_INT, AT(space_low_mb), false, 1, 1 << 30, 256, NULL,
      "below: ROUTINE and PRIORITY are refused" },
    { "limits.space_min_mb", SETTING_INT, AT(space_min_mb), false, 1, 1 << 30, 64, NULL,
      "below: all but steps and FLASH are refused" },
    { "clock_offset_s", SETTING_INT, AT(clock_offset_s), false, -315360000, 315360000, 0, NULL,
      "exercise realm only: the broker's time runs this far ahead" },
};
const size_t config_table_n = COUNT(config_table);

#define ORIGIN_FORM "origin is <domain>/<realm>/<party>/<generation>, of this realm"
#define LISTEN_FORM "listen is tcp://address:port, with a port from 1 to 65535"

/* libzmq takes the last digits of any number for a port. */
static bool config_listen(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    uint64_t port;

    return strncmp(listen, "tcp://", 6) == 0 && colon > listen + 6 &&
           text_decimal(&port, span_str(colon + 1)) == 0 && port >= 1 && port <= 65535;
}

/* Relative paths count from the folder of the settings file, wherever the program was started. */
static int config_absolute(char **path, const char *folder)
{
    char full[CONFIG_PATH_MAX];

    if (!*path || **path == '/')
        return 0;
    if (snprintf(full, sizeof(full), "%s/%s", folder, *path) >= (int)sizeof(full))
        return -HL_ETOOBIG;
    free(*path);
    *path = strdup(full);
    return *path ? 0 : -HL_ENOMEM;
}

static int config_paths(struct config *c, const char *file)
{
    char **path[] = { &c->state, &c->public, &c->documents, &c->log_key, &c->transport_key };
    char real[PATH_MAX], *folder;
    int rc = 0;

    if (!realpath(file, real))
        return -HL_ENOENT;
    folder = dirname(real);
    for (size_t i = 0; i < COUNT(path) && !rc; i++)
        rc = config_absolute(path[i], folder);
    return rc;
}

/* As conf_fail(), with the line where @setting stands: the file is read again for it. */
static int config_fail(struct buf *why, const char *path, const char *setting, const char *sentence)
{
    struct buf unused;
    config_setting_t *at = NULL;
    config_t c;
    int rc;

    buf_init(&unused, 1024);
    config_init(&c);
    if (conf_read(&c, path, &unused) == 0)
        at = config_lookup(&c, setting);
    rc = conf_fail(why, path, at ? config_setting_source_line(at) : 1, "%s", sentence);
    config_destroy(&c);
    buf_release(&unused);
    return rc;
}

static int config_check(struct config *c, const char *path, struct buf *why)
{
    if (realm_parse(&c->realm, span_str(c->realm_word)) != 0)
        return config_fail(why, path, "realm", "realm is \"live\" or \"exercise\"");
    if (!document_origin(span_str(c->origin), c->realm, NULL))
        return config_fail(why, path, "origin", ORIGIN_FORM);
    if (!config_listen(c->listen))
        return config_fail(why, path, "listen", LISTEN_FORM);
    if (c->space_min_mb > c->space_low_mb)
        return config_fail(why, path, "limits.space_min_mb",
                           "limits.space_min_mb is above limits.space_low_mb");
    if (c->realm == REALM_LIVE && c->clock_offset_s)
        return config_fail(why, path, "clock_offset_s", "the live realm has no clock_offset_s");
    return 0;
}

int config_load(struct config *c, const char *path, struct buf *why)
{
    int rc;

    memset(c, 0, sizeof(*c));
    rc = settings_load(path, config_table, config_table_n, c, why);
    if (!rc)
        rc = config_check(c, path, why);
    if (!rc) {
        rc = config_paths(c, path);
        if (rc)
            conf_fail(why, path, 1, "%s", error_text(rc));
    }
    if (rc)
        config_release(c);
    else
        clock_adjust(c->clock_offset_s * 1000);
    return rc;
}

void config_release(struct config *c)
{
    settings_free(config_table, config_table_n, c);
}

int config_state(const struct config *c, char out[static CONFIG_PATH_MAX], const char *name)
{
    return snprintf(out, CONFIG_PATH_MAX, "%s/%s", c->state, name) < CONFIG_PATH_MAX ? 0
                                                                                     : -HL_ETOOBIG;
}

int config_key(char out[static CONFIG_PATH_MAX], const char *credential, const char *setting)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    int n = 0;

    if (dir)
        n = snprintf(out, CONFIG_PATH_MAX, "%s/%s", dir, credential);
    if (n > 0 && n < CONFIG_PATH_MAX && access(out, R_OK) == 0)
        return 0;
    n = snprintf(out, CONFIG_PATH_MAX, "%s", setting);
    return n < CONFIG_PATH_MAX ? 0 : -HL_ETOOBIG;
}

/* ---- making a broker's folder ---- */

static int init_file(const char *dir, const char *name, struct buf *content)
{
    char path[CONFIG_PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return content->bad ? content->bad : file_create(path, buf_span(content), 0644);
}

static int init_keys(const char *dir, enum realm realm, const char *origin, uint8_t log[static 32],
                     uint8_t curve[static 32])
{
    char path[CONFIG_PATH_MAX];
    int rc;

    snprintf(path, sizeof(path), "%s/keys/log.key", dir);
    rc = keyfile_new_sign(path, realm, KEY_LOG, origin, NULL, log);
    if (rc)
        return rc;
    snprintf(path, sizeof(path), "%s/keys/transport.key", dir);
    return transport_new(path, realm, origin, NULL, curve);
}

static int init_texts(const char *dir, enum realm realm, const char *origin, const char *listen,
                      const uint8_t log[static 32], const uint8_t curve[static 32])
{
    struct buf b;
    int rc;

    buf_init(&b, 4096);
    buf_printf(&b,
               "# hotlined.conf: see `hotlined --dump-config`\nrealm = \"%s\";\norigin = \"%s\";\n"
               "listen = \"%s\";\n",
               realm_name(realm), origin, listen);
    rc = init_file(dir, "hotlined.conf", &b);
    buf_clear(&b);
    buf_printf(&b, "host %s ", origin);
    text_base64(&b, SPAN(log, 32));
    buf_put_str(&b, "\ncurve ");
    text_base64(&b, SPAN(curve, 32));
    buf_printf(&b, "\nendpoint %s\n", listen);
    if (!rc)
        rc = init_file(dir, "host.public", &b);
    buf_release(&b);
    return rc;
}

int config_make(const char *dir, enum realm realm, const char *origin, const char *listen,
                struct buf *why)
{
    static const struct {
        const char *name;
        unsigned mode;
    } folder[] = { { "", 0755 },
                   { "/keys", 0700 },
                   { "/state", 0700 },
                   { "/documents", 0755 },
                   { "/public", 0755 } };
    uint8_t log[32], curve[32];
    char path[CONFIG_PATH_MAX];
    int rc = 0;

    if (strlen(dir) > 400 || !document_origin(span_str(origin), realm, NULL) ||
        !config_listen(listen)) {
        buf_put_str(why, "give a folder; " ORIGIN_FORM "; " LISTEN_FORM "\n");
        return -HL_EUSAGE;
    }
    snprintf(path, sizeof(path), "%s/hotlined.conf", dir);
    if (access(path, F_OK) == 0)
        rc = -HL_EEXIST;
    for (size_t i = 0; i < COUNT(folder) && !rc; i++) {
        snprintf(path, sizeof(path), "%s%s", dir, folder[i].name);
        rc = file_mkdir(path, folder[i].mode);
    }
    if (!rc)
        rc = init_keys(dir, realm, origin, log, curve);
    if (!rc)
        rc = init_texts(dir, realm, origin, listen, log, curve);
    if (rc)
        buf_printf(why, "%s: %s\n", dir, error_text(rc));
    return rc;
}
