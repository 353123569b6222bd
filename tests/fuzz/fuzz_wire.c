/* Every frame between client and broker: what decodes encodes to the same bytes. */
#include <stdlib.h>

#include "common/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct frame frame;

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;

    if (frame_decode(&frame, SPAN(data, size)) != 0)
        return 0;
    buf_init(&out, WIRE_FRAME_MAX);
    require(frame_put(&out, &frame) == 0 && span_eq(buf_span(&out), SPAN(data, size)));
    require(frame.front.n <= frame.front_len && frame.front.n + frame.body.n <= 2 * WIRE_CHUNK);
    buf_release(&out);
    return 0;
}
