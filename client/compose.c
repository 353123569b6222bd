#include "client/compose.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/sync.h"
#include "common/clock.h"
#include "common/error.h"
#include "keys/seal.h"

/* ---- where a channel is in force ---- */

static const struct agreement_channel *channel_by(const struct agreement *ag, struct span name,
                                                  const uint8_t *id)
{
    if (!id)
        return agreement_channel(ag, name);
    for (size_t i = 0; i < ag->n_channels; i++)
        if (memcmp(ag->channel[i].id, id, 32) == 0)
            return &ag->channel[i];
    return NULL;
}

/* A host that is up to date is asked first: another may not have seen a stop yet. */
static struct sync *channel_in(struct agent *a, bool current, struct span name, const uint8_t *id,
                               struct channel_facts *facts, int *rc)
{
    for (size_t i = 0; i < a->n_syncs; i++) {
        const struct directory *dir = sync_directory(a->sync[i]);
        const struct agreement *ag;

        if (sync_current(a->sync[i]) != current)
            continue;
        for (size_t k = 0; (ag = directory_agreement(dir, k)) != NULL; k++) {
            const struct agreement_channel *c = channel_by(ag, name, id);

            if (!c)
                continue;
            *rc = directory_channel(dir, DIRECTORY_NOW, compose_now(a, NULL), c->id, facts);
            if (*rc == 0)
                return a->sync[i];
        }
    }
    return NULL;
}

struct sync *compose_channel(struct agent *a, struct span name, const uint8_t *id,
                             struct channel_facts *facts, int *rc, struct buf *why)
{
    struct sync *s;

    *rc = -HL_ECHANNEL;
    s = channel_in(a, true, name, id, facts, rc);
    if (!s)
        s = channel_in(a, false, name, id, facts, rc);
    if (s)
        return s;
    if (name.n)
        buf_printf(why, "channel %.*s: ", (int)name.n, (const char *)name.p);
    buf_put_str(why, error_text(*rc));
    return NULL;
}

uint64_t compose_now(const struct agent *a, bool *doubted)
{
    uint64_t now = clock_now_ms(), cosigned = 0;
    bool off;

    for (size_t i = 0; i < a->n_syncs; i++)
        if (sync_cosigned_ms(a->sync[i]) > cosigned)
            cosigned = sync_cosigned_ms(a->sync[i]);
    off = cosigned && (now > cosigned + CLOCK_DAY_MS || now + CLOCK_DAY_MS < cosigned);
    if (doubted)
        *doubted = off;
    return off ? cosigned : now;
}

/* ---- drafting ---- */

static uint64_t word_index(const struct span *word, size_t n, struct span s)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq(word[i], s))
            return i + 1;
    return 0;
}

/* Everybody named, each action addressee followed by its alternates that are members too. */
static size_t draft_recipients(const struct directory *dir, const struct draft_input *in,
                               const struct agreement_channel *channel,
                               struct recipient to[static ENVELOPE_TO_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < in->n_to && n < ENVELOPE_TO_MAX; i++) {
        const struct card_poc *poc = directory_poc(dir, DIRECTORY_NOW, in->to[i].poc);
        unsigned alternates = 0;

        to[n++] = in->to[i];
        if (in->to[i].role != ROLE_ACTION || !poc)
            continue;
        for (size_t k = 0; k < poc->n_alternates && n < ENVELOPE_TO_MAX; k++) {
            /* who announced no subkeys cannot read: no reason to stop the message */
            bool named = !channel_member(channel, poc->alternate[k]) ||
                         !directory_last_subkey_day(dir, DIRECTORY_NOW, poc->alternate[k], NULL);

            for (size_t j = 0; j < in->n_to; j++)
                named |= span_eq(in->to[j].poc, poc->alternate[k]);
            for (size_t j = 0; j < n; j++)
                named |= span_eq(to[j].poc, poc->alternate[k]);
            if (!named)
                to[n++] = (struct recipient){ poc->alternate[k], ROLE_ALTERNATE + ++alternates };
        }
    }
    return n;
}

