/*
 * The floor: the least that such a message can cost in one process.  CURVE, one signature check an
 * envelope, one append and one fdatasync a turn, one signed head with its own fdatasync a turn, the
 * same frames and bytes.  No rules, no directory, no mailboxes, no recovery, no second process: not
 * a broker, a yardstick.
 *
 *   floor --dir DIR --listen tcp://127.0.0.1:PORT      makes DIR/host.public, serves until killed
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "common/record.h"
#include "common/text.h"
#include "common/tlog/checkpoint.h"
#include "common/wire.h"
#include "keys/sign.h"
#include "keys/transport.h"

#define REALM REALM_EXERCISE
#define ORIGIN "floor.example/exercise/p0/1"
#define POCS_MAX 256
#define TURN_MAX 256
#define ID_MAX 8

struct peer {
    char poc[48];
    uint8_t id[ID_MAX];
    size_t n_id;
    uint64_t head; /* size of the newest checkpoint sent to it */
};

/* One entry of the turn: who gets the receipt, who gets the envelope. */
struct entry {
    struct peer *from, *to;
    uint64_t tag, index, time_ms;
    uint8_t salt[32];
    struct buf front, body;
};

static struct {
    void *router;
    struct seckey *log;
    int log_fd, head_fd;
    size_t n_peers, n_entries;
    struct peer peer[POCS_MAX];
    struct entry entry[TURN_MAX];
    struct merkle_range range;
    uint8_t (*level[64])[32]; /* complete subtrees, for the paths */
    uint64_t n_level[64], cap_level[64], tag;
    struct buf note, out;
} g;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- the tree, in memory ---- */

static void tree_put(unsigned level, const uint8_t hash[static 32])
{
    if (g.n_level[level] == g.cap_level[level]) {
        g.cap_level[level] = g.cap_level[level] ? 2 * g.cap_level[level] : 1024;
        g.level[level] = realloc(g.level[level], g.cap_level[level] * 32);
        if (!g.level[level])
            die("memory");
    }
    memcpy(g.level[level][g.n_level[level]++], hash, 32);
}

static void tree_add(const uint8_t leaf[static 32])
{
    uint8_t node[32];
    unsigned level = 0;

    merkle_range_add(&g.range, leaf);
    tree_put(0, leaf);
    while (g.n_level[level] % 2 == 0) {
        uint64_t n = g.n_level[level];

        merkle_node(node, g.level[level][n - 2], g.level[level][n - 1]);
        tree_put(++level, node);
    }
}

static int tree_get(void *arg, unsigned level, uint64_t n, uint8_t out[static 32])
{
    (void)arg;
    memcpy(out, g.level[level][n], 32);
    return 0;
}

/* ---- frames ---- */

