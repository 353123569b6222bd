#include <string.h>

#include "client/desk_db.h"
#include "common/error.h"

/*
 * The tables.  What the host sees anyway (sender, channel, numbers) stands in columns, so that it
 * can be found; content, drafts and prepared releases are boxes of the vault, bound to their row.
 */
#define DESK_FORMAT 2 /* raised by every change of the tables */
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

static const char *const schema[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE host(origin TEXT PRIMARY KEY, size INTEGER NOT NULL, edge BLOB NOT NULL,"
    " checkpoint BLOB NOT NULL, witnessed BLOB NOT NULL, cursor INTEGER NOT NULL,"
    " dead INTEGER NOT NULL)",
    "CREATE TABLE document(origin TEXT, idx INTEGER, time_ms INTEGER NOT NULL, note BLOB NOT NULL,"
    " PRIMARY KEY(origin, idx))",
    "CREATE TABLE evidence(n INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL,"
    " what TEXT NOT NULL, bytes BLOB NOT NULL, digest BLOB NOT NULL UNIQUE)",
    "CREATE TABLE draft(n INTEGER PRIMARY KEY AUTOINCREMENT, mid BLOB NOT NULL UNIQUE,"
    " box BLOB NOT NULL)",
    "CREATE TABLE prepared(mid BLOB PRIMARY KEY, id BLOB NOT NULL UNIQUE, box BLOB NOT NULL)",
    "CREATE TABLE message(n INTEGER PRIMARY KEY AUTOINCREMENT, mid BLOB NOT NULL UNIQUE,"
    " id BLOB NOT NULL UNIQUE, way INTEGER NOT NULL, state INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL, carried INTEGER NOT NULL, doubted INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, precedence INTEGER NOT NULL, sender TEXT NOT NULL,"
    " channel BLOB NOT NULL, chain BLOB NOT NULL, seq INTEGER NOT NULL, refused INTEGER NOT NULL,"
    " sentence TEXT NOT NULL, envelope BLOB NOT NULL, box BLOB NOT NULL,"
    " closed INTEGER NOT NULL DEFAULT 0)",
    "CREATE INDEX message_number ON message(seq)",
    "CREATE INDEX message_open ON message(way, state) WHERE closed=0",
    "CREATE TABLE ref(mid BLOB, target BLOB, PRIMARY KEY(mid, target)) WITHOUT ROWID",
    "CREATE INDEX ref_target ON ref(target)",
    "CREATE TABLE chain(channel BLOB PRIMARY KEY, chain BLOB NOT NULL, seq INTEGER NOT NULL)",
    "CREATE TABLE number(sender TEXT, channel BLOB, seq INTEGER, chain BLOB, id BLOB NOT NULL,"
    " time_ms INTEGER NOT NULL, PRIMARY KEY(sender, channel, seq, chain)) WITHOUT ROWID",
    "CREATE TABLE outbox(n INTEGER PRIMARY KEY AUTOINCREMENT, origin TEXT NOT NULL,"
    " id BLOB NOT NULL, precedence INTEGER NOT NULL, document INTEGER NOT NULL,"
    " refused INTEGER NOT NULL, sentence TEXT NOT NULL, UNIQUE(origin, id))",
    "CREATE TABLE outdocument(id BLOB PRIMARY KEY, note BLOB NOT NULL)",
    "CREATE TABLE receipt(origin TEXT, mid BLOB, idx INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    " size INTEGER NOT NULL, salt BLOB NOT NULL, proved INTEGER NOT NULL, path BLOB NOT NULL,"
    " note BLOB NOT NULL, PRIMARY KEY(origin, mid))",
    "CREATE INDEX receipt_index ON receipt(origin, idx)",
    "CREATE INDEX receipt_mid ON receipt(mid)",
    "CREATE TABLE step(mid BLOB PRIMARY KEY, target BLOB NOT NULL, poc TEXT NOT NULL,"
    " kind INTEGER NOT NULL, code INTEGER NOT NULL, time_ms INTEGER NOT NULL)",
    "CREATE INDEX step_target ON step(target)",
    "CREATE TABLE opening(origin TEXT, idx INTEGER, salt BLOB NOT NULL, record BLOB NOT NULL,"
    " proved INTEGER NOT NULL, PRIMARY KEY(origin, idx))",
    "CREATE TABLE event(n INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL,"
    " what INTEGER NOT NULL, mid BLOB NOT NULL, kind INTEGER NOT NULL, code INTEGER NOT NULL,"
    " poc TEXT NOT NULL, detail TEXT NOT NULL)",
    "CREATE TABLE witness(origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,"
    " note BLOB NOT NULL)",
    "CREATE TABLE duty(position TEXT PRIMARY KEY, since_ms INTEGER NOT NULL)",
    "CREATE TABLE pin(party TEXT PRIMARY KEY, fingerprint BLOB NOT NULL)",
};

static const uint8_t check_id[32];
static const char check_text[] = "this vault key opens this desk";

static int meta_put(struct desk *d, const char *key, struct span value)
{
    return db_run(d, "INSERT INTO meta VALUES(?,?)", BIND(B_STR(key), B_BLOB(value)));
}

static int meta_is(struct desk *d, const char *key, struct span want, int otherwise)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT value FROM meta WHERE key=?", BIND(B_STR(key)));

    if (rc)
        return rc;
    rc = db_row(st);
    if (rc == 1)
        rc = span_eq(db_blob(st, 0), want) ? 0 : otherwise;
    else if (rc == 0)
        rc = -HL_ESTORE;
    sqlite3_finalize(st);
    return rc;
}

