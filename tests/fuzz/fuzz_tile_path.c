/* What reads as a tile's path prints to the same bytes; what reads as a bundle is written the same.
 */
#include <stdlib.h>

#include "common/tlog/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size), rest = in, entry;
    char path[TILE_PATH_MAX];
    struct tile_id id;
    struct buf out;
    int rc;

    if (tile_parse(&id, in) == 0) {
        tile_path(path, &id);
        require(span_eq_str(in, path));
        require(id.width >= 1 && id.width <= TILE_WIDTH &&
                (id.level < 8 || id.level == TILE_ENTRIES));
    }
    buf_init(&out, size + 1);
    while (bundle_next(&rest, &entry, &rc))
        bundle_put(&out, entry);
    if (rc == 0)
        require(span_eq(in, buf_span(&out)));
    buf_release(&out);
    return 0;
}
