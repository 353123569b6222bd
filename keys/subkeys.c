/*
 * One list is one key file; its secret:
 *
 *     N(poc) || u64 serial || u64 first day || u8 n || n scalars[32]
 *
 * A scalar of zeroes: the day's key is destroyed.  The file of the highest serial stays even when
 * all its days are gone: no serial is ever used again.
 */
#include "keys/subkeys.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"
#include "keys/keyfile_text.h"
#include "keys/ring.h"
#include "keys/secret_bytes.h"
#include "keys/subkeys_pair.h"

#define PREFIX "subkeys-"
#define LISTS_MAX 64
#define DAY_MAX 1000000 /* the year 4707; keeps sums of days far from overflow */
#define KEEP_DRAINED (96 * UINT64_C(3600000))
#define KEEP_LONGEST (30 * CLOCK_DAY_MS)

struct list {
    uint64_t serial, first_day;
    size_t n;
    uint8_t pub[SUBKEYS_DAYS][32]; /* zeroes: destroyed */
    struct secret *sk;             /* n scalars */
};

struct subkey_ring {
    char dir[RING_PATH], poc[64];
    enum realm realm;
    struct secret *pass; /* NULL: without passphrase */
    size_t n;
    struct list list[LISTS_MAX];
};

static const uint8_t zeroes[32];

static int list_path(const struct subkey_ring *ring, uint64_t serial, char out[static RING_PATH])
{
    char name[40];

    snprintf(name, sizeof(name), PREFIX "%" PRIu64, serial);
    return ring_path(out, ring->dir, name);
}

static struct secret *list_encode(const struct subkey_ring *ring, const struct list *l)
{
    size_t poc = strlen(ring->poc), at = 1 + poc;
    struct secret *s = secret_new(1 + poc + 8 + 8 + 1 + l->sk->n);

    if (!s)
        return NULL;
    s->p[0] = (uint8_t)poc;
    memcpy(s->p + 1, ring->poc, poc);
    put_u64(s->p + at, l->serial);
    put_u64(s->p + at + 8, l->first_day);
    s->p[at + 16] = (uint8_t)l->n;
    memcpy(s->p + at + 17, l->sk->p, l->sk->n);
    secret_lock(s);
    return s;
}

static int list_decode(const struct subkey_ring *ring, struct list *l, const struct secret *s)
{
    size_t poc = strlen(ring->poc), at = 1 + poc;
    struct secret scalars;

    if (s->n < at + 17 || s->p[0] != poc || memcmp(s->p + 1, ring->poc, poc) != 0)
        return -HL_EKEY; /* of another PoC */
    l->serial = get_u64(s->p + at);
    l->first_day = get_u64(s->p + at + 8);
    l->n = s->p[at + 16];
    if (l->n < 1 || l->n > SUBKEYS_DAYS || s->n != at + 17 + l->n * 32 || l->first_day > DAY_MAX)
        return -HL_EFORMAT;
    scalars = (struct secret){ .n = l->n * 32, .p = s->p + at + 17 };
    l->sk = secret_copy(&scalars);
    return l->sk ? 0 : -HL_ENOMEM;
}

/* The public halves; a destroyed day has none. */
static void list_publish(struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (sodium_is_zero(l->sk->p + i * 32, 32))
            memset(l->pub[i], 0, 32);
        else
            crypto_scalarmult_base(l->pub[i], l->sk->p + i * 32);
}

static int load_list(void *arg, const char *path, struct span rest)
{
    struct subkey_ring *ring = arg;
    struct list l = { 0 };
    struct secret *s;
    uint64_t serial;
    int rc;

    if (text_decimal(&serial, rest))
        return 0; /* not one of ours */
    if (ring->n == LISTS_MAX)
        return -HL_ETOOBIG;
    rc = keyfile_load(path, ring->realm, KEY_SUBKEYS, ring->pass, &s);
    if (!rc)
        rc = list_decode(ring, &l, s);
    secret_free(s);
    if (!rc && l.serial != serial)
        rc = -HL_EFORMAT;
    if (rc) {
        secret_free(l.sk);
        return rc;
    }
    list_publish(&l);
    ring->list[ring->n++] = l;
    return 0;
}

int subkey_ring_open(struct subkey_ring **out, const char *dir, enum realm realm, struct span poc,
                     const struct secret *pass)
{
    struct subkey_ring *ring = calloc(1, sizeof(*ring));
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!ring)
        return rc;
    assert(poc.n && poc.n < sizeof(ring->poc));
    memcpy(ring->poc, poc.p, poc.n);
    ring->realm = realm;
    ring->pass = secret_copy(pass);
    if (pass && !ring->pass)
        goto out;
    rc = -HL_ETOOBIG;
    if (snprintf(ring->dir, sizeof(ring->dir), "%s", dir) >= (int)sizeof(ring->dir))
        goto out;
    rc = ring_each(dir, PREFIX, load_list, ring);
    if (rc)
        goto out;
    *out = ring;
    ring = NULL;
out:
    subkey_ring_close(ring);
    return rc;
}

void subkey_ring_close(struct subkey_ring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < ring->n; i++)
        secret_free(ring->list[i].sk);
    secret_free(ring->pass);
    free(ring);
}

uint64_t subkey_ring_serial(const struct subkey_ring *ring)
{
    uint64_t highest = 0;

    for (size_t i = 0; i < ring->n; i++)
        if (ring->list[i].serial > highest)
            highest = ring->list[i].serial;
    return highest;
}

