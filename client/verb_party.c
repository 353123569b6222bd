#include <stdlib.h>
#include <string.h>

#include "client/verb_list.h"
#include "common/card.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/text.h"

/* contacts, party-list, party-pin, agreement-list, agreement-show: what the directory says, for
 * people. */

#define NAMES_MAX 3000

/* A directory that is up to date, else the largest. */
static struct sync *directory_sync(struct agent *a)
{
    struct sync *best = NULL;

    for (size_t i = 0; i < a->n_syncs; i++)
        if (!best || (sync_current(a->sync[i]) && !sync_current(best)) ||
            (sync_current(a->sync[i]) == sync_current(best) &&
             sync_size(a->sync[i]) > sync_size(best)))
            best = a->sync[i];
    return best;
}

static void names_put(struct buf *names, struct span name)
{
    buf_printf(names, "%s%.*s", names->n ? " " : "", (int)name.n, (const char *)name.p);
}

static void names_row(struct row *r, const char *key, struct buf *names)
{
    row_printf(r, key, "%s", names->bad ? "(many)" : buf_str(names));
    buf_clear(names);
}

struct directory_rows {
    struct verb *verb;
    const struct directory *dir;
    struct span party; /* one, or all when empty */
    size_t found;
};

static void root_set(const struct card *card, uint8_t fp[static 32])
{
    card_fingerprint(fp, card->realm, card->threshold, (const uint8_t(*)[32])card->root,
                     card->n_roots);
}

/* ---- contacts ---- */

static void contact_channels(struct directory_rows *d, struct row *r, const struct card_poc *poc)
{
    const struct agreement *ag;
    struct buf names;

    buf_init(&names, NAMES_MAX / 2);
    for (size_t i = 0; (ag = directory_agreement(d->dir, i)) != NULL; i++)
        for (size_t k = 0; k < ag->n_channels; k++)
            if (channel_member(&ag->channel[k], span_str(poc->name)))
                names_put(&names, ag->channel[k].name);
    names_row(r, "channels", &names);
    buf_release(&names);
}

static int contact_row(struct directory_rows *d, const struct card *card,
                       const struct card_poc *poc)
{
    uint8_t fp[32], pin[32];
    struct buf names;
    struct row r;

    buf_init(&names, NAMES_MAX / 2);
    root_set(card, fp);
    row_begin(&r, "contact");
    row_str(&r, "poc", poc->name);
    row_span(&r, "party", card->party);
    row_span(&r, "languages", poc->languages);
    row_span(&r, "attendance", poc->attendance);
    for (size_t i = 0; i < poc->n_alternates; i++)
        names_put(&names, poc->alternate[i]);
    names_row(&r, "alternates", &names);
    row_uint(&r, "serial", card->serial);
    row_uint(&r, "subkeys_last_day",
             directory_last_subkey_day(d->dir, DIRECTORY_NOW, span_str(poc->name), NULL));
    row_32(&r, "fingerprint", fp);
    row_uint(&r, "pinned", directory_pinned(d->dir, card->party, pin));
    contact_channels(d, &r, poc);
    buf_release(&names);
    return row_send(d->verb, &r);
}

static int contact_card(void *arg, const struct card *card)
{
    int rc = 0;

    for (size_t i = 0; i < card->n_pocs && !rc; i++)
        rc = contact_row(arg, card, &card->poc[i]);
    return rc;
}

int verb_contacts_begin(struct verb *v)
{
    struct sync *s = directory_sync(v->agent);
    struct directory_rows d = { .verb = v };

    if (!s)
        return 0;
    d.dir = sync_directory(s);
    directory_each_card(d.dir, contact_card, &d);
    return 0;
}

/* ---- parties ---- */

static int party_row(void *arg, const struct card *card)
{
    struct directory_rows *d = arg;
    uint8_t fp[32], pin[32];
    bool pinned;
    struct buf names;
    struct row r;

    if (d->party.n && !span_eq(d->party, card->party))
        return 0;
    d->found++;
    buf_init(&names, NAMES_MAX);
    root_set(card, fp);
    pinned = directory_pinned(d->dir, card->party, pin);
    row_begin(&r, "party");
    row_span(&r, "party", card->party);
    row_uint(&r, "serial", card->serial);
    row_32(&r, "digest", card->digest);
    row_32(&r, "fingerprint", fp);
    row_32(&r, "first_fingerprint", pinned ? pin : card->serial == 1 ? fp : NULL);
    row_uint(&r, "pinned", pinned);
    row_uint(&r, "from_ms", card->from_ms);
    row_uint(&r, "until_ms", card->until_ms);
    for (size_t i = 0; i < card->n_pocs; i++)
        names_put(&names, span_str(card->poc[i].name));
    names_row(&r, "pocs", &names);
    row_uint(&r, "conflict", directory_frozen(d->dir, card->party));
    buf_release(&names);
    return row_send(d->verb, &r);
}

