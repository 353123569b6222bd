/* What reads as a tlog-proof prints to the same bytes. */
#include <stdlib.h>

#include "common/text.h"
#include "common/tlog/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proof *p = malloc(sizeof(*p));
    uint8_t *extra = malloc(size + 1);
    struct span in = SPAN(data, size);
    struct buf out;
    size_t n = 0;

    require(p && extra);
    buf_init(&out, 2 * size + 64);
    if (proof_parse(p, in) == 0) {
        if (p->has_extra)
            require(text_unbase64(extra, size, &n, p->extra_base64) == 0 && n > 0);
        require(proof_put(&out, SPAN(extra, n), p->index, HASHES(p->hash), p->n, p->note) == 0);
        require(span_eq(in, buf_span(&out)));
    }
    buf_release(&out);
    free(extra);
    free(p);
    return 0;
}
