/*
 *   log <vkey> [url]
 *   witness <name> <vkey> [url]
 *   group <name> all|any|<k> <member>...
 *   quorum <name>|none                      exactly once
 *
 * Fields are separated by blanks and tabs; "#" begins a comment line.  A node is a witness or a
 * group. Members stand before their group and belong to one group at most, so nodes in the order of
 * the file, each counting into its parent, decide the quorum in one pass.
 */
#include "common/tlog/quorum.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/text.h"

#define POLICY_MAX 262144
#define NODES (QUORUM_MAX_WITNESSES + QUORUM_MAX_GROUPS)
#define FIELDS_MAX (NODES + 3)

enum parent { PARENT_NONE = NODES, QUORUM_UNSET, QUORUM_NONE };

struct node {
    struct span name; /* borrowed from the text */
    bool group;
    unsigned witness;   /* index of the key */
    unsigned k, parent; /* k members make a group met */
};

struct quorum {
    struct buf text;
    size_t n_logs, n_witnesses, n_groups, n_nodes;
    struct note_key log[QUORUM_MAX_LOGS], witness[QUORUM_MAX_WITNESSES];
    struct node node[NODES];
    unsigned top; /* the node that decides, or QUORUM_NONE */
};

size_t quorum_logs(const struct quorum *q)
{
    return q->n_logs;
}

const struct note_key *quorum_log(const struct quorum *q, size_t i)
{
    return i < q->n_logs ? &q->log[i] : NULL;
}

size_t quorum_witnesses(const struct quorum *q)
{
    return q->n_witnesses;
}

const struct note_key *quorum_witness(const struct quorum *q, size_t i)
{
    return i < q->n_witnesses ? &q->witness[i] : NULL;
}

void quorum_free(struct quorum *q)
{
    if (!q)
        return;
    buf_release(&q->text);
    free(q);
}

/* The node called @name; n_nodes when there is none. */
static unsigned node_find(const struct quorum *q, struct span name)
{
    unsigned i = 0;

    while (i < q->n_nodes && !span_eq(q->node[i].name, name))
        i++;
    return i;
}

static bool has_key(const struct note_key *keys, size_t n, const struct note_key *key)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(keys[i].key, key->key, 32) == 0)
            return true;
    return false;
}

/* A key serves one log or one witness: else one holder could count in two roles. */
static int key_parse(const struct quorum *q, struct note_key *key, struct span vkey,
                     uint8_t not_type)
{
    int rc = note_key_parse(key, vkey);

    if (!rc && key->type == not_type)
        rc = -HL_EFORMAT;
    if (!rc && (has_key(q->log, q->n_logs, key) || has_key(q->witness, q->n_witnesses, key)))
        rc = -HL_EDUPLICATE;
    return rc;
}

static int read_log(struct quorum *q, const struct span *field, size_t n)
{
    int rc;

    if (n > 3)
        return -HL_EFORMAT;
    if (q->n_logs == QUORUM_MAX_LOGS)
        return -HL_ETOOBIG;
    rc = key_parse(q, &q->log[q->n_logs], field[1], NOTE_COSIGNATURE);
    if (!rc)
        q->n_logs++;
    return rc;
}

/* Room and a free name for one more witness or group. */
static int node_new(const struct quorum *q, struct span name)
{
    if (span_eq_str(name, "none"))
        return -HL_EFORMAT;
    return node_find(q, name) < q->n_nodes ? -HL_EDUPLICATE : 0;
}

static int read_witness(struct quorum *q, const struct span *field, size_t n)
{
    int rc;

    if (n > 4)
        return -HL_EFORMAT;
    if (q->n_witnesses == QUORUM_MAX_WITNESSES)
        return -HL_ETOOBIG;
    rc = node_new(q, field[1]);
    if (!rc)
        rc = key_parse(q, &q->witness[q->n_witnesses], field[2], NOTE_ED25519);
    if (rc)
        return rc;
    q->node[q->n_nodes++] = (struct node){
        .name = field[1],
        .witness = (unsigned)q->n_witnesses++,
        .parent = PARENT_NONE,
    };
    return 0;
}

