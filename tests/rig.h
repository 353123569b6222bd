#ifndef HL_TESTS_RIG_H
#define HL_TESTS_RIG_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/error.h"
#include "common/file.h"
#include "common/record.h"
#include "common/tlog/checkpoint.h"
#include "common/wire.h"
#include "keys/sign.h"
#include "server/broker.h"
#include "tests/check.h"
#include "tests/world.h"

/*
 * A broker on a bench: real store in a folder of its own, the world's documents in its documents folder, a signer
 * that behaves as the real one, and every frame that leaves kept in order.  Time is what the test says.
 */
struct rig_frame {
    uint64_t conn;
    struct buf bytes;
    bool taken;
};

struct rig {
    struct world w;
    char dir[64], store[96], documents[96];
    struct broker_conf conf;
    struct broker_out out;
    struct broker *b;
    struct seckey *log;
    struct note_key log_key;
    uint64_t now;
    bool no_sign; /* the signer is silent */
    /* the signer: what it signed last, what it is asked */
    uint64_t signed_size, asked, asked_old;
    uint8_t signed_root[32], asked_root[32];
    struct buf note; /* its newest */
    struct {
        uint64_t size;
        struct buf note;
    } notes[512]; /* all of them */
    size_t n_notes;
    /* what left */
    struct rig_frame *frame;
    size_t n, cap;
    uint8_t (*keys)[32];
    size_t n_keys, tables;
    unsigned published, alarms;
    char alarm[512];
};

static inline void rig_on_send(void *arg, uint64_t conn, struct span frame)
{
    struct rig *r = arg;

    if (r->n == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 64;
        r->frame = realloc(r->frame, r->cap * sizeof(*r->frame));
    }
    r->frame[r->n] = (struct rig_frame){ .conn = conn };
    buf_init(&r->frame[r->n].bytes, WIRE_FRAME_MAX);
    buf_put_span(&r->frame[r->n++].bytes, frame);
}

static inline void rig_on_keys(void *arg, const uint8_t (*key)[32], size_t n)
{
    struct rig *r = arg;

    free(r->keys);
    r->keys = malloc(n * 32 + 1);
    memcpy(r->keys, key, n * 32);
    r->n_keys = n;
    r->tables++;
}

/* As the real signer: only what extends its own last. */
static inline void rig_on_sign(void *arg, uint64_t size, const uint8_t root[static 32], uint64_t old,
                               const uint8_t (*proof)[32], size_t n)
{
    struct rig *r = arg;

    CHECK_EQ(old <= size, 1, "signer asked for a smaller tree");
    if (old == r->signed_size && old > 0)
        CHECK_EQ(merkle_verify_consistency(old, r->signed_root, size, root, proof, n), 0, "signer's proof");
    r->asked = size;
    r->asked_old = old;
    memcpy(r->asked_root, root, 32);
}

static inline void rig_on_publish(void *arg, struct span note)
{
    (void)note;
    ((struct rig *)arg)->published++;
}

static inline void rig_on_diag(void *arg, int level, const char *line)
{
    struct rig *r = arg;

    if (getenv("RIG_DIAG"))
        fprintf(stderr, "<%d>%s\n", level, line);
    if (level > 3)
        return;
    r->alarms++;
    snprintf(r->alarm, sizeof(r->alarm), "%s", line);
}

static inline void rig_make_note(struct rig *r, struct buf *out, uint64_t size, const uint8_t root[static 32])
{
    struct buf text;

    buf_init(&text, 1024);
    checkpoint_put(&text, span_str(r->conf.origin), size, root);
    buf_clear(out);
    CHECK_EQ(sign_checkpoint(out, buf_span(&text), span_str(r->conf.origin), r->log), 0, "sign");
    buf_release(&text);
}

/* Answer the broker's question, if there is one. */
static inline int rig_sign(struct rig *r)
{
    if (!r->asked)
        return 0;
    if (r->asked_old == r->signed_size) {
        r->signed_size = r->asked;
        memcpy(r->signed_root, r->asked_root, 32);
        rig_make_note(r, &r->note, r->signed_size, r->signed_root);
        CHECK_EQ(r->n_notes < COUNT(r->notes), 1, "notes of the rig");
        r->notes[r->n_notes].size = r->signed_size;
        buf_init(&r->notes[r->n_notes].note, 4096);
        buf_put_span(&r->notes[r->n_notes++].note, buf_span(&r->note));
    } /* else it repeats what it signed last */
    r->asked = 0;
    return broker_signed(r->b, buf_span(&r->note));
}

