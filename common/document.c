/*
 * <text: lines "keyword field field...", the first "hotline/1 <realm> <type>">
 * <LF>
 * <signature lines>
 *
 * document_read() walks the table of a grammar once, forwards.  A keyword of a group is taken only
 * while its group is open; a head opens its group, and closes the one before:
 *
 *     TOP -[head]-> IN GROUP -[member]-> IN GROUP -[same head]-> IN GROUP -[later top keyword]->
 * TOP
 */
#include "common/document.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"

static const char *const type_names[] = {
    [DOCUMENT_CARD] = "card",
    [DOCUMENT_SUBKEYS] = "subkeys",
    [DOCUMENT_STOP] = "stop",
    [DOCUMENT_AGREEMENT] = "agreement",
};

const char *document_type_name(enum document_type type)
{
    return type_names[type];
}

int document_say(struct buf *why, int rc, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    if (!why || why->n)
        return rc;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    text_safe(why, span_str(line));
    return rc;
}

static int first_line(struct document *doc, enum realm realm, struct span line)
{
    struct span field;

    if (!text_field(&line, &field) || !span_eq_str(field, "hotline/1"))
        return -HL_EFORMAT;
    if (!text_field(&line, &field) || realm_parse(&doc->realm, field))
        return -HL_EFORMAT;
    if (!text_field(&line, &field) || line.n)
        return -HL_EFORMAT;
    if (doc->realm != realm)
        return -HL_EREALM;
    for (size_t i = 0; i < COUNT(type_names); i++)
        if (span_eq_str(field, type_names[i])) {
            doc->type = (enum document_type)i;
            return 0;
        }
    return -HL_EFORMAT;
}

int document_decode(struct document *doc, enum realm realm, struct span in)
{
    struct span rest, line;
    int rc;

    *doc = (struct document){ 0 };
    if (in.n > DOCUMENT_MAX)
        return -HL_ETOOBIG;
    rc = note_parse(&doc->note, in);
    if (rc)
        goto out;
    rest = doc->note.text;
    rc = text_line(&rest, &line) ? first_line(doc, realm, line) : -HL_EFORMAT;
    if (!rc)
        crypto_hash_sha256(doc->digest, doc->note.text.p, doc->note.text.n);
out:
    if (rc)
        *doc = (struct document){ 0 };
    return rc;
}

int document_head(struct buf *out, enum realm realm, enum document_type type)
{
    return buf_printf(out, "hotline/1 %s %s\n", realm_name(realm), document_type_name(type));
}

/* ---- the walk over a grammar ---- */

struct walk {
    const struct keyword *table;
    size_t n, at; /* the keyword last taken; n before the first */
    unsigned line;
    unsigned count[DOCUMENT_KEYWORDS_MAX];
    struct buf *why;
};

/* The group that keyword @k is in or heads, as number of its head plus one; 0 for none. */
static size_t group_of(const struct walk *w, size_t k)
{
    if (w->table[k].group)
        return w->table[k].group;
    return k + 1 < w->n && w->table[k + 1].group == k + 1 ? k + 1 : 0;
}

static size_t group_end(const struct walk *w, size_t group)
{
    size_t k = group;

    while (k < w->n && w->table[k].group == group)
        k++;
    return k;
}

/* Keywords @from up to @to have come often enough (members only where their group is open). */
static int enough(const struct walk *w, size_t from, size_t to)
{
    for (size_t k = from; k < to; k++) {
        const struct keyword *word = &w->table[k];

        if (word->group && w->count[word->group - 1] == 0)
            continue;
        if (w->count[k] < word->min)
            return document_say(w->why, -HL_EFORMAT, "line %u: \"%s\" is missing before it",
                                w->line, word->word);
    }
    return 0;
}

static int misplaced(const struct walk *w, size_t k)
{
    return document_say(w->why, -HL_EFORMAT, "line %u: \"%s\" does not belong here", w->line,
                        w->table[k].word);
}

