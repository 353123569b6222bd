#include "server/keytable.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"

void keytable_release(struct keytable *t)
{
    free(t->key);
    *t = (struct keytable){ 0 };
}

struct table {
    uint8_t (*key)[32];
    size_t n, cap;
    bool bad;
};

static void table_add(void *arg, const uint8_t key[static 32], struct span poc)
{
    struct table *t = arg;
    size_t cap = t->cap ? t->cap * 2 : 64;
    void *p;

    (void)poc;
    if (t->n == t->cap) {
        p = t->bad ? NULL : realloc(t->key, cap * 32);
        if (!p) {
            t->bad = true;
            return;
        }
        t->key = p;
        t->cap = cap;
    }
    memcpy(t->key[t->n++], key, 32);
}

/* A session lives as long as its key is that of its PoC. */
static void end_if_revoked(void *arg, struct session *s)
{
    struct stages *st = arg;

    if (!span_eq(directory_transport(st->dir, st->now_ms, s->key), session_poc(s)))
        stages_session_end(st, s);
}

static bool same_table(const struct keytable *t, const struct table *now)
{
    return t->out && t->n == now->n && (t->n == 0 || memcmp(t->key, now->key, t->n * 32) == 0);
}

int keytable_refresh(struct keytable *t, struct stages *st)
{
    struct table now = { 0 };
    bool stale = st->keys_stale;

    if (t->out && !stale && st->now_ms < t->made_ms + KEYTABLE_MS)
        return 0;
    directory_each_transport(st->dir, st->now_ms, table_add, &now);
    if (now.bad) {
        free(now.key);
        return -HL_ENOMEM;
    }
    if (!same_table(t, &now)) {
        st->out->keys(st->out->arg, HASHES(now.key), now.n);
        session_each(st->sessions, end_if_revoked, st);
    }
    free(t->key);
    *t = (struct keytable){ now.key, now.n, true, st->now_ms };
    st->keys_stale = false;
    return stale ? cosign_reload(st->cosign, st->dir) : 0;
}
