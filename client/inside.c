#include "client/inside.h"

#include "common/error.h"
#include "common/text.h"

/* A sealed label must stand in the content, and in the agreement's list. */
static bool label_stands(const struct content *c, const char *name, uint64_t open, size_t n)
{
    uint64_t v;

    return open || (text_decimal(&v, content_field(c, name)) == 0 && v >= 1 && v <= n);
}

static int judge_attachment(struct span field, const struct agreement *ag, struct buf *why)
{
    struct attachment at;
    int rc = attachment_decode(&at, field);

    if (rc)
        return document_say(why, rc, "the attachment is not in its form");
    for (size_t i = 0; i < ag->n_attachments; i++) {
        if (!span_eq(at.type, ag->attachment[i].type))
            continue;
        if (at.bytes.n <= ag->attachment[i].max)
            return 0;
        return document_say(
            why, -HL_EATTACHMENT,
            "the attachment has %zu bytes, and agreement %.*s takes %.*s of at most %llu",
            at.bytes.n, (int)ag->name.n, (const char *)ag->name.p, (int)at.type.n,
            (const char *)at.type.p, (unsigned long long)ag->attachment[i].max);
    }
    return document_say(why, -HL_EATTACHMENT, "agreement %.*s takes no attachment of type %.*s",
                        (int)ag->name.n, (const char *)ag->name.p, (int)at.type.n,
                        (const char *)at.type.p);
}

int inside_judge(const struct content *c, const struct header *h, const struct stamp *s,
                 const struct agreement *ag, struct buf *why)
{
    struct span attachment = content_field(c, "attachment");
    int rc = content_fits(c, h, s);

    if (rc)
        return document_say(why, rc, "%s", error_text(rc));
    if (!label_stands(c, "category", h->category, ag->n_categories))
        return document_say(why, -HL_ECATEGORY, "the sealed category is not in agreement %.*s",
                            (int)ag->name.n, (const char *)ag->name.p);
    if (!label_stands(c, "marking", h->marking, ag->n_markings))
        return document_say(why, -HL_EMARKING, "the sealed marking is not in agreement %.*s",
                            (int)ag->name.n, (const char *)ag->name.p);
    return attachment.p ? judge_attachment(attachment, ag, why) : 0;
}
