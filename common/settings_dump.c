#include <inttypes.h>

#include "common/conf.h"
#include "common/error.h"
#include "common/settings.h"
#include "common/text.h"

static void put_quoted(struct buf *out, const char *s)
{
    buf_put_u8(out, '"');
    for (; s && *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_put_u8(out, '\\');
        if (*s == '\n' || *s == '\t')
            buf_put_str(out, *s == '\n' ? "\\n" : "\\t");
        else
            buf_put_u8(out, (uint8_t)*s);
    }
    buf_put_u8(out, '"');
}

static void put_set(struct buf *out, const struct setting *s, const config_setting_t *at)
{
    switch (s->type) {
    case SETTING_STRING:
        put_quoted(out, config_setting_get_string(at));
        return;
    case SETTING_INT:
        buf_printf(out, "%lld", config_setting_get_int64(at));
        return;
    case SETTING_BOOL:
        buf_put_str(out, config_setting_get_bool(at) ? "true" : "false");
        return;
    case SETTING_STRINGS:
        buf_put_str(out, "[ ");
        for (int i = 0; i < config_setting_length(at); i++) {
            buf_put_str(out, i ? ", " : "");
            put_quoted(out, config_setting_get_string_elem(at, i));
        }
        buf_put_str(out, " ]");
        return;
    case SETTING_OTHER:
        buf_put_str(out, "...");
        return;
    }
}

static void put_default(struct buf *out, const struct setting *s)
{
    switch (s->type) {
    case SETTING_STRING:
        put_quoted(out, s->dstr ? s->dstr : "");
        return;
    case SETTING_INT:
        buf_printf(out, "%" PRId64, s->dflt);
        return;
    case SETTING_BOOL:
        buf_put_str(out, s->dflt ? "true" : "false");
        return;
    case SETTING_STRINGS:
        buf_put_str(out, "[ ]");
        return;
    case SETTING_OTHER:
        buf_put_str(out, "...");
        return;
    }
}

int settings_dump(const char *path, const struct setting *table, size_t n, struct buf *out)
{
    config_t c;
    int rc;

    config_init(&c);
    rc = conf_read(&c, path, out);
    for (size_t i = 0; i < n && !rc; i++) {
        const config_setting_t *at = config_lookup(&c, table[i].path);

        buf_printf(out, "%s = ", table[i].path);
        if (at) {
            put_set(out, &table[i], at);
            buf_printf(out, "; # %s:%u\n", path, config_setting_source_line(at));
        } else {
            put_default(out, &table[i]);
            buf_put_str(out, "; # built-in\n");
        }
    }
    config_destroy(&c);
    return rc ? rc : out->bad;
}
