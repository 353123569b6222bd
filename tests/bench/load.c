/*
 * The load: pairs of PoCs over real connections, with our wire, seal and verify code and the desk
 * in memory.  The same program drives the broker and the floor (tests/bench/floor.c).
 *
 *   load --dir DIR --pairs N setup                 the documents of everybody, for the broker's
 * folder load --dir DIR --pairs N [--rate R --latency-s S] [--window W --throughput-s S] [--idle-s
 * S] run
 *
 * One message = an envelope from A to B and B's signed "acknowledged", both recorded, both receipts
 * verified, the step delivered to A and its signature verified.  Prints one JSON line a phase.
 */
#include <getopt.h>
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
#include "common/tlog/checkpoint.h"
#include "common/wire.h"
#include "keys/open.h"
#include "keys/seal.h"
#include "tests/bench/town.h"

#define REALM REALM_EXERCISE
#define OPEN_MAX 64 /* envelopes of one desk that wait for their receipt */
#define SAMPLES_MAX 400000
#define GIVE_UP_US 20000000
#define TEXT "Bench: remote control lost at 11 of 64 substations; manual restoration under way."

/* What was submitted and waits for RECORDED. */
struct waiting {
    uint64_t tag, sent_us; /* tag 0: free */
    bool step;
    struct buf file;
};

struct desk {
    size_t i; /* the PoC's number */
    void *socket;
    struct seckey *position;
    struct subkey_ring *ring;
    uint8_t chain[16];
    uint64_t seq, tag, open; /* open: messages sent and not complete */
    struct waiting waiting[OPEN_MAX];
    struct buf note; /* newest verified checkpoint */
    struct checkpoint head;
    bool welcome;
};

/* A message on its way to completion. */
struct flight {
    uint8_t mid[32];
    uint64_t sent_us;
    bool used, receipt, step, step_receipt;
};
#define FLIGHTS 16384

static struct {
    struct town town;
    size_t n, pairs;
    struct desk *desk;
    struct flight flight[FLIGHTS];
    struct secret *hedge;
    struct note_key log;
    uint8_t curve[32];
    char endpoint[256], origin[256];
    void *zmq;
    uint64_t measured, warm_us, end_us;
    size_t n_delivered, n_receipt, n_done;
    uint32_t *delivered, *receipt, *done; /* microseconds */
} g;

static void die(const char *what, int rc)
{
    fprintf(stderr, "load: %s: %s\n", what, error_text(rc));
    exit(1);
}

/* ---- flights: open addressing by message id; a slot is freed only when nothing probes past it any
 * more ---- */

static struct flight *flight_find(const uint8_t mid[static 32])
{
    size_t at = get_u32(mid) % FLIGHTS;

    for (size_t k = 0; k < FLIGHTS; k++, at = (at + 1) % FLIGHTS)
        if (g.flight[at].used && memcmp(g.flight[at].mid, mid, 32) == 0)
            return &g.flight[at];
    return NULL;
}

static struct flight *flight_new(const uint8_t mid[static 32])
{
    size_t at = get_u32(mid) % FLIGHTS;

    for (size_t k = 0; k < FLIGHTS; k++, at = (at + 1) % FLIGHTS) {
        if (g.flight[at].used)
            continue;
        g.flight[at] = (struct flight){ .used = true, .sent_us = clock_mono_us() };
        memcpy(g.flight[at].mid, mid, 32);
        return &g.flight[at];
    }
    die("too many flights", -HL_EQUOTA);
    return NULL;
}

static void sample(uint32_t *v, size_t *n, uint64_t from_us)
{
    uint64_t now = clock_mono_us();

    if (from_us >= g.warm_us && *n < SAMPLES_MAX)
        v[(*n)++] = (uint32_t)(now - from_us);
}

static void flight_check(struct flight *f, struct desk *sender)
{
    uint64_t now = clock_mono_us();

    if (!f->receipt || !f->step || !f->step_receipt)
        return;
    f->used = false;
    sender->open--;
    if (now >= g.warm_us && now < g.end_us)
        g.measured++;
    sample(g.done, &g.n_done, f->sent_us);
}

/* ---- sending ---- */