static int draft_labels(const struct draft_input *in, const struct agreement *ag, struct header *h,
                        char index[2][24], struct buf *why)
{
    static const char *const name[2] = { "category", "marking" };
    uint64_t v[2] = { word_index(ag->category, ag->n_categories, in->category),
                      word_index(ag->marking, ag->n_markings, in->marking) };

    if (in->seal_labels && !ag->sealed) {
        buf_printf(why, "%.*s does not seal category and marking", (int)ag->name.n,
                   (const char *)ag->name.p);
        return -HL_EKIND;
    }
    for (size_t i = 0; i < 2; i++) {
        struct span word = i ? in->marking : in->category;

        if (v[i] == 0) {
            buf_printf(why, "%s \"%.*s\" is not in %.*s", name[i], (int)word.n,
                       (const char *)word.p, (int)ag->name.n, (const char *)ag->name.p);
            return i ? -HL_EMARKING : -HL_ECATEGORY;
        }
        snprintf(index[i], 24, "%llu", (unsigned long long)v[i]);
        if (in->seal_labels && in->content->n < CONTENT_FIELDS_MAX) {
            in->content->name[in->content->n] = span_str(name[i]);
            in->content->field[in->content->n++] = span_str(index[i]);
        }
    }
    if (!in->seal_labels) {
        h->category = v[0];
        h->marking = v[1];
    }
    return 0;
}

/* Said before anything is missed that only members have. */
static int draft_members(const struct draft_input *in, const struct agreement_channel *channel,
                         struct buf *why)
{
    for (size_t i = 0; i < in->n_to; i++) {
        struct span poc = in->to[i].poc;

        if (channel_member(channel, poc))
            continue;
        buf_printf(why,
                   "%.*s is not a member of channel %.*s. See `hotline agreement explain` for who "
                   "may write to whom.",
                   (int)poc.n, (const char *)poc.p, (int)channel->name.n,
                   (const char *)channel->name.p);
        return -HL_EMEMBER;
    }
    return 0;
}

int compose_draft(struct agent *a, const struct draft_input *in, struct desk_draft *out,
                  struct buf *why)
{
    struct header *h = calloc(1, sizeof(*h));
    struct content decoded;
    struct channel_facts facts;
    struct sync *s;
    uint8_t commit[32];
    char index[2][24];
    int rc = -HL_ENOMEM;

    desk_draft_init(out);
    if (!h)
        goto out;
    s = compose_channel(a, in->channel_name, NULL, &facts, &rc, why);
    if (!s)
        goto out;
    rc = draft_members(in, facts.channel, why);
    if (rc)
        goto out;
    h->realm = a->station->realm;
    h->kind = in->kind;
    h->code = in->code;
    h->channel = facts.channel->id;
    h->sender = span_str(a->station->poc);
    h->drafted_ms = out->made_ms = compose_now(a, NULL);
    h->n_to = draft_recipients(sync_directory(s), in, facts.channel, h->to);
    h->n_refs = in->n_refs;
    memcpy(h->ref, in->ref, in->n_refs * sizeof(in->ref[0]));
    rc = draft_labels(in, facts.agreement, h, index, why);
    if (rc)
        goto out;
    rc = content_put(&out->content, in->content);
    if (!rc)
        rc = content_decode(&decoded, buf_span(&out->content));
    if (rc)
        goto out;
    randombytes_buf(out->salt, sizeof(out->salt));
    content_commit(commit, h->realm, out->salt, &decoded);
    h->commit = SPAN(commit, 32);
    rc = header_put(&out->header, h);
    if (rc)
        goto out;
    envelope_mid(out->mid, h->realm, buf_span(&out->header));
    out->precedence = in->precedence;
    out->ack_within_s =
        in->ack_within_s ? in->ack_within_s : facts.agreement->deadline_s[in->precedence & 3];
    out->lifetime_s = in->lifetime_s;
out:
    if (rc)
        document_say(why, rc, "%s", error_text(rc)); /* unless something closer was said */
    free(h);
    return rc;
}

int compose_sign_draft(struct agent *a, struct desk_draft *draft, const struct seckey *key)
{
    memcpy(draft->draft_key, seckey_public(key), 32);
    draft->signed_draft = true;
    return seal_draft(key, a->station->realm, draft->mid, draft->draft_sig);
}