static void send_to(struct peer *p, const struct frame *f)
{
    buf_clear(&g.out);
    if (frame_put(&g.out, f) != 0)
        die("frame");
    if (zmq_send(g.router, p->id, p->n_id, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(g.router, g.out.p, g.out.n, ZMQ_DONTWAIT);
}

static struct peer *peer_named(struct span poc)
{
    for (size_t i = 0; i < g.n_peers; i++)
        if (span_eq_str(poc, g.peer[i].poc))
            return &g.peer[i];
    return NULL;
}

static struct peer *peer_by_id(const uint8_t *id, size_t n)
{
    for (size_t i = 0; i < g.n_peers; i++)
        if (g.peer[i].n_id == n && memcmp(g.peer[i].id, id, n) == 0)
            return &g.peer[i];
    return NULL;
}

static void on_hello(const uint8_t *id, size_t n_id, const struct frame *f)
{
    struct peer *p = peer_named(f->poc);
    struct frame welcome = { .verb = VERB_WELCOME,
                             .proto = WIRE_PROTO,
                             .realm = REALM,
                             .origin = SPAN(ORIGIN, strlen(ORIGIN)),
                             .note = buf_span(&g.note),
                             .size = g.range.size,
                             .time_ms = clock_now_ms() };

    if (!p && g.n_peers < POCS_MAX && f->poc.n < sizeof(p->poc)) {
        p = &g.peer[g.n_peers++];
        memcpy(p->poc, f->poc.p, f->poc.n);
    }
    if (!p)
        return;
    memcpy(p->id, id, n_id);
    p->n_id = n_id;
    send_to(p, &welcome);
}

static void on_submit(struct peer *from, const struct frame *f)
{
    static struct envelope env;
    static struct buf record;
    struct entry *e = &g.entry[g.n_entries];
    uint8_t commitment[32], leaf[32];

    if (!record.max)
        buf_init(&record, RECORD_MAX);
    if (envelope_decode_front(&env, REALM, f->front) != 0 ||
        envelope_set_body(&env, f->body) != 0 || envelope_verify(&env) != 0 || env.header.n_to == 0)
        return;
    e->from = from;
    e->to = peer_named(env.header.to[0].poc);
    e->tag = f->tag;
    e->index = g.range.size;
    e->time_ms = clock_now_ms();
    randombytes_buf(e->salt, sizeof(e->salt));
    buf_clear(&e->front);
    buf_clear(&e->body);
    buf_put_span(&e->front, f->front);
    buf_put_span(&e->body, f->body);
    buf_clear(&record);
    record_put_envelope(&record, e->time_ms, &env);
    record_entry(commitment, REALM, e->salt, buf_span(&record));
    merkle_leaf(leaf, SPAN(commitment, 32));
    tree_add(leaf);
    g.n_entries++;
}

static bool receive(void)
{
    static struct frame f;
    static uint8_t bytes[WIRE_FRAME_MAX];
    uint8_t id[ID_MAX];
    struct peer *p;
    int n_id = zmq_recv(g.router, id, sizeof(id), ZMQ_DONTWAIT), n;

    if (n_id < 0)
        return false;
    n = zmq_recv(g.router, bytes, sizeof(bytes), 0);
    if (n < 0 || n_id > ID_MAX || frame_decode(&f, SPAN(bytes, (size_t)n)) != 0)
        return true;
    p = peer_by_id(id, (size_t)n_id);
    if (f.verb == VERB_HELLO)
        on_hello(id, (size_t)n_id, &f);
    else if (f.verb == VERB_SUBMIT && p)
        on_submit(p, &f);
    return true;
}

/* ---- the turn: append, sync, deliver, sign, sync, receipts ---- */

static void commit(void)
{
    static struct buf bytes;

    if (!bytes.max)
        buf_init(&bytes, 64u << 20);
    buf_clear(&bytes);
    for (size_t i = 0; i < g.n_entries; i++) {
        buf_put(&bytes, g.entry[i].salt, 32);
        buf_put_span(&bytes, buf_span(&g.entry[i].front));
        buf_put_span(&bytes, buf_span(&g.entry[i].body));
    }
    if (write(g.log_fd, bytes.p, bytes.n) != (ssize_t)bytes.n || fdatasync(g.log_fd) != 0)
        die("log");
}

static void deliver(struct entry *e)
{
    struct frame f = { .verb = VERB_DELIVER,
                       .tag = ++g.tag,
                       .index = e->index,
                       .time_ms = e->time_ms,
                       .salt = SPAN(e->salt, 32),
                       .front_len = e->front.n,
                       .front = buf_span(&e->front),
                       .body = buf_span(&e->body) };

    if (e->to)
        send_to(e->to, &f);
}

static void sign_head(void)
{
    static struct buf text;
    uint8_t root[32];

    if (!text.max)
        buf_init(&text, CHECKPOINT_MAX);
    merkle_range_root(&g.range, root);
    buf_clear(&text);
    buf_clear(&g.note);
    checkpoint_put(&text, SPAN(ORIGIN, strlen(ORIGIN)), g.range.size, root);
    if (pwrite(g.head_fd, text.p, text.n, 0) != (ssize_t)text.n || fdatasync(g.head_fd) != 0)
        die("head");
    if (sign_checkpoint(&g.note, buf_span(&text), SPAN(ORIGIN, strlen(ORIGIN)), g.log) != 0)
        die("sign");
}

static void receipt(struct entry *e)
{
    static struct frame f;
    struct frame head = { .verb = VERB_CHECKPOINT, .note = buf_span(&g.note) };

    if (e->from->head != g.range.size)
        send_to(e->from, &head);
    e->from->head = g.range.size;
    f.verb = VERB_RECORDED;
    f.tag = e->tag;
    f.index = e->index;
    f.time_ms = e->time_ms;
    f.salt = SPAN(e->salt, 32);
    f.size = g.range.size;
    merkle_prove_inclusion(e->index, g.range.size, tree_get, NULL, f.path, &f.n_path);
    send_to(e->from, &f);
}

static void turn(void)
{
    zmq_pollitem_t item = { g.router, 0, ZMQ_POLLIN, 0 };

    g.n_entries = 0;
    zmq_poll(&item, 1, 1000);
    while (g.n_entries < TURN_MAX && receive())
        ;
    if (!g.n_entries)
        return;
    commit();
    for (size_t i = 0; i < g.n_entries; i++)
        deliver(&g.entry[i]);
    sign_head();
    for (size_t i = 0; i < g.n_entries; i++)
        receipt(&g.entry[i]);
}

static int open_file(const char *dir, const char *name)
{
    char path[600];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, 64 << 20) != 0 || fsync(fd) != 0)
        die(path);
    return fd;
}

