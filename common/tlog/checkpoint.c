/*
 *   origin LF  size LF  base64(root) LF
 */
#include "common/tlog/checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "common/error.h"
#include "common/text.h"

int checkpoint_put(struct buf *out, struct span origin, uint64_t size,
                   const uint8_t root[static 32])
{
    buf_put_span(out, origin);
    buf_printf(out, "\n%" PRIu64 "\n", size);
    text_base64(out, SPAN(root, 32));
    return buf_put_u8(out, '\n');
}

int checkpoint_parse(struct checkpoint *cp, struct span text)
{
    struct span origin, size, root;

    *cp = (struct checkpoint){ 0 };
    if (!text_line(&text, &origin) || !text_line(&text, &size) || !text_line(&text, &root) ||
        text.n != 0 || !note_name(origin))
        return -HL_EFORMAT;
    if (text_decimal(&cp->size, size) || text_unbase64_n(cp->root, 32, root)) {
        *cp = (struct checkpoint){ 0 };
        return -HL_EFORMAT;
    }
    cp->origin = origin;
    return 0;
}

int checkpoint_open(struct checkpoint *cp, struct note *note, struct span in,
                    const struct note_key *log)
{
    int rc = note_parse(note, in);

    *cp = (struct checkpoint){ 0 };
    if (!rc)
        rc = checkpoint_parse(cp, note->text);
    if (!rc && !span_eq_str(cp->origin, log->name))
        rc = -HL_EKEY;
    if (!rc) {
        rc = note_verify_key(note, log, NULL);
        rc = rc == 1 ? 0 : rc == 0 ? -HL_ESIG : rc;
    }
    if (rc)
        *cp = (struct checkpoint){ 0 };
    return rc;
}

int add_checkpoint_parse(struct add_checkpoint *req, struct span body)
{
    struct span line;

    *req = (struct add_checkpoint){ 0 };
    if (!text_line(&body, &line) || line.n < 4 || memcmp(line.p, "old ", 4) != 0 ||
        text_decimal(&req->old, SPAN(line.p + 4, line.n - 4)))
        return -HL_EFORMAT;
    for (;;) {
        if (!text_line(&body, &line))
            return -HL_EFORMAT;
        if (line.n == 0)
            break;
        if (req->n == MERKLE_MAX_PROOF || text_unbase64_n(req->proof[req->n++], 32, line))
            return -HL_EFORMAT;
    }
    req->note = body;
    return body.n ? 0 : -HL_EFORMAT;
}

int add_checkpoint_put(struct buf *out, uint64_t old, const uint8_t (*proof)[32], size_t n,
                       struct span note)
{
    buf_printf(out, "old %" PRIu64 "\n", old);
    for (size_t i = 0; i < n; i++) {
        text_base64(out, SPAN(proof[i], 32));
        buf_put_u8(out, '\n');
    }
    buf_put_u8(out, '\n');
    return buf_put_span(out, note);
}
