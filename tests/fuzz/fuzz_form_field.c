/* One form field, or one attachment: what decodes encodes to the same bytes; lists can be walked.
 */
#include <stdlib.h>

#include "common/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void walk(const struct param *p, struct span whole)
{
    struct span rest = p->bytes, text;
    size_t left = 0;

    while (param_list_next(&rest, &left, &text))
        require(text.p >= whole.p && text.p + text.n <= whole.p + whole.n);
    require(left == 0 && (rest.n == 0 || span_eq(rest, SPAN("\x80", 1))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size);
    struct form_field f;
    struct attachment a;
    struct buf out;

    buf_init(&out, size + 1);
    if (form_field_decode(&f, in) == 0) {
        require(form_field_put(&out, &f) == 0 && span_eq(buf_span(&out), in));
        for (size_t i = 0; i < f.n; i++)
            if (f.param[i].type == PARAM_LIST)
                walk(&f.param[i], in);
    }
    buf_clear(&out);
    if (attachment_decode(&a, in) == 0)
        require(attachment_put(&out, &a) == 0 && span_eq(buf_span(&out), in));
    buf_release(&out);
    return 0;
}