static int threshold(unsigned *k, struct span field, size_t members)
{
    uint64_t v = members;
    int rc = 0;

    if (span_eq_str(field, "any"))
        v = 1;
    else if (!span_eq_str(field, "all"))
        rc = text_decimal(&v, field);
    if (rc || v < 1 || v > members)
        return -HL_EFORMAT;
    *k = (unsigned)v;
    return 0;
}

static int read_group(struct quorum *q, const struct span *field, size_t n)
{
    struct node group = { .name = field[1], .group = true, .parent = PARENT_NONE };
    int rc = node_new(q, field[1]);

    if (q->n_groups == QUORUM_MAX_GROUPS)
        return -HL_ETOOBIG;
    if (!rc)
        rc = threshold(&group.k, field[2], n - 3);
    for (size_t i = 3; i < n && !rc; i++) {
        unsigned member = node_find(q, field[i]);

        if (member == q->n_nodes)
            rc = -HL_EFORMAT;
        else if (q->node[member].parent != PARENT_NONE)
            rc = -HL_EDUPLICATE;
        else
            q->node[member].parent = (unsigned)q->n_nodes;
    }
    if (rc)
        return rc;
    q->node[q->n_nodes++] = group;
    q->n_groups++;
    return 0;
}

static int read_quorum(struct quorum *q, const struct span *field, size_t n)
{
    if (n != 2 || q->top != QUORUM_UNSET)
        return -HL_EFORMAT;
    q->top = QUORUM_NONE;
    if (span_eq_str(field[1], "none"))
        return 0;
    q->top = node_find(q, field[1]);
    return q->top < q->n_nodes ? 0 : -HL_EFORMAT;
}

static const struct keyword {
    const char *word;
    size_t min; /* fields, with the word */
    int (*read)(struct quorum *q, const struct span *field, size_t n);
} keywords[] = {
    { "log", 2, read_log },
    { "witness", 3, read_witness },
    { "group", 4, read_group },
    { "quorum", 2, read_quorum },
};

/* Fields of a line, between blanks and tabs; FIELDS_MAX + 1 when there are more. */
static size_t split(struct span line, struct span field[static FIELDS_MAX])
{
    size_t n = 0, i = 0;

    while (i < line.n) {
        size_t start = i;

        while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t')
            i++;
        if (i > start && n == FIELDS_MAX)
            return FIELDS_MAX + 1;
        if (i > start)
            field[n++] = SPAN(line.p + start, i - start);
        else
            i++;
    }
    return n;
}

static int read_line(struct quorum *q, struct span line)
{
    struct span field[FIELDS_MAX];
    size_t n = split(line, field);

    if (n == 0 || field[0].p[0] == '#')
        return 0;
    if (n > FIELDS_MAX)
        return -HL_ETOOBIG;
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (span_eq_str(field[0], keywords[i].word))
            return n < keywords[i].min ? -HL_EFORMAT : keywords[i].read(q, field, n);
    return -HL_EFORMAT;
}

static bool is_policy_text(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == 0x7f || (s.p[i] < 0x20 && s.p[i] != '\t' && s.p[i] != '\n'))
            return false;
    return s.n > 0 && s.p[s.n - 1] == '\n';
}

static int read_policy(struct quorum *q, struct buf *why)
{
    struct span rest = buf_span(&q->text), line;
    unsigned number = 0;
    int rc = 0;

    if (!is_policy_text(rest)) {
        buf_put_str(why, "the policy holds control characters, or does not end in a line feed");
        return -HL_EFORMAT;
    }
    while (!rc && text_line(&rest, &line)) {
        number++;
        rc = read_line(q, line);
    }
    if (rc) {
        buf_printf(why, "line %u: %s", number, error_text(rc));
    } else if (q->top == QUORUM_UNSET) {
        buf_put_str(why, "the policy has no quorum line");
        rc = -HL_EFORMAT;
    }
    return rc;
}

