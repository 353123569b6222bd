#ifndef HL_CLIENT_PHRASEBOOK_H
#define HL_CLIENT_PHRASEBOOK_H

#include "common/buf.h"

/*
 * The phrasebook: agreed wording in several languages, read from one libconfig file whose SHA-256 stands in
 * every message that uses it.  conf/phrasebook/core.cfg explains the file.
 *
 * A phrase is a code ("NAT-02") with typed parameters and a text per language; a vocabulary is a set of
 * words, each an id with a text per language.  Loading checks what rendering relies on; phrasebook_lint()
 * checks what makes a book worth signing.  All strings live as long as the book and are plain UTF-8.
 */
#define PHRASEBOOK_LANGUAGES 8
#define PHRASE_PARAMS 12
#define PHRASE_NAME_MAX 64 /* bytes of a parameter of type name */

enum phrase_type {
    PHRASE_NAME,    /* PARAM_TEXT, an identifier */
    PHRASE_COUNT,   /* PARAM_UINT */
    PHRASE_BOOL,    /* PARAM_BOOL */
    PHRASE_TIME,    /* PARAM_TIME */
    PHRASE_DAYTIME, /* PARAM_TIME, always shown with its day */
    PHRASE_MINUTES, /* PARAM_DURATION */
    PHRASE_WORD,    /* PARAM_CODE: the id of a word */
    PHRASE_WORDS,   /* PARAM_LIST of ids */
    PHRASE_PARTY,   /* PARAM_CODE: a party */
    PHRASE_ITEM     /* PARAM_TEXT: a, b, ...; shown in the label */
};

struct phrase_param {
    char name[32];
    enum phrase_type type;
    char vocabulary[32]; /* of BOOL, WORD, WORDS, PARTY; else empty */
};

struct phrase {
    const char *code, *label; /* label: a word of the vocabulary "label" */
    size_t n;
    struct phrase_param param[PHRASE_PARAMS];
    const char *text[PHRASEBOOK_LANGUAGES]; /* NULL: not translated */
    unsigned line;                          /* of the file */
};

struct phrasebook_language {
    const char *tag, *name, *thousands;
    bool rtl, agreed;
};

struct phrasebook; /* opaque */

/** phrasebook_open - read @path. 0, -HL_ECONFIG, -HL_ENOENT; "file:line: error: ..." in @why. */
int phrasebook_open(struct phrasebook **out, const char *path, struct buf *why);
/** phrasebook_new - the same from bytes; @name stands in messages. */
int phrasebook_new(struct phrasebook **out, const char *name, struct span bytes, struct buf *why);
void phrasebook_free(struct phrasebook *pb);
/** phrasebook_digest - SHA-256 of the file's bytes, 32 bytes: content field 3. */
const uint8_t *phrasebook_digest(const struct phrasebook *pb);
const char *phrasebook_name(const struct phrasebook *pb);    /* the file, as given */
const char *phrasebook_version(const struct phrasebook *pb); /* "core 2026.1" */

size_t phrasebook_languages(const struct phrasebook *pb);
const struct phrasebook_language *phrasebook_language(const struct phrasebook *pb, size_t i);
/** phrasebook_find_language - index of @tag ("ar-EG" finds "ar"); -1 when there is none. */
int phrasebook_find_language(const struct phrasebook *pb, struct span tag);

size_t phrasebook_phrases(const struct phrasebook *pb);
const struct phrase *phrasebook_at(const struct phrasebook *pb, size_t i);
/** phrasebook_phrase - the phrase with @code, or NULL. */
const struct phrase *phrasebook_phrase(const struct phrasebook *pb, struct span code);
const struct phrase_param *phrase_param(const struct phrase *p, struct span name);

/** phrasebook_word - text of the word @id in language @lang; NULL when it has none. */
const char *phrasebook_word(const struct phrasebook *pb, const char *vocabulary, struct span id, size_t lang);
/** phrasebook_find_word - the id of what was typed: an id, its words joined with blanks, or the text in any language; NULL. */
const char *phrasebook_find_word(const struct phrasebook *pb, const char *vocabulary, const char *typed);
/** phrasebook_next_word - iterate the ids of a vocabulary: start with *i = 0; NULL at the end. */
const char *phrasebook_next_word(const struct phrasebook *pb, const char *vocabulary, size_t *i);
/** phrasebook_next_vocabulary - iterate the vocabularies in the same way. */
const char *phrasebook_next_vocabulary(const struct phrasebook *pb, size_t *i);

/* A form: numbered fields, each of one family of phrases (the code up to its last '-'). */
struct phrase_form {
    const char *id, *kind; /* kind: a word of the vocabulary "kind" */
    const char *title[PHRASEBOOK_LANGUAGES];
    size_t n;
    const char *family[32]; /* of fields 1..n */
};
#define FORM_STAGE 99 /* the number of the field that holds the stage, of family STG, in every form */

/** phrasebook_form - the form called @id; false when there is none.  phrasebook_form_at: the i-th. */
bool phrasebook_form(const struct phrasebook *pb, struct span id, struct phrase_form *form);
bool phrasebook_form_at(const struct phrasebook *pb, size_t i, struct phrase_form *form);
/** phrase_in_family - does @code belong to @family? */
bool phrase_in_family(const char *code, const char *family);

/**
 * phrasebook_lint - append "file:line: error: ..." for everything that must not be signed, "note: ..." for
 * what to think about; returns the number of errors.
 */
unsigned phrasebook_lint(const struct phrasebook *pb, struct buf *out);
/** phrasebook_print - the paper book for voice: code, spelled code, both texts; @second may equal @first. */
int phrasebook_print(const struct phrasebook *pb, size_t first, size_t second, struct buf *out);
/** phrasebook_print_form - the blank paper form.  -HL_ENOENT. */
int phrasebook_print_form(const struct phrasebook *pb, const char *id, size_t lang, struct buf *out);

#endif
