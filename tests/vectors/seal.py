#!/usr/bin/python3
"""
Sealing, written a second time from the specification with Debian's python3-cryptography and
python3-cbor2, sharing no code with the programs.  Prints tests/vectors/seal.inc.
"""
import hashlib
import hmac
import struct

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

REALM = b"exercise"


def H(*x):
    return hashlib.sha256(b"".join(x)).digest()


def M(k, *m):
    return hmac.new(k, b"".join(m), hashlib.sha256).digest()


def L(p):
    return b"hotline/1 " + REALM + b" " + p + b"\0"


def N(s):
    return bytes([len(s)]) + s


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def raw(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

# RFC 9180
KEM = b"KEM" + u16(0x20)
SUITE = b"HPKE" + u16(0x20) + u16(1) + u16(3)


def extract(suite, salt, label, ikm):
    return M(salt, b"HPKE-v1", suite, label, ikm)


def expand(suite, prk, label, info, n):
    return M(prk, u16(n), b"HPKE-v1", suite, label, info, b"\1")[:n]


def derive_keypair(ikm):
    return X25519PrivateKey.from_private_bytes(expand(KEM, extract(KEM, b"", b"dkp_prk", ikm), b"sk", b"", 32))


def hpke_seal(ske, pkr, info, psk, psk_id, pt):
    enc = raw(ske)
    dh = ske.exchange(X25519PublicKey.from_public_bytes(pkr))
    shared = expand(KEM, extract(KEM, b"", b"eae_prk", dh), b"shared_secret", enc + pkr, 32)
    context = bytes([1 if psk else 0]) + extract(SUITE, b"", b"psk_id_hash", psk_id) + \
        extract(SUITE, b"", b"info_hash", info)
    secret = extract(SUITE, shared, b"secret", psk)
    key = expand(SUITE, secret, b"key", context, 32)
    nonce = expand(SUITE, secret, b"base_nonce", context, 12)
    return ChaCha20Poly1305(key).encrypt(nonce, pt, b"")


def fixed(name):
    return H(b"vector " + name)


def vector(name, psk_epoch, psk_step):
    channel = fixed(b"channel")
    day = 20780
    pocs = [b"arcadia.technical", b"caldera.watch"]
    scalars = [fixed(b"subkey 0"), fixed(b"subkey 1")]
    subkeys = [raw(X25519PrivateKey.from_private_bytes(s)) for s in scalars]
    drafter = Ed25519PrivateKey.from_private_bytes(fixed(b"drafter"))
    releaser = Ed25519PrivateKey.from_private_bytes(fixed(b"releaser"))
    salt, hedge, random = fixed(b"salt"), fixed(b"hedge"), fixed(b"random")

    fields = [b"Turbine hall", b"en", b"ICT-1", b"", b"", N(b"text"), "Zwei Sätze.\n".encode()]
    content = cbor2.dumps(fields)
    commits = []
    for i, f in enumerate(fields):
        salt_i = M(salt, L(b"field salt"), u16(i))
        commits.append(H(L(b"field"), u16(i), salt_i, u32(len(f)), f))
    commit = H(L(b"content"), u16(len(fields)), *commits)
    plain = salt + u32(len(content)) + content
    plain += bytes(4096 - len(plain))

    header = cbor2.dumps([REALM, 1, 0, channel, b"borealia.technical", 1795392000000,
                          [[pocs[0], 1], [pocs[1], 2]], 1, 2, commit, []])
    mid = H(L(b"message"), header)
    draft_sig = drafter.sign(L(b"draft") + mid)
    stamp = cbor2.dumps([raw(releaser), [raw(drafter), draft_sig], 2, 0, fixed(b"chain")[:16], 7,
                         day * 86400000 + 3600000, 600, 0, psk_epoch, psk_step, []])
    h = H(L(b"head"), H(header), H(stamp))

    half_a, half_b = fixed(b"half a"), fixed(b"half b")
    psk0 = bytes(a ^ b for a, b in zip(half_a, half_b))
    check = int.from_bytes(M(psk0, L(b"psk check"), channel, u32(psk_epoch))[:8], "big") % 10**8
    step, psk, psk_id = psk0, b"", b""
    for d in range(1, psk_step + 1):
        step = M(step, L(b"psk ratchet"), channel, u32(psk_epoch), u32(d))
    if psk_step:
        psk = M(step, L(b"psk wrap"), h)
        psk_id = H(L(b"psk id"), channel, u32(psk_epoch), u32(psk_step))

    cek = M(hedge, L(b"cek"), random, h)
    ske = derive_keypair(M(cek, L(b"ephemeral")))
    cts = [hpke_seal(ske, k, L(b"wrap") + h + k + N(p), psk, psk_id, cek) for k, p in zip(subkeys, pocs)]
    wraps = cbor2.dumps([raw(ske), [[k, c] for k, c in zip(subkeys, cts)]])
    body = ChaCha20Poly1305(M(cek, L(b"body"), h)).encrypt(bytes(12), plain, h + H(wraps))
    eid = H(L(b"envelope"), u16(1), h, H(wraps), H(body))
    return {
        "name": name, "header": header, "stamp": stamp, "content": content, "salt": salt,
        "hedge": hedge, "random": random, "scalar": scalars, "subkey": subkeys,
        "drafter": fixed(b"drafter"), "releaser": fixed(b"releaser"),
        "half_a": half_a, "half_b": half_b, "channel": channel,
        "first_day": day - (psk_step - 1 if psk_step else 0), "psk_epoch": psk_epoch, "psk_step": psk_step,
        "check": "%08d" % check, "step": step, "mid": mid, "h": h, "cek": cek, "enc": raw(ske),
        "wraps": wraps, "body_hash": H(body), "id": eid, "draft_sig": draft_sig,
        "sig": releaser.sign(L(b"release") + eid),
    }


def c_hex(b):
    lines = [b.hex()[i:i + 96] for i in range(0, len(b) * 2, 96)]
    return "\n            ".join('"%s"' % x for x in lines)


def main():
    rows = [vector("base mode", 0, 0), vector("psk mode", 3, 40)]
    print("/*\n * Sealing with fixed random bytes, as tests/vectors/seal.py computed it.  Hexadecimal.\n */")
    print("static const struct seal_vector {")
    for k, v in rows[0].items():
        if isinstance(v, int):
            print("    uint32_t %s;" % k)
        elif isinstance(v, list):
            print("    const char *%s[2];" % k)
        else:
            print("    const char *%s;" % k)
    print("} seal_vectors[] = {")
    for row in rows:
        print("    {")
        for k, v in row.items():
            if isinstance(v, int):
                v = str(v)
            elif isinstance(v, str):
                v = '"%s"' % v
            elif isinstance(v, list):
                v = "{ %s,\n            %s }" % (c_hex(v[0]), c_hex(v[1]))
            else:
                v = c_hex(v)
            print("        .%s = %s," % (k, v))
        print("    },")
    print("};")


main()
