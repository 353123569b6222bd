#include "tests/bench/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/record.h"
#include "common/text.h"

_Noreturn void post_die(const char *what, int rc)
{
    fprintf(stderr, "post: %s: %s\n", what, error_text(rc));
    exit(EXIT_FAILED_OTHER);
}

/* ---- the town and its host ---- */

/* host.public: "host <origin> <log key>", "curve <key>", "endpoint <address>". */
static int host_line(struct post *p, struct span line)
{
    struct span word, field;
    uint8_t key[32];

    text_field(&line, &word);
    if (!text_field(&line, &field) || field.n >= sizeof(p->origin))
        return -HL_EFORMAT;
    if (span_eq_str(word, "curve"))
        return text_unbase64_n(p->curve, 32, field);
    memcpy(span_eq_str(word, "host") ? p->origin : p->endpoint, field.p, field.n);
    if (!span_eq_str(word, "host"))
        return 0;
    if (!text_field(&line, &field) || text_unbase64_n(key, 32, field) != 0)
        return -HL_EFORMAT;
    return note_key_init(&p->log, span_str(p->origin), NOTE_ED25519, key);
}

static void read_host(struct post *p, const char *dir)
{
    struct buf b;
    struct span rest, line;
    char path[600];
    int rc;

    snprintf(path, sizeof(path), "%s/host.public", dir);
    buf_init(&b, 65536);
    rc = file_read(path, &b);
    rest = buf_span(&b);
    while (!rc && text_line(&rest, &line))
        rc = host_line(p, line);
    if (rc)
        post_die(path, rc);
    buf_release(&b);
}

static void read_town(struct post *p, const char *dir)
{
    struct buf b;
    char path[600];
    int rc;

    snprintf(path, sizeof(path), "%s/town", dir);
    buf_init(&b, sizeof(p->town));
    rc = file_read(path, &b);
    if (rc || b.n != sizeof(p->town))
        post_die(path, rc ? rc : -HL_EFORMAT);
    memcpy(&p->town, b.p, b.n);
    buf_release(&b);
}

static void read_keys(struct post *p, const char *dir)
{
    char label[64], path[600];
    uint8_t seed[32];

    snprintf(label, sizeof(label), "%s/watch-1", p->town.poc[p->i]);
    town_seed(seed, label);
    if (seckey_from_seed(&p->position, seed) != 0 || !(p->hedge = secret_random(32)))
        post_die(label, -HL_ENOMEM);
    snprintf(path, sizeof(path), "%s/keys/%s", dir, p->town.poc[p->i]);
    if (subkey_ring_open(&p->ring, path, POST_REALM, post_name(p, p->i), NULL) != 0)
        p->ring = NULL;
}

void post_open(struct post *p, void *zmq, const char *dir, size_t i, const char *transport)
{
    memset(p, 0, sizeof(*p));
    p->i = i;
    p->transport = transport ? transport : "transport";
    p->zmq = zmq;
    if (keys_init() != 0 || !zmq)
        post_die("start", -HL_ENOMEM);
    read_host(p, dir);
    read_town(p, dir);
    if (i >= p->town.n_pocs)
        post_die("no such PoC", -HL_EUSAGE);
    read_keys(p, dir);
}

void post_close(struct post *p)
{
    post_disconnect(p);
    subkey_ring_close(p->ring);
    seckey_free(p->position);
    secret_free(p->hedge);
}

struct span post_name(const struct post *p, size_t i)
{
    return span_str(p->town.poc[i]);
}

/* ---- the connection ---- */

