#ifndef HL_CLIENT_INSIDE_H
#define HL_CLIENT_INSIDE_H

#include "common/agreement.h"
#include "common/content.h"

/*
 * What no host sees, sender and reader judge alike: does the content obey the agreement?  Sealed labels are in its lists,
 * the attachment is of a type and size that it accepts, a FLASH has none.  0, -HL_ECATEGORY, -HL_EMARKING,
 * -HL_EATTACHMENT, -HL_EFLASH, -HL_EFORMAT; @why (may be NULL) gets a sentence.
 */
int inside_judge(const struct content *c, const struct header *h, const struct stamp *s, const struct agreement *ag,
                 struct buf *why);

#endif
