#ifndef HL_CLIENT_FORM_H
#define HL_CLIENT_FORM_H

#include "client/phrasebook.h"
#include "common/content.h"
#include "common/settings.h"

/*
 * A form as an officer writes it (libconfig; conf/demo/notification.cfg is one): how the message goes, and
 * numbered fields, each a phrase code with the parameters that the phrasebook gives it.
 *
 *     form = "ICT-1";  stage = "initial";  channel, precedence, category, marking, action, info, language,
 *     ack_within_min, lifetime_min, subject (default: form and stage), text, kind (default: the form's)
 *     fields = ( { n = 2; code = "NAT-02"; nature = "disruption of operation"; ... },
 *                { n = 6; code = "SEV-01"; state = "unknown"; },     or "withheld": no parameters
 *                ... );
 *
 * Times are "T-hh:mm" and "T+hh:mm" from the release, or "2026-11-22T01:49:00Z"; whole minutes.  Words may be
 * written as their id or in any language of the phrasebook.  What is unknown, missing or of the wrong type is an
 * error with file and line.
 */
struct form {
    char *id, *stage, *channel, *precedence_word, *category, *marking, *language, *subject, *text, *kind_word;
    struct settings_list action, info;
    int64_t ack_within_min, lifetime_min;
    unsigned kind, precedence; /* precedence: ROUTINE when the file names none */
    uint64_t ack_within_s, lifetime_s;
    const uint8_t *phrasebook; /* digest, 32 bytes, of the phrasebook that it was read with */
    size_t n;                  /* fields, ascending; the stage is the last one */
    struct {
        unsigned number;
        struct span bytes; /* as form_field_put() */
    } field[CONTENT_NUMBER_MAX];
    struct buf store; /* what field[] points into */
};

/**
 * form_read - read the form at @path with @pb, which must outlive it; @release_ms is T.
 * 0, -HL_ECONFIG, -HL_ENOENT, -HL_ETOOBIG; lines "file:line: error: ..." in @why.
 */
int form_read(struct form **out, const char *path, const struct phrasebook *pb, uint64_t release_ms, struct buf *why);
/** form_parse - the same from bytes; @name stands in messages. */
int form_parse(struct form **out, const char *name, struct span bytes, const struct phrasebook *pb, uint64_t release_ms,
               struct buf *why);
void form_free(struct form *f);

#endif