void post_connect(struct post *p, bool known)
{
    static const struct {
        int option, value;
    } options[] = { { ZMQ_LINGER, 0 },
                    { ZMQ_SNDHWM, 1000 },
                    { ZMQ_RCVHWM, 1000 },
                    { ZMQ_RECONNECT_IVL, 50 },
                    { ZMQ_CONNECT_TIMEOUT, 500 } };
    char label[64];
    struct world_key x;

    snprintf(label, sizeof(label), "%s/%.12s", p->town.poc[p->i], p->transport);
    x = world_xkey(label);
    if (!known)
        crypto_box_keypair(x.pk, x.sk);
    post_disconnect(p);
    p->socket = zmq_socket(p->zmq, ZMQ_DEALER);
    for (size_t i = 0; i < COUNT(options); i++)
        zmq_setsockopt(p->socket, options[i].option, &options[i].value, sizeof(int));
    zmq_setsockopt(p->socket, ZMQ_CURVE_SERVERKEY, p->curve, 32);
    zmq_setsockopt(p->socket, ZMQ_CURVE_PUBLICKEY, x.pk, 32);
    zmq_setsockopt(p->socket, ZMQ_CURVE_SECRETKEY, x.sk, 32);
    if (zmq_connect(p->socket, p->endpoint) != 0)
        post_die(p->endpoint, -HL_ESYS);
}

void post_disconnect(struct post *p)
{
    if (p->socket)
        zmq_close(p->socket);
    p->socket = NULL;
}

bool post_send_bytes(struct post *p, struct span bytes)
{
    return zmq_send(p->socket, bytes.p, bytes.n, ZMQ_DONTWAIT) >= 0;
}

bool post_send(struct post *p, const struct frame *f)
{
    static struct buf b;

    if (!b.max)
        buf_init(&b, 2 * WIRE_FRAME_MAX);
    buf_clear(&b);
    if (frame_put(&b, f) != 0)
        post_die("a frame", b.bad);
    return post_send_bytes(p, buf_span(&b));
}

bool post_receive(struct post *p, long wait_ms, struct span *bytes)
{
    static uint8_t frame[WIRE_FRAME_MAX];
    zmq_pollitem_t item = { p->socket, 0, ZMQ_POLLIN, 0 };
    int n = -1;

    if (zmq_poll(&item, 1, wait_ms) > 0)
        n = zmq_recv(p->socket, frame, sizeof(frame), ZMQ_DONTWAIT);
    *bytes = SPAN(frame, n > 0 ? (size_t)n : 0);
    return n >= 0;
}

void post_hello(struct post *p, uint64_t since, struct span note)
{
    struct frame f = { .verb = VERB_HELLO,
                       .proto = WIRE_PROTO,
                       .realm = POST_REALM,
                       .poc = post_name(p, p->i),
                       .since = since,
                       .note = note };

    post_send(p, &f);
}

/* ---- envelopes ---- */

/* Bench content of @text bytes; returns with @plain padded and @commit made. */
static void make_content(struct buf *plain, uint8_t commit[static 32], size_t text)
{
    struct content *c = calloc(1, sizeof(*c));
    struct buf bytes, words;
    uint8_t salt[32];
    int rc;

    buf_init(&bytes, CONTENT_MAX);
    buf_init(&words, CONTENT_MAX);
    while (words.n < text)
        buf_put_str(&words, "Substation 7 answers again. ");
    *c = (struct content){ .subject = SPAN("courier", 7), .language = SPAN("en", 2), .n = 7 };
    c->name[6] = SPAN("text", 4);
    c->field[6] = buf_span(&words);
    randombytes_buf(salt, sizeof(salt));
    rc = content_put(&bytes, c);
    if (!rc)
        rc = content_decode(c, buf_span(&bytes));
    if (!rc)
        rc = content_pad(plain, salt, buf_span(&bytes));
    if (rc)
        post_die("content", rc);
    content_commit(commit, POST_REALM, salt, c);
    buf_release(&bytes);
    buf_release(&words);
    free(c);
}

