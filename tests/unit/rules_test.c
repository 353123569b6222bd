#include <sodium.h>
#include <stdlib.h>

#include "common/error.h"
#include "common/rules.h"
#include "common/text.h"
#include "tests/check.h"
#include "tests/world.h"

/* What of the world a row wants otherwise. */
enum change {
    AS_IS,
    NEVER_ALONE,
    ONE_PERSON,
    PSK_MUST,
    PSK_NOT,
    SEALED,
    NO_ATTACHMENTS,
    EXPIRED,
    BIG_NAMES,
    SAME_HOLDER,
    CHANGES
};

static struct world W;
static struct directory *dirs[CHANGES];
static uint8_t channels[CHANGES][WORLD_CHANNELS][32];
static struct envelope env; /* large */
static struct buf bytes;

static void change_agreement(struct agreement *a, enum change change)
{
    switch (change) {
    case AS_IS:
    case SAME_HOLDER:
    case CHANGES:
        break;
    case NEVER_ALONE:
        a->alone = false;
        break;
    case ONE_PERSON:
        a->two_person = false;
        break;
    case PSK_MUST:
        a->psk = PSK_REQUIRED;
        break;
    case PSK_NOT:
        a->psk = PSK_NONE;
        break;
    case SEALED:
        a->sealed = true;
        break;
    case NO_ATTACHMENTS:
        a->n_attachments = 0;
        break;
    case EXPIRED:
        a->until_ms = W.now_ms - 1;
        break;
    case BIG_NAMES:
        a->name = span_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ-ABCDEFGHIJKLM");
        for (size_t i = a->n_categories; i < AGREEMENT_CATEGORIES; i++) {
            static char word[AGREEMENT_CATEGORIES][64];

            snprintf(word[i], sizeof(word[i]), "category-of-a-rather-long-name-%zu", i);
            a->category[a->n_categories++] = span_str(word[i]);
        }
        break;
    }
}

/* borealia.technical gets a second key of officer-1. */
static void change_card(enum change change)
{
    struct card card;

    if (change != SAME_HOLDER)
        return;
    world_card(&card, W.realm, WORLD_BOREALIA, W.now_ms);
    for (size_t i = 0; i < card.n_pocs; i++) {
        struct card_poc *poc = &card.poc[i];
        struct world_key key = world_key("borealia.technical/watch-4");

        if (strcmp(poc->name, "borealia.technical") != 0)
            continue;
        poc->key[poc->n_keys] = (struct card_key){ .permissions = PERM_DRAFT | PERM_RELEASE,
                                                   .holder = span_str("officer-1"),
                                                   .position = span_str("watch-4") };
        memcpy(poc->key[poc->n_keys++].key, key.pk, 32);
    }
    world_set_card(&W, WORLD_BOREALIA, &card);
    world_card_release(&card);
}

static int setup(void **state)
{
    struct agreement a;

    (void)state;
    if (sodium_init() < 0)
        return -1;
    world_init(&W, REALM_LIVE, WORLD_NOW);
    buf_init(&bytes, ENVELOPE_MAX);
    for (unsigned i = 0; i < CHANGES; i++) {
        world_agreement(&a, W.realm, W.now_ms);
        change_agreement(&a, (enum change)i);
        world_set_agreement(&W, &a);
        change_card((enum change)i);
        world_agreement_release(&a);
        memcpy(channels[i], W.channel, sizeof(channels[i]));
        dirs[i] = world_directory(&W);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CHANGES; i++)
        directory_free(dirs[i]);
    buf_release(&bytes);
    world_release(&W);
    return 0;
}

/* A target, as a row names it: kind, sender, one recipient. */
struct aim {
    unsigned kind;
    const char *sender, *to;
    int channel;
};

