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
#include "common/tlog/checkpoint.h"
#include "common/wire.h"
#include "keys/open.h"
#include "tests/bench/post.h"

#define OPEN_MAX 64 /* envelopes of one desk that wait for their receipt */
#define SAMPLES_MAX 400000
#define GIVE_UP_US 20000000
#define TEXT 84 /* bytes */

/* What was submitted and waits for RECORDED. */
struct waiting {
    uint64_t tag, sent_us; /* tag 0: free */
    bool step;
    struct buf file;
};

struct desk {
    size_t i; /* the PoC's number */
    struct post post;
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
    size_t n, pairs;
    struct desk *desk;
    struct flight flight[FLIGHTS];
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
    if (!post_send(&d->post, f))
        die("send", -HL_ESYS);
}

static struct waiting *waiting_by_tag(struct desk *d, uint64_t tag)
{
    for (size_t k = 0; k < OPEN_MAX; k++)
        if (d->waiting[k].tag == tag)
            return &d->waiting[k];
    return NULL;
}

static void submit(struct desk *d, struct post_letter *l)
{
    static struct envelope env;
    static struct frame f;
    static struct buf front;
    struct waiting *w = waiting_by_tag(d, 0);

    if (!w)
        die("too many open", -HL_EQUOTA);
    if (!front.max)
        buf_init(&front, ENVELOPE_FRONT_MAX);
    l->precedence = PRECEDENCE_IMMEDIATE;
    l->seq = ++d->seq;
    l->chain = d->chain;
    buf_clear(&w->file);
    post_seal(&d->post, l, &w->file);
    if (envelope_decode(&env, POST_REALM, buf_span(&w->file)) != 0)
        die("own envelope", -HL_EFORMAT);
    post_submit(&f, &front, &env, ++d->tag, false);
    if (!l->ack) {
        flight_new(env.mid);
        d->open++;
    }
    w->tag = d->tag;
    w->step = l->ack != NULL;
    w->sent_us = clock_mono_us();
    send_frame(d, &f);
}

static void send_message(struct desk *d, const struct desk *to)
{
    submit(d, &(struct post_letter){ .to = to->i, .text = TEXT });
}

static void send_ack(struct desk *d, const struct envelope *target)
{
    submit(d, &(struct post_letter){ .to = d->i ^ 1, .ack = target->mid });
}

/* ---- receiving ---- */

static void on_checkpoint(struct desk *d, struct span bytes)
{
    static struct note note;
    struct checkpoint cp;

    if (!bytes.n || span_eq(bytes, buf_span(&d->note)))
        return;
    if (checkpoint_open(&cp, &note, bytes, &d->post.log) != 0)
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
    static struct buf opening;
    struct waiting *w = waiting_by_tag(d, f->tag);
    struct flight *fl;

    if (!w || !f->tag)
        die("an unexpected receipt", -HL_EFORMAT);
    if (!opening.max)
        buf_init(&opening, RECORD_SALT + RECORD_MAX);
    buf_clear(&opening);
    if (envelope_decode(&env, POST_REALM, buf_span(&w->file)) != 0)
        die("own envelope", -HL_EFORMAT);
    if (post_receipt(f, &env, &d->head, &opening) != 0)
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

    if (envelope_decode_front(&env, POST_REALM, f->front) != 0 ||
        envelope_set_body(&env, f->body) != 0)
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
    if (open_envelope(&env, post_name(&d->post, d->i), d->post.ring, NULL, &opened) != 0)
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
        item[i] = (zmq_pollitem_t){ g.desk[i].post.socket, 0, ZMQ_POLLIN, 0 };
    if (zmq_poll(item, (int)g.n, wait_ms) <= 0)
        return;
    for (size_t i = 0; i < g.n; i++) {
        for (int k = 0; k < 32 && (item[i].revents & ZMQ_POLLIN); k++) {
            int n = zmq_recv(g.desk[i].post.socket, bytes, sizeof(bytes), ZMQ_DONTWAIT);

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

static void desk_start(struct desk *d, size_t i, const char *dir)
{
    d->i = i;
    post_open(&d->post, g.zmq, dir, i, NULL);
    randombytes_buf(d->chain, sizeof(d->chain));
    buf_init(&d->note, CHECKPOINT_MAX);
    for (size_t k = 0; k < OPEN_MAX; k++)
        buf_init(&d->waiting[k].file, ENVELOPE_MAX);
    post_connect(&d->post, true);
}

static void greet(void)
{
    uint64_t give_up = clock_mono_us() + GIVE_UP_US;
    size_t welcome = 0;

    for (size_t i = 0; i < g.n; i++)
        post_hello(&g.desk[i].post, 0, SPAN_NONE);
    while (welcome < g.n && clock_mono_us() < give_up) {
        receive(50);
        welcome = 0;
        for (size_t i = 0; i < g.n; i++)
            welcome += g.desk[i].welcome;
    }
    if (welcome < g.n)
        die("no answer to HELLO", -HL_ENOANSWER);
}

/* The documents of everybody, for the broker's folder, and what post_open() needs. */
static void setup(const char *dir)
{
    static struct town town;
    struct buf b;
    char path[600];
    int rc;

    buf_init(&b, 65536);
    snprintf(path, sizeof(path), "%s/host.public", dir);
    rc = file_read(path, &b);
    if (!rc) {
        town_build(&town, dir, g.n, buf_span(&b));
        snprintf(path, sizeof(path), "%s/town", dir);
        rc = file_publish(path, SPAN(&town, sizeof(town)), 0600);
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

    if (read_options(&o, argc, argv) != 0 || keys_init() != 0)
        return EXIT_USAGE;
    g.n = 2 * g.pairs;
    if (strcmp(argv[optind], "setup") == 0) {
        setup(o.dir);
        return EXIT_DONE;
    }
    g.desk = calloc(g.n, sizeof(*g.desk));
    g.delivered = calloc(SAMPLES_MAX, 4);
    g.receipt = calloc(SAMPLES_MAX, 4);
    g.done = calloc(SAMPLES_MAX, 4);
    g.zmq = zmq_ctx_new();
    if (!g.desk || !g.delivered || !g.receipt || !g.done || !g.zmq)
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
