#include "server/facts.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"

/*
 * Three sorts in one table: an envelope id, a number, a message id.  Their keys are hashes with a
 * byte in front that names the sort, so one sort never answers for another.
 */
enum sort { SORT_ID, SORT_NUMBER, SORT_MESSAGE };

struct fact {
    struct hmap_node node;
    struct fact *newer, *older;
    uint8_t key[33];
    struct fact_entry entry;
    uint8_t id[32];     /* NUMBER: the envelope that holds it */
    uint8_t precedence; /* MESSAGE */
    size_t n;           /* MESSAGE: the header */
    uint8_t header[];
};

struct facts {
    struct store *store;
    enum realm realm;
    struct hmap map;
    struct fact *newest, *oldest;
    size_t bytes;
    struct stored stored; /* scratch */
    struct header header; /* scratch, lent by facts_message() */
};

int facts_open(struct store *st, enum realm realm, struct facts **out)
{
    struct facts *f = calloc(1, sizeof(*f));
    int rc = f ? hmap_init(&f->map) : -HL_ENOMEM;

    *out = NULL;
    if (rc) {
        free(f);
        return rc;
    }
    f->store = st;
    f->realm = realm;
    stored_init(&f->stored);
    *out = f;
    return 0;
}

void facts_close(struct facts *f)
{
    if (!f)
        return;
    for (struct fact *i = f->newest, *older; i; i = older) {
        older = i->older;
        free(i);
    }
    stored_release(&f->stored);
    hmap_release(&f->map);
    free(f);
}

static void fact_unlink(struct facts *f, struct fact *i)
{
    if (i->newer)
        i->newer->older = i->older;
    else
        f->newest = i->older;
    if (i->older)
        i->older->newer = i->newer;
    else
        f->oldest = i->newer;
}

static void fact_push(struct facts *f, struct fact *i)
{
    i->newer = NULL;
    i->older = f->newest;
    *(f->newest ? &f->newest->newer : &f->oldest) = i;
    f->newest = i;
}

static void fact_key(uint8_t key[static 33], enum sort sort, const uint8_t hash[static 32])
{
    key[0] = (uint8_t)sort;
    memcpy(key + 1, hash, 32);
}

static struct fact *fact_find(struct facts *f, enum sort sort, const uint8_t hash[static 32])
{
    uint8_t key[33];
    struct fact *i;

    fact_key(key, sort, hash);
    i = (struct fact *)hmap_find(&f->map, SPAN(key, sizeof(key)));
    if (i && i != f->newest) {
        fact_unlink(f, i);
        fact_push(f, i);
    }
    return i;
}

/* The caller knows that @hash is not there. */
static struct fact *fact_new(struct facts *f, enum sort sort, const uint8_t hash[static 32],
                             struct span header)
{
    struct fact *i = calloc(1, sizeof(*i) + header.n);

    if (!i)
        return NULL;
    fact_key(i->key, sort, hash);
    i->node.key = SPAN(i->key, sizeof(i->key));
    i->n = header.n;
    if (header.n)
        memcpy(i->header, header.p, header.n);
    hmap_add(&f->map, &i->node);
    fact_push(f, i);
    f->bytes += header.n;
    while (f->oldest != i && (f->map.n > FACTS_MAX || f->bytes > FACTS_BYTES_MAX)) {
        struct fact *old = f->oldest;

        fact_unlink(f, old);
        hmap_remove(&f->map, &old->node);
        f->bytes -= old->n;
        free(old);
    }
    return i;
}

/* Read entry @index into the scratch, and what it says of itself into @entry. */
static int facts_read(struct facts *f, uint64_t index, struct fact_entry *entry)
{
    int rc = store_read(f->store, index, &f->stored);

    if (rc)
        return rc == -HL_ENOENT ? -HL_ESTORE : rc; /* an index without its entry */
    entry->index = index;
    entry->time_ms = f->stored.time_ms;
    memcpy(entry->salt, f->stored.salt, 32);
    return 0;
}

int facts_id(struct facts *f, const uint8_t id[static 32], struct fact_entry *out)
{
    struct fact *i = fact_find(f, SORT_ID, id);
    uint64_t index;
    int rc;

    if (i) {
        *out = i->entry;
        return 0;
    }
    rc = store_find_id(f->store, id, &index);
    if (!rc)
        rc = facts_read(f, index, out);
    if (!rc && (i = fact_new(f, SORT_ID, id, SPAN_NONE)))
        i->entry = *out;
    return rc;
}

