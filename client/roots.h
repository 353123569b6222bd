#ifndef HL_CLIENT_ROOTS_H
#define HL_CLIENT_ROOTS_H

#include "client/commands.h"
#include "common/card.h"
#include "keys/sign.h"

/*
 * A party's root set as its folder holds it: all public keys, and the secret ones that are here.  The others sign
 * at their own places; a note travels between them.
 */
struct roots {
    char party[32];
    unsigned threshold;
    size_t n, n_here;
    uint8_t key[CARD_ROOTS][32];
    struct seckey *here[CARD_ROOTS];
};

/** roots_create - a new folder with @n keys. -HL_EEXIST, ... */
int roots_create(const char *dir, enum realm realm, const char *party, unsigned n, unsigned threshold, const struct secret *pass);
/** roots_open - read party.txt and unlock the keys that are here, asking for passphrases. */
int roots_open(struct session *s, const char *dir, struct roots **out);
void roots_close(struct roots *r);
/** roots_print - the lines "threshold" and "root" of a card. */
int roots_print(const struct roots *r, struct buf *out);
/** roots_sign - @text_or_note with the signatures of every key that is here. -HL_ENOKEY when none is. */
int roots_sign(const struct roots *r, struct span text_or_note, struct buf *note);

#endif
