#ifndef HL_CLIENT_STATION_H
#define HL_CLIENT_STATION_H

#include "common/directory.h"
#include "common/settings.h"
#include "keys/psk.h"
#include "keys/sign.h"
#include "keys/subkeys.h"
#include "keys/transport.h"
#include "keys/vault.h"

/*
 * The installation of one PoC: a folder (the desk) with its settings and keys.
 *
 *   hotline.conf     settings (below)          desk.db, desk.lock, agent.sock
 *   poc.public       the PoC's lines for its party's card (grammar of common/card.h; the witness line first)
 *   own.card         the party's card note, when it is there: a first card (serial 1) pins the own root set
 *   keys/            machine.key transport.key vault.key [witness.key] <position>.key subkeys-<n> psk-...
 *
 * Settings (libconfig):
 *   realm = "live" | "exercise";            poc = "arcadia.technical";
 *   language = "en";                        of the reader
 *   hosts = [ "<origin> <log key, base64> <curve key, base64> <endpoint>", ... ];   in order of preference
 *   clock_offset_s = 0;                     exercise realm only
 *
 * The station's keys start unattended; position keys are unlocked by duty, one release, or one command.
 */
#define STATION_HOSTS 8

struct station_host {
    char origin[256];
    struct note_key log; /* name = origin */
    uint8_t curve[32];
    char endpoint[256];
};

struct station {
    char dir[512];
    enum realm realm;
    char poc[64];
    char language[36];
    size_t n_hosts;
    struct station_host host[STATION_HOSTS];
    int64_t clock_offset_s;
    /* opened by station_unlock() */
    struct seckey *machine, *witness; /* witness NULL when this station holds none */
    struct transport_key *transport;
    struct vault *vault;
    struct subkey_ring *subkeys;
    struct psk_ring *psk;
};

/** station_open - read settings and say what is wrong (file:line) in @why.  No keys yet.  @dir NULL: $HOTLINE_DESK, else $XDG_STATE_HOME/hotline. */
int station_open(struct station **out, const char *dir, struct buf *why);
/** station_dump - every setting, its value and where it comes from. */
int station_dump(const struct station *s, struct buf *out);
/** station_unlock - load the station's keys; @pass NULL for files without passphrase. */
int station_unlock(struct station *s, const struct secret *pass, struct buf *why);
void station_close(struct station *s);
/** station_path - "<dir>/<name>" into @out (600 bytes). */
void station_path(const struct station *s, char out[static 600], const char *name);
/**
 * station_create - make the folder (0700), settings and station keys of a new PoC, and poc.public.  Refuses a folder that
 * holds a desk (-HL_EEXIST).  @languages "en,fr" (the first is the reader's), @attendance "24/7" or "0800-1600".  @pass
 * seals the station's keys: the station then asks for it at each start; NULL: it starts unattended.
 */
int station_create(const char *dir, enum realm realm, const char *poc, const char *languages, const char *attendance,
                   bool witness, const struct secret *pass, struct buf *why);
/** station_position - make a position key (keys/<position>.key) and add its line to poc.public. -HL_EEXIST, -HL_EUSAGE (not a label, no permission, or machine). */
int station_position(struct station *s, const char *position, const char *holder, unsigned permissions, const struct secret *pass);
/** station_add_host - append a host to the settings; the station sees it when it is opened again. -HL_ECONFIG, -HL_EEXIST. */
int station_add_host(struct station *s, const char *host, struct buf *why);
/** station_host_parse - one line of the setting "hosts". -HL_ECONFIG. */
int station_host_parse(struct station_host *h, enum realm realm, const char *line);
/** station_witness_name - the name under which the station's witness key cosigns, as its card lists it: "witness/<poc>". */
void station_witness_name(char out[static 80], const char *poc);

#endif
