#include "tests/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "common/file.h"
#include "common/text.h"
#include "tests/world_log.h"

/*
 * Ground: 0..3 cards, 4..9 subkeys, 10..13 agreement notes; a checkpoint at 14, cosigned by all.
 * The standard log goes on:
 *
 *   14  borealia.diplomatic 1, IMMEDIATE    15  arcadia.diplomatic 1: delivered    16  2:
 * acknowledged, after 60 s 17  borealia.diplomatic 2, FLASH        18  closed 19  dummy 20  notice:
 * 2 not acknowledged          21  subkeys of serial 2, public        22  borealia.diplomatic 3:
 * link test
 *
 * and ends in a checkpoint at 23, cosigned by arcadia and borealia.
 */
#define GROUND 14
#define STANDARD 23

static struct world_log l;
static uint8_t mid[32], other[32];

static void message(struct world_message *m, const char *sender, uint64_t seq)
{
    world_message_init(m, &l.w);
    m->sender = sender;
    m->seq = seq;
    if (strncmp(sender, "arcadia", 7) == 0)
        m->to[0] = "borealia.diplomatic";
}

static void step(struct world_message *m, const char *sender, uint64_t seq, unsigned kind,
                 const uint8_t *target)
{
    message(m, sender, seq);
    m->kind = kind;
    m->to[0] = NULL;
    m->key = kind == KIND_DELIVERED ? "station" : "watch-1";
    m->n_refs = 1;
    memcpy(m->ref[0], target, 32);
}

static void closed(void)
{
    struct record r = { .type = RECORD_DUMMY, .time_ms = l.now_ms };

    world_log_record(&l, &r, false);
}

static void dummy(void)
{
    struct record r = { .type = RECORD_DUMMY, .time_ms = l.now_ms };

    world_log_record(&l, &r, true);
}

static void ground(void)
{
    world_log_ground(&l);
    world_log_checkpoint(&l, 7);
    l.now_ms += 1000;
}

static void subkeys_again(bool spoil)
{
    struct buf text, note;
    struct subkeys s;
    const char *label = "arcadia.diplomatic/station";

    buf_init(&text, 65536);
    buf_init(&note, 65536);
    world_subkeys(&s, "arcadia.diplomatic", 2, l.w.now_ms / 86400000, 30);
    subkeys_print(&text, l.w.realm, &s);
    world_sign(&note, buf_span(&text), "arcadia.diplomatic", &label, 1);
    if (spoil)
        note.p[note.n - 8] = note.p[note.n - 8] == 'A' ? 'B' : 'A';
    world_log_document(&l, buf_span(&note));
    buf_release(&text);
    buf_release(&note);
}

static void standard(void)
{
    struct world_message m;

    ground();
    message(&m, "borealia.diplomatic", 1);
    m.precedence = PRECEDENCE_IMMEDIATE;
    world_log_message(&l, &m, mid, true);
    step(&m, "arcadia.diplomatic", 1, KIND_DELIVERED, mid);
    l.now_ms += 1000;
    world_log_message(&l, &m, other, true);
    step(&m, "arcadia.diplomatic", 2, KIND_ACKNOWLEDGED, mid);
    l.now_ms += 60000;
    world_log_message(&l, &m, other, true);
    message(&m, "borealia.diplomatic", 2);
    m.precedence = PRECEDENCE_FLASH;
    m.salt = 2;
    world_log_message(&l, &m, other, true);
    closed();
    dummy();
    l.now_ms += 700000;
    world_log_notice(&l, NOTICE_NOT_ACKNOWLEDGED, other, "arcadia.diplomatic");
    subkeys_again(false);
    message(&m, "borealia.diplomatic", 3);
    m.kind = KIND_LINK_TEST;
    m.key = "station";
    world_log_message(&l, &m, other, true);
    world_log_checkpoint(&l, 3);
}

/* ---- files changed by hand ---- */

enum how { FLIP, CUT, GROW, DELETE, REPLACE };

struct damage {
    const char *file;
    enum how how;
    long at; /* byte to flip, from the end when negative; length to cut to */
    const char *bytes;
};

static void damage(const struct damage *d)
{
    char path[MIRROR_PATH_MAX];
    struct buf in;

    mirror_path(path, l.path, d->file);
    if (d->how == DELETE) {
        CHECK_EQ(unlink(path), 0, d->file);
        return;
    }
    buf_init(&in, 1 << 20);
    if (d->how == REPLACE)
        buf_put_str(&in, d->bytes);
    else
        CHECK_EQ(file_read(path, &in), 0, d->file);
    if (d->how == FLIP)
        in.p[d->at < 0 ? (long)in.n + d->at : d->at] ^= 1;
    if (d->how == CUT)
        in.n = (size_t)d->at;
    if (d->how == GROW)
        buf_put_u8(&in, 0);
    CHECK_EQ(file_publish(path, buf_span(&in), 0644), 0, d->file);
    buf_release(&in);
}

