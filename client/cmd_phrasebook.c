#include <stdio.h>
#include <string.h>

#include "client/message_args.h"
#include "common/error.h"

static int phrasebook_given(struct session *s, struct phrasebook **book)
{
    if (s->args.n_positional > 1)
        return phrasebook_open(book, s->args.positional[1], &s->why);
    return session_phrasebook(s, book);
}

int cmd_phrasebook(struct session *s)
{
    const char *what = s->args.positional[0];
    struct phrasebook *book = NULL;
    unsigned errors = 0;
    struct buf out;
    int rc = phrasebook_given(s, &book);

    buf_init(&out, 16u << 20);
    if (!rc && strcmp(what, "lint") == 0) {
        errors = phrasebook_lint(book, &out);
        buf_printf(&out, "%s: %u error%s\n", phrasebook_version(book), errors,
                   errors == 1 ? "" : "s");
    } else if (!rc && strcmp(what, "print") == 0) {
        rc = phrasebook_print(book, 0, phrasebook_languages(book) > 1 ? 1 : 0, &out);
    } else if (!rc) {
        rc = session_fail(s, -HL_EUSAGE, "lint or print");
    }
    if (!rc && fwrite(out.p, 1, out.n, stdout) != out.n)
        rc = -HL_ESYS;
    buf_release(&out);
    phrasebook_free(book);
    return rc ? rc : errors ? -HL_ECONFIG : 0;
}
