#ifndef HL_CLIENT_RENDER_FIELD_H
#define HL_CLIENT_RENDER_FIELD_H

#include "client/phrasebook.h"
#include "common/content.h"

/* Inside of render.c: who reads what, values and the texts of fields. */
struct render {
    struct buf *out;
    const struct phrasebook *pb;
    size_t lang; /* that of the text */
    bool rtl;
    uint64_t sealed_ms;
};

/** render_word - a word in the reader's language, else in the book's first one, else its id: never nothing. */
struct span render_word(const struct render *r, const char *vocabulary, struct span id);
/** render_frame - a word of the frame. */
struct span render_frame(const struct render *r, const char *id);
void render_put_frame(const struct render *r, struct buf *out, const char *id);
void render_put_count(const struct render *r, struct buf *out, uint64_t v);
/** render_put_field - the text of @f; @p is its phrase or NULL. */
void render_put_field(const struct render *r, struct buf *out, const struct phrase *p, const struct form_field *f);
const struct param *render_find_param(const struct form_field *f, struct span name);

#endif