/* Step from the keyword last taken to @k. */
static int advance(struct walk *w, size_t k)
{
    size_t at = w->at == w->n ? 0 : w->at;
    size_t open = w->at == w->n ? 0 : group_of(w, at);
    size_t end = k;
    bool again = open && k == open - 1;
    int rc;

    if (w->table[k].group && w->table[k].group != open)
        return misplaced(w, k);
    if (k < at && !again)
        return misplaced(w, k);
    if (again)
        end = group_end(w, open);
    rc = enough(w, at, end);
    if (rc)
        return rc;
    for (size_t i = again ? open : end; i < end; i++)
        w->count[i] = 0;
    if (++w->count[k] > w->table[k].max)
        return document_say(w->why, -HL_ETOOBIG, "line %u: more than %u of \"%s\"", w->line,
                            w->table[k].max, w->table[k].word);
    w->at = k;
    return 0;
}

static bool free_field(struct span s)
{
    return s.n && s.p[0] != ' ' && s.p[s.n - 1] != ' ' && text_utf8(s, false) == 0;
}

/* Split the rest of a line into the fields of @word:
 * none is empty, so no two blanks stand together. */
static bool split(const struct keyword *word, struct span rest, struct span field[static 8])
{
    unsigned n;

    assert(word->fields + word->free <= 8);
    for (n = 0; n < word->fields; n++) {
        bool last = n + 1 == word->fields && !word->free;
        const uint8_t *blank = rest.n ? memchr(rest.p, ' ', rest.n) : NULL;
        size_t len = blank ? (size_t)(blank - rest.p) : rest.n;

        if (len == 0 || !blank != last || !text_ascii(SPAN(rest.p, len)))
            return false;
        field[n] = SPAN(rest.p, len);
        rest = last ? SPAN_NONE : SPAN(blank + 1, rest.n - len - 1);
    }
    if (word->free)
        field[n] = rest;
    return word->free ? free_field(rest) : true;
}

static int take(struct walk *w, struct span line, void *target)
{
    const uint8_t *blank = line.n ? memchr(line.p, ' ', line.n) : NULL;
    struct span word = SPAN(line.p, blank ? (size_t)(blank - line.p) : line.n), field[8];
    const struct keyword *known;
    size_t k = 0;
    int rc;

    if (line.n > DOCUMENT_LINE_MAX)
        return document_say(w->why, -HL_ETOOBIG, "line %u: longer than %d bytes", w->line,
                            DOCUMENT_LINE_MAX);
    while (k < w->n && !span_eq_str(word, w->table[k].word))
        k++;
    if (k == w->n || !blank)
        return document_say(w->why, -HL_EFORMAT, "line %u: no such line here: \"%.*s\"", w->line,
                            (int)(word.n < 40 ? word.n : 40), (const char *)word.p);
    rc = advance(w, k);
    if (rc)
        return rc;
    known = &w->table[k];
    if (!split(known, SPAN(blank + 1, line.n - word.n - 1), field))
        return document_say(w->why, -HL_EFORMAT, "line %u: \"%s\" takes %u fields%s", w->line,
                            known->word, known->fields, known->free ? " and a text" : "");
    rc = known->read(target, field, known->fields + known->free);
    return rc ? document_say(w->why, rc, "line %u: %s: %s", w->line, known->word, error_text(rc))
              : 0;
}

int document_read(struct span text, const struct keyword *table, size_t n, void *target,
                  struct buf *why)
{
    struct walk w = { .table = table, .n = n, .at = n, .line = 1, .why = why };
    struct span rest = text, line;
    int rc = 0;

    assert(n <= DOCUMENT_KEYWORDS_MAX);
    if (!text_line(&rest, &line))
        return document_say(why, -HL_EFORMAT, "line 1: the text is empty");
    while (!rc && text_line(&rest, &line)) {
        w.line++;
        rc = take(&w, line, target);
    }
    if (rc)
        return rc;
    w.line++;
    if (rest.n)
        return document_say(why, -HL_EFORMAT, "line %u: the line does not end", w.line);
    return enough(&w, w.at == n ? 0 : w.at, n);
}