static int desk_create(struct desk *d, struct span poc)
{
    struct buf box;
    int rc = desk_begin(d);

    if (rc)
        return rc;
    buf_init(&box, 1024);
    for (size_t i = 0; i < COUNT(schema) && !rc; i++)
        rc = db_run(d, schema[i], BIND_NONE);
    if (!rc)
        rc = meta_put(d, "realm", span_str(realm_name(d->realm)));
    if (!rc)
        rc = meta_put(d, "poc", poc);
    if (!rc)
        rc = box_seal(d, &box, "check", check_id, span_str(check_text));
    if (!rc)
        rc = meta_put(d, "check", buf_span(&box));
    if (!rc)
        rc = db_run(d, "PRAGMA user_version=" TEXT(DESK_FORMAT), BIND_NONE);
    buf_release(&box);
    if (rc) {
        desk_abort(d);
        return rc;
    }
    return desk_commit(d);
}

static int desk_check_vault(struct desk *d)
{
    sqlite3_stmt *st;
    struct buf text;
    int rc = db_open(d, &st, "SELECT value FROM meta WHERE key='check'", BIND_NONE);

    if (rc)
        return rc;
    buf_init(&text, 1024);
    rc = db_row(st);
    if (rc == 1)
        rc = box_open(d, &text, "check", check_id, db_blob(st, 0)) ? -HL_EOPEN : 0;
    else if (rc == 0)
        rc = -HL_ESTORE;
    sqlite3_finalize(st);
    buf_release(&text);
    return rc;
}

int desk_schema(struct desk *d, struct span poc)
{
    uint64_t version, tables;
    int rc = db_get_int(d, &version, "PRAGMA user_version", BIND_NONE);

    if (!rc)
        rc = db_get_int(d, &tables, "SELECT count(*) FROM sqlite_schema", BIND_NONE);
    if (rc)
        return rc;
    if (version == 0 && tables == 0)
        return desk_create(d, poc);
    if (version != DESK_FORMAT)
        return -HL_ESTORE; /* another program's file, or a newer desk */
    rc = meta_is(d, "realm", span_str(realm_name(d->realm)), -HL_EREALM);
    if (!rc)
        rc = meta_is(d, "poc", poc, -HL_ESTATE);
    return rc ? rc : desk_check_vault(d);
}
