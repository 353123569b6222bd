/*
 * fill STORE ORIGIN N: a store with N dummy entries, to measure what a start costs on a longer log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"
#include "keys/secret.h"
#include "server/log.h"
#include "server/store.h"

#define BATCH 4096

static int fill(const struct store_conf *conf, uint64_t n)
{
    struct store_head head, next;
    struct store *st = NULL;
    struct log *log = NULL;
    struct buf record;
    uint8_t salt[32];
    int rc = store_open(conf, &st, &head);

    buf_init(&record, RECORD_MAX);
    if (!rc)
        rc = log_open(st, conf->realm, &head, &log);
    while (!rc && head.size < n) {
        for (size_t i = 0; i < BATCH && log_size(log) < n && !rc; i++) {
            struct record r = { .type = RECORD_DUMMY, .time_ms = log_time(log, clock_now_ms()) };
            struct store_entry e = { .kind = ENTRY_DUMMY, .time_ms = r.time_ms };

            buf_clear(&record);
            rc = record_put(&record, &r);
            e.record = buf_span(&record);
            if (!rc)
                rc = log_append(log, &e, salt);
            next.time_ms = r.time_ms;
        }
        next.size = log_size(log);
        log_root(log, next.root);
        if (!rc)
            rc = store_commit(st, &head, &next);
        head = next;
    }
    log_close(log);
    store_close(st);
    buf_release(&record);
    return rc;
}

int main(int argc, char **argv)
{
    struct store_conf conf = { .realm = REALM_EXERCISE };
    uint64_t n;
    int rc;

    if (argc != 4 || text_decimal(&n, span_str(argv[3])) != 0 || keys_init() != 0)
        return EXIT_USAGE;
    conf.path = argv[1];
    conf.origin = argv[2];
    rc = fill(&conf, n);
    if (rc)
        fprintf(stderr, "fill: %s\n", error_text(rc));
    return error_exit(rc);
}
