#include <sodium.h>
#include <string.h>

#include "client/desk_db.h"
#include "common/error.h"

/*
 * A message's states, and who moves it:
 *
 *   out  QUEUED -[outbound.c: receipt]-> RECORDED      QUEUED -[outbound.c: last host refused]->
 * REFUSED in   NEW -[show]-> SEEN -[step acknowledged]-> ACKNOWLEDGED CANNOT_READ -[desk_receive: a
 * copy that opens]-> NEW
 */
#define BOX_MAX (CONTENT_MAX + 32 + VAULT_OVERHEAD)

#define COLUMNS                                                                                    \
    "mid, id, way, state, time_ms, carried, doubted, kind, precedence, sender, channel, chain,"    \
    " seq, refused, sentence, envelope, box,"                                                      \
    " (SELECT count(*) FROM receipt WHERE receipt.mid=message.mid AND proved=1)"

void message_init(struct message *m)
{
    memset(m, 0, sizeof(*m));
    buf_init(&m->envelope, ENVELOPE_MAX);
    buf_init(&m->content, CONTENT_MAX);
}

void message_release(struct message *m)
{
    if (m->content.p)
        sodium_memzero(m->content.p, m->content.n);
    buf_release(&m->envelope);
    buf_release(&m->content);
}

/* salt || content, or nothing. */
static int message_box(const struct desk *d, const struct message *m, struct buf *box)
{
    struct buf plain;
    int rc;

    if (m->content.n == 0)
        return 0;
    buf_init(&plain, CONTENT_MAX + 32);
    buf_put(&plain, m->salt, 32);
    rc = buf_put_span(&plain, buf_span(&m->content));
    if (!rc)
        rc = box_seal(d, box, "message", m->mid, buf_span(&plain));
    if (plain.p)
        sodium_memzero(plain.p, plain.n);
    buf_release(&plain);
    return rc;
}

static int message_unbox(const struct desk *d, struct message *m, struct span box)
{
    struct buf plain;
    int rc;

    if (box.n == 0)
        return 0;
    buf_init(&plain, CONTENT_MAX + 32);
    rc = box_open(d, &plain, "message", m->mid, box);
    if (!rc && plain.n < 32)
        rc = -HL_ESTORE;
    if (!rc) {
        memcpy(m->salt, plain.p, 32);
        rc = buf_put(&m->content, plain.p + 32, plain.n - 32);
    }
    if (plain.p)
        sodium_memzero(plain.p, plain.n);
    buf_release(&plain);
    return rc;
}

static int message_row(struct desk *d, sqlite3_stmt *st, struct message *m)
{
    int rc;

    message_init(m);
    rc = db_bytes(st, 0, m->mid, 32);
    if (!rc)
        rc = db_bytes(st, 1, m->id, 32);
    if (!rc)
        rc = db_bytes(st, 10, m->channel, 32);
    if (!rc)
        rc = db_bytes(st, 11, m->chain, 16);
    if (rc)
        return rc;
    m->way = (enum message_way)db_int(st, 2);
    m->state = (enum message_state)db_int(st, 3);
    m->time_ms = db_int(st, 4);
    m->carried = db_int(st, 5) != 0;
    m->doubted = db_int(st, 6) != 0;
    m->kind = (unsigned)db_int(st, 7);
    m->precedence = (unsigned)db_int(st, 8);
    db_text(st, 9, m->sender, sizeof(m->sender));
    m->seq = db_int(st, 12);
    m->refused = -(int)db_int(st, 13);
    db_text(st, 14, m->sentence, sizeof(m->sentence));
    m->recorded = (unsigned)db_int(st, 17);
    rc = buf_put_span(&m->envelope, db_blob(st, 15));
    return rc ? rc : message_unbox(d, m, db_blob(st, 16));
}