static int party_rows(struct verb *v, struct span party)
{
    struct sync *s = directory_sync(v->agent);
    struct directory_rows d = { .verb = v, .party = party };

    if (s) {
        d.dir = sync_directory(s);
        directory_each_card(d.dir, party_row, &d);
    }
    return party.n && !d.found ? -HL_ENOENT : 0;
}

int verb_party_list_begin(struct verb *v)
{
    return party_rows(v, SPAN_NONE);
}

/* The fingerprint of the party's first root set, as this desk saw it recorded. */
struct first_card {
    enum realm realm;
    struct span party;
    uint8_t fp[32];
};

static int first_card_consider(void *arg, uint64_t index, uint64_t time_ms, struct span note)
{
    struct first_card *f = arg;
    struct document doc;
    struct card *card = NULL;
    int found = 0;

    (void)index;
    (void)time_ms;
    if (document_decode(&doc, f->realm, note) == 0 && doc.type == DOCUMENT_CARD &&
        card_new(&card, f->realm, note, NULL) == 0 && card->serial == 1 &&
        span_eq(card->party, f->party)) {
        root_set(card, f->fp);
        found = 1;
    }
    card_free(card);
    return found;
}

static int first_fingerprint(struct verb *v, struct span party, uint8_t fp[static 32])
{
    struct first_card f = { .realm = v->agent->station->realm, .party = party };
    int rc = 0;

    for (size_t i = 0; i < v->agent->n_syncs && !rc; i++)
        rc = desk_document_each(v->agent->desk, span_str(sync_host(v->agent->sync[i])->origin),
                                first_card_consider, &f);
    if (rc == 1)
        memcpy(fp, f.fp, 32);
    return rc == 1 ? 0 : rc ? rc : -HL_ENOENT;
}

/* Typed from what the other side reads out; never shown first. */
static int pin_typed(struct verb *v, struct span party, struct span typed, uint8_t fp[static 32])
{
    char digits[128];
    int rc = first_fingerprint(v, party, fp);

    if (rc)
        return rc == -HL_ENOENT ? verb_fail(v, rc, "no card of this party has been seen yet") : rc;
    if (typed.n >= sizeof(digits))
        return verb_fail(v, -HL_EFORMAT, "want %d groups of five digits", TEXT_GROUPS);
    memcpy(digits, typed.p, typed.n);
    digits[typed.n] = 0;
    rc = text_groups_check(digits, fp);
    if (rc > 0)
        return verb_fail(v, -HL_EFORMAT, "group %d has a typing error", rc);
    if (rc == -HL_EFORMAT)
        return verb_fail(v, rc, "want %d groups of five digits", TEXT_GROUPS);
    return rc;
}

static int pin_store(struct verb *v, struct span party, const uint8_t fp[static 32])
{
    int rc = 0;

    for (size_t i = 0; i < v->agent->n_syncs && !rc; i++)
        rc = directory_pin(sync_directory(v->agent->sync[i]), party, fp);
    return rc ? rc : desk_pin_set(v->agent->desk, party, fp);
}

int verb_party_pin_begin(struct verb *v)
{
    struct span party = verb_get(v->req, "party"), typed = verb_get(v->req, "typed");
    const uint8_t *given;
    uint8_t fp[32], first[32];
    int rc = verb_32(v, "fingerprint", &given);

    if (!name_label(party) || (rc == -HL_ENOENT && !typed.n))
        return verb_fail(v, -HL_EUSAGE, "want a party, and its fingerprint or what was read out");
    if (rc == -HL_ENOENT) {
        rc = pin_typed(v, party, typed, fp);
    } else if (!rc) {
        memcpy(fp, given, 32);
        rc = first_fingerprint(v, party, first);
        rc = rc == -HL_ENOENT ? 0 : rc ? rc : memcmp(fp, first, 32) ? -HL_EFINGERPRINT : 0;
    }
    if (!rc)
        rc = pin_store(v, party, fp);
    if (rc)
        return rc;
    v->agent->changed++;
    rc = party_rows(v, party);
    return rc == -HL_ENOENT ? 0 : rc; /* pinned before its card came */
}

/* ---- agreements ---- */

/* Who has stopped it for itself: among the others it goes on. */
static bool suspended_by(const struct directory *dir, uint64_t now_ms, const struct agreement *ag,
                         struct span party)
{
    struct channel_facts facts;