static bool says(struct buf *text, const char *what)
{
    return strstr(buf_str(text), what) != NULL;
}

#define NOWHERE UINT64_MAX

/* One audit, and what it must find; the sentence may stand wherever the verdict puts it. */
static void expect(const char *row, enum audit_verdict want, int rc, uint64_t entry,
                   const char *sentence)
{
    struct audit_report r;
    struct buf out;

    buf_init(&out, 1 << 20);
    audit_report_init(&r, l.path);
    CHECK_EQ(audit_verify(l.path, &r), 0, row);
    audit_card(&out, &r);
    if (audit_verdict(&r) != want)
        fprintf(stderr, "%s", buf_str(&out));
    CHECK_EQ(audit_verdict(&r), want, row);
    CHECK_EQ(r.failed, rc, row);
    CHECK_EQ(r.at_entry ? r.failed_entry : NOWHERE, entry, row);
    if (!says(&out, sentence))
        fprintf(stderr, "[%s] not said: %s\n%s", row, sentence, buf_str(&out));
    CHECK_EQ(says(&out, sentence), 1, row);
    CHECK_EQ(says(&out, audit_verdict_name(want)), 1, row);
    CHECK_EQ(out.bad, 0, row);
    buf_clear(&out);
    CHECK_EQ(audit_json(&out, &r), 0, row);
    CHECK_EQ(says(&out, audit_verdict_name(want)), 1, row);
    audit_report_release(&r);
    buf_release(&out);
}

static void good(void **state)
{
    struct audit_report r;

    (void)state;
    world_log_open(&l, REALM_EXERCISE);
    standard();
    CHECK_EQ(world_log_size(&l), STANDARD, "entries");
    audit_report_init(&r, l.path);
    CHECK_EQ(audit_verify(l.path, &r), 0, "verify");
    CHECK_EQ(audit_verdict(&r), AUDIT_VERIFIED, "verdict");
    CHECK_EQ(r.size, STANDARD, "size");
    CHECK_EQ(r.checked, STANDARD, "checked");
    CHECK_EQ(r.documents, 11, "documents");
    CHECK_EQ(r.commitments, 12, "commitments");
    CHECK_EQ(r.opened, 11, "opened");
    CHECK_EQ(r.unopened, 1, "closed");
    CHECK_EQ(r.envelopes, 5, "envelopes");
    CHECK_EQ(r.signatures, 5, "signatures");
    CHECK_EQ(r.agreements, 4, "agreement notes");
    CHECK_EQ(r.notices, 1, "notices");
    CHECK_EQ(r.dummies, 1, "dummies");
    CHECK_EQ(r.checkpoints, 2, "checkpoints");
    CHECK_EQ(r.consistent, 2, "consistent");
    CHECK_EQ(r.good_size, STANDARD, "last good");
    CHECK_EQ(r.cosigned, 2, "cosigned");
    CHECK_EQ(r.witnesses, 3, "witnesses");
    CHECK_EQ(r.quorum, true, "quorum");
    CHECK_EQ(r.due, 2, "due");
    CHECK_EQ(r.in_time, 1, "in time");
    CHECK_EQ(r.unanswered, 1, "unanswered");
    CHECK_EQ(r.alarms.n, 0, "alarms");
    CHECK_EQ(r.first_ms, WORLD_NOW, "first");
    CHECK_EQ(r.last_ms, l.now_ms, "last");
    CHECK_EQ(r.n_numbers, 2, "senders");
    CHECK_EQ(strcmp(r.number[1].sender, "borealia.diplomatic"), 0, "sender");
    CHECK_EQ(strcmp(r.number[1].name, "arcadia-borealia.crisis"), 0, "channel");
    CHECK_EQ(r.number[1].upto, 3, "up to");
    CHECK_EQ(r.number[1].last_index, 22, "last");
    CHECK_EQ(r.number[0].upto, 2, "up to");
    audit_report_release(&r);
    expect("good", AUDIT_VERIFIED, 0, NOWHERE, "complete up to BOREALIA 3-7 (entry 22)");
    world_log_close(&l);
}

static const uint8_t no_root[32] = { 1 };

