#ifndef HL_SERVER_STORE_SQLITE_H
#define HL_SERVER_STORE_SQLITE_H

#include <sqlite3.h>

#include "server/store.h"

/*
 * Inside of the SQLite store: what its files share.  Nothing but server/store_*.c includes this.
 *
 *   <path>       main file, WAL mode, pages of 4 KiB whose last 8 bytes check the page (store_vfs.c)
 *   <path>-wal   made before the main file gets its name, grown once, never deleted: a store without
 *                it has lost commits and is not opened
 *   <path>-shm   SQLite's index of the WAL, rebuilt at will
 *   <path>.new   a store in the making; becomes <path> by rename
 *
 * A damaged byte is found three times: in the WAL at rest when the store is opened (store_wal.c), in the
 * main file by the page's check, and on the whole way from staging to reading by the row's check (ck) of
 * everything whose bytes are handed out.
 *
 * Cost of a commit: the pages it changes, each once into the WAL, and one fdatasync.  Hence bodies and
 * entries append (integer keys), (sender, channel, chain) is written once and then a number, and only the
 * two look-ups by hash land on random pages.
 */
#define STORE_APPLICATION 0x484f544c /* "HOTL" */
#define STORE_VERSION 1
#define STORE_PAGE 4096
#define STORE_PAGE_CHECK 8
#define STORE_CHUNK 32768
#define STORE_BODY_ROWS 64 /* keys of one body; the largest body has 33 chunks */
#define STORE_CK 16
#define STORE_STAGE_MAX ((size_t)64 << 20)
#define STORE_GROW (64 << 20)
#define STORE_GROW_MAX (1 << 30)
#define STORE_WAL_PART 4 /* the WAL is made with a quarter of what the main file grows by */
#define STORE_BUSY_MS 5000

enum sql_use { SQL_READ, SQL_WRITE, SQL_WRITE_ONE /* exactly one row, else the store contradicts itself */ };

