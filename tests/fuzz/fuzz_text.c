/* Whatever the bytes: what text_safe() writes is plain, what reads as base64 writes the same again.
 */
#include <stdlib.h>

#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size), line, field, rest = in;
    struct buf out;
    uint8_t *raw = malloc(size + 1);
    char iso[TEXT_TIME_SIZE];
    uint64_t v;
    size_t n;

    require(raw != NULL);
    buf_init(&out, 4 * size + 64);
    require(text_safe(&out, in) == 0);
    require(text_utf8(buf_span(&out), false) == 0);
    if (text_utf8(in, false) == 0)
        require(span_eq(in, buf_span(&out)));

    buf_clear(&out);
    if (text_unbase64(raw, size, &n, in) == 0) {
        text_base64(&out, SPAN(raw, n));
        require(span_eq(in, buf_span(&out)));
    }
    if (text_untime(&v, in) == 0) {
        text_time(iso, v);
        require(span_eq(in, SPAN(iso, size)));
    }
    while (text_line(&rest, &line))
        while (text_field(&line, &field))
            require(field.n <= size);
    buf_release(&out);
    free(raw);
    return 0;
}
