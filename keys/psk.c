/*
 * One PSK is one key file "psk-<channel, hex>-<epoch>"; its secret:
 *
 *     channel[32] || u32 epoch || u64 first day || u32 d || u32 check || psk[d][32]
 *
 * d is the lowest step still held; psk[0] never reaches the ring's files.
 */
#include "keys/psk.h"

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

#define PREFIX "psk-"
#define RING_MAX 1024
#define CHECK_MOD 100000000
#define FILE_SIZE (32 + 4 + 8 + 4 + 4 + 32)

struct entry {
    struct psk_info info;
    struct secret *psk; /* of step info.lowest_step */
};

struct psk_ring {
    char dir[RING_PATH];
    enum realm realm;
    struct secret *pass; /* NULL: without passphrase */
    size_t n;
    struct entry *entry;
};

/* M(key, L(purpose) || channel || u32 epoch [|| u32 step]); @out may be @key. */
static void psk_mac(uint8_t out[static 32], enum realm realm, const uint8_t key[static 32],
                    const char *purpose, const struct psk_info *info, uint32_t step)
{
    uint8_t epoch[4], d[4];
    const struct span parts[] = { SPAN(info->channel, 32), SPAN(epoch, 4), SPAN(d, 4) };

    put_u32(epoch, info->epoch);
    put_u32(d, step);
    mac_label(out, SPAN(key, 32), realm, purpose, parts, step ? 3 : 2);
}

/* psk[from] in @key becomes psk[to]. */
static void ratchet(uint8_t key[static 32], enum realm realm, const struct psk_info *info,
                    uint32_t from, uint32_t to)
{
    for (uint32_t d = from + 1; d <= to; d++)
        psk_mac(key, realm, key, "psk ratchet", info, d);
}

static void check_digits(char digits[static 9], uint32_t check)
{
    snprintf(digits, 9, "%08" PRIu32, check % CHECK_MOD);
}

static int entry_path(const struct psk_ring *ring, const struct psk_info *info,
                      char out[static RING_PATH])
{
    char hex[65], name[96];

    text_hex(hex, info->channel, 32);
    snprintf(name, sizeof(name), PREFIX "%s-%" PRIu32, hex, info->epoch);
    return ring_path(out, ring->dir, name);
}

static struct secret *entry_encode(const struct entry *e)
{
    struct secret *s = secret_new(FILE_SIZE);

    if (!s)
        return NULL;
    memcpy(s->p, e->info.channel, 32);
    put_u32(s->p + 32, e->info.epoch);
    put_u64(s->p + 36, e->info.first_day);
    put_u32(s->p + 44, e->info.lowest_step);
    put_u32(s->p + 48, (uint32_t)strtoul(e->info.check, NULL, 10));
    memcpy(s->p + 52, e->psk->p, 32);
    secret_lock(s);
    return s;
}

static int entry_decode(struct entry *e, const struct secret *s)
{
    struct secret psk;

    if (s->n != FILE_SIZE)
        return -HL_EFORMAT;
    memcpy(e->info.channel, s->p, 32);
    e->info.epoch = get_u32(s->p + 32);
    e->info.first_day = get_u64(s->p + 36);
    e->info.lowest_step = get_u32(s->p + 44);
    if (e->info.lowest_step < 1 || e->info.lowest_step > PSK_STEP_MAX || e->info.first_day >> 32 ||
        get_u32(s->p + 48) >= CHECK_MOD)
        return -HL_EFORMAT;
    check_digits(e->info.check, get_u32(s->p + 48));
    psk = (struct secret){ .n = 32, .p = s->p + 52 };
    e->psk = secret_copy(&psk);
    return e->psk ? 0 : -HL_ENOMEM;
}

static struct entry *find(const struct psk_ring *ring, const uint8_t channel[static 32],
                          uint32_t epoch)
{
    for (size_t i = 0; i < ring->n; i++)
        if (ring->entry[i].info.epoch == epoch &&
            memcmp(ring->entry[i].info.channel, channel, 32) == 0)
            return &ring->entry[i];
    return NULL;
}

/* Room for one more, so that after its file is written nothing can fail. */
static int make_room(struct psk_ring *ring)
{
    struct entry *more;

    if (ring->n == RING_MAX)
        return -HL_ETOOBIG;
    more = reallocarray(ring->entry, ring->n + 1, sizeof(*more));
    if (!more)
        return -HL_ENOMEM;
    ring->entry = more;
    return 0;
}

