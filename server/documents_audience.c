#include "server/documents.h"

#include <stdlib.h>

#include "common/error.h"

static int by_name(const void *a, const void *b)
{
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

int documents_audience(const struct agreement *a, int (*fn)(void *arg, struct span poc), void *arg)
{
    size_t n = a->n_auditors, at = 0;
    struct span *v;
    int rc = 0;

    for (size_t i = 0; i < a->n_channels; i++)
        n += a->channel[i].n_members;
    v = calloc(n + 1, sizeof(*v));
    if (!v)
        return -HL_ENOMEM;
    for (size_t i = 0; i < a->n_auditors; i++)
        v[at++] = a->auditor[i].poc;
    for (size_t i = 0; i < a->n_channels; i++)
        for (size_t k = 0; k < a->channel[i].n_members; k++)
            v[at++] = a->channel[i].member[k];
    qsort(v, n, sizeof(*v), by_name);
    for (size_t i = 0; i < n && !rc; i++)
        if (i == 0 || !span_eq(v[i], v[i - 1]))
            rc = fn(arg, v[i]);
    free(v);
    return rc;
}
