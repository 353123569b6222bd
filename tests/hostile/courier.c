/*
 * The courier: a PoC that keeps the promises of a client, so that a test can tell when a broker
 * breaks its own.  Two of them write to each other until told to stop, through whatever happens to
 * the broker meanwhile.
 *
 *   courier --dir DIR --poc I --peer J --state FOLDER --peer-state FOLDER --rate R
 *           [--messages N | --until FILE] [--alone N] [--seconds S] [--expect E-CODE] [--transport
 * NAME]
 *
 * What it signs is on disk before its first byte leaves (out/), and is submitted again until its
 * receipt verifies (receipts/).  What it receives it acts on once (acts) and acknowledges.  Ends
 * with 0 when both have everything: their messages recorded, acknowledged and the
 * acknowledgements recorded (--alone N: when its own are recorded or refused, and it has acted N
 * times); with 1 when the time is over or the broker broke a promise:
 *   - a receipt that does not lead to the signed root, or a second entry of one envelope
 *   - a checkpoint smaller than one that was held
 *   - a message delivered again after its acknowledgement was recorded
 *   - a refusal of what is right
 */
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
#include "common/tlog/proof.h"
#include "keys/open.h"
#include "tests/bench/post.h"

#define ITEMS_MAX 8192
#define OPEN_MAX 8
#define INCOMING_MAX 8
#define PING_MS 200
#define SILENCE_MS 800
#define RETRY_MS 200
#define TEXT_SMALL 200
#define TEXT_MIDDLE 40000 /* a bucket of 64 KiB: it goes in chunks */
#define TEXT_LARGE 200000

/* Something signed: on disk, and submitted until it is recorded. */
struct item {
    struct buf file;
    struct envelope *env; /* borrows from file */
    uint64_t tag, sent;   /* on this connection, 0: not submitted; stream bytes sent */
    uint64_t retry_ms, index;
    bool tried, recorded, acknowledged, refused;
};

/* A delivery in pieces. */
struct incoming {
    uint64_t tag, index, flags, front_len;
    bool stale; /* its acknowledgement was recorded before it began */
    struct buf stream;
};

static struct {
    struct post post;
    size_t peer;
    const char *state, *peer_state, *until, *transport;
    double rate;
    uint64_t messages, end_ms;
    int expect;
    bool alone;
    size_t want_acts; /* alone */
    uint8_t chain[16];
    struct item item[ITEMS_MAX];
    size_t n, n_messages, open;
    uint8_t (*act)[32];
    size_t n_acts;
    FILE *acts;
    struct incoming in[INCOMING_MAX];
    struct buf note;
    struct checkpoint head;
    uint64_t tag, first_tag,
        cursor; /* first_tag: since the last HELLO; events below cursor were seen */
    bool greeting, greeted, stopping, done;
    uint64_t heard_ms, pinged_ms, next_ms;
    uint64_t connects, again, refusals, failures;
} g;

static void failure(const char *what, uint64_t n)
{
    fprintf(stderr, "courier %s: %s (%llu)\n", g.post.town.poc[g.post.i], what,
            (unsigned long long)n);
    g.failures++;
}

/* ---- on disk ---- */

static void item_path(char path[static 600], const char *folder, size_t seq, const char *suffix)
{
    snprintf(path, 600, "%.400s/%s/%06zu.%s", g.state, folder, seq, suffix);
}

static void put_file(const char *path, struct span bytes)
{
    int rc = file_publish(path, bytes, 0600);

    if (rc)
        post_die(path, rc);
}

static struct item *item_add(void)
{
    struct item *it = &g.item[g.n++];

    if (g.n > ITEMS_MAX)
        post_die("too many items", -HL_EQUOTA);
    buf_init(&it->file, ENVELOPE_MAX);
    it->env = malloc(sizeof(*it->env));
    return it;
}

static void item_decode(struct item *it)
{
    int rc = envelope_decode(it->env, POST_REALM, buf_span(&it->file));

    if (rc)
        post_die("own envelope", rc);
    g.n_messages += !kind_is_step(it->env->header.kind);
}

/* Signed, stored, then sent: in this order. */
static void item_new(struct post_letter *l)
{
    struct item *it = item_add();
    char path[600];

    l->to = g.peer;
    l->seq = g.n;
    l->chain = g.chain;
    post_seal(&g.post, l, &it->file);
    item_path(path, "out", g.n, "envelope");
    put_file(path, buf_span(&it->file));
    item_decode(it);
}