static void sign(struct post *p, struct seal_input *in, struct buf *file)
{
    struct envelope *env = calloc(1, sizeof(*env));
    struct sealed sealed = { 0 };
    struct buf header, stamp;
    uint8_t sig[64];
    int rc;

    buf_init(&header, ENVELOPE_HEADER_MAX);
    buf_init(&stamp, ENVELOPE_STAMP_MAX);
    rc = header_put(&header, in->h);
    if (!rc)
        rc = stamp_put(&stamp, in->s);
    in->header = buf_span(&header);
    in->stamp = buf_span(&stamp);
    if (!rc)
        rc = seal(in, &sealed);
    if (!rc)
        rc = seal_release(p->position, POST_REALM, sealed.id, sig);
    if (!rc)
        rc = envelope_decode_parts(env, POST_REALM, in->header, in->stamp, sealed.wraps_hash,
                                   sealed.body_hash, sig);
    if (rc)
        post_die("seal", rc);
    env->wraps_bytes = buf_span(&sealed.wraps);
    env->body = buf_span(&sealed.body);
    env->body_len = env->body.n;
    if (envelope_put(file, env) != 0)
        post_die("envelope", file->bad);
    sealed_release(&sealed);
    buf_release(&header);
    buf_release(&stamp);
    free(env);
}

void post_seal(struct post *p, const struct post_letter *l, struct buf *file)
{
    struct header *h = calloc(1, sizeof(*h));
    struct stamp s = { .key = seckey_public(p->position),
                       .precedence = l->precedence,
                       .chain = l->chain,
                       .seq = l->seq,
                       .sealed_ms = clock_now_ms(),
                       .ack_within_s = l->ack ? 0 : 3600 };
    struct seal_input in = { .realm = POST_REALM, .h = h, .s = &s, .hedge = p->hedge };
    struct buf plain;
    uint8_t commit[32];

    buf_init(&plain, ENVELOPE_BUCKET_MAX);
    *h = (struct header){ .realm = POST_REALM,
                          .kind = l->ack ? KIND_ACKNOWLEDGED : KIND_NOTIFICATION,
                          .channel = p->town.channel,
                          .sender = post_name(p, p->i),
                          .drafted_ms = s.sealed_ms,
                          .n_to = 1 };
    h->to[0] = (struct recipient){ post_name(p, l->to), l->ack ? ROLE_INFORMATION : ROLE_ACTION };
    if (l->ack) {
        h->n_refs = 1;
        h->ref[0] = l->ack;
    } else {
        h->category = h->marking = 1;
        make_content(&plain, commit, l->text);
        h->commit = SPAN(commit, 32);
        in.plain = buf_span(&plain);
        in.subkey = (const uint8_t(*)[32])p->town.subkey[l->to];
    }
    sign(p, &in, file);
    buf_release(&plain);
    free(h);
}

void post_submit(struct frame *f, struct buf *front, const struct envelope *env, uint64_t tag,
                 bool again)
{
    *f = (struct frame){ .verb = VERB_SUBMIT, .tag = tag };
    buf_clear(front);
    if (envelope_put_front(front, env) != 0)
        post_die("front", front->bad);
    f->front_len = front->n;
    f->front = SPAN(front->p, front->n < WIRE_CHUNK ? front->n : WIRE_CHUNK);
    if (!again && front->n + env->body.n <= WIRE_INLINE)
        f->body = env->body;
}

int post_receipt(const struct frame *f, const struct envelope *env, const struct checkpoint *head,
                 struct buf *opening)
{
    uint8_t entry[32], leaf[32];

    if (f->salt.n != 32 || f->size != head->size)
        return -HL_EFORMAT;
    buf_put_span(opening, f->salt);
    record_put_envelope(opening, f->time_ms, env);
    if (opening->bad)
        return opening->bad;
    record_entry(entry, POST_REALM, f->salt.p, SPAN(opening->p + 32, opening->n - 32));
    merkle_leaf(leaf, SPAN(entry, 32));
    return merkle_verify_inclusion(leaf, f->index, f->size, HASHES(f->path), f->n_path, head->root);
}
