#include "server/mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/record.h"

struct mailboxes {
    struct store *store;
    enum realm realm;
    struct hmap map;
    struct stored stored; /* scratch */
};

int mailboxes_open(struct store *st, enum realm realm, struct mailboxes **out)
{
    struct mailboxes *ms = calloc(1, sizeof(*ms));
    int rc = ms ? hmap_init(&ms->map) : -HL_ENOMEM;

    *out = NULL;
    if (rc) {
        free(ms);
        return rc;
    }
    ms->store = st;
    ms->realm = realm;
    stored_init(&ms->stored);
    *out = ms;
    return 0;
}

static void mailbox_free(void *arg, struct hmap_node *node)
{
    struct mailbox *mb = (struct mailbox *)node;

    (void)arg;
    for (size_t p = 0; p < COUNT(mb->lane); p++)
        free(mb->lane[p].v);
    free(mb);
}

void mailboxes_close(struct mailboxes *ms)
{
    if (!ms)
        return;
    hmap_each(&ms->map, mailbox_free, NULL);
    hmap_release(&ms->map);
    stored_release(&ms->stored);
    free(ms);
}

static int lane_add(struct mailbox *mb, const struct mail *mail)
{
    struct lane_of_mail *lane = &mb->lane[mail->precedence];
    size_t cap = lane->cap ? lane->cap * 2 : 8;
    struct mail *v;

    if (lane->n == lane->cap) {
        v = realloc(lane->v, cap * sizeof(*v));
        if (!v)
            return -HL_ENOMEM;
        lane->v = v;
        lane->cap = cap;
    }
    lane->v[lane->n++] = *mail;
    mb->count++;
    mb->bytes += mail->bytes;
    return 0;
}

/* ---- loading: index, precedence and held come first, the rest from each entry ---- */

static int load_one(void *arg, uint64_t index, unsigned precedence, bool held)
{
    struct mail mail = { .index = index, .precedence = (uint8_t)precedence, .held = held };

    return precedence < 4 ? lane_add(arg, &mail) : -HL_ESTORE;
}

