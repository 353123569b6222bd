#include "server/store_sqlite.h"

#include <string.h>

#include "common/error.h"
#include "common/tlog/merkle.h"

/* Everything stored about one entry, read for no other
 * purpose than to find damage before it is needed. */

static int scrub_leaf(const struct store *st, const struct store_entry *e)
{
    uint8_t entry[32], leaf[32];

    if (e->kind == ENTRY_DOCUMENT) {
        merkle_leaf(leaf, e->record);
    } else {
        if (!e->salt)
            return -HL_ESTORE;
        record_entry(entry, st->realm, e->salt, e->record);
        merkle_leaf(leaf, SPAN(entry, sizeof(entry)));
    }
    return memcmp(leaf, e->leaf, sizeof(leaf)) == 0 ? 0 : -HL_ESTORE;
}

static int scrub_body(struct store *st, uint64_t index, uint64_t len)
{
    struct buf chunk;
    uint64_t got = 0;
    int rc = 0;

    buf_init(&chunk, STORE_CHUNK);
    for (uint64_t n = 0; !rc && n * STORE_CHUNK < len; n++) {
        buf_clear(&chunk);
        rc = store_read_chunk(st, index, n, &chunk);
        got += chunk.n;
    }
    buf_release(&chunk);
    return rc ? rc : got == len ? 0 : -HL_ESTORE;
}

static int scrub_id(struct store *st, uint64_t index, const uint8_t id[static 32])
{
    uint64_t at;
    int rc = store_find_id(st, id, &at);

    return rc ? rc : at == index ? 0 : -HL_ESTORE;
}

int store_scrub(struct store *st, uint64_t index, uint64_t *bytes)
{
    struct store_entry e;
    uint8_t id[32] = { 0 };
    sqlite3_stmt *s;
    int rc = entry_at(st, index, &s, &e);

    if (rc)
        return rc;
    rc = scrub_leaf(st, &e);
    if (e.id)
        memcpy(id, e.id, sizeof(id));
    *bytes += e.record.n + e.wraps.n + e.body_len;
    sql_rest(s); /* what @e borrows ends here */
    if (!rc)
        rc = scrub_body(st, index, e.body_len);
    if (!rc && e.kind == ENTRY_ENVELOPE)
        rc = scrub_id(st, index, id);
    return rc == -HL_ENOENT ? -HL_ESTORE : rc;
}
