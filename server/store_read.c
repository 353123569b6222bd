#include "server/store_sqlite.h"

#include <assert.h>
#include <string.h>

#include "common/error.h"
#include "common/tlog/tile.h"

/*
 * Reading entries, bodies, tiles.  What is handed out was checked: an entry and a chunk by the
 * check of its row; a leaf and a tile's root, which are read without their rows, by whoever
 * compares the tree's root.
 */

void stored_init(struct stored *s)
{
    *s = (struct stored){ .index = 0 };
    buf_init(&s->record, RECORD_MAX);
    buf_init(&s->wraps, ENVELOPE_WRAPS_MAX);
}

void stored_release(struct stored *s)
{
    buf_release(&s->record);
    buf_release(&s->wraps);
}

static const uint8_t *hash_or_null(sqlite3_stmt *s, int col)
{
    return sqlite3_column_type(s, col) == SQLITE_NULL ? NULL : sql_blob(s, col).p;
}

static bool is_hash(sqlite3_stmt *s, int col, bool may_be_null)
{
    if (sqlite3_column_type(s, col) == SQLITE_NULL)
        return may_be_null;
    return sqlite3_column_bytes(s, col) == 32;
}

/* The row at @s as an entry whose parts are borrowed until the next step. */
static int entry_row(sqlite3_stmt *s, struct store_entry *e)
{
    uint8_t ck[STORE_CK];

    if (!is_hash(s, 0, false) || !is_hash(s, 6, true) || !is_hash(s, 7, true))
        return -HL_ESTORE;
    *e = (struct store_entry){ .index = sql_u64(s, 11),
                               .time_ms = sql_u64(s, 1),
                               .kind = (enum entry_kind)sqlite3_column_int(s, 2),
                               .message_kind = (unsigned)sqlite3_column_int(s, 3),
                               .precedence = (unsigned)sqlite3_column_int(s, 4),
                               .body_len = sql_u64(s, 5),
                               .id = hash_or_null(s, 6),
                               .salt = hash_or_null(s, 7),
                               .record = sql_blob(s, 9),
                               .wraps = sql_blob(s, 10) };
    memcpy(e->leaf, sql_blob(s, 0).p, 32);
    check_entry(ck, e);
    return check_column(s, 8, ck);
}

int entry_at(struct store *st, uint64_t index, sqlite3_stmt **s, struct store_entry *e)
{
    int rc;

    *s = sql_start(st, SQL_ENTRY, (const struct arg[]){ ARG_I(index), ARG_I(index + 1) }, 2);
    rc = sql_next(*s);
    if (rc != 1)
        return rc ? rc : -HL_ENOENT;
    rc = entry_row(*s, e);
    if (rc)
        sql_rest(*s);
    return rc;
}

int store_read(struct store *st, uint64_t index, struct stored *out)
{
    struct store_entry e;
    sqlite3_stmt *s;
    int rc = entry_at(st, index, &s, &e);

    if (rc)
        return rc;
    if (!out->record.max)
        stored_init(out);
    buf_clear(&out->record);
    buf_clear(&out->wraps);
    out->index = e.index;
    out->time_ms = e.time_ms;
    out->kind = e.kind;
    out->body_len = e.body_len;
    out->message_kind = e.message_kind;
    out->precedence = e.precedence;
    memset(out->salt, 0, sizeof(out->salt));
    if (e.salt)
        memcpy(out->salt, e.salt, sizeof(out->salt));
    rc = buf_put_span(&out->record, e.record);
    if (!rc)
        rc = buf_put_span(&out->wraps, e.wraps);
    sql_rest(s);
    return rc;
}

static int read_chunk(struct store *st, uint64_t body, const uint8_t id[static 32], uint64_t n,
                      struct buf *out)
{
    const struct arg key = ARG_I(body * STORE_BODY_ROWS + n);
    sqlite3_stmt *s = sql_start(st, SQL_CHUNK, &key, 1);
    uint8_t ck[STORE_CK];
    int rc = sql_next(s);

    if (rc != 1)
        return rc ? rc : -HL_ESTORE;
    check_chunk(ck, id, n, sql_blob(s, 1));
    rc = check_column(s, 0, ck);
    if (!rc)
        rc = buf_put_span(out, sql_blob(s, 1));
    sql_rest(s);
    return rc;
}

int store_read_chunk(struct store *st, uint64_t index, uint64_t n, struct buf *out)
{
    struct store_entry e;
    uint8_t id[32];
    sqlite3_stmt *s;
    uint64_t body;
    int rc = entry_at(st, index, &s, &e);

    if (rc)
        return rc;
    body = sql_u64(s, 12);
    if (n >= (e.body_len + STORE_CHUNK - 1) / STORE_CHUNK)
        rc = -HL_ENOENT;
    else if (!e.id)
        rc = -HL_ESTORE;
    else
        memcpy(id, e.id, sizeof(id));
    sql_rest(s);
    return rc ? rc : read_chunk(st, body, id, n, out);
}

