#include <limits.h>
#include <string.h>

#include "client/verb_list.h"
#include "common/error.h"
#include "keys/psk.h"

/* psk-list, psk-combine: the ring belongs to who holds the desk. */

static int psk_row(struct verb *v, const struct psk_info *info)
{
    char channel[CHANNEL_TEXT];
    struct row r;

    channel_text(v->agent, info->channel, channel);
    row_begin(&r, "psk");
    row_str(&r, "channel", channel);
    row_32(&r, "channel-id", info->channel);
    row_uint(&r, "epoch", info->epoch);
    row_uint(&r, "first_day", info->first_day);
    row_uint(&r, "lowest_step", info->lowest_step);
    row_str(&r, "check", info->check);
    return row_send(v, &r);
}

int verb_psk_list_begin(struct verb *v)
{
    struct psk_info info;
    int rc = 0;

    for (size_t i = 0; !rc && psk_list(v->agent->station->psk, i, &info); i++)
        rc = psk_row(v, &info);
    return rc;
}

static int psk_path(struct verb *v, const char *key, char path[static PATH_MAX])
{
    struct span s = verb_get(v->req, key);

    if (s.n == 0 || s.n >= PATH_MAX || memchr(s.p, 0, s.n))
        return verb_fail(v, -HL_EUSAGE, "%s: want the path of a half", key);
    memcpy(path, s.p, s.n);
    path[s.n] = 0;
    return 0;
}

static int psk_combined_row(struct verb *v, const uint8_t channel[static 32], uint64_t epoch)
{
    struct psk_info info;

    for (size_t i = 0; psk_list(v->agent->station->psk, i, &info); i++)
        if (info.epoch == epoch && memcmp(info.channel, channel, 32) == 0)
            return psk_row(v, &info);
    return -HL_EPSK;
}

int verb_psk_combine_begin(struct verb *v)
{
    struct span name = verb_get(v->req, "channel");
    char half_a[PATH_MAX], half_b[PATH_MAX];
    struct channel_facts facts;
    uint64_t epoch, day;
    int rc = psk_path(v, "half-a", half_a);

    if (!rc)
        rc = psk_path(v, "half-b", half_b);
    if (!rc)
        rc = verb_uint(v, "epoch", 1, &epoch);
    if (!rc)
        rc = verb_uint(v, "first_day", 0, &day);
    if (!rc && (epoch == 0 || epoch > UINT32_MAX || day == 0))
        rc = verb_fail(v, -HL_EUSAGE, "want an epoch from 1 and the first day of the key");
    if (!rc && !compose_channel(v->agent, name, NULL, &facts, &rc, &v->why))
        return rc;
    if (!rc)
        rc = psk_combine(v->agent->station->psk, half_a, half_b, v->req->pass, v->req->pass,
                         facts.channel->id, (uint32_t)epoch, day);
    return rc ? rc : psk_combined_row(v, facts.channel->id, epoch);
}
