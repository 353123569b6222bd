/* What reads as a checkpoint's text, or as an add-checkpoint request, prints to the same bytes. */
#include <stdlib.h>

#include "common/tlog/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct add_checkpoint *req = malloc(sizeof(*req));
    struct span in = SPAN(data, size);
    struct checkpoint cp;
    struct buf out;

    require(req != NULL);
    buf_init(&out, size + 64);
    if (checkpoint_parse(&cp, in) == 0) {
        require(checkpoint_put(&out, cp.origin, cp.size, cp.root) == 0);
        require(span_eq(in, buf_span(&out)));
    }
    buf_clear(&out);
    if (add_checkpoint_parse(req, in) == 0) {
        require(add_checkpoint_put(&out, req->old, HASHES(req->proof), req->n, req->note) == 0);
        require(span_eq(in, buf_span(&out)));
    }
    buf_release(&out);
    free(req);
    return 0;
}