/* every statement, kept prepared; readers have only SQL_READ */
#define STORE_SQL(X)                                                                               \
    X(BEGIN, SQL_WRITE, "BEGIN IMMEDIATE")                                                         \
    X(COMMIT, SQL_WRITE, "COMMIT")                                                                 \
    X(ROLLBACK, SQL_WRITE, "ROLLBACK")                                                             \
    X(HEAD, SQL_READ, "SELECT term, size, root, time_ms, ck FROM sequencer WHERE one = 1")         \
    X(TAKE_TERM, SQL_WRITE, "UPDATE sequencer SET term = ?1, ck = ?2 WHERE one = 1")               \
    X(ADVANCE, SQL_WRITE,                                                                          \
      "UPDATE sequencer SET size = ?3, root = ?4, time_ms = ?5, ck = ?6 "                          \
      "WHERE one = 1 AND term = ?1 AND size = ?2")                                                 \
    X(LAST_CHUNK, SQL_READ, "SELECT max(key) FROM chunk")                                          \
    X(ENTRY_PUT, SQL_WRITE,                                                                        \
      "INSERT INTO entry(idx, leaf, time_ms, kind, message_kind, precedence, body_len, id, salt, " \
      "ck, record, wraps, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")   \
    X(ENTRY_PUT_UPLOADED, SQL_WRITE,                                                               \
      "INSERT INTO entry(idx, leaf, time_ms, kind, message_kind, precedence, body_len, id, salt, " \
      "ck, record, wraps, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "        \
      "(SELECT body FROM upload WHERE id = ?8 AND chunks = ?13))")                                 \
    X(ENTRY, SQL_READ,                                                                             \
      "SELECT leaf, time_ms, kind, message_kind, precedence, body_len, id, salt, ck, record, "     \
      "wraps, idx, body FROM entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx")                     \
    X(LEAVES, SQL_READ, "SELECT leaf FROM entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx")        \
    X(ID_PUT, SQL_WRITE, "INSERT INTO id(id, idx) VALUES(?1, ?2)")                                 \
    X(ID, SQL_READ, "SELECT idx FROM id WHERE id = ?1")                                            \
    X(MID_PUT, SQL_WRITE, "INSERT OR IGNORE INTO mid(mid, idx) VALUES(?1, ?2)")                    \
    X(MID, SQL_READ, "SELECT idx FROM mid WHERE mid = ?1")                                         \
    X(LINE_PUT, SQL_WRITE,                                                                         \
      "INSERT OR IGNORE INTO line(sender, channel, chain) VALUES(?1, ?2, ?3)")                     \
    X(NUMBER_PUT, SQL_WRITE,                                                                       \
      "INSERT INTO number(line, seq, idx) VALUES((SELECT no FROM line WHERE sender = ?1 AND "      \
      "channel = ?2 AND chain = ?3), ?4, ?5)")                                                     \
    X(NUMBER, SQL_READ,                                                                            \
      "SELECT idx FROM number WHERE line = (SELECT no FROM line WHERE sender = ?1 AND "            \
      "channel = ?2 AND chain = ?3) AND seq = ?4")                                                 \
    X(NUMBERS, SQL_READ,                                                                           \
      "SELECT channel, chain, max((SELECT max(seq) FROM number WHERE line = no)) FROM line "       \
      "WHERE sender = ?1 GROUP BY channel")                                                        \
    X(CHUNK_PUT, SQL_WRITE, "INSERT INTO chunk(key, ck, bytes) VALUES(?1, ?2, ?3)")                \
    X(CHUNK, SQL_READ, "SELECT ck, bytes FROM chunk WHERE key = ?1")                               \
    X(UPLOAD_TOUCH, SQL_WRITE,                                                                     \
      "INSERT INTO upload(id, body, chunks, touched_ms) VALUES(?1, ?2, 1, ?3) "                    \
      "ON CONFLICT(id) DO UPDATE SET chunks = chunks + 1, touched_ms = ?3")                        \
    X(UPLOAD_CHUNK_PUT, SQL_WRITE_ONE,                                                             \
      "INSERT INTO chunk(key, ck, bytes) "                                                         \
      "SELECT body * 64 + ?2, ?3, ?4 FROM upload WHERE id = ?1 AND chunks = ?2 + 1")               \
    X(UPLOAD_CHUNKS_DROP, SQL_WRITE,                                                               \
      "DELETE FROM chunk WHERE key >= (SELECT body * 64 FROM upload WHERE id = ?1) "               \
      "AND key < (SELECT body * 64 + 64 FROM upload WHERE id = ?1)")                               \
    X(UPLOAD_DROP, SQL_WRITE, "DELETE FROM upload WHERE id = ?1")                                  \
    X(UPLOAD, SQL_READ, "SELECT body, chunks FROM upload WHERE id = ?1")                           \
    X(UPLOADS_BEFORE, SQL_READ, "SELECT id FROM upload WHERE touched_ms < ?1")                     \
    X(TILE_PUT, SQL_WRITE, "INSERT INTO tile(key, root, ck, bytes) VALUES(?1, ?2, ?3, ?4)")        \
    X(TILE, SQL_READ, "SELECT root, ck, bytes FROM tile WHERE key = ?1")                           \
    X(TILE_ROOTS, SQL_READ, "SELECT root FROM tile WHERE key >= ?1 AND key < ?2 ORDER BY key")     \
    X(MAILBOX_PUT, SQL_WRITE,                                                                      \
      "INSERT INTO mailbox(poc, idx, precedence, held, bytes) "                                    \
      "VALUES(?1, ?2, ?3, ?4, (SELECT body_len FROM entry WHERE idx = ?2)) "                       \
      "ON CONFLICT(poc, idx) DO UPDATE SET precedence = ?3, held = ?4")                            \
    X(MAILBOX_DROP, SQL_WRITE, "DELETE FROM mailbox WHERE poc = ?1 AND idx = ?2")                  \
    X(MAILBOX, SQL_READ,                                                                           \
      "SELECT idx, precedence, held FROM mailbox WHERE poc = ?1 ORDER BY idx")                     \
    X(MAILBOX_LOAD, SQL_READ,                                                                      \
      "SELECT count(*), coalesce(sum(bytes), 0) FROM mailbox WHERE poc = ?1")                      \
    X(EVENT_PUT, SQL_WRITE, "INSERT OR IGNORE INTO event(poc, idx) VALUES(?1, ?2)")                \
    X(EVENTS, SQL_READ,                                                                            \
      "SELECT idx FROM event WHERE poc = ?1 AND idx >= ?2 ORDER BY idx LIMIT ?3")                  \
    X(DOCUMENT_PUT, SQL_WRITE,                                                                     \
      "INSERT INTO document(key, idx, time_ms, ck, note) VALUES(?1, ?2, ?3, ?4, ?5) "              \
      "ON CONFLICT(key) DO UPDATE SET idx = ?2, time_ms = ?3, ck = ?4, note = ?5")                 \
    X(DOCUMENT_DROP, SQL_WRITE, "DELETE FROM document WHERE key = ?1")                             \
    X(DOCUMENTS, SQL_READ,                                                                         \
      "SELECT key, idx, time_ms, ck, note FROM document ORDER BY idx, key")                        \
    X(NOTE_PUT, SQL_WRITE,                                                                         \
      "INSERT INTO note(which, ck, bytes) VALUES(?1, ?2, ?3) "                                     \
      "ON CONFLICT(which) DO UPDATE SET ck = ?2, bytes = ?3")                                      \
    X(NOTE, SQL_READ, "SELECT ck, bytes FROM note WHERE which = ?1")                               \
    X(DUE_PUT, SQL_WRITE,                                                                          \
      "INSERT INTO due(idx, due_ms) VALUES(?1, ?2) ON CONFLICT(idx) DO UPDATE SET due_ms = ?2")    \
    X(DUE_DROP, SQL_WRITE, "DELETE FROM due WHERE idx = ?1")                                       \
    X(DUES, SQL_READ, "SELECT idx, due_ms FROM due ORDER BY idx")

