#include "server/documents_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"

static int keep_in_memory(struct documents *d, const char *key, uint64_t index, uint64_t time_ms,
                          struct span note)
{
    size_t cap = d->cap ? d->cap * 2 : 64;
    struct kept *v, *k = NULL;

    for (size_t i = 0; i < d->n && !k; i++)
        if (strcmp(d->v[i].key, key) == 0)
            k = &d->v[i];
    if (!k && d->n == d->cap) {
        v = realloc(d->v, cap * sizeof(*v));
        if (!v)
            return -HL_ENOMEM;
        d->v = v;
        d->cap = cap;
    }
    if (!k)
        k = &d->v[d->n++];
    *k = (struct kept){ .index = index, .time_ms = time_ms };
    snprintf(k->key, sizeof(k->key), "%s", key);
    crypto_hash_sha256(k->hash, note.p, note.n);
    return 0;
}

static int keep(struct documents *d, const char *key, uint64_t index, uint64_t time_ms,
                struct span note)
{
    int rc = keep_in_memory(d, key, index, time_ms, note);

    return rc ? rc : store_stage_document(d->store, key, index, time_ms, note);
}

/* ---- start ---- */

struct load {
    struct documents *d;
    struct loaded {
        char key[KEY_SIZE];
        uint64_t index, time_ms;
        struct buf note;
    } * v;
    size_t n, cap;
};

static int load_one(void *arg, const char *key, uint64_t index, uint64_t time_ms, struct span note)
{
    struct load *l = arg;
    size_t cap = l->cap ? l->cap * 2 : 64;
    struct loaded *v, *one;

    if (strlen(key) >= KEY_SIZE)
        return -HL_ESTORE;
    if (l->n == l->cap) {
        v = realloc(l->v, cap * sizeof(*v));
        if (!v)
            return -HL_ENOMEM;
        l->v = v;
        l->cap = cap;
    }
    one = &l->v[l->n++];
    *one = (struct loaded){ .index = index, .time_ms = time_ms };
    snprintf(one->key, sizeof(one->key), "%s", key);
    buf_init(&one->note, DOCUMENT_MAX);
    return buf_put_span(&one->note, note);
}

static bool starts(const char *key, const char *head)
{
    return strncmp(key, head, strlen(head)) == 0;
}

