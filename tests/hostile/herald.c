/*
 * The herald: the next card of a party of the town, in which one PoC has another transport key.
 *
 *   herald --dir DIR --poc I --transport NAME     writes DIR/documents/4-card-<party>.note
 *
 * The old transport key is listed no more; the new one is behind the label "<poc>/NAME", for
 * couriers and strangers that are told so.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/card.h"
#include "common/error.h"
#include "common/file.h"
#include "tests/bench/post.h"

static struct card *read_card(const char *dir, size_t party)
{
    struct card *card = NULL;
    struct buf note;
    char path[600];
    int rc;

    snprintf(path, sizeof(path), "%s/documents/1-card-%03zu.note", dir, party);
    buf_init(&note, DOCUMENT_MAX);
    rc = file_read(path, &note);
    if (!rc)
        rc = card_new(&card, POST_REALM, buf_span(&note), NULL);
    if (rc)
        post_die(path, rc);
    buf_release(&note); /* the card has its own copy */
    return card;
}

static void write_card(const char *dir, size_t party, struct card *card)
{
    char path[600], name[24], root[40];
    const char *const labels[] = { root };
    struct buf text, note;

    snprintf(name, sizeof(name), "p%zu", party);
    snprintf(root, sizeof(root), "%s/root-1", name);
    snprintf(path, sizeof(path), "%s/documents/4-card-%03zu.note", dir, party);
    buf_init(&text, DOCUMENT_MAX);
    buf_init(&note, DOCUMENT_MAX);
    card_print(&text, POST_REALM, card);
    world_sign(&note, buf_span(&text), name, labels, 1);
    if (file_publish(path, buf_span(&note), 0644) != 0)
        post_die(path, -HL_ESYS);
    buf_release(&text);
    buf_release(&note);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = { { "dir", required_argument, NULL, 'd' },
                                           { "poc", required_argument, NULL, 'i' },
                                           { "transport", required_argument, NULL, 't' },
                                           { NULL, 0, NULL, 0 } };
    const char *dir = NULL, *transport = NULL;
    size_t poc = 0;
    struct world_key x;
    struct card *card;
    char label[64];
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'd')
            dir = optarg;
        else if (c == 'i')
            poc = strtoul(optarg, NULL, 10);
        else if (c == 't')
            transport = optarg;
        else
            return EXIT_USAGE;
    }
    if (!dir || !transport || keys_init() != 0)
        return EXIT_USAGE;
    card = read_card(dir, poc / TOWN_OFFICES);
    snprintf(label, sizeof(label), "p%zu.o%zu/%.20s", poc / TOWN_OFFICES, poc % TOWN_OFFICES,
             transport);
    x = world_xkey(label);
    memcpy(card->previous, card->digest, 32);
    card->serial++;
    memcpy(card->poc[poc % TOWN_OFFICES].transport[0], x.pk, 32);
    write_card(dir, poc / TOWN_OFFICES, card);
    card_free(card);
    return EXIT_DONE;
}