static int message_insert(struct desk *d, const struct message *m)
{
    struct buf box;
    int rc;

    buf_init(&box, BOX_MAX);
    rc = message_box(d, m, &box);
    if (!rc)
        rc = db_run(d,
                    "INSERT INTO message(mid, id, way, state, time_ms, carried, doubted, kind,"
                    " precedence, sender, channel, chain, seq, refused, sentence, envelope, box,"
                    " closed) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
                    " ON CONFLICT(mid) DO UPDATE SET id=excluded.id, state=excluded.state,"
                    " precedence=excluded.precedence, chain=excluded.chain, seq=excluded.seq,"
                    " doubted=excluded.doubted, refused=excluded.refused,"
                    " sentence=excluded.sentence, envelope=excluded.envelope, box=excluded.box",
                    BIND(B_KEY(m->mid), B_KEY(m->id), B_INT(m->way), B_INT(m->state),
                         B_INT(m->time_ms), B_INT(m->carried), B_INT(m->doubted), B_INT(m->kind),
                         B_INT(m->precedence), B_STR(m->sender), B_KEY(m->channel),
                         B_BLOB(SPAN(m->chain, 16)), B_INT(m->seq), B_INT(-m->refused),
                         B_STR(m->sentence), B_BLOB(buf_span(&m->envelope)), B_BLOB(buf_span(&box)),
                         B_INT(kind_is_bodyless(m->kind))));
    buf_release(&box);
    return rc;
}

static int send_rows(struct desk *d, const struct message *m, const struct span *origins, size_t n)
{
    int rc = m->kind == KIND_VOID ? 0 : desk_number_take(d, m->channel, m->chain, m->seq);

    if (!rc)
        rc = message_insert(d, m);
    for (size_t i = 0; i < n && !rc; i++)
        rc = db_run(d,
                    "INSERT INTO outbox(origin, id, precedence, document, refused, sentence)"
                    " VALUES(?,?,?,0,0,'')",
                    BIND(B_TEXT(origins[i]), B_KEY(m->id), B_INT(m->precedence)));
    return rc;
}

int desk_send(struct desk *d, const struct message *m, const struct span *origins, size_t n)
{
    int rc = desk_begin(d);

    if (rc)
        return rc;
    rc = send_rows(d, m, origins, n);
    if (rc) {
        desk_abort(d);
        return rc;
    }
    return desk_commit(d);
}

/* What is known of this message id: 1 with its state and precedence, 0, or negative. */
static int receive_known(struct desk *d, const uint8_t mid[static 32], enum message_state *state,
                         unsigned *precedence)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT state, precedence FROM message WHERE mid=?", BIND(B_KEY(mid)));

    if (!rc)
        rc = db_row(st);
    if (rc == 1) {
        *state = (enum message_state)db_int(st, 0);
        *precedence = (unsigned)db_int(st, 1);
    }
    sqlite3_finalize(st);
    return rc;
}

int desk_receive(struct desk *d, const struct message *m)
{
    enum message_state state = MESSAGE_NEW;
    unsigned precedence = 0;
    int known = receive_known(d, m->mid, &state, &precedence);
    int rc;

    if (known < 0)
        return known;
    if (!known || (state == MESSAGE_CANNOT_READ && m->state != MESSAGE_CANNOT_READ)) {
        rc = message_insert(d, m);
        return rc ? rc : 1;
    }
    if (m->precedence <= precedence)
        return 0;
    rc = db_run(d, "UPDATE message SET precedence=? WHERE mid=?",
                BIND(B_INT(m->precedence), B_KEY(m->mid)));
    return rc ? rc : 2;
}

int desk_message(struct desk *d, const uint8_t mid[static 32], struct message *m)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT " COLUMNS " FROM message WHERE mid=?", BIND(B_KEY(mid)));

    if (!rc)
        rc = db_row(st); /* before @m is touched: @mid may be its own */
    message_init(m);
    rc = rc == 1 ? message_row(d, st, m) : rc ? rc : -HL_ENOENT;
    sqlite3_finalize(st);
    return rc;
}

static int find_mid(struct desk *d, uint8_t mid[static 32], const char *sql, const struct bind *b,
                    size_t n)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, sql, b, n);

    if (!rc)
        rc = db_row(st);
    rc = rc == 1 ? db_bytes(st, 0, mid, 32) : rc ? rc : -HL_ENOENT;
    if (!rc && (rc = db_row(st)) == 1)
        rc = -HL_EAMBIGUOUS;
    sqlite3_finalize(st);
    return rc;
}