/* "<channel, hex>-<epoch>"; other names are not ours, a half may lie here. */
static bool is_entry_name(struct span rest)
{
    uint8_t channel[32];
    uint64_t epoch;

    return rest.n > 65 && text_unhex(channel, 32, SPAN(rest.p, 64)) == 0 && rest.p[64] == '-' &&
           text_decimal(&epoch, SPAN(rest.p + 65, rest.n - 65)) == 0;
}

static int load_entry(void *arg, const char *path, struct span rest)
{
    struct psk_ring *ring = arg;
    struct entry e = { 0 };
    struct secret *s;
    char named[RING_PATH];
    int rc;

    if (!is_entry_name(rest))
        return 0;
    rc = make_room(ring);
    if (rc)
        return rc;
    rc = keyfile_load(path, ring->realm, KEY_PSK, ring->pass, &s);
    if (!rc)
        rc = entry_decode(&e, s);
    secret_free(s);
    if (!rc)
        rc = entry_path(ring, &e.info, named);
    if (!rc && strcmp(named, path) != 0)
        rc = -HL_EFORMAT; /* under another's name */
    if (rc)
        secret_free(e.psk);
    else
        ring->entry[ring->n++] = e;
    return rc;
}

int psk_ring_open(struct psk_ring **out, const char *dir, enum realm realm,
                  const struct secret *pass)
{
    struct psk_ring *ring = calloc(1, sizeof(*ring));
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!ring)
        return rc;
    ring->realm = realm;
    ring->pass = secret_copy(pass);
    if (pass && !ring->pass)
        goto out;
    rc = -HL_ETOOBIG;
    if (snprintf(ring->dir, sizeof(ring->dir), "%s", dir) >= (int)sizeof(ring->dir))
        goto out;
    rc = ring_each(dir, PREFIX, load_entry, ring);
    if (rc)
        goto out;
    *out = ring;
    ring = NULL;
out:
    psk_ring_close(ring);
    return rc;
}

void psk_ring_close(struct psk_ring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < ring->n; i++)
        secret_free(ring->entry[i].psk);
    secret_free(ring->pass);
    free(ring->entry);
    free(ring);
}

int psk_half_new(const char *path, enum realm realm, const char *name, const struct secret *pass)
{
    struct secret *half = secret_random(32);
    int rc = half ? keyfile_create(path, realm, KEY_PSK, name, NULL, half, pass) : -HL_ENOMEM;

    secret_free(half);
    return rc;
}

static int entry_write(const struct psk_ring *ring, const struct entry *e,
                       int (*how)(const char *, enum realm, enum key_use, const char *,
                                  const uint8_t *, const struct secret *, const struct secret *))
{
    struct secret *s = entry_encode(e);
    char path[RING_PATH], hex[65], name[128];
    int rc = s ? entry_path(ring, &e->info, path) : -HL_ENOMEM;

    text_hex(hex, e->info.channel, 32);
    snprintf(name, sizeof(name), "channel %s epoch %" PRIu32, hex, e->info.epoch);
    if (!rc)
        rc = how(path, ring->realm, KEY_PSK, name, NULL, s, ring->pass);
    secret_free(s);
    return rc;
}

/* psk[0], whose check value is kept, then psk[1], from where the ring begins. */
static int entry_begin(struct entry *e, enum realm realm, const struct secret *a,
                       const struct secret *b)
{
    uint8_t mac[32];

    if (a->n != 32 || b->n != 32)
        return -HL_EFORMAT;
    if (sodium_memcmp(a->p, b->p, 32) == 0)
        return -HL_EDUPLICATE; /* one half twice would cancel to zeroes */
    e->psk = secret_new(32);
    if (!e->psk)
        return -HL_ENOMEM;
    for (size_t i = 0; i < 32; i++)
        e->psk->p[i] = a->p[i] ^ b->p[i];
    psk_mac(mac, realm, e->psk->p, "psk check", &e->info, 0);
    check_digits(e->info.check, (uint32_t)(get_u64(mac) % CHECK_MOD));
    sodium_memzero(mac, sizeof(mac));
    ratchet(e->psk->p, realm, &e->info, 0, 1);
    secret_lock(e->psk);
    return 0;
}

