#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/commands.h"
#include "common/error.h"
#include "common/file.h"

/* ---- receipt ---- */

struct receipt_row {
    struct session *session;
    const char *dir; /* NULL: to stdout */
};

static int receipt_files(struct receipt_row *r, const struct pair *pair, size_t n)
{
    static const struct {
        const char *key, *file;
    } files[] = { { "proof", "receipt.tlog-proof" },
                  { "entry", "receipt.entry" },
                  { "policy", "policy.txt" } };
    char path[600];
    int rc = file_mkdir(r->dir, 0755);

    for (size_t i = 0; i < COUNT(files) && !rc; i++) {
        snprintf(path, sizeof(path), "%s/%s", r->dir, files[i].file);
        rc = file_publish(path, row_get(pair, n, files[i].key), 0644);
    }
    return rc ? session_fail(r->session, rc, "%s: %s", r->dir, error_text(rc)) : 0;
}

static int receipt_row(void *arg, const struct pair *pair, size_t n)
{
    struct receipt_row *r = arg;
    struct span grade = row_get(pair, n, "grade"), proof = row_get(pair, n, "proof");
    struct span number = row_get(pair, n, "number"), index = row_get(pair, n, "index");
    struct span host = row_get(pair, n, "host");

    if (r->dir) {
        int rc = receipt_files(r, pair, n);

        if (rc)
            return rc;
    }
    if (r->session->json)
        return output_row(&r->session->out, pair, n);
    fprintf(stderr, "%.*s is entry %.*s of %.*s: %.*s\n", (int)number.n, (const char *)number.p,
            (int)index.n, (const char *)index.p, (int)host.n, (const char *)host.p, (int)grade.n,
            (const char *)grade.p);
    if (!r->dir && fwrite(proof.p, 1, proof.n, stdout) != proof.n)
        return -HL_ESYS;
    return 0;
}

int cmd_receipt(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    struct receipt_row r = { s, args_get(&s->args, "out") };
    int rc;

    if (!req)
        return -HL_ENOMEM;
    session_request(req, "receipt");
    rc = session_message(s, req, 0);
    session_options(s, req);
    if (!rc)
        rc = session_ask(s, req, receipt_row, &r);
    free(req);
    return rc;
}

/* ---- by hand ---- */

int cmd_attachment(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    const char *dir = args_get(&s->args, "dir");
    char here[4096];
    int rc;

    if (!req)
        return -HL_ENOMEM;
    session_request(req, "attachment");
    rc = session_message(s, req, 0);
    if (!realpath(dir ? dir : ".", here)) /* the agent has another working folder */
        rc = session_fail(s, -HL_ENOENT, "%s is no folder", dir ? dir : ".");
    verb_add(req, "dir", span_str(here));
    if (!rc)
        rc = session_ask(s, req, NULL, NULL);
    free(req);
    return rc;
}

static int export_row(void *arg, const struct pair *pair, size_t n)
{
    struct session *s = arg;
    struct span bytes = row_get(pair, n, "bytes");
    const char *path = args_get(&s->args, "out");

    if (s->json)
        return output_row(&s->out, pair, n);
    if (path)
        return file_publish(path, bytes, 0644);
    if (isatty(STDOUT_FILENO))
        return session_fail(s, -HL_EUSAGE, "that is binary: say --out FILE");
    return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n ? 0 : -HL_ESYS;
}

int cmd_export(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    int rc;

    if (!req)
        return -HL_ENOMEM;
    session_request(req, "export");
    rc = session_message(s, req, 0);
    if (!rc)
        rc = session_ask(s, req, export_row, s);
    free(req);
    return rc;
}

int cmd_import(struct session *s)
{
    struct verb_request *req = malloc(sizeof(*req));
    struct buf in;
    int rc = -HL_ENOMEM;

    buf_init(&in, ENVELOPE_MAX);
    if (!req)
        goto out;
    rc = session_file(s, s->args.positional[0], &in);
    session_request(req, "import");
    verb_add(req, "bytes", buf_span(&in));
    if (!rc)
        rc = session_ask(s, req, NULL, NULL);
out:
    free(req);
    buf_release(&in);
    return rc;
}
