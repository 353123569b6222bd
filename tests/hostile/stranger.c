/*
 * The stranger: a peer that keeps no promise, one way of it a run.
 *
 *   stranger --dir DIR --poc I [--unknown] [--count N] [--seconds S] WAY
 *
 * With the transport key of PoC I, or with one that no card lists.  Whatever it signs is signed by
 * a key that no card lists either, but for the ways "chunks" and "uploads", which are a member's.
 * Prints what came back:
 * {"way":..,"sent":..,"back":..,"refused":{"E-FORMAT":..}}.  Ends with 1 when a peer with an
 * unknown key got an answer, or an answer that the way demands did not come.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/error.h"
#include "tests/bench/post.h"

static struct {
    struct post post;
    bool unknown;
    unsigned long count;
    double seconds;
    uint64_t end_ms, sent, back, refused[HL_EMAX + 1];
    uint8_t chain[16];
} g;

static bool over(void)
{
    return clock_mono_ms() >= g.end_ms;
}

static void pause_ms(long ms)
{
    zmq_poll(NULL, 0, ms);
}

/* ---- what comes back ---- */

static void take(struct span bytes)
{
    static struct frame f;

    g.back++;
    if (frame_decode(&f, bytes) != 0) {
        fprintf(stderr, "stranger: a broker's frame that cannot be read\n");
        exit(EXIT_FAILED_OTHER);
    }
    if (f.verb == VERB_REFUSED && f.code <= HL_EMAX)
        g.refused[f.code]++;
}

static void drain(long wait_ms)
{
    struct span bytes;

    while (post_receive(&g.post, wait_ms, &bytes))
        take(bytes);
}

static void send_bytes(struct span bytes)
{
    uint64_t give_up = clock_mono_ms() + 2000;

    while (!post_send_bytes(&g.post, bytes)) {
        if (clock_mono_ms() > give_up)
            return; /* it blocks us: its right */
        drain(0);
        pause_ms(1);
    }
    g.sent++;
    drain(0);
}

static void send_frame(const struct frame *f)
{
    struct buf b;

    buf_init(&b, 2 * WIRE_FRAME_MAX);
    if (frame_put(&b, f) != 0)
        post_die("a frame", b.bad);
    send_bytes(buf_span(&b));
    buf_release(&b);
}

/* Greeted, or (unknown key) as good as. */
static void start(bool hello)
{
    struct span bytes;

    post_connect(&g.post, !g.unknown);
    if (!hello)
        return;
    post_hello(&g.post, 0, SPAN_NONE);
    if (post_receive(&g.post, g.unknown ? 300 : 5000, &bytes))
        take(bytes);
    else if (!g.unknown)
        post_die("no WELCOME", -HL_ENOANSWER);
}

static int want(int code, uint64_t at_least)
{
    if (g.unknown || g.refused[code] >= at_least)
        return 0;
    fprintf(stderr, "stranger: %llu of %llu times %s\n", (unsigned long long)g.refused[code],
            (unsigned long long)at_least, error_name(code));
    return 1;
}

/* Does the broker still answer this connection? */
static int still_there(void)
{
    struct frame ping = { .verb = VERB_PING, .tag = 7 };
    uint64_t before;

    if (g.unknown)
        return 0;
    drain(200);
    before = g.back;
    send_frame(&ping);
    drain(2000);
    if (g.back == before)
        fprintf(stderr, "stranger: the broker does not answer any more\n");
    return g.back == before;
}

/* ---- envelopes ---- */

struct letter {
    struct buf file, front;
    struct envelope *env;
    struct frame submit;
};

static void letter_make(struct letter *l, uint64_t seq, size_t text, uint64_t tag)
{
    const struct post_letter p = {
        .to = 0, .precedence = PRECEDENCE_ROUTINE, .seq = seq, .chain = g.chain, .text = text
    };

    buf_init(&l->file, ENVELOPE_MAX);
    buf_init(&l->front, ENVELOPE_FRONT_MAX);
    l->env = malloc(sizeof(*l->env));
    post_seal(&g.post, &p, &l->file);
    if (envelope_decode(l->env, POST_REALM, buf_span(&l->file)) != 0)
        post_die("own envelope", -HL_EFORMAT);
    post_submit(&l->submit, &l->front, l->env, tag, false);
}

