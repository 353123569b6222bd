/*
 * The file form of an envelope.  What decodes encodes to the same bytes; its front and its record's
 * parts decode to the same id.
 */
#include <stdlib.h>

#include "common/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct envelope env, other;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void one(enum realm realm, struct span in)
{
    struct buf out;

    if (envelope_decode(&env, realm, in) != 0)
        return;
    buf_init(&out, ENVELOPE_MAX);
    require(envelope_put(&out, &env) == 0 && span_eq(buf_span(&out), in));
    envelope_verify(&env);

    buf_clear(&out);
    require(header_put(&out, &env.header) == 0 && span_eq(buf_span(&out), env.header_bytes));
    buf_clear(&out);
    require(stamp_put(&out, &env.stamp) == 0 && span_eq(buf_span(&out), env.stamp_bytes));
    buf_clear(&out);
    require(wraps_put(&out, &env.wraps) == 0 && span_eq(buf_span(&out), env.wraps_bytes));

    buf_clear(&out);
    require(envelope_put_front(&out, &env) == 0);
    require(envelope_decode_front(&other, realm, buf_span(&out)) == 0);
    require(envelope_set_body(&other, env.body) == 0);
    require(span_eq(SPAN(other.id, 32), SPAN(env.id, 32)));
    require(envelope_decode_parts(&other, realm, env.header_bytes, env.stamp_bytes, env.wraps_hash,
                                  env.body_hash, env.sig) == 0);
    require(span_eq(SPAN(other.id, 32), SPAN(env.id, 32)));
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    one(REALM_LIVE, SPAN(data, size));
    one(REALM_EXERCISE, SPAN(data, size));
    return 0;
}
