/* What reads as a note or a vkey prints to the same bytes; no key verifies a stranger's line. */
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/tlog/note.h"
#include "tests/vectors/tlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void same_line(struct buf *out, const struct note_sig *sig)
{
    struct note_key key = { .type = sig->siglen == 72 ? NOTE_COSIGNATURE : NOTE_ED25519 };
    size_t from = out->n;

    buf_put_str(out, "\xe2\x80\x94 ");
    buf_put_span(out, sig->name);
    buf_put_u8(out, ' ');
    buf_put_span(out, sig->base64);
    buf_put_u8(out, '\n');
    if (!sig->siglen)
        return;
    out->n = from; /* one that we could have made */
    memcpy(key.name, sig->name.p, sig->name.n);
    memcpy(key.keyid, sig->keyid, 4);
    note_put_sig(out, &key, sig->sig, sig->siglen);
}

static void same_note(struct span in, const struct note *note, struct buf *out)
{
    buf_clear(out);
    buf_put_span(out, note->text);
    buf_put_u8(out, '\n');
    for (size_t i = 0; i < note->n; i++)
        same_line(out, &note->sig[i]);
    require(span_eq(in, buf_span(out)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size);
    struct note_key key, log;
    struct note note;
    struct buf out;

    buf_init(&out, 2 * size + 1024);
    if (note_parse(&note, in) == 0)
        same_note(in, &note, &out);
    else
        require(note.n == 0 && note.text.p == NULL);
    require(note_key_parse(&log, span_str(EXAMPLE_LOG)) == 0);
    if (note_verify_key(&note, &log, NULL) == 1)
        require(span_eq_str(note.text, EXAMPLE_TEXT));
    if (note_key_parse(&key, in) == 0 &&
        (key.type == NOTE_ED25519 || key.type == NOTE_COSIGNATURE)) {
        buf_clear(&out);
        require(note_key_print(&out, &key) == 0);
        require(span_eq(in, buf_span(&out)));
    }
    buf_release(&out);
    return 0;
}
