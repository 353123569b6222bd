/* Whatever stands in a broker's settings: all of it is right, or a line says what is not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/file.h"
#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libconfig 1.5 loses the string before a syntax error; nothing of ours is let off. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

static char path[64];

static void remove_path(void)
{
    unlink(path);
}

static void write_file(const uint8_t *data, size_t size)
{
    FILE *f;

    if (!path[0]) {
        snprintf(path, sizeof(path), "/tmp/hotline-fuzz-%d.conf", (int)getpid());
        atexit(remove_path);
    }
    f = fopen(path, "w");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
}

static void check_right(const struct config *c)
{
    const char *const folder[] = { c->state, c->public, c->documents, c->log_key,
                                   c->transport_key };

    if (c->realm == REALM_LIVE && c->clock_offset_s)
        abort();
    for (size_t i = 0; i < COUNT(folder); i++)
        if (!folder[i] || folder[i][0] != '/')
            abort();
    if (strncmp(c->listen, "tcp://", 6) != 0 || c->quota_mb < 2 || c->quota_messages < 1 ||
        c->space_min_mb > c->space_low_mb)
        abort();
}

/* "path:line: error: sentence\n" */
static void check_why(struct buf *why)
{
    const char *text = buf_str(why);
    size_t n = strlen(path);

    if (why->n < n + 2 || strncmp(text, path, n) != 0 || text[n] != ':' ||
        !strstr(text, ": error: ") || text[why->n - 1] != '\n')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config c;
    struct buf why;
    int rc;

    write_file(data, size);
    buf_init(&why, 4096);
    rc = config_load(&c, path, &why);
    clock_adjust(0);
    if (rc) {
        check_why(&why);
    } else {
        check_right(&c);
        config_release(&c);
    }
    buf_release(&why);
    return 0;
}
