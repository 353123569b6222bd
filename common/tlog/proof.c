/*
 *   c2sp.org/tlog-proof@v1 LF
 *   extra <base64> LF          optional, one line of at most PROOF_LINE_MAX bytes
 *   index <decimal> LF
 *   <base64 hash> LF           0..63
 *   LF
 *   <checkpoint>
 */
#include "common/tlog/proof.h"

#include <inttypes.h>
#include <string.h>

#include "common/error.h"
#include "common/text.h"

#define MAGIC "c2sp.org/tlog-proof@v1"

/* The value of a line "<word> <value>". */
static bool valued(struct span line, const char *word, struct span *value)
{
    size_t n = strlen(word);

    if (line.n <= n + 1 || memcmp(line.p, word, n) != 0 || line.p[n] != ' ')
        return false;
    *value = SPAN(line.p + n + 1, line.n - n - 1);
    return true;
}

static int hashes_parse(struct proof *p, struct span *rest)
{
    struct span line;

    while (text_line(rest, &line)) {
        if (line.n == 0)
            return 0;
        if (p->n == MERKLE_MAX_PROOF || text_unbase64_n(p->hash[p->n++], 32, line))
            return -HL_EFORMAT;
    }
    return -HL_EFORMAT;
}

static int parse(struct proof *p, struct span in)
{
    struct span line, value;
    size_t n;

    if (!text_line(&in, &line) || !span_eq_str(line, MAGIC) || !text_line(&in, &line))
        return -HL_EFORMAT;
    p->has_extra = valued(line, "extra", &p->extra_base64);
    if (p->has_extra) {
        if (line.n > PROOF_LINE_MAX)
            return -HL_ETOOBIG;
        if (note_base64(NULL, 0, &n, p->extra_base64) || !text_line(&in, &line))
            return -HL_EFORMAT;
    }
    if (!valued(line, "index", &value) || text_decimal(&p->index, value) || hashes_parse(p, &in))
        return -HL_EFORMAT;
    p->note = in;
    return in.n ? 0 : -HL_EFORMAT;
}

int proof_parse(struct proof *p, struct span in)
{
    int rc;

    *p = (struct proof){ 0 };
    rc = in.n > PROOF_MAX ? -HL_ETOOBIG : parse(p, in);
    if (rc)
        *p = (struct proof){ 0 };
    return rc;
}

int proof_put(struct buf *out, struct span extra, uint64_t index, const uint8_t (*hash)[32],
              size_t n, struct span note)
{
    buf_put_str(out, MAGIC "\n");
    if (extra.n) {
        buf_put_str(out, "extra ");
        text_base64(out, extra);
        buf_put_u8(out, '\n');
    }
    buf_printf(out, "index %" PRIu64 "\n", index);
    for (size_t i = 0; i < n; i++) {
        text_base64(out, SPAN(hash[i], 32));
        buf_put_u8(out, '\n');
    }
    buf_put_u8(out, '\n');
    return buf_put_span(out, note);
}
