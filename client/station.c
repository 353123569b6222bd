#include "client/station.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/card.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"

/* hotline.conf as it stands; checked and taken over by station_take(). */
struct station_conf {
    char *realm, *poc, *language;
    struct settings_list hosts;
    int64_t clock_offset_s;
};

#define AT(field) offsetof(struct station_conf, field)
static const struct setting settings[] = {
    { "realm", SETTING_STRING, AT(realm), .required = true, .help = "live or exercise" },
    { "poc", SETTING_STRING, AT(poc), .required = true, .help = "this point of contact" },
    { "language", SETTING_STRING, AT(language), .dstr = "en", .help = "of the reader (BCP 47)" },
    { "hosts", SETTING_STRINGS, AT(hosts),
      .help = "origin, log key, curve key, endpoint; in order of preference" },
    { "clock_offset_s", SETTING_INT, AT(clock_offset_s), .min = -3153600000, .max = 3153600000,
      .help = "exercise realm only: seconds added to the clock" },
};

void station_path(const struct station *s, char out[static 600], const char *name)
{
    snprintf(out, 600, "%s/%s", s->dir, name);
}

void station_witness_name(char out[static 80], const char *poc)
{
    snprintf(out, 80, "witness/%s", poc);
}

int station_host_parse(struct station_host *h, enum realm realm, const char *line)
{
    struct span rest = span_str(line), field[4];
    uint8_t log_key[32];

    memset(h, 0, sizeof(*h));
    for (size_t i = 0; i < COUNT(field); i++)
        if (!text_field(&rest, &field[i]))
            return -HL_ECONFIG;
    if (rest.n || !document_origin(field[0], realm, NULL) || field[0].n >= sizeof(h->origin) ||
        field[3].n == 0 || field[3].n >= sizeof(h->endpoint) || !text_ascii(field[3]) ||
        document_key(log_key, field[1]) || document_xkey(h->curve, field[2]))
        return -HL_ECONFIG;
    memcpy(h->origin, field[0].p, field[0].n);
    memcpy(h->endpoint, field[3].p, field[3].n);
    return note_key_init(&h->log, field[0], NOTE_ED25519, log_key) ? -HL_ECONFIG : 0;
}

static int station_hosts(struct station *s, const struct settings_list *hosts, const char *path,
                         struct buf *why)
{
    if (hosts->n > STATION_HOSTS)
        return document_say(why, -HL_ECONFIG, "%s: at most %d hosts", path, STATION_HOSTS);
    for (size_t i = 0; i < hosts->n; i++) {
        if (station_host_parse(&s->host[i], s->realm, hosts->v[i]))
            return document_say(why, -HL_ECONFIG,
                                "%s: host %zu: want \"origin log-key curve-key endpoint\" of the "
                                "%s realm, keys in base64",
                                path, i + 1, realm_name(s->realm));
        for (size_t k = 0; k < i; k++)
            if (strcmp(s->host[k].origin, s->host[i].origin) == 0)
                return document_say(why, -HL_ECONFIG, "%s: host %s stands twice", path,
                                    s->host[i].origin);
    }
    s->n_hosts = hosts->n;
    return 0;
}

static int station_take(struct station *s, const struct station_conf *c, const char *path,
                        struct buf *why)
{
    if (realm_parse(&s->realm, span_str(c->realm)))
        return document_say(why, -HL_ECONFIG, "%s: realm: live or exercise", path);
    if (!name_poc(span_str(c->poc)))
        return document_say(why, -HL_ECONFIG, "%s: poc: want party.office", path);
    if (!document_languages(span_str(c->language), false))
        return document_say(why, -HL_ECONFIG, "%s: language: want one BCP 47 tag", path);
    if (c->clock_offset_s && s->realm == REALM_LIVE)
        return document_say(why, -HL_ECONFIG, "%s: clock_offset_s: not in the live realm", path);
    snprintf(s->poc, sizeof(s->poc), "%s", c->poc);
    snprintf(s->language, sizeof(s->language), "%s", c->language);
    s->clock_offset_s = c->clock_offset_s;
    return station_hosts(s, &c->hosts, path, why);
}

