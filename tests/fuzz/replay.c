/*
 * Runs a fuzz target without a fuzzer: on every file of a corpus folder, on every truncation of it,
 * and on the empty input, each in a buffer of exactly that size.  A target that finds a fault
 * aborts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1u << 21)
#define CUTS_MAX 2048

static void once(const uint8_t *p, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);

    if (!exact)
        abort();
    if (n)
        memcpy(exact, p, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static int replay(void *arg, const char *path)
{
    unsigned *files = arg;
    struct buf b;
    int rc;

    fprintf(stderr, "%s\n", path); /* the last one named is the one that failed */
    buf_init(&b, INPUT_MAX);
    rc = file_read(path, &b);
    if (!rc) {
        size_t step = b.n / CUTS_MAX + 1;

        once(b.p, b.n);
        for (size_t n = 0; n < b.n; n += step)
            once(b.p, n);
        ++*files;
    }
    buf_release(&b);
    return rc;
}

int main(int argc, char **argv)
{
    unsigned files = 0;
    int rc;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return EXIT_USAGE;
    }
    once(NULL, 0);
    rc = file_each(argv[1], "", replay, &files);
    printf("%u files replayed\n", files);
    if (!rc && files == 0) {
        fprintf(stderr, "%s is empty\n", argv[1]);
        return EXIT_FAILED_OTHER;
    }
    return error_exit(rc);
}
