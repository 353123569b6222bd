/*
 * What is sealed: content that decodes encodes to the same bytes, with the same commitment; a plain
 * that unpads pads to the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "common/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct content content, again;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void decode(struct span in)
{
    static const uint8_t salt[32] = { 1 };
    uint8_t commit[32], other[32];
    struct buf out;

    if (content_decode(&content, in) != 0)
        return;
    buf_init(&out, CONTENT_MAX);
    require(content_put(&out, &content) == 0 && span_eq(buf_span(&out), in));
    require(content_decode(&again, buf_span(&out)) == 0);
    content_commit(commit, REALM_LIVE, salt, &content);
    content_commit(other, REALM_LIVE, salt, &again);
    require(memcmp(commit, other, sizeof(commit)) == 0);
    for (size_t i = CONTENT_FIXED; i < content.n; i++)
        require(content.name[i].n > 0);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *salt;
    struct span in = SPAN(data, size), inner;
    struct buf out;

    decode(in);
    if (content_unpad(in, &salt, &inner) != 0)
        return 0;
    buf_init(&out, ENVELOPE_BUCKET_MAX);
    require(content_pad(&out, salt, inner) == 0 && span_eq(buf_span(&out), in));
    decode(inner);
    buf_release(&out);
    return 0;
}