static int by_index(const void *a, const void *b)
{
    const struct mail *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

/* A damaged entry stays in its place: it is promised, and other mail goes on. */
static int load_details(struct mailboxes *ms, struct mailbox *mb, struct mail *mail)
{
    struct record rec;
    int rc = store_read(ms->store, mail->index, &ms->stored);

    if (rc == -HL_ENOMEM)
        return rc;
    mail->damaged =
        rc || record_decode(&rec, buf_span(&ms->stored.record)) || rec.type != RECORD_ENVELOPE;
    if (mail->damaged)
        return 0;
    mail->bytes = ms->stored.body_len;
    mb->bytes += mail->bytes;
    envelope_mid(mail->mid, ms->realm, rec.header);
    return 0;
}

static int mailbox_load(struct mailboxes *ms, struct mailbox *mb)
{
    int rc = store_each_mailbox(ms->store, span_str(mb->poc), load_one, mb);

    for (size_t p = 0; p < COUNT(mb->lane) && !rc; p++) {
        struct lane_of_mail *lane = &mb->lane[p];

        if (lane->n)
            qsort(lane->v, lane->n, sizeof(*lane->v), by_index);
        for (size_t i = 0; i < lane->n && !rc; i++)
            rc = load_details(ms, mb, &lane->v[i]);
    }
    return rc;
}

int mailbox_get(struct mailboxes *ms, struct span poc, struct mailbox **out)
{
    struct mailbox *mb = (struct mailbox *)hmap_find(&ms->map, poc);
    int rc;

    *out = mb;
    if (mb)
        return 0;
    mb = poc.n < sizeof(mb->poc) ? calloc(1, sizeof(*mb)) : NULL;
    if (!mb)
        return -HL_ENOMEM;
    memcpy(mb->poc, poc.p, poc.n);
    mb->node.key = SPAN(mb->poc, poc.n);
    rc = mailbox_load(ms, mb);
    if (rc) {
        mailbox_free(NULL, &mb->node);
        return rc;
    }
    hmap_add(&ms->map, &mb->node);
    *out = mb;
    return 0;
}

/* ---- changes: memory and store together ---- */

int mailbox_put(struct mailboxes *ms, struct mailbox *mb, const struct mail *mail)
{
    int rc = lane_add(mb, mail);

    if (!rc)
        rc =
            store_stage_mailbox(ms->store, mb->node.key, mail->index, mail->precedence, mail->held);
    return rc;
}

/* What is gone is skipped; its room is given back when it is half of the lane. */
static void lane_compact(struct lane_of_mail *lane)
{
    size_t n = 0, next = 0;

    while (lane->first < lane->n && lane->v[lane->first].gone)
        lane->first++;
    if (lane->next < lane->first)
        lane->next = lane->first;
    if (lane->first < 32 || lane->first * 2 < lane->n)
        return;
    for (size_t i = lane->first; i < lane->n; i++) {
        if (i == lane->next)
            next = n;
        if (!lane->v[i].gone)
            lane->v[n++] = lane->v[i];
    }
    lane->next = lane->next >= lane->n ? n : next;
    lane->first = 0;
    lane->n = n;
}

int mailbox_take(struct mailboxes *ms, struct mailbox *mb, const uint8_t mid[static 32], bool held)
{
    int rc = 0;

    for (size_t p = 0; p < COUNT(mb->lane) && !rc; p++) {
        struct lane_of_mail *lane = &mb->lane[p];

        for (size_t i = lane->first; i < lane->n && !rc; i++) {
            struct mail *mail = &lane->v[i];

            if (mail->gone || mail->damaged || (held && !mail->held) ||
                memcmp(mail->mid, mid, 32) != 0)
                continue;
            mail->gone = true;
            mb->count--;
            mb->bytes -= mail->bytes;
            rc = store_stage_mailbox_drop(ms->store, mb->node.key, mail->index);
        }
        lane_compact(lane);
    }
    return rc;
}

int mailbox_release(struct mailboxes *ms, struct mailbox *mb, const uint8_t mid[static 32],
                    size_t *n)
{
    int rc = 0;

    *n = 0;
    for (size_t p = 0; p < COUNT(mb->lane) && !rc; p++) {
        struct lane_of_mail *lane = &mb->lane[p];

        for (size_t i = lane->first; i < lane->n && !rc; i++) {
            struct mail *mail = &lane->v[i];

            if (mail->gone || !mail->held || memcmp(mail->mid, mid, 32) != 0)
                continue;
            mail->held = false;
            ++*n;
            if (lane->next > i)
                lane->next = i;
            rc = store_stage_mailbox(ms->store, mb->node.key, mail->index, mail->precedence, false);
        }
    }
    return rc;
}

bool mailbox_held(const struct mailbox *mb, uint64_t index)
{
    for (size_t p = 0; p < COUNT(mb->lane); p++)
        for (size_t i = mb->lane[p].first; i < mb->lane[p].n; i++)
            if (mb->lane[p].v[i].index == index)
                return mb->lane[p].v[i].held && !mb->lane[p].v[i].gone;
    return false;
}

bool mailbox_holds(const struct mailbox *mb, const uint8_t mid[static 32])
{
    for (size_t p = 0; p < COUNT(mb->lane); p++)
        for (size_t i = mb->lane[p].first; i < mb->lane[p].n; i++)
            if (mb->lane[p].v[i].held && !mb->lane[p].v[i].gone &&
                memcmp(mb->lane[p].v[i].mid, mid, 32) == 0)
                return true;
    return false;
}

/* ---- offering ---- */

struct mail *mailbox_next(struct mailbox *mb, unsigned precedence, uint64_t hello)
{
    struct lane_of_mail *lane = &mb->lane[precedence];

    for (; lane->next < lane->n; lane->next++) {
        struct mail *mail = &lane->v[lane->next];

        if (!mail->gone && !mail->held && !mail->damaged && mail->offered != hello)
            return mail;
    }
    return NULL;
}

void mailbox_rewind(struct mailbox *mb)
{
    for (size_t p = 0; p < COUNT(mb->lane); p++)
        mb->lane[p].next = mb->lane[p].first;
}

struct each {
    void (*fn)(void *arg, const struct mailbox *mb);
    void *arg;
};

static void each_node(void *arg, struct hmap_node *node)
{
    const struct each *e = arg;

    e->fn(e->arg, (const struct mailbox *)node);
}

void mailboxes_each(struct mailboxes *ms, void (*fn)(void *arg, const struct mailbox *mb),
                    void *arg)
{
    struct each e = { fn, arg };

    hmap_each(&ms->map, each_node, &e);
}
