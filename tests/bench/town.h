#ifndef HL_TESTS_BENCH_TOWN_H
#define HL_TESTS_BENCH_TOWN_H

#include "tests/world.h"

/*
 * Many PoCs for a bench: PoC i is "p<i / 8>.o<i % 8>", with one officer, every key from a label as in tests/world.h.
 * One agreement that all parties sign, one channel "bench.all" with everybody as member; p0 runs the host, p0, p1
 * and p2 have the witness keys.  Subkeys of the PoCs are drawn into files, for keys/subkeys.h to hold.
 */
#define TOWN_OFFICES 8
#define TOWN_MAX 208
#define TOWN_CHANNEL "bench.all"

struct town {
    size_t n_pocs, n_parties;
    uint64_t now_ms;
    char poc[TOWN_MAX][48];
    uint8_t subkey[TOWN_MAX][32]; /* of today */
    uint8_t channel[32];
};

/**
 * town_build - PoCs 0..@n-1, whose host's lines (host.public) are @host; writes documents as @dir/documents/<order>.note
 * and the private subkeys below @dir/keys.  Asserts when a parser does not take them.
 */
void town_build(struct town *t, const char *dir, size_t n, struct span host);
/** town_seed - the seed behind a label. */
void town_seed(uint8_t seed[static 32], const char *label);

#endif