static void load_items(void)
{
    char path[600];

    for (;;) {
        struct item *it = item_add();

        item_path(path, "out", g.n, "envelope");
        if (file_read(path, &it->file) != 0)
            break;
        item_decode(it);
        it->tried = true;
        item_path(path, "receipts", g.n, "tlog-proof");
        it->recorded = access(path, F_OK) == 0;
        it->index = UINT64_MAX;
    }
    g.n--; /* that one does not exist */
    buf_release(&g.item[g.n].file);
    free(g.item[g.n].env);
}

static bool acted(const uint8_t mid[static 32])
{
    for (size_t i = g.n_acts; i > 0; i--)
        if (memcmp(g.act[i - 1], mid, 32) == 0)
            return true;
    return false;
}

static const struct item *ack_of(const uint8_t mid[static 32])
{
    for (size_t i = g.n; i > 0; i--)
        if (kind_is_step(g.item[i - 1].env->header.kind) &&
            memcmp(g.item[i - 1].env->header.ref[0], mid, 32) == 0)
            return &g.item[i - 1];
    return NULL;
}

static void load_acts(void)
{
    struct buf b;
    struct span rest, line;
    char path[600];

    snprintf(path, sizeof(path), "%.500s/acts", g.state);
    buf_init(&b, ITEMS_MAX * 65);
    if (file_read(path, &b) != 0)
        buf_clear(&b);
    rest = buf_span(&b);
    while (text_line(&rest, &line) && text_unhex(g.act[g.n_acts], 32, line) == 0)
        g.n_acts++;
    buf_release(&b);
    g.acts = fopen(path, "a");
    for (size_t i = 0; i < g.n_acts; i++) /* killed between the act and its acknowledgement */
        if (!ack_of(g.act[i]))
            item_new(&(struct post_letter){ .precedence = PRECEDENCE_IMMEDIATE, .ack = g.act[i] });
}

static void load_chain(void)
{
    struct note *note = malloc(sizeof(*note));
    struct buf b;
    char path[600];

    buf_init(&b, 16);
    snprintf(path, sizeof(path), "%.500s/chain", g.state);
    if (file_read(path, &b) != 0) {
        randombytes_buf(g.chain, 16);
        put_file(path, SPAN(g.chain, 16));
    } else {
        memcpy(g.chain, b.p, 16);
    }
    buf_release(&b);
    snprintf(path, sizeof(path), "%.500s/checkpoint", g.state);
    if (file_read(path, &g.note) != 0)
        buf_clear(&g.note);
    else if (checkpoint_open(&g.head, note, buf_span(&g.note), &g.post.log) != 0)
        post_die(path, -HL_EFORMAT);
    free(note);
}

static void load_state(void)
{
    static const char *const folder[] = { "", "/out", "/receipts" };
    char path[600];

    for (size_t i = 0; i < COUNT(folder); i++) {
        snprintf(path, sizeof(path), "%.500s%s", g.state, folder[i]);
        if (file_mkdir(path, 0700) != 0)
            post_die(path, -HL_ESYS);
    }
    load_chain();
    load_items();
    load_acts();
}

/* ---- sending ---- */

static void again_after(struct item *it)
{
    g.open -= it->tag != 0;
    it->tag = 0;
    it->retry_ms = clock_mono_ms() + RETRY_MS;
}

static void connection_lost(void)
{
    for (size_t i = 0; i < g.n; i++)
        g.item[i].tag = 0;
    g.open = 0;
    for (size_t i = 0; i < INCOMING_MAX; i++)
        buf_release(&g.in[i].stream);
    memset(g.in, 0, sizeof(g.in));
    g.greeted = false;
}

static void greet(void)
{
    connection_lost();
    g.first_tag = g.tag + 1;
    g.greeting = true;
    g.heard_ms = clock_mono_ms();
    g.connects++;
    post_hello(&g.post, g.cursor, buf_span(&g.note));
}