static void send_frame(struct desk *d, const struct frame *f)
{
    static struct buf b;
    int rc;

    if (!b.max)
        buf_init(&b, WIRE_FRAME_MAX);
    buf_clear(&b);
    rc = frame_put(&b, f);
    if (!rc && zmq_send(d->socket, b.p, b.n, 0) < 0)
        rc = -HL_ESYS;
    if (rc)
        die("send", rc);
}

static struct waiting *waiting_by_tag(struct desk *d, uint64_t tag)
{
    for (size_t k = 0; k < OPEN_MAX; k++)
        if (d->waiting[k].tag == tag)
            return &d->waiting[k];
    return NULL;
}

static void submit(struct desk *d, struct envelope *env, bool step)
{
    static struct buf front;
    struct waiting *w = waiting_by_tag(d, 0);
    struct frame f = { .verb = VERB_SUBMIT, .tag = ++d->tag };

    if (!w)
        die("too many open", -HL_EQUOTA);
    if (!front.max)
        buf_init(&front, ENVELOPE_FRONT_MAX);
    buf_clear(&front);
    envelope_put_front(&front, env);
    f.front_len = front.n;
    f.front = buf_span(&front);
    f.body = env->body;
    w->tag = d->tag;
    w->step = step;
    w->sent_us = clock_mono_us();
    buf_clear(&w->file);
    if (envelope_put(&w->file, env))
        die("envelope", w->file.bad);
    send_frame(d, &f);
}

static void sign_and_submit(struct desk *d, const struct header *h, const struct stamp *s,
                            struct span plain, const uint8_t (*subkey)[32], bool step)
{
    static struct buf header, stamp;
    static struct envelope env;
    struct sealed sealed = { 0 };
    struct seal_input in = {
        .realm = REALM, .h = h, .s = s, .subkey = subkey, .plain = plain, .hedge = g.hedge
    };
    uint8_t sig[64];
    int rc;

    if (!header.max) {
        buf_init(&header, ENVELOPE_HEADER_MAX);
        buf_init(&stamp, ENVELOPE_STAMP_MAX);
    }
    buf_clear(&header);
    buf_clear(&stamp);
    rc = header_put(&header, h);
    if (!rc)
        rc = stamp_put(&stamp, s);
    in.header = buf_span(&header);
    in.stamp = buf_span(&stamp);
    if (!rc)
        rc = seal(&in, &sealed);
    if (!rc)
        rc = seal_release(d->position, REALM, sealed.id, sig);
    if (!rc)
        rc = envelope_decode_parts(&env, REALM, in.header, in.stamp, sealed.wraps_hash,
                                   sealed.body_hash, sig);
    if (rc)
        die("seal", rc);
    env.wraps_bytes = buf_span(&sealed.wraps);
    env.body = buf_span(&sealed.body);
    env.body_len = env.body.n;
    if (!step) {
        flight_new(env.mid);
        d->open++;
    }
    submit(d, &env, step);
    sealed_release(&sealed);
}

static struct stamp stamp_of(struct desk *d, uint64_t ack_within_s)
{
    return (struct stamp){ .key = seckey_public(d->position),
                           .precedence = PRECEDENCE_IMMEDIATE,
                           .chain = d->chain,
                           .seq = ++d->seq,
                           .sealed_ms = clock_now_ms(),
                           .ack_within_s = ack_within_s };
}

static void header_of(struct header *h, const struct desk *d, unsigned kind, struct span to,
                      unsigned role)
{
    h->realm = REALM;
    h->kind = kind;
    h->channel = g.town.channel;
    h->sender = span_str(g.town.poc[d->i]);
    h->drafted_ms = clock_now_ms();
    h->n_to = 1;
    h->to[0] = (struct recipient){ to, role };
}

