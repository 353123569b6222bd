/*
 * In the order of FORMATS 2, Identity: realm, key in force and permitted, draft key and holder,
 * agreement, target, number.  Each refusal says what and what to do; nothing here allocates.
 */
#include "common/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"

#define SHOW(s) (int)(s).n, (const char *)(s).p
#define ORIGIN(s) (int)((s).n < 64 ? (s).n : 64), (const char *)(s).p
#define BIT(kind) (UINT64_C(1) << (kind))

/* Form and text without an attachment; an attachment comes on top. */
#define TEXT_BYTES 32768
#define PLAIN_OVERHEAD 36 /* salt and length, FORMATS 2 */

#define CONTENT_KINDS                                                                              \
    (BIT(KIND_NOTIFICATION) | BIT(KIND_REQUEST) | BIT(KIND_REPLY) | BIT(KIND_INFORMATION) |        \
     BIT(KIND_CORRECTION))
#define ANSWERABLE                                                                                 \
    (CONTENT_KINDS | BIT(KIND_RETRACTION) | BIT(KIND_ENDORSEMENT) | BIT(KIND_EXERCISE_CONTROL))

/* Who may send a message about the target. */
enum teller { TELLER_ANY, TELLER_SENDER, TELLER_RECIPIENT, TELLER_EITHER };