    for (size_t i = 0; i < ag->n_channels; i++) {
        const struct agreement_channel *c = &ag->channel[i];

        if (directory_channel(dir, DIRECTORY_NOW, now_ms, c->id, &facts) == -HL_ECHANNEL)
            continue;
        for (size_t k = 0; k < c->n_members; k++)
            if (span_eq(name_party(c->member[k]), party) &&
                directory_member(dir, DIRECTORY_NOW, &facts, c->member[k]) == -HL_ESTOPPED)
                return true;
    }
    return false;
}

static int agreement_row(struct verb *v, const struct directory *dir, const struct agreement *ag)
{
    struct channel_facts facts;
    struct buf names;
    struct row r;
    int rc = directory_channel(dir, DIRECTORY_NOW, compose_now(v->agent, NULL), ag->channel[0].id,
                               &facts);

    buf_init(&names, NAMES_MAX / 4);
    row_begin(&r, "agreement");
    row_span(&r, "name", ag->name);
    row_32(&r, "digest", ag->digest);
    row_span(&r, "title", ag->title);
    row_str(&r, "state", rc ? error_name(rc) : "in-force");
    row_uint(&r, "from_ms", ag->from_ms);
    row_uint(&r, "until_ms", ag->until_ms);
    for (int want = 1; want >= 0; want--) {
        for (size_t i = 0; i < ag->n_parties; i++)
            if (directory_signed(dir, DIRECTORY_NOW, ag, ag->party[i].party) == want)
                names_put(&names, ag->party[i].party);
        names_row(&r, want ? "signed" : "missing", &names);
    }
    for (size_t i = 0; i < ag->n_parties; i++)
        if (suspended_by(dir, compose_now(v->agent, NULL), ag, ag->party[i].party))
            names_put(&names, ag->party[i].party);
    names_row(&r, "suspended", &names);
    for (size_t i = 0; i < ag->n_hosts; i++)
        names_put(&names, ag->host[i]);
    names_row(&r, "hosts", &names);
    row_uint(&r, "quorum", ag->quorum);
    row_uint(&r, "of", ag->n_witnesses);
    buf_release(&names);
    return row_send(v, &r);
}

static int channel_rows(struct verb *v, const struct agreement *ag)
{
    struct buf names;
    struct row r;
    int rc = 0;

    buf_init(&names, NAMES_MAX);
    for (size_t i = 0; i < ag->n_channels && !rc; i++) {
        const struct agreement_channel *c = &ag->channel[i];

        row_begin(&r, "channel");
        row_span(&r, "name", c->name);
        row_32(&r, "channel-id", c->id);
        for (size_t k = 0; k < c->n_members; k++)
            names_put(&names, c->member[k]);
        names_row(&r, "members", &names);
        rc = row_send(v, &r);
    }
    buf_release(&names);
    return rc;
}

/* Each agreement once, whichever logs have it; with @all its text and channels. */
static int agreement_rows(struct verb *v, struct span name, const uint8_t *digest, bool all,
                          size_t *found)
{
    struct agent *a = v->agent;
    const struct agreement *ag;
    int rc = 0;

    for (size_t i = 0; i < a->n_syncs && !rc; i++) {
        const struct directory *dir = sync_directory(a->sync[i]);

        for (size_t k = 0; (ag = directory_agreement(dir, k)) != NULL && !rc; k++) {
            bool before = false;
            struct row r;

            for (size_t j = 0; j < i; j++)
                before |= directory_agreement_by(sync_directory(a->sync[j]), ag->digest) != NULL;
            if (before || (name.n && !span_eq(name, ag->name)) ||
                (digest && memcmp(digest, ag->digest, 32) != 0))
                continue;
            ++*found;
            rc = agreement_row(v, dir, ag);
            if (rc || !all)
                continue;
            row_begin(&r, "text");
            row_span(&r, "bytes", buf_span(&ag->text));
            rc = row_send(v, &r);
            if (!rc)
                rc = channel_rows(v, ag);
        }
    }
    return rc;
}

int verb_agreement_list_begin(struct verb *v)
{
    size_t found = 0;

    return agreement_rows(v, SPAN_NONE, NULL, false, &found);
}

int verb_agreement_show_begin(struct verb *v)
{
    const uint8_t *digest;
    size_t found = 0;
    int rc = verb_32(v, "digest", &digest);

    if (rc && rc != -HL_ENOENT)
        return rc;
    rc = agreement_rows(v, verb_get(v->req, "name"), digest, true, &found);
    return rc || found ? rc : verb_fail(v, -HL_ENOENT, "no such agreement is known here");
}
