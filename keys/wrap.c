#include "keys/wrap.h"

#include <assert.h>

#include <sodium.h>

#include "common/error.h"
#include "keys/secret_bytes.h"

struct wrap_work *wrap_work_new(void)
{
    struct wrap_work *w = sodium_malloc(sizeof(*w));

    if (w)
        sodium_memzero(w, sizeof(*w));
    return w;
}

void wrap_work_free(struct wrap_work *w)
{
    sodium_free(w); /* wipes; NULL is fine */
}

int wrap_keys(struct wrap_work *w, uint8_t enc[static 32], enum realm realm,
              const uint8_t h[static 32])
{
    const struct span head = SPAN(h, 32);
    uint8_t ikm[32];
    int rc;

    mac_label(w->body_key, SPAN(w->cek, 32), realm, "body", &head, 1);
    mac_label(ikm, SPAN(w->cek, 32), realm, "ephemeral", NULL, 0);
    rc = hpke_derive_keypair(w->ske, enc, ikm, sizeof(ikm));
    sodium_memzero(ikm, sizeof(ikm));
    return rc;
}

struct span wrap_info(uint8_t room[static WRAP_INFO_MAX], enum realm realm,
                      const uint8_t h[static 32], const uint8_t subkey[static 32], struct span poc)
{
    struct buf b = { .p = room, .cap = WRAP_INFO_MAX, .max = WRAP_INFO_MAX - 1 };

    label_put(&b, realm, "wrap");
    buf_put(&b, h, 32);
    buf_put(&b, subkey, 32);
    name_put(&b, poc);
    assert(!b.bad);
    return buf_span(&b);
}

static void psk_id(uint8_t id[static 32], const struct header *header, const struct stamp *stamp)
{
    uint8_t numbers[8];
    const struct span parts[] = { SPAN(header->channel, 32), SPAN(numbers, 8) };

    put_u32(numbers, (uint32_t)stamp->psk_epoch);
    put_u32(numbers + 4, (uint32_t)stamp->psk_step);
    hash_label(id, header->realm, "psk id", parts, COUNT(parts));
}

int wrap_psk(const struct hpke_psk **out, struct hpke_psk *psk, struct wrap_work *w,
             uint8_t id[static 32], const struct psk_ring *ring, const struct header *header,
             const struct stamp *stamp, const uint8_t h[static 32])
{
    const struct span head = SPAN(h, 32);
    struct secret step = { .n = sizeof(w->psk), .p = w->psk };
    int rc;

    *out = NULL;
    if (stamp->psk_step == 0)
        return 0;
    if (!ring || stamp->psk_step > PSK_STEP_MAX || stamp->psk_epoch > UINT32_MAX)
        return -HL_EPSK;
    rc = psk_at(ring, header->channel, (uint32_t)stamp->psk_epoch, (uint32_t)stamp->psk_step,
                stamp->sealed_ms, &step);
    if (rc)
        return rc;
    mac_label(w->psk, secret_span(&step), header->realm, "psk wrap", &head, 1);
    psk_id(id, header, stamp);
    *psk = (struct hpke_psk){ w->psk, sizeof(w->psk), id, 32 };
    *out = psk;
    return 0;
}
