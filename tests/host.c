#include "tests/host.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "common/card.h"
#include "common/clock.h"
#include "common/document.h"
#include "common/error.h"
#include "common/record.h"
#include "common/tlog/tile.h"

#define NEED(what)                                                                                 \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

void host_open(struct host *h, const struct world *w)
{
    struct world_key log = world_key("doria/log");
    int linger = 0;
    size_t len = sizeof(h->endpoint);

    memset(h, 0, sizeof(*h));
    h->w = w;
    NEED(seckey_from_seed(&h->log, log.sk) == 0);
    NEED(transport_temporary(&h->transport) == 0);
    h->zmq = zmq_ctx_new();
    h->socket = zmq_socket(h->zmq, ZMQ_ROUTER);
    NEED(h->socket && transport_server(h->socket, h->transport) == 0);
    zmq_setsockopt(h->socket, ZMQ_LINGER, &linger, sizeof(linger));
    NEED(zmq_bind(h->socket, "tcp://127.0.0.1:*") == 0);
    NEED(zmq_getsockopt(h->socket, ZMQ_LAST_ENDPOINT, h->endpoint, &len) == 0);
    buf_init(&h->note, CHECKPOINT_MAX);
    buf_init(&h->hello_note, CHECKPOINT_MAX);
    buf_init(&h->cosigned, CHECKPOINT_MAX);
}

void host_close(struct host *h)
{
    for (size_t i = 0; i < h->n; i++) {
        buf_release(&h->at[i].entry);
        buf_release(&h->at[i].record);
    }
    buf_release(&h->note);
    buf_release(&h->hello_note);
    buf_release(&h->cosigned);
    zmq_close(h->socket);
    zmq_ctx_term(h->zmq);
    transport_free(h->transport);
    seckey_free(h->log);
}

/* ---- the log ---- */

static size_t host_entry(struct host *h, struct span entry, uint64_t time_ms)
{
    size_t i = h->n++;

    NEED(h->n <= HOST_ENTRIES);
    buf_init(&h->at[i].entry, DOCUMENT_MAX);
    buf_init(&h->at[i].record, RECORD_MAX);
    buf_put_span(&h->at[i].entry, entry);
    merkle_leaf(h->at[i].leaf, entry);
    h->at[i].time_ms = time_ms;
    return i;
}

size_t host_document(struct host *h, struct span note)
{
    return host_entry(h, note, clock_now_ms());
}

size_t host_record(struct host *h, struct span record, uint64_t time_ms)
{
    uint8_t salt[32], entry[32];
    size_t i;

    randombytes_buf(salt, 32);
    record_entry(entry, h->w->realm, salt, record);
    i = host_entry(h, SPAN(entry, 32), time_ms);
    memcpy(h->at[i].salt, salt, 32);
    buf_put_span(&h->at[i].record, record);
    return i;
}

size_t host_agreement(struct host *h, struct span note)
{
    struct record r = { .type = RECORD_AGREEMENT, .time_ms = clock_now_ms(), .note = note };
    struct buf record;
    size_t i;

    buf_init(&record, RECORD_MAX);
    NEED(record_put(&record, &r) == 0);
    i = host_record(h, buf_span(&record), r.time_ms);
    buf_release(&record);
    return i;
}

size_t host_envelope(struct host *h, struct span file)
{
    struct envelope *env = malloc(sizeof(*env));
    uint64_t now = clock_now_ms();
    struct buf record;
    size_t i;

    buf_init(&record, RECORD_MAX);
    NEED(envelope_decode(env, h->w->realm, file) == 0);
    NEED(record_put_envelope(&record, now, env) == 0);
    i = host_record(h, buf_span(&record), now);
    buf_release(&record);
    free(env);
    return i;
}

void host_root(const struct host *h, size_t size, uint8_t root[static 32])
{
    struct merkle_range r;

    merkle_range_init(&r);
    for (size_t i = 0; i < size; i++)
        merkle_range_add(&r, h->at[i].leaf);
    merkle_range_root(&r, root);
}

void host_note(struct buf *out, const struct host *h, uint64_t size, const uint8_t root[static 32])
{
    struct buf text;

    buf_init(&text, 1024);
    NEED(checkpoint_put(&text, span_str(h->w->origin), size, root) == 0);
    NEED(sign_checkpoint(out, buf_span(&text), span_str(h->w->origin), h->log) == 0);
    buf_release(&text);
}

void host_sign(struct host *h, bool push)
{
    struct frame f = { .verb = VERB_CHECKPOINT };
    uint8_t root[32];

    host_root(h, h->n, root);
    buf_clear(&h->note);
    host_note(&h->note, h, h->n, root);
    f.note = buf_span(&h->note);
    if (push)
        host_send(h, &f);
}