static void submit(struct item *it)
{
    struct frame *f = malloc(sizeof(*f));
    struct buf front;

    buf_init(&front, ENVELOPE_FRONT_MAX);
    post_submit(f, &front, it->env, ++g.tag, it->tried);
    if (post_send(&g.post, f)) {
        it->tag = g.tag;
        it->sent = front.n + f->body.n;
        it->tried = true;
        g.open++;
    }
    buf_release(&front);
    free(f);
}

static void submit_due(void)
{
    uint64_t now = clock_mono_ms();

    for (size_t i = 0; i < g.n && g.greeted && g.open < OPEN_MAX; i++)
        if (!g.item[i].recorded && !g.item[i].refused && !g.item[i].tag &&
            now >= g.item[i].retry_ms)
            submit(&g.item[i]);
}

/* After each connect one old envelope is submitted again: it must get its old entry. */
static void submit_old(void)
{
    size_t i = g.n ? randombytes_uniform((uint32_t)g.n) : 0;

    if (i < g.n && g.item[i].recorded)
        submit(&g.item[i]);
}

static void write_new(void)
{
    static const size_t text[] = { TEXT_SMALL, TEXT_SMALL, TEXT_SMALL, TEXT_MIDDLE, TEXT_SMALL,
                                   TEXT_SMALL, TEXT_SMALL, TEXT_SMALL, TEXT_LARGE,  TEXT_SMALL };
    struct post_letter l = { .text = text[g.n_messages % COUNT(text)] };
    uint64_t now = clock_mono_ms();

    g.stopping = g.stopping || (g.until && access(g.until, F_OK) == 0) ||
                 (g.messages && g.n_messages >= g.messages);
    if (g.stopping || now < g.next_ms || g.n + 2 > ITEMS_MAX / 2)
        return;
    g.next_ms = now + (uint64_t)(1000 / g.rate);
    l.precedence = l.text == TEXT_SMALL ? (unsigned)(g.n_messages % 4) : PRECEDENCE_ROUTINE;
    item_new(&l);
}

/* ---- receiving: what was submitted ---- */

static struct item *item_of_tag(uint64_t tag)
{
    for (size_t i = g.n; tag && i > 0; i--)
        if (g.item[i - 1].tag == tag)
            return &g.item[i - 1];
    return NULL;
}

static void on_checkpoint(struct span bytes)
{
    struct note *note = malloc(sizeof(*note));
    struct checkpoint cp;
    char path[600];

    snprintf(path, sizeof(path), "%.500s/checkpoint", g.state);
    if (bytes.n == 0 && g.note.n)
        failure("the log forgot its checkpoint", g.head.size);
    else if (bytes.n && checkpoint_open(&cp, note, bytes, &g.post.log) != 0)
        failure("a checkpoint that the log did not sign", bytes.n);
    else if (bytes.n && cp.size < g.head.size)
        failure("the log is smaller than it was", cp.size);
    else if (bytes.n && !span_eq(bytes, buf_span(&g.note))) {
        buf_clear(&g.note);
        buf_put_span(&g.note, bytes);
        put_file(path, bytes);
        g.head = cp;
    }
    free(note);
}

static void keep_receipt(struct item *it, const struct frame *f, struct span opening)
{
    struct buf proof;
    char path[600];

    buf_init(&proof, PROOF_MAX);
    if (proof_put(&proof, opening, f->index, HASHES(f->path), f->n_path, buf_span(&g.note)) != 0)
        post_die("receipt", proof.bad);
    item_path(path, "receipts", (size_t)(it - g.item) + 1, "tlog-proof");
    put_file(path, buf_span(&proof));
    buf_release(&proof);
}

static void on_recorded(const struct frame *f)
{
    struct item *it = item_of_tag(f->tag);
    struct buf opening;

    if (!it) { /* of a stream before the last HELLO, perhaps */
        if (f->tag >= g.first_tag)
            failure("a receipt of nothing", f->tag);
        return;
    }
    buf_init(&opening, RECORD_SALT + RECORD_MAX);
    if (post_receipt(f, it->env, &g.head, &opening) != 0)
        failure("a receipt that does not lead to the root", f->index);
    else if (it->recorded && it->index != UINT64_MAX && it->index != f->index)
        failure("recorded a second time", f->index);
    else if (!it->recorded)
        keep_receipt(it, f, buf_span(&opening));
    it->recorded = true;
    it->index = f->index;
    it->tag = 0;
    g.open--;
    buf_release(&opening);
}

