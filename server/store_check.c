#include "server/store_sqlite.h"

#include <sodium.h>
#include <string.h>

#include "common/error.h"

/*
 * The check of a row (ck): BLAKE2b-128 over a letter for its table and its fields in the order
 * below, integers as u64, blobs as u64 length and bytes.  It finds damage, not forgery: who can
 * write the file can write checks as well, and the signed tree is what binds the host.
 */
struct check {
    crypto_generichash_state state;
};

static void check_bytes(struct check *c, const void *p, size_t n)
{
    crypto_generichash_update(&c->state, p, n);
}

static void check_u64(struct check *c, uint64_t v)
{
    uint8_t b[8];

    put_u64(b, v);
    check_bytes(c, b, sizeof(b));
}

static void check_blob(struct check *c, const void *p, size_t n)
{
    check_u64(c, n);
    check_bytes(c, p, n);
}

static void check_init(struct check *c, char table)
{
    crypto_generichash_init(&c->state, NULL, 0, STORE_CK);
    check_bytes(c, &table, 1);
}

static void check_final(struct check *c, uint8_t ck[static STORE_CK])
{
    crypto_generichash_final(&c->state, ck, STORE_CK);
}

void check_entry(uint8_t ck[static STORE_CK], const struct store_entry *e)
{
    const uint64_t number[] = { e->index,        e->time_ms,    e->kind,
                                e->message_kind, e->precedence, e->body_len };
    struct check c;

    check_init(&c, 'e');
    for (size_t i = 0; i < COUNT(number); i++)
        check_u64(&c, number[i]);
    check_blob(&c, e->leaf, 32);
    check_blob(&c, e->salt, e->salt ? 32 : 0);
    check_blob(&c, e->id, e->id ? 32 : 0);
    check_blob(&c, e->record.p, e->record.n);
    check_blob(&c, e->wraps.p, e->wraps.n);
    check_final(&c, ck);
}

void check_head(uint8_t ck[static STORE_CK], uint64_t term, const struct store_head *head)
{
    struct check c;

    check_init(&c, 'h');
    check_u64(&c, term);
    check_u64(&c, head->size);
    check_blob(&c, head->root, 32);
    check_u64(&c, head->time_ms);
    check_final(&c, ck);
}

void check_chunk(uint8_t ck[static STORE_CK], const uint8_t id[static 32], uint64_t n,
                 struct span bytes)
{
    struct check c;

    check_init(&c, 'c');
    check_blob(&c, id, 32);
    check_u64(&c, n);
    check_blob(&c, bytes.p, bytes.n);
    check_final(&c, ck);
}

void check_tile(uint8_t ck[static STORE_CK], uint64_t key, const uint8_t root[static 32],
                struct span bytes)
{
    struct check c;

    check_init(&c, 't');
    check_u64(&c, key);
    check_blob(&c, root, 32);
    check_blob(&c, bytes.p, bytes.n);
    check_final(&c, ck);
}

void check_document(uint8_t ck[static STORE_CK], struct span key, uint64_t index, uint64_t time_ms,
                    struct span note)
{
    struct check c;

    check_init(&c, 'd');
    check_blob(&c, key.p, key.n);
    check_u64(&c, index);
    check_u64(&c, time_ms);
    check_blob(&c, note.p, note.n);
    check_final(&c, ck);
}

void check_note(uint8_t ck[static STORE_CK], unsigned which, struct span bytes)
{
    struct check c;

    check_init(&c, 'n');
    check_u64(&c, which);
    check_blob(&c, bytes.p, bytes.n);
    check_final(&c, ck);
}

int check_column(sqlite3_stmt *s, int col, const uint8_t ck[static STORE_CK])
{
    struct span b = sql_blob(s, col);

    return b.n == STORE_CK && memcmp(b.p, ck, STORE_CK) == 0 ? 0 : -HL_ESTORE;
}
