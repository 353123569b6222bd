#ifndef HL_TESTS_STORE_SAMPLE_H
#define HL_TESTS_STORE_SAMPLE_H

#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/error.h"
#include "server/log.h"
#include "server/store.h"
#include "tests/check.h"

/*
 * Shared by the tests of store, log, signer and publisher: a folder to be thrown away, and entries that follow
 * from a number alone, so that a reader can tell what must be there.
 */
struct folder {
    char dir[64], path[96];
    struct store_conf conf;
};

static inline void folder_make(struct folder *f)
{
    snprintf(f->dir, sizeof(f->dir), "%s/hotline-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* no test waits for a disk */
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/store", f->dir);
    f->conf = (struct store_conf){
        .path = f->path, .realm = REALM_EXERCISE, .origin = "host.example/exercise/arcadia/1",
        .grow_bytes = 1 << 20 };
}

static inline int folder_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void folder_remove(const char *dir)
{
    nftw(dir, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* 32 bytes that follow from @what and @n. */
static inline void sample_hash(uint8_t out[static 32], const char *what, uint64_t n)
{
    crypto_hash_sha256_state st;
    uint8_t b[8];

    put_u64(b, n);
    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, (const uint8_t *)what, strlen(what));
    crypto_hash_sha256_update(&st, b, sizeof(b));
    crypto_hash_sha256_final(&st, out);
}

/* An entry and all that it points to. */
struct sample {
    struct store_entry e;
    uint8_t salt[32], id[32], mid[32], channel[32], chain[32], record[4096];
    uint8_t body[80000];
};

static inline void sample_fill(uint8_t *p, size_t n, const char *what, uint64_t i)
{
    uint8_t seed[32];

    sample_hash(seed, what, i);
    randombytes_buf_deterministic(p, n, seed);
}

/* Envelope number @n: every third has a body (4,112 bytes), every 16th one of three chunks. */
static inline void sample_envelope(struct sample *s, uint64_t n)
{
    size_t body = n % 16 == 0 ? 80000 : n % 3 == 0 ? 4112 : 0;
    size_t record = 300 + n % 700;

    sample_hash(s->salt, "salt", n);
    sample_hash(s->id, "id", n);
    sample_hash(s->mid, "mid", n);
    sample_hash(s->channel, "channel", n % 3);
    sample_hash(s->chain, "chain", 0);
    sample_fill(s->record, sizeof(s->record), "record", n);
    sample_fill(s->body, body, "body", n);
    s->e = (struct store_entry){ .time_ms = 1700000000000 + n,
                                 .kind = ENTRY_ENVELOPE,
                                 .salt = s->salt,
                                 .record = SPAN(s->record, record),
                                 .id = s->id,
                                 .mid = s->mid,
                                 .channel = s->channel,
                                 .chain = s->chain,
                                 .sender = span_str(n % 2 ? "arcadia.technical"
                                                          : "borealia.technical"),
                                 .seq = n + 1,
                                 .body_len = body,
                                 .message_kind = 1 + n % 7,
                                 .precedence = n % 4,
                                 .wraps = SPAN(s->record + 2000, 3 + n % 300),
                                 .body = SPAN(s->body, body) };
}

static inline void sample_dummy(struct sample *s, uint64_t n)
{
    sample_hash(s->salt, "salt", n);
    s->record[0] = 0x82;
    put_u64(s->record + 1, n);
    s->e = (struct store_entry){ .time_ms = 1700000000000 + n,
                                 .kind = ENTRY_DUMMY,
                                 .salt = s->salt,
                                 .record = SPAN(s->record, 9) };
}

/* A store and its log, opened. */
struct opened {
    struct store *st;
    struct log *log;
    struct store_head head;
};

static inline int opened_open(struct opened *o, const struct store_conf *conf)
{
    int rc = store_open(conf, &o->st, &o->head);

    o->log = NULL;
    if (!rc)
        rc = log_open(o->st, conf->realm, &o->head, &o->log);
    return rc;
}

static inline void opened_close(struct opened *o)
{
    log_close(o->log);
    store_close(o->st);
    *o = (struct opened){ .st = NULL };
}

/* Commit what is staged. */
static inline int opened_commit(struct opened *o)
{
    struct store_head next = { .size = log_size(o->log), .time_ms = log_time(o->log, 0) };
    int rc;

    log_root(o->log, next.root);
    rc = store_commit(o->st, &o->head, &next);
    if (!rc)
        o->head = next;
    return rc;
}

/* Append and commit the envelopes (or dummies) @from..@to-1, whose numbers are their indices. */
static inline int opened_append(struct opened *o, uint64_t from, uint64_t to, bool dummies)
{
    static struct sample s;
    uint8_t salt[32];
    int rc = 0;

    for (uint64_t n = from; !rc && n < to; n++) {
        if (dummies)
            sample_dummy(&s, n);
        else
            sample_envelope(&s, n);
        rc = log_append(o->log, &s.e, salt);
    }
    return rc ? rc : opened_commit(o);
}

#endif
