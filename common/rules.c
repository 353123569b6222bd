/*
 * In the order of FORMATS 2, Identity: realm, key in force and permitted, draft key and holder,
 * agreement, target, number.  Each refusal says what and what to do; nothing here allocates.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/rules_inner.h"

#define CONTENT_KINDS                                                                              \
    (BIT(KIND_NOTIFICATION) | BIT(KIND_REQUEST) | BIT(KIND_REPLY) | BIT(KIND_INFORMATION) |        \
     BIT(KIND_CORRECTION))
#define ANSWERABLE                                                                                 \
    (CONTENT_KINDS | BIT(KIND_RETRACTION) | BIT(KIND_ENDORSEMENT) | BIT(KIND_EXERCISE_CONTROL))

/* What each kind needs. */
static const struct duty duties[] = {
    { KIND_NOTIFICATION, PERM_RELEASE, true, TELLER_ANY, 0 },
    { KIND_REQUEST, PERM_RELEASE, true, TELLER_ANY, 0 },
    { KIND_REPLY, PERM_RELEASE, true, TELLER_EITHER,
      CONTENT_KINDS | BIT(KIND_ENDORSEMENT) | BIT(KIND_EXERCISE_CONTROL) },
    { KIND_INFORMATION, PERM_RELEASE, true, TELLER_ANY, 0 },
    { KIND_CORRECTION, PERM_RELEASE, true, TELLER_SENDER,
      CONTENT_KINDS | BIT(KIND_EXERCISE_CONTROL) },
    { KIND_RETRACTION, PERM_DRAFT | PERM_RELEASE | PERM_ACKNOWLEDGE, false, TELLER_SENDER,
      ANSWERABLE },
    { KIND_ENDORSEMENT, PERM_RELEASE, true, TELLER_EITHER, ANSWERABLE },
    { KIND_LINK_TEST, PERM_MACHINE, false, TELLER_ANY, 0 },
    { KIND_VOID, PERM_MACHINE, false, TELLER_ANY, 0 },
    { KIND_DELIVERED, PERM_MACHINE, false, TELLER_RECIPIENT, ANSWERABLE },
    { KIND_ACKNOWLEDGED, PERM_ACKNOWLEDGE, false, TELLER_RECIPIENT, ANSWERABLE },
    { KIND_UNDERSTOOD, PERM_ACKNOWLEDGE, false, TELLER_RECIPIENT, ANSWERABLE },
    { KIND_PASSED, PERM_ACKNOWLEDGE, false, TELLER_RECIPIENT, ANSWERABLE },
    { KIND_REFUSED, PERM_ACKNOWLEDGE, false, TELLER_RECIPIENT, ANSWERABLE },
    { KIND_CANNOT_READ, PERM_MACHINE, false, TELLER_RECIPIENT, ANSWERABLE },
    { KIND_EXERCISE_CONTROL, PERM_RELEASE, true, TELLER_ANY, 0 },
};

static const struct duty *duty_of(unsigned kind)
{
    for (size_t i = 0; i < COUNT(duties); i++)
        if (duties[i].kind == kind)
            return &duties[i];
    return NULL;
}

/* Cut at 255 bytes, but never within a character: names and words are ASCII. */
int rules_refuse(struct judging *j, int rc, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(j->v->sentence, sizeof(j->v->sentence), fmt, ap);
    va_end(ap);
    return rc;
}

/* ---- keys ---- */

static int key_missing(struct judging *j, int rc, const char *whose)
{
    struct span sender = j->env->header.sender;

    if (rc == -HL_ESTOPPED)
        return rules_refuse(
            j, rc,
            "The %s key of %.*s has been stopped or revoked. Sign with another position; "
            "a new card of the party lifts a stop.",
            whose, SHOW(sender));
    if (rc == -HL_EVALIDITY)
        return rules_refuse(
            j, rc, "The card of %.*s is not valid now. Its party must publish a renewed card.",
            SHOW(name_party(sender)));
    return rules_refuse(
        j, -HL_EKEY,
        "The %s key stands in no card in force at %.*s. Publish a card that lists it, or "
        "sign with a key that the card lists.",
        whose, SHOW(sender));
}

