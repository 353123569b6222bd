#ifndef HL_CLIENT_RENDER_TEXT_H
#define HL_CLIENT_RENDER_TEXT_H

#include "common/buf.h"

/* Inside of render.c: columns, isolates and lines. */
#define RENDER_COLUMNS 80

/** text_columns - terminal columns of plain UTF-8: isolates and marks take none, wide characters two. */
size_t text_columns(struct span s);
/** put_isolated - @s, made safe; between isolates when @rtl or not ASCII. */
void put_isolated(struct buf *out, struct span s, bool rtl);
/** put_unbroken - the same for ASCII of ours, whose blanks put_wrapped() does not break at. */
void put_unbroken(struct buf *out, struct span s, bool rtl);
/** unbroken_end - make plain blanks of those; put_wrapped() does. */
void unbroken_end(struct buf *out, size_t begin);
/** put_padded - @s and blanks up to @columns. */
void put_padded(struct buf *out, struct span s, size_t columns);
/**
 * put_wrapped - @head, which stands in the first @indent columns, then @text broken at blanks; the lines after
 * the first begin with @next_head (as wide).  Ends with LF.  A line of a right-to-left text begins with U+200F; an
 * isolate that a break would cut is closed and opened again.
 */
void put_wrapped(struct buf *out, struct span head, struct span next_head, struct span text, bool rtl);

#endif