static const struct row {
    const char *name;
    struct world_message m; /* what is zero is the default */
    enum change change;
    struct aim aim;
    enum number_state number;
    const char *origin;
    int want;
    const char *says; /* in the sentence */
} rows[] = {
    { "notification, small desk alone", { 0 }, .want = 0 },
    { "host named", { 0 }, .origin = "doria.example/live/doria/1", .want = 0 },
    { "host not named",
      { 0 },
      .origin = "evil.example/live/doria/1",
      .want = -HL_EHOST,
      .says = "doria.example/live/doria/1" },

    /* keys */
    { "key of another PoC",
      { .key = "arcadia.diplomatic/watch-1" },
      .want = -HL_EKEY,
      .says = "borealia.diplomatic" },
    { "key in no card", { .key = "watch-9" }, .want = -HL_EKEY, .says = "no card in force" },
    { "machine signs a notification", { .key = "station" }, .want = -HL_EPERM, .says = "release" },
    { "machine signs a retraction",
      { .kind = KIND_RETRACTION, .key = "station", .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "borealia.diplomatic", "arcadia.diplomatic", WORLD_CRISIS },
      .want = -HL_EPERM,
      .says = "draft or release or acknowledge" },
    { "machine acknowledges",
      { .kind = KIND_ACKNOWLEDGED, .key = "station", .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = -HL_EPERM,
      .says = "acknowledge" },
    { "position says delivered",
      { .kind = KIND_DELIVERED, .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = -HL_EPERM,
      .says = "machine" },
    { "position says cannot-read",
      { .kind = KIND_CANNOT_READ, .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = -HL_EPERM,
      .says = "machine" },
    { "position sends a link test",
      { .kind = KIND_LINK_TEST },
      .want = -HL_EPERM,
      .says = "machine" },
    { "machine sends a link test",
      { .kind = KIND_LINK_TEST, .key = "station", .category = 4 },
      .want = 0 },
    { "position sends a void", { .kind = KIND_VOID }, .want = -HL_EPERM, .says = "machine" },
    { "machine sends a void", { .kind = KIND_VOID, .key = "station" }, .want = 0 },
    { "stop key signs", { .sender = "borealia.technical", .key = "chief" }, .want = -HL_EPERM },
    { "draft-acknowledge position releases",
      { .sender = "caldera.technical", .key = "watch-2", .channel = WORLD_NOTICE },
      .want = -HL_EPERM,
      .says = "watch-2" },

    /* two persons */
    { "two positions, two holders",
      { .sender = "borealia.technical", .key = "watch-2", .draft = "watch-1" },
      .want = 0 },
    { "one position where two are bound",
      { .sender = "borealia.technical" },
      .want = -HL_ETWOPERSON,
      .says = "hotline release" },
    { "released alone",
      { .sender = "borealia.technical", .flags = FLAG_RELEASED_ALONE },
      .want = 0 },
    { "break-glass", { .sender = "borealia.technical", .flags = FLAG_BREAK_GLASS }, .want = 0 },
    { "released alone, agreement never",
      { .sender = "borealia.technical", .flags = FLAG_RELEASED_ALONE },
      .change = NEVER_ALONE,
      .want = -HL_ETWOPERSON,
      .says = "never" },
    { "break-glass, agreement never",
      { .sender = "borealia.technical", .flags = FLAG_BREAK_GLASS },
      .change = NEVER_ALONE,
      .want = -HL_ETWOPERSON,
      .says = "never" },
    { "carried by hand does not excuse",
      { .sender = "borealia.technical", .flags = FLAG_CARRIED },
      .want = -HL_ETWOPERSON },
    { "agreement of one person",
      { .sender = "borealia.technical" },
      .change = ONE_PERSON,
      .want = 0 },
    { "small desk, agreement never", { 0 }, .change = NEVER_ALONE, .want = 0 },
    { "drafter without permission",
      { .sender = "borealia.technical", .key = "watch-2", .draft = "chief" },
      .want = -HL_EPERM,
      .says = "chief" },
    { "drafter is the machine",
      { .sender = "borealia.technical", .key = "watch-2", .draft = "station" },
      .want = -HL_EPERM },
    { "drafter in no card",
      { .sender = "borealia.technical", .key = "watch-2", .draft = "watch-9" },
      .want = -HL_EKEY,
      .says = "drafter" },
    { "same key drafts and releases",
      { .sender = "borealia.technical", .key = "watch-1", .draft = "watch-1" },
      .want = -HL_EHOLDER,
      .says = "officer-1" },
    { "two keys of one holder",
      { .sender = "borealia.technical", .key = "watch-4", .draft = "watch-1" },
      .change = SAME_HOLDER,
      .want = -HL_EHOLDER,
      .says = "watch-4" },
    { "a step with a draft",
      { .kind = KIND_ACKNOWLEDGED,
        .sender = "borealia.technical",
        .draft = "watch-2",
        .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "arcadia.technical", "borealia.technical", WORLD_CRISIS },
      .want = -HL_EKIND,
      .says = "one key" },
    { "retraction by one person",
      { .kind = KIND_RETRACTION, .sender = "borealia.technical", .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "borealia.technical", "arcadia.diplomatic", WORLD_CRISIS },
      .want = 0 },
    { "endorsement of one's own is the second signature",
      { .kind = KIND_ENDORSEMENT, .sender = "borealia.technical", .n_refs = 1 },
      .aim = { KIND_RETRACTION, "borealia.technical", "arcadia.diplomatic", WORLD_CRISIS },
      .want = 0 },
    { "endorsement of another's needs two",
      { .kind = KIND_ENDORSEMENT, .sender = "borealia.technical", .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.technical", WORLD_CRISIS },
      .want = -HL_ETWOPERSON },

    /* channel and members */
    { "sender is no member",
      { .sender = "caldera.technical" },
      .want = -HL_EMEMBER,
      .says = "caldera.technical" },
    { "recipient is no member",
      { .to = { "arcadia.diplomatic", "doria.technical" } },
      .want = -HL_EMEMBER,
      .says = "doria.technical" },
    { "member of the notice channel",
      { .channel = WORLD_NOTICE, .to = { "doria.technical" } },
      .want = 0 },
    { "agreement has run out",
      { 0 },
      .change = EXPIRED,
      .want = -HL_EVALIDITY,
      .says = "ABCD-ICT-2026" },
    { "delivered, though the agreement has run out",
      { .kind = KIND_DELIVERED, .key = "station", .n_refs = 1 },
      .change = EXPIRED,
      .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = 0 },

    /* category, marking, psk, size */
    { "last category", { .category = 4 }, .want = 0 },
    { "category beyond the list",
      { .category = 5 },
      .want = -HL_ECATEGORY,
      .says = "incident, vulnerability, exercise, link-test" },
    { "category not sealed", { .category = UINT64_MAX }, .want = -HL_ECATEGORY, .says = "sealed" },
    { "category sealed",
      { .category = UINT64_MAX, .marking = UINT64_MAX },
      .change = SEALED,
      .want = 0 },
    { "marking beyond the list",
      { .marking = 5 },
      .want = -HL_EMARKING,
      .says = "TLP:AMBER+STRICT" },
    { "marking not sealed", { .marking = UINT64_MAX }, .want = -HL_EMARKING },
    { "long list of categories is cut",
      { .category = 65 },
      .change = BIG_NAMES,
      .want = -HL_ECATEGORY,
      .says = "..." },
    { "psk allowed", { .psk_epoch = 1, .psk_step = 3 }, .want = 0 },
    { "psk required, none", { 0 }, .change = PSK_MUST, .want = -HL_EPSK, .says = "requires" },
    { "psk required, used", { .psk_epoch = 1, .psk_step = 3 }, .change = PSK_MUST, .want = 0 },
    { "psk not known, used",
      { .psk_epoch = 1, .psk_step = 3 },
      .change = PSK_NOT,
      .want = -HL_EPSK },
    { "a step needs no psk",
      { .kind = KIND_ACKNOWLEDGED, .n_refs = 1 },
      .change = PSK_MUST,
      .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = 0 },
    { "annex of 512 KiB", { .bucket = 524288 }, .want = 0 },
    { "annex of 1 MiB", { .bucket = 1048576 }, .want = -HL_EATTACHMENT, .says = "400000 bytes" },
    { "64 KiB without attachments", { .bucket = 65536 }, .change = NO_ATTACHMENTS, .want = 0 },
    { "128 KiB without attachments",
      { .bucket = 131072 },
      .change = NO_ATTACHMENTS,
      .want = -HL_EATTACHMENT },

    /* targets */
    { "reply",
      { .kind = KIND_REPLY, .n_refs = 1 },
      .aim = { KIND_REQUEST, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = 0 },
    { "reply to nothing known",
      { .kind = KIND_REPLY, .n_refs = 1 },
      .want = -HL_ETARGET,
      .says = "not known" },
    { "reply on another channel",
      { .kind = KIND_REPLY, .n_refs = 1 },
      .aim = { KIND_REQUEST, "arcadia.diplomatic", "borealia.diplomatic", WORLD_NOTICE },
      .want = -HL_ETARGET,
      .says = "another channel" },
    { "reply by a stranger to the thread",
      { .kind = KIND_REPLY, .n_refs = 1 },
      .aim = { KIND_REQUEST, "arcadia.diplomatic", "borealia.technical", WORLD_CRISIS },
      .want = -HL_ETARGET },
    { "reply to a step",
      { .kind = KIND_REPLY, .n_refs = 1 },
      .aim = { KIND_ACKNOWLEDGED, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = -HL_ETARGET,
      .says = "acknowledged" },
    { "correction",
      { .kind = KIND_CORRECTION, .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "borealia.diplomatic", "arcadia.diplomatic", WORLD_CRISIS },
      .want = 0 },
    { "correction of another's",
      { .kind = KIND_CORRECTION, .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "borealia.technical", "borealia.diplomatic", WORLD_CRISIS },
      .want = -HL_ETARGET,
      .says = "borealia.technical" },
    { "retraction",
      { .kind = KIND_RETRACTION, .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "borealia.diplomatic", "arcadia.diplomatic", WORLD_CRISIS },
      .want = 0 },
    { "retraction of another's",
      { .kind = KIND_RETRACTION, .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = -HL_ETARGET },
    { "retraction of a link test",
      { .kind = KIND_RETRACTION, .n_refs = 1 },
      .aim = { KIND_LINK_TEST, "borealia.diplomatic", "arcadia.diplomatic", WORLD_CRISIS },
      .want = -HL_ETARGET },
    { "acknowledged",
      { .kind = KIND_ACKNOWLEDGED, .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = 0 },
    { "acknowledged by who did not receive it",
      { .kind = KIND_ACKNOWLEDGED, .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.technical", WORLD_CRISIS },
      .want = -HL_ETARGET,
      .says = "did not receive" },
    { "acknowledged by its sender",
      { .kind = KIND_ACKNOWLEDGED, .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "borealia.diplomatic", "arcadia.diplomatic", WORLD_CRISIS },
      .want = -HL_ETARGET },
    { "a step on a step",
      { .kind = KIND_ACKNOWLEDGED, .n_refs = 1 },
      .aim = { KIND_DELIVERED, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = -HL_ETARGET },
    { "a step on a link test",
      { .kind = KIND_DELIVERED, .key = "station", .n_refs = 1 },
      .aim = { KIND_LINK_TEST, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = -HL_ETARGET },
    { "void of one's own",
      { .kind = KIND_VOID, .key = "station", .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "borealia.diplomatic", "arcadia.diplomatic", WORLD_CRISIS },
      .want = 0 },
    { "void of another's",
      { .kind = KIND_VOID, .key = "station", .n_refs = 1 },
      .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.diplomatic", WORLD_CRISIS },
      .want = -HL_ETARGET },

    /* numbers */
    { "the same envelope again", { 0 }, .number = NUMBER_SAME, .want = 0 },
    { "another envelope under the number",
      { .seq = 7 },
      .number = NUMBER_OTHER,
      .want = -HL_ENUMBER,
      .says = "BOREALIA 7-6" },
};

static void put_message(const struct row *r)
{
    struct world_message m;

    world_message_init(&m, &W);
#define OVER(field)                                                                                \
    if (r->m.field)                                                                                \
    m.field = r->m.field
    OVER(kind);
    OVER(precedence);
    OVER(flags);
    OVER(channel);
    OVER(sender);
    OVER(key);
    OVER(draft);
    OVER(category);
    OVER(marking);
    OVER(seq);
    OVER(psk_epoch);
    OVER(psk_step);
    OVER(bucket);
    OVER(n_refs);
    OVER(ack_within_s);
#undef OVER
    if (r->m.to[0])
        memcpy(m.to, r->m.to, sizeof(m.to));
    if (kind_is_step(m.kind) && !r->m.to[0])
        m.to[0] = NULL;
    if (m.category == UINT64_MAX)
        m.category = 0;
    if (m.marking == UINT64_MAX)
        m.marking = 0;
    memcpy(W.channel, channels[r->change], sizeof(W.channel));
    buf_clear(&bytes);
    world_envelope(&bytes, &W, &m);
}

/* Judge what stands in env. */
static int judge_env(const struct row *r, struct verdict *v)
{
    struct recipient to = { span_str(r->aim.to ? r->aim.to : ""), ROLE_ACTION };
    struct rules_facts f = { .dir = dirs[r->change],
                             .at = DIRECTORY_NOW,
                             .time_ms = W.now_ms,
                             .origin = span_str(r->origin ? r->origin : ""),
                             .number = r->number };

    if (r->aim.kind)
        f.target = (struct target){
            true, r->aim.kind, span_str(r->aim.sender), channels[r->change][r->aim.channel], 1, &to
        };
    return rules_judge(&env, &f, v);
}

static void judge_row(const struct row *r, struct verdict *v)
{
    put_message(r);
    CHECK_EQ(envelope_decode(&env, W.realm, buf_span(&bytes)), 0, r->name);
    CHECK_EQ(judge_env(r, v), r->want, r->name);
    CHECK_EQ(v->rc, r->want, r->name);
}

static void every_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct verdict v;

        judge_row(&rows[i], &v);
        CHECK_EQ(strlen(v.sentence) > 0, rows[i].want != 0, rows[i].name);
        CHECK_EQ(strlen(v.sentence) <= 255, 1, rows[i].name);
        CHECK_EQ(text_utf8(span_str(v.sentence), false), 0, rows[i].name);
        if (rows[i].says && !strstr(v.sentence, rows[i].says)) {
            fprintf(stderr, "[%s] says: %s\n", rows[i].name, v.sentence);
            CHECK_EQ(0, 1, rows[i].name);
        }
        if (!rows[i].want)
            CHECK_EQ(v.agreement != NULL && v.channel != NULL, 1, rows[i].name);
    }
}

/* Which permission signs which kind, alone, where one person is enough: nothing else does. */
static void permission_by_kind(void **state)
{
    static const char *const position[] = { "draft", "release", "acknowledge", "stop",
                                            "audit", "both",    "station" };
    static const unsigned permission[] = { PERM_DRAFT,  PERM_RELEASE, PERM_ACKNOWLEDGE,
                                           PERM_STOP,   PERM_AUDIT,   PERM_DRAFT | PERM_RELEASE,
                                           PERM_MACHINE };
    static const struct {
        unsigned kind;
        const char *may; /* in the order above: d r a s u b m */
    } kinds[] = {
        { KIND_NOTIFICATION, ".....b." }, { KIND_REQUEST, ".....b." },
        { KIND_REPLY, ".....b." },        { KIND_INFORMATION, ".....b." },
        { KIND_CORRECTION, ".....b." },   { KIND_RETRACTION, "dra..b." },
        { KIND_ENDORSEMENT, ".....b." },  { KIND_LINK_TEST, "......m" },
        { KIND_VOID, "......m" },         { KIND_DELIVERED, "......m" },
        { KIND_ACKNOWLEDGED, "..a...." }, { KIND_UNDERSTOOD, "..a...." },
        { KIND_PASSED, "..a...." },       { KIND_REFUSED, "..a...." },
        { KIND_CANNOT_READ, "......m" },  { KIND_EXERCISE_CONTROL, ".....b." },
    };
    static struct world w;
    struct directory *dir;
    struct agreement a;
    struct card card;
    struct card_poc *poc;

    (void)state;
    world_init(&w, REALM_EXERCISE, WORLD_NOW);
    world_card(&card, w.realm, WORLD_BOREALIA, w.now_ms);
    poc = &card.poc[0]; /* diplomatic */
    poc->n_keys = COUNT(position);
    for (size_t i = 0; i < COUNT(position); i++) {
        char label[64];

        snprintf(label, sizeof(label), "borealia.diplomatic/%s", position[i]);
        memcpy(poc->key[i].key, world_key(label).pk, 32);
        poc->key[i].permissions = permission[i];
        poc->key[i].holder = poc->key[i].position = span_str(position[i]);
    }
    world_set_card(&w, WORLD_BOREALIA, &card);
    world_card_release(&card);
    world_agreement(&a, w.realm, w.now_ms);
    a.two_person = false;
    world_set_agreement(&w, &a);
    world_agreement_release(&a);
    dir = world_directory(&w);
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (size_t i = 0; i < COUNT(position); i++) {
            bool about_own = kinds[k].kind == KIND_CORRECTION || kinds[k].kind == KIND_RETRACTION;
            struct recipient to = {
                span_str(about_own ? "arcadia.technical" : "borealia.diplomatic"), ROLE_ACTION
            };
            struct target target = { true,
                                     KIND_NOTIFICATION,
                                     span_str(about_own ? "borealia.diplomatic"
                                                        : "arcadia.technical"),
                                     w.channel[WORLD_CRISIS],
                                     1,
                                     &to };
            struct rules_facts f = { .dir = dir, .at = DIRECTORY_NOW, .time_ms = w.now_ms };
            struct world_message m;
            struct verdict v;
            char row[64];

            f.target = kinds[k].kind == KIND_VOID ? (struct target){ 0 } : target;
            world_message_init(&m, &w);
            m.kind = kinds[k].kind;
            m.key = position[i];
            m.n_refs = 1;
            if (kind_is_step(m.kind))
                m.to[0] = NULL;
            buf_clear(&bytes);
            world_envelope(&bytes, &w, &m);
            snprintf(row, sizeof(row), "%s by %s", kind_name(m.kind), position[i]);
            CHECK_EQ(envelope_decode(&env, w.realm, buf_span(&bytes)), 0, row);
            CHECK_EQ(rules_judge(&env, &f, &v), kinds[k].may[i] == '.' ? -HL_EPERM : 0, row);
        }
    directory_free(dir);
    world_release(&w);
}

/* Where the rule binds, no content leaves by one position alone. */
static void two_bind_every_content(void **state)
{
    static const unsigned kinds[] = { KIND_NOTIFICATION, KIND_REQUEST, KIND_REPLY, KIND_INFORMATION,
                                      KIND_CORRECTION };

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        bool own = kinds[i] == KIND_CORRECTION;
        struct row row = { .name = kind_name(kinds[i]), .want = -HL_ETWOPERSON };
        struct verdict v;

        row.m =
            (struct world_message){ .kind = kinds[i], .sender = "borealia.technical", .n_refs = 1 };
        row.aim = (struct aim){ KIND_NOTIFICATION, own ? "borealia.technical" : "arcadia.technical",
                                own ? "arcadia.technical" : "borealia.technical", WORLD_CRISIS };
        judge_row(&row, &v);
        row.m.key = "watch-2";
        row.m.draft = "watch-1";
        row.want = 0;
        judge_row(&row, &v);
    }
}

static void alone_is_flagged(void **state)
{
    static const struct {
        struct row row;
        bool alone;
    } flagged[] = {
        { { .name = "two",
            .m = { .sender = "borealia.technical", .key = "watch-2", .draft = "watch-1" } },
          false },
        { { .name = "alone",
            .m = { .sender = "borealia.technical", .flags = FLAG_RELEASED_ALONE } },
          true },
        { { .name = "glass", .m = { .sender = "borealia.technical", .flags = FLAG_BREAK_GLASS } },
          true },
        { { .name = "carried", .m = { .flags = FLAG_CARRIED } }, false },
    };
    struct verdict v;

    (void)state;
    for (size_t i = 0; i < COUNT(flagged); i++) {
        judge_row(&flagged[i].row, &v);
        CHECK_EQ(v.alone, flagged[i].alone, flagged[i].row.name);
    }
}

static void deadlines(void **state)
{
    static const struct {
        struct row row;
        uint64_t deadline_s, handling_s;
    } due[] = {
        { { .name = "routine", .m = { 0 } }, 86400, 7200 },
        { { .name = "flash", .m = { .precedence = PRECEDENCE_FLASH } }, 600, 300 },
        { { .name = "the sender gives more time",
            .m = { .precedence = PRECEDENCE_FLASH, .ack_within_s = 900 } },
          900,
          300 },
        { { .name = "the sender cannot give less",
            .m = { .precedence = PRECEDENCE_FLASH, .ack_within_s = 60 } },
          600,
          300 },
        { { .name = "a void is not answered", .m = { .kind = KIND_VOID, .key = "station" } },
          0,
          7200 },
        { { .name = "a link test is not answered",
            .m = { .kind = KIND_LINK_TEST, .key = "station", .category = 4 } },
          0,
          7200 },
    };
    struct verdict v;

    (void)state;
    for (size_t i = 0; i < COUNT(due); i++) {
        judge_row(&due[i].row, &v);
        CHECK_EQ(v.deadline_s, due[i].deadline_s, due[i].row.name);
        CHECK_EQ(v.handling_s, due[i].handling_s, due[i].row.name);
    }
}

static void other_realm(void **state)
{
    struct rules_facts f = { .dir = dirs[AS_IS], .at = DIRECTORY_NOW, .time_ms = W.now_ms };
    struct row row = { .name = "realm" };
    struct verdict v;

    (void)state;
    put_message(&row);
    assert_int_equal(envelope_decode(&env, W.realm, buf_span(&bytes)), 0);
    env.header.realm = REALM_EXERCISE;
    assert_int_equal(rules_judge(&env, &f, &v), -HL_EREALM);
    /* what the decoder would have refused is refused here as well */
    env.header.realm = REALM_LIVE;
    assert_int_equal(rules_judge(&env, &f, &v), 0);
    env.header.n_to = 0;
    assert_int_equal(rules_judge(&env, &f, &v), -HL_EKIND);
    env.header.kind = 10;
    assert_int_equal(rules_judge(&env, &f, &v), -HL_EKIND);
}

static void recipients(void **state)
{
    static const struct recipient to[] = { { { NULL, 0 }, ROLE_ACTION },
                                           { { NULL, 0 }, ROLE_INFORMATION },
                                           { { NULL, 0 }, ROLE_ALTERNATE + 1 } };
    static const struct {
        const char *name;
        struct world_message m;
        bool known;
        size_t max;
        int want;
        const char *got[4];
        unsigned role[4];
    } cases[] = {
        { "listed",
          { .to = { "arcadia.technical", "arcadia.diplomatic" } },
          false,
          8,
          2,
          { "arcadia.technical", "arcadia.diplomatic" },
          { ROLE_ACTION, ROLE_ACTION } },
        { "a step that lists them",
          { .kind = KIND_ACKNOWLEDGED, .n_refs = 1, .to = { "arcadia.diplomatic" } },
          true,
          8,
          1,
          { "arcadia.diplomatic" },
          { ROLE_ACTION } },
        { "delivered: to the sender alone",
          { .kind = KIND_DELIVERED, .key = "station", .n_refs = 1 },
          true,
          8,
          1,
          { "arcadia.technical" },
          { ROLE_INFORMATION } },
        { "acknowledged: to all but oneself",
          { .kind = KIND_ACKNOWLEDGED, .n_refs = 1 },
          true,
          8,
          3,
          { "arcadia.technical", "arcadia.diplomatic", "borealia.technical" },
          { ROLE_INFORMATION, ROLE_INFORMATION, ROLE_ALTERNATE + 1 } },
        { "more than there is room for",
          { .kind = KIND_ACKNOWLEDGED, .n_refs = 1 },
          true,
          2,
          -HL_ETOOBIG,
          { NULL },
          { 0 } },
        { "target unknown",
          { .kind = KIND_ACKNOWLEDGED, .n_refs = 1 },
          false,
          8,
          -HL_ETARGET,
          { NULL },
          { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct row row = { .name = cases[i].name, .m = cases[i].m };
        struct recipient known[3], out[8];
        struct target t = {
            cases[i].known, KIND_NOTIFICATION, span_str("arcadia.technical"), W.channel[0], 3, known
        };

        memcpy(known, to, sizeof(known));
        known[0].poc = span_str("borealia.diplomatic");
        known[1].poc = span_str("arcadia.diplomatic");
        known[2].poc = span_str("borealia.technical");
        put_message(&row);
        CHECK_EQ(envelope_decode(&env, W.realm, buf_span(&bytes)), 0, cases[i].name);
        CHECK_EQ(rules_recipients(&env, &t, out, cases[i].max), cases[i].want, cases[i].name);
        for (int k = 0; k < cases[i].want; k++) {
            CHECK_EQ(span_eq_str(out[k].poc, cases[i].got[k]), 1, cases[i].name);
            CHECK_EQ(out[k].role, cases[i].role[k], cases[i].name);
        }
    }
}

/* A step with a remark is sealed like any message; a bodyless one has nothing that could be. */
static void sealed_step(void **state)
{
    static const uint8_t commit[32];
    struct row row = { .name = "step",
                       .m = { .kind = KIND_ACKNOWLEDGED, .n_refs = 1 },
                       .change = PSK_MUST,
                       .aim = { KIND_NOTIFICATION, "arcadia.diplomatic", "borealia.diplomatic",
                                WORLD_CRISIS } };
    struct verdict v;

    (void)state;
    judge_row(&row, &v);
    CHECK_EQ(v.rc, 0, "bodyless");
    for (int k = 0; k < 2; k++) {
        env.header.commit = SPAN(commit, 32);
        env.header.category = (uint64_t)k;
        env.header.marking = 1;
        CHECK_EQ(judge_env(&row, &v), k ? -HL_EPSK : -HL_ECATEGORY, "sealed");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule),
        cmocka_unit_test(permission_by_kind),
        cmocka_unit_test(two_bind_every_content),
        cmocka_unit_test(alone_is_flagged),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(other_realm),
        cmocka_unit_test(recipients),
        cmocka_unit_test(sealed_step),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