static int list_write(const struct subkey_ring *ring, const struct list *l,
                      int (*how)(const char *, enum realm, enum key_use, const char *,
                                 const uint8_t *, const struct secret *, const struct secret *))
{
    struct secret *s = list_encode(ring, l);
    char path[RING_PATH];
    int rc = s ? list_path(ring, l->serial, path) : -HL_ENOMEM;

    if (!rc)
        rc = how(path, ring->realm, KEY_SUBKEYS, ring->poc, NULL, s, ring->pass);
    secret_free(s);
    return rc;
}

static void list_public(const struct subkey_ring *ring, const struct list *l, struct subkeys *pub)
{
    *pub = (struct subkeys){ .serial = l->serial, .first_day = l->first_day, .n = l->n };
    memcpy(pub->poc, ring->poc, sizeof(pub->poc));
    memcpy(pub->key, l->pub, l->n * sizeof(pub->key[0]));
}

int subkey_ring_make(struct subkey_ring *ring, uint64_t serial, uint64_t first_day, size_t days,
                     struct subkeys *pub)
{
    struct list l = { .serial = serial, .first_day = first_day, .n = days };
    int rc;

    assert(days >= 1 && days <= SUBKEYS_DAYS && first_day <= DAY_MAX);
    if (serial <= subkey_ring_serial(ring))
        return -HL_EEXIST;
    if (ring->n == LISTS_MAX)
        return -HL_ETOOBIG;
    l.sk = secret_random(days * 32);
    rc = l.sk ? list_write(ring, &l, keyfile_create) : -HL_ENOMEM;
    if (rc) {
        secret_free(l.sk);
        return rc;
    }
    list_publish(&l);
    ring->list[ring->n++] = l;
    list_public(ring, &l, pub);
    return 0;
}

int subkey_ring_public(const struct subkey_ring *ring, uint64_t serial, struct subkeys *pub)
{
    for (size_t i = 0; i < ring->n; i++) {
        const struct list *l = &ring->list[i];

        if (l->serial != serial)
            continue;
        for (size_t d = 0; d < l->n; d++)
            if (memcmp(l->pub[d], zeroes, 32) == 0)
                return -HL_ENOENT;
        list_public(ring, l, pub);
        return 0;
    }
    return -HL_ENOENT;
}

bool subkey_ring_pair(const struct subkey_ring *ring, const uint8_t pub[static 32],
                      struct hpke_pair *pair)
{
    if (memcmp(pub, zeroes, 32) == 0)
        return false;
    for (size_t i = 0; i < ring->n; i++)
        for (size_t d = 0; d < ring->list[i].n; d++)
            if (memcmp(ring->list[i].pub[d], pub, 32) == 0) {
                *pair = (struct hpke_pair){ ring->list[i].sk->p + d * 32, ring->list[i].pub[d] };
                return true;
            }
    return false;
}

bool subkey_ring_has(const struct subkey_ring *ring, const uint8_t pub[static 32])
{
    struct hpke_pair pair;

    return subkey_ring_pair(ring, pub, &pair);
}

/* Is day @d of @l held still, and over for @keep? */
static bool is_due(const struct list *l, size_t d, uint64_t now, uint64_t keep)
{
    uint64_t end = (l->first_day + d + 1) * CLOCK_DAY_MS;

    return now >= end + keep && memcmp(l->pub[d], zeroes, 32) != 0;
}

/* Destroyed on the disk first: what memory has forgotten must not come back at the next start. */
static size_t list_expire(struct subkey_ring *ring, struct list *l, uint64_t now, uint64_t keep)
{
    struct list next = *l;
    size_t gone = 0;

    for (size_t d = 0; d < l->n; d++)
        gone += is_due(l, d, now, keep);
    next.sk = gone ? secret_new(l->sk->n) : NULL;
    if (!next.sk)
        return 0;
    for (size_t d = 0; d < l->n; d++)
        if (!is_due(l, d, now, keep))
            memcpy(next.sk->p + d * 32, l->sk->p + d * 32, 32);
    secret_lock(next.sk);
    if (list_write(ring, &next, keyfile_replace)) {
        secret_free(next.sk);
        return 0;
    }
    secret_free(l->sk);
    *l = next;
    list_publish(l);
    return gone;
}

/* Lists without a single day left, but the newest. */
static void drop_empty(struct subkey_ring *ring)
{
    uint64_t highest = subkey_ring_serial(ring);
    size_t kept = 0;

    for (size_t i = 0; i < ring->n; i++) {
        struct list *l = &ring->list[i];
        char path[RING_PATH];

        if (l->serial != highest && sodium_is_zero(l->sk->p, l->sk->n) &&
            !list_path(ring, l->serial, path) && !keyfile_remove(path))
            secret_free(l->sk);
        else
            ring->list[kept++] = *l;
    }
    ring->n = kept;
}

size_t subkey_ring_expire(struct subkey_ring *ring, uint64_t local_ms, uint64_t cosigned_ms,
                          bool drained)
{
    uint64_t now = local_ms < cosigned_ms ? local_ms : cosigned_ms;
    size_t gone = 0;

    for (size_t i = 0; i < ring->n; i++)
        gone += list_expire(ring, &ring->list[i], now, drained ? KEEP_DRAINED : KEEP_LONGEST);
    if (gone)
        drop_empty(ring);
    return gone;
}
