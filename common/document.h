#ifndef HL_COMMON_DOCUMENT_H
#define HL_COMMON_DOCUMENT_H

#include "common/buf.h"
#include "common/name.h"
#include "common/tlog/note.h"

/*
 * Public documents and agreements: signed notes whose text is lines "keyword field field..." (FORMATS 1).
 * Single spaces, LF, ASCII except in a last free field; fixed order; no comments.  The first line is
 * "hotline/1 <realm> <type>".  Keys are base64, digests base64, times decimal ms, durations decimal s.
 *
 * A grammar is a table of keywords; document_read() drives it, so that card, subkeys, stop and agreement
 * refuse unknown, repeated, misplaced keywords and excess length in one place.  A line has at most
 * DOCUMENT_LINE_MAX bytes.
 *
 * Note names of signatures on documents: "<party>" for root keys, "<party>.<office>" for PoC keys
 * (type 1, Ed25519 over the text).
 */
#define DOCUMENT_MAX 60000
#define DOCUMENT_LINE_MAX 1024
#define DOCUMENT_KEYWORDS_MAX 32

enum document_type { DOCUMENT_CARD, DOCUMENT_SUBKEYS, DOCUMENT_STOP, DOCUMENT_AGREEMENT };

struct document {
    enum realm realm;
    enum document_type type;
    uint8_t digest[32]; /* SHA-256 of the text */
    struct note note;   /* borrows from the input */
};

/** document_decode - split the note, read the first line, digest the text. 0, -HL_EFORMAT, -HL_ETOOBIG, -HL_EREALM. */
int document_decode(struct document *doc, enum realm realm, struct span in);
const char *document_type_name(enum document_type type);

/* One keyword of a grammar. */
struct keyword {
    const char *word;
    unsigned min, max;        /* how often, within its group */
    unsigned fields;          /* fixed fields after the word */
    bool free;                /* one more field that runs to the end of the line */
    unsigned group;           /* 0: top level; k: repeats inside the group that keyword number k-1 opens */
    int (*read)(void *target, struct span *field, size_t n); /* 0 or -HL_E... */
};

/**
 * document_read - apply @table to the lines after the first.  Order in the text = order in the table; a
 * group repeats from its head.  0, or the first error; @why gets "line N: ...".
 */
int document_read(struct span text, const struct keyword *table, size_t n, void *target, struct buf *why);

/**
 * document_signed - every signature line is by one of @key (name and key id), verifies, and the lines ascend strictly
 * by key id; @by[i] says whether key i signed.  0 or -HL_ESIG.
 */
int document_signed(const struct note *note, const struct note_key *key, size_t n, bool *by);

/** document_head - append the first line. */
int document_head(struct buf *out, enum realm realm, enum document_type type);
/** document_say - put a sentence into @why (may be NULL), unless one stands there; returns @rc. */
int document_say(struct buf *why, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** document_key - a base64 Ed25519 key, canonical and of prime order; -HL_EFORMAT, -HL_EBADKEY. */
int document_key(uint8_t key[static 32], struct span field);
/** document_xkey - a base64 X25519 key, canonical and not of small order; -HL_EFORMAT, -HL_EBADKEY. */
int document_xkey(uint8_t key[static 32], struct span field);
/** document_note_key - the verifier key of a key that was checked before. */
void document_note_key(struct note_key *out, struct span name, enum note_type type, const uint8_t key[static 32]);
/** document_origin - a log's origin "<domain>/<realm>/<party>/<generation>" of this realm; @party gets its party (may be NULL). */
bool document_origin(struct span origin, enum realm realm, struct span *party);
/** document_languages - BCP 47 tags, comma-separated (@many) or just one. */
bool document_languages(struct span s, bool many);

#endif
