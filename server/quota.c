#include "server/quota.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"

static const unsigned times[] = { 1, 1, 2, 4 }; /* by precedence */

static const struct {
    uint64_t burst, every_ms; /* one token comes back every so often */
} rates[QUOTA_RATES] = {
    [QUOTA_REFUSALS] = { 8, 30000 },
    [QUOTA_DOCUMENTS] = { 256, 30000 },
};

/* Names are those of PoCs in the directory, so their number has its limit there. */
struct account {
    struct hmap_node node;
    char name[64];
    struct bucket {
        uint64_t tokens, since_ms;
    } bucket[QUOTA_RATES];
};

struct quotas {
    struct quota_conf conf;
    struct hmap accounts;
};

int quotas_open(const struct quota_conf *conf, struct quotas **out)
{
    struct quotas *q = calloc(1, sizeof(*q));
    int rc = q ? hmap_init(&q->accounts) : -HL_ENOMEM;

    *out = NULL;
    if (rc) {
        free(q);
        return rc;
    }
    q->conf = *conf;
    *out = q;
    return 0;
}

static void account_free(void *arg, struct hmap_node *node)
{
    (void)arg;
    free(node);
}

void quotas_close(struct quotas *q)
{
    if (!q)
        return;
    hmap_each(&q->accounts, account_free, NULL);
    hmap_release(&q->accounts);
    free(q);
}

int quota_waiting(const struct quotas *q, unsigned precedence, uint64_t count, uint64_t bytes,
                  uint64_t add)
{
    uint64_t k = times[precedence];

    if (count >= q->conf.messages * k || bytes + add > q->conf.bytes * k)
        return -HL_EQUOTA;
    return 0;
}

static struct account *account_get(struct quotas *q, struct span who, uint64_t now_ms)
{
    struct account *a = (struct account *)hmap_find(&q->accounts, who);

    if (a || who.n >= sizeof(a->name))
        return a;
    a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    memcpy(a->name, who.p, who.n);
    a->node.key = SPAN(a->name, who.n);
    for (size_t i = 0; i < QUOTA_RATES; i++)
        a->bucket[i] = (struct bucket){ rates[i].burst, now_ms };
    hmap_add(&q->accounts, &a->node);
    return a;
}

bool quota_take(struct quotas *q, enum quota_rate rate, struct span who, uint64_t now_ms)
{
    struct account *a = account_get(q, who, now_ms);
    struct bucket *b = a ? &a->bucket[rate] : NULL;
    uint64_t back;

    if (!b)
        return false;
    back = now_ms > b->since_ms ? (now_ms - b->since_ms) / rates[rate].every_ms : 0;
    if (back) {
        b->tokens = b->tokens + back > rates[rate].burst ? rates[rate].burst : b->tokens + back;
        b->since_ms += back * rates[rate].every_ms;
    }
    if (b->tokens == 0)
        return false;
    b->tokens--;
    return true;
}