int psk_combine(struct psk_ring *ring, const char *half_a, const char *half_b,
                const struct secret *pass_a, const struct secret *pass_b,
                const uint8_t channel[static 32], uint32_t epoch, uint64_t first_day)
{
    struct entry e = { .info = { .epoch = epoch, .first_day = first_day, .lowest_step = 1 } };
    struct secret *a = NULL, *b = NULL;
    int rc = find(ring, channel, epoch) ? -HL_EEXIST : make_room(ring);

    assert(first_day >> 32 == 0);
    memcpy(e.info.channel, channel, 32);
    if (!rc)
        rc = keyfile_load(half_a, ring->realm, KEY_PSK, pass_a, &a);
    if (!rc)
        rc = keyfile_load(half_b, ring->realm, KEY_PSK, pass_b, &b);
    if (!rc)
        rc = entry_begin(&e, ring->realm, a, b);
    if (!rc)
        rc = entry_write(ring, &e, keyfile_create);
    if (rc)
        secret_free(e.psk);
    else
        ring->entry[ring->n++] = e;
    secret_free(a);
    secret_free(b);
    return rc;
}

int psk_check_value(const struct psk_ring *ring, const uint8_t channel[static 32], uint32_t epoch,
                    char digits[static 9])
{
    const struct entry *e = find(ring, channel, epoch);

    if (!e)
        return -HL_EPSK;
    memcpy(digits, e->info.check, 9);
    return 0;
}

int psk_current(const struct psk_ring *ring, const uint8_t channel[static 32], uint64_t day,
                uint32_t *epoch, uint32_t *step)
{
    const struct psk_info *best = NULL;

    for (size_t i = 0; i < ring->n; i++) {
        const struct psk_info *info = &ring->entry[i].info;

        if (memcmp(info->channel, channel, 32) == 0 && info->first_day <= day &&
            (!best || info->epoch > best->epoch))
            best = info;
    }
    if (!best || day - best->first_day >= PSK_STEP_MAX ||
        day - best->first_day + 1 < best->lowest_step)
        return -HL_EPSK;
    *epoch = best->epoch;
    *step = (uint32_t)(day - best->first_day + 1);
    return 0;
}

int psk_at(const struct psk_ring *ring, const uint8_t channel[static 32], uint32_t epoch,
           uint32_t step, uint64_t sealed_ms, struct secret *out)
{
    const struct entry *e = find(ring, channel, epoch);
    uint64_t day = clock_day(sealed_ms), of_step; /* UTC days */

    assert(out->n == 32);
    if (!e || step < e->info.lowest_step || step > PSK_STEP_MAX)
        return -HL_EPSK;
    of_step = e->info.first_day + step - 1;
    if (of_step > day + 1 || day > of_step + 1)
        return -HL_EPSK;
    memcpy(out->p, e->psk->p, 32);
    ratchet(out->p, ring->realm, &e->info, e->info.lowest_step, step);
    return 0;
}

/* On the disk first: what memory has forgotten must not come back at the next start. */
static int entry_advance(struct psk_ring *ring, struct entry *e, uint32_t step)
{
    struct entry next = *e;
    int rc;

    next.psk = secret_new(32);
    if (!next.psk)
        return -HL_ENOMEM;
    memcpy(next.psk->p, e->psk->p, 32);
    ratchet(next.psk->p, ring->realm, &e->info, e->info.lowest_step, step);
    secret_lock(next.psk);
    next.info.lowest_step = step;
    rc = entry_write(ring, &next, keyfile_replace);
    if (rc) {
        secret_free(next.psk);
        return rc;
    }
    secret_free(e->psk);
    *e = next;
    return 0;
}

static int entry_destroy(struct psk_ring *ring, size_t i)
{
    char path[RING_PATH];
    int rc = entry_path(ring, &ring->entry[i].info, path);

    if (!rc)
        rc = keyfile_remove(path);
    if (rc)
        return rc;
    secret_free(ring->entry[i].psk);
    ring->entry[i] = ring->entry[--ring->n];
    return 0;
}

int psk_advance(struct psk_ring *ring, uint64_t keep_from_day)
{
    int first = 0;

    for (size_t i = ring->n; i-- > 0;) {
        struct entry *e = &ring->entry[i];
        uint64_t past = keep_from_day > e->info.first_day ? keep_from_day - e->info.first_day : 0;
        int rc = 0;

        if (past >= PSK_STEP_MAX)
            rc = entry_destroy(ring, i);
        else if (past + 1 > e->info.lowest_step)
            rc = entry_advance(ring, e, (uint32_t)past + 1);
        if (rc && !first)
            first = rc;
    }
    return first;
}

bool psk_list(const struct psk_ring *ring, size_t i, struct psk_info *info)
{
    if (i >= ring->n)
        return false;
    *info = ring->entry[i].info;
    return true;
}