/* Where the desk is: told, $HOTLINE_DESK, $XDG_STATE_HOME/hotline, ~/.local/state/hotline. */
static int station_dir(struct station *s, const char *dir)
{
    const char *desk = dir ? dir : getenv("HOTLINE_DESK");
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n;

    if (desk && *desk)
        n = snprintf(s->dir, sizeof(s->dir), "%s", desk);
    else if (state && *state == '/')
        n = snprintf(s->dir, sizeof(s->dir), "%s/hotline", state);
    else if (home && *home)
        n = snprintf(s->dir, sizeof(s->dir), "%s/.local/state/hotline", home);
    else
        return -HL_ENOENT;
    return n > 0 && (size_t)n < sizeof(s->dir) ? 0 : -HL_ETOOBIG;
}

int station_open(struct station **out, const char *dir, struct buf *why)
{
    struct station *s = calloc(1, sizeof(*s));
    struct station_conf conf = { 0 };
    char path[600];
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!s)
        return rc;
    rc = station_dir(s, dir);
    if (rc) {
        document_say(why, rc, "no folder for the desk: set HOTLINE_DESK");
        goto out;
    }
    station_path(s, path, "hotline.conf");
    rc = settings_load(path, settings, COUNT(settings), &conf, why);
    if (rc == -HL_ENOENT)
        document_say(why, rc, "%s: no such desk", path);
    if (rc)
        goto out;
    rc = station_take(s, &conf, path, why);
    if (rc)
        goto out;
    if (s->realm == REALM_EXERCISE)
        clock_adjust(s->clock_offset_s * 1000);
    *out = s;
    s = NULL;
out:
    settings_free(settings, COUNT(settings), &conf);
    station_close(s);
    return rc;
}

static void station_lock(struct station *s)
{
    seckey_free(s->machine);
    seckey_free(s->witness);
    transport_free(s->transport);
    vault_close(s->vault);
    subkey_ring_close(s->subkeys);
    psk_ring_close(s->psk);
    s->machine = s->witness = NULL;
    s->transport = NULL;
    s->vault = NULL;
    s->subkeys = NULL;
    s->psk = NULL;
}

void station_close(struct station *s)
{
    if (s)
        station_lock(s);
    free(s);
}

int station_dump(const struct station *s, struct buf *out)
{
    char path[600];

    station_path(s, path, "hotline.conf");
    return settings_dump(path, settings, COUNT(settings), out);
}

static int unlock_said(struct buf *why, int rc, const char *path)
{
    return rc ? document_say(why, rc, "%s: %s", path, error_text(rc)) : 0;
}

static int unlock_signing(struct station *s, const struct secret *pass, struct buf *why)
{
    char path[600];
    int rc;

    station_path(s, path, "keys/machine.key");
    rc = unlock_said(why, keyfile_load_sign(path, s->realm, KEY_MACHINE, pass, &s->machine), path);
    if (rc)
        return rc;
    station_path(s, path, "keys/witness.key");
    rc = keyfile_load_sign(path, s->realm, KEY_WITNESS, pass, &s->witness);
    return rc == -HL_ENOKEY ? 0 : unlock_said(why, rc, path);
}

static int unlock_sealing(struct station *s, const struct secret *pass, struct buf *why)
{
    char path[600];
    int rc;

    station_path(s, path, "keys/transport.key");
    rc = unlock_said(why, transport_load(path, s->realm, pass, &s->transport), path);
    if (rc)
        return rc;
    station_path(s, path, "keys/vault.key");
    rc = unlock_said(why, vault_open(&s->vault, path, s->realm, pass), path);
    if (rc)
        return rc;
    station_path(s, path, "keys");
    rc = subkey_ring_open(&s->subkeys, path, s->realm, span_str(s->poc), pass);
    if (!rc)
        rc = psk_ring_open(&s->psk, path, s->realm, pass);
    return unlock_said(why, rc, path);
}

int station_unlock(struct station *s, const struct secret *pass, struct buf *why)
{
    int rc;

    if (s->machine)
        return 0;
    rc = unlock_signing(s, pass, why);
    if (!rc)
        rc = unlock_sealing(s, pass, why);
    if (rc)
        station_lock(s); /* all of them or none */
    return rc;
}