#define STORE_SQL_ENUM(name, use, text) SQL_##name,
enum sql { STORE_SQL(STORE_SQL_ENUM) SQL_COUNT };
#undef STORE_SQL_ENUM

struct arg {
    enum { ARG_INT, ARG_BLOB, ARG_TEXT, ARG_NULL } type;
    int64_t i;
    struct span s;
};
#define ARG_I(v) ((struct arg){ .type = ARG_INT, .i = (int64_t)(v) })
#define ARG_B(ptr, len) ((struct arg){ .type = ARG_BLOB, .s = SPAN(ptr, len) })
#define ARG_T(span_) ((struct arg){ .type = ARG_TEXT, .s = (span_) })
#define ARG_N ((struct arg){ .type = ARG_NULL })

/* One staged statement; arguments and their bytes are copies that follow it in memory. */
struct op {
    struct op *next;
    enum sql sql;
    size_t n, bytes;
    struct arg arg[];
};

struct store {
    sqlite3 *db;
    char *path;
    enum realm realm;
    bool writer;
    bool dead; /* a commit failed: nothing more is written */
    uint64_t term, next_body;
    struct store_head head; /* as committed */
    int wal_frames, wal_limit;
    struct op *first, **last;
    uint64_t staged_entries;
    size_t staged_bytes;
    sqlite3_stmt *stmt[SQL_COUNT];
};

