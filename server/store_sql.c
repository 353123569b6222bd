#include "server/store_sqlite.h"

#include <assert.h>
#include <string.h>

#include "common/error.h"

/*
 * Statements: prepared once, started, stepped, brought to rest.  A statement that is not at rest
 * holds a read transaction, which would keep the WAL from starting over; so every reader ends with
 * sql_rest() or with the last row.
 */

static void diag(void *arg, int code, const char *line)
{
    void (*const *say)(int level, const char *line) = arg;

    (*say)((code & 0xff) == SQLITE_NOTICE ? 6 : (code & 0xff) == SQLITE_WARNING ? 4 : 3, line);
}

void store_diag(void (*say)(int level, const char *line))
{
    static void (*kept)(int level, const char *line);

    kept = say;
    sqlite3_config(SQLITE_CONFIG_LOG, diag, &kept);
}

int store_error(int sqlite_rc)
{
    switch (sqlite_rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_NOMEM:
        return -HL_ENOMEM;
    case SQLITE_BUSY:
        return -HL_EBUSY;
    }
    return -HL_ESTORE;
}

#define STORE_SQL_ROW(name, use, text) { use, text },
static const struct {
    enum sql_use use;
    const char *text;
} sql[] = { STORE_SQL(STORE_SQL_ROW) };
#undef STORE_SQL_ROW

int sql_prepare(struct store *st)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        int rc;

        if (sql[i].use != SQL_READ && !st->writer)
            continue;
        rc = sqlite3_prepare_v3(st->db, sql[i].text, -1, SQLITE_PREPARE_PERSISTENT, &st->stmt[i],
                                NULL);
        if (rc)
            return store_error(rc);
    }
    return 0;
}

void sql_finalize(struct store *st)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(st->stmt[i]);
        st->stmt[i] = NULL;
    }
}

static int bind(sqlite3_stmt *s, int i, const struct arg *a)
{
    const void *p = a->s.p ? a->s.p : (const void *)"";

    switch (a->type) {
    case ARG_INT:
        return sqlite3_bind_int64(s, i, a->i);
    case ARG_BLOB:
        return sqlite3_bind_blob64(s, i, p, a->s.n, SQLITE_STATIC);
    case ARG_TEXT:
        return sqlite3_bind_text64(s, i, p, a->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case ARG_NULL:
        return sqlite3_bind_null(s, i);
    }
    return SQLITE_MISUSE;
}

sqlite3_stmt *sql_start(struct store *st, enum sql which, const struct arg *arg, size_t n)
{
    sqlite3_stmt *s = st->stmt[which];

    assert(s && !sqlite3_stmt_busy(s) && sqlite3_bind_parameter_count(s) == (int)n);
    for (size_t i = 0; i < n; i++) {
        int rc = bind(s, (int)i + 1, &arg[i]);

        assert(rc == SQLITE_OK); /* STATIC, at rest, far below the length limit: nothing can fail */
        (void)rc;
    }
    return s;
}

int sql_next(sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);

    if (rc == SQLITE_ROW)
        return 1;
    sqlite3_reset(s);
    return store_error(rc);
}

void sql_rest(sqlite3_stmt *s)
{
    sqlite3_reset(s);
}

int sql_run(struct store *st, enum sql which, const struct arg *arg, size_t n)
{
    sqlite3_stmt *s = sql_start(st, which, arg, n);
    int rc = sql_next(s);

    assert(rc != 1);
    if (!rc && sql[which].use == SQL_WRITE_ONE && sqlite3_changes(st->db) != 1)
        rc = -HL_ESTORE;
    return rc;
}

struct span sql_blob(sqlite3_stmt *s, int col)
{
    const void *p = sqlite3_column_blob(s, col);

    return SPAN(p, p ? (size_t)sqlite3_column_bytes(s, col) : 0);
}

int sql_fixed(sqlite3_stmt *s, int col, uint8_t *out, size_t n)
{
    struct span b = sql_blob(s, col);

    if (b.n != n)
        return -HL_ESTORE;
    memcpy(out, b.p, n);
    return 0;
}