static void damaged(void **state)
{
    static const struct {
        const char *name;
        struct damage d;
        enum audit_verdict want;
        int rc;
        uint64_t entry;
        const char *says;
    } rows[] = {
        { "first byte of the bundle",
          { "tile/entries/000.p/23", FLIP, 0, 0 },
          AUDIT_FAILED,
          -HL_EPROOF,
          0,
          "the entry was changed" },
        { "first entry",
          { "tile/entries/000.p/23", FLIP, 2, 0 },
          AUDIT_FAILED,
          -HL_EPROOF,
          0,
          "the entry was changed" },
        { "last entry",
          { "tile/entries/000.p/23", FLIP, -1, 0 },
          AUDIT_FAILED,
          -HL_EPROOF,
          22,
          "the entry was changed" },
        { "its length",
          { "tile/entries/000.p/23", FLIP, -33, 0 },
          AUDIT_FAILED,
          -HL_EPROOF,
          22,
          "bundle is cut or its length" },
        { "last entry cut",
          { "tile/entries/000.p/23", CUT, 100, 0 },
          AUDIT_FAILED,
          -HL_EPROOF,
          0,
          "bundle" },
        { "bundle empty",
          { "tile/entries/000.p/23", CUT, 0, 0 },
          AUDIT_FAILED,
          -HL_EPROOF,
          0,
          "bundle" },
        { "byte behind the last entry",
          { "tile/entries/000.p/23", GROW, 0, 0 },
          AUDIT_FAILED,
          -HL_EPROOF,
          NOWHERE,
          "tile/entries/000.p/23 does not hold" },
        { "no bundle",
          { "tile/entries/000.p/23", DELETE, 0, 0 },
          AUDIT_INCOMPLETE,
          0,
          NOWHERE,
          "tile/entries/000.p/23 (entries 0 to 22)" },
        { "first hash of the tile",
          { "tile/0/000.p/23", FLIP, 0, 0 },
          AUDIT_FAILED,
          -HL_EPROOF,
          0,
          "its tile was changed" },
        { "a hash of the tile",
          { "tile/0/000.p/23", FLIP, 32 * 17 + 31, 0 },
          AUDIT_FAILED,
          -HL_EPROOF,
          17,
          "its tile was changed" },
        { "tile cut",
          { "tile/0/000.p/23", CUT, 64, 0 },
          AUDIT_FAILED,
          -HL_EPROOF,
          NOWHERE,
          "tile/0/000.p/23 does not hold" },
        { "no tile",
          { "tile/0/000.p/23", DELETE, 0, 0 },
          AUDIT_INCOMPLETE,
          0,
          NOWHERE,
          "tile/0/000.p/23" },
        { "origin", { "checkpoint", FLIP, 0, 0 }, AUDIT_FAILED, -HL_ESIG, NOWHERE, "checkpoint: " },
        { "size", { "checkpoint", FLIP, 31, 0 }, AUDIT_FAILED, -HL_ESIG, NOWHERE, "checkpoint: " },
        { "root", { "checkpoint", FLIP, 40, 0 }, AUDIT_FAILED, -HL_ESIG, NOWHERE, "checkpoint: " },
        { "a cosignature",
          { "checkpoint", FLIP, -10, 0 },
          AUDIT_FAILED,
          -HL_ESIG,
          NOWHERE,
          "checkpoint: " },
        { "not a note",
          { "checkpoint", CUT, 60, 0 },
          AUDIT_FAILED,
          -HL_EFORMAT,
          NOWHERE,
          "checkpoint: " },
        { "no checkpoint",
          { "checkpoint", DELETE, 0, 0 },
          AUDIT_INCOMPLETE,
          0,
          NOWHERE,
          "checkpoint is missing" },
        { "earlier checkpoint",
          { "checkpoints/14", FLIP, 40, 0 },
          AUDIT_FAILED,
          -HL_ESIG,
          NOWHERE,
          "checkpoints/14" },
        { "no earlier checkpoint",
          { "checkpoints/14", DELETE, 0, 0 },
          AUDIT_VERIFIED,
          0,
          NOWHERE,
          "1/1 checkpoints" },
        { "not ours",
          { "checkpoints/14.new-1", REPLACE, 0, "x" },
          AUDIT_VERIFIED,
          0,
          NOWHERE,
          "2/2 checkpoints" },
        { "salt",
          { "openings/16", FLIP, 0, 0 },
          AUDIT_FAILED,
          -HL_ELEAF,
          16,
          "not what the entry commits" },
        { "record",
          { "openings/16", FLIP, -1, 0 },
          AUDIT_FAILED,
          -HL_ELEAF,
          16,
          "not what the entry commits" },
        { "opening cut",
          { "openings/16", CUT, 40, 0 },
          AUDIT_FAILED,
          -HL_ELEAF,
          16,
          "not what the entry" },
        { "opening of a salt alone",
          { "openings/16", CUT, 32, 0 },
          AUDIT_FAILED,
          -HL_ELEAF,
          16,
          "too short" },
        { "opening grown",
          { "openings/16", GROW, 0, 0 },
          AUDIT_FAILED,
          -HL_ELEAF,
          16,
          "not what the entry" },
        { "two bad: the first is named",
          { "openings/13", FLIP, 3, 0 },
          AUDIT_FAILED,
          -HL_ELEAF,
          13,
          "not what the entry" },
        { "opening of a document",
          { "openings/3", REPLACE, 0, "0123456789012345678901234567890123" },
          AUDIT_FAILED,
          -HL_EFORMAT,
          3,
          "opened, and no commitment" },
        { "opening of a closed entry",
          { "openings/18", REPLACE, 0, "0123456789012345678901234567890123" },
          AUDIT_FAILED,
          -HL_ELEAF,
          18,
          "not what the entry commits" },
        { "no opening of a message",
          { "openings/14", DELETE, 0, 0 },
          AUDIT_INCOMPLETE,
          0,
          NOWHERE,
          "numbers 1 of borealia.diplomatic on arcadia-borealia.crisis" },
        { "no opening of a dummy",
          { "openings/19", DELETE, 0, 0 },
          AUDIT_VERIFIED,
          0,
          NOWHERE,
          "opened 10 of 12" },
        { "no opening of an agreement note",
          { "openings/12", DELETE, 0, 0 },
          AUDIT_INCOMPLETE,
          0,
          NOWHERE,
          "not in force" },
        { "policy: a key",
          { "policy.txt", FLIP, 50, 0 },
          AUDIT_INCOMPLETE,
          0,
          NOWHERE,
          "policy.txt: line 1" },
        { "policy: quorum",
          { "policy.txt", FLIP, -4, 0 },
          AUDIT_INCOMPLETE,
          0,
          NOWHERE,
          "policy.txt: line" },
        { "policy of another log",
          { "policy.txt", REPLACE, 0,
            "log "
            "hotline.example/audit+02f8ea01+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\nquorum "
            "none\n" },
          AUDIT_FAILED,
          -HL_EKEY,
          NOWHERE,
          "no log of the policy" },
        { "no policy",
          { "policy.txt", DELETE, 0, 0 },
          AUDIT_INCOMPLETE,
          0,
          NOWHERE,
          "policy.txt is missing" },
        { "another pin", { "pins", FLIP, 20, 0 }, AUDIT_FAILED, -HL_EFINGERPRINT, 0, "document" },
        { "pins of nobody",
          { "pins", REPLACE, 0, "" },
          AUDIT_INCOMPLETE,
          0,
          NOWHERE,
          "the fingerprint of borealia" },
        { "no pins",
          { "pins", DELETE, 0, 0 },
          AUDIT_INCOMPLETE,
          0,
          NOWHERE,
          "the fingerprint of arcadia" },
        { "other realm",
          { "realm", REPLACE, 0, "live\n" },
          AUDIT_FAILED,
          -HL_EREALM,
          0,
          "document" },
        { "no realm", { "realm", DELETE, 0, 0 }, AUDIT_INCOMPLETE, 0, NOWHERE, "realm is missing" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        world_log_open(&l, REALM_EXERCISE);
        standard();
        damage(&rows[i].d);
        if (strncmp(rows[i].name, "two bad", 7) == 0)
            damage(&(struct damage){ "openings/16", FLIP, 3, NULL });
        expect(rows[i].name, rows[i].want, rows[i].rc, rows[i].entry, rows[i].says);
        world_log_close(&l);
    }
}

/* ---- logs that a bad host, or a bad party, might make ---- */

static void bad_signature(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 1);
    m.key = "arcadia.diplomatic/watch-1"; /* good, by a key of another PoC */
    world_log_message(&l, &m, mid, true);
}

