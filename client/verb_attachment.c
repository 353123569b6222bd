#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/verb_list.h"
#include "common/content.h"
#include "common/error.h"
#include "common/file.h"
#include "common/text.h"

/* Bytes that leave the desk, or come to it, by hand: attachments (inert), envelopes in their file
 * form. */

/* ---- attachment ---- */

/* A name of ours; nothing of it comes from the sender but its party and number. */
static int attachment_save(struct verb *v, const struct message *m, struct span dir,
                           struct span bytes, char path[static PATH_MAX])
{
    char number[NUMBER_SIZE];
    int n;

    number_print(number, span_str(m->sender), m->seq);
    for (char *p = number; *p; p++)
        if (*p == ' ')
            *p = '-';
    n = snprintf(path, PATH_MAX, "%.*s/%s-attachment", (int)dir.n, (const char *)dir.p, number);
    if (dir.n == 0 || dir.p[0] != '/' || n < 0 || n >= PATH_MAX)
        return verb_fail(v, -HL_EUSAGE, "dir: want a whole path");
    n = file_create(path, bytes, 0400);
    return n ? verb_fail(v, n, "%s: %s", path, error_text(n)) : 0;
}

static int attachment_row(struct verb *v, const struct message *m, const struct attachment *at)
{
    struct span dir = verb_get(v->req, "dir");
    uint8_t digest[crypto_hash_sha256_BYTES];
    char path[PATH_MAX];
    struct row r;
    int rc = dir.p ? attachment_save(v, m, dir, at->bytes, path) : 0;

    if (rc)
        return rc;
    crypto_hash_sha256(digest, at->bytes.p, at->bytes.n);
    row_begin(&r, "attachment");
    row_span(&r, "type", at->type);
    row_span(&r, "label", at->label);
    row_uint(&r, "size", at->bytes.n);
    row_32(&r, "sha256", digest);
    if (dir.p)
        row_str(&r, "path", path);
    else
        row_span(&r, "bytes", at->bytes);
    return row_send(v, &r);
}

int verb_attachment_begin(struct verb *v)
{
    struct content *c = calloc(1, sizeof(*c));
    struct attachment at;
    struct message m;
    uint8_t mid[32];
    int rc = c ? verb_message(v, "", mid) : -HL_ENOMEM;

    message_init(&m);
    if (!rc)
        rc = desk_message(v->agent->desk, mid, &m);
    if (!rc && m.content.n && content_decode(c, buf_span(&m.content)))
        rc = -HL_ESTORE;
    if (!rc && !content_field(c, "attachment").p)
        rc = verb_fail(v, -HL_ENOENT, "this message has no attachment");
    if (!rc)
        rc = attachment_decode(&at, content_field(c, "attachment"));
    if (!rc)
        rc = attachment_row(v, &m, &at);
    message_release(&m);
    free(c);
    return rc;
}

/* ---- export, import ---- */

int verb_export_begin(struct verb *v)
{
    char number[NUMBER_SIZE];
    struct message m;
    uint8_t mid[32];
    struct row r;
    int rc = verb_message(v, "", mid);

    if (rc)
        return rc;
    rc = desk_message(v->agent->desk, mid, &m);
    if (!rc) {
        number_print(number, span_str(m.sender), m.seq);
        row_begin(&r, "envelope");
        row_str(&r, "number", number);
        row_32(&r, "mid", m.mid);
        row_32(&r, "id", m.id);
        row_span(&r, "bytes", buf_span(&m.envelope));
        rc = row_send(v, &r);
    }
    message_release(&m);
    return rc;
}

/* Judged by the directory in which its channel is known. */
int verb_import_begin(struct verb *v)
{
    struct envelope *env = malloc(sizeof(*env));
    struct span bytes = verb_get(v->req, "bytes");
    struct channel_facts facts;
    struct sync *s = NULL;
    uint8_t mid[32];
    int rc = env ? envelope_decode(env, v->agent->station->realm, bytes) : -HL_ENOMEM;

    if (rc)
        verb_fail(v, rc, "this is no envelope of the %s realm: %s",
                  realm_name(v->agent->station->realm), error_text(rc));
    else
        s = compose_channel(v->agent, SPAN_NONE, env->header.channel, &facts, &rc, &v->why);
    if (s)
        rc = taking_carried(v->agent, sync_directory(s), bytes, mid, &v->why);
    free(env);
    if (rc)
        return rc;
    rc = message_row_mid(v, mid);
    return rc == -HL_ENOENT ? verb_fail(v, 0, "taken: a step, or nothing for this desk") : rc;
}