void host_cosign(struct host *h, uint64_t time_s, bool push)
{
    static const char *const witness[] = { "arcadia", "borealia" };
    struct frame f = { .verb = VERB_CHECKPOINT };
    struct note note;
    struct buf lines;

    buf_init(&lines, CHECKPOINT_MAX);
    NEED(note_parse(&note, buf_span(&h->note)) == 0);
    for (size_t i = 0; i < COUNT(witness); i++) {
        char label[64];
        struct world_key k;
        struct seckey *key;
        struct card *card;

        snprintf(label, sizeof(label), "%s/witness", witness[i]);
        k = world_key(label);
        NEED(seckey_from_seed(&key, k.sk) == 0);
        NEED(card_new(&card, h->w->realm, buf_span(&h->w->card[i]), NULL) == 0);
        NEED(sign_cosignature(&lines, note.text, span_str(card->witness.name), time_s, key) == 0);
        card_free(card);
        seckey_free(key);
    }
    buf_put_span(&h->note, buf_span(&lines));
    buf_release(&lines);
    f.note = buf_span(&h->note);
    if (push)
        host_send(h, &f);
}

void host_ground(struct host *h)
{
    for (size_t i = 0; i < WORLD_DOCUMENTS; i++) {
        struct span note = world_document(h->w, i);
        struct document doc;

        NEED(document_decode(&doc, h->w->realm, note) == 0);
        if (doc.type == DOCUMENT_AGREEMENT)
            host_agreement(h, note);
        else
            host_document(h, note);
    }
    host_sign(h, false);
}

static int host_leaf(void *arg, unsigned level, uint64_t n, uint8_t out[static 32])
{
    struct host *h = arg;
    struct merkle_range r;

    merkle_range_init(&r);
    for (uint64_t i = n << level; i < (n + 1) << level; i++)
        merkle_range_add(&r, h->at[i].leaf);
    merkle_range_root(&r, out);
    return 0;
}

size_t host_consistency(struct host *h, uint64_t old, uint64_t size,
                        uint8_t proof[static MERKLE_MAX_PROOF][32])
{
    size_t n;

    NEED(merkle_prove_consistency(old, size, host_leaf, h, proof, &n) == 0);
    return n;
}

/* ---- frames ---- */

void host_send_bytes(struct host *h, struct span bytes)
{
    NEED(h->conn_len);
    zmq_send(h->socket, h->conn, h->conn_len, ZMQ_SNDMORE);
    zmq_send(h->socket, bytes.p, bytes.n, 0);
}

void host_send(struct host *h, const struct frame *f)
{
    struct buf out;

    buf_init(&out, WIRE_FRAME_MAX);
    NEED(frame_put(&out, f) == 0);
    host_send_bytes(h, buf_span(&out));
    buf_release(&out);
}

void host_deliver(struct host *h, struct span file, size_t index, unsigned flags)
{
    struct frame f = { .verb = VERB_DELIVER, .tag = 1000 + index, .index = index, .flags = flags };
    struct envelope *env = malloc(sizeof(*env));
    uint8_t salt[32] = { 0 };
    struct buf front;

    buf_init(&front, ENVELOPE_FRONT_MAX);
    NEED(envelope_decode(env, h->w->realm, file) == 0 && envelope_put_front(&front, env) == 0);
    if (index < h->n) {
        memcpy(salt, h->at[index].salt, 32);
        f.time_ms = h->at[index].time_ms;
    } else {
        f.time_ms = clock_now_ms();
    }
    salt[0] ^= h->lie == LIE_SALT;
    f.salt = SPAN(salt, 32);
    f.front_len = front.n;
    f.front = buf_span(&front);
    f.body = env->body;
    host_send(h, &f);
    buf_release(&front);
    free(env);
}

void host_opening(struct host *h, size_t index)
{
    struct frame f = { .verb = VERB_OPENING,
                       .index = index,
                       .bytes = buf_span(&h->at[index].record) };
    uint8_t salt[32];

    memcpy(salt, h->at[index].salt, 32);
    salt[0] ^= h->lie == LIE_SALT;
    f.salt = SPAN(salt, 32);
    host_send(h, &f);
}

static void on_hello(struct host *h, const struct frame *f)
{
    struct frame w = { .verb = VERB_WELCOME,
                       .proto = WIRE_PROTO,
                       .realm = h->w->realm,
                       .origin = span_str(h->w->origin),
                       .note = buf_span(&h->note),
                       .size = h->n,
                       .time_ms = clock_now_ms() };

    h->hellos++;
    h->greeted = true;
    h->since = f->since;
    buf_clear(&h->hello_note);
    buf_put_span(&h->hello_note, f->note);
    if (h->known_seq) {
        w.n_numbers = 1;
        w.number[0] = (struct wire_number){ h->known_channel, h->known_chain, h->known_seq };
    }
    host_send(h, &w);
    for (size_t i = f->since; i < h->n; i++)
        if (h->at[i].record.n && h->at[i].record.p[1] != 1) /* not envelopes */
            host_opening(h, i);
}

static void put_bundle(struct host *h, const struct frame *f, struct buf *out)
{
    for (uint64_t i = f->a; i < f->a + f->b && i < h->n; i++)
        bundle_put(out, buf_span(&h->at[i].entry));
    if (h->lie == LIE_ENTRIES && out->n)
        out->p[out->n - 1] ^= 1;
}

