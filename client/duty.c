#include "client/duty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/sync.h"
#include "common/clock.h"
#include "common/error.h"
#include "keys/keyfile.h"

struct position {
    struct position *next;
    char name[32];
    struct seckey *key;
};

static int position_load(struct agent *a, struct span name, const struct secret *pass,
                         struct position **out, struct buf *why)
{
    char file[600], leaf[64];
    struct position *p;
    int rc;

    *out = NULL;
    if (!name_label(name) || name.n >= sizeof(p->name))
        return -HL_EUSAGE;
    p = calloc(1, sizeof(*p));
    if (!p)
        return -HL_ENOMEM;
    memcpy(p->name, name.p, name.n);
    snprintf(leaf, sizeof(leaf), "keys/%s.key", p->name);
    station_path(a->station, file, leaf);
    rc = keyfile_load_sign(file, a->station->realm, KEY_POSITION, pass, &p->key);
    if (rc) {
        buf_printf(why, "position %s: %s", p->name, error_text(rc));
        free(p);
        return rc;
    }
    *out = p;
    return 0;
}

static struct position *position_find(struct agent *a, struct span name)
{
    for (struct position *p = a->positions; p; p = p->next)
        if (span_eq_str(name, p->name))
            return p;
    return NULL;
}

int duty_begin(struct agent *a, struct span position, const struct secret *pass, struct buf *why)
{
    struct position *p = position_find(a, position);
    int rc;

    if (p)
        return 0;
    rc = position_load(a, position, pass, &p, why);
    if (rc)
        return rc;
    p->next = a->positions;
    a->positions = p;
    return desk_duty_set(a->desk, position, true, clock_now_ms());
}

static void position_drop(struct agent *a, struct span name)
{
    for (struct position **at = &a->positions; *at; at = &(*at)->next) {
        struct position *p = *at;

        if (!span_eq_str(name, p->name))
            continue;
        *at = p->next;
        seckey_free(p->key);
        free(p);
        return;
    }
}

int duty_end(struct agent *a, struct span position)
{
    position_drop(a, position);
    return desk_duty_set(a->desk, position, false, clock_now_ms());
}

bool duty_unlocked(const struct agent *a, struct span position)
{
    for (const struct position *p = a->positions; p; p = p->next)
        if (span_eq_str(position, p->name))
            return true;
    return false;
}

void duty_release(struct agent *a)
{
    while (a->positions)
        position_drop(a, span_str(a->positions->name));
}

/* The own card decides what a key may sign; it is judged again by everyone who reads the message.
 */
static bool duty_permits(const struct agent *a, const struct seckey *key, unsigned permissions)
{
    struct key_facts facts;

    for (size_t i = 0; i < a->n_syncs; i++) {
        const struct directory *dir = sync_directory(a->sync[i]);

        if (directory_key(dir, DIRECTORY_NOW, clock_now_ms(), seckey_public(key), &facts) == 0)
            return (facts.permissions & permissions) == permissions;
    }
    return true; /* no card seen yet: the broker will say */
}

struct duty_search {
    struct agent *agent;
    unsigned permissions;
    const struct secret *pass;
    struct buf *why;
    struct position *found;
    size_t fits;
    int rc; /* of a position whose key could not be loaded */
};

static int duty_consider(void *arg, struct span name, uint64_t since_ms)
{
    struct duty_search *search = arg;
    struct position *p = position_find(search->agent, name);
    int rc;

    (void)since_ms;
    if (!p) {
        rc = position_load(search->agent, name, search->pass, &p, search->why);
        if (rc) {
            search->rc = rc;
            return 0;
        }
        p->next = search->agent->positions;
        search->agent->positions = p;
    }
    if (duty_permits(search->agent, p->key, search->permissions)) {
        if (!search->fits++ || search->permissions)
            search->found = p;
    }
    return 0;
}

int duty_key(struct agent *a, struct span position, unsigned permissions, const struct secret *pass,
             const struct seckey **key, struct buf *why)
{
    struct duty_search search = {
        .agent = a, .permissions = permissions, .pass = pass, .why = why
    };
    int rc;

    if (position.n) {
        search.found = position_find(a, position);
        if (!search.found && a->listen_fd >= 0) {
            buf_put_str(why, "that position is not on duty at this station");
            return -HL_EDUTY;
        }
        if (!search.found) {
            rc = position_load(a, position, pass, &search.found, why);
            if (rc)
                return rc;
            search.found->next = a->positions;
            a->positions = search.found;
        }
        if (!duty_permits(a, search.found->key, permissions)) {
            buf_printf(why, "position %s may not do this by the card of its party",
                       search.found->name);
            return -HL_EPERM;
        }
        *key = search.found->key;
        return 0;
    }
    rc = desk_duty_each(a->desk, duty_consider, &search);
    if (rc)
        return rc;
    if (search.fits == 1 || (search.fits && !permissions)) {
        *key = search.found->key;
        return 0;
    }
    if (search.fits > 1)
        buf_put_str(why, "several positions on duty may do this: name one with --position");
    else if (search.rc)
        return search.rc;
    return -HL_EDUTY;
}