static void letter_release(struct letter *l)
{
    buf_release(&l->file);
    buf_release(&l->front);
    free(l->env);
}

/* A key that stands in no card signs from now on. */
static void unlisted_key(void)
{
    uint8_t seed[32];

    randombytes_buf(seed, sizeof(seed));
    seckey_free(g.post.position);
    if (seckey_from_seed(&g.post.position, seed) != 0)
        post_die("key", -HL_ENOMEM);
}

/* ---- ways: frames ---- */

static int way_random(void)
{
    uint8_t bytes[4096];

    start(true);
    for (unsigned long i = 0; i < g.count && !over(); i++) {
        size_t n = randombytes_uniform(sizeof(bytes));

        randombytes_buf(bytes, n);
        send_bytes(SPAN(bytes, n));
    }
    return still_there() || want(HL_EFORMAT, 1);
}

/* One of every verb, both directions, with fields that would do. */
static void sample_frame(struct frame *f, unsigned verb, struct letter *l)
{
    *f = (struct frame){ .verb = (enum wire_verb)verb,
                         .tag = 1 + randombytes_uniform(4),
                         .proto = WIRE_PROTO,
                         .realm = POST_REALM,
                         .poc = post_name(&g.post, g.post.i),
                         .origin = span_str(g.post.origin),
                         .front_len = l->front.n,
                         .front = buf_span(&l->front),
                         .body = l->env->body,
                         .bytes = l->env->body,
                         .note = SPAN("hotline/1 exercise card\nparty p0\n", 33),
                         .what = 1 + randombytes_uniform(8),
                         .b = 1 + randombytes_uniform(300),
                         .offset = randombytes_uniform(70000),
                         .status = 200 };
    if (verb == VERB_SUBMIT)
        *f = l->submit;
}

static void mutate(struct buf *b)
{
    unsigned times = 1 + randombytes_uniform(4);

    for (unsigned i = 0; i < times && b->n; i++) {
        size_t at = randombytes_uniform((uint32_t)(randombytes_uniform(2) ? b->n
                                                   : b->n < 64            ? b->n
                                                                          : 64));

        switch (randombytes_uniform(4)) {
        case 0:
            b->p[at] ^= (uint8_t)(1u << randombytes_uniform(8));
            break;
        case 1:
            b->p[at] = (uint8_t)randombytes_uniform(256);
            break;
        case 2:
            b->n = at;
            break;
        default:
            buf_put_u8(b, (uint8_t)randombytes_uniform(256));
        }
    }
}

static int way_mutate(void)
{
    struct letter l;
    struct frame *f = calloc(1, sizeof(*f));
    struct buf b;

    unlisted_key();
    letter_make(&l, 1, 100, 1);
    buf_init(&b, 2 * WIRE_FRAME_MAX);
    start(true);
    for (unsigned long i = 0; i < g.count && !over(); i++) {
        unsigned verb = 1 + randombytes_uniform(VERB_OPENING);

        if (verb > VERB_PONG && verb < VERB_WELCOME)
            verb = VERB_SUBMIT;
        buf_clear(&b);
        sample_frame(f, verb, &l);
        if (frame_put(&b, f) == 0 && randombytes_uniform(8))
            mutate(&b);
        send_bytes(buf_span(&b));
    }
    buf_release(&b);
    letter_release(&l);
    free(f);
    post_hello(&g.post, 0, SPAN_NONE); /* some HELLO may have been another's */
    return still_there() || want(HL_EFORMAT, 1);
}

static void send_parts(const uint8_t *bytes, size_t parts, size_t each)
{
    for (size_t k = 1; k <= parts; k++) {
        int more = k < parts ? ZMQ_SNDMORE : 0;

        if (zmq_send(g.post.socket, bytes, each, more | ZMQ_DONTWAIT) < 0)
            return; /* only the first can be refused */
        g.sent++;
    }
}

static int way_multipart(void)
{
    static const struct {
        size_t parts, bytes;
    } shapes[] = { { 1, 0 }, { 2, 0 }, { 2, 8 }, { 3, 1 }, { 17, 100 }, { 1000, 1 }, { 2, 60000 } };
    static const uint8_t bytes[65536];

    start(true);
    for (unsigned long i = 0; i < g.count && !over(); i++)
        for (size_t s = 0; s < COUNT(shapes); s++)
            send_parts(bytes, shapes[s].parts, shapes[s].bytes);
    return still_there();
}

