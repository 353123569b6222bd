/* What a log commits to: what decodes encodes to the same bytes. */
#include <stdlib.h>

#include "common/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct envelope env;
    struct record r;
    struct buf out;

    if (record_decode(&r, SPAN(data, size)) != 0)
        return 0;
    buf_init(&out, RECORD_MAX);
    require(record_put(&out, &r) == 0 && span_eq(buf_span(&out), SPAN(data, size)));
    if (r.type == RECORD_ENVELOPE && envelope_decode_parts(&env, REALM_LIVE, r.header, r.stamp,
                                                           r.wraps_hash, r.body_hash, r.sig) == 0) {
        buf_clear(&out);
        require(record_put_envelope(&out, r.time_ms, &env) == 0);
        require(span_eq(buf_span(&out), SPAN(data, size)));
    }
    buf_release(&out);
    return 0;
}
