#include "tests/office.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "client/sync.h"
#include "common/clock.h"
#include "common/file.h"
#include "keys/sign.h"

#define NEED(what)                                                                                 \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static struct seckey *office_key(const char *label)
{
    struct world_key k = world_key(label);
    struct seckey *key;

    NEED(seckey_from_seed(&key, k.sk) == 0); /* libsodium's secret key begins with the seed */
    return key;
}

static void office_position(struct office *o, const char *position)
{
    char label[128], path[128];
    struct world_key k;
    struct secret *seed;

    snprintf(label, sizeof(label), "%s/%s", o->station.poc, position);
    snprintf(path, sizeof(path), "%s/keys/%s.key", o->dir, position);
    k = world_key(label);
    seed = secret_take(k.sk, 32);
    NEED(seed && keyfile_create(path, o->w->realm, KEY_POSITION, label, k.pk, seed, NULL) == 0);
    secret_free(seed);
}

static void office_station(struct office *o, const char *endpoint, const uint8_t curve[static 32])
{
    struct station *s = &o->station;
    char path[128], label[128];

    snprintf(s->dir, sizeof(s->dir), "%s", o->dir);
    snprintf(s->language, sizeof(s->language), "en");
    s->realm = o->w->realm;
    s->n_hosts = 1;
    snprintf(s->host[0].origin, sizeof(s->host[0].origin), "%s", o->w->origin);
    snprintf(s->host[0].endpoint, sizeof(s->host[0].endpoint), "%s", endpoint);
    memcpy(s->host[0].curve, curve, 32);
    NEED(note_key_init(&s->host[0].log, span_str(o->w->origin), NOTE_ED25519,
                       world_key("doria/log").pk) == 0);
    snprintf(label, sizeof(label), "%s/station", s->poc);
    s->machine = office_key(label);
    snprintf(label, sizeof(label), "%.*s/witness", (int)strcspn(s->poc, "."), s->poc);
    if (strstr(s->poc, ".technical") && strncmp(s->poc, "doria", 5) != 0)
        s->witness = office_key(label);
    NEED(transport_temporary(&s->transport) == 0);
    snprintf(path, sizeof(path), "%s/keys", o->dir);
    NEED(file_mkdir(path, 0700) == 0);
    NEED(subkey_ring_open(&s->subkeys, path, s->realm, span_str(s->poc), NULL) == 0);
    NEED(psk_ring_open(&s->psk, path, s->realm, NULL) == 0);
    snprintf(path, sizeof(path), "%s/keys/vault.key", o->dir);
    NEED(vault_new(path, s->realm, s->poc, NULL) == 0);
    NEED(vault_open(&s->vault, path, s->realm, NULL) == 0);
}

static void office_subkeys(struct office *o)
{
    struct subkeys list;
    struct buf text;

    buf_init(&text, DOCUMENT_MAX);
    buf_init(&o->subkeys, DOCUMENT_MAX);
    NEED(subkey_ring_make(o->station.subkeys, 2, clock_day(clock_now_ms()), 30, &list) == 0);
    NEED(subkeys_print(&text, o->w->realm, &list) == 0);
    NEED(sign_document(&o->subkeys, buf_span(&text), span_str(o->station.poc),
                       o->station.machine) == 0);
    buf_release(&text);
}

void office_open(struct office *o, const struct world *w, const char *poc, const char *endpoint,
                 const uint8_t curve[static 32])
{
    struct buf why;

    memset(o, 0, sizeof(*o));
    o->w = w;
    snprintf(o->dir, sizeof(o->dir), "/tmp/office.XXXXXX");
    NEED(mkdtemp(o->dir));
    snprintf(o->station.poc, sizeof(o->station.poc), "%s", poc);
    office_station(o, endpoint, curve);
    office_position(o, "watch-1");
    if (strstr(poc, ".technical"))
        office_position(o, "watch-2");
    office_subkeys(o);
    o->agent.station = &o->station;
    o->agent.listen_fd = o->agent.lock_fd = -1;
    o->agent.started = clock_mono_ms();
    o->agent.bench = true;
    NEED(desk_open(":memory:", w->realm, span_str(poc), o->station.vault, &o->agent.desk) == 0);
    buf_init(&why, 1024);
    NEED(agent_connect(&o->agent, &why) == 0);
    buf_release(&why);
}