int desk_message_by_id(struct desk *d, const uint8_t id[static 32], uint8_t mid[static 32])
{
    return find_mid(d, mid, "SELECT mid FROM message WHERE id=?", BIND(B_KEY(id)));
}

/* A number names what people sent: machine steps and voids are found by their ids alone. */
int desk_find(struct desk *d, const char *number, const uint8_t *channel, uint8_t mid[static 32])
{
    static const char sql[] = "SELECT mid FROM message WHERE seq=?1 AND"
                              " (sender=?2 OR substr(sender, 1, length(?2) + 1)=?2||'.')"
                              " AND (?3=x'' OR channel=?3) AND kind NOT IN (9,16,21)";
    char party[32];
    uint64_t seq;
    int rc = number_parse(party, &seq, number);

    if (rc)
        return rc;
    return find_mid(d, mid, sql,
                    BIND(B_INT(seq), B_STR(party), B_BLOB(SPAN(channel, channel ? 32 : 0))));
}

int desk_message_state(struct desk *d, const uint8_t mid[static 32], enum message_state state,
                       int rc, const char *sentence)
{
    enum message_state have;
    unsigned precedence;
    int known = receive_known(d, mid, &have, &precedence);

    if (known != 1)
        return known ? known : -HL_ENOENT;
    if ((state == MESSAGE_REFUSED && have == MESSAGE_RECORDED) ||
        (state == MESSAGE_SEEN && have != MESSAGE_NEW))
        return 0;
    return db_run(d, "UPDATE message SET state=?, refused=?, sentence=? WHERE mid=?",
                  BIND(B_INT(state), B_INT(rc < 0 ? -rc : rc), B_STR(sentence), B_KEY(mid)));
}

static int each_row(struct desk *d, const char *sql, enum message_way way,
                    int (*fn)(void *arg, const struct message *m), void *arg)
{
    struct message m;
    sqlite3_stmt *st;
    int rc = db_open(d, &st, sql, BIND(B_INT(way)));

    while (!rc && (rc = db_row(st)) == 1) {
        rc = message_row(d, st, &m);
        if (!rc)
            rc = fn(arg, &m);
        message_release(&m);
    }
    sqlite3_finalize(st);
    return rc;
}

/* "+way": in the order of the table itself, so that nothing is sorted. */
int desk_each_message(struct desk *d, enum message_way way,
                      int (*fn)(void *arg, const struct message *m), void *arg)
{
    return each_row(d, "SELECT " COLUMNS " FROM message WHERE +way=? ORDER BY n DESC", way, fn,
                    arg);
}

/* The states are MESSAGE_QUEUED, RECORDED, REFUSED; MESSAGE_NEW, SEEN, CANNOT_READ. */
int desk_each_open(struct desk *d, enum message_way way,
                   int (*fn)(void *arg, const struct message *m), void *arg)
{
    return each_row(d,
                    "SELECT " COLUMNS " FROM message WHERE n IN (SELECT n FROM message"
                    " WHERE closed=0 AND way=? AND state IN (0,1,2,3,4,6)) ORDER BY n DESC",
                    way, fn, arg);
}

int desk_message_close(struct desk *d, const uint8_t mid[static 32])
{
    return db_run(d, "UPDATE message SET closed=1 WHERE mid=?", BIND(B_KEY(mid)));
}

int desk_ref_add(struct desk *d, const uint8_t mid[static 32], const uint8_t target[static 32])
{
    return db_run(d, "INSERT OR IGNORE INTO ref VALUES(?,?)", BIND(B_KEY(mid), B_KEY(target)));
}

int desk_ref_each(struct desk *d, const uint8_t target[static 32],
                  int (*fn)(void *arg, const uint8_t mid[static 32]), void *arg)
{
    sqlite3_stmt *st;
    int rc =
        db_open(d, &st, "SELECT ref.mid FROM ref JOIN message USING(mid) WHERE target=? ORDER BY n",
                BIND(B_KEY(target)));

    while (!rc && (rc = db_row(st)) == 1) {
        struct span mid = db_blob(st, 0);

        rc = mid.n == 32 ? fn(arg, mid.p) : -HL_ESTORE;
    }
    sqlite3_finalize(st);
    return rc;
}
