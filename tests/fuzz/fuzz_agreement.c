/* An agreement's text: what parses prints to the same text; members and parties agree. */
#include <stdlib.h>

#include "common/agreement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void channels(const struct agreement *a)
{
    for (size_t i = 0; i < a->n_channels; i++) {
        const struct agreement_channel *c = &a->channel[i];

        require(agreement_channel(a, c->name) == c);
        for (size_t k = 0; k < c->n_members; k++) {
            require(channel_member_index(c, c->member[k]) == (int)k);
            require(span_eq(a->party[c->party[k]].party, name_party(c->member[k])));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agreement *a;
    struct buf out, why;

    buf_init(&out, DOCUMENT_MAX);
    buf_init(&why, 2048);
    if (agreement_new(&a, REALM_LIVE, SPAN(data, size), &why) == 0) {
        require(why.n == 0 && agreement_print(&out, REALM_LIVE, a) == 0);
        require(span_eq(buf_span(&out), SPAN(data, size)));
        channels(a);
        agreement_free(a);
    } else {
        require(why.n > 0 && why.bad == 0);
    }
    buf_release(&out);
    buf_release(&why);
    return 0;
}
