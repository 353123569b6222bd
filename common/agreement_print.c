/* An agreement as text (what agreement_new() takes, byte for byte) and as a witness policy. */
#include <inttypes.h>
#include <stdlib.h>

#include <sodium.h>

#include "common/agreement.h"
#include "common/error.h"
#include "common/text.h"

const char *psk_duty_name(enum psk_duty duty)
{
    switch (duty) {
    case PSK_NONE:
        return "none";
    case PSK_ALLOWED:
        return "allowed";
    case PSK_REQUIRED:
        return "required";
    }
    return "";
}

static void put_line(struct buf *out, const char *word, struct span s)
{
    buf_put_str(out, word);
    buf_put_u8(out, ' ');
    buf_put_span(out, s);
    buf_put_u8(out, '\n');
}

static void put_lines(struct buf *out, const char *word, const struct span *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_line(out, word, list[i]);
}

static void put_digest(struct buf *out, const char *word, const uint8_t digest[static 32])
{
    buf_printf(out, "%s ", word);
    if (sodium_is_zero(digest, 32))
        buf_put_u8(out, '-');
    else
        text_base64(out, SPAN(digest, 32));
    buf_put_u8(out, '\n');
}

static void print_parties(struct buf *out, const struct agreement *a)
{
    put_line(out, "name", a->name);
    put_line(out, "title", a->title);
    for (size_t i = 0; i < a->n_parties; i++) {
        buf_put_str(out, "party ");
        buf_put_span(out, a->party[i].party);
        buf_put_u8(out, ' ');
        text_base64(out, SPAN(a->party[i].fingerprint, 32));
        buf_put_u8(out, '\n');
    }
    if (a->force)
        buf_printf(out, "force %u\n", a->force);
    else
        buf_put_str(out, "force all\n");
    buf_printf(out, "valid %" PRIu64 " %" PRIu64 "\n", a->from_ms, a->until_ms);
}

static void print_rules(struct buf *out, const struct agreement *a)
{
    put_lines(out, "category", a->category, a->n_categories);
    put_lines(out, "marking", a->marking, a->n_markings);
    buf_printf(out, "sealed %s\n", a->sealed ? "yes" : "no");
    for (size_t i = 0; i < a->n_attachments; i++) {
        buf_put_str(out, "attachment ");
        buf_put_span(out, a->attachment[i].type);
        buf_printf(out, " %" PRIu64 "\n", a->attachment[i].max);
    }
    for (unsigned p = 0; p < 4; p++)
        buf_printf(out, "deadline %s %" PRIu64 "\n", precedence_name(p), a->deadline_s[p]);
    for (unsigned p = 0; p < 4; p++)
        buf_printf(out, "handling %s %" PRIu64 "\n", precedence_name(p), a->handling_s[p]);
    buf_printf(out, "release %s %s\npsk %s\nsuite 1\n", a->two_person ? "two" : "one",
               a->alone ? "alone" : "never", psk_duty_name(a->psk));
}

static int by_name(const void *a, const void *b)
{
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static void print_channel(struct buf *out, struct agreement_channel *c)
{
    if (c->n_members)
        qsort(c->member, c->n_members, sizeof(c->member[0]), by_name);
    put_line(out, "channel", c->name);
    put_lines(out, "member", c->member, c->n_members);
}

static void print_record(struct buf *out, const struct agreement *a)
{
    put_lines(out, "host", a->host, a->n_hosts);
    for (size_t i = 0; i < a->n_witnesses; i++) {
        buf_put_str(out, "witness ");
        note_key_print(out, &a->witness[i]);
        buf_put_u8(out, '\n');
    }
    buf_printf(out, "quorum %u\n", a->quorum);
    for (size_t i = 0; i < a->n_auditors; i++) {
        buf_put_str(out, "auditor ");
        buf_put_span(out, a->auditor[i].poc);
        buf_put_str(out, a->auditor[i].full ? " full\n" : " statistics\n");
    }
    buf_printf(out, "retention %" PRIu64 "\n", a->retention_days);
    put_lines(out, "language", a->language, a->n_languages);
    put_digest(out, "phrasebook", a->phrasebook);
    put_digest(out, "treaty", a->treaty);
    buf_put_str(out, "random ");
    text_base64(out, SPAN(a->random, 32));
    buf_put_u8(out, '\n');
}

int agreement_print(struct buf *out, enum realm realm, struct agreement *a)
{
    document_head(out, realm, DOCUMENT_AGREEMENT);
    print_parties(out, a);
    print_rules(out, a);
    for (size_t i = 0; i < a->n_channels; i++)
        print_channel(out, &a->channel[i]);
    print_record(out, a);
    return out->bad;
}

int agreement_policy(struct buf *out, const struct agreement *a, const struct note_key *log)
{
    buf_put_str(out, "log ");
    note_key_print(out, log);
    buf_put_u8(out, '\n');
    for (size_t i = 0; i < a->n_witnesses; i++) {
        buf_printf(out, "witness w%zu ", i + 1);
        note_key_print(out, &a->witness[i]);
        buf_put_u8(out, '\n');
    }
    buf_printf(out, "group witnesses %u", a->quorum);
    for (size_t i = 0; i < a->n_witnesses; i++)
        buf_printf(out, " w%zu", i + 1);
    return buf_put_str(out, "\nquorum witnesses\n");
}
