#include "tests/bench/town.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "keys/subkeys.h"

#define REALM REALM_EXERCISE
#define YEARS_MS                                                                                   \
    (20 * UINT64_C(365) * CLOCK_DAY_MS) /* valid in scenarios whose clocks are off by ten */

void town_seed(uint8_t seed[static 32], const char *label)
{
    crypto_hash_sha256(seed, (const uint8_t *)label, strlen(label));
}

static void put_file(const char *dir, const char *name, struct span v)
{
    char path[600];
    int rc;

    snprintf(path, sizeof(path), "%s/documents/%s.note", dir, name);
    rc = file_publish(path, v, 0644);
    assert(rc == 0);
}

static void put_key(struct buf *b, const uint8_t key[static 32])
{
    text_base64(b, SPAN(key, 32));
}

static struct world_key key_of(const char *poc, const char *what)
{
    char label[64];

    snprintf(label, sizeof(label), "%.32s/%.16s", poc, what);
    return world_key(label);
}

static void card_key_line(struct buf *b, const uint8_t pk[static 32], const char *permissions,
                          const char *holder, const char *position)
{
    buf_put_str(b, "key ");
    put_key(b, pk);
    buf_printf(b, " %s %s %s\n", permissions, holder, position);
}

static void card_poc_lines(struct buf *b, const char *poc)
{
    char label[64];

    snprintf(label, sizeof(label), "%s/transport", poc);
    buf_printf(b, "poc %s en 24/7\ntransport ", strchr(poc, '.') + 1);
    put_key(b, world_xkey(label).pk);
    buf_put_u8(b, '\n');
    card_key_line(b, key_of(poc, "station").pk, "machine", "station", "station");
    card_key_line(b, key_of(poc, "watch-1").pk, "draft,release,acknowledge", "officer-1",
                  "watch-1");
}

static void town_card(struct town *t, const char *dir, size_t p, struct span host)
{
    char party[24], name[48], root[40];
    const char *const labels[] = { root };
    struct buf text, note;

    snprintf(party, sizeof(party), "p%zu", p);
    snprintf(root, sizeof(root), "%s/root-1", party);
    buf_init(&text, DOCUMENT_MAX);
    buf_init(&note, DOCUMENT_MAX);
    document_head(&text, REALM, DOCUMENT_CARD);
    buf_printf(&text, "party %s\nserial 1\nprevious -\nvalid %llu %llu\nthreshold 1\nroot ", party,
               (unsigned long long)(t->now_ms - YEARS_MS),
               (unsigned long long)(t->now_ms + YEARS_MS));
    put_key(&text, world_key(root).pk);
    buf_put_u8(&text, '\n');
    if (p < 3) {
        buf_printf(&text, "witness witness/%s ", party);
        put_key(&text, key_of(party, "witness").pk);
        buf_put_str(&text, " o0\n");
    }
    for (size_t i = p * TOWN_OFFICES; i < (p + 1) * TOWN_OFFICES && i < t->n_pocs; i++)
        card_poc_lines(&text, t->poc[i]);
    if (p == 0)
        buf_put_span(&text, host);
    world_sign(&note, buf_span(&text), party, labels, 1);
    snprintf(name, sizeof(name), "1-card-%03zu", p);
    put_file(dir, name, buf_span(&note));
    buf_release(&text);
    buf_release(&note);
}

static struct agreement *town_agreement(struct town *t, const char *origin)
{
    static char party[TOWN_MAX][24];
    static struct span member[TOWN_MAX];
    static struct agreement_channel channel;
    static struct agreement a;

    memset(&a, 0, sizeof(a));
    a.name = span_str("BENCH");
    a.title = span_str("An arrangement for measuring");
    a.n_parties = t->n_parties;
    a.from_ms = t->now_ms - YEARS_MS;
    a.n_categories = a.n_markings = a.n_channels = a.n_hosts = a.n_languages = a.n_attachments = 1;
    a.category[0] = span_str("incident");
    a.marking[0] = span_str("TLP-AMBER");
    a.attachment[0].type = span_str("application/octet-stream");
    a.attachment[0].max = 1000000;
    a.language[0] = span_str("en");
    a.host[0] = span_str(origin);
    a.n_witnesses = 3;
    a.quorum = 2;
    a.retention_days = 365;
    for (size_t i = 0; i < 4; i++)
        a.deadline_s[i] = a.handling_s[i] = 3600;
    for (size_t p = 0; p < t->n_parties; p++) {
        char root[40];
        struct world_key key;

        snprintf(party[p], sizeof(party[p]), "p%zu", p);
        snprintf(root, sizeof(root), "%.16s/root-1", party[p]);
        key = world_key(root);
        a.party[p].party = span_str(party[p]);
        card_fingerprint(a.party[p].fingerprint, REALM, 1, (const uint8_t(*)[32])key.pk, 1);
        if (p < 3) {
            char name[48];

            snprintf(name, sizeof(name), "witness/%.16s", party[p]);
            note_key_init(&a.witness[p], span_str(name), NOTE_COSIGNATURE,
                          key_of(party[p], "witness").pk);
        }
    }
    for (size_t i = 0; i < t->n_pocs; i++)
        member[i] = span_str(t->poc[i]);
    channel = (struct agreement_channel){ .name = span_str(TOWN_CHANNEL),
                                          .n_members = t->n_pocs,
                                          .member = member };
    a.channel = &channel;
    return &a;
}