static void send_message(struct desk *d, const struct desk *to)
{
    static struct header h;
    static struct buf content_bytes, plain;
    struct content c = { .subject = SPAN("bench", 5), .language = SPAN("en", 2), .n = 7 };
    struct stamp s = stamp_of(d, 3600);
    uint8_t salt[32], commit[32];
    int rc;

    if (!plain.max) {
        buf_init(&content_bytes, CONTENT_MAX);
        buf_init(&plain, ENVELOPE_BUCKET_MAX);
    }
    buf_clear(&content_bytes);
    buf_clear(&plain);
    c.name[6] = SPAN("text", 4);
    c.field[6] = span_str(TEXT);
    rc = content_put(&content_bytes, &c);
    if (!rc)
        rc = content_decode(&c, buf_span(&content_bytes));
    randombytes_buf(salt, sizeof(salt));
    content_commit(commit, REALM, salt, &c);
    if (!rc)
        rc = content_pad(&plain, salt, buf_span(&content_bytes));
    if (rc)
        die("content", rc);
    header_of(&h, d, KIND_NOTIFICATION, span_str(g.town.poc[to->i]), ROLE_ACTION);
    h.category = h.marking = 1;
    h.commit = SPAN(commit, 32);
    sign_and_submit(d, &h, &s, buf_span(&plain), (const uint8_t(*)[32])g.town.subkey[to->i], false);
}

static void send_ack(struct desk *d, const struct envelope *target)
{
    static struct header h;
    struct stamp s = stamp_of(d, 0);

    header_of(&h, d, KIND_ACKNOWLEDGED, target->header.sender, ROLE_INFORMATION);
    h.n_refs = 1;
    h.ref[0] = target->mid;
    sign_and_submit(d, &h, &s, SPAN_NONE, NULL, true);
}

/* ---- receiving ---- */

static void on_checkpoint(struct desk *d, struct span bytes)
{
    static struct note note;
    struct checkpoint cp;

    if (!bytes.n || span_eq(bytes, buf_span(&d->note)))
        return;
    if (checkpoint_open(&cp, &note, bytes, &g.log) != 0)
        die("a checkpoint that the log did not sign", -HL_ESIG);
    if (d->note.n && cp.size < d->head.size)
        return;
    buf_clear(&d->note);
    buf_put_span(&d->note, bytes);
    d->head = cp;
}

/* The receipt: the leaf from the envelope held here, its path to the signed root. */
static void on_recorded(struct desk *d, const struct frame *f)
{
    static struct envelope env;
    static struct buf record;
    struct waiting *w = waiting_by_tag(d, f->tag);
    struct flight *fl;
    uint8_t entry[32], leaf[32];

    if (!w || !f->tag || f->salt.n != 32 || f->size != d->head.size)
        die("an unexpected receipt", -HL_EFORMAT);
    if (!record.max)
        buf_init(&record, RECORD_MAX);
    buf_clear(&record);
    if (envelope_decode(&env, REALM, buf_span(&w->file)) != 0)
        die("own envelope", -HL_EFORMAT);
    record_put_envelope(&record, f->time_ms, &env);
    record_entry(entry, REALM, f->salt.p, buf_span(&record));
    merkle_leaf(leaf, SPAN(entry, 32));
    if (merkle_verify_inclusion(leaf, f->index, f->size, (const uint8_t(*)[32])f->path, f->n_path,
                                d->head.root) != 0)
        die("a receipt that does not lead to the root", -HL_EPROOF);
    fl = flight_find(w->step ? env.header.ref[0] : env.mid);
    if (!fl)
        die("a receipt of nothing", -HL_EPROOF);
    if (w->step) {
        fl->step_receipt = true;
    } else {
        fl->receipt = true;
        sample(g.receipt, &g.n_receipt, w->sent_us);
    }
    w->tag = 0;
    flight_check(fl, w->step ? &g.desk[d->i ^ 1] : d);
}

static void on_step(struct desk *d, const struct envelope *env)
{
    struct flight *fl = flight_find(env->header.ref[0]);

    if (!fl)
        return;
    fl->step = true;
    flight_check(fl, d);
}

