#ifndef HL_TESTS_CHECK_H
#define HL_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"

/*
 * Shared by all cmocka suites: comparisons that name the row of the table that failed.
 */
#define CHECK_EQ(got, want, row) check_eq((long long)(got), (long long)(want), (row), #got, __FILE__, __LINE__)
#define CHECK_BYTES(got, want, n, row) check_bytes((got), (want), (n), (row), __FILE__, __LINE__)

static inline void check_eq(long long got, long long want, const char *row, const char *what,
                            const char *file, int line)
{
    if (got != want) {
        fprintf(stderr, "%s:%d: [%s] %s: got %lld, want %lld\n", file, line, row, what, got, want);
        _fail(file, line);
    }
}

static inline void check_bytes(const void *got, const void *want, size_t n, const char *row,
                               const char *file, int line)
{
    if (n && memcmp(got, want, n) != 0) {
        fprintf(stderr, "%s:%d: [%s] bytes differ\n got  ", file, line, row);
        for (size_t i = 0; i < n && i < 64; i++)
            fprintf(stderr, "%02x", ((const uint8_t *)got)[i]);
        fprintf(stderr, "\n want ");
        for (size_t i = 0; i < n && i < 64; i++)
            fprintf(stderr, "%02x", ((const uint8_t *)want)[i]);
        fputc('\n', stderr);
        _fail(file, line);
    }
}

#endif