int store_upload_chunk(struct store *st, const uint8_t id[static 32], uint64_t n, struct buf *out)
{
    const struct arg arg = ARG_B(id, 32);
    sqlite3_stmt *s = sql_start(st, SQL_UPLOAD, &arg, 1);
    int rc = sql_next(s);
    uint64_t body;

    if (rc != 1)
        return rc ? rc : -HL_ENOENT;
    body = sql_u64(s, 0);
    rc = n < sql_u64(s, 1) ? 0 : -HL_ENOENT;
    sql_rest(s);
    return rc ? rc : read_chunk(st, body, id, n, out);
}

int store_upload_have(struct store *st, const uint8_t id[static 32], uint64_t *chunks)
{
    const struct arg arg = ARG_B(id, 32);
    sqlite3_stmt *s = sql_start(st, SQL_UPLOAD, &arg, 1);
    int rc = sql_next(s);

    *chunks = rc == 1 ? sql_u64(s, 1) : 0;
    sql_rest(s);
    return rc < 0 ? rc : 0;
}

/* @count hashes from the first column of @which, whose two arguments bound a range of keys. */
static int read_hashes(struct store *st, enum sql which, uint64_t first, size_t count,
                       uint8_t (*out)[32])
{
    sqlite3_stmt *s =
        sql_start(st, which, (const struct arg[]){ ARG_I(first), ARG_I(first + count) }, 2);
    size_t n = 0;
    int rc;

    while ((rc = sql_next(s)) == 1) {
        rc = n < count ? sql_fixed(s, 0, out[n++], 32) : -HL_ESTORE;
        if (rc) {
            sql_rest(s);
            return rc;
        }
    }
    return rc ? rc : n == count ? 0 : -HL_ENOENT;
}

int store_read_leaves(struct store *st, uint64_t first, size_t count, uint8_t (*out)[32])
{
    assert(count <= TILE_WIDTH);
    return read_hashes(st, SQL_LEAVES, first, count, out);
}

int store_read_tile_roots(struct store *st, unsigned level, uint64_t first, size_t count,
                          uint8_t (*out)[32])
{
    assert(count <= TILE_WIDTH);
    return read_hashes(st, SQL_TILE_ROOTS, tile_key(level, first), count, out);
}

int store_read_tile(struct store *st, unsigned level, uint64_t n, uint8_t out[static 256][32])
{
    const struct arg key = ARG_I(tile_key(level, n));
    sqlite3_stmt *s = sql_start(st, SQL_TILE, &key, 1);
    uint8_t ck[STORE_CK];
    int rc = sql_next(s);

    if (rc != 1)
        return rc ? rc : -HL_ENOENT;
    rc = sql_blob(s, 0).n == 32 ? 0 : -HL_ESTORE;
    if (!rc) {
        check_tile(ck, tile_key(level, n), sql_blob(s, 0).p, sql_blob(s, 2));
        rc = check_column(s, 1, ck);
    }
    if (!rc)
        rc = sql_fixed(s, 2, out[0], TILE_BYTES);
    sql_rest(s);
    return rc;
}

/* u16 length || entry: a document is its own entry, everything else a commitment. */
static int put_entry(const struct store *st, const struct store_entry *e, struct buf *out)
{
    uint8_t entry[32];

    if (e->kind == ENTRY_DOCUMENT)
        return bundle_put(out, e->record);
    if (!e->salt)
        return -HL_ESTORE;
    record_entry(entry, st->realm, e->salt, e->record);
    return bundle_put(out, SPAN(entry, sizeof(entry)));
}

int store_read_entries(struct store *st, uint64_t first, size_t count, size_t max, struct buf *out,
                       size_t *n)
{
    sqlite3_stmt *s =
        sql_start(st, SQL_ENTRY, (const struct arg[]){ ARG_I(first), ARG_I(first + count) }, 2);
    size_t start = out->n;
    int rc;

    *n = 0;
    while ((rc = sql_next(s)) == 1) {
        struct store_entry e;
        size_t before = out->n;

        rc = entry_row(s, &e);
        if (!rc)
            rc = put_entry(st, &e, out);
        if (rc || out->n - start > max) {
            out->n = before; /* over the limit: not this one */
            sql_rest(s);
            return rc;
        }
        ++*n;
    }
    return rc;
}

int store_note(struct store *st, enum store_note which, struct buf *out)
{
    const struct arg arg = ARG_I(which);
    sqlite3_stmt *s = sql_start(st, SQL_NOTE, &arg, 1);
    uint8_t ck[STORE_CK];
    int rc = sql_next(s);

    if (rc != 1)
        return rc ? rc : -HL_ENOENT;
    check_note(ck, which, sql_blob(s, 1));
    rc = check_column(s, 0, ck);
    if (!rc)
        rc = buf_put_span(out, sql_blob(s, 1));
    sql_rest(s);
    return rc;
}