static void permission_words(unsigned p, char *out, size_t max)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = { { PERM_DRAFT, "draft" },
                  { PERM_RELEASE, "release" },
                  { PERM_ACKNOWLEDGE, "acknowledge" },
                  { PERM_MACHINE, "machine" } };
    size_t at = 0;

    out[0] = 0;
    for (size_t i = 0; i < COUNT(words); i++)
        if (p & words[i].bit)
            at += (size_t)snprintf(out + at, max - at, "%s%s", at ? " or " : "", words[i].word);
}

static int forbidden(struct judging *j, const struct key_facts *key, unsigned want)
{
    char words[64];

    permission_words(want, words, sizeof(words));
    return rules_refuse(j, -HL_EPERM,
                        "Position %.*s of %.*s may not sign this: a %s needs permission %s. Let a "
                        "position with it sign.",
                        SHOW(key->position), SHOW(key->poc), kind_name(j->env->header.kind), words);
}

static int check_key(struct judging *j)
{
    const struct stamp *stamp = &j->env->stamp;
    int rc = directory_key(j->f->dir, j->f->at, j->f->time_ms, stamp->key, &j->key);

    if (rc || !span_eq(j->key.poc, j->env->header.sender))
        return key_missing(j, rc, "signing");
    if (!(j->key.permissions & j->duty->any))
        return forbidden(j, &j->key, j->duty->any);
    if (j->duty->two && !stamp->draft_key && !(j->key.permissions & PERM_DRAFT))
        return forbidden(j, &j->key, PERM_DRAFT);
    return 0;
}

static int check_draft(struct judging *j)
{
    const struct stamp *stamp = &j->env->stamp;
    struct key_facts drafter;
    int rc;

    if (!stamp->draft_key)
        return 0;
    if (!j->duty->two)
        return rules_refuse(j, -HL_EKIND,
                            "A %s is signed by one key alone. Send it without a draft.",
                            kind_name(j->duty->kind));
    rc = directory_key(j->f->dir, j->f->at, j->f->time_ms, stamp->draft_key, &drafter);
    if (rc || !span_eq(drafter.poc, j->env->header.sender))
        return key_missing(j, rc, "drafter's");
    if (!(drafter.permissions & PERM_DRAFT))
        return forbidden(j, &drafter, PERM_DRAFT);
    if (memcmp(stamp->draft_key, stamp->key, 32) == 0 || span_eq(drafter.holder, j->key.holder))
        return rules_refuse(
            j, -HL_EHOLDER,
            "%.*s drafted this, and the releaser %.*s is the same holder (%.*s). Let "
            "another holder of %.*s release it.",
            SHOW(drafter.position), SHOW(j->key.position), SHOW(j->key.holder), SHOW(drafter.poc));
    return 0;
}

/* ---- target and number ---- */

static bool received(const struct target *t, struct span poc)
{
    for (size_t i = 0; i < t->n_to; i++)
        if (span_eq(t->to[i].poc, poc))
            return true;
    return false;
}

static int check_teller(struct judging *j)
{
    const struct target *t = &j->f->target;
    struct span sender = j->env->header.sender;
    bool own = span_eq(t->sender, sender), got = received(t, sender);
    const char *kind = kind_name(j->duty->kind);

    switch (j->duty->teller) {
    case TELLER_ANY:
        return 0;
    case TELLER_SENDER:
        return own ? 0
                   : rules_refuse(
                         j, -HL_ETARGET,
                         "%.*s sent that message; a %s comes from its sender. Send a reply "
                         "instead.",
                         SHOW(t->sender), kind);
    case TELLER_RECIPIENT:
        return got ? 0
                   : rules_refuse(
                         j, -HL_ETARGET,
                         "%.*s did not receive that message; \"%s\" comes from a recipient. "
                         "Check the number.",
                         SHOW(sender), kind);
    case TELLER_EITHER:
        return own || got
                   ? 0
                   : rules_refuse(j, -HL_ETARGET,
                                  "%.*s neither sent nor received that message; a %s refers to "
                                  "one of its own. Check the number.",
                                  SHOW(sender), kind);
    }
    return 0;
}