/* What each kind needs: of its key, of a second person, of its target. */
static const struct duty {
    unsigned kind;
    unsigned any; /* one of these permissions */
    bool two;     /* draft and release, by two where the rule binds */
    enum teller teller;
    uint64_t targets; /* kinds that refs[0] may be; 0: no target */
} duties[] = {
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

struct judging {
    const struct envelope *env;
    const struct rules_facts *f;
    const struct duty *duty;
    struct verdict *v;
    struct channel_facts channel;
    struct key_facts key; /* of the stamp */
};

static int refuse(struct judging *j, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Cut at 255 bytes, but never within a character: names and words are ASCII, titles are not shown.
 */
static int refuse(struct judging *j, int rc, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(j->v->sentence, sizeof(j->v->sentence), fmt, ap);
    va_end(ap);
    return rc;
}

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

/* ---- keys ---- */

static int key_missing(struct judging *j, int rc, const char *whose)
{
    struct span sender = j->env->header.sender;

    if (rc == -HL_ESTOPPED)
        return refuse(j, rc,
                      "The %s key of %.*s has been stopped or revoked. Sign with another position; "
                      "a new card of the party lifts a stop.",
                      whose, SHOW(sender));
    if (rc == -HL_EVALIDITY)
        return refuse(j, rc,
                      "The card of %.*s is not valid now. Its party must publish a renewed card.",
                      SHOW(name_party(sender)));
    return refuse(j, -HL_EKEY,
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
    return refuse(j, -HL_EPERM,
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
        return refuse(j, -HL_EKIND, "A %s is signed by one key alone. Send it without a draft.",
                      kind_name(j->duty->kind));
    rc = directory_key(j->f->dir, j->f->at, j->f->time_ms, stamp->draft_key, &drafter);
    if (rc || !span_eq(drafter.poc, j->env->header.sender))
        return key_missing(j, rc, "drafter's");
    if (!(drafter.permissions & PERM_DRAFT))
        return forbidden(j, &drafter, PERM_DRAFT);
    if (memcmp(stamp->draft_key, stamp->key, 32) == 0 || span_eq(drafter.holder, j->key.holder))
        return refuse(j, -HL_EHOLDER,
                      "%.*s drafted this, and the releaser %.*s is the same holder (%.*s). Let "
                      "another holder of %.*s release it.",
                      SHOW(drafter.position), SHOW(j->key.position), SHOW(j->key.holder),
                      SHOW(drafter.poc));
    return 0;
}

/* ---- agreement ---- */

static int check_host(struct judging *j)
{
    const struct agreement *a = j->channel.agreement;
    struct span origin = j->f->origin;

    if (!origin.n)
        return 0;
    if (directory_stopped_host(j->f->dir, j->f->at, origin))
        return refuse(j, -HL_ESTOPPED,
                      "The host %.*s has been stopped by its party. Submit to another host.",
                      ORIGIN(origin));
    for (size_t i = 0; i < a->n_hosts; i++)
        if (span_eq(a->host[i], origin))
            return 0;
    refuse(j, -HL_EHOST,
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
        return refuse(j, rc,
                      "No agreement known here has this channel. Check the channel's name; the "
                      "parties submit the signed agreement first.");
    if (rc == -HL_EFORCE)
        return refuse(j, rc,
                      "Agreement %.*s is not in force: parties that it needs have not signed. See "
                      "`hotline agreement show`.",
                      SHOW(name));
    if ((rc == -HL_ESTOPPED || rc == -HL_EVALIDITY) && kind_is_step(j->duty->kind) &&
        f->target.known)
        return 0; /* what was recorded while it was in force can still be answered for */
    if (rc == -HL_ESTOPPED)
        return refuse(j, rc,
                      "Agreement %.*s is suspended: a party has stopped it. Nothing new is taken; "
                      "use another channel or the telephone.",
                      SHOW(name));
    if (rc == -HL_EVALIDITY)
        return refuse(j, rc,
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
        return refuse(j, rc,
                      "The %s %.*s is no member of channel %.*s. See `hotline agreement explain` "
                      "for who may write to whom.",
                      as, SHOW(poc), SHOW(channel));
    if (rc == -HL_EFORCE)
        return refuse(j, rc,
                      "The party of the %s %.*s has not signed agreement %.*s. Leave it out, or "
                      "wait until it has.",
                      as, SHOW(poc), SHOW(name));
    if (rc == -HL_ESTOPPED)
        return refuse(j, rc,
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
        return refuse(j, -HL_EKIND, "A %s names its recipients; this one names none.",
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
        refuse(j, rc,
               "Agreement %.*s does not let the %s be sealed. Choose one of: ", SHOW(a->name),
               what);
    else
        refuse(j, rc, "Agreement %.*s has no %s number %llu. Choose one of: ", SHOW(a->name), what,
               (unsigned long long)index);
    list_words(j, word, n);
    return rc;
}

static int check_psk(struct judging *j)
{
    const struct agreement *a = j->channel.agreement;
    bool used = j->env->stamp.psk_step > 0;

    if (a->psk == PSK_REQUIRED && !used)
        return refuse(j, -HL_EPSK,
                      "Agreement %.*s requires a pre-shared key, and this message uses none. See "
                      "`hotline psk list`; bring one by courier.",
                      SHOW(a->name));
    if (a->psk == PSK_NONE && used)
        return refuse(j, -HL_EPSK,
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
        return refuse(j, -HL_EFLASH,
                      "A FLASH is bare: at most 4 KiB, and this has %llu KiB. Send the annex as "
                      "PRIORITY with a reference to the FLASH.",
                      (unsigned long long)(size / 1024));
    if (size > most)
        return refuse(j, -HL_EATTACHMENT,
                      "Agreement %.*s takes attachments of at most %llu bytes, and this message "
                      "has %llu KiB sealed. Send the annex in parts.",
                      SHOW(a->name), (unsigned long long)largest,
                      (unsigned long long)(size / 1024));
    return 0;
}

/* A message sealed to a stopped subkey is not taken: who stole the key could read it. */
static int check_subkeys(struct judging *j)
{
    const struct wraps *w = &j->env->wraps;

    for (size_t i = 0; i < w->n && i < j->env->header.n_to; i++)
        if (directory_subkey_stopped(j->f->dir, j->f->at, w->wrap[i].subkey))
            return refuse(j, -HL_ESTOPPED,
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
        return refuse(j, -HL_ETWOPERSON,
                      "Agreement %.*s never lets one position of %.*s release alone. Let another "
                      "holder run `hotline release`.",
                      SHOW(a->name), SHOW(sender));
    return refuse(j, -HL_ETWOPERSON,
                  "Agreement %.*s demands release by a second position of %.*s. Draft it, and let "
                  "another holder run `hotline release`%s.",
                  SHOW(a->name), SHOW(sender),
                  a->alone ? "; after 5 minutes in vain one may release alone" : "");
}

static int check_agreement(struct judging *j)
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
                   : refuse(j, -HL_ETARGET,
                            "%.*s sent that message; a %s comes from its sender. Send a reply "
                            "instead.",
                            SHOW(t->sender), kind);
    case TELLER_RECIPIENT:
        return got ? 0
                   : refuse(j, -HL_ETARGET,
                            "%.*s did not receive that message; \"%s\" comes from a recipient. "
                            "Check the number.",
                            SHOW(sender), kind);
    case TELLER_EITHER:
        return own || got ? 0
                          : refuse(j, -HL_ETARGET,
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
        return refuse(j, -HL_ETARGET, "A void gives up a message of its own sender, not of %.*s.",
                      SHOW(t->sender));
    if (!j->duty->targets)
        return 0;
    if (h->n_refs == 0)
        return refuse(j, -HL_ETARGET, "A %s refers to a message; this one refers to none.", kind);
    if (!t->known)
        return refuse(j, -HL_ETARGET,
                      "The message that this %s refers to is not known here. Check the number; "
                      "send it again when that message is recorded.",
                      kind);
    if (memcmp(t->channel, h->channel, 32) != 0)
        return refuse(j, -HL_ETARGET,
                      "The message that this %s refers to is on another channel. A thread belongs "
                      "to one channel: answer it there.",
                      kind);
    if (t->kind > KIND_EXERCISE_CONTROL || !(j->duty->targets & BIT(t->kind)))
        return refuse(j, -HL_ETARGET, "A %s cannot refer to a %s. Check the number.", kind,
                      kind_name(t->kind) ? kind_name(t->kind) : "message of unknown kind");
    return check_teller(j);
}

static int check_number(struct judging *j)
{
    char number[NUMBER_SIZE];

    if (j->f->number != NUMBER_OTHER)
        return 0;
    number_print(number, j->env->header.sender, j->env->stamp.seq);
    return refuse(j, -HL_ENUMBER,
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
        rc = refuse(&j, -HL_EREALM,
                    "This message belongs to the other realm. Use the installation "
                    "of that realm.");
    else if (!j.duty)
        rc = refuse(&j, -HL_EKIND, "This kind of message is unknown. Update this installation.");
    else
        rc = check_key(&j);
    if (!rc)
        rc = check_draft(&j);
    if (!rc)
        rc = check_agreement(&j);
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