/* Turns until nothing is left to do.  Returns what the last turn said when it failed. */
static inline int rig_run(struct rig *r)
{
    int rc;

    for (int i = 0; i < 20000; i++) {
        rc = broker_turn(r->b, r->now);
        if (rc < 0)
            return rc;
        if (rc == 0 && r->asked && !r->no_sign) {
            rc = rig_sign(r);
            if (rc < 0)
                return rc;
            r->now += 6; /* the next question may come */
            continue;
        }
        if (rc == 0)
            return 0;
    }
    CHECK_EQ(0, 1, "the broker does not come to rest");
    return 0;
}

/* The documents of the world whose bit is set in @mask, as in world_document(). */
static inline void rig_write_documents(struct rig *r, uint32_t mask)
{
    char path[160];

    for (size_t i = 0; i < WORLD_DOCUMENTS; i++) {
        if (!(mask >> i & 1))
            continue;
        snprintf(path, sizeof(path), "%s/%02zu.note", r->documents, i);
        CHECK_EQ(file_publish(path, world_document(&r->w, i), 0644), 0, path);
    }
}

static inline int rig_start(struct rig *r)
{
    return broker_open(&r->conf, &r->out, &r->b);
}

/* A broker with the documents of @mask recorded and signed. */
static inline void rig_open_with(struct rig *r, uint32_t mask)
{
    static uint8_t log_public[32];
    uint8_t seed[32];
    const char *tmp = getenv("TMPDIR");

    memset(r, 0, sizeof(*r));
    CHECK_EQ(keys_init(), 0, "keys_init");
    world_init(&r->w, REALM_LIVE, WORLD_NOW);
    r->now = WORLD_NOW;
    buf_init(&r->note, 4096);
    snprintf(r->dir, sizeof(r->dir), "%.40s/rig-XXXXXX", tmp ? tmp : "/tmp");
    CHECK_EQ(mkdtemp(r->dir) != NULL, 1, "mkdtemp");
    snprintf(r->store, sizeof(r->store), "%s/store.db", r->dir);
    snprintf(r->documents, sizeof(r->documents), "%s/documents", r->dir);
    CHECK_EQ(mkdir(r->documents, 0700), 0, "mkdir");
    rig_write_documents(r, mask);
    crypto_hash_sha256(seed, (const uint8_t *)"doria/log", 9);
    CHECK_EQ(seckey_from_seed(&r->log, seed), 0, "log key");
    memcpy(log_public, seckey_public(r->log), 32);
    r->conf = (struct broker_conf){ .realm = REALM_LIVE,
                                    .origin = r->w.origin,
                                    .log_key = log_public,
                                    .store_path = r->store,
                                    .documents_dir = r->documents,
                                    .space_low = 1,
                                    .space_min = 1 };
    note_key_init(&r->log_key, span_str(r->w.origin), NOTE_ED25519, log_public);
    r->out = (struct broker_out){ r, rig_on_send, rig_on_keys, rig_on_sign, rig_on_publish, rig_on_diag };
    CHECK_EQ(rig_start(r), 0, "broker_open");
    CHECK_EQ(rig_run(r), 0, "first turns");
    CHECK_EQ(r->signed_size, __builtin_popcount(mask), "all documents recorded and signed");
}

static inline void rig_open(struct rig *r)
{
    rig_open_with(r, (1u << WORLD_DOCUMENTS) - 1);
}

static inline void rig_clear(struct rig *r)
{
    for (size_t i = 0; i < r->n; i++)
        buf_release(&r->frame[i].bytes);
    r->n = 0;
}

/* The process ends as in a power cut: nothing is said, nothing is saved. */
static inline void rig_stop(struct rig *r)
{
    if (r->b)
        broker_close(r->b);
    r->b = NULL;
    r->asked = 0;
    rig_clear(r);
}

static inline void rig_restart(struct rig *r)
{
    rig_stop(r);
    CHECK_EQ(rig_start(r), 0, "reopen");
}