static void on_deliver(struct desk *d, const struct frame *f)
{
    static struct envelope env;
    struct frame got = { .verb = VERB_GOT, .tag = f->tag, .offset = f->front_len + f->body.n };
    struct flight *fl;
    struct opened opened;

    if (envelope_decode_front(&env, REALM, f->front) != 0 || envelope_set_body(&env, f->body) != 0)
        die("a delivery", -HL_EFORMAT);
    if (envelope_verify(&env) != 0)
        die("a delivery's signature", -HL_ESIG);
    send_frame(d, &got);
    if (kind_is_step(env.header.kind)) {
        on_step(d, &env);
        return;
    }
    fl = flight_find(env.mid);
    if (!fl)
        return; /* left from an earlier run */
    sample(g.delivered, &g.n_delivered, fl->sent_us);
    if (open_envelope(&env, span_str(g.town.poc[d->i]), d->ring, NULL, &opened) != 0)
        die("opening", -HL_EOPEN);
    opened_release(&opened);
    send_ack(d, &env);
}

static void on_frame(struct desk *d, struct span bytes)
{
    static struct frame f;

    if (frame_decode(&f, bytes) != 0)
        die("a frame", -HL_EFORMAT);
    if (f.verb == VERB_WELCOME || f.verb == VERB_CHECKPOINT)
        on_checkpoint(d, f.note);
    if (f.verb == VERB_WELCOME)
        d->welcome = true;
    else if (f.verb == VERB_RECORDED)
        on_recorded(d, &f);
    else if (f.verb == VERB_DELIVER)
        on_deliver(d, &f);
    else if (f.verb == VERB_REFUSED) {
        fprintf(stderr, "load: refused: %s: %.*s\n", error_name((int)f.code), (int)f.sentence.n,
                (const char *)f.sentence.p);
        exit(1);
    }
}

/* ---- the loop ---- */

static void receive(long wait_ms)
{
    static zmq_pollitem_t item[TOWN_MAX];
    static uint8_t bytes[WIRE_FRAME_MAX];

    for (size_t i = 0; i < g.n; i++)
        item[i] = (zmq_pollitem_t){ g.desk[i].socket, 0, ZMQ_POLLIN, 0 };
    if (zmq_poll(item, (int)g.n, wait_ms) <= 0)
        return;
    for (size_t i = 0; i < g.n; i++) {
        for (int k = 0; k < 32 && (item[i].revents & ZMQ_POLLIN); k++) {
            int n = zmq_recv(g.desk[i].socket, bytes, sizeof(bytes), ZMQ_DONTWAIT);

            if (n < 0)
                break;
            on_frame(&g.desk[i], SPAN(bytes, (size_t)n));
        }
    }
}

static void drain(void)
{
    uint64_t give_up = clock_mono_us() + GIVE_UP_US;
    size_t open = 1;

    while (open && clock_mono_us() < give_up) {
        receive(10);
        open = 0;
        for (size_t i = 0; i < g.n; i++)
            open += g.desk[i].open;
    }
    if (open)
        die("messages that never completed", -HL_EDEADLINE);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double percentile(const uint32_t *v, size_t n, double p)
{
    return n ? v[(size_t)((double)(n - 1) * p)] / 1000.0 : 0;
}

static void report_times(const char *name, uint32_t *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_value);
    printf(",\"%s_p50_ms\":%.3f,\"%s_p99_ms\":%.3f", name, percentile(v, n, .5), name,
           percentile(v, n, .99));
}

static void report(const char *phase, double seconds)
{
    printf("{\"phase\":\"%s\",\"pairs\":%zu,\"seconds\":%.1f,\"acknowledged\":%llu,"
           "\"acknowledged_per_s\":%.1f",
           phase, g.pairs, seconds, (unsigned long long)g.measured, (double)g.measured / seconds);
    report_times("delivered", g.delivered, g.n_delivered);
    report_times("receipt", g.receipt, g.n_receipt);
    report_times("complete", g.done, g.n_done);
    puts("}");
    fflush(stdout);
}

static void phase_begin(double seconds)
{
    g.n_delivered = g.n_receipt = g.n_done = g.measured = 0;
    g.warm_us = clock_mono_us() + 1000000;
    g.end_us = g.warm_us + (uint64_t)(seconds * 1e6);
}

/* @rate messages a second in all, one pair after the other. */
static void phase_latency(double rate, double seconds)
{
    uint64_t next = clock_mono_us(), sent = 0, gap = (uint64_t)(1e6 / rate);

    phase_begin(seconds);
    while (clock_mono_us() < g.end_us) {
        uint64_t now = clock_mono_us();

        if (now < next) {
            receive((long)((next - now) / 1000));
            continue;
        }
        send_message(&g.desk[2 * (sent % g.pairs)], &g.desk[2 * (sent % g.pairs) + 1]);
        sent++;
        next += gap;
    }
    drain();
    report("latency", seconds);
}

