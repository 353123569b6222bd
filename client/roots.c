#include "client/roots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"
#include "keys/keyfile.h"

static int key_cmp(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

int roots_create(const char *dir, enum realm realm, const char *party, unsigned n,
                 unsigned threshold, const struct secret *pass)
{
    struct roots r = { .threshold = threshold, .n = n };
    char path[600];
    struct buf text;
    int rc = file_mkdir(dir, 0700);

    snprintf(path, sizeof(path), "%s/party.txt", dir);
    if (!rc && access(path, F_OK) == 0)
        rc = -HL_EEXIST;
    for (unsigned i = 0; i < n && !rc; i++) {
        snprintf(path, sizeof(path), "%s/root-%u.key", dir, i + 1);
        rc = keyfile_new_sign(path, realm, KEY_ROOT, party, pass, r.key[i]);
    }
    if (rc)
        return rc;
    qsort(r.key, n, 32, key_cmp);
    buf_init(&text, 4096);
    buf_printf(&text, "party %s\n", party);
    roots_print(&r, &text);
    snprintf(path, sizeof(path), "%s/party.txt", dir);
    rc = text.bad ? text.bad : file_create(path, buf_span(&text), 0644);
    buf_release(&text);
    return rc;
}

static int roots_read(struct roots *r, struct span rest)
{
    struct span line, word, field;
    uint64_t k = 0;

    while (text_line(&rest, &line)) {
        if (!text_field(&line, &word) || !text_field(&line, &field) || line.n)
            return -HL_EFORMAT;
        if (span_eq_str(word, "party") && name_label(field))
            memcpy(r->party, field.p, field.n);
        else if (span_eq_str(word, "threshold") && text_decimal(&k, field) == 0 && k <= CARD_ROOTS)
            r->threshold = (unsigned)k;
        else if (span_eq_str(word, "root") && r->n < CARD_ROOTS &&
                 document_key(r->key[r->n], field) == 0)
            r->n++;
        else
            return -HL_EFORMAT;
    }
    return r->party[0] && r->threshold && r->threshold <= r->n ? 0 : -HL_EFORMAT;
}

static int roots_unlock(struct session *s, const char *dir, struct roots *r)
{
    char path[600];
    int rc = 0;

    for (unsigned i = 1; i <= CARD_ROOTS && !rc; i++) {
        struct secret *pass = NULL;

        snprintf(path, sizeof(path), "%s/root-%u.key", dir, i);
        if (access(path, F_OK) != 0)
            continue;
        rc = session_pass(s, path, &pass);
        if (!rc)
            rc = keyfile_load_sign(path, s->realm, KEY_ROOT, pass, &r->here[r->n_here]);
        if (!rc)
            r->n_here++;
        else
            session_fail(s, rc, "%s: %s", path, error_text(rc));
        secret_free(pass);
    }
    return rc;
}

int roots_open(struct session *s, const char *dir, struct roots **out)
{
    struct roots *r = calloc(1, sizeof(*r));
    struct buf in;
    char path[600];
    int rc = -HL_ENOMEM;

    *out = NULL;
    buf_init(&in, 4096);
    if (!r)
        return rc;
    snprintf(path, sizeof(path), "%s/party.txt", dir);
    rc = session_file(s, path, &in);
    if (!rc && roots_read(r, buf_span(&in)) != 0)
        rc = session_fail(s, -HL_EFORMAT, "%s: not a party's file", path);
    if (!rc)
        rc = roots_unlock(s, dir, r);
    buf_release(&in);
    if (rc)
        roots_close(r);
    else
        *out = r;
    return rc;
}

void roots_close(struct roots *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < CARD_ROOTS; i++)
        seckey_free(r->here[i]);
    free(r);
}

int roots_print(const struct roots *r, struct buf *out)
{
    buf_printf(out, "threshold %u\n", r->threshold);
    for (size_t i = 0; i < r->n; i++) {
        buf_put_str(out, "root ");
        text_base64(out, SPAN(r->key[i], 32));
        buf_put_u8(out, '\n');
    }
    return out->bad;
}

int roots_sign(const struct roots *r, struct span text_or_note, struct buf *note)
{
    struct buf next;
    int rc = r->n_here ? 0 : -HL_ENOKEY;

    buf_init(&next, DOCUMENT_MAX);
    buf_put_span(note, text_or_note);
    for (size_t i = 0; i < r->n_here && !rc; i++) {
        buf_clear(&next);
        rc = sign_document(&next, buf_span(note), span_str(r->party), r->here[i]);
        buf_clear(note);
        if (!rc)
            rc = buf_put_span(note, buf_span(&next));
    }
    buf_release(&next);
    return rc;
}
