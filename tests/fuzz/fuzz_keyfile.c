/*
 * The text of a key file.  A bare one that opens is written again as the same bytes.  Of sealed
 * ones only that which was made with the passphrase opens: whatever else the fuzzer writes is a
 * forgery.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keys/keyfile_text.h"
#include "keys/secret_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* corpus/keyfile/sealed-machine, passphrase "fuzz", at the lowest cost. */
static const char sealed[] =
    "hotline/1 live secret machine\n"
    "name arcadia.technical/watch-1\n"
    "public bnoc3Smwt4/ROvTFWY/v9O8qlxZuPKby5Pv8zYBQW/E=\n"
    "kdf argon2id 1 8 GFHJ0Pl0+hlNBEVIjoD4hg==\n"
    "box +uSM5g8BDNgRkO5xQrennLObc9pXStXlC8lhinj/QeMPgwRIhMvqol+UUqiOJHa8L0cMk91ICJe6Rf+"
    "zYopih7eH6apHf5v3\n";

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void bare(struct span in, enum realm realm, const struct keyfile_info *info)
{
    struct secret *s;
    struct buf out;

    if (keyfile_text_open(in, realm, info->use, NULL, &s))
        return;
    require(guarded_init(&out, KEYFILE_TEXT_MAX) == 0);
    require(keyfile_text_put(&out, realm, info, s, NULL) == 0);
    require(span_eq(buf_span(&out), in));
    guarded_release(&out);
    secret_free(s);
}

/* Other costs would only burn time: the cost is one number in one place. */
static bool is_cheap(struct span in)
{
    return memmem(in.p, in.n, "\nkdf argon2id 1 8 ", 18) != NULL;
}

static void with_pass(struct span in, enum realm realm, const struct keyfile_info *info,
                      const struct secret *pass)
{
    struct secret *s;

    if (keyfile_text_open(in, realm, info->use, pass, &s))
        return;
    require(span_eq(in, SPAN(sealed, sizeof(sealed) - 1)));
    secret_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct secret *pass;
    struct span in = SPAN(data, size);
    struct keyfile_info info;
    struct secret *s;

    if (!pass) {
        require(sodium_init() >= 0);
        pass = secret_take((char[]){ 'f', 'u', 'z', 'z' }, 4);
        require(keyfile_text_open(SPAN(sealed, sizeof(sealed) - 1), REALM_LIVE, KEY_MACHINE, pass,
                                  &s) == 0);
        secret_free(s);
    }
    keyfile_recognised(in);
    for (int realm = REALM_LIVE; realm <= REALM_EXERCISE; realm++) {
        if (keyfile_text_info(in, (enum realm)realm, &info))
            continue;
        require(keyfile_recognised(in));
        if (!info.sealed)
            bare(in, (enum realm)realm, &info);
        else if (is_cheap(in))
            with_pass(in, (enum realm)realm, &info, pass);
    }
    return 0;
}