/* Each pair keeps @window messages open. */
static void phase_throughput(size_t window, double seconds)
{
    phase_begin(seconds);
    while (clock_mono_us() < g.end_us) {
        for (size_t p = 0; p < g.pairs; p++)
            while (g.desk[2 * p].open < window)
                send_message(&g.desk[2 * p], &g.desk[2 * p + 1]);
        receive(5);
    }
    drain();
    report("throughput", seconds);
}

static void phase_idle(double seconds)
{
    uint64_t until = clock_mono_us() + (uint64_t)(seconds * 1e6);

    printf("{\"phase\":\"idle\",\"clients\":%zu}\n", g.n);
    fflush(stdout);
    while (clock_mono_us() < until)
        receive(100);
}

/* ---- starting ---- */

static void desk_connect(struct desk *d)
{
    char label[64];
    struct world_key x;
    int zero = 0, hwm = 1000;

    snprintf(label, sizeof(label), "%s/transport", g.town.poc[d->i]);
    x = world_xkey(label);
    d->socket = zmq_socket(g.zmq, ZMQ_DEALER);
    zmq_setsockopt(d->socket, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_setsockopt(d->socket, ZMQ_SNDHWM, &hwm, sizeof(hwm));
    zmq_setsockopt(d->socket, ZMQ_RCVHWM, &hwm, sizeof(hwm));
    zmq_setsockopt(d->socket, ZMQ_CURVE_SERVERKEY, g.curve, 32);
    zmq_setsockopt(d->socket, ZMQ_CURVE_PUBLICKEY, x.pk, 32);
    zmq_setsockopt(d->socket, ZMQ_CURVE_SECRETKEY, x.sk, 32);
    if (zmq_connect(d->socket, g.endpoint) != 0)
        die(g.endpoint, -HL_ESYS);
}

static void desk_start(struct desk *d, size_t i, const char *dir)
{
    char label[64], path[600];
    uint8_t seed[32];
    int rc;

    d->i = i;
    snprintf(label, sizeof(label), "%s/watch-1", g.town.poc[i]);
    town_seed(seed, label);
    rc = seckey_from_seed(&d->position, seed);
    snprintf(path, sizeof(path), "%s/keys/%s", dir, g.town.poc[i]);
    if (!rc)
        rc = subkey_ring_open(&d->ring, path, REALM, span_str(g.town.poc[i]), NULL);
    if (rc)
        die(path, rc);
    randombytes_buf(d->chain, sizeof(d->chain));
    buf_init(&d->note, CHECKPOINT_MAX);
    for (size_t k = 0; k < OPEN_MAX; k++)
        buf_init(&d->waiting[k].file, ENVELOPE_MAX);
    desk_connect(d);
}

static void greet(void)
{
    uint64_t give_up = clock_mono_us() + GIVE_UP_US;
    size_t welcome = 0;

    for (size_t i = 0; i < g.n; i++) {
        struct frame f = {
            .verb = VERB_HELLO, .proto = WIRE_PROTO, .realm = REALM, .poc = span_str(g.town.poc[i])
        };

        send_frame(&g.desk[i], &f);
    }
    while (welcome < g.n && clock_mono_us() < give_up) {
        receive(50);
        welcome = 0;
        for (size_t i = 0; i < g.n; i++)
            welcome += g.desk[i].welcome;
    }
    if (welcome < g.n)
        die("no answer to HELLO", -HL_ENOANSWER);
}

/* host.public: "host <origin> <log key>", "curve <key>", "endpoint <address>". */
static void read_host(const char *dir, struct buf *host)
{
    struct span rest, line, word, field;
    uint8_t key[32];
    char path[600];
    int rc;

    snprintf(path, sizeof(path), "%s/host.public", dir);
    rc = file_read(path, host);
    if (rc)
        die(path, rc);
    rest = buf_span(host);
    while (text_line(&rest, &line) && !rc) {
        text_field(&line, &word);
        text_field(&line, &field);
        if (span_eq_str(word, "host") && field.n < sizeof(g.origin)) {
            memcpy(g.origin, field.p, field.n);
            text_field(&line, &field);
            rc = text_unbase64_n(key, 32, field);
            if (!rc)
                rc = note_key_init(&g.log, span_str(g.origin), NOTE_ED25519, key);
        } else if (span_eq_str(word, "curve")) {
            rc = text_unbase64_n(g.curve, 32, field);
        } else if (span_eq_str(word, "endpoint") && field.n < sizeof(g.endpoint)) {
            memcpy(g.endpoint, field.p, field.n);
        }
    }
    if (rc)
        die(path, rc);
}

static void town_file(const char *dir, bool save)
{
    struct buf b;
    char path[600];
    int rc;

    snprintf(path, sizeof(path), "%s/town", dir);
    buf_init(&b, sizeof(g.town));
    if (save) {
        buf_put(&b, &g.town, sizeof(g.town));
        rc = file_publish(path, buf_span(&b), 0600);
    } else {
        rc = file_read(path, &b);
        if (!rc && b.n == sizeof(g.town))
            memcpy(&g.town, b.p, b.n);
    }
    if (rc)
        die(path, rc);
    buf_release(&b);
}

struct options {
    const char *dir;
    double rate, latency_s, throughput_s, idle_s;
    size_t window;
};

static int read_options(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        { "dir", required_argument, NULL, 'd' },
        { "pairs", required_argument, NULL, 'p' },
        { "rate", required_argument, NULL, 'r' },
        { "latency-s", required_argument, NULL, 'l' },
        { "window", required_argument, NULL, 'w' },
        { "throughput-s", required_argument, NULL, 't' },
        { "idle-s", required_argument, NULL, 'i' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    *o = (struct options){ .rate = 50, .window = 8 };
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'd')
            o->dir = optarg;
        else if (c == 'p')
            g.pairs = strtoul(optarg, NULL, 10);
        else if (c == 'r')
            o->rate = strtod(optarg, NULL);
        else if (c == 'l')
            o->latency_s = strtod(optarg, NULL);
        else if (c == 'w')
            o->window = strtoul(optarg, NULL, 10);
        else if (c == 't')
            o->throughput_s = strtod(optarg, NULL);
        else if (c == 'i')
            o->idle_s = strtod(optarg, NULL);
        else
            return -HL_EUSAGE;
    }
    return o->dir && optind == argc - 1 && g.pairs >= 1 && 2 * g.pairs <= TOWN_MAX &&
                   o->window >= 1 && o->window <= OPEN_MAX / 2 && o->rate > 0
               ? 0
               : -HL_EUSAGE;
}

