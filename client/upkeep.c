#include "client/upkeep.h"

#include <string.h>

#include "client/compose.h"
#include "client/sync.h"
#include "common/clock.h"
#include "common/document.h"
#include "common/error.h"
#include "common/text.h"

#define KEEP_DRAINED_MS (UINT64_C(96) * 3600000)
#define KEEP_LONGEST_DAYS 30

/* ---- subkeys ---- */

uint64_t upkeep_days_left(const struct agent *a, uint64_t *last_day)
{
    uint64_t today = clock_day(compose_now(a, NULL));

    *last_day = 0;
    for (size_t i = 0; i < a->n_syncs; i++) {
        uint64_t last = directory_last_subkey_day(sync_directory(a->sync[i]), DIRECTORY_NOW,
                                                  span_str(a->station->poc), NULL);

        if (last > *last_day)
            *last_day = last;
    }
    return *last_day >= today ? *last_day - today + 1 : 0;
}

/* A host where the machine's key stands in the card: the log's next serial there. */
static bool next_serial(const struct agent *a, uint64_t *serial)
{
    const uint8_t *machine = seckey_public(a->station->machine);
    bool found = false;

    *serial = 0;
    for (size_t i = 0; i < a->n_syncs; i++) {
        const struct directory *dir = sync_directory(a->sync[i]);
        struct key_facts facts;
        uint64_t have = 0;

        if (!sync_current(a->sync[i]) ||
            /* whether the card is valid today is for the host to say: this clock may be wrong */
            directory_key(dir, DIRECTORY_NOW, DIRECTORY_RECORDED, machine, &facts) != 0)
            continue;
        directory_last_subkey_day(dir, DIRECTORY_NOW, span_str(a->station->poc), &have);
        found = true;
        if (have + 1 > *serial)
            *serial = have + 1;
    }
    return found;
}

static int subkeys_list(struct agent *a, uint64_t serial, struct subkeys *list)
{
    struct subkey_ring *ring = a->station->subkeys;
    uint64_t today = clock_day(compose_now(a, NULL));

    if (subkey_ring_serial(ring) >= serial)
        return subkey_ring_public(ring, serial, list);
    return subkey_ring_make(ring, serial, today, UPKEEP_DAYS, list);
}

static int subkeys_note(struct agent *a, const struct subkeys *list, struct buf *note)
{
    struct station *st = a->station;
    struct buf text;
    int rc;

    buf_init(&text, DOCUMENT_MAX);
    rc = subkeys_print(&text, st->realm, list);
    if (!rc)
        rc = sign_document(note, buf_span(&text), span_str(st->poc), st->machine);
    buf_release(&text);
    return rc;
}

static int document_to_hosts(struct agent *a, struct span note, uint8_t id[static 32])
{
    struct span origins[STATION_HOSTS];
    size_t n = 0;

    for (size_t i = 0; i < a->n_syncs; i++)
        if (!sync_is_dead(a->sync[i]))
            origins[n++] = span_str(sync_host(a->sync[i])->origin);
    for (size_t i = 0; i < a->n_syncs; i++)
        sync_kick(a->sync[i]);
    return desk_outbox_document(a->desk, note, origins, n, id);
}

int upkeep_announce(struct agent *a, uint8_t id[static 32], struct buf *why)
{
    struct subkeys list;
    struct buf note;
    uint64_t serial;
    int rc;

    if (!next_serial(a, &serial))
        return document_say(
            why, -HL_EKEY,
            "no host that is up to date has a card that lists this station's machine key");
    buf_init(&note, DOCUMENT_MAX);
    rc = subkeys_list(a, serial, &list);
    if (!rc)
        rc = subkeys_note(a, &list, &note);
    if (!rc)
        rc = document_to_hosts(a, buf_span(&note), id);
    if (rc)
        document_say(why, rc, "subkeys %llu: %s", (unsigned long long)serial, error_text(rc));
    buf_release(&note);
    return rc;
}

static int is_subkeys(void *arg, const struct outbox_row *row)
{
    struct document doc;

    return row->document && document_decode(&doc, *(const enum realm *)arg, row->bytes) == 0 &&
           doc.type == DOCUMENT_SUBKEYS;
}

/* Is a list on its way already? */
static int subkeys_waiting(struct agent *a)
{
    int rc = 0;

    for (size_t i = 0; i < a->n_syncs && !rc; i++)
        if (!sync_is_dead(a->sync[i]))
            rc = desk_outbox_each(a->desk, span_str(sync_host(a->sync[i])->origin), is_subkeys,
                                  &a->station->realm);
    return rc;
}

