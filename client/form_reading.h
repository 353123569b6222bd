#ifndef HL_CLIENT_FORM_READING_H
#define HL_CLIENT_FORM_READING_H

#include <libconfig.h>

#include "client/form.h"

/* Inside of form.c: what the reader of one form knows, and how it reads one parameter. */
struct form_reading {
    const char *file;
    config_t *conf;
    const struct phrasebook *pb;
    uint64_t release_ms;
    struct phrase_form shape;
    struct buf *why;
    struct buf lists; /* encodings of list parameters of the field at hand; has its full size from the start */
};

/** form_param - the parameter @q, written at @at, into @out, which borrows.  -HL_ECONFIG with a sentence. */
int form_param(struct form_reading *r, const config_setting_t *at, const struct phrase_param *q, struct param *out);
/** form_wrong - "'name' must be @sentence"; returns -HL_ECONFIG. */
int form_wrong(const struct form_reading *r, const config_setting_t *at, const char *sentence);

#endif
