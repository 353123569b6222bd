#include "server/store_sqlite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/error.h"

/*
 * Opening.  Everything that can be told from the files alone is looked at before SQLite touches
 * them, so that a wrong or damaged store stays as it is.
 */

/* The main file's header as of its last checkpoint (SQLite's file format, 1.3). */
static int header_check(const uint8_t h[static 100])
{
    bool ours = memcmp(h, "SQLite format 3", 16) == 0 && get_u16(h + 16) == STORE_PAGE &&
                h[18] == 2 && h[19] == 2 && h[20] == STORE_PAGE_CHECK &&
                get_u32(h + 68) == STORE_APPLICATION && get_u32(h + 60) == STORE_VERSION;

    return ours ? 0 : -HL_ESTORE;
}

/* 1: there is a store; 0: there is none, though perhaps one in the making; negative. */
static int look(const char *path)
{
    enum wal_state wal;
    uint8_t h[100];
    int rc = store_vfs();

    if (!rc)
        rc = wal_look(path, &wal);
    if (rc)
        return rc;
    if (access(path, F_OK) != 0) {
        if (errno != ENOENT)
            return -HL_ESYS;
        return wal == WAL_USED ? -HL_ESTORE : 0; /* commits whose main file is gone */
    }
    if (wal == WAL_MISSING || wal == WAL_GARBAGE)
        return -HL_ESTORE; /* commits were in it */
    rc = vfs_read_main(path, h, sizeof(h));
    if (!rc)
        rc = header_check(h);
    return rc ? rc : 1;
}

