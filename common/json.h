#ifndef HL_COMMON_JSON_H
#define HL_COMMON_JSON_H

#include "common/buf.h"

/*
 * JSON writer (RFC 8259) into a buf: commas and escaping are its business.  Every top object of a
 * program begins with json_begin(j, "message", realm), which writes "schema":"hotline.message/1" and
 * "realm".  Values that are not UTF-8 are written with \u00NN escapes per byte.
 */
struct json {
    struct buf *out;
    unsigned depth;
    bool comma[16];
};

/** json_init - write into @out, which outlives @j.  Errors stick there: the caller checks its bad once, at the end. */
void json_init(struct json *j, struct buf *out);
void json_object(struct json *j, const char *key); /* key NULL inside arrays and at the top */
void json_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);
void json_str(struct json *j, const char *key, const char *value);
void json_span(struct json *j, const char *key, struct span value);
void json_hex(struct json *j, const char *key, const uint8_t *p, size_t n);
void json_uint(struct json *j, const char *key, uint64_t v);
void json_int(struct json *j, const char *key, int64_t v);
void json_bool(struct json *j, const char *key, bool v);
/** json_begin - open a top object with its schema name and realm ("live" or "exercise"). */
void json_begin(struct json *j, const char *schema, const char *realm);

#endif