static void number_hash(uint8_t hash[static 32], const struct envelope *env)
{
    crypto_hash_sha256_state st;
    uint8_t seq[8], n = (uint8_t)env->header.sender.n;

    put_u64(seq, env->stamp.seq);
    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, &n, 1);
    crypto_hash_sha256_update(&st, env->header.sender.p, n);
    crypto_hash_sha256_update(&st, env->header.channel, 32);
    crypto_hash_sha256_update(&st, env->stamp.chain, 16);
    crypto_hash_sha256_update(&st, seq, sizeof(seq));
    crypto_hash_sha256_final(&st, hash);
}

int facts_number(struct facts *f, const struct envelope *env, enum number_state *state,
                 uint8_t other[static 32])
{
    uint8_t hash[32];
    struct fact *i;
    uint64_t index;
    int rc = 0;

    number_hash(hash, env);
    i = fact_find(f, SORT_NUMBER, hash);
    if (i)
        memcpy(other, i->id, 32);
    else
        rc = store_find_number(f->store, env->header.sender, env->header.channel, env->stamp.chain,
                               env->stamp.seq, &index, other);
    *state = NUMBER_FREE;
    if (rc)
        return rc == -HL_ENOENT ? 0 : rc;
    *state = memcmp(other, env->id, 32) == 0 ? NUMBER_SAME : NUMBER_OTHER;
    return 0;
}

static int message_load(struct facts *f, const uint8_t mid[static 32], struct fact **out)
{
    struct fact_entry entry;
    struct record rec;
    uint64_t index;
    int rc = store_find_mid(f->store, mid, &index);

    if (!rc)
        rc = facts_read(f, index, &entry);
    if (rc)
        return rc;
    if (record_decode(&rec, buf_span(&f->stored.record)) || rec.type != RECORD_ENVELOPE)
        return -HL_ESTORE;
    *out = fact_new(f, SORT_MESSAGE, mid, rec.header);
    if (!*out)
        return -HL_ENOMEM;
    (*out)->entry = entry;
    (*out)->precedence = (uint8_t)f->stored.precedence;
    return 0;
}

int facts_message(struct facts *f, const uint8_t mid[static 32], struct fact_message *out)
{
    struct fact *i = fact_find(f, SORT_MESSAGE, mid);
    int rc = i ? 0 : message_load(f, mid, &i);

    if (rc)
        return rc;
    if (header_decode(&f->header, f->realm, SPAN(i->header, i->n)))
        return -HL_ESTORE;
    *out = (struct fact_message){ i->entry.index, i->entry.time_ms, i->precedence, &f->header };
    return 0;
}

int facts_target(struct facts *f, const struct envelope *env, struct target *target)
{
    struct fact_message m;
    int rc;

    *target = (struct target){ 0 };
    if (env->header.n_refs == 0)
        return 0;
    rc = facts_message(f, env->header.ref[0], &m);
    if (rc)
        return rc == -HL_ENOENT ? 0 : rc;
    target->known = true;
    target->kind = m.header->kind;
    target->sender = m.header->sender;
    target->channel = m.header->channel;
    target->n_to = m.header->n_to;
    target->to = m.header->to;
    return 0;
}

int facts_add(struct facts *f, const struct envelope *env, const struct fact_entry *entry)
{
    uint8_t number[32];
    struct fact *id, *num, *msg;

    number_hash(number, env);
    id = fact_new(f, SORT_ID, env->id, SPAN_NONE);
    num = fact_new(f, SORT_NUMBER, number, SPAN_NONE);
    if (!id || !num)
        return -HL_ENOMEM;
    id->entry = *entry;
    memcpy(num->id, env->id, 32);
    if (fact_find(f, SORT_MESSAGE, env->mid))
        return 0; /* sealed again: the message keeps its first entry */
    msg = fact_new(f, SORT_MESSAGE, env->mid, env->header_bytes);
    if (!msg)
        return -HL_ENOMEM;
    msg->entry = *entry;
    msg->precedence = (uint8_t)env->stamp.precedence;
    return 0;
}