/* A record whose envelope was not signed as it stands. */
static void forged(void)
{
    struct envelope *env = malloc(sizeof(*env));
    struct world_message m;
    struct record r = { .type = RECORD_ENVELOPE, .time_ms = l.now_ms };
    struct buf file;
    uint8_t body[32] = { 9 };

    assert_non_null(env);
    buf_init(&file, ENVELOPE_MAX);
    message(&m, "borealia.diplomatic", 1);
    world_envelope(&file, &l.w, &m);
    CHECK_EQ(envelope_decode(env, l.w.realm, buf_span(&file)), 0, "decode");
    r.header = env->header_bytes;
    r.stamp = env->stamp_bytes;
    r.wraps_hash = env->wraps_hash;
    r.body_hash = body;
    r.sig = env->sig;
    world_log_record(&l, &r, true);
    buf_release(&file);
    free(env);
}

static void bad_category(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 1);
    m.category = 60;
    world_log_message(&l, &m, mid, true);
}

static void unknown_target(void)
{
    struct world_message m;

    step(&m, "arcadia.diplomatic", 1, KIND_ACKNOWLEDGED, no_root);
    world_log_message(&l, &m, mid, true);
}

static void closed_target(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 1);
    world_log_message(&l, &m, mid, false);
    step(&m, "arcadia.diplomatic", 1, KIND_ACKNOWLEDGED, mid);
    world_log_message(&l, &m, other, true);
}

/* What is closed excuses a missing target, but never a key that no card lists. */
static void closed_target_unknown_key(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 1);
    world_log_message(&l, &m, mid, false);
    step(&m, "arcadia.diplomatic", 1, KIND_ACKNOWLEDGED, mid);
    m.key = "nobody/watch-1";
    world_log_message(&l, &m, other, true);
}

