#include "client/cardsource.h"

#include <string.h>

#include "common/error.h"
#include "common/text.h"

/* Which lines open a block, belong to one, or stand alone; what else a card has is made anew. */
static const struct {
    const char *word;
    bool opens;
    enum card_block type;
} words[] = {
    { "witness", true, BLOCK_WITNESS }, { "poc", true, BLOCK_POC },
    { "transport", false, BLOCK_POC },  { "key", false, BLOCK_POC },
    { "alternate", false, BLOCK_POC },  { "host", true, BLOCK_HOST },
    { "curve", false, BLOCK_HOST },     { "endpoint", false, BLOCK_HOST },
};

void cardsource_init(struct cardsource *c)
{
    memset(c, 0, sizeof(*c));
    buf_init(&c->revoked, DOCUMENT_MAX);
    buf_init(&c->resumed, DOCUMENT_MAX);
}

void cardsource_release(struct cardsource *c)
{
    for (size_t i = 0; i < c->n; i++)
        buf_release(&c->block[i].lines);
    buf_release(&c->revoked);
    buf_release(&c->resumed);
    c->n = 0;
}

static size_t block_find(const struct cardsource *c, enum card_block type, const char *id)
{
    size_t i = 0;

    while (i < c->n && (c->block[i].type != type || strcmp(c->block[i].id, id) != 0))
        i++;
    return i;
}

static int block_open(struct cardsource *c, enum card_block type, struct span id, size_t *at)
{
    char name[256] = "";

    if (type != BLOCK_WITNESS) {
        if (id.n >= sizeof(name))
            return -HL_EFORMAT;
        memcpy(name, id.p, id.n);
    }
    *at = block_find(c, type, name);
    if (*at == CARDSOURCE_BLOCKS)
        return -HL_ETOOBIG;
    if (*at == c->n) {
        c->n++;
        buf_init(&c->block[*at].lines, DOCUMENT_MAX);
    }
    c->block[*at].type = type;
    memcpy(c->block[*at].id, name, sizeof(name));
    buf_clear(&c->block[*at].lines);
    return 0;
}

static int put_line(struct buf *b, struct span line)
{
    buf_put_span(b, line);
    return buf_put_u8(b, '\n');
}

int cardsource_add(struct cardsource *c, struct span rest)
{
    struct span line, fields, word, id = SPAN_NONE;
    size_t at = CARDSOURCE_BLOCKS;
    int rc = 0;

    while (!rc && text_line(&rest, &line) && line.n) {
        size_t i = 0;

        fields = line;
        text_field(&fields, &word);
        if (span_eq_str(word, "revoked"))
            rc = put_line(&c->revoked, line);
        else if (span_eq_str(word, "resumed"))
            rc = put_line(&c->resumed, line);
        while (i < COUNT(words) && !span_eq_str(word, words[i].word))
            i++;
        if (i == COUNT(words))
            continue;
        if (words[i].opens) {
            text_field(&fields, &id);
            rc = block_open(c, words[i].type, id, &at);
        } else if (at == CARDSOURCE_BLOCKS || c->block[at].type != words[i].type) {
            rc = -HL_EFORMAT;
        }
        if (!rc)
            rc = put_line(&c->block[at].lines, line);
    }
    return rc;
}

int cardsource_alternate(struct cardsource *c, struct span office, struct span poc)
{
    char name[64] = "";
    size_t at;

    if (office.n >= sizeof(name))
        return -HL_ENOENT;
    memcpy(name, office.p, office.n);
    at = block_find(c, BLOCK_POC, name);
    if (at == c->n)
        return -HL_ENOENT;
    buf_put_str(&c->block[at].lines, "alternate ");
    return put_line(&c->block[at].lines, poc);
}

int cardsource_drop(struct cardsource *c, const char *id)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->block[i].type == BLOCK_WITNESS || strcmp(c->block[i].id, id) != 0)
            continue;
        buf_release(&c->block[i].lines);
        memmove(&c->block[i], &c->block[i + 1], (--c->n - i) * sizeof(c->block[0]));
        return 0;
    }
    return -HL_ENOENT;
}

int cardsource_print(const struct cardsource *c, struct buf *out)
{
    for (int type = BLOCK_WITNESS; type <= BLOCK_HOST; type++)
        for (size_t i = 0; i < c->n; i++)
            if ((int)c->block[i].type == type)
                buf_put_span(out, buf_span(&c->block[i].lines));
    buf_put_span(out, buf_span(&c->revoked));
    return buf_put_span(out, buf_span(&c->resumed));
}