static void on_fetch(struct host *h, const struct frame *f)
{
    struct frame r = { .verb = VERB_FETCHED, .tag = f->tag, .what = f->what, .a = f->a, .b = f->b };
    uint8_t proof[MERKLE_MAX_PROOF][32];
    struct buf out;
    size_t n = 0;

    if (f->what == FETCH_CHECKPOINT && f->a == 1) { /* nothing is witnessed here */
        host_send(h, &(struct frame){ .verb = VERB_REFUSED, .tag = f->tag, .code = HL_ENOENT });
        return;
    }
    buf_init(&out, WIRE_FRAME_MAX - 200);
    if (f->what == FETCH_ENTRIES)
        put_bundle(h, f, &out);
    else if (f->what == FETCH_INCLUSION && f->b <= h->n)
        NEED(merkle_prove_inclusion(f->a, f->b, host_leaf, h, proof, &n) == 0);
    else if (f->what == FETCH_CONSISTENCY && f->b <= h->n)
        NEED(merkle_prove_consistency(f->a, f->b, host_leaf, h, proof, &n) == 0);
    else if (f->what == FETCH_CHECKPOINT)
        buf_put_span(&out, buf_span(&h->note));
    if (n && ((h->lie == LIE_INCLUSION && f->what == FETCH_INCLUSION) ||
              (h->lie == LIE_CONSISTENCY && f->what == FETCH_CONSISTENCY)))
        proof[0][0] ^= 1;
    buf_put(&out, proof, n * 32);
    r.bytes = buf_span(&out);
    host_send(h, &r);
    buf_release(&out);
}

/* Everything small rides inline: what does not is the scenarios' business. */
static void on_submit(struct host *h, const struct frame *f)
{
    struct frame r = { .verb = VERB_RECORDED, .tag = f->tag };
    struct envelope *env = malloc(sizeof(*env));
    struct buf file;
    size_t i;

    h->submits++;
    if (h->lie == LIE_REFUSE) {
        r = (struct frame){
            .verb = VERB_REFUSED, .tag = f->tag, .code = h->code, .sentence = span_str("no")
        };
        host_send(h, &r);
        free(env);
        return;
    }
    buf_init(&file, ENVELOPE_MAX);
    NEED(envelope_decode_front(env, h->w->realm, f->front) == 0);
    NEED(env->body_len == 0 || envelope_set_body(env, f->body) == 0);
    NEED(envelope_put(&file, env) == 0);
    i = host_envelope(h, buf_span(&file));
    host_sign(h, true);
    r.index = i;
    r.time_ms = h->at[i].time_ms;
    r.salt = SPAN(h->at[i].salt, 32);
    r.size = h->n;
    NEED(merkle_prove_inclusion(i, h->n, host_leaf, h, r.path, &r.n_path) == 0);
    if (h->lie == LIE_RECEIPT && r.n_path)
        r.path[0][0] ^= 1;
    host_send(h, &r);
    buf_release(&file);
    free(env);
}

static void on_document(struct host *h, const struct frame *f)
{
    struct frame r = { .verb = VERB_RECORDED, .tag = f->tag };
    size_t i = host_document(h, f->note);

    h->documents++;
    host_sign(h, true);
    r.index = i;
    r.time_ms = h->at[i].time_ms;
    r.size = h->n;
    NEED(merkle_prove_inclusion(i, h->n, host_leaf, h, r.path, &r.n_path) == 0);
    host_send(h, &r);
}

static void host_frame(struct host *h, struct span bytes)
{
    static struct frame f;

    NEED(frame_decode(&f, bytes) == 0); /* the client writes only what decodes */
    if (h->lie == LIE_SILENCE)
        return;
    if (f.verb == VERB_HELLO)
        on_hello(h, &f);
    else if (f.verb == VERB_FETCH)
        on_fetch(h, &f);
    else if (f.verb == VERB_SUBMIT)
        on_submit(h, &f);
    else if (f.verb == VERB_DOCUMENT)
        on_document(h, &f);
    else if (f.verb == VERB_PING)
        host_send(h, &(struct frame){ .verb = VERB_PONG, .tag = f.tag, .time_ms = clock_now_ms() });
    else if (f.verb == VERB_GOT)
        h->got++;
    else if (f.verb == VERB_COSIGNED) {
        h->status = f.status;
        buf_clear(&h->cosigned);
        buf_put_span(&h->cosigned, f.note);
    }
}

void host_step(void *host)
{
    struct host *h = host;
    uint8_t conn[64];
    int n;

    while ((n = zmq_recv(h->socket, conn, sizeof(conn), ZMQ_DONTWAIT)) > 0) {
        zmq_msg_t part;

        memcpy(h->conn, conn, (size_t)n);
        h->conn_len = (size_t)n;
        zmq_msg_init(&part);
        NEED(zmq_msg_recv(&part, h->socket, 0) >= 0);
        host_frame(h, SPAN(zmq_msg_data(&part), zmq_msg_size(&part)));
        zmq_msg_close(&part);
    }
}