static void number_twice(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 1);
    world_log_message(&l, &m, mid, true);
    m.salt = 7;
    world_log_message(&l, &m, mid, true);
}

static void recorded_twice(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 1);
    world_log_message(&l, &m, mid, true);
    world_log_message(&l, &m, mid, true);
}

static void two_chains(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 1);
    world_log_message(&l, &m, mid, true);
    m.salt = 7;
    m.chain = 1;
    world_log_message(&l, &m, mid, true);
}

static void gap(void)
{
    struct world_message m;

    for (uint64_t seq = 1; seq < 12; seq++) {
        message(&m, "borealia.diplomatic", seq);
        m.salt = (uint8_t)seq;
        if (seq != 3 && seq != 5 && seq != 6)
            world_log_message(&l, &m, mid, true);
    }
}

static void overtaken(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 2);
    m.precedence = PRECEDENCE_FLASH;
    world_log_message(&l, &m, mid, true);
    message(&m, "borealia.diplomatic", 1);
    m.salt = 1;
    world_log_message(&l, &m, mid, true);
}

static void time_backwards(void)
{
    dummy();
    l.now_ms -= 1;
    dummy();
}

/* A host that says three minutes later, while witnesses saw the entry now. */
static void clock_ahead(void)
{
    l.now_ms += 180000;
    dummy();
    l.now_ms -= 180000;
}

/* A host that goes on with an old time after a checkpoint was cosigned at a later one (the first
 * note of a size stays). */
static void clock_behind(void)
{
    damage(&(struct damage){ "checkpoints/14", DELETE, 0, NULL });
    l.now_ms += 500000;
    world_log_checkpoint(&l, 7);
    l.now_ms -= 400000;
    dummy();
}

static void false_notice(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 1);
    world_log_message(&l, &m, mid, true);
    step(&m, "arcadia.diplomatic", 1, KIND_ACKNOWLEDGED, mid);
    world_log_message(&l, &m, other, true);
    l.now_ms += 86400000;
    world_log_notice(&l, NOTICE_NOT_ACKNOWLEDGED, mid, "arcadia.diplomatic");
}

static void early_notice(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 1);
    world_log_message(&l, &m, mid, true);
    l.now_ms += 1000;
    world_log_notice(&l, NOTICE_UNDELIVERED, mid, "arcadia.diplomatic");
}

static void late_answer(void)
{
    struct world_message m;

    message(&m, "borealia.diplomatic", 1);
    m.precedence = PRECEDENCE_FLASH;
    world_log_message(&l, &m, mid, true);
    l.now_ms += 601000;
    world_log_notice(&l, NOTICE_UNDELIVERED, mid, "arcadia.diplomatic");
    step(&m, "arcadia.diplomatic", 1, KIND_ACKNOWLEDGED, mid);
    world_log_message(&l, &m, other, true);
}

static void saw(uint64_t seq, uint64_t size, const uint8_t root[static 32])
{
    struct world_key log = world_key("doria/log");
    struct world_message m;

    message(&m, "borealia.diplomatic", seq);
    m.salt = (uint8_t)seq;
    m.n_seen = 1;
    m.seen[0] = (struct seen){ log.pk, size, root };
    world_log_message(&l, &m, mid, true);
}

static void saw_this(void)
{
    uint8_t root[32];

    merkle_range_root(&l.range, root);
    dummy();
    saw(1, GROUND, root);
}

static void saw_another(void)
{
    saw(1, GROUND, no_root);
}

/* A size that the log did not have when it recorded this; with a root that it had, at another size.
 */
static void saw_the_future(void)
{
    uint8_t root[32];

    merkle_range_root(&l.range, root);
    saw(1, GROUND, root);
    saw(2, GROUND + 2, root);
}

static void stopped_key(void)
{
    struct world_key key = world_key("borealia.diplomatic/watch-1");
    struct stop s = {
        .party = span_str("borealia"), .card = 1, .what = STOP_KEY, .reason = span_str("stolen")
    };
    struct world_message m;
    struct buf text, note;

    buf_init(&text, 65536);
    buf_init(&note, 65536);
    memcpy(s.id, key.pk, 32);
    message(&m, "borealia.diplomatic", 1);
    world_log_message(&l, &m, mid, true);
    stop_print(&text, l.w.realm, &s);
    world_sign_roots(&note, buf_span(&text), "borealia");
    world_log_document(&l, buf_span(&note));
    m.seq = 2;
    m.salt = 2;
    world_log_message(&l, &m, mid, true);
    buf_release(&text);
    buf_release(&note);
}

static void document_again(void)
{
    world_log_document(&l, world_document(&l.w, 2));
}

static void unsigned_document(void)
{
    subkeys_again(true);
}

