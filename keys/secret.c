#include "keys/secret.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <sodium.h>

#include "common/error.h"
#include "keys/secret_bytes.h"

#define SECRET_MAX 65536

int keys_init(void)
{
    static const struct rlimit none;

    if (sodium_init() < 0 || setrlimit(RLIMIT_CORE, &none))
        return -HL_ESYS;
#ifndef HL_SAN /* LeakSanitizer traces its own process */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return -HL_ESYS;
#endif
    srand(randombytes_random()); /* libzmq draws connection ids from rand() */
    return 0;
}

struct secret *secret_new(size_t n)
{
    struct secret *s = malloc(sizeof(*s));

    assert(n >= 1 && n <= SECRET_MAX);
    if (!s)
        return NULL;
    *s = (struct secret){ .n = n, .p = sodium_malloc(n) };
    if (!s->p) {
        free(s);
        return NULL;
    }
    sodium_memzero(s->p, n);
    return s;
}

void secret_free(struct secret *s)
{
    if (!s)
        return;
    sodium_free(s->p); /* wipes */
    free(s);
}

size_t secret_size(const struct secret *s)
{
    return s->n;
}

void secret_lock(struct secret *s)
{
    sodium_mprotect_readonly(s->p);
}

struct secret *secret_random(size_t n)
{
    struct secret *s = secret_new(n);

    if (!s)
        return NULL;
    randombytes_buf(s->p, n);
    secret_lock(s);
    return s;
}

struct secret *secret_take(void *p, size_t n)
{
    struct secret *s = secret_new(n);

    if (s) {
        memcpy(s->p, p, n);
        secret_lock(s);
    }
    sodium_memzero(p, n);
    return s;
}

struct secret *secret_copy(const struct secret *s)
{
    struct secret *copy = s ? secret_new(s->n) : NULL;

    if (!copy)
        return NULL;
    memcpy(copy->p, s->p, s->n);
    secret_lock(copy);
    return copy;
}

int guarded_init(struct buf *b, size_t max)
{
    *b = (struct buf){ .p = sodium_malloc(max + 1), .cap = max + 1, .max = max };
    if (!b->p) {
        *b = (struct buf){ .bad = -HL_ENOMEM };
        return -HL_ENOMEM;
    }
    return 0;
}

void guarded_release(struct buf *b)
{
    sodium_free(b->p);
    *b = (struct buf){ 0 };
}