static int upkeep_subkeys(struct agent *a)
{
    uint64_t last;
    uint8_t id[32];
    int rc;

    if (upkeep_days_left(a, &last) >= UPKEEP_DAYS_LEFT)
        return 0;
    rc = subkeys_waiting(a);
    if (rc)
        return rc < 0 ? rc : 0;
    rc = upkeep_announce(a, id, NULL);
    if (!rc)
        a->changed++;
    return rc == -HL_ESTORE || rc == -HL_ENOMEM ? rc : 0;
}

/* ---- documents from host to host ---- */

struct carrying {
    struct agent *agent;
    struct sync *to;
    uint8_t id[32];
    struct buf note; /* the first that @to would take now */
};

/* "party arcadia" or "poc arcadia.technical" in the second line: told without judging it. */
static bool carry_own(const struct carrying *c, struct span note)
{
    struct span rest = note, line, word, name, own = name_party(span_str(c->agent->station->poc));

    return text_line(&rest, &line) && text_line(&rest, &line) && text_field(&line, &word) &&
           text_field(&line, &name) && (span_eq_str(word, "party") || span_eq_str(word, "poc")) &&
           span_eq(name_party(name), own);
}

static int carry_consider(void *arg, uint64_t index, uint64_t time_ms, struct span note)
{
    struct carrying *c = arg;
    struct directory_change change;

    (void)index;
    (void)time_ms;
    if (!carry_own(c, note) ||
        directory_check(sync_directory(c->to), note, compose_now(c->agent, NULL), false, &change,
                        NULL) != 0)
        return 0;
    return buf_put_span(&c->note, note) ? -HL_ENOMEM : 1;
}

static int carry_between(struct agent *a, struct sync *from, struct sync *to)
{
    struct carrying c = { .agent = a, .to = to };
    struct span origin = span_str(sync_host(to)->origin);
    uint8_t id[32];
    int rc;

    buf_init(&c.note, DOCUMENT_MAX);
    rc = desk_document_each(a->desk, span_str(sync_host(from)->origin), carry_consider, &c);
    if (rc == 1)
        rc = desk_outbox_document(a->desk, buf_span(&c.note), &origin, 1, id);
    if (rc == 0 && c.note.n)
        sync_kick(to);
    buf_release(&c.note);
    return rc;
}

/* One document at a time: the next may need it.  Looked for again when either log has grown. */
static int upkeep_carry(struct agent *a)
{
    int rc = 0;

    for (size_t i = 0; i < a->n_syncs; i++)
        for (size_t k = 0; k < a->n_syncs && !rc; k++) {
            uint64_t both = sync_size(a->sync[i]) + sync_size(a->sync[k]);

            if (i == k || both == a->carried[i][k] || !sync_current(a->sync[i]) ||
                !sync_current(a->sync[k]))
                continue;
            rc = carry_between(a, a->sync[i], a->sync[k]);
            a->carried[i][k] = both;
        }
    return rc;
}

/* ---- what is over ---- */

static int upkeep_expire(struct agent *a)
{
    struct station *st = a->station;
    uint64_t now = clock_now_ms(), cosigned = 0, both, keep;
    bool drained = a->n_syncs > 0;
    int rc;

    for (size_t i = 0; i < a->n_syncs; i++) {
        drained &= sync_quiet(a->sync[i]) || sync_is_dead(a->sync[i]);
        if (sync_cosigned_ms(a->sync[i]) > cosigned)
            cosigned = sync_cosigned_ms(a->sync[i]);
    }
    both = now < cosigned ? now : cosigned;
    if (both < KEEP_LONGEST_DAYS * CLOCK_DAY_MS)
        return 0; /* no witness has spoken yet */
    subkey_ring_expire(st->subkeys, now, cosigned, drained);
    keep = drained ? clock_day(both - KEEP_DRAINED_MS) : clock_day(both) - KEEP_LONGEST_DAYS;
    rc = psk_advance(st->psk, keep);
    return rc == -HL_ENOMEM ? rc : 0;
}

int upkeep_tick(struct agent *a, uint64_t mono_ms)
{
    int rc;

    if (a->bench || mono_ms < a->upkeep_at || !agent_ready(a))
        return 0; /* a new station is reached once its subkeys stand: not later than it can */
    a->upkeep_at = mono_ms + UPKEEP_EVERY_MS;
    rc = upkeep_subkeys(a);
    if (!rc)
        rc = upkeep_carry(a);
    return rc ? rc : upkeep_expire(a);
}
