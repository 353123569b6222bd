/* What the agreement says of an envelope: channel, host, members, content, release by two. */
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/rules_inner.h"

#define ORIGIN(s) (int)((s).n < 64 ? (s).n : 64), (const char *)(s).p

/* Form and text without an attachment; an attachment comes on top. */
#define TEXT_BYTES 32768
#define PLAIN_OVERHEAD 36 /* salt and length, FORMATS 2 */

/* Append ", "-joined words to the sentence, as many as fit. */
static void list_words(struct judging *j, const struct span *word, size_t n)
{
    char *s = j->v->sentence;
    size_t at = strlen(s), room = sizeof(j->v->sentence);

    for (size_t i = 0; i < n; i++) {
        if (at + word[i].n + 2 + 5 >= room) {
            snprintf(s + at, room - at, ", ...");
            return;
        }
        at += (size_t)snprintf(s + at, room - at, "%s%.*s", i ? ", " : "", SHOW(word[i]));
    }
}

static int check_host(struct judging *j)
{
    const struct agreement *a = j->channel.agreement;
    struct span origin = j->f->origin;

    if (!origin.n)
        return 0;
    if (directory_stopped_host(j->f->dir, j->f->at, origin))
        return rules_refuse(j, -HL_ESTOPPED,
                            "The host %.*s has been stopped by its party. Submit to another host.",
                            ORIGIN(origin));
    for (size_t i = 0; i < a->n_hosts; i++)
        if (span_eq(a->host[i], origin))
            return 0;
    rules_refuse(j, -HL_EHOST,
                 "Agreement %.*s does not name the host %.*s. Submit to one that it names: ",
                 SHOW(a->name), ORIGIN(origin));
    list_words(j, a->host, a->n_hosts);
    return -HL_EHOST;
}

static int check_channel(struct judging *j)
{
    const struct rules_facts *f = j->f;
    int rc = directory_channel(f->dir, f->at, f->time_ms, j->env->header.channel, &j->channel);
    struct span name = j->channel.agreement ? j->channel.agreement->name : SPAN_NONE;

    j->v->agreement = j->channel.agreement;
    j->v->channel = j->channel.channel;
    if (rc == -HL_ECHANNEL)
        return rules_refuse(
            j, rc,
            "No agreement known here has this channel. Check the channel's name; the "
            "parties submit the signed agreement first.");
    if (rc == -HL_EFORCE)
        return rules_refuse(
            j, rc,
            "Agreement %.*s is not in force: parties that it needs have not signed. See "
            "`hotline agreement show`.",
            SHOW(name));
    if ((rc == -HL_ESTOPPED || rc == -HL_EVALIDITY) && kind_is_step(j->duty->kind) &&
        f->target.known)
        return 0; /* what was recorded while it was in force can still be answered for */
    if (rc == -HL_ESTOPPED)
        return rules_refuse(
            j, rc,
            "Agreement %.*s is suspended: a party has stopped it. Nothing new is taken; "
            "use another channel or the telephone.",
            SHOW(name));
    if (rc == -HL_EVALIDITY)
        return rules_refuse(j, rc,
                            "Agreement %.*s is outside its time of validity. Use a channel of an "
                            "agreement that is valid.",
                            SHOW(name));
    return rc;
}

static int check_member(struct judging *j, struct span poc, const char *as)
{
    struct span name = j->channel.agreement->name, channel = j->channel.channel->name;
    int rc = directory_member(j->f->dir, j->f->at, &j->channel, poc);

    if (rc == -HL_ESTOPPED && kind_is_step(j->duty->kind) && j->f->target.known)
        return 0;
    if (rc == -HL_EMEMBER)
        return rules_refuse(
            j, rc,
            "The %s %.*s is no member of channel %.*s. See `hotline agreement explain` "
            "for who may write to whom.",
            as, SHOW(poc), SHOW(channel));
    if (rc == -HL_EFORCE)
        return rules_refuse(
            j, rc,
            "The party of the %s %.*s has not signed agreement %.*s. Leave it out, or "
            "wait until it has.",
            as, SHOW(poc), SHOW(name));
    if (rc == -HL_ESTOPPED)
        return rules_refuse(
            j, rc,
            "The party of the %s %.*s has suspended agreement %.*s. Leave it out, or use "
            "the telephone.",
            as, SHOW(poc), SHOW(name));
    return rc;
}

static int check_members(struct judging *j)
{
    const struct header *h = &j->env->header;
    int rc = check_member(j, h->sender, "sender");

    if (!rc && h->n_to == 0 && !kind_is_step(h->kind))
        return rules_refuse(j, -HL_EKIND, "A %s names its recipients; this one names none.",
                            kind_name(h->kind));
    for (size_t i = 0; !rc && i < h->n_to; i++)
        rc = check_member(j, h->to[i].poc, "recipient");
    return rc;
}

/* One of the agreement's words, by its index from 1; 0 only where it may be sealed. */
static int check_word(struct judging *j, int rc, const char *what, uint64_t index,
                      const struct span *word, size_t n)
{
    const struct agreement *a = j->channel.agreement;

    if (index ? index <= n : a->sealed)
        return 0;
    if (index == 0)
        rules_refuse(j, rc,
                     "Agreement %.*s does not let the %s be sealed. Choose one of: ", SHOW(a->name),
                     what);
    else
        rules_refuse(j, rc, "Agreement %.*s has no %s number %llu. Choose one of: ", SHOW(a->name),
                     what, (unsigned long long)index);
    list_words(j, word, n);
    return rc;
}

