/* A policy means the same behind a comment line, and never more cosignatures than there are lines.
 */
#include <stdlib.h>

#include "common/tlog/quorum.h"
#include "tests/vectors/tlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size);
    struct quorum *q, *again;
    struct quorum_result res, res2;
    struct checkpoint cp;
    struct buf text, why;
    int rc;

    buf_init(&text, size + 64);
    buf_init(&why, 1000);
    buf_put_str(&text, "\t# comment\n");
    buf_put_span(&text, in);
    rc = quorum_parse(&q, in, &why);
    require((rc == 0) == (q != NULL) && (rc == 0) == (why.n == 0));
    require(quorum_parse(&again, buf_span(&text), &why) == rc || size > 262000);
    if (q && again) {
        require(quorum_logs(q) == quorum_logs(again) &&
                quorum_witnesses(q) == quorum_witnesses(again));
        rc = quorum_check(q, span_str(EXAMPLE_NOTE), &cp, &res);
        require(quorum_check(again, span_str(EXAMPLE_NOTE), &cp, &res2) == rc);
        require(res.met == res2.met && res.cosigned == res2.cosigned && res.cosigned <= 1);
        require(rc == 0 || !res.met);
    }
    quorum_free(q);
    quorum_free(again);
    buf_release(&text);
    buf_release(&why);
    return 0;
}
