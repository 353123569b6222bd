/* The front matter of an envelope: what decodes encodes to the same bytes. */
#include <stdlib.h>

#include "common/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct envelope env;

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;

    buf_init(&out, ENVELOPE_FRONT_MAX);
    for (enum realm realm = REALM_LIVE; realm <= REALM_EXERCISE; realm++) {
        if (envelope_decode_front(&env, realm, SPAN(data, size)) != 0)
            continue;
        buf_clear(&out);
        require(envelope_put_front(&out, &env) == 0);
        require(span_eq(buf_span(&out), SPAN(data, size)));
        require(env.body.n == 0 && env.body_len <= ENVELOPE_BUCKET_MAX + ENVELOPE_TAG);
        envelope_verify(&env);
    }
    buf_release(&out);
    return 0;
}
