#ifndef HL_CLIENT_AGREEMENTSOURCE_H
#define HL_CLIENT_AGREEMENTSOURCE_H

#include <libconfig.h>

#include "common/agreement.h"
#include "common/card.h"

/*
 * The libconfig source from which `hotline agreement new` prints the text that States sign.  Only the text counts;
 * the source is a convenience, read here and nowhere else.  Example: conf/demo/agreement.cfg.
 *
 * Keys are not copied by hand: `parties` and `witnesses` name parties, whose fingerprint and witness key come from
 * the cards given beside it.
 */
struct agreementsource {
    const char *path;
    enum realm realm;
    struct card *const *card; /* borrowed */
    size_t n_cards;
    struct buf *why;
    struct agreement *a; /* filled; its spans borrow from @config and the cards */
    config_t config;
};

/** agreementsource_print - read @src->path and append the text to @out. -HL_ECONFIG with "file:line: error: ..." in why. */
int agreementsource_print(struct agreementsource *src, struct buf *out);

#endif