static void town_agree(struct town *t, const char *dir, const char *origin)
{
    struct agreement *a = town_agreement(t, origin), *parsed = NULL;
    struct buf text, note, why;
    int rc;

    buf_init(&text, DOCUMENT_MAX);
    buf_init(&note, DOCUMENT_MAX);
    buf_init(&why, 1024);
    rc = agreement_print(&text, REALM, a);
    assert(rc == 0);
    rc = agreement_new(&parsed, REALM, buf_span(&text), &why);
    if (rc)
        fprintf(stderr, "%s\n", buf_str(&why));
    assert(rc == 0);
    memcpy(t->channel, parsed->channel[0].id, 32);
    agreement_free(parsed);
    for (size_t p = 0; p < t->n_parties; p++) {
        char party[24], root[40], name[48];
        const char *const labels[] = { root };

        snprintf(party, sizeof(party), "p%zu", p);
        snprintf(root, sizeof(root), "%s/root-1", party);
        snprintf(name, sizeof(name), "2-agreement-%03zu", p);
        buf_clear(&note);
        world_sign(&note, buf_span(&text), party, labels, 1);
        put_file(dir, name, buf_span(&note));
    }
    buf_release(&text);
    buf_release(&note);
    buf_release(&why);
}

static void town_subkeys(struct town *t, const char *dir, size_t i)
{
    struct subkey_ring *ring = NULL;
    struct subkeys pub;
    char folder[600], label[64], name[48];
    const char *const labels[] = { label };
    struct buf text, note;
    int rc;

    snprintf(folder, sizeof(folder), "%s/keys/%s", dir, t->poc[i]);
    rc = file_mkdir(folder, 0700);
    if (!rc)
        rc = subkey_ring_open(&ring, folder, REALM, span_str(t->poc[i]), NULL);
    if (!rc)
        rc = subkey_ring_make(ring, 1, clock_day(t->now_ms), 2, &pub);
    assert(rc == 0);
    memcpy(t->subkey[i], pub.key[0], 32);
    buf_init(&text, DOCUMENT_MAX);
    buf_init(&note, DOCUMENT_MAX);
    subkeys_print(&text, REALM, &pub);
    snprintf(label, sizeof(label), "%s/station", t->poc[i]);
    world_sign(&note, buf_span(&text), t->poc[i], labels, 1);
    snprintf(name, sizeof(name), "3-subkeys-%03zu", i);
    put_file(dir, name, buf_span(&note));
    buf_release(&text);
    buf_release(&note);
    subkey_ring_close(ring);
}

void town_build(struct town *t, const char *dir, size_t n, struct span host)
{
    struct span line = host, word, origin = SPAN_NONE;
    char folder[600], name[256] = "";
    int rc;

    assert(n <= TOWN_MAX);
    memset(t, 0, sizeof(*t));
    t->n_pocs = n;
    t->n_parties = (n + TOWN_OFFICES - 1) / TOWN_OFFICES;
    t->n_parties = t->n_parties < 3 ? 3 : t->n_parties;
    if (t->n_pocs < 2 * TOWN_OFFICES + 1) /* p0, p1 and p2 have an office each */
        t->n_pocs = 2 * TOWN_OFFICES + 1;
    t->now_ms = clock_now_ms();
    text_field(&line, &word);
    text_field(&line, &origin);
    memcpy(name, origin.p, origin.n);
    for (size_t i = 0; i < t->n_pocs; i++)
        snprintf(t->poc[i], sizeof(t->poc[i]), "p%zu.o%zu", i / TOWN_OFFICES, i % TOWN_OFFICES);
    snprintf(folder, sizeof(folder), "%s/documents", dir);
    rc = file_mkdir(folder, 0755);
    assert(rc == 0);
    for (size_t p = 0; p < t->n_parties; p++)
        town_card(t, dir, p, host);
    town_agree(t, dir, name);
    for (size_t i = 0; i < n; i++)
        town_subkeys(t, dir, i);
}