static int configure(struct store *st, int grow)
{
    static const char pragmas[] =
        "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=ON;"
        "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
        "PRAGMA cache_size=-16384;";
    int rc = sqlite3_busy_timeout(st->db, STORE_BUSY_MS);

    if (!rc)
        rc = sqlite3_extended_result_codes(st->db, 1);
    if (!rc)
        rc = sqlite3_db_config(st->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (!rc)
        rc = sqlite3_db_config(st->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (!rc)
        rc = sqlite3_file_control(st->db, NULL, SQLITE_FCNTL_CHUNK_SIZE, &grow);
    if (!rc)
        rc = sqlite3_exec(st->db, pragmas, NULL, NULL, NULL);
    if (!rc && !st->writer)
        rc = sqlite3_exec(st->db, "PRAGMA query_only=ON", NULL, NULL, NULL);
    return store_error(rc);
}

/* Whose store it is. */
static int check_owner(struct store *st, const struct store_conf *conf)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(st->db, "SELECT version, realm, origin FROM store", -1, &s, NULL);

    if (rc)
        return store_error(rc);
    rc = sqlite3_step(s);
    if (rc != SQLITE_ROW)
        rc = rc == SQLITE_DONE ? -HL_ESTORE : store_error(rc);
    else if (sqlite3_column_int(s, 0) != STORE_VERSION)
        rc = -HL_ESTORE;
    else if (!span_eq_str(sql_blob(s, 1), realm_name(conf->realm)) ||
             !span_eq_str(sql_blob(s, 2), conf->origin))
        rc = -HL_EREALM;
    else
        rc = 0;
    sqlite3_finalize(s);
    return rc;
}

static int read_head(struct store *st)
{
    sqlite3_stmt *s = sql_start(st, SQL_HEAD, NULL, 0);
    uint8_t ck[STORE_CK];
    int rc = sql_next(s);

    if (rc != 1)
        return rc ? rc : -HL_ESTORE;
    st->term = sql_u64(s, 0);
    st->head.size = sql_u64(s, 1);
    st->head.time_ms = sql_u64(s, 3);
    rc = sql_fixed(s, 2, st->head.root, 32);
    check_head(ck, st->term, &st->head);
    if (!rc)
        rc = check_column(s, 4, ck);
    sql_rest(s);
    return rc;
}

static int read_next_body(struct store *st)
{
    sqlite3_stmt *s = sql_start(st, SQL_LAST_CHUNK, NULL, 0);
    int rc = sql_next(s);

    st->next_body = 1; /* 0: no body */
    if (rc == 1 && sqlite3_column_type(s, 0) != SQLITE_NULL)
        st->next_body = sql_u64(s, 0) / STORE_BODY_ROWS + 1;
    sql_rest(s);
    return rc < 0 ? rc : 0;
}

/* Pages that the main file is too short for must be in the WAL: a checkpoint was interrupted. */
static int check_length(struct store *st, struct wal_info *wal)
{
    sqlite3_file *f = NULL;
    sqlite3_int64 size;
    uint8_t h[100];

    if (sqlite3_file_control(st->db, NULL, SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK ||
        f->pMethods->xFileSize(f, &size) != SQLITE_OK || vfs_read(f, h, sizeof(h), 0) != 1)
        return -HL_ESTORE;
    if (!wal->frames)
        wal->pages = get_u32(h + 28);
    if ((uint64_t)size >= (uint64_t)wal->pages * STORE_PAGE)
        return 0;
    return wal_holds(st->db, wal, (uint32_t)(size / STORE_PAGE) + 1);
}

static int check_files(struct store *st)
{
    struct wal_info info = { .frames = 0 };
    enum wal_state wal;
    int rc = wal_look(st->path, &wal);

    if (!rc && wal != WAL_USED && (wal != WAL_EMPTY || st->term > 0))
        rc = -HL_ESTORE; /* it was used, and is gone */
    if (!rc && wal == WAL_USED)
        rc = wal_check(st->db, &info);
    return rc ? rc : check_length(st, &info);
}

static int take_term(struct store *st)
{
    uint8_t ck[STORE_CK];
    const struct arg arg[] = { ARG_I(st->term + 1), ARG_B(ck, STORE_CK) };
    int rc;

    check_head(ck, st->term + 1, &st->head);
    rc = sql_run(st, SQL_TAKE_TERM, arg, COUNT(arg));
    st->term++;
    return rc;
}

static int on_wal(void *arg, sqlite3 *db, const char *name, int frames)
{
    struct store *st = arg;

    (void)db;
    (void)name;
    st->wal_frames = frames;
    return SQLITE_OK;
}

/*
 * In one transaction, so that no commit of a former writer is half written while the files are
 * looked at, nor comes in between.  Then all is moved into the main file, which knows from now on
 * that the WAL was used.
 */
static int become_writer(struct store *st, int grow)
{
    int rc;

    sqlite3_wal_hook(st->db, on_wal, st);
    st->wal_limit = grow / STORE_WAL_PART / STORE_PAGE;
    rc = sql_run(st, SQL_BEGIN, NULL, 0);
    if (rc)
        return rc;
    rc = read_head(st);
    if (!rc)
        rc = check_files(st);
    if (!rc)
        rc = take_term(st);
    if (!rc)
        rc = read_next_body(st);
    if (rc)
        sql_run(st, SQL_ROLLBACK, NULL, 0);
    else
        rc = sql_run(st, SQL_COMMIT, NULL, 0);
    return rc ? rc : store_checkpoint_wal(st);
}

static int open_as(const struct store_conf *conf, bool writer, struct store **out,
                   struct store_head *head)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
    struct store *st = calloc(1, sizeof(*st));
    int rc = -HL_ENOMEM;

    if (!st || !(st->path = strdup(conf->path)))
        goto out;
    st->writer = writer;
    st->realm = conf->realm;
    st->last = &st->first;
    rc = store_error(sqlite3_open_v2(conf->path, &st->db, flags, STORE_VFS));
    if (!rc)
        rc = configure(st, store_grow(conf));
    if (!rc)
        rc = check_owner(st, conf);
    if (!rc)
        rc = sql_prepare(st);
    if (!rc)
        rc = writer ? become_writer(st, store_grow(conf)) : read_head(st);
    if (rc)
        goto out;
    *head = st->head;
    *out = st;
    st = NULL;
out:
    store_close(st);
    return rc;
}

int store_open(const struct store_conf *conf, struct store **out, struct store_head *head)
{
    int rc = look(conf->path);

    *out = NULL;
    if (!rc)
        rc = store_create(conf);
    return rc < 0 ? rc : open_as(conf, true, out, head);
}

int store_open_reader(const struct store_conf *conf, struct store **out, struct store_head *head)
{
    int rc = look(conf->path);

    *out = NULL;
    if (!rc)
        rc = -HL_ENOENT;
    return rc < 0 ? rc : open_as(conf, false, out, head);
}

void store_close(struct store *st)
{
    if (!st)
        return;
    store_unstage(st);
    sql_finalize(st);
    sqlite3_close(st->db);
    free(st->path);
    free(st);
}

uint64_t store_size(const struct store *st)
{
    return st->head.size;
}

int store_space(const struct store *st, uint64_t *bytes)
{
    struct statvfs vfs;

    if (statvfs(st->path, &vfs) != 0)
        return -HL_ESYS;
    *bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    return 0;
}