static void on_got(const struct frame *f)
{
    struct item *it = item_of_tag(f->tag);
    struct frame chunk = { .verb = VERB_CHUNK, .tag = f->tag };
    struct buf front;
    uint64_t at;

    if (!it)
        return;
    buf_init(&front, ENVELOPE_FRONT_MAX);
    envelope_put_front(&front, it->env);
    at = it->sent > f->offset ? it->sent : f->offset;
    while (at >= front.n && at < front.n + it->env->body.n && at < f->offset + WIRE_WINDOW) {
        size_t left = (size_t)(front.n + it->env->body.n - at);

        chunk.offset = at;
        chunk.bytes = SPAN(it->env->body.p + (at - front.n), left < WIRE_CHUNK ? left : WIRE_CHUNK);
        if (!post_send(&g.post, &chunk))
            break;
        at += chunk.bytes.n;
    }
    it->sent = at;
    buf_release(&front);
}

static void on_refused(const struct frame *f)
{
    static const int passing[] = { HL_EBUSY, HL_EQUOTA, HL_ESPACE, HL_EBROKER, HL_ESTATE };
    struct item *it = item_of_tag(f->tag);
    bool passes = false;

    g.refusals++;
    for (size_t i = 0; i < COUNT(passing); i++)
        passes = passes || f->code == (uint64_t)passing[i];
    if (f->tag == 0 && f->code == HL_ESTATE) {
        if (!g.greeting)
            greet(); /* the broker is another process than before */
    } else if (it && f->code == (uint64_t)g.expect) {
        again_after(it);
        it->refused = true;
    } else if (it && passes) {
        again_after(it);
    } else if (!passes) {
        fprintf(stderr, "courier: refused: %s: %.*s\n", error_name((int)f->code),
                (int)f->sentence.n, (const char *)f->sentence.p);
        failure("refused", f->code);
        if (it)
            again_after(it);
    }
}

/* ---- receiving: what others sent ---- */

static void act(const struct envelope *env)
{
    struct opened opened;
    char hex[65];
    int rc = open_envelope(env, post_name(&g.post, g.post.i), g.post.ring, NULL, &opened);

    if (rc) {
        failure("a message that does not open", env->stamp.seq);
        return;
    }
    opened_release(&opened);
    text_hex(hex, env->mid, 32);
    fprintf(g.acts, "%s\n", hex);
    if (fflush(g.acts) != 0 || fdatasync(fileno(g.acts)) != 0)
        post_die("acts", -HL_ESYS);
    memcpy(g.act[g.n_acts++], env->mid, 32);
    item_new(&(struct post_letter){ .precedence = PRECEDENCE_IMMEDIATE, .ack = env->mid });
}

static void on_message(const struct envelope *env, bool stale)
{
    g.again += acted(env->mid);
    if (!acted(env->mid))
        act(env);
    else if (stale)
        failure("delivered again after its acknowledgement was recorded", env->stamp.seq);
}

static bool is_stale(struct span front)
{
    struct envelope *env = malloc(sizeof(*env));
    const struct item *ack = NULL;

    if (envelope_decode_front(env, POST_REALM, front) == 0)
        ack = ack_of(env->mid);
    free(env);
    return ack && ack->recorded;
}

static void on_step(const struct envelope *env)
{
    for (size_t i = 0; i < g.n; i++)
        if (memcmp(g.item[i].env->mid, env->header.ref[0], 32) == 0)
            g.item[i].acknowledged = true;
}

static void on_envelope(const struct incoming *in)
{
    struct envelope *env = malloc(sizeof(*env));
    struct span front = SPAN(in->stream.p, in->front_len);
    int rc = envelope_decode_front(env, POST_REALM, front);

    if (!rc)
        rc = envelope_set_body(env,
                               SPAN(in->stream.p + in->front_len, in->stream.n - in->front_len));
    if (!rc)
        rc = envelope_verify(env);
    if (rc)
        failure("a delivery that does not verify", in->index);
    else if (kind_is_step(env->header.kind))
        on_step(env);
    else
        on_message(env, in->stale);
    if (in->flags & DELIVER_EVENT && in->index >= g.cursor)
        g.cursor = in->index + 1;
    free(env);
}