void office_close(struct office *o)
{
    struct station *s = &o->station;
    char command[128];

    agent_release(&o->agent);
    seckey_free(s->machine);
    seckey_free(s->witness);
    transport_free(s->transport);
    vault_close(s->vault);
    subkey_ring_close(s->subkeys);
    psk_ring_close(s->psk);
    buf_release(&o->subkeys);
    snprintf(command, sizeof(command), "rm -r %s", o->dir);
    NEED(system(command) == 0);
}

void office_fold(struct office *o, const struct office *const *peers, size_t n)
{
    struct directory *dir = sync_directory(o->agent.sync[0]);
    struct directory_change change;
    size_t index = 0;

    for (; index < WORLD_DOCUMENTS; index++)
        NEED(directory_apply(dir, world_document(o->w, index), index, o->w->now_ms, true, &change,
                             NULL) == 0);
    for (size_t i = 0; i < n; i++)
        NEED(directory_apply(dir, buf_span(&peers[i]->subkeys), index++, o->w->now_ms, true,
                             &change, NULL) == 0);
}

/* ---- verbs ---- */

void answer_init(struct answer *a)
{
    a->code = 0;
    a->ended = false;
    a->n = 0;
    a->sentence[0] = 0;
    buf_init(&a->bytes, 8u << 20);
    NEED(buf_reserve(&a->bytes, 8u << 20)); /* so that it never moves */
}

void answer_release(struct answer *a)
{
    buf_release(&a->bytes);
}

static const uint8_t *answer_keep(struct answer *a, struct span s)
{
    const uint8_t *at = a->bytes.p + a->bytes.n;

    NEED(buf_put_span(&a->bytes, s) == 0 && buf_put_u8(&a->bytes, 0) == 0);
    return at;
}

static int answer_row(void *arg, const struct pair *pair, size_t n)
{
    struct answer *a = arg;
    struct answered *row = &a->row[a->n++];

    NEED(a->n <= ANSWER_ROWS);
    row->n = n;
    for (size_t i = 0; i < n; i++) {
        row->pair[i].key = (const char *)answer_keep(a, span_str(pair[i].key));
        row->pair[i].value = SPAN(answer_keep(a, pair[i].value), pair[i].value.n);
    }
    return 0;
}

static void answer_end(void *arg, int code, const char *sentence)
{
    struct answer *a = arg;

    a->code = code;
    a->ended = true;
    snprintf(a->sentence, sizeof(a->sentence), "%s", sentence);
}

struct span answer_get(const struct answer *a, const char *row, size_t i, const char *key)
{
    for (size_t k = 0; k < a->n; k++) {
        const struct answered *r = &a->row[k];

        if (span_eq_str(row_get(r->pair, r->n, "row"), row) && i-- == 0)
            return row_get(r->pair, r->n, key);
    }
    return SPAN_NONE;
}

bool answer_is(const struct answer *a, const char *row, size_t i, const char *key, const char *want)
{
    return span_eq_str(answer_get(a, row, i, key), want);
}

size_t answer_count(const struct answer *a, const char *row)
{
    size_t n = 0;

    for (size_t k = 0; k < a->n; k++)
        n += span_eq_str(row_get(a->row[k].pair, a->row[k].n, "row"), row);
    return n;
}

static struct verb_request request;
static char words[VERB_PAIRS_MAX][512];

struct verb_request *office_request(void)
{
    return &request;
}

void office_begin(struct office *o, struct answer *a)
{
    const struct verb_sink sink = { a, answer_row, answer_end };

    verb_start(&o->agent, &request, &sink);
}

void office_start(struct office *o, struct answer *a, const char *name, ...)
{
    const char *word;
    va_list ap;

    memset(&request, 0, sizeof(request));
    snprintf(request.name, sizeof(request.name), "%s", name);
    va_start(ap, name);
    while ((word = va_arg(ap, const char *)) != NULL) {
        char *at = words[request.n], *eq;

        snprintf(at, sizeof(words[0]), "%s", word);
        eq = strchr(at, '=');
        NEED(eq);
        *eq = 0;
        verb_add(&request, at, span_str(eq + 1));
    }
    va_end(ap);
    office_begin(o, a);
}

int office_run(struct office *o, struct answer *a, void (*beside)(void *arg), void *arg)
{
    uint64_t until = clock_mono_ms() + 20000;

    while (!a->ended && clock_mono_ms() < until) {
        NEED(agent_step(&o->agent, 5) == 0);
        if (beside)
            beside(arg);
    }
    NEED(a->ended);
    return a->code;
}
