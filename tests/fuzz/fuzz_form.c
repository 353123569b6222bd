/* Whatever is written as a form: a sentence with file and line, or fields that decode again. */
#include <stdlib.h>

#include "client/form.h"
#include "common/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libconfig 1.5 loses the string before a syntax error; nothing of ours is let off. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct phrasebook *book;
    struct form *form;
    struct buf why;
    int rc;

    buf_init(&why, 4096);
    if (!book)
        require(phrasebook_open(&book, "conf/phrasebook/core.cfg", &why) == 0);
    rc = form_parse(&form, "input", SPAN(data, size), book, 1795312142000, &why);
    require((rc == 0) == (form != NULL));
    require(rc != -HL_ECONFIG || why.n > 0);
    for (size_t i = 0; form && i < form->n; i++) {
        struct form_field f;

        require(form_field_decode(&f, form->field[i].bytes) == 0);
        require(f.number == form->field[i].number);
        require(i == 0 || form->field[i].number > form->field[i - 1].number);
    }
    form_free(form);
    buf_release(&why);
    return 0;
}