static void host_public(const char *dir, const char *listen, const struct transport_key *transport)
{
    struct buf b;
    char path[600];

    buf_init(&b, 4096);
    buf_printf(&b, "host %s ", ORIGIN);
    text_base64(&b, SPAN(seckey_public(g.log), 32));
    buf_put_str(&b, "\ncurve ");
    text_base64(&b, SPAN(transport_public(transport), 32));
    buf_printf(&b, "\nendpoint %s\n", listen);
    snprintf(path, sizeof(path), "%s/host.public", dir);
    if (file_publish(path, buf_span(&b), 0644) != 0)
        die(path);
    buf_release(&b);
}

int main(int argc, char **argv)
{
    const char *dir = argc == 5 && strcmp(argv[1], "--dir") == 0 ? argv[2] : NULL;
    const char *listen = argc == 5 && strcmp(argv[3], "--listen") == 0 ? argv[4] : NULL;
    struct transport_key *transport;
    int hwm = 1000, zero = 0;
    void *zmq;

    if (!dir || !listen || keys_init() != 0)
        return EXIT_USAGE;
    if (seckey_new(&g.log) != 0 || transport_temporary(&transport) != 0)
        die("keys");
    buf_init(&g.note, CHECKPOINT_MAX);
    buf_init(&g.out, WIRE_FRAME_MAX);
    for (size_t i = 0; i < TURN_MAX; i++) {
        buf_init(&g.entry[i].front, WIRE_FRAME_MAX);
        buf_init(&g.entry[i].body, WIRE_FRAME_MAX);
    }
    merkle_range_init(&g.range);
    g.log_fd = open_file(dir, "log");
    g.head_fd = open_file(dir, "head");
    zmq = zmq_ctx_new();
    g.router = zmq_socket(zmq, ZMQ_ROUTER);
    zmq_setsockopt(g.router, ZMQ_SNDHWM, &hwm, sizeof(hwm));
    zmq_setsockopt(g.router, ZMQ_RCVHWM, &hwm, sizeof(hwm));
    zmq_setsockopt(g.router, ZMQ_LINGER, &zero, sizeof(zero));
    if (transport_server(g.router, transport) != 0 || zmq_bind(g.router, listen) != 0)
        die(listen);
    host_public(dir, listen, transport);
    for (;;)
        turn();
}
