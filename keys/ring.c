#include "keys/ring.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/file.h"
#include "keys/keyfile_text.h"

struct visit {
    const char *prefix;
    int (*fn)(void *arg, const char *path, struct span rest);
    void *arg;
};

static int visit(void *arg, const char *path)
{
    const struct visit *v = arg;
    const char *name = strrchr(path, '/') + 1; /* file_each() says "<dir>/<name>" */
    size_t n = strlen(v->prefix);

    if (strncmp(name, v->prefix, n) != 0)
        return 0;
    if (strstr(name, KEYFILE_LEFTOVER))
        return keyfile_remove(path);
    return v->fn(v->arg, path, span_str(name + n));
}

int ring_each(const char *dir, const char *prefix,
              int (*fn)(void *arg, const char *path, struct span rest), void *arg)
{
    struct visit v = { .prefix = prefix, .fn = fn, .arg = arg };

    return file_each(dir, "", visit, &v);
}

int ring_path(char out[static RING_PATH], const char *dir, const char *name)
{
    return snprintf(out, RING_PATH, "%s/%s", dir, name) < RING_PATH ? 0 : -HL_ETOOBIG;
}
