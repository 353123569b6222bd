#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "client/station.h"
#include "common/card.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"

/*
 * Making a station: its folder, keys, settings, and poc.public, from which the party's root holders
 * make the card.
 *
 *   witness witness/arcadia.technical <key> technical
 *   poc technical en,fr 24/7
 *   transport <key>
 *   key <key> machine station station
 *   key <key> draft,acknowledge officer-3 watch-1
 */
#define PUBLIC_MAX 16384

struct making {
    struct station station; /* dir, realm, poc */
    const struct secret *pass;
    struct buf public;
};

static int making_folder(const struct station *s)
{
    char path[600];
    struct stat st;

    station_path(s, path, "hotline.conf");
    if (lstat(path, &st) == 0)
        return -HL_EEXIST;
    station_path(s, path, "keys");
    return file_mkdir(path, 0700);
}

static int making_sign(struct making *m, enum key_use use, const char *file, uint8_t pub[static 32])
{
    char path[600];

    station_path(&m->station, path, file);
    return keyfile_new_sign(path, m->station.realm, use, m->station.poc, m->pass, pub);
}

static int making_vault(struct making *m)
{
    char path[600];

    station_path(&m->station, path, "keys/vault.key");
    return vault_new(path, m->station.realm, m->station.poc, m->pass);
}

static void public_key(struct buf *out, const char *before, const uint8_t key[static 32],
                       const char *after)
{
    buf_put_str(out, before);
    text_base64(out, SPAN(key, 32));
    buf_put_str(out, after);
}

static int making_witness(struct making *m)
{
    struct span office = name_office(span_str(m->station.poc));
    uint8_t pub[32];
    char name[80];
    int rc = making_sign(m, KEY_WITNESS, "keys/witness.key", pub);

    station_witness_name(name, m->station.poc);
    buf_printf(&m->public, "witness %s ", name);
    public_key(&m->public, "", pub, " ");
    buf_put_span(&m->public, office);
    buf_put_str(&m->public, "\n");
    return rc;
}

static int making_keys(struct making *m, const char *languages, const char *attendance,
                       bool witness)
{
    struct span office = name_office(span_str(m->station.poc));
    uint8_t pub[32];
    char path[600];
    int rc = witness ? making_witness(m) : 0;

    buf_printf(&m->public, "poc %.*s %s %s\n", (int)office.n, (const char *)office.p, languages,
               attendance);
    station_path(&m->station, path, "keys/transport.key");
    if (!rc)
        rc = transport_new(path, m->station.realm, m->station.poc, m->pass, pub);
    if (!rc)
        public_key(&m->public, "transport ", pub, "\n");
    if (!rc)
        rc = making_sign(m, KEY_MACHINE, "keys/machine.key", pub);
    if (!rc)
        public_key(&m->public, "key ", pub, " machine station station\n");
    if (!rc)
        rc = making_vault(m);
    return rc ? rc : m->public.bad;
}

static int making_settings(const struct station *s)
{
    char path[600];
    struct buf conf;
    int rc;

    buf_init(&conf, 4096);
    buf_printf(&conf, "realm = \"%s\";\npoc = \"%s\";\nlanguage = \"%s\";\nhosts = [ ];\n",
               realm_name(s->realm), s->poc, s->language);
    station_path(s, path, "hotline.conf");
    rc = conf.bad ? conf.bad : file_create(path, buf_span(&conf), 0600);
    buf_release(&conf);
    return rc;
}

static int making_check(const struct making *m, const char *dir, const char *poc,
                        const char *languages, const char *attendance, struct buf *why)
{
    unsigned from, until;

    if (strlen(dir) >= sizeof(m->station.dir))
        return -HL_ETOOBIG;
    if (!name_poc(span_str(poc)))
        return document_say(why, -HL_EUSAGE, "\"%s\" is no point of contact: want party.office",
                            poc);
    if (!document_languages(span_str(languages), true))
        return document_say(why, -HL_EUSAGE, "languages: want BCP 47 tags with commas");
    if (attendance_parse(span_str(attendance), &from, &until))
        return document_say(why, -HL_EUSAGE, "attendance: want 24/7 or 0800-1600 (UTC)");
    return 0;
}

int station_create(const char *dir, enum realm realm, const char *poc, const char *languages,
                   const char *attendance, bool witness, const struct secret *pass, struct buf *why)
{
    struct making m = { .pass = pass };
    char path[600];
    int rc = making_check(&m, dir, poc, languages, attendance, why);

    if (rc)
        return rc;
    m.station.realm = realm;
    snprintf(m.station.dir, sizeof(m.station.dir), "%s", dir);
    snprintf(m.station.poc, sizeof(m.station.poc), "%s", poc);
    snprintf(m.station.language, sizeof(m.station.language), "%.*s", (int)strcspn(languages, ","),
             languages);
    buf_init(&m.public, PUBLIC_MAX);
    rc = making_folder(&m.station);
    if (!rc)
        rc = making_keys(&m, languages, attendance, witness);
    station_path(&m.station, path, "poc.public");
    if (!rc)
        rc = file_create(path, buf_span(&m.public), 0644);
    if (!rc)
        rc = making_settings(&m.station); /* last: a folder with settings is a desk */
    if (rc)
        document_say(why, rc, "%s: %s", dir, error_text(rc));
    buf_release(&m.public);
    return rc;
}

