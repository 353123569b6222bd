#ifndef HL_CLIENT_CARDSOURCE_H
#define HL_CLIENT_CARDSOURCE_H

#include "common/card.h"

/*
 * Where a card's text comes from: blocks of its lines (a PoC, a host, the witness), taken from the card before and
 * replaced, added or dropped one by one.  The blocks are what stations and brokers print (poc.public, host.public),
 * so nobody copies a key by hand.
 */
#define CARDSOURCE_BLOCKS (CARD_POCS + CARD_HOSTS + 1)

enum card_block { BLOCK_WITNESS, BLOCK_POC, BLOCK_HOST };

struct cardsource {
    size_t n;
    struct {
        enum card_block type;
        char id[256]; /* office, origin, or "" */
        struct buf lines;
    } block[CARDSOURCE_BLOCKS];
    struct buf revoked, resumed; /* lines of the card before, and new ones */
};

void cardsource_init(struct cardsource *c);
void cardsource_release(struct cardsource *c);
/** cardsource_add - take the blocks in @lines (poc.public, host.public, or a card's text); one of the same id is replaced. -HL_EFORMAT, -HL_ETOOBIG. */
int cardsource_add(struct cardsource *c, struct span lines);
/** cardsource_alternate - append "alternate @poc" to the block of @office. -HL_ENOENT. */
int cardsource_alternate(struct cardsource *c, struct span office, struct span poc);
/** cardsource_drop - leave out the office or origin @id. -HL_ENOENT. */
int cardsource_drop(struct cardsource *c, const char *id);
/** cardsource_print - all blocks in the card's order. */
int cardsource_print(const struct cardsource *c, struct buf *out);

#endif