static void agreement_in_the_open(void)
{
    struct buf text = { .max = 100000 }, note = { .max = 100000 };
    struct agreement a;

    world_agreement(&a, l.w.realm, l.w.now_ms);
    a.name = span_str("ANOTHER");
    agreement_print(&text, l.w.realm, &a);
    world_sign_roots(&note, buf_span(&text), "arcadia");
    world_log_document(&l, buf_span(&note));
    world_agreement_release(&a);
    buf_release(&text);
    buf_release(&note);
}

static void card_as_agreement(void)
{
    struct card card;
    struct buf text = { .max = 100000 }, note = { .max = 100000 };

    world_card(&card, l.w.realm, WORLD_DORIA, l.w.now_ms);
    world_next_card(&card, buf_span(&l.w.card[WORLD_DORIA]));
    card_print(&text, l.w.realm, &card);
    world_sign_roots(&note, buf_span(&text), "doria");
    world_log_note(&l, buf_span(&note), true);
    world_card_release(&card);
    buf_release(&text);
    buf_release(&note);
}

/* Two cards of serial 2, both signed: the party contradicts itself, the log is sound. */
static void two_cards(void)
{
    struct card card;
    struct buf text = { .max = 100000 }, note = { .max = 100000 };

    world_card(&card, l.w.realm, WORLD_DORIA, l.w.now_ms);
    world_next_card(&card, buf_span(&l.w.card[WORLD_DORIA]));
    for (int i = 0; i < 2; i++) {
        buf_clear(&text);
        buf_clear(&note);
        card.until_ms += 1;
        card_print(&text, l.w.realm, &card);
        world_sign_roots(&note, buf_span(&text), "doria");
        world_log_document(&l, buf_span(&note));
    }
    world_card_release(&card);
    buf_release(&text);
    buf_release(&note);
}

static void short_entry(void)
{
    world_log_document(&l, SPAN(no_root, 31));
}

