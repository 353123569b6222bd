#include <sodium.h>
#include <string.h>

#include "client/desk_db.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/tlog/checkpoint.h"

#define EVIDENCE_PER_KIND 128 /* so that a host cannot fill the disk with what it makes up */

static void desk_host_init(struct desk_host *h)
{
    memset(h, 0, sizeof(*h));
    merkle_range_init(&h->range);
    buf_init(&h->checkpoint, CHECKPOINT_MAX);
    buf_init(&h->witnessed, CHECKPOINT_MAX);
}

void desk_host_release(struct desk_host *h)
{
    buf_release(&h->checkpoint);
    buf_release(&h->witnessed);
}

/* The right edge has one hash for each bit of the size; anything else is damage. */
static int desk_host_edge(struct merkle_range *r, uint64_t size, struct span edge)
{
    r->size = size;
    r->n = (unsigned)__builtin_popcountll(size);
    if (edge.n != (size_t)r->n * 32)
        return -HL_ESTORE;
    if (edge.n)
        memcpy(r->hash, edge.p, edge.n);
    return 0;
}

static int desk_host_row(sqlite3_stmt *st, struct desk_host *h)
{
    int rc = desk_host_edge(&h->range, db_int(st, 0), db_blob(st, 1));

    if (!rc)
        rc = buf_put_span(&h->checkpoint, db_blob(st, 2));
    if (!rc)
        rc = buf_put_span(&h->witnessed, db_blob(st, 3));
    h->cursor = db_int(st, 4);
    h->dead = db_int(st, 5) != 0;
    return rc;
}

int desk_host_load(struct desk *d, struct span origin, struct desk_host *h)
{
    sqlite3_stmt *st;
    int rc;

    desk_host_init(h);
    rc = db_open(d, &st,
                 "SELECT size, edge, checkpoint, witnessed, cursor, dead FROM host WHERE origin=?",
                 BIND(B_TEXT(origin)));
    if (!rc)
        rc = db_row(st);
    if (rc == 1)
        rc = desk_host_row(st, h);
    sqlite3_finalize(st);
    return rc;
}

int desk_host_save(struct desk *d, struct span origin, const struct desk_host *h)
{
    return db_run(d, "INSERT OR REPLACE INTO host VALUES(?,?,?,?,?,?,?)",
                  BIND(B_TEXT(origin), B_INT(h->range.size),
                       B_BLOB(SPAN(h->range.hash, (size_t)h->range.n * 32)),
                       B_BLOB(buf_span(&h->checkpoint)), B_BLOB(buf_span(&h->witnessed)),
                       B_INT(h->cursor), B_INT(h->dead)));
}

int desk_document_add(struct desk *d, struct span origin, uint64_t index, uint64_t time_ms,
                      struct span note)
{
    return db_run(d, "INSERT OR IGNORE INTO document VALUES(?,?,?,?)",
                  BIND(B_TEXT(origin), B_INT(index), B_INT(time_ms), B_BLOB(note)));
}

int desk_document_each(struct desk *d, struct span origin,
                       int (*fn)(void *arg, uint64_t index, uint64_t time_ms, struct span note),
                       void *arg)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT idx, time_ms, note FROM document WHERE origin=? ORDER BY idx",
                     BIND(B_TEXT(origin)));

    while (!rc && (rc = db_row(st)) == 1)
        rc = fn(arg, db_int(st, 0), db_int(st, 1), db_blob(st, 2));
    sqlite3_finalize(st);
    return rc;
}

int desk_evidence_add(struct desk *d, const char *what, struct span bytes)
{
    uint8_t digest[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(digest, bytes.p, bytes.n);
    return db_run(d,
                  "INSERT OR IGNORE INTO evidence(time_ms, what, bytes, digest) SELECT ?1,?2,?3,?4"
                  " WHERE (SELECT count(*) FROM evidence WHERE what=?2) < ?5",
                  BIND(B_INT(clock_now_ms()), B_STR(what), B_BLOB(bytes), B_KEY(digest),
                       B_INT(EVIDENCE_PER_KIND)));
}

int desk_evidence_each(struct desk *d,
                       int (*fn)(void *arg, uint64_t time_ms, const char *what, struct span bytes),
                       void *arg)
{
    sqlite3_stmt *st;
    char what[256];
    int rc = db_open(d, &st, "SELECT time_ms, what, bytes FROM evidence ORDER BY n", BIND_NONE);

    while (!rc && (rc = db_row(st)) == 1) {
        db_text(st, 1, what, sizeof(what));
        rc = fn(arg, db_int(st, 0), what, db_blob(st, 2));
    }
    sqlite3_finalize(st);
    return rc;
}