/* A frame above the limit costs the connection, never memory. */
static int way_oversize(void)
{
    static const size_t sizes[] = { WIRE_FRAME_MAX + 1, 1 << 20, 8 << 20 };
    uint8_t *bytes = calloc(1, 8 << 20);

    for (size_t i = 0; i < COUNT(sizes) && !over(); i++) {
        start(true);
        g.sent += zmq_send(g.post.socket, bytes, sizes[i], ZMQ_DONTWAIT) >= 0;
        pause_ms(100);
    }
    free(bytes);
    start(true);
    return still_there();
}

static int way_early(void)
{
    struct letter l;
    struct frame f;
    uint64_t said = 0;

    unlisted_key();
    letter_make(&l, 1, 100, 1);
    start(false);
    for (unsigned verb = VERB_SUBMIT; verb <= VERB_PING; verb++) {
        sample_frame(&f, verb, &l);
        f.bytes = SPAN("x", 1);
        send_frame(&f);
        said++;
    }
    drain(500);
    letter_release(&l);
    return want(HL_ESTATE, said);
}

static int way_realm(void)
{
    const struct {
        uint64_t proto;
        enum realm realm;
        struct span poc;
        int code;
    } rows[] = { { WIRE_PROTO, REALM_LIVE, post_name(&g.post, g.post.i), HL_EREALM },
                 { WIRE_PROTO + 1, POST_REALM, post_name(&g.post, g.post.i), HL_ESUITE },
                 { WIRE_PROTO, POST_REALM, post_name(&g.post, 0), HL_EKEY },
                 { WIRE_PROTO, POST_REALM, SPAN("nobody.here", 11), HL_EKEY } };
    int bad = 0;

    start(false);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct frame f = {
            .verb = VERB_HELLO, .proto = rows[i].proto, .realm = rows[i].realm, .poc = rows[i].poc
        };

        send_frame(&f);
        drain(300);
        bad |= want(rows[i].code, 1);
    }
    return bad;
}

/* Nothing that is said about windows moves anything but the speaker's own. */
static int way_window(void)
{
    static const uint64_t offsets[] = { 0, 1, 65536, 1u << 31, UINT64_C(1) << 62 };
    uint8_t bytes[WIRE_CHUNK] = { 0 };

    start(true);
    for (unsigned long i = 0; i < g.count && !over(); i++) {
        uint64_t offset = offsets[i % COUNT(offsets)];
        struct frame got = { .verb = VERB_GOT, .tag = 1 + i % 300, .offset = offset };
        struct frame cosigned = {
            .verb = VERB_COSIGNED, .tag = i, .status = 200, .note = SPAN("x", 1)
        };
        struct frame chunk = {
            .verb = VERB_CHUNK, .tag = i % 5, .offset = offset, .bytes = SPAN(bytes, sizeof(bytes))
        };

        send_frame(&got);
        send_frame(&cosigned);
        send_frame(&chunk);
    }
    return still_there();
}

/* ---- ways: uploads of a member ---- */

static void send_chunk(const struct letter *l, uint64_t tag, uint64_t at, size_t n)
{
    struct frame f = { .verb = VERB_CHUNK, .tag = tag, .offset = l->front.n + at };

    if (n > l->env->body.n - at)
        n = (size_t)(l->env->body.n - at);
    f.bytes = SPAN(l->env->body.p + at, n);
    send_frame(&f);
}

/* Out of order, again, overlapping, and at last with one byte wrong: not recorded. */
static int way_chunks(void)
{
    struct letter l;

    start(true);
    letter_make(&l, 1, 100000, 1);
    send_frame(&l.submit);
    drain(500);
    send_chunk(&l, 1, 2 * WIRE_CHUNK, WIRE_CHUNK);
    send_chunk(&l, 1, 0, 1000);
    send_chunk(&l, 1, 0, WIRE_CHUNK);
    send_chunk(&l, 1, 500, 1000);
    send_chunk(&l, 1, 1000, WIRE_CHUNK);
    send_chunk(&l, 2, 1000 + WIRE_CHUNK, WIRE_CHUNK);
    drain(200);
    l.file.p[l.file.n - 200] ^= 1; /* env->body is borrowed from it */
    for (uint64_t at = 1000 + WIRE_CHUNK; at < l.env->body.n; at += WIRE_CHUNK) {
        send_chunk(&l, 1, at, WIRE_CHUNK);
        drain(100);
    }
    drain(500);
    letter_release(&l);
    return want(HL_EFORMAT, 1) || still_there();
}

