#ifndef HL_TESTS_FAIL_H
#define HL_TESTS_FAIL_H

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

/*
 * Makes the nth call of a kind fail, in this process: these definitions stand before those of the
 * libraries.  One including file per program.
 *
 *     for (int nth = 1; fail_armed(FAIL_WRITE, nth); nth++) { ...; fired = fail_disarm(); if (!fired) break; }
 */
enum fail_kind { FAIL_NONE, FAIL_GUARDED, FAIL_WRITE, FAIL_SYNC, FAIL_RENAME };

static enum fail_kind fail_what;
static int fail_left;

static inline void fail_arm(enum fail_kind what, int nth)
{
    fail_what = what;
    fail_left = nth;
}

/* Did it fail?  No call fails from now on. */
static inline bool fail_disarm(void)
{
    bool fired = fail_what != FAIL_NONE && fail_left <= 0;

    fail_what = FAIL_NONE;
    return fired;
}

static inline bool fail_now(enum fail_kind what)
{
    return fail_what == what && --fail_left == 0;
}

static inline void *fail_real(const char *name)
{
    void *p = dlsym(RTLD_NEXT, name);

    if (!p)
        abort();
    return p;
}

void *sodium_malloc(const size_t size)
{
    static void *(*real)(size_t);

    if (!real)
        *(void **)&real = fail_real("sodium_malloc");
    if (!fail_now(FAIL_GUARDED))
        return real(size);
    errno = ENOMEM;
    return NULL;
}

/* A failing write has written half. */
ssize_t write(int fd, const void *p, size_t n)
{
    static ssize_t (*real)(int, const void *, size_t);

    if (!real)
        *(void **)&real = fail_real("write");
    if (!fail_now(FAIL_WRITE))
        return real(fd, p, n);
    if (real(fd, p, n / 2) < 0)
        return -1;
    errno = ENOSPC;
    return -1;
}

int fsync(int fd)
{
    static int (*real)(int);

    if (!real)
        *(void **)&real = fail_real("fsync");
    if (!fail_now(FAIL_SYNC))
        return real(fd);
    errno = EIO;
    return -1;
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    static int (*real)(int, const char *, int, const char *, unsigned);

    if (!real)
        *(void **)&real = fail_real("renameat2");
    if (!fail_now(FAIL_RENAME))
        return real(a, from, b, to, flags);
    errno = EIO;
    return -1;
}

#endif