/* By index; what contradicts comes last, when what it contradicts is there. */
static int by_index(const void *a, const void *b)
{
    const struct loaded *x = a, *y = b;
    bool cx = starts(x->key, "conflict/"), cy = starts(y->key, "conflict/");

    if (cx != cy)
        return cx ? 1 : -1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int restore_one(struct documents *d, const struct loaded *one)
{
    struct span note = buf_span(&one->note);
    struct directory_change change;
    int rc = keep_in_memory(d, one->key, one->index, one->time_ms, note);

    if (rc || starts(one->key, "evidence/"))
        return rc;
    if (starts(one->key, "conflict/")) {
        rc = directory_apply(d->dir, note, one->index, one->time_ms, false, &change, NULL);
        return rc == -HL_ENOMEM ? rc : 0;
    }
    return directory_restore(d->dir, note, one->index, one->time_ms);
}

int documents_open(struct store *st, struct entries *entries, enum realm realm, const char *origin,
                   struct directory *dir, struct documents **out)
{
    struct documents *d = calloc(1, sizeof(*d));
    struct load l = { .d = d };
    int rc = -HL_ENOMEM;

    *out = NULL;
    if (!d)
        return rc;
    *d = (struct documents){ st, entries, realm, origin, dir, NULL, 0, 0 };
    rc = store_each_document(st, load_one, &l);
    if (!rc && l.n)
        qsort(l.v, l.n, sizeof(*l.v), by_index);
    for (size_t i = 0; i < l.n; i++) {
        if (!rc)
            rc = restore_one(d, &l.v[i]);
        buf_release(&l.v[i].note);
    }
    free(l.v);
    if (rc)
        documents_close(d);
    else
        *out = d;
    return rc;
}

void documents_close(struct documents *d)
{
    if (d)
        free(d->v);
    free(d);
}

size_t documents_count(const struct documents *d)
{
    return d->n;
}

/* ---- admitting ---- */

/* Does an agreement that stands here name @card's party with this root set? */
static bool named(const struct documents *d, const struct card *card)
{
    const struct agreement *a;
    uint8_t fp[32];

    card_fingerprint(fp, d->realm, card->threshold, HASHES(card->root), card->n_roots);
    for (size_t i = 0; (a = directory_agreement(d->dir, i)); i++) {
        int p = agreement_party(a, card->party);

        if (p >= 0 && memcmp(a->party[p].fingerprint, fp, 32) == 0)
            return true;
    }
    return false;
}

static bool may_be_first(const struct documents *d, const struct document *doc, struct span note)
{
    struct card *card;
    bool yes = false;

    if (doc->type == DOCUMENT_CARD && card_new(&card, d->realm, note, NULL) == 0) {
        yes = named(d, card);
        card_free(card);
    }
    return yes;
}

static int check_agreement(const struct documents *d, const struct document *doc, struct span note,
                           struct buf *why)
{
    struct agreement *a;
    int rc = -HL_EHOST;

    if (note.n > RECORD_AGREEMENT_MAX)
        return document_say(why, -HL_ETOOBIG, "an agreement note has at most %d bytes",
                            RECORD_AGREEMENT_MAX);
    if (agreement_new(&a, d->realm, doc->note.text, why))
        return -HL_EFORMAT;
    for (size_t i = 0; i < a->n_hosts; i++)
        if (span_eq_str(a->host[i], d->origin))
            rc = 0;
    agreement_free(a);
    return rc ? document_say(why, rc, "the agreement does not name the host %s", d->origin) : 0;
}

/* The same note again: the entry it has. */
static int find_known(struct documents *d, enum document_type type, struct span note,
                      struct entry *out)
{
    struct stored stored;
    uint8_t hash[32];
    size_t i = 0;
    int rc = 0;

    crypto_hash_sha256(hash, note.p, note.n);
    while (i < d->n && memcmp(d->v[i].hash, hash, 32) != 0)
        i++;
    if (i == d->n || starts(d->v[i].key, "conflict/"))
        return -HL_EEXIST;
    *out = (struct entry){ .index = d->v[i].index, .time_ms = d->v[i].time_ms };
    if (type != DOCUMENT_AGREEMENT)
        return 0;
    stored_init(&stored);
    rc = store_read(d->store, out->index, &stored);
    if (!rc)
        memcpy(out->salt, stored.salt, 32);
    stored_release(&stored);
    return rc ? -HL_EBROKER : 0;
}

static const char *const stop_words[] = { "key", "subkey", "agreement", "host" };

/* Where @note is kept; false only for a stop that does not parse again. */
static bool kept_key(char key[static KEY_SIZE], enum realm realm, const struct directory_change *c,
                     struct span note)
{
    char hex[65];
    struct document doc;
    struct stop stop;
    uint8_t id[32];

    text_hex(hex, c->digest, 32);
    switch (c->type) {
    case DOCUMENT_CARD:
    case DOCUMENT_SUBKEYS:
        snprintf(key, KEY_SIZE, "%s/%s/%" PRIu64, document_type_name(c->type), c->party, c->serial);
        return true;
    case DOCUMENT_AGREEMENT:
        snprintf(key, KEY_SIZE, "agreement/%s/%s", hex, c->party);
        return true;
    case DOCUMENT_STOP:
        if (stop_decode(&stop, realm, note, &doc, NULL))
            return false;
        memcpy(id, stop.id, 32);
        if (stop.what == STOP_HOST)
            crypto_hash_sha256(id, stop.origin.p, stop.origin.n);
        text_hex(hex, id, 32);
        snprintf(key, KEY_SIZE, "stop/%s/%s/%s", c->party, stop_words[stop.what], hex);
        return true;
    }
    return false;
}

static int forget(struct documents *d, size_t i)
{
    int rc = store_stage_document_drop(d->store, d->v[i].key);

    d->v[i] = d->v[--d->n];
    return rc;
}

/* A stop of the party's own that its new card lifts: all but
 * those of subkeys, and of agreements that it does not resume. */
static bool lifted(const char *key, const struct card *card)
{
    const char *what = strchr(key + strlen("stop/"), '/');
    char hex[65];

    if (what && starts(what, "/subkey/"))
        return false; /* no card lists subkeys */
    if (!what || !starts(what, "/agreement/"))
        return true;
    for (size_t i = 0; i < card->n_resumed; i++) {
        text_hex(hex, card->resumed[i], 32);
        if (strcmp(what + strlen("/agreement/"), hex) == 0)
            return true;
    }
    return false;
}

/* What the new document leaves without effect goes. */
static int forget_replaced(struct documents *d, const struct directory_change *c)
{
    const struct card *card =
        c->type == DOCUMENT_CARD ? directory_card(d->dir, DIRECTORY_NOW, span_str(c->party)) : NULL;
    char old[KEY_SIZE], stops[KEY_SIZE];
    int rc = 0;

    if (c->type != DOCUMENT_CARD && c->type != DOCUMENT_SUBKEYS)
        return 0;
    snprintf(old, sizeof(old), "%s/%s/%" PRIu64, document_type_name(c->type), c->party,
             c->serial - 2);
    snprintf(stops, sizeof(stops), "stop/%s/", c->party);
    for (size_t i = 0; i < d->n && !rc;) {
        bool gone = c->serial > (card ? 3 : 2) && strcmp(d->v[i].key, old) == 0;

        gone = gone || (card && starts(d->v[i].key, stops) && lifted(d->v[i].key, card));
        if (gone)
            rc = forget(d, i);
        else
            i++;
    }
    return rc;
}

/* Two cards of one serial: the directory freezes the party, and so it stays. */
static int conflict(struct documents *d, struct span note, uint64_t time_ms, const char *party,
                    struct buf *why)
{
    struct directory_change change;
    char key[KEY_SIZE];
    int rc = directory_apply(d->dir, note, log_size(d->entries->log), time_ms, false, &change, why);

    snprintf(key, sizeof(key), "conflict/%s", party);
    return rc == -HL_ECONFLICT ? keep(d, key, log_size(d->entries->log), time_ms, note) : rc;
}

static int admit(struct documents *d, struct span note, bool first, uint64_t time_ms,
                 struct admitted *out)
{
    enum document_type type = out->change.type;
    char key[KEY_SIZE];
    int rc = -HL_EFORMAT;

    if (!kept_key(key, d->realm, &out->change, note))
        return rc;
    rc = type == DOCUMENT_AGREEMENT ? entries_agreement(d->entries, note, time_ms, &out->entry)
                                    : entries_document(d->entries, note, time_ms, &out->entry);
    if (!rc)
        rc = directory_apply(d->dir, note, out->entry.index, out->entry.time_ms, first,
                             &out->change, NULL);
    if (!rc)
        rc = forget_replaced(d, &out->change);
    if (!rc)
        rc = keep(d, key, out->entry.index, out->entry.time_ms, note);
    if (!rc && type == DOCUMENT_AGREEMENT)
        out->agreement = directory_agreement_by(d->dir, out->change.digest);
    return rc;
}

int documents_admit(struct documents *d, struct span note, bool from_folder, uint64_t time_ms,
                    struct admitted *out, struct buf *why, bool *fatal)
{
    struct document doc;
    bool first;
    int rc = document_decode(&doc, d->realm, note), kept;

    *out = (struct admitted){ 0 };
    *fatal = false;
    if (rc)
        return rc;
    first = from_folder || may_be_first(d, &doc, note);
    rc = directory_check(d->dir, note, time_ms, first, &out->change, why);
    if (rc == -HL_EEXIST) {
        rc = find_known(d, doc.type, note, &out->entry);
        out->known = rc == 0;
        return rc;
    }
    if (rc == -HL_ECONFLICT && !directory_frozen(d->dir, span_str(out->change.party))) {
        kept = conflict(d, note, time_ms, out->change.party, why);
        *fatal = kept != 0;
        return kept ? kept : rc;
    }
    if (!rc && doc.type == DOCUMENT_AGREEMENT)
        rc = check_agreement(d, &doc, note, why);
    if (rc)
        return rc;
    rc = admit(d, note, first, time_ms, out);
    *fatal = rc != 0; /* staged, and not folded in */
    return rc;
}

int documents_evidence(struct documents *d, uint64_t index, uint64_t time_ms, struct span bytes)
{
    char key[KEY_SIZE];
    const struct kept *oldest = NULL;
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++) {
        if (!starts(d->v[i].key, "evidence/"))
            continue;
        n++;
        if (!oldest || d->v[i].index < oldest->index)
            oldest = &d->v[i];
    }
    if (n < EVIDENCE_MAX)
        snprintf(key, sizeof(key), "evidence/%zu", n);
    else
        memcpy(key, oldest->key, sizeof(key));
    return keep(d, key, index, time_ms, bytes);
}
