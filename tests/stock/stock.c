/*
 * Prints and writes what tools of others verify:
 *
 *   stock proofs            a line for each tree: size, root, digests over all its proofs
 *   stock notes             a line for each note: are its two signatures good, and its base64
 *   stock log DIR SIZE      a log of the fictional world as a mirror of SIZE entries, or a few more
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/error.h"
#include "common/text.h"
#include "tests/vectors/tlog.h"
#include "tests/world_log.h"

#define LEAVES 66000U
#define LEVELS 17

/* All complete subtrees of the tree whose entry i is the decimal number i. */
static uint8_t subtree[LEVELS][LEAVES][32];

static int get(void *arg, unsigned level, uint64_t n, uint8_t out[static 32])
{
    (void)arg;
    if (level >= LEVELS || n >= LEAVES >> level)
        abort();
    memcpy(out, subtree[level][n], 32);
    return 0;
}

static void fill(void)
{
    for (unsigned i = 0; i < LEAVES; i++) {
        char entry[16];
        int n = snprintf(entry, sizeof(entry), "%u", i);

        merkle_leaf(subtree[0][i], SPAN(entry, n));
    }
    for (unsigned level = 1; level < LEVELS; level++)
        for (unsigned n = 0; n < LEAVES >> level; n++)
            merkle_node(subtree[level][n], subtree[level - 1][2 * n],
                        subtree[level - 1][2 * n + 1]);
}

/* u8 number of hashes || hashes, over all proofs */
static void add_proof(crypto_hash_sha256_state *st, const uint8_t (*proof)[32], size_t n)
{
    uint8_t count = (uint8_t)n;

    crypto_hash_sha256_update(st, &count, 1);
    for (size_t i = 0; i < n; i++)
        crypto_hash_sha256_update(st, proof[i], 32);
}

static void print_digest(crypto_hash_sha256_state *st)
{
    uint8_t digest[32];
    char hex[65];

    crypto_hash_sha256_final(st, digest);
    text_hex(hex, digest, 32);
    printf(" %s", hex);
}

/* Inclusion of every @step-th entry and the last; consistency from every @step-th size, from 1, and
 * the last. */
static void print_tree(uint64_t size, uint64_t step)
{
    uint8_t root[32], proof[MERKLE_MAX_PROOF][32];
    crypto_hash_sha256_state st;
    char hex[65];
    size_t n;

    if (merkle_root(size, get, NULL, root))
        abort();
    text_hex(hex, root, 32);
    printf("%" PRIu64 " %" PRIu64 " %s", size, step, hex);
    crypto_hash_sha256_init(&st);
    for (uint64_t i = 0; i < size; i += i + step < size || i == size - 1 ? step : size - 1 - i) {
        if (merkle_prove_inclusion(i, size, get, NULL, proof, &n) ||
            merkle_verify_inclusion(subtree[0][i], i, size, HASHES(proof), n, root))
            abort();
        add_proof(&st, HASHES(proof), n);
    }
    print_digest(&st);
    crypto_hash_sha256_init(&st);
    for (uint64_t old = 1; old <= size;
         old += old + step <= size || old == size ? step : size - old) {
        uint8_t old_root[32];

        if (merkle_root(old, get, NULL, old_root) ||
            merkle_prove_consistency(old, size, get, NULL, proof, &n) ||
            merkle_verify_consistency(old, old_root, size, root, HASHES(proof), n))
            abort();
        add_proof(&st, HASHES(proof), n);
    }
    print_digest(&st);
    printf("\n");
}

static int cmd_proofs(char **argv)
{
    static const uint64_t large[] = { 65279, 65280, 65535, 65536, 65537, 65792, 65793, 65999 };

    (void)argv;
    fill();
    for (uint64_t size = 0; size <= 600; size++)
        print_tree(size, 1);
    for (size_t i = 0; i < COUNT(large); i++)
        print_tree(large[i], 97);
    return 0;
}

/* "1" when both signatures of @in are good and all of it is in form; else "0". */
static void print_note(struct span in)
{
    struct note_key log, witness;
    struct note note;
    struct buf out;
    bool good;

    if (note_key_parse(&log, span_str(EXAMPLE_LOG)) ||
        note_key_parse(&witness, span_str(EXAMPLE_WITNESS)))
        abort();
    good = note_parse(&note, in) == 0 && note_verify_key(&note, &log, NULL) == 1 &&
           note_verify_key(&note, &witness, NULL) == 1;
    buf_init(&out, 10000);
    text_base64(&out, in);
    printf("%d %s\n", good, buf_str(&out));
    buf_release(&out);
}

/* The example as it is, and with every one of its bits flipped, its lines twice, and cut
 * everywhere. */
static int cmd_notes(char **argv)
{
    uint8_t in[sizeof(EXAMPLE_NOTE) - 1];

    (void)argv;
    print_note(span_str(EXAMPLE_NOTE));
    print_note(span_str(EXAMPLE_NOTE EXAMPLE_LOG_LINE));
    print_note(span_str(EXAMPLE_TEXT "\n" EXAMPLE_WITNESS_LINE EXAMPLE_LOG_LINE));
    for (size_t bit = 0; bit < 8 * sizeof(in); bit++) {
        memcpy(in, EXAMPLE_NOTE, sizeof(in));
        in[bit / 8] ^= (uint8_t)(1U << bit % 8);
        print_note(SPAN(in, sizeof(in)));
    }
    for (size_t n = 0; n < sizeof(in); n++)
        print_note(SPAN(EXAMPLE_NOTE, n));
    return 0;
}

static void messages(struct world_log *l)
{
    struct world_message m;
    uint8_t mid[32], ignored[32];

    world_message_init(&m, &l->w);
    m.precedence = PRECEDENCE_IMMEDIATE;
    world_log_message(l, &m, mid, true);
    world_message_init(&m, &l->w);
    m.kind = KIND_ACKNOWLEDGED;
    m.sender = "arcadia.diplomatic";
    m.to[0] = NULL;
    m.n_refs = 1;
    memcpy(m.ref[0], mid, 32);
    l->now_ms += 60000;
    world_log_message(l, &m, ignored, true);
}

static int cmd_log(char **argv)
{
    struct world_log l;
    uint64_t size;

    if (text_decimal(&size, span_str(argv[1])))
        return 2;
    world_log_open_at(&l, REALM_EXERCISE, argv[0]);
    world_log_ground(&l);
    world_log_checkpoint(&l, 7);
    l.now_ms += 1000;
    messages(&l);
    while (world_log_size(&l) < size) {
        struct record r = { .type = RECORD_DUMMY, .time_ms = l.now_ms++ };

        world_log_record(&l, &r, false);
    }
    world_log_checkpoint(&l, 5);
    printf("%" PRIu64 "\n", world_log_size(&l));
    world_log_leave(&l);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int args;
        int (*run)(char **argv);
    } commands[] = { { "proofs", 0, cmd_proofs },
                     { "notes", 0, cmd_notes },
                     { "log", 2, cmd_log } };

    if (sodium_init() < 0)
        return 1;
    for (size_t i = 0; i < COUNT(commands) && argc > 1; i++)
        if (strcmp(argv[1], commands[i].name) == 0 && argc == 2 + commands[i].args)
            return commands[i].run(argv + 2);
    fputs("usage: stock proofs | notes | log DIR SIZE\n", stderr);
    return 2;
}
