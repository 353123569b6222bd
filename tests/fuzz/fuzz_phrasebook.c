/* Whatever is written as a phrasebook: a sentence, or a book that lint and print get through. */
#include <stdlib.h>

#include "client/phrasebook.h"
#include "common/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libconfig 1.5 loses the string before a syntax error; nothing of ours is let off. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct phrase_form form;
    struct phrasebook *pb;
    struct buf out;
    int rc;

    buf_init(&out, 1u << 20);
    rc = phrasebook_new(&pb, "input", SPAN(data, size), &out);
    if ((rc == 0) != (pb != NULL) || (rc == -HL_ECONFIG && out.n == 0))
        abort();
    if (pb) {
        phrasebook_lint(pb, &out);
        phrasebook_print(pb, 0, phrasebook_languages(pb) - 1, &out);
        for (size_t i = 0; phrasebook_form_at(pb, i, &form); i++)
            phrasebook_print_form(pb, form.id, 0, &out);
    }
    phrasebook_free(pb);
    buf_release(&out);
    return 0;
}
