/*
 * Durable desks: the same message through two running agents, whose desks are on disk.
 *
 *   desks FROM TO CHANNEL WINDOW SECONDS      FROM, TO: desks with running agents; watch-1 is on
 * duty at both
 *
 * Each of WINDOW threads sends and waits until the message is recorded and acknowledged; one
 * watches the other desk and acknowledges what comes.  Prints one JSON line.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"

#define WINDOW_MAX 32
#define TIMES_MAX 100000

static struct {
    struct station *from, *to;
    const char *channel;
    uint64_t warm_us, end_us;
    pthread_mutex_t lock;
    size_t n;
    uint32_t time[TIMES_MAX]; /* microseconds */
} g = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void die(const char *what, const char *sentence, int rc)
{
    fprintf(stderr, "desks: %s: %s (%s)\n", what, *sentence ? sentence : error_text(rc),
            error_name(rc));
    exit(1);
}

struct ending {
    const char *what;
    int code;
};

static int no_row(void *arg, const struct pair *pair, size_t n)
{
    (void)arg;
    (void)pair;
    (void)n;
    return 0;
}

static void on_end(void *arg, int code, const char *sentence)
{
    struct ending *e = arg;

    e->code = code;
    if (code && code != -HL_EDEADLINE && code != -HL_EQUEUED)
        die(e->what, sentence, code);
}

static int ask(const struct station *s, const struct verb_request *req,
               int (*row)(void *arg, const struct pair *pair, size_t n))
{
    struct ending e = { req->name, 0 };
    struct verb_sink sink = { &e, row, on_end };
    int rc = agent_ask(s, req, &sink);

    if (rc == -HL_ENOENT)
        die(req->name, "no agent runs", rc);
    return e.code;
}

static void pair_str(struct verb_request *req, const char *key, const char *value)
{
    verb_add(req, key, span_str(value));
}

static void *sender(void *arg)
{
    struct verb_request *req = calloc(1, sizeof(*req));
    char to[96];

    (void)arg;
    if (!req)
        die("memory", "", -HL_ENOMEM);
    snprintf(to, sizeof(to), "%s action", g.to->poc);
    snprintf(req->name, sizeof(req->name), "send");
    pair_str(req, "channel", g.channel);
    pair_str(req, "to", to);
    pair_str(req, "precedence", "IMMEDIATE");
    pair_str(req, "category", "incident");
    pair_str(req, "marking", "TLP:AMBER");
    pair_str(req, "subject", "bench");
    pair_str(req, "text", "Bench: remote control lost at 11 of 64 substations.");
    pair_str(req, "position", "watch-1");
    pair_str(req, "wait_s", "30");
    while (clock_mono_us() < g.end_us) {
        uint64_t from = clock_mono_us(), now;

        if (ask(g.from, req, no_row) != 0)
            die("send", "not acknowledged in 30 s", -HL_EDEADLINE);
        now = clock_mono_us();
        pthread_mutex_lock(&g.lock);
        if (from >= g.warm_us && now < g.end_us && g.n < TIMES_MAX)
            g.time[g.n++] = (uint32_t)(now - from);
        pthread_mutex_unlock(&g.lock);
    }
    free(req);
    return NULL;
}

static void acknowledge(struct span number, struct span mid)
{
    struct verb_request *req = calloc(1, sizeof(*req));
    const uint8_t *space = memchr(number.p, ' ', number.n);

    if (!req || !space)
        die("memory", "", -HL_ENOMEM);
    snprintf(req->name, sizeof(req->name), "step");
    verb_add(req, "mid", mid);
    pair_str(req, "kind", "acknowledged");
    pair_str(req, "position", "watch-1");
    verb_add(req, "typed", SPAN(space + 1, number.n - (size_t)(space + 1 - number.p)));
    pair_str(req, "wait_s", "0");
    ask(g.to, req, no_row);
    free(req);
}

static int watched(void *arg, const struct pair *pair, size_t n)
{
    (void)arg;
    if (span_eq_str(row_get(pair, n, "what"), "message"))
        acknowledge(row_get(pair, n, "number"), row_get(pair, n, "mid"));
    return 0;
}

static void *receiver(void *arg)
{
    struct verb_request *req = calloc(1, sizeof(*req));

    (void)arg;
    if (!req)
        die("memory", "", -HL_ENOMEM);
    snprintf(req->name, sizeof(req->name), "watch");
    pair_str(req, "wait_s", "3600");
    ask(g.to, req, watched);
    free(req);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    pthread_t thread[WINDOW_MAX], watch;
    unsigned long window, seconds;
    struct buf why;

    if (argc != 6 || keys_init() != 0)
        return EXIT_USAGE;
    window = strtoul(argv[4], NULL, 10);
    seconds = strtoul(argv[5], NULL, 10);
    if (window < 1 || window > WINDOW_MAX || seconds < 1)
        return EXIT_USAGE;
    buf_init(&why, 4096);
    if (station_open(&g.from, argv[1], &why) != 0 || station_open(&g.to, argv[2], &why) != 0)
        die("desk", buf_str(&why), -HL_ECONFIG);
    g.channel = argv[3];
    g.warm_us = clock_mono_us() + 1000000;
    g.end_us = g.warm_us + seconds * 1000000;
    pthread_create(&watch, NULL, receiver, NULL);
    for (unsigned long i = 0; i < window; i++)
        pthread_create(&thread[i], NULL, sender, NULL);
    for (unsigned long i = 0; i < window; i++)
        pthread_join(thread[i], NULL);
    qsort(g.time, g.n, sizeof(g.time[0]), by_value);
    printf("{\"phase\":\"durable desks\",\"window\":%lu,\"seconds\":%lu,\"acknowledged\":%zu,"
           "\"acknowledged_per_s\":%.1f,\"complete_p50_ms\":%.3f,\"complete_p99_ms\":%.3f}\n",
           window, seconds, g.n, (double)g.n / (double)seconds, g.n ? g.time[g.n / 2] / 1e3 : 0,
           g.n ? g.time[g.n * 99 / 100] / 1e3 : 0);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED_OTHER;
}
