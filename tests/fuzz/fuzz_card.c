/* A party's card: what parses prints to the same text; its keys can be listed and compared. */
#include <stdlib.h>

#include "common/card.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct card_id id[CARD_IDS_MAX];
    struct document doc;
    struct card *card;
    struct buf out, why;

    buf_init(&out, DOCUMENT_MAX);
    buf_init(&why, 2048);
    if (card_new(&card, REALM_LIVE, SPAN(data, size), &why) == 0) {
        require(why.n == 0 && document_decode(&doc, REALM_LIVE, SPAN(data, size)) == 0);
        require(card_print(&out, REALM_LIVE, card) == 0);
        require(span_eq(buf_span(&out), doc.note.text));
        require(card_ids(card, id) <= CARD_IDS_MAX);
        (void)card_verify(card, NULL);
        require(card_verify(card, card) != 0); /* nothing is its own successor */
        card_free(card);
    } else {
        require(why.n > 0 && why.bad == 0); /* every refusal says why */
    }
    buf_release(&out);
    buf_release(&why);
    return 0;
}