static bool incoming_whole(const struct incoming *in)
{
    struct envelope *env;
    bool whole = false;

    if (in->stream.n < in->front_len)
        return false;
    env = malloc(sizeof(*env));
    if (envelope_decode_front(env, POST_REALM, SPAN(in->stream.p, in->front_len)) != 0)
        failure("a delivery that cannot be read", in->index);
    else
        whole = in->stream.n == in->front_len + env->body_len;
    free(env);
    return whole;
}

static void incoming_more(struct incoming *in, struct span a, struct span b)
{
    struct frame got = { .verb = VERB_GOT, .tag = in->tag };

    buf_put_span(&in->stream, a);
    buf_put_span(&in->stream, b);
    got.offset = in->stream.n;
    post_send(&g.post, &got);
    if (!incoming_whole(in))
        return;
    on_envelope(in);
    buf_release(&in->stream);
    in->tag = 0;
}

static struct incoming *incoming_of(uint64_t tag)
{
    for (size_t i = 0; i < INCOMING_MAX; i++)
        if (g.in[i].tag == tag)
            return &g.in[i];
    return NULL;
}

static void on_deliver(const struct frame *f)
{
    struct incoming *in = incoming_of(0);

    if (!in) {
        failure("more deliveries at once than the window allows", f->tag);
        return;
    }
    *in = (struct incoming){ .tag = f->tag,
                             .index = f->index,
                             .flags = f->flags,
                             .front_len = f->front_len,
                             .stale = is_stale(f->front) };
    buf_init(&in->stream, ENVELOPE_MAX + ENVELOPE_FRONT_MAX);
    incoming_more(in, f->front, f->body);
}

static void on_chunk(const struct frame *f)
{
    struct incoming *in = incoming_of(f->tag);

    if (in && f->offset == in->stream.n)
        incoming_more(in, f->bytes, SPAN_NONE);
    else
        failure("a chunk of nothing", f->tag);
}

static void on_frame(struct span bytes)
{
    static struct frame f;

    g.heard_ms = clock_mono_ms();
    if (frame_decode(&f, bytes) != 0) {
        failure("a frame that cannot be read", bytes.n);
    } else if (f.verb == VERB_WELCOME) {
        g.greeted = true;
        g.greeting = false;
        on_checkpoint(f.note);
        submit_old();
    } else if (f.verb == VERB_CHECKPOINT) {
        on_checkpoint(f.note);
    } else if (f.verb == VERB_RECORDED) {
        on_recorded(&f);
    } else if (f.verb == VERB_GOT) {
        on_got(&f);
    } else if (f.verb == VERB_REFUSED) {
        on_refused(&f);
    } else if (f.verb == VERB_DELIVER) {
        on_deliver(&f);
    } else if (f.verb == VERB_CHUNK) {
        on_chunk(&f);
    } else if (f.verb == VERB_OPENING && f.index >= g.cursor) {
        g.cursor = f.index + 1;
    }
}

/* ---- the loop ---- */

static void keep_alive(void)
{
    uint64_t now = clock_mono_ms();
    struct frame ping = { .verb = VERB_PING, .tag = now };

    if (now - g.heard_ms > SILENCE_MS) {
        post_connect(&g.post, true);
        greet();
    } else if (now - g.heard_ms > PING_MS && now - g.pinged_ms > PING_MS && g.greeted) {
        g.pinged_ms = now;
        post_send(&g.post, &ping);
    }
}

static size_t missing(bool acknowledgements)
{
    size_t n = 0;

    for (size_t i = 0; i < g.n; i++)
        n += !g.item[i].refused &&
             (!g.item[i].recorded || (acknowledgements && !g.item[i].acknowledged &&
                                      !kind_is_step(g.item[i].env->header.kind)));
    return n;
}

static void print_missing(void)
{
    for (size_t i = 0, said = 0; i < g.n && said < 10; i++) {
        const struct item *it = &g.item[i];
        bool step = kind_is_step(it->env->header.kind);

        if (it->refused || (it->recorded && (step || it->acknowledged)))
            continue;
        fprintf(stderr, "courier: %s %zu: %s, %s; tag %llu, %llu of %zu body bytes\n",
                step ? "acknowledgement" : "message", i + 1,
                it->recorded ? "recorded" : "not recorded",
                it->acknowledged ? "acknowledged" : "not acknowledged", (unsigned long long)it->tag,
                (unsigned long long)it->sent, it->env->body.n);
        said++;
    }
}