/* ---- store_sql.c: statements and errors ---- */
int store_error(int sqlite_rc);
int sql_prepare(struct store *st);
void sql_finalize(struct store *st);
/** sql_start - bind; the statement must be at rest. */
sqlite3_stmt *sql_start(struct store *st, enum sql which, const struct arg *arg, size_t n);
/** sql_next - step.  1: a row; 0: no more (and at rest); negative: at rest. */
int sql_next(sqlite3_stmt *s);
/** sql_run - a statement without rows. */
int sql_run(struct store *st, enum sql which, const struct arg *arg, size_t n);
/** sql_rest - end reading a statement early. */
void sql_rest(sqlite3_stmt *s);
struct span sql_blob(sqlite3_stmt *s, int col);
/** sql_fixed - copy a column of exactly @n bytes, else -HL_ESTORE. */
int sql_fixed(sqlite3_stmt *s, int col, uint8_t *out, size_t n);
static inline uint64_t sql_u64(sqlite3_stmt *s, int col)
{
    return (uint64_t)sqlite3_column_int64(s, col);
}

/* ---- store_stage.c ---- */
/** store_unstage - forget all that is staged. */
void store_unstage(struct store *st);

/* ---- store_read.c ---- */
/** entry_at - entry @index, checked, its parts borrowed from @s until sql_rest(@s).  -HL_ENOENT, -HL_ESTORE. */
int entry_at(struct store *st, uint64_t index, sqlite3_stmt **s, struct store_entry *e);

/* ---- store_check.c: BLAKE2b over a row's table letter and fields, blobs with their length ---- */
void check_entry(uint8_t ck[static STORE_CK], const struct store_entry *e);
void check_head(uint8_t ck[static STORE_CK], uint64_t term, const struct store_head *head);
void check_chunk(uint8_t ck[static STORE_CK], const uint8_t id[static 32], uint64_t n, struct span bytes);
void check_tile(uint8_t ck[static STORE_CK], uint64_t key, const uint8_t root[static 32], struct span bytes);
void check_document(uint8_t ck[static STORE_CK], struct span key, uint64_t index, uint64_t time_ms, struct span note);
void check_note(uint8_t ck[static STORE_CK], unsigned which, struct span bytes);
/** check_column - the column holds @ck, else -HL_ESTORE. */
int check_column(sqlite3_stmt *s, int col, const uint8_t ck[static STORE_CK]);

/* ---- store_create.c ---- */
/** store_grow - bytes that the main file grows by at a time. */
int store_grow(const struct store_conf *conf);
int store_create(const struct store_conf *conf);

/* ---- store_wal.c ---- */
enum wal_state { WAL_MISSING, WAL_GARBAGE, WAL_EMPTY, WAL_USED };
/** wal_look - what <path>-wal is, by its header: zeroes (made, not used yet), a good one, neither. */
int wal_look(const char *path, enum wal_state *state);
/** wal_make - an empty WAL of @bytes, durable. */
int wal_make(const char *path, uint64_t bytes);
struct wal_info {
    uint64_t frames; /* good ones, up to the end of the last commit */
    uint32_t pages;  /* of the main file after that commit */
};
/** wal_check - under the write lock: refuse a damaged WAL (-HL_ESTORE), make sure that a good one is on the disk. */
int wal_check(sqlite3 *db, struct wal_info *info);
/** wal_holds - are all pages from @first to the last in the WAL?  Else -HL_ESTORE. */
int wal_holds(sqlite3 *db, const struct wal_info *info, uint32_t first);

/* ---- store_vfs.c ---- */
#define STORE_VFS "hotline"
/** store_vfs - register the VFS of the store, above the one that is the default at the first call. */
int store_vfs(void);
/**
 * vfs_read_main - the first @n bytes of the main file, without a connection.  Through the VFS and not by open(), for
 * closing a descriptor drops the locks that other connections of this process have on the file.  -HL_ESTORE, -HL_ESYS.
 */
int vfs_read_main(const char *path, void *p, size_t n);
/** vfs_read - 1: whole; 0: the file ends before; -HL_ESTORE. */
int vfs_read(sqlite3_file *f, void *p, size_t n, uint64_t at);

static inline uint64_t tile_key(unsigned level, uint64_t n)
{
    return (uint64_t)level << 56 | n;
}

#endif
