#include "tests/world_log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"

static const char *const witnesses[] = { "arcadia", "borealia", "caldera" };

static void note_key(struct note_key *key, const char *label, const char *name, uint8_t type)
{
    struct world_key k = world_key(label);

    if (note_key_init(key, span_str(name), type, k.pk))
        abort();
}

static void put_policy(struct world_log *l)
{
    struct agreement *a;
    struct note_key log;
    struct buf policy, why;

    buf_init(&policy, 65536);
    buf_init(&why, 1000);
    note_key(&log, "doria/log", l->w.origin, NOTE_ED25519);
    if (agreement_new(&a, l->w.realm, buf_span(&l->w.text), &why) ||
        agreement_policy(&policy, a, &log) || mirror_dir_put_policy(l->m, buf_span(&policy), &why))
        abort();
    agreement_free(a);
    buf_release(&policy);
    buf_release(&why);
}

static void begin(struct world_log *l, enum realm realm)
{
    l->now_ms = WORLD_NOW;
    world_init(&l->w, realm, WORLD_NOW);
    if (mirror_dir_open(l->path, realm, &l->m))
        abort();
    put_policy(l);
    if (mirror_dir_put_pin(l->m, span_str("arcadia"), l->w.fingerprint[WORLD_ARCADIA]))
        abort();
}

void world_log_open(struct world_log *l, enum realm realm)
{
    *l = (struct world_log){ .path = "/tmp/hotline-world-XXXXXX" };
    if (!mkdtemp(l->path))
        abort();
    begin(l, realm);
}

void world_log_open_at(struct world_log *l, enum realm realm, const char *path)
{
    *l = (struct world_log){ 0 };
    snprintf(l->path, sizeof(l->path), "%s", path);
    begin(l, realm);
}

void world_log_leave(struct world_log *l)
{
    mirror_dir_close(l->m);
    world_release(&l->w);
}

void world_log_close(struct world_log *l)
{
    char command[512];

    world_log_leave(l);
    snprintf(command, sizeof(command), "rm -r '%s'", l->path);
    if (system(command))
        abort();
}

uint64_t world_log_size(const struct world_log *l)
{
    return l->range.size;
}

static uint64_t append(struct world_log *l, struct span entry)
{
    uint64_t index = l->range.size;
    struct buf bundle;
    uint8_t leaf[32];

    buf_init(&bundle, 70000);
    bundle_put(&bundle, entry);
    if (mirror_dir_put_entries(l->m, buf_span(&bundle)))
        abort();
    merkle_leaf(leaf, entry);
    merkle_range_add(&l->range, leaf);
    buf_release(&bundle);
    return index;
}

uint64_t world_log_document(struct world_log *l, struct span note)
{
    return append(l, note);
}

uint64_t world_log_record(struct world_log *l, const struct record *r, bool open)
{
    uint8_t salt[32] = { 0 }, entry[32];
    struct buf record;
    uint64_t index;

    put_u32(salt, ++l->salts);
    buf_init(&record, RECORD_MAX);
    if (record_put(&record, r))
        abort();
    record_entry(entry, l->w.realm, salt, buf_span(&record));
    index = append(l, SPAN(entry, 32));
    if (open && mirror_dir_put_opening(l->m, index, salt, buf_span(&record)))
        abort();
    buf_release(&record);
    return index;
}

uint64_t world_log_note(struct world_log *l, struct span agreement_note, bool open)
{
    struct record r = { .type = RECORD_AGREEMENT, .time_ms = l->now_ms, .note = agreement_note };

    return world_log_record(l, &r, open);
}

uint64_t world_log_notice(struct world_log *l, enum notice_kind kind, const uint8_t *mid,
                          const char *poc)
{
    static const uint8_t none[32];
    struct record r = { .type = RECORD_NOTICE,
                        .time_ms = l->now_ms,
                        .notice = kind,
                        .mid = mid ? mid : none,
                        .poc = span_str(poc) };

    return world_log_record(l, &r, true);
}

uint64_t world_log_message(struct world_log *l, const struct world_message *m,
                           uint8_t mid[static 32], bool open)
{
    struct envelope *env = malloc(sizeof(*env));
    struct record r = { .type = RECORD_ENVELOPE, .time_ms = l->now_ms };
    struct buf file;
    uint64_t index;

    buf_init(&file, ENVELOPE_MAX);
    world_envelope(&file, &l->w, m);
    if (!env || envelope_decode(env, l->w.realm, buf_span(&file)))
        abort();
    r.header = env->header_bytes;
    r.stamp = env->stamp_bytes;
    r.wraps_hash = env->wraps_hash;
    r.body_hash = env->body_hash;
    r.sig = env->sig;
    memcpy(mid, env->mid, 32);
    index = world_log_record(l, &r, open);
    buf_release(&file);
    free(env);
    return index;
}

void world_log_ground(struct world_log *l)
{
    for (size_t i = 0; i < WORLD_DOCUMENTS; i++) {
        if (i < WORLD_PARTIES + WORLD_POCS)
            world_log_document(l, world_document(&l->w, i));
        else
            world_log_note(l, world_document(&l->w, i), true);
    }
}

static void cosign(struct buf *out, const struct world_log *l, struct span text, const char *party)
{
    struct world_key k;
    struct note_key key;
    struct buf message;
    uint8_t sig[72];
    char name[64];

    snprintf(name, sizeof(name), "%s/witness", party);
    k = world_key(name);
    snprintf(name, sizeof(name), "%s.example/witness", party);
    if (note_key_init(&key, span_str(name), NOTE_COSIGNATURE, k.pk))
        abort();
    buf_init(&message, 65536);
    note_cosign_message(&message, l->now_ms / 1000, text);
    put_u64(sig, l->now_ms / 1000);
    crypto_sign_detached(sig + 8, NULL, message.p, message.n, k.sk);
    note_put_sig(out, &key, sig, sizeof(sig));
    buf_release(&message);
}

void world_log_head(struct buf *out, const struct world_log *l, uint64_t size,
                    const uint8_t root[static 32], unsigned bits)
{
    struct world_key k = world_key("doria/log");
    struct note_key key;
    struct span text;
    uint8_t sig[64];
    struct buf copy;

    note_key(&key, "doria/log", l->w.origin, NOTE_ED25519);
    buf_init(&copy, 1000);
    checkpoint_put(&copy, span_str(l->w.origin), size, root);
    text = buf_span(&copy);
    crypto_sign_detached(sig, NULL, text.p, text.n, k.sk);
    buf_put_span(out, text);
    buf_put_u8(out, '\n');
    note_put_sig(out, &key, sig, sizeof(sig));
    for (size_t i = 0; i < COUNT(witnesses); i++)
        if (bits >> i & 1)
            cosign(out, l, text, witnesses[i]);
    buf_release(&copy);
}

void world_log_checkpoint(struct world_log *l, unsigned bits)
{
    uint8_t root[32];
    struct buf note;

    buf_init(&note, 65536);
    merkle_range_root(&l->range, root);
    world_log_head(&note, l, l->range.size, root, bits);
    if (mirror_dir_put_checkpoint(l->m, buf_span(&note)))
        abort();
    buf_release(&note);
}