static void made(void **state)
{
    static const struct {
        const char *name;
        void (*make)(void);
        enum audit_verdict want;
        int rc;
        uint64_t entry;
        const char *says;
    } rows[] = {
        { "nothing more", dummy, AUDIT_VERIFIED, 0, NOWHERE, "15 entries" },
        { "signed by another PoC's key", bad_signature, AUDIT_FAILED, -HL_EKEY, 14,
          "had to refuse" },
        { "signature of something else", forged, AUDIT_FAILED, -HL_ESIG, 14, "does not verify" },
        { "category outside the agreement", bad_category, AUDIT_FAILED, -HL_ECATEGORY, 14,
          "no category" },
        { "step on nothing", unknown_target, AUDIT_FAILED, -HL_ETARGET, 14, "not known" },
        { "step on a closed message", closed_target, AUDIT_INCOMPLETE, 0, NOWHERE,
          "on which entry 15 hangs" },
        { "so by an unknown key", closed_target_unknown_key, AUDIT_FAILED, -HL_EKEY, 15,
          "no card" },
        { "number of another envelope", number_twice, AUDIT_FAILED, -HL_ENUMBER, 15,
          "BOREALIA 1-3" },
        { "envelope twice", recorded_twice, AUDIT_VERIFIED, 0, NOWHERE,
          "entry 15: the host recorded the envelope of entry 14 again" },
        { "number in two chains", two_chains, AUDIT_VERIFIED, 0, NOWHERE,
          "complete up to BOREALIA 1-3" },
        { "gap", gap, AUDIT_INCOMPLETE, 0, NOWHERE, "numbers 3, 5-6 of borealia.diplomatic" },
        { "gap, up to where", gap, AUDIT_INCOMPLETE, 0, NOWHERE,
          "complete up to BOREALIA 2-1; beyond it 6 of 9 held" },
        { "FLASH overtook", overtaken, AUDIT_VERIFIED, 0, NOWHERE,
          "complete up to BOREALIA 2-1 (entry 14)" },
        { "time backwards", time_backwards, AUDIT_FAILED, -HL_EFORMAT, 15, "1 ms before" },
        { "clock ahead", clock_ahead, AUDIT_VERIFIED, 0, NOWHERE,
          "entry 14: the host's time is outside" },
        { "clock behind", clock_behind, AUDIT_VERIFIED, 0, NOWHERE,
          "entry 14: the host's time is outside" },
        { "notice against a step", false_notice, AUDIT_VERIFIED, 0, NOWHERE,
          "entry 16: the host says that arcadia.diplomatic has not acknowledged, which entry 15" },
        { "notice too early", early_notice, AUDIT_VERIFIED, 0, NOWHERE,
          "entry 15: the host's notice comes" },
        { "late answer, true notice", late_answer, AUDIT_VERIFIED, 0, NOWHERE,
          "answers due 1: in time 0, late 1, none 0" },
        { "saw this log", saw_this, AUDIT_VERIFIED, 0, NOWHERE, "Up to where" },
        { "saw another log", saw_another, AUDIT_VERIFIED, 0, NOWHERE,
          "saw another log of size 14" },
        { "saw a longer log", saw_the_future, AUDIT_VERIFIED, 0, NOWHERE,
          "saw another log of size 16" },
        { "stopped key", stopped_key, AUDIT_FAILED, -HL_ESTOPPED, 16, "stopped" },
        { "document again", document_again, AUDIT_VERIFIED, 0, NOWHERE,
          "recorded a document again" },
        { "document with a bad signature", unsigned_document, AUDIT_FAILED, -HL_ESIG, 14,
          "public document" },
        { "agreement in the open", agreement_in_the_open, AUDIT_FAILED, -HL_EFORMAT, 14,
          "in the open" },
        { "card as agreement", card_as_agreement, AUDIT_FAILED, -HL_EFORMAT, 14,
          "recorded as an agreement" },
        { "two cards of one serial", two_cards, AUDIT_VERIFIED, 0, NOWHERE,
          "doria contradicts itself" },
        { "entry of 31 bytes", short_entry, AUDIT_FAILED, -HL_EFORMAT, 14, "neither a commitment" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        world_log_open(&l, REALM_EXERCISE);
        ground();
        rows[i].make();
        world_log_checkpoint(&l, 7);
        expect(rows[i].name, rows[i].want, rows[i].rc, rows[i].entry, rows[i].says);
        world_log_close(&l);
    }
}

/* ---- checkpoints that contradict ---- */

static void put_head(const char *file, uint64_t size, const uint8_t root[static 32])
{
    char path[MIRROR_PATH_MAX];
    struct buf note = { .max = 100000 };

    world_log_head(&note, &l, size, root, 7);
    mirror_path(path, l.path, file);
    CHECK_EQ(file_publish(path, buf_span(&note), 0644), 0, file);
    buf_release(&note);
}

static void checkpoints(void **state)
{
    static const struct {
        const char *name, *file;
        uint64_t size;
        enum audit_verdict want;
        int rc;
        const char *says;
    } rows[] = {
        { "earlier, another root", "checkpoints/5", 5, AUDIT_FAILED, -HL_EFORK,
          "checkpoints/5, signed" },
        { "same size, another root", "checkpoints/23", 23, AUDIT_FAILED, -HL_EFORK,
          "one size and two roots" },
        { "later", "checkpoints/30", 30, AUDIT_INCOMPLETE, 0, "entries 23 to 29" },
        { "under another size", "checkpoints/6", 5, AUDIT_FAILED, -HL_EFORMAT, "checkpoints/6" },
        { "newest, another root", "checkpoint", 23, AUDIT_FAILED, -HL_EPROOF, "in 14 to 22" },
        { "newest, shorter, another root", "checkpoint", 22, AUDIT_FAILED, -HL_EPROOF,
          "in 14 to 21" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        world_log_open(&l, REALM_EXERCISE);
        standard();
        put_head(rows[i].file, rows[i].size, no_root);
        if (strcmp(rows[i].file, "checkpoint") == 0)
            damage(&(struct damage){ "checkpoints/23", DELETE, 0, NULL });
        if (rows[i].size == 22) { /* tiles of 22 entries are looked for */
            char command[1024];

            snprintf(command, sizeof(command),
                     "cd %s/tile && mv 0/000.p/23 0/000.p/22 && truncate -s %d 0/000.p/22 && "
                     "mv entries/000.p/23 entries/000.p/22 && truncate -s -34 entries/000.p/22",
                     l.path, 22 * 32);
            CHECK_EQ(system(command), 0, "mv");
        }
        expect(rows[i].name, rows[i].want, rows[i].rc, NOWHERE, rows[i].says);
        world_log_close(&l);
    }
}

/* Entry and tile changed alike: the last good checkpoint says where to look. */
static void both_changed(void **state)
{
    (void)state;
    world_log_open(&l, REALM_EXERCISE);
    standard();
    damage(&(struct damage){ "tile/entries/000.p/23", FLIP, -1, NULL });
    damage(&(struct damage){ "tile/0/000.p/23", FLIP, -1, NULL });
    expect("both", AUDIT_FAILED, -HL_EPROOF, 22, "neither leads to the signed root");
    world_log_close(&l);
}

static void few_witnesses(void **state)
{
    (void)state;
    world_log_open(&l, REALM_EXERCISE);
    ground();
    dummy();
    world_log_checkpoint(&l, 4);
    expect("one witness", AUDIT_INCOMPLETE, 0, NOWHERE, "1 of 3 witnesses cosigned");
    expect("up to where", AUDIT_INCOMPLETE, 0, NOWHERE,
           "entries from 14 on are logged, not witnessed");
    world_log_checkpoint(&l, 5);
    expect("a second one later", AUDIT_VERIFIED, 0, NOWHERE, "witnesses 2 of 3 (quorum met)");
    world_log_checkpoint(&l, 4);
    expect("the better note stands", AUDIT_VERIFIED, 0, NOWHERE, "witnesses 2 of 3 (quorum met)");
    world_log_close(&l);
}

static void empty_log(void **state)
{
    (void)state;
    world_log_open(&l, REALM_LIVE);
    world_log_checkpoint(&l, 3);
    expect("empty", AUDIT_VERIFIED, 0, NOWHERE, "0 entries");
    put_head("checkpoint", 0, no_root);
    damage(&(struct damage){ "checkpoints/0", DELETE, 0, NULL });
    expect("empty, another root", AUDIT_FAILED, -HL_EPROOF, NOWHERE, "do not lead");
    world_log_close(&l);
    world_log_open(&l, REALM_LIVE);
    expect("no log at all", AUDIT_INCOMPLETE, 0, NOWHERE, "checkpoint is missing");
    world_log_close(&l);
}

/* Several bundles, and tiles above the first level. */
static void large(void **state)
{
    (void)state;
    for (int row = 0; row < 5; row++) {
        world_log_open(&l, REALM_EXERCISE);
        ground();
        while (world_log_size(&l) < 700)
            dummy();
        world_log_checkpoint(&l, 7);
        switch (row) {
        case 0:
            expect("700", AUDIT_VERIFIED, 0, NOWHERE, "inclusion 700/700");
            break;
        case 1:
            damage(&(struct damage){ "tile/1/000.p/2", FLIP, 40, NULL });
            expect("upper tile", AUDIT_FAILED, -HL_EPROOF, NOWHERE, "tile/1/000.p/2 does not hold");
            break;
        case 2:
            damage(&(struct damage){ "tile/1/000.p/2", DELETE, 0, NULL });
            expect("no upper tile", AUDIT_INCOMPLETE, 0, NOWHERE, "tile/1/000.p/2");
            break;
        case 3:
            damage(&(struct damage){ "tile/entries/001", FLIP, 34 * 10 + 7, NULL });
            expect("second bundle", AUDIT_FAILED, -HL_EPROOF, 256 + 10, "the entry was changed");
            break;
        case 4:
            damage(&(struct damage){ "tile/entries/001", DELETE, 0, NULL });
            expect("no second bundle", AUDIT_INCOMPLETE, 0, NOWHERE, "entries 256 to 511");
            break;
        }
        world_log_close(&l);
    }
}

/* ---- any bit of any file ---- */

/* Where a flipped bit may leave a sound mirror: a line by a key that is then unknown, and files
 * that are not read. */
static bool may_verify(const char *file)
{
    return strncmp(file, "checkpoint", 10) == 0;
}

static void flip_file(const char *file, size_t stride, size_t *flips)
{
    char path[MIRROR_PATH_MAX];
    struct buf in = { .max = 1 << 20 };

    mirror_path(path, l.path, file);
    CHECK_EQ(file_read(path, &in), 0, file);
    for (size_t bit = *flips % stride; bit < in.n * 8; bit += stride) {
        struct audit_report r;
        FILE *f;

        in.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
        f = fopen(path, "w"); /* no sync: thousands of times */
        assert_non_null(f);
        CHECK_EQ(fwrite(in.p, 1, in.n, f), in.n, file);
        CHECK_EQ(fclose(f), 0, file);
        in.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
        audit_report_init(&r, l.path);
        CHECK_EQ(audit_verify(l.path, &r), 0, file);
        CHECK_EQ(audit_verdict(&r) == AUDIT_VERIFIED && !may_verify(file), 0, file);
        CHECK_EQ(audit_verdict(&r) == AUDIT_VERIFIED && r.cosigned == 2, 0, file);
        audit_report_release(&r);
        ++*flips;
    }
    CHECK_EQ(file_publish(path, buf_span(&in), 0644), 0, file);
    buf_release(&in);
}

static void flips(void **state)
{
    static const char *const files[] = { "realm",           "pins",
                                         "policy.txt",      "checkpoint",
                                         "tile/0/000.p/23", "tile/entries/000.p/23",
                                         "openings/10",     "openings/14",
                                         "openings/16",     "openings/20" };
    static const size_t strides[] = { 1, 7, 61, 7, 61, 997, 1499, 61, 61, 7 };
    size_t n = 0;

    (void)state;
    world_log_open(&l, REALM_EXERCISE);
    standard();
    for (size_t i = 0; i < COUNT(files); i++)
        flip_file(files[i], strides[i], &n);
    CHECK_EQ(n > 500, 1, "enough flips");
    expect("all put back", AUDIT_VERIFIED, 0, NOWHERE, "");
    world_log_close(&l);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),          cmocka_unit_test(damaged),
        cmocka_unit_test(made),          cmocka_unit_test(checkpoints),
        cmocka_unit_test(large),         cmocka_unit_test(both_changed),
        cmocka_unit_test(few_witnesses), cmocka_unit_test(empty_log),
        cmocka_unit_test(flips),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