/* ---- positions ---- */

/* Key lines stand after the transport lines and before the alternates, as the card wants them. */
static int public_insert(struct buf *out, struct span old, struct span line)
{
    struct span rest = old, at;
    bool done = false;

    while (text_line(&rest, &at)) {
        if (!done && at.n > 10 && memcmp(at.p, "alternate ", 10) == 0) {
            buf_put_span(out, line);
            done = true;
        }
        buf_put_span(out, at);
        buf_put_str(out, "\n");
    }
    return done ? out->bad : buf_put_span(out, line);
}

static int public_add(const struct station *s, struct span line)
{
    struct buf old, new;
    char path[600];
    int rc;

    buf_init(&old, PUBLIC_MAX);
    buf_init(&new, PUBLIC_MAX);
    station_path(s, path, "poc.public");
    rc = file_read(path, &old);
    if (!rc)
        rc = public_insert(&new, buf_span(&old), line);
    if (!rc)
        rc = file_publish(path, buf_span(&new), 0644);
    buf_release(&old);
    buf_release(&new);
    return rc;
}

int station_position(struct station *s, const char *position, const char *holder,
                     unsigned permissions, const struct secret *pass)
{
    char leaf[64], path[600], name[128];
    uint8_t pub[32];
    struct buf line;
    int rc;

    if (!name_label(span_str(position)) || !name_label(span_str(holder)) || permissions == 0 ||
        permissions & PERM_MACHINE || strcmp(position, "station") == 0)
        return -HL_EUSAGE;
    snprintf(leaf, sizeof(leaf), "keys/%s.key", position);
    station_path(s, path, leaf);
    snprintf(name, sizeof(name), "%s/%s", s->poc, position);
    rc = keyfile_new_sign(path, s->realm, KEY_POSITION, name, pass, pub);
    if (rc)
        return rc;
    buf_init(&line, 512);
    public_key(&line, "key ", pub, " ");
    permissions_print(&line, permissions);
    buf_printf(&line, " %s %s\n", holder, position);
    rc = line.bad ? line.bad : public_add(s, buf_span(&line));
    buf_release(&line);
    return rc;
}

/* ---- hosts ---- */

/* The list is rewritten, the rest of the file stays as its owner wrote it. */
static int conf_insert(struct buf *out, struct span old, const char *host, size_t hosts)
{
    const uint8_t *key = memmem(old.p, old.n, "hosts", 5), *end;

    if (!key) {
        buf_put_span(out, old);
        return buf_printf(out, "hosts = [ \"%s\" ];\n", host);
    }
    end = memchr(key, ']', old.n - (size_t)(key - old.p));
    if (!end)
        return -HL_ECONFIG;
    buf_put(out, old.p, (size_t)(end - old.p));
    buf_printf(out, "%s\n  \"%s\" ", hosts ? "," : "", host);
    return buf_put(out, end, old.n - (size_t)(end - old.p));
}

int station_add_host(struct station *s, const char *host, struct buf *why)
{
    struct station_host h;
    struct station *check = NULL;
    struct buf old, new;
    char path[600];
    enum realm other = s->realm == REALM_LIVE ? REALM_EXERCISE : REALM_LIVE;
    int rc = station_host_parse(&h, s->realm, host);

    if (rc && station_host_parse(&h, other, host) == 0)
        return document_say(why, -HL_EREALM,
                            "a broker of the %s realm; this desk is of the %s realm",
                            realm_name(other), realm_name(s->realm));
    if (rc)
        return document_say(why, rc, "want \"origin log-key curve-key endpoint\", keys in base64");
    for (size_t i = 0; i < s->n_hosts; i++)
        if (strcmp(s->host[i].origin, h.origin) == 0)
            return -HL_EEXIST;
    if (s->n_hosts == STATION_HOSTS)
        return -HL_ETOOBIG;
    buf_init(&old, 65536);
    buf_init(&new, 65536);
    station_path(s, path, "hotline.conf");
    rc = file_read(path, &old);
    if (!rc)
        rc = conf_insert(&new, buf_span(&old), host, s->n_hosts);
    if (!rc)
        rc = file_publish(path, buf_span(&new), 0600);
    if (!rc)
        rc = station_open(&check, s->dir, why); /* what we wrote must read back */
    if (rc && new.n)
        file_publish(path, buf_span(&old), 0600);
    station_close(check);
    buf_release(&old);
    buf_release(&new);
    return rc;
}