int document_signed(const struct note *note, const struct note_key *key, size_t n, bool *by)
{
    for (size_t k = 0; k < n; k++)
        by[k] = false;
    for (size_t i = 0; i < note->n; i++) {
        const struct note_sig *sig = &note->sig[i];
        size_t k = 0;

        if (i && memcmp(note->sig[i - 1].keyid, sig->keyid, 4) >= 0)
            return -HL_ESIG;
        while (k < n &&
               (memcmp(key[k].keyid, sig->keyid, 4) != 0 || !span_eq_str(sig->name, key[k].name)))
            k++;
        if (k == n || note_verify_key(note, &key[k], NULL) != 1)
            return -HL_ESIG;
        by[k] = true;
    }
    return 0;
}

/* ---- fields that several documents share ---- */

int document_key(uint8_t key[static 32], struct span field)
{
    if (text_unbase64_n(key, 32, field))
        return -HL_EFORMAT;
    return crypto_core_ed25519_is_valid_point(key) ? 0 : -HL_EBADKEY;
}

/*
 * The x-coordinates of small order of Curve25519 and its twist, as canonical encodings
 * (draft-ietf-tls-rfc8446bis and libsodium refuse the same points).
 */
static const uint8_t x_small[][32] = {
    { 0 },
    { 1 },
    { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
      0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
      0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
    { 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
      0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
      0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
    { 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
};

/* below 2^255 - 19, little-endian */
static bool x_canonical(const uint8_t key[static 32])
{
    if (key[31] != 0x7f)
        return key[31] < 0x7f;
    for (size_t i = 30; i > 0; i--)
        if (key[i] != 0xff)
            return true;
    return key[0] < 0xed;
}

int document_xkey(uint8_t key[static 32], struct span field)
{
    if (text_unbase64_n(key, 32, field))
        return -HL_EFORMAT;
    if (!x_canonical(key))
        return -HL_EBADKEY;
    for (size_t i = 0; i < COUNT(x_small); i++)
        if (memcmp(key, x_small[i], 32) == 0)
            return -HL_EBADKEY;
    return 0;
}

void document_note_key(struct note_key *out, struct span name, enum note_type type,
                       const uint8_t key[static 32])
{
    *out = (struct note_key){ .type = (uint8_t)type };
    assert(name.n <= NOTE_MAX_NAME);
    memcpy(out->name, name.p, name.n);
    memcpy(out->key, key, 32);
    note_keyid(out->keyid, name, out->type, key);
}

/* The last '/'-separated part off @s. */
static struct span last_part(struct span *s)
{
    size_t n = s->n;
    struct span part;

    while (n && s->p[n - 1] != '/')
        n--;
    part = SPAN(s->p + n, s->n - n);
    *s = SPAN(s->p, n ? n - 1 : 0);
    return part;
}

bool document_origin(struct span origin, enum realm realm, struct span *party)
{
    struct span rest = origin, generation, owner, where;
    uint64_t number;

    if (!name_origin(origin))
        return false;
    generation = last_part(&rest);
    owner = last_part(&rest);
    where = last_part(&rest);
    if (party)
        *party = owner;
    return rest.n && text_decimal(&number, generation) == 0 && number > 0 && name_label(owner) &&
           span_eq_str(where, realm_name(realm));
}

static bool alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The shape of RFC 5646: subtags of 1..8 letters and
 * digits, the first of 2..8 letters; at most 35. */
static bool language(struct span s)
{
    size_t sub = 0;

    if (s.n < 2 || s.n > 35)
        return false;
    for (size_t i = 0, first = 1; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '-') {
            if (!alnum(s.p[i]) || (first && s.p[i] <= '9') || ++sub > 8)
                return false;
            continue;
        }
        if (sub < (first ? 2 : 1))
            return false;
        first = sub = 0;
    }
    return true;
}

bool document_languages(struct span s, bool many)
{
    for (;;) {
        const uint8_t *comma = s.n ? memchr(s.p, ',', s.n) : NULL;
        size_t n = comma ? (size_t)(comma - s.p) : s.n;

        if (!language(SPAN(s.p, n)) || (comma && !many))
            return false;
        if (!comma)
            return true;
        s = SPAN(comma + 1, s.n - n - 1);
    }
}
