#include <sodium.h>
#include <string.h>

#include "client/desk_db.h"
#include "common/error.h"

/*
 * Own numbers: a row per channel with the chain and the highest number taken or known.
 *
 *   (none) -[desk_number]-> (chain, 0) -[desk_send]-> (chain, n) -[desk_known_number, behind]->
 * (new chain, theirs)
 *
 * A chain that this desk did not draw, or whose numbers it does not know, was used by the desk of
 * which this one is an older copy: going on under it could give one number to two envelopes.
 */
static int chain_load(struct desk *d, const uint8_t channel[static 32], uint8_t chain[static 16],
                      uint64_t *seq)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT chain, seq FROM chain WHERE channel=?", BIND(B_KEY(channel)));

    if (!rc)
        rc = db_row(st);
    if (rc == 1) {
        rc = db_bytes(st, 0, chain, 16);
        *seq = db_int(st, 1);
    } else if (!rc) {
        rc = -HL_ENOENT;
    }
    sqlite3_finalize(st);
    return rc;
}

static int chain_save(struct desk *d, const uint8_t channel[static 32],
                      const uint8_t chain[static 16], uint64_t seq)
{
    return db_run(d, "INSERT OR REPLACE INTO chain VALUES(?,?,?)",
                  BIND(B_KEY(channel), B_BLOB(SPAN(chain, 16)), B_INT(seq)));
}

static int chain_draw(struct desk *d, const uint8_t channel[static 32], uint8_t chain[static 16],
                      uint64_t seq)
{
    randombytes_buf(chain, 16);
    return chain_save(d, channel, chain, seq);
}

int desk_number(struct desk *d, const uint8_t channel[static 32], uint8_t chain[static 16],
                uint64_t *seq)
{
    int rc = chain_load(d, channel, chain, seq);

    if (rc == -HL_ENOENT) {
        *seq = 0;
        rc = chain_draw(d, channel, chain, 0);
    }
    if (!rc)
        (*seq)++;
    return rc;
}

int desk_known_number(struct desk *d, const uint8_t channel[static 32],
                      const uint8_t chain[static 16], uint64_t seq)
{
    uint8_t own[16], fresh[16];
    uint64_t have;
    int rc = chain_load(d, channel, own, &have);

    (void)chain;
    if (rc == -HL_ENOENT)
        have = 0;
    else if (rc)
        return rc;
    if (seq <= have)
        return 0;
    if (seq - have > DESK_JUMP_MAX)
        return chain_draw(d, channel, fresh, have);
    rc = chain_draw(d, channel, fresh, seq);
    return rc ? rc : 1;
}

int desk_number_renew(struct desk *d, const uint8_t channel[static 32],
                      const uint8_t chain[static 16])
{
    uint8_t own[16], fresh[16];
    uint64_t have;
    int rc = chain_load(d, channel, own, &have);

    if (rc || memcmp(own, chain, 16) != 0)
        return rc == -HL_ENOENT ? 0 : rc;
    return chain_draw(d, channel, fresh, have);
}

/* Called by desk_send(), in its transaction. */
int desk_number_take(struct desk *d, const uint8_t channel[static 32],
                     const uint8_t chain[static 16], uint64_t seq)
{
    uint8_t own[16];
    uint64_t next;
    int rc = desk_number(d, channel, own, &next);

    if (!rc && (memcmp(own, chain, 16) != 0 || next != seq))
        rc = -HL_ESTATE;
    return rc ? rc : chain_save(d, channel, chain, seq);
}

/* ---- numbers of others ---- */

int desk_number_state(struct desk *d, struct span sender, const uint8_t channel[static 32],
                      const uint8_t chain[static 16], uint64_t seq, const uint8_t id[static 32])
{
    uint8_t held[32];
    sqlite3_stmt *st;
    int rc =
        db_open(d, &st, "SELECT id FROM number WHERE sender=? AND channel=? AND seq=? AND chain=?",
                BIND(B_TEXT(sender), B_KEY(channel), B_INT(seq), B_BLOB(SPAN(chain, 16))));

    if (!rc)
        rc = db_row(st);
    if (rc == 1) {
        rc = db_bytes(st, 0, held, 32);
        if (!rc)
            rc = memcmp(held, id, 32) == 0 ? NUMBER_SAME : NUMBER_OTHER;
    } else if (rc == 0) {
        rc = NUMBER_FREE;
    }
    sqlite3_finalize(st);
    return rc;
}

int desk_number_keep(struct desk *d, struct span sender, const uint8_t channel[static 32],
                     const uint8_t chain[static 16], uint64_t seq, const uint8_t id[static 32],
                     uint64_t now_ms)
{
    return db_run(d, "INSERT OR IGNORE INTO number VALUES(?,?,?,?,?,?)",
                  BIND(B_TEXT(sender), B_KEY(channel), B_INT(seq), B_BLOB(SPAN(chain, 16)),
                       B_KEY(id), B_INT(now_ms)));
}

int desk_gaps(struct desk *d, struct span sender, const uint8_t channel[static 32],
              int (*fn)(void *arg, uint64_t first, uint64_t last, uint64_t since_ms), void *arg)
{
    sqlite3_stmt *st;
    uint64_t before = 0;
    int rc = db_open(d, &st,
                     "SELECT seq, min(time_ms) FROM number WHERE sender=? AND channel=?"
                     " GROUP BY seq ORDER BY seq",
                     BIND(B_TEXT(sender), B_KEY(channel)));

    while (!rc && (rc = db_row(st)) == 1) {
        uint64_t seq = db_int(st, 0);

        rc = before && seq > before + 1 ? fn(arg, before + 1, seq - 1, db_int(st, 1)) : 0;
        before = seq;
    }
    sqlite3_finalize(st);
    return rc;
}

int desk_senders(struct desk *d,
                 int (*fn)(void *arg, struct span sender, const uint8_t channel[static 32]),
                 void *arg)
{
    sqlite3_stmt *st;
    int rc = db_open(d, &st, "SELECT DISTINCT sender, channel FROM number", BIND_NONE);

    while (!rc && (rc = db_row(st)) == 1) {
        struct span channel = db_blob(st, 1);

        rc = channel.n == 32 ? fn(arg, db_blob(st, 0), channel.p) : -HL_ESTORE;
    }
    sqlite3_finalize(st);
    return rc;
}
