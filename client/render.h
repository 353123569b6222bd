#ifndef HL_CLIENT_RENDER_H
#define HL_CLIENT_RENDER_H

#include "client/phrasebook.h"
#include "common/content.h"

/*
 * A message as its reader sees it, on a terminal or on paper: in the reader's language, 80 columns.
 *
 *  1. Nothing of the message is left out.  A phrase that the book lacks is shown as code and parameters with
 *     NO TRANSLATION; one that lacks this language, in the book's first language with the same badge.
 *  2. No byte of a sender reaches the screen but through text_safe().  Every value stands in Unicode isolates
 *     (U+2068, U+2069) in a right-to-left language, and wherever it is not ASCII; each line of a right-to-left
 *     rendering begins with U+200F.  Codes, times and numbers keep Latin digits.
 *  3. Free text is labelled "not agreed wording" and each of its lines begins with "| ", so that none can
 *     pass for a line of ours.
 *  4. The realm opens and closes it.
 *  5. In the live realm a language that is not agreed is not used: the sender's is, and that is said.
 */
struct render_to {
    struct span poc;
    unsigned role; /* enum role */
};

struct render_facts {
    enum realm realm;
    struct span exercise;          /* name of the exercise, or empty */
    unsigned precedence, kind;
    struct span marking, category; /* words of the agreement, or empty */
    struct span number, channel, sender; /* "BOREALIA 7-6", names */
    size_t n_to;
    const struct render_to *to;
    uint64_t sealed_ms;
    uint64_t ack_due_ms; /* 0: none asked */
};

#define RENDER_MAX (4u << 20)

/**
 * render_message - append the text of @content under @facts in the language @lang (index into @pb).
 * Whatever the content holds, something readable comes out.  0 or out->bad.
 */
int render_message(struct buf *out, const struct phrasebook *pb, size_t lang, const struct render_facts *facts,
                   const struct content *content);
/** render_field - one form field as one line of text, without its number; for lists and history. */
int render_field(struct buf *out, const struct phrasebook *pb, size_t lang, uint64_t sealed_ms, const struct form_field *f);

#endif
