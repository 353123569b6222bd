#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/desk_db.h"
#include "common/error.h"
#include "common/text.h"

int db_error(int rc)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
        return 0;
    return rc == SQLITE_NOMEM ? -HL_ENOMEM : -HL_ESTORE;
}

static int db_bind(sqlite3_stmt *st, int at, const struct bind *b)
{
    const void *p = b->s.p ? b->s.p : (const void *)"";

    switch (b->kind) {
    case BIND_INT:
        return sqlite3_bind_int64(st, at, (sqlite3_int64)b->v);
    case BIND_BLOB:
        return sqlite3_bind_blob64(st, at, p, b->s.n, SQLITE_STATIC);
    case BIND_TEXT:
        return sqlite3_bind_text64(st, at, p, b->s.n, SQLITE_STATIC, SQLITE_UTF8);
    }
    return SQLITE_MISUSE;
}

int db_open(struct desk *d, sqlite3_stmt **st, const char *sql, const struct bind *b, size_t n)
{
    int rc = sqlite3_prepare_v2(d->db, sql, -1, st, NULL);

    for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
        rc = db_bind(*st, (int)i + 1, &b[i]);
    if (rc != SQLITE_OK) {
        sqlite3_finalize(*st);
        *st = NULL;
    }
    return db_error(rc);
}

int db_row(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    return rc == SQLITE_ROW ? 1 : db_error(rc);
}

int db_run(struct desk *d, const char *sql, const struct bind *b, size_t n)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, sql, b, n);

    while (!rc && (rc = db_row(st)) == 1)
        rc = 0;
    sqlite3_finalize(st);
    return rc;
}

int db_changes(struct desk *d)
{
    return sqlite3_changes(d->db);
}

int db_get_int(struct desk *d, uint64_t *v, const char *sql, const struct bind *b, size_t n)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, sql, b, n);

    *v = 0;
    if (!rc)
        rc = db_row(st);
    if (rc == 1)
        *v = db_int(st, 0);
    sqlite3_finalize(st);
    return rc == 1 ? 0 : rc ? rc : -HL_ENOENT;
}

struct span db_blob(sqlite3_stmt *st, int col)
{
    const void *p = sqlite3_column_blob(st, col);

    return SPAN(p, (size_t)sqlite3_column_bytes(st, col));
}

uint64_t db_int(sqlite3_stmt *st, int col)
{
    return (uint64_t)sqlite3_column_int64(st, col);
}

int db_bytes(sqlite3_stmt *st, int col, uint8_t *out, size_t n)
{
    struct span s = db_blob(st, col);

    if (s.n != n)
        return -HL_ESTORE;
    memcpy(out, s.p, n);
    return 0;
}

void db_text(sqlite3_stmt *st, int col, char *out, size_t size)
{
    struct span s = db_blob(st, col);
    size_t n = s.n < size ? s.n : size - 1;

    if (n)
        memcpy(out, s.p, n);
    out[n] = 0;
}

/* ---- at rest ---- */

#define BOX_LABEL_MAX 96

static void box_label(char label[static BOX_LABEL_MAX], const char *what,
                      const uint8_t id[static 32])
{
    char hex[65];

    text_hex(hex, id, 32);
    snprintf(label, BOX_LABEL_MAX, "%s %s", what, hex);
}

int box_seal(const struct desk *d, struct buf *out, const char *what, const uint8_t id[static 32],
             struct span in)
{
    char label[BOX_LABEL_MAX];

    box_label(label, what, id);
    return d->vault ? vault_seal(d->vault, out, label, in) : buf_put_span(out, in);
}

int box_open(const struct desk *d, struct buf *out, const char *what, const uint8_t id[static 32],
             struct span in)
{
    char label[BOX_LABEL_MAX];
    int rc;

    box_label(label, what, id);
    rc = d->vault ? vault_unseal(d->vault, out, label, in) : buf_put_span(out, in);
    return rc == -HL_EOPEN ? -HL_ESTORE : rc; /* a stored byte is damaged */
}

/* ---- transactions ---- */

static int savepoint(struct desk *d, const char *verb)
{
    char sql[64];

    snprintf(sql, sizeof(sql), "%s d%u", verb, d->depth);
    return db_run(d, sql, BIND_NONE);
}

int desk_begin(struct desk *d)
{
    int rc = d->depth ? savepoint(d, "SAVEPOINT") : db_run(d, "BEGIN IMMEDIATE", BIND_NONE);

    if (!rc)
        d->depth++;
    return rc;
}

int desk_commit(struct desk *d)
{
    int rc;

    assert(d->depth);
    d->depth--;
    if (sqlite3_get_autocommit(d->db)) /* SQLite took the whole transaction back by itself */
        return -HL_ESTORE;
    if (d->depth)
        return savepoint(d, "RELEASE");
    rc = db_run(d, "COMMIT", BIND_NONE);
    if (rc)
        db_run(d, "ROLLBACK", BIND_NONE);
    return rc;
}

void desk_abort(struct desk *d)
{
    assert(d->depth);
    d->depth--;
    if (sqlite3_get_autocommit(d->db))
        return;
    if (d->depth == 0) {
        db_run(d, "ROLLBACK", BIND_NONE);
        return;
    }
    savepoint(d, "ROLLBACK TO");
    savepoint(d, "RELEASE");
}

/* ---- opening ---- */

static int desk_pragmas(struct desk *d)
{
    static const char *const pragma[] = {
        "PRAGMA locking_mode=EXCLUSIVE", /* desk.lock says the same; no shared memory file */
        "PRAGMA journal_mode=WAL",       "PRAGMA synchronous=FULL",  "PRAGMA secure_delete=ON",
        "PRAGMA trusted_schema=OFF",     "PRAGMA temp_store=MEMORY", "PRAGMA cell_size_check=ON",
    };
    int rc = 0;

    for (size_t i = 0; i < COUNT(pragma) && !rc; i++)
        rc = db_run(d, pragma[i], BIND_NONE);
    return rc;
}

/* SQLite would create it with the process's umask; the journal takes the mode of the database. */
static int desk_touch(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -HL_ESTORE;
    close(fd);
    return 0;
}

int desk_open(const char *path, enum realm realm, struct span poc, const struct vault *vault,
              struct desk **out)
{
    struct desk *d = calloc(1, sizeof(*d));
    bool memory = strcmp(path, ":memory:") == 0;
    int rc = -HL_ENOMEM;

    assert(vault || memory);
    *out = NULL;
    if (!d)
        return rc;
    d->vault = vault;
    d->realm = realm;
    rc = memory ? 0 : desk_touch(path);
    if (rc)
        goto out;
    rc = db_error(sqlite3_open_v2(
        path, &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL));
    if (rc)
        goto out;
    rc = desk_pragmas(d);
    if (rc)
        goto out;
    rc = desk_schema(d, poc);
    if (rc)
        goto out;
    *out = d;
    d = NULL;
out:
    desk_close(d);
    return rc;
}

void desk_close(struct desk *d)
{
    if (!d)
        return;
    sqlite3_close(d->db);
    free(d);
}