int quorum_parse(struct quorum **out, struct span text, struct buf *why)
{
    struct quorum *q;
    int rc;

    *out = NULL;
    if (text.n > POLICY_MAX) {
        buf_put_str(why, error_text(-HL_ETOOBIG));
        return -HL_ETOOBIG;
    }
    q = calloc(1, sizeof(*q));
    if (!q)
        return -HL_ENOMEM;
    q->top = QUORUM_UNSET;
    buf_init(&q->text, POLICY_MAX);
    rc = buf_put_span(&q->text, text);
    if (!rc)
        rc = read_policy(q, why);
    if (rc)
        quorum_free(q);
    else
        *out = q;
    return rc;
}

static bool is_met(const struct quorum *q, const bool by[static QUORUM_MAX_WITNESSES])
{
    unsigned count[NODES] = { 0 };

    if (q->top == QUORUM_NONE)
        return true;
    for (unsigned i = 0; i <= q->top; i++) {
        const struct node *node = &q->node[i];
        bool met = node->group ? count[i] >= node->k : by[node->witness];

        if (i == q->top)
            return met;
        if (met && node->parent != PARENT_NONE)
            count[node->parent]++;
    }
    return false;
}

/* The log that @origin names and that signed @note. */
static int find_log(const struct quorum *q, const struct note *note, struct span origin,
                    const struct note_key **log)
{
    *log = NULL;
    for (size_t i = 0; i < q->n_logs; i++) {
        int rc = note_verify_key(note, &q->log[i], NULL);

        if (rc < 0)
            return rc;
        if (rc == 1 && span_eq_str(origin, q->log[i].name))
            *log = &q->log[i];
    }
    return *log ? 0 : -HL_EKEY;
}

static int count_witnesses(const struct quorum *q, const struct note *note,
                           struct quorum_result *res)
{
    res->of = (unsigned)q->n_witnesses;
    for (size_t i = 0; i < q->n_witnesses; i++) {
        uint64_t time;
        int rc = note_verify_key(note, &q->witness[i], &time);

        if (rc < 0)
            return rc;
        if (rc == 0)
            continue;
        res->by[i] = true;
        res->oldest = res->cosigned && res->oldest < time ? res->oldest : time;
        res->newest = res->newest > time ? res->newest : time;
        res->cosigned++;
    }
    res->met = is_met(q, res->by);
    return 0;
}

int quorum_check(const struct quorum *q, struct span in, struct checkpoint *cp,
                 struct quorum_result *res)
{
    struct note note;
    int rc = note_parse(&note, in);

    *cp = (struct checkpoint){ 0 };
    *res = (struct quorum_result){ 0 };
    if (!rc)
        rc = checkpoint_parse(cp, note.text);
    if (!rc)
        rc = find_log(q, &note, cp->origin, &res->log);
    if (!rc)
        rc = count_witnesses(q, &note, res);
    if (rc) {
        *cp = (struct checkpoint){ 0 };
        *res = (struct quorum_result){ 0 };
    }
    return rc;
}

int quorum_check_proof(const struct quorum *q, struct span proof, struct span entry,
                       struct proof *p, struct checkpoint *cp, struct quorum_result *res)
{
    uint8_t leaf[32];
    int rc = proof_parse(p, proof);

    *cp = (struct checkpoint){ 0 };
    *res = (struct quorum_result){ 0 };
    if (!rc)
        rc = quorum_check(q, p->note, cp, res);
    if (rc)
        return rc;
    merkle_leaf(leaf, entry);
    rc = merkle_verify_inclusion(leaf, p->index, cp->size, HASHES(p->hash), p->n, cp->root);
    if (rc)
        *res = (struct quorum_result){ 0 };
    return rc;
}
