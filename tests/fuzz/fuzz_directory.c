/*
 * Any document against a directory in which a world stands: a verdict, a reason, and nothing
 * changed. What would be taken is taken by a fresh directory, once.
 */
#include <stdlib.h>

#include <sodium.h>

#include "common/error.h"
#include "tests/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void taken(const struct world *w, struct span note)
{
    struct directory *dir = world_directory(w);

    require(directory_apply(dir, note, WORLD_DOCUMENTS, WORLD_NOW, true, NULL, NULL) == 0);
    require(directory_check(dir, note, WORLD_NOW, true, NULL, NULL) == -HL_EEXIST);
    directory_free(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct directory *dir;
    static struct world w;
    struct directory_change change;
    struct buf why;
    int rc;

    if (!dir) {
        require(sodium_init() >= 0);
        world_init(&w, REALM_LIVE, WORLD_NOW);
        dir = world_directory(&w);
    }
    buf_init(&why, 2048);
    rc = directory_check(dir, SPAN(data, size), WORLD_NOW, true, &change, &why);
    require(why.bad == 0 && (rc == 0) == (why.n == 0));
    require(directory_check(dir, SPAN(data, size), WORLD_NOW, true, &change, NULL) == rc);
    if (rc == 0)
        taken(&w, SPAN(data, size));
    buf_release(&why);
    return 0;
}
