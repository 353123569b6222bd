#ifndef HL_SERVER_CONFIG_H
#define HL_SERVER_CONFIG_H

#include "common/name.h"
#include "common/settings.h"

/*
 * The settings of a broker (libconfig), read by every process of it for itself.  Relative paths count from the
 * folder of the file.  A key is taken from $CREDENTIALS_DIRECTORY/<log.key|transport.key> when that exists.
 */
struct config {
    char *realm_word, *origin, *listen;
    char *state;     /* folder: store, signer's state, control socket */
    char *public;    /* folder: tiles and checkpoint, for any static server */
    char *documents; /* folder: first cards and agreements that the operator admits */
    char *log_key, *transport_key;
    char *user; /* when started by root: the account to run as; NULL = stay */
    int64_t quota_messages, quota_mb, space_low_mb, space_min_mb, clock_offset_s;
    enum realm realm;
};

extern const struct setting config_table[];
extern const size_t config_table_n;

/** config_load - read and check @path; @why gets "file:line: error: ...".  Paths come out absolute. */
int config_load(struct config *c, const char *path, struct buf *why);
void config_release(struct config *c);
/** config_make - make a broker's folder @dir: settings, keys without passphrase (it starts unattended), folders, host.public. -HL_EEXIST. */
int config_make(const char *dir, enum realm realm, const char *origin, const char *listen, struct buf *why);
/** config_state - "<state>/<name>" into @out. */
#define CONFIG_PATH_MAX 600
int config_state(const struct config *c, char out[static CONFIG_PATH_MAX], const char *name);
/** config_key - where the key file is: the service manager's credential, else the setting. */
int config_key(char out[static CONFIG_PATH_MAX], const char *credential, const char *setting);

#endif