static int check_target(struct judging *j)
{
    const struct target *t = &j->f->target;
    const struct header *h = &j->env->header;
    const char *kind = kind_name(h->kind);

    if (h->kind == KIND_VOID && t->known && !span_eq(t->sender, h->sender))
        return rules_refuse(j, -HL_ETARGET,
                            "A void gives up a message of its own sender, not of %.*s.",
                            SHOW(t->sender));
    if (!j->duty->targets)
        return 0;
    if (h->n_refs == 0)
        return rules_refuse(j, -HL_ETARGET, "A %s refers to a message; this one refers to none.",
                            kind);
    if (!t->known)
        return rules_refuse(
            j, -HL_ETARGET,
            "The message that this %s refers to is not known here. Check the number; "
            "send it again when that message is recorded.",
            kind);
    if (memcmp(t->channel, h->channel, 32) != 0)
        return rules_refuse(
            j, -HL_ETARGET,
            "The message that this %s refers to is on another channel. A thread belongs "
            "to one channel: answer it there.",
            kind);
    if (t->kind > KIND_EXERCISE_CONTROL || !(j->duty->targets & BIT(t->kind)))
        return rules_refuse(j, -HL_ETARGET, "A %s cannot refer to a %s. Check the number.", kind,
                            kind_name(t->kind) ? kind_name(t->kind) : "message of unknown kind");
    return check_teller(j);
}

static int check_number(struct judging *j)
{
    char number[NUMBER_SIZE];

    if (j->f->number != NUMBER_OTHER)
        return 0;
    number_print(number, j->env->header.sender, j->env->stamp.seq);
    return rules_refuse(
        j, -HL_ENUMBER,
        "%s already stands for another envelope. Do not send under it again: if the "
        "desk was restored from a backup, begin a new chain.",
        number);
}

/* ---- verdict ---- */

/* The agreement's deadline; the sender may give more time, but not less. */
static void set_deadlines(struct judging *j)
{
    const struct agreement *a = j->channel.agreement;
    const struct stamp *stamp = &j->env->stamp;
    uint64_t deadline_s = a->deadline_s[stamp->precedence];

    j->v->handling_s = a->handling_s[stamp->precedence];
    if (!(ANSWERABLE & BIT(j->duty->kind)) || !deadline_s)
        return;
    j->v->deadline_s = stamp->ack_within_s > deadline_s ? stamp->ack_within_s : deadline_s;
}

int rules_judge(const struct envelope *env, const struct rules_facts *f, struct verdict *v)
{
    struct judging j = { .env = env, .f = f, .v = v, .duty = duty_of(env->header.kind) };
    int rc;

    *v = (struct verdict){ 0 };
    if (env->header.realm != directory_realm(f->dir))
        rc = rules_refuse(&j, -HL_EREALM,
                          "This message belongs to the other realm. Use the installation "
                          "of that realm.");
    else if (!j.duty)
        rc = rules_refuse(&j, -HL_EKIND,
                          "This kind of message is unknown. Update this installation.");
    else
        rc = check_key(&j);
    if (!rc)
        rc = check_draft(&j);
    if (!rc)
        rc = rules_agreement(&j);
    if (!rc)
        rc = check_target(&j);
    if (!rc)
        rc = check_number(&j);
    v->rc = rc;
    if (rc)
        return rc;
    v->alone = j.duty->two && (env->stamp.flags & (FLAG_BREAK_GLASS | FLAG_RELEASED_ALONE));
    set_deadlines(&j);
    return 0;
}

/* ---- recipients ---- */

static int add(struct recipient *out, size_t *n, size_t max, struct recipient r)
{
    if (*n == max)
        return -HL_ETOOBIG;
    out[(*n)++] = r;
    return 0;
}

int rules_recipients(const struct envelope *env, const struct target *t, struct recipient *out,
                     size_t max)
{
    const struct header *h = &env->header;
    size_t n = 0;
    int rc = 0;

    for (size_t i = 0; !rc && i < h->n_to; i++)
        rc = add(out, &n, max, h->to[i]);
    if (rc || h->n_to || !kind_is_step(h->kind))
        return rc ? rc : (int)n;
    if (!t->known)
        return -HL_ETARGET;
    rc = add(out, &n, max, (struct recipient){ t->sender, ROLE_INFORMATION });
    for (size_t i = 0; !rc && h->kind != KIND_DELIVERED && i < t->n_to; i++) {
        struct recipient r = t->to[i];

        if (r.role < ROLE_ALTERNATE)
            r.role = ROLE_INFORMATION; /* an alternate stays one: it has not seen the message yet */
        if (!span_eq(r.poc, h->sender) && !span_eq(r.poc, t->sender))
            rc = add(out, &n, max, r);
    }
    return rc ? rc : (int)n;
}