/* Begun and never finished, until told that it is too much. */
static int way_uploads(void)
{
    start(true);
    for (unsigned long i = 0; i < g.count && !over(); i++) {
        struct letter l;

        letter_make(&l, i + 1, 100000, i + 1);
        send_frame(&l.submit);
        drain(20);
        send_chunk(&l, i + 1, 0, WIRE_CHUNK);
        letter_release(&l);
    }
    drain(300);
    return want(HL_EQUOTA, 1) || still_there();
}

/* ---- ways: load ---- */

/* More than the broker can answer, and nothing is read. */
static int way_flood(void)
{
    struct letter l;
    struct frame ping = { .verb = VERB_PING, .tag = 1 };
    struct buf b[2];

    unlisted_key();
    letter_make(&l, 1, 100, 1);
    for (int i = 0; i < 2; i++)
        buf_init(&b[i], WIRE_FRAME_MAX);
    frame_put(&b[0], &ping);
    frame_put(&b[1], &l.submit);
    start(true);
    for (unsigned long i = 0; !over(); i++) {
        bool sent = post_send_bytes(&g.post, buf_span(&b[i % 2]));

        g.sent += sent;
        if (!sent)
            pause_ms(1);
    }
    for (int i = 0; i < 2; i++)
        buf_release(&b[i]);
    letter_release(&l);
    return 0;
}

/* Asks for all there is, again and again, and never reads. */
static int way_unread(void)
{
    struct frame fetch = { .verb = VERB_FETCH, .tag = 1, .what = FETCH_ENTRIES, .b = 256 };
    struct buf b;

    buf_init(&b, WIRE_FRAME_MAX);
    start(true);
    for (unsigned long i = 0; !over(); i++) {
        fetch.tag = i + 1;
        buf_clear(&b);
        frame_put(&b, &fetch);
        g.sent += post_send_bytes(&g.post, buf_span(&b));
        pause_ms(1);
    }
    buf_release(&b);
    return 0;
}

/* Many connections of one key that say something, never HELLO, and stay. */
static int way_sessions(void)
{
    void *socket[512];
    size_t n = 0;

    for (; n < g.count && n < COUNT(socket) && !over(); n++) {
        struct frame ping = { .verb = VERB_PING, .tag = 1 };

        g.post.socket = NULL;
        post_connect(&g.post, !g.unknown);
        send_frame(&ping);
        socket[n] = g.post.socket;
    }
    while (!over())
        drain(100);
    for (size_t i = 0; i < n; i++)
        zmq_close(socket[i]);
    g.post.socket = NULL;
    return 0;
}

/* ---- ways: raw TCP ---- */

static int tcp(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    const char *colon = strrchr(g.post.endpoint, ':');
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK); /* nowhere else, ever */
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    g.sent++;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

#define GREETING 64
static void zmtp_greeting(uint8_t out[static GREETING])
{
    memset(out, 0, GREETING);
    out[0] = 0xff;
    out[9] = 0x7f;
    out[10] = 3; /* ZMTP 3.0 */
    memcpy(out + 12, "CURVE", 5);
}

/* Half a greeting, a byte at a time, on many connections at once. */
static int way_loris(void)
{
    uint8_t greeting[GREETING];
    int fd[1024], n = 0;

    zmtp_greeting(greeting);
    while (n < (int)g.count && n < (int)COUNT(fd) && (fd[n] = tcp()) >= 0)
        n++;
    for (int at = 0; !over(); at++) {
        for (int i = 0; i < n; i++)
            if (at < 40)
                (void)!send(fd[i], greeting + at, 1, MSG_NOSIGNAL);
        pause_ms(100);
    }
    while (n > 0)
        close(fd[--n]);
    return 0;
}