int main(int argc, char **argv)
{
    struct options o;
    struct buf host;

    if (read_options(&o, argc, argv) != 0 || keys_init() != 0)
        return EXIT_USAGE;
    buf_init(&host, 65536);
    read_host(o.dir, &host);
    g.n = 2 * g.pairs;
    if (strcmp(argv[optind], "setup") == 0) {
        town_build(&g.town, o.dir, g.n, buf_span(&host));
        town_file(o.dir, true);
        buf_release(&host);
        return EXIT_DONE;
    }
    town_file(o.dir, false);
    g.desk = calloc(g.n, sizeof(*g.desk));
    g.delivered = calloc(SAMPLES_MAX, 4);
    g.receipt = calloc(SAMPLES_MAX, 4);
    g.done = calloc(SAMPLES_MAX, 4);
    g.hedge = secret_random(32);
    g.zmq = zmq_ctx_new();
    if (!g.desk || !g.delivered || !g.receipt || !g.done || !g.hedge || !g.zmq)
        die("start", -HL_ENOMEM);
    for (size_t i = 0; i < g.n; i++)
        desk_start(&g.desk[i], i, o.dir);
    greet();
    if (o.idle_s > 0)
        phase_idle(o.idle_s);
    if (o.latency_s > 0)
        phase_latency(o.rate, o.latency_s);
    if (o.throughput_s > 0)
        phase_throughput(o.window, o.throughput_s);
    return EXIT_DONE;
}
