#ifndef HL_CLIENT_DESK_DB_H
#define HL_CLIENT_DESK_DB_H

#include <sqlite3.h>

#include "client/desk.h"

/*
 * What the parts of the desk share: one connection, one way to run a statement.  Private to desk*.c.
 *
 * Values are bound by kind, so that a blob is never taken for text and nothing is ever pasted into SQL:
 *
 *     desk_run(d, "DELETE FROM pin WHERE party=?", BIND(B_TEXT(party)))
 */
struct desk {
    sqlite3 *db;
    const struct vault *vault; /* NULL: a desk in memory */
    enum realm realm;
    unsigned depth;            /* open transactions */
};

enum bind_kind { BIND_INT, BIND_BLOB, BIND_TEXT };
struct bind {
    enum bind_kind kind;
    uint64_t v;
    struct span s;
};
#define B_INT(x) ((struct bind){ BIND_INT, (uint64_t)(x), SPAN_NONE })
#define B_BLOB(span) ((struct bind){ BIND_BLOB, 0, (span) })
#define B_KEY(p) B_BLOB(SPAN((p), 32))
#define B_TEXT(span) ((struct bind){ BIND_TEXT, 0, (span) })
#define B_STR(str) B_TEXT(span_str(str))
#define BIND(...) (const struct bind[]){ __VA_ARGS__ }, COUNT(((const struct bind[]){ __VA_ARGS__ }))
#define BIND_NONE NULL, 0

/** db_error - an error of ours for SQLite's @rc: 0, -HL_ENOMEM, else -HL_ESTORE. */
int db_error(int rc);
/** db_open - prepare @sql and bind; finalise with sqlite3_finalize(). */
int db_open(struct desk *d, sqlite3_stmt **st, const char *sql, const struct bind *b, size_t n);
/** db_row - 1: a row; 0: the end; negative. */
int db_row(sqlite3_stmt *st);
/** db_run - run @sql to its end. */
int db_run(struct desk *d, const char *sql, const struct bind *b, size_t n);
/** db_changes - rows that the last db_run() changed. */
int db_changes(struct desk *d);
/** db_get_int - the first column of the first row; -HL_ENOENT when there is none. */
int db_get_int(struct desk *d, uint64_t *v, const char *sql, const struct bind *b, size_t n);

/** columns of the row at hand; borrowed until the next db_row(). */
struct span db_blob(sqlite3_stmt *st, int col);
uint64_t db_int(sqlite3_stmt *st, int col);
/** db_bytes - exactly @n bytes into @out; -HL_ESTORE when the column holds anything else. */
int db_bytes(sqlite3_stmt *st, int col, uint8_t *out, size_t n);
/** db_text - into a C string of @size bytes, cut to fit. */
void db_text(sqlite3_stmt *st, int col, char *out, size_t size);

/** box_seal / box_open - at rest, bound to what it is and of which row.  Without a vault (in memory): the bytes themselves. */
int box_seal(const struct desk *d, struct buf *out, const char *what, const uint8_t id[static 32], struct span in);
int box_open(const struct desk *d, struct buf *out, const char *what, const uint8_t id[static 32], struct span in);

/** desk_number_take - (@chain, @seq) is used now; -HL_ESTATE when it is not the next. */
int desk_number_take(struct desk *d, const uint8_t channel[static 32], const uint8_t chain[static 16], uint64_t seq);

/** desk_schema - create the tables of an empty database, or check that it is ours. */
int desk_schema(struct desk *d, struct span poc);

#endif