static inline void rig_remove_dir(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    char name[512];

    while (d && (e = readdir(d))) {
        snprintf(name, sizeof(name), "%.200s/%.200s", path, e->d_name);
        if (e->d_name[0] != '.' && unlink(name) != 0)
            rig_remove_dir(name);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

static inline void rig_close(struct rig *r)
{
    rig_stop(r);
    rig_remove_dir(r->dir);
    seckey_free(r->log);
    buf_release(&r->note);
    for (size_t i = 0; i < r->n_notes; i++)
        buf_release(&r->notes[i].note);
    world_release(&r->w);
    free(r->frame);
    free(r->keys);
}

/* ---- frames ---- */

static inline void rig_key(uint8_t key[static 32], const char *poc)
{
    char label[128];
    struct world_key k;

    snprintf(label, sizeof(label), "%s/transport", poc);
    k = world_xkey(label);
    memcpy(key, k.pk, 32);
}

static inline int rig_bytes(struct rig *r, uint64_t conn, const char *poc, struct span bytes)
{
    uint8_t key[32];

    rig_key(key, poc);
    return broker_frame(r->b, conn, key, bytes);
}

static inline int rig_send(struct rig *r, uint64_t conn, const char *poc, const struct frame *f)
{
    struct buf bytes;
    int rc;

    buf_init(&bytes, WIRE_FRAME_MAX);
    CHECK_EQ(frame_put(&bytes, f), 0, "frame_put");
    rc = rig_bytes(r, conn, poc, buf_span(&bytes));
    buf_release(&bytes);
    return rc;
}

static inline void rig_hello(struct rig *r, uint64_t conn, const char *poc, uint64_t since, struct span note)
{
    struct frame f = { .verb = VERB_HELLO,
                       .proto = WIRE_PROTO,
                       .realm = r->w.realm,
                       .poc = span_str(poc),
                       .since = since,
                       .note = note };

    CHECK_EQ(rig_send(r, conn, poc, &f), 0, "hello");
}

/* The next frame of @verb to @conn that was not taken yet; spans are good until rig_clear(). */
static inline bool rig_take(struct rig *r, uint64_t conn, unsigned verb, struct frame *f)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->frame[i].taken || r->frame[i].conn != conn)
            continue;
        CHECK_EQ(frame_decode(f, buf_span(&r->frame[i].bytes)), 0, "what leaves is canonical");
        if (f->verb != verb)
            continue;
        r->frame[i].taken = true;
        return true;
    }
    return false;
}

static inline size_t rig_count(struct rig *r, uint64_t conn, unsigned verb)
{
    struct frame f;
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        n += !r->frame[i].taken && (conn == 0 || r->frame[i].conn == conn) &&
             frame_decode(&f, buf_span(&r->frame[i].bytes)) == 0 && f.verb == verb;
    return n;
}

/* Did the first @one to @conn leave before the first @other? */
static inline bool rig_before(struct rig *r, uint64_t conn, unsigned one, unsigned other)
{
    struct frame f;

    for (size_t i = 0; i < r->n; i++) {
        if (r->frame[i].conn != conn || frame_decode(&f, buf_span(&r->frame[i].bytes)) != 0)
            continue;
        if (f.verb == one || f.verb == other)
            return f.verb == one;
    }
    return false;
}

/* Connect and greet; the WELCOME and what came before is taken. */
static inline void rig_connect(struct rig *r, uint64_t conn, const char *poc)
{
    struct frame f;

    rig_hello(r, conn, poc, 0, SPAN_NONE);
    CHECK_EQ(rig_run(r), 0, "connect");
    CHECK_EQ(rig_take(r, conn, VERB_WELCOME, &f), 1, poc);
}

static inline void rig_got(struct rig *r, uint64_t conn, const char *poc, uint64_t tag, uint64_t offset)
{
    struct frame f = { .verb = VERB_GOT, .tag = tag, .offset = offset };

    CHECK_EQ(rig_send(r, conn, poc, &f), 0, "got");
}

/* The client has all that it was sent and not acknowledged: its window is open again.  Frames are taken. */
static inline void rig_got_all(struct rig *r, uint64_t conn, const char *poc)
{
    struct frame f;

    while (rig_take(r, conn, VERB_DELIVER, &f))
        rig_got(r, conn, poc, f.tag, f.front.n + f.body.n);
    while (rig_take(r, conn, VERB_CHUNK, &f))
        rig_got(r, conn, poc, f.tag, f.offset + f.bytes.n);
}

