/* Stops: what parses prints to the same text. */
#include <stdlib.h>

#include "common/stop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct document doc;
    struct stop stop;
    struct buf out, why;

    buf_init(&out, DOCUMENT_MAX);
    buf_init(&why, 2048);
    if (stop_decode(&stop, REALM_LIVE, SPAN(data, size), &doc, &why) == 0)
        require(why.n == 0 && stop_print(&out, REALM_LIVE, &stop) == 0 &&
                span_eq(buf_span(&out), doc.note.text));
    else
        require(why.n > 0 && why.bad == 0);
    buf_release(&out);
    buf_release(&why);
    return 0;
}
