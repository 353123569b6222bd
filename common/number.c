#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/envelope.h"
#include "common/error.h"
#include "common/text.h"

/* The words and numbers that people use for what an envelope says in integers. */

static const struct {
    unsigned kind;
    const char *name;
} kinds[] = {
    { KIND_NOTIFICATION, "notification" },
    { KIND_REQUEST, "request" },
    { KIND_REPLY, "reply" },
    { KIND_INFORMATION, "information" },
    { KIND_CORRECTION, "correction" },
    { KIND_RETRACTION, "retraction" },
    { KIND_ENDORSEMENT, "endorsement" },
    { KIND_LINK_TEST, "link-test" },
    { KIND_VOID, "void" },
    { KIND_DELIVERED, "delivered" },
    { KIND_ACKNOWLEDGED, "acknowledged" },
    { KIND_UNDERSTOOD, "understood" },
    { KIND_PASSED, "passed" },
    { KIND_REFUSED, "refused" },
    { KIND_CANNOT_READ, "cannot-read" },
    { KIND_EXERCISE_CONTROL, "exercise-control" },
};

static const struct {
    const char *name, *letter;
} precedences[] = {
    [PRECEDENCE_ROUTINE] = { "ROUTINE", "R" },
    [PRECEDENCE_PRIORITY] = { "PRIORITY", "P" },
    [PRECEDENCE_IMMEDIATE] = { "IMMEDIATE", "O" },
    [PRECEDENCE_FLASH] = { "FLASH", "Z" },
};

bool kind_is_step(unsigned kind)
{
    return kind >= KIND_DELIVERED && kind <= KIND_CANNOT_READ;
}

bool kind_is_bodyless(unsigned kind)
{
    return kind == KIND_VOID || kind_is_step(kind);
}

const char *kind_name(unsigned kind)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return NULL;
}

int kind_parse(unsigned *kind, struct span s)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (span_eq_str(s, kinds[i].name)) {
            *kind = kinds[i].kind;
            return 0;
        }
    return -HL_EFORMAT;
}

const char *precedence_name(unsigned p)
{
    return p < COUNT(precedences) ? precedences[p].name : NULL;
}

const char *precedence_letter(unsigned p)
{
    return p < COUNT(precedences) ? precedences[p].letter : NULL;
}

/* The word in either case, never the letter: O for IMMEDIATE is too easily taken for ROUTINE. */
int precedence_parse(unsigned *p, struct span s)
{
    for (unsigned i = 0; i < COUNT(precedences); i++)
        if (s.n == strlen(precedences[i].name) &&
            strncasecmp((const char *)s.p, precedences[i].name, s.n) == 0) {
            *p = i;
            return 0;
        }
    return -HL_EFORMAT;
}

void number_print(char out[static NUMBER_SIZE], struct span sender, uint64_t seq)
{
    struct span party = name_party(sender);
    char digits[21];
    size_t n = 0;

    for (; n < party.n && n < NUMBER_SIZE - 32; n++)
        out[n] = (char)toupper(party.p[n]);
    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seq);
    snprintf(out + n, NUMBER_SIZE - n, " %s-%d", digits, text_damm(span_str(digits)));
}

static int parse_seq(uint64_t *seq, struct span s)
{
    struct span digits;

    if (s.n < 3 || s.p[s.n - 2] != '-')
        return -HL_EFORMAT;
    digits = SPAN(s.p, s.n - 2);
    if (text_decimal(seq, digits) || *seq == 0 || s.p[s.n - 1] != '0' + text_damm(digits))
        return -HL_EFORMAT;
    return 0;
}

int number_parse(char party[static 32], uint64_t *seq, const char *text)
{
    const char *blank = strchr(text, ' ');
    size_t n = blank ? (size_t)(blank - text) : 0;

    if (n < 1 || n > 31)
        return -HL_EFORMAT;
    for (size_t i = 0; i < n; i++)
        party[i] = (char)tolower((unsigned char)text[i]);
    party[n] = 0;
    if (!name_label(SPAN(party, n)))
        return -HL_EFORMAT;
    return parse_seq(seq, span_str(blank + 1));
}
