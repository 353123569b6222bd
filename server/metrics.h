#ifndef HL_SERVER_METRICS_H
#define HL_SERVER_METRICS_H

#include <stdint.h>

/* Counters since the start, for the operator: what happened, never to whom or about what. */
#define METRICS(X)                                                                                 \
    X(turns) X(commits) X(frames) X(malformed) X(unknown_key) X(overflow) X(submitted)             \
    X(recorded) X(duplicates) X(refused) X(documents) X(notices) X(chunks) X(uploads)              \
    X(hellos) X(fetches) X(signed_heads) X(escalated)

struct metrics {
#define METRIC_FIELD(name) uint64_t name;
    METRICS(METRIC_FIELD)
#undef METRIC_FIELD
};

#endif