static int check_psk(struct judging *j)
{
    const struct agreement *a = j->channel.agreement;
    bool used = j->env->stamp.psk_step > 0;

    if (a->psk == PSK_REQUIRED && !used)
        return rules_refuse(
            j, -HL_EPSK,
            "Agreement %.*s requires a pre-shared key, and this message uses none. See "
            "`hotline psk list`; bring one by courier.",
            SHOW(a->name));
    if (a->psk == PSK_NONE && used)
        return rules_refuse(
            j, -HL_EPSK,
            "Agreement %.*s knows no pre-shared key, and this message uses one. Seal it "
            "without.",
            SHOW(a->name));
    return 0;
}

static uint64_t bucket(uint64_t len)
{
    uint64_t b = ENVELOPE_BUCKET_MIN;

    while (b < len)
        b *= 2;
    return b;
}

static int check_size(struct judging *j)
{
    const struct agreement *a = j->channel.agreement;
    uint64_t size = j->env->body_len - ENVELOPE_TAG, largest = 0, most;

    for (size_t i = 0; i < a->n_attachments; i++)
        largest = a->attachment[i].max > largest ? a->attachment[i].max : largest;
    if (j->env->body_len < ENVELOPE_TAG)
        return 0; /* of a record the body is not known */
    most = bucket(PLAIN_OVERHEAD + TEXT_BYTES + largest);
    if (j->env->stamp.precedence == PRECEDENCE_FLASH && size > ENVELOPE_BUCKET_MIN)
        return rules_refuse(
            j, -HL_EFLASH,
            "A FLASH is bare: at most 4 KiB, and this has %llu KiB. Send the annex as "
            "PRIORITY with a reference to the FLASH.",
            (unsigned long long)(size / 1024));
    if (size > most)
        return rules_refuse(
            j, -HL_EATTACHMENT,
            "Agreement %.*s takes attachments of at most %llu bytes, and this message "
            "has %llu KiB sealed. Send the annex in parts.",
            SHOW(a->name), (unsigned long long)largest, (unsigned long long)(size / 1024));
    return 0;
}

/* A message sealed to a stopped subkey is not taken: who stole the key could read it. */
static int check_subkeys(struct judging *j)
{
    const struct wraps *w = &j->env->wraps;

    for (size_t i = 0; i < w->n && i < j->env->header.n_to; i++)
        if (directory_subkey_stopped(j->f->dir, j->f->at, w->wrap[i].subkey))
            return rules_refuse(
                j, -HL_ESTOPPED,
                "The subkey of %.*s that this is sealed to has been stopped. Seal it "
                "again to the newest subkeys.",
                SHOW(j->env->header.to[i].poc));
    return 0;
}

static int check_body(struct judging *j)
{
    const struct agreement *a = j->channel.agreement;
    const struct header *h = &j->env->header;
    int rc;

    if (h->commit.n == 0)
        return 0;
    rc = check_word(j, -HL_ECATEGORY, "category", h->category, a->category, a->n_categories);
    if (!rc)
        rc = check_word(j, -HL_EMARKING, "marking", h->marking, a->marking, a->n_markings);
    if (!rc)
        rc = check_psk(j);
    if (!rc)
        rc = check_size(j);
    return rc ? rc : check_subkeys(j);
}

/*
 * The two-position rule binds a PoC whose card lists two holders who may release.  With a draft
 * check_draft() has seen two; without, the flags say that one overrode it, where that is allowed.
 */
static int check_two(struct judging *j)
{
    const struct agreement *a = j->channel.agreement;
    const struct stamp *stamp = &j->env->stamp;
    unsigned alone = stamp->flags & (FLAG_BREAK_GLASS | FLAG_RELEASED_ALONE);
    struct span sender = j->env->header.sender;

    if (!j->duty->two || !a->two_person || stamp->draft_key)
        return 0;
    if (j->duty->kind == KIND_ENDORSEMENT && span_eq(j->f->target.sender, sender))
        return 0; /* of one's own message: it is the second signature */
    if (directory_release_holders(j->f->dir, j->f->at, j->f->time_ms, sender) < 2)
        return 0;
    if (alone && a->alone)
        return 0;
    if (alone)
        return rules_refuse(
            j, -HL_ETWOPERSON,
            "Agreement %.*s never lets one position of %.*s release alone. Let another "
            "holder run `hotline release`.",
            SHOW(a->name), SHOW(sender));
    return rules_refuse(
        j, -HL_ETWOPERSON,
        "Agreement %.*s demands release by a second position of %.*s. Draft it, and let "
        "another holder run `hotline release`%s.",
        SHOW(a->name), SHOW(sender),
        a->alone ? "; after 5 minutes in vain one may release alone" : "");
}

int rules_agreement(struct judging *j)
{
    int rc = check_channel(j);

    if (!rc)
        rc = check_host(j);
    if (!rc)
        rc = check_members(j);
    if (!rc)
        rc = check_body(j);
    return rc ? rc : check_two(j);
}