/* A whole greeting, then a CURVE HELLO of noise, of a wrong size, or nothing. */
static int way_handshake(void)
{
    for (unsigned long i = 0; i < g.count && !over(); i++) {
        uint8_t bytes[GREETING + 2 + 300];
        size_t n = i % 3 == 0 ? 0 : i % 3 == 1 ? 200 : 1 + randombytes_uniform(250);
        int fd = tcp();

        if (fd < 0)
            continue;
        zmtp_greeting(bytes);
        bytes[GREETING] = 4; /* a command */
        bytes[GREETING + 1] = (uint8_t)n;
        randombytes_buf(bytes + GREETING + 2, n);
        if (n > 6)
            memcpy(bytes + GREETING + 2, "\5HELLO", 6);
        (void)!send(fd, bytes, GREETING + (n ? 2 + n : 0), MSG_NOSIGNAL);
        pause_ms(2);
        close(fd);
    }
    return 0;
}

static int way_connects(void)
{
    for (unsigned long i = 0; i < g.count && !over(); i++) {
        int fd = tcp();

        if (fd >= 0)
            close(fd);
        if (i % 10)
            continue;
        post_connect(&g.post, !g.unknown);
        if (i % 20)
            pause_ms(5);
    }
    return 0;
}

/* ---- the table ---- */

static const struct way {
    const char *name;
    int (*go)(void);
} ways[] = {
    { "random", way_random },     { "mutate", way_mutate },       { "multipart", way_multipart },
    { "oversize", way_oversize }, { "early", way_early },         { "realm", way_realm },
    { "window", way_window },     { "chunks", way_chunks },       { "uploads", way_uploads },
    { "flood", way_flood },       { "unread", way_unread },       { "sessions", way_sessions },
    { "loris", way_loris },       { "handshake", way_handshake }, { "connects", way_connects },
};

static int report(const char *way, int rc)
{
    const char *comma = "";

    printf("{\"way\":\"%s\",\"sent\":%llu,\"back\":%llu,\"refused\":{", way,
           (unsigned long long)g.sent, (unsigned long long)g.back);
    for (int i = 0; i <= HL_EMAX; i++) {
        if (!g.refused[i])
            continue;
        printf("%s\"%s\":%llu", comma, error_name(i), (unsigned long long)g.refused[i]);
        comma = ",";
    }
    puts("}}");
    if (g.unknown && g.back) {
        fprintf(stderr, "stranger: the broker answered a key that it does not know\n");
        rc = 1;
    }
    return rc ? EXIT_FAILED_OTHER : EXIT_DONE;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        { "dir", required_argument, NULL, 'd' },
        { "poc", required_argument, NULL, 'i' },
        { "transport", required_argument, NULL, 'T' },
        { "unknown", no_argument, NULL, 'u' },
        { "count", required_argument, NULL, 'n' },
        { "seconds", required_argument, NULL, 's' },
        { NULL, 0, NULL, 0 },
    };
    const char *dir = NULL, *transport = NULL;
    size_t poc = 0;
    int c;

    g.count = 100;
    g.seconds = 5;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'd')
            dir = optarg;
        else if (c == 'T')
            transport = optarg;
        else if (c == 'i')
            poc = strtoul(optarg, NULL, 10);
        else if (c == 'u')
            g.unknown = true;
        else if (c == 'n')
            g.count = strtoul(optarg, NULL, 10);
        else if (c == 's')
            g.seconds = strtod(optarg, NULL);
        else
            return EXIT_USAGE;
    }
    for (size_t i = 0; dir && optind < argc && i < COUNT(ways); i++) {
        if (strcmp(ways[i].name, argv[optind]) != 0)
            continue;
        post_open(&g.post, zmq_ctx_new(), dir, poc, transport);
        randombytes_buf(g.chain, sizeof(g.chain));
        g.end_ms = clock_mono_ms() + (uint64_t)(g.seconds * 1000);
        c = report(ways[i].name, ways[i].go());
        post_close(&g.post);
        return c;
    }
    fputs("usage: stranger --dir DIR --poc I [--unknown] [--count N] [--seconds S] WAY\n", stderr);
    return EXIT_USAGE;
}
