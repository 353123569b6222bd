#include "client/audit/numbers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define GAPS_SHOWN 8

struct series {
    struct audit_number is;
    size_t n, cap;
    uint64_t *seq;
};

/* H(N(sender) || channel [|| chain || u64 seq]) */
static void number_id(uint8_t id[static 32], const struct envelope *env, bool whole)
{
    uint8_t len = (uint8_t)env->header.sender.n, seq[8];
    crypto_hash_sha256_state st;

    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, &len, 1);
    crypto_hash_sha256_update(&st, env->header.sender.p, len);
    crypto_hash_sha256_update(&st, env->header.channel, 32);
    if (whole) {
        put_u64(seq, env->stamp.seq);
        crypto_hash_sha256_update(&st, env->stamp.chain, 16);
        crypto_hash_sha256_update(&st, seq, sizeof(seq));
    }
    crypto_hash_sha256_final(&st, id);
}

/* Room for one more of @size bytes behind *v. */
static int reserve(void **v, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? 2 * *cap : 16;
    void *p;

    if (n < *cap)
        return 0;
    p = realloc(*v, more * size);
    if (!p)
        return -HL_ENOMEM;
    *v = p;
    *cap = more;
    return 0;
}

static struct series *series_of(struct numbers *n, const struct envelope *env)
{
    uint8_t id[32];
    void *v = n->v;
    uint64_t i;
    int rc;

    number_id(id, env, false);
    if (reserve(&v, n->n, &n->cap, sizeof(*n->v)))
        return NULL;
    n->v = v;
    rc = idmap_put(&n->by_id, id, n->n, &i);
    if (rc < 0)
        return NULL;
    if (rc == 1)
        return &n->v[i];
    n->v[n->n] = (struct series){ 0 };
    memcpy(n->v[n->n].is.sender, env->header.sender.p, env->header.sender.n);
    memcpy(n->v[n->n].is.channel, env->header.channel, 32);
    return &n->v[n->n++];
}

int numbers_add(struct numbers *n, const struct envelope *env, uint64_t index, uint64_t *other)
{
    struct series *s = series_of(n, env);
    uint8_t id[32];
    void *v;
    int rc;

    if (!s)
        return -HL_ENOMEM;
    number_id(id, env, true);
    rc = idmap_put(&n->taken, id, index, other);
    if (rc)
        return rc;
    v = s->seq;
    if (reserve(&v, s->n, &s->cap, sizeof(*s->seq)))
        return -HL_ENOMEM;
    s->seq = v;
    s->seq[s->n++] = env->stamp.seq;
    if (env->stamp.seq > s->is.highest) {
        s->is.highest = env->stamp.seq;
        s->is.last_index = index;
    }
    return 0;
}

void numbers_name(struct numbers *n, const struct envelope *env, struct span name)
{
    struct series *s = series_of(n, env);

    if (s && !s->is.name[0] && name.n < sizeof(s->is.name))
        memcpy(s->is.name, name.p, name.n);
}

static int by_seq(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Count what is here and print the first gaps into @gaps. */
static size_t find_gaps(struct series *s, struct buf *gaps)
{
    uint64_t last = 0;
    size_t n = 0;

    qsort(s->seq, s->n, sizeof(*s->seq), by_seq);
    for (size_t i = 0; i < s->n; i++) {
        uint64_t seq = s->seq[i];

        if (seq == last)
            continue; /* once in each of two chains */
        s->is.held++;
        if (seq == last + 1 && n == 0)
            s->is.upto = seq;
        if (seq > last + 1 && n++ < GAPS_SHOWN)
            buf_printf(gaps, seq > last + 2 ? "%s%" PRIu64 "-%" PRIu64 : "%s%" PRIu64,
                       n > 1 ? ", " : "", last + 1, seq - 1);
        last = seq;
    }
    if (n > GAPS_SHOWN)
        buf_put_str(gaps, ", ...");
    return n;
}

static int by_name(const void *a, const void *b)
{
    const struct series *x = a, *y = b;
    int d = strcmp(x->is.sender, y->is.sender);

    if (!d)
        d = strcmp(x->is.name, y->is.name);
    return d ? d : memcmp(x->is.channel, y->is.channel, 32);
}

int numbers_report(struct numbers *n, struct audit_report *r)
{
    struct buf gaps;

    if (!n->n)
        return 0;
    r->number = calloc(n->n, sizeof(*r->number));
    if (!r->number)
        return -HL_ENOMEM;
    qsort(n->v, n->n, sizeof(*n->v), by_name);
    idmap_release(&n->by_id); /* it knew the old order */
    buf_init(&gaps, 1000);
    for (size_t i = 0; i < n->n; i++) {
        struct series *s = &n->v[i];

        buf_clear(&gaps);
        if (find_gaps(s, &gaps))
            audit_missing(r, "numbers %s of %s on %s: no opened entry bears them", buf_str(&gaps),
                          s->is.sender, s->is.name[0] ? s->is.name : "a channel not open here");
        r->number[r->n_numbers++] = s->is;
    }
    buf_release(&gaps);
    return 0;
}

void numbers_release(struct numbers *n)
{
    for (size_t i = 0; i < n->n; i++)
        free(n->v[i].seq);
    free(n->v);
    idmap_release(&n->taken);
    idmap_release(&n->by_id);
    *n = (struct numbers){ 0 };
}