static bool complete(void)
{
    char path[600];

    if (g.alone)
        return g.stopping && missing(false) == 0 && g.n_acts >= g.want_acts;
    if (g.stopping && !g.done && missing(true) == 0) {
        snprintf(path, sizeof(path), "%.500s/done", g.state);
        put_file(path, SPAN("done\n", 5));
        g.done = true;
    }
    snprintf(path, sizeof(path), "%.500s/done", g.peer_state);
    return g.done && missing(true) == 0 && access(path, F_OK) == 0;
}

static int run(void)
{
    struct span bytes;

    post_connect(&g.post, true);
    greet();
    while (!complete() && clock_mono_ms() < g.end_ms) {
        write_new();
        submit_due();
        for (int i = 0; i < 64 && post_receive(&g.post, i ? 0 : 5, &bytes); i++)
            on_frame(bytes);
        keep_alive();
    }
    print_missing();
    printf("{\"poc\":\"%s\",\"messages\":%zu,\"acts\":%zu,\"entries\":%zu,\"missing\":%zu,"
           "\"delivered_again\":%llu,\"connects\":%llu,\"refusals\":%llu,\"failures\":%llu}\n",
           g.post.town.poc[g.post.i], g.n_messages, g.n_acts, g.n, missing(true),
           (unsigned long long)g.again, (unsigned long long)g.connects,
           (unsigned long long)g.refusals, (unsigned long long)g.failures);
    return complete() && g.failures == 0 ? EXIT_DONE : EXIT_FAILED_OTHER;
}

static int options(int argc, char **argv, const char **dir, size_t *poc)
{
    static const struct option longs[] = { { "dir", required_argument, NULL, 'd' },
                                           { "poc", required_argument, NULL, 'i' },
                                           { "transport", required_argument, NULL, 'T' },
                                           { "peer", required_argument, NULL, 'j' },
                                           { "state", required_argument, NULL, 's' },
                                           { "peer-state", required_argument, NULL, 't' },
                                           { "rate", required_argument, NULL, 'r' },
                                           { "messages", required_argument, NULL, 'n' },
                                           { "until", required_argument, NULL, 'u' },
                                           { "seconds", required_argument, NULL, 'e' },
                                           { "expect", required_argument, NULL, 'x' },
                                           { "alone", required_argument, NULL, 'a' },
                                           { NULL, 0, NULL, 0 } };
    double seconds = 60;
    int c;

    g.rate = 20;
    *poc = SIZE_MAX;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'd')
            *dir = optarg;
        else if (c == 'T')
            g.transport = optarg;
        else if (c == 'i')
            *poc = strtoul(optarg, NULL, 10);
        else if (c == 'j')
            g.peer = strtoul(optarg, NULL, 10);
        else if (c == 's')
            g.state = optarg;
        else if (c == 't')
            g.peer_state = optarg;
        else if (c == 'r')
            g.rate = strtod(optarg, NULL);
        else if (c == 'n')
            g.messages = strtoul(optarg, NULL, 10);
        else if (c == 'u')
            g.until = optarg;
        else if (c == 'e')
            seconds = strtod(optarg, NULL);
        else if (c == 'a')
            g.alone = true, g.want_acts = strtoul(optarg, NULL, 10);
        else if (c == 'x')
            g.expect = error_by_name(optarg);
        else
            return -HL_EUSAGE;
    }
    g.end_ms = clock_mono_ms() + (uint64_t)(seconds * 1000);
    return *dir && *poc != SIZE_MAX && g.state && g.peer_state && g.rate > 0 ? 0 : -HL_EUSAGE;
}

int main(int argc, char **argv)
{
    const char *dir = NULL;
    size_t poc;

    if (options(argc, argv, &dir, &poc) != 0) {
        fputs("usage: courier --dir DIR --poc I --peer J --state FOLDER --peer-state FOLDER ...\n",
              stderr);
        return EXIT_USAGE;
    }
    post_open(&g.post, zmq_ctx_new(), dir, poc, g.transport);
    buf_init(&g.note, CHECKPOINT_MAX);
    g.act = calloc(ITEMS_MAX, 32);
    load_state();
    return run();
}
