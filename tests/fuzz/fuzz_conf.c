/* Whatever the bytes, libconfig gets only what it can read without harm, and every refusal has a
 * sentence. */
#include <stdlib.h>

#include "common/conf.h"
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
    struct buf why;
    config_t c;
    int rc;

    buf_init(&why, 4096);
    config_init(&c);
    rc = conf_parse(&c, "input", SPAN(data, size), &why);
    if (rc == -HL_ECONFIG && why.n == 0)
        abort();
    if (rc == 0 && c.num_filenames > 0) /* no other file may have been read */
        abort();
    config_destroy(&c);
    buf_release(&why);
    return 0;
}
