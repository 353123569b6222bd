#include "server/store_sqlite.h"

#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "common/file.h"
#include "common/tlog/merkle.h"

/*
 * Creation: a whole empty store under <path>.new, then an empty WAL under <path>-wal, then the
 * rename, each step durable before the next.  A power cut leaves no store, or all of it.
 */
static const char schema[] =
    "CREATE TABLE store(version INTEGER NOT NULL, realm TEXT NOT NULL, origin TEXT NOT NULL) "
    "STRICT;"
    "CREATE TABLE sequencer(one INTEGER PRIMARY KEY CHECK(one = 1), term INTEGER NOT NULL,"
    " size INTEGER NOT NULL, root BLOB NOT NULL, time_ms INTEGER NOT NULL, ck BLOB NOT NULL) "
    "STRICT;"
    /* short columns first: reading leaves touches no overflow page */
    "CREATE TABLE entry(idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL, time_ms INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, message_kind INTEGER NOT NULL, precedence INTEGER NOT NULL,"
    " body INTEGER NOT NULL, body_len INTEGER NOT NULL, id BLOB, salt BLOB, ck BLOB NOT NULL,"
    " record BLOB NOT NULL, wraps BLOB NOT NULL) STRICT;"
    "CREATE TABLE id(id BLOB PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE mid(mid BLOB PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE line(no INTEGER PRIMARY KEY, sender TEXT NOT NULL, channel BLOB NOT NULL,"
    " chain BLOB NOT NULL, UNIQUE(sender, channel, chain)) STRICT;"
    "CREATE TABLE number(line INTEGER NOT NULL, seq INTEGER NOT NULL, idx INTEGER NOT NULL,"
    " PRIMARY KEY(line, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE chunk(key INTEGER PRIMARY KEY, ck BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE upload(id BLOB PRIMARY KEY, body INTEGER NOT NULL, chunks INTEGER NOT NULL,"
    " touched_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE tile(key INTEGER PRIMARY KEY, root BLOB NOT NULL, ck BLOB NOT NULL,"
    " bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE mailbox(poc TEXT NOT NULL, idx INTEGER NOT NULL, precedence INTEGER NOT NULL,"
    " held INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(poc, idx)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE event(poc TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY(poc, idx))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE document(key TEXT PRIMARY KEY, idx INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    " ck BLOB NOT NULL, note BLOB NOT NULL) STRICT;"
    "CREATE TABLE note(which INTEGER PRIMARY KEY, ck BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE due(idx INTEGER PRIMARY KEY, due_ms INTEGER NOT NULL) STRICT;";

static int fill(sqlite3 *db, const struct store_conf *conf)
{
    struct store_head head = { .size = 0 };
    char root[65], check[2 * STORE_CK + 1], *sql;
    uint8_t ck[STORE_CK];
    int rc;

    merkle_empty(head.root);
    check_head(ck, 0, &head);
    sodium_bin2hex(root, sizeof(root), head.root, sizeof(head.root));
    sodium_bin2hex(check, sizeof(check), ck, sizeof(ck));
    sql = sqlite3_mprintf("PRAGMA application_id=%d; PRAGMA user_version=%d; BEGIN; %s"
                          "INSERT INTO store VALUES(%d, %Q, %Q);"
                          "INSERT INTO sequencer VALUES(1, 0, 0, x'%s', 0, x'%s'); COMMIT;"
                          "PRAGMA wal_checkpoint(TRUNCATE);",
                          STORE_APPLICATION, STORE_VERSION, schema, STORE_VERSION,
                          realm_name(conf->realm), conf->origin, root, check);
    if (!sql)
        return -HL_ENOMEM;
    rc = store_error(sqlite3_exec(db, sql, NULL, NULL, NULL));
    sqlite3_free(sql);
    return rc;
}

/* A whole store at @path, in the main file alone:
 * closing the only connection moves and removes the WAL. */
static int make_main(const char *path, const struct store_conf *conf, int grow)
{
    int reserve = STORE_PAGE_CHECK, rc;
    sqlite3 *db = NULL;

    rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, STORE_VFS);
    if (!rc)
        rc = sqlite3_file_control(db, NULL, SQLITE_FCNTL_CHUNK_SIZE, &grow);
    if (!rc)
        rc = sqlite3_file_control(db, NULL, SQLITE_FCNTL_RESERVE_BYTES, &reserve);
    if (!rc)
        rc = sqlite3_exec(db,
                          "PRAGMA page_size=4096; PRAGMA synchronous=FULL;"
                          "PRAGMA journal_mode=WAL",
                          NULL, NULL, NULL);
    rc = store_error(rc);
    if (!rc)
        rc = fill(db, conf);
    if (sqlite3_close(db) != SQLITE_OK && !rc)
        rc = -HL_ESTORE;
    return rc;
}

static void remove_leftovers(const char *path)
{
    static const char *const suffix[] = { "", "-journal", "-wal", "-shm" };
    char name[PATH_MAX];

    for (size_t i = 0; i < COUNT(suffix); i++)
        if (snprintf(name, sizeof(name), "%s%s", path, suffix[i]) < (int)sizeof(name))
            unlink(name);
}

/* Private from its first moment; SQLite gives WAL and shm the mode of the main file. */
static int make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd == -1)
        return -HL_ESYS;
    return close(fd) ? -HL_ESYS : 0;
}

static int sync_folder(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (!slash)
        return file_sync_dir(".");
    if (snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + 1, path) >= (int)sizeof(dir))
        return -HL_ESYS;
    return file_sync_dir(dir);
}

int store_grow(const struct store_conf *conf)
{
    if (!conf->grow_bytes)
        return STORE_GROW;
    return conf->grow_bytes < STORE_GROW_MAX ? (int)conf->grow_bytes : STORE_GROW_MAX;
}

int store_create(const struct store_conf *conf)
{
    char fresh[PATH_MAX];
    int rc;

    if (snprintf(fresh, sizeof(fresh), "%s.new", conf->path) >= (int)sizeof(fresh))
        return -HL_ESYS;
    remove_leftovers(fresh);
    rc = make_private(fresh);
    if (!rc)
        rc = make_main(fresh, conf, store_grow(conf));
    if (!rc)
        rc = wal_make(conf->path, (uint64_t)store_grow(conf) / STORE_WAL_PART);
    if (!rc)
        rc = sync_folder(conf->path);
    if (!rc && rename(fresh, conf->path) != 0)
        rc = -HL_ESYS;
    if (!rc)
        rc = sync_folder(conf->path);
    return rc;
}