/* Submit a document: 0 with RECORDED in @f, or the negated code. */
static inline int rig_document(struct rig *r, uint64_t conn, const char *poc, uint64_t tag, struct span note, struct frame *f)
{
    *f = (struct frame){ .verb = VERB_DOCUMENT, .tag = tag, .note = note };
    CHECK_EQ(rig_send(r, conn, poc, f), 0, "document");
    CHECK_EQ(rig_run(r), 0, "run");
    if (rig_take(r, conn, VERB_RECORDED, f))
        return f->tag == tag ? 0 : -HL_ESTATE;
    return rig_take(r, conn, VERB_REFUSED, f) ? -(int)f->code : -HL_ENOANSWER;
}

/* ---- envelopes: an envelope in its wire form ---- */

struct rig_mail {
    struct buf file, front;
    struct envelope env;
};

static inline void rig_mail(struct rig_mail *m, const struct rig *r, const struct world_message *msg)
{
    buf_init(&m->file, ENVELOPE_MAX);
    buf_init(&m->front, ENVELOPE_FRONT_MAX);
    world_envelope(&m->file, &r->w, msg);
    CHECK_EQ(envelope_decode(&m->env, r->w.realm, buf_span(&m->file)), 0, "envelope");
    CHECK_EQ(envelope_put_front(&m->front, &m->env), 0, "front");
}

static inline void rig_mail_release(struct rig_mail *m)
{
    buf_release(&m->file);
    buf_release(&m->front);
}

static inline int rig_submit(struct rig *r, uint64_t conn, const char *poc, uint64_t tag, const struct rig_mail *m)
{
    struct frame f = { .verb = VERB_SUBMIT, .tag = tag, .front_len = m->front.n };

    f.front = SPAN(m->front.p, m->front.n < WIRE_CHUNK ? m->front.n : WIRE_CHUNK);
    if (m->front.n + m->env.body.n <= WIRE_INLINE)
        f.body = m->env.body;
    return rig_send(r, conn, poc, &f);
}

/* Submit, run, and say what came back: 0 with RECORDED in @f, or the negated code of REFUSED. */
static inline int rig_record(struct rig *r, uint64_t conn, const char *poc, uint64_t tag, const struct rig_mail *m,
                             struct frame *f)
{
    CHECK_EQ(rig_submit(r, conn, poc, tag, m), 0, "submit");
    CHECK_EQ(rig_run(r), 0, "run");
    if (rig_take(r, conn, VERB_RECORDED, f))
        return f->tag == tag ? 0 : -HL_ESTATE;
    if (rig_take(r, conn, VERB_REFUSED, f))
        return -(int)f->code;
    return -HL_ENOANSWER;
}

/* A step by @key of @sender on message @mid. */
static inline void rig_step(struct world_message *s, const struct rig *r, unsigned kind, const char *sender,
                            const char *key, const uint8_t mid[static 32], uint64_t seq)
{
    world_message_init(s, &r->w);
    s->kind = kind;
    s->sender = sender;
    s->key = key;
    memset(s->to, 0, sizeof(s->to));
    s->n_refs = 1;
    memcpy(s->ref[0], mid, 32);
    s->seq = seq;
    s->category = s->marking = 0;
}

static inline struct span rig_note(const struct rig *r, uint64_t size)
{
    for (size_t i = 0; i < r->n_notes; i++)
        if (r->notes[i].size == size)
            return buf_span(&r->notes[i].note);
    return SPAN_NONE;
}

/* Does the RECORDED frame prove that @m is in the log, under a note that the signer gave for that size? */
static inline void rig_check_receipt(const struct rig *r, const struct frame *f, const struct rig_mail *m, const char *row)
{
    struct buf record;
    uint8_t entry[32], leaf[32];
    struct checkpoint cp;
    struct note *note = malloc(sizeof(*note));

    buf_init(&record, RECORD_MAX);
    CHECK_EQ(checkpoint_open(&cp, note, rig_note(r, f->size), &r->log_key), 0, row);
    CHECK_EQ(cp.size, f->size, row);
    CHECK_EQ(f->salt.n, 32, row);
    CHECK_EQ(record_put_envelope(&record, f->time_ms, &m->env), 0, row);
    record_entry(entry, r->w.realm, f->salt.p, buf_span(&record));
    merkle_leaf(leaf, SPAN(entry, 32));
    CHECK_EQ(merkle_verify_inclusion(leaf, f->index, f->size, HASHES(f->path), f->n_path, cp.root), 0, row);
    buf_release(&record);
    free(note);
}

#endif
