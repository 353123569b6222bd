/* A request on agent.sock: what decodes encodes to the same bytes, and its keys are words. */
#include <stdlib.h>
#include <string.h>

#include "client/verbs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct verb_request req;

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out, strings;

    buf_init(&strings, VERB_REQUEST_MAX);
    if (verb_request_decode(&req, SPAN(data, size), &strings) != 0) {
        require(req.n == 0);
        buf_release(&strings);
        return 0;
    }
    buf_init(&out, VERB_REQUEST_MAX);
    for (size_t i = 0; i < req.n; i++)
        require(strlen(req.pair[i].key) > 0 && verb_get(&req, req.pair[i].key).p != NULL);
    require(verb_request_put(&out, &req) == 0 && span_eq(buf_span(&out), SPAN(data, size)));
    buf_release(&out);
    buf_release(&strings);
    return 0;
}
