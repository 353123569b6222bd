#!/usr/bin/python3
"""
Opens an envelope with stock libraries: docs/PROTOCOL.md written a second time, with none of the project's code.

    open_envelope.py --vector FILE
        open every wrap of a test vector with the secrets it lists, and compare every value on the way
    open_envelope.py --realm R [--poc P --subkey HEX [--half-a HEX --half-b HEX]] FILE
        verify an envelope; with a PoC and its X25519 private key also open it; prints JSON

Exit status: 0 good, 2 usage, 3 something does not verify.
"""
import argparse
import hashlib
import hmac
import io
import json
import re
import struct
import sys

import cbor2
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Bad(Exception):
    """What was read is not what the protocol demands."""


def demand(holds, sentence):
    if not holds:
        raise Bad(sentence)


# --- 1. Conventions ---

def H(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def M(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def L(realm, purpose):
    return b"hotline/1 " + realm.encode() + b" " + purpose.encode() + b"\0"


def N(name):
    return bytes([len(name)]) + name


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def plain_types(item, depth=0):
    if isinstance(item, list):
        return depth < 4 and all(plain_types(i, depth + 1) for i in item)
    if isinstance(item, int) and not isinstance(item, bool):
        return 0 <= item < 1 << 63
    return isinstance(item, bytes)


def cbor(data, what, count=None):
    """An array in the subset: decoded, it must encode to the same bytes."""
    try:
        item = cbor2.load(io.BytesIO(data))
        same = plain_types(item) and cbor2.dumps(item, canonical=True) == data
    except (cbor2.CBORDecodeError, ValueError, OverflowError):
        same = False
    demand(same and isinstance(item, list), what + " is not canonical CBOR of the subset")
    demand(count is None or len(item) == count, what + " has another number of elements")
    return item


def integer(x, top, what):
    demand(isinstance(x, int) and x <= top, what)
    return x


def octets(x, n, what):
    demand(isinstance(x, bytes) and (n is None or len(x) == n), what + " has another length")
    return x


REFUSED = [(0x00, 0x1F), (0x7F, 0x9F), (0x61C, 0x61C), (0x200E, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F),
           (0xE000, 0xF8FF), (0xFDD0, 0xFDEF), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF),
           (0x1FFFE, 0x1FFFF), (0x2FFFE, 0x2FFFF), (0x3FFFE, 0x10FFFF)]


def text(data, what, lines=False):
    try:
        s = octets(data, None, what).decode("utf-8")
    except UnicodeDecodeError:
        raise Bad(what + " is not UTF-8") from None
    for c in s:
        demand((lines and c in "\n\t") or not any(a <= ord(c) <= b for a, b in REFUSED), what + ": a character that may not be")
    return s


LABEL = "[a-z][a-z0-9-]{0,30}"


def poc(data):
    demand(re.fullmatch(LABEL + r"\." + LABEL, octets(data, None, "PoC").decode("ascii", "replace")), "not a PoC")
    return data


def ed25519(key, sig, message, what):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(sig, message)
    except (InvalidSignature, ValueError):
        raise Bad("the signature of the %s does not verify" % what) from None


# --- RFC 9180 ---

KEM = b"KEM" + u16(0x20)
HPKE = b"HPKE" + u16(0x20) + u16(1) + u16(3)


def extract(suite, salt, label, ikm):
    return M(salt, b"HPKE-v1" + suite + label + ikm)


def expand(suite, prk, label, info, n):
    return M(prk, u16(n) + b"HPKE-v1" + suite + label + info + b"\1")[:n] if n <= 32 else None


def raw(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def derive_key_pair(ikm):
    return X25519PrivateKey.from_private_bytes(expand(KEM, extract(KEM, b"", b"dkp_prk", ikm), b"sk", b"", 32))


def schedule(dh, enc, pk, info, psk, psk_id):
    """shared_secret, key_schedule_context, secret, key, base_nonce"""
    shared = expand(KEM, extract(KEM, b"", b"eae_prk", dh), b"shared_secret", enc + pk, 32)
    context = bytes([1 if psk else 0]) + extract(HPKE, b"", b"psk_id_hash", psk_id) + extract(HPKE, b"", b"info_hash", info)
    secret = extract(HPKE, shared, b"secret", psk)
    return (shared, context, secret, expand(HPKE, secret, b"key", context, 32),
            expand(HPKE, secret, b"base_nonce", context, 12))


# --- 2. Envelope ---

KINDS = {1: "notification", 2: "request", 3: "reply", 4: "information", 5: "correction", 6: "retraction",
         7: "endorsement", 8: "link-test", 9: "void", 16: "delivered", 17: "acknowledged", 18: "understood",
         19: "passed", 20: "refused", 21: "cannot-read", 32: "exercise-control"}
PRECEDENCES = ["ROUTINE", "PRIORITY", "IMMEDIATE", "FLASH"]
TARGETED = {3, 5, 6, 7, 16, 17, 18, 19, 20, 21}
STEPS = range(16, 22)


class Envelope:
    """Section 2: takes the file form apart, checks it against itself, computes ids, verifies signatures."""

    def __init__(self, data, realm):
        demand(len(data) <= 1200000, "the envelope is too large")
        outer = cbor(data, "the envelope")
        demand(outer and outer[0] == 1, "another suite")
        demand(len(outer) == 6, "the envelope has another number of elements")
        self.realm = realm
        self.header, self.stamp, self.wraps, self.body = (octets(x, None, "a part") for x in outer[1:5])
        self.sig = octets(outer[5], 64, "the signature")
        self.read_header()
        self.read_stamp()
        self.read_wraps()
        self.check()
        self.mid = H(L(realm, "message"), self.header)
        self.h = H(L(realm, "head"), H(self.header), H(self.stamp))
        self.id = H(L(realm, "envelope"), u16(1), self.h, H(self.wraps), H(self.body))
        self.draft_message = L(realm, "draft") + self.mid
        self.release_message = L(realm, "release") + self.id
        ed25519(self.key, self.sig, self.release_message, "releaser")
        if self.draft:
            ed25519(self.draft[0], self.draft[1], self.draft_message, "drafter")

    def read_header(self):
        demand(len(self.header) <= 40000, "the header is too large")
        f = cbor(self.header, "the header", 11)
        demand(f[0] == self.realm.encode(), "it belongs to the other realm")
        self.kind = integer(f[1], 32, "kind")
        self.code = integer(f[2], 65535, "code")
        self.channel = octets(f[3], 32, "the channel")
        self.sender = poc(f[4])
        self.drafted_ms = integer(f[5], 1 << 63, "time")
        self.to = [(poc(p), integer(r, 19, "role")) for p, r in self.pairs(f[6], 600)]
        self.category, self.marking = integer(f[7], 1 << 63, "category"), integer(f[8], 1 << 63, "marking")
        self.commit = octets(f[9], None, "commit")
        demand(isinstance(f[10], list) and len(f[10]) <= 16, "refs")
        self.refs = [octets(r, 32, "a ref") for r in f[10]]

    @staticmethod
    def pairs(items, most):
        demand(isinstance(items, list) and len(items) <= most, "too many, or no array")
        demand(all(isinstance(i, list) and len(i) == 2 for i in items), "not a pair")
        return items

    def read_stamp(self):
        demand(len(self.stamp) <= 2000, "the stamp is too large")
        f = cbor(self.stamp, "the stamp", 12)
        self.key = octets(f[0], 32, "the releaser's key")
        demand(isinstance(f[1], list) and len(f[1]) in (0, 2), "draft")
        self.draft = f[1] and (octets(f[1][0], 32, "the drafter's key"), octets(f[1][1], 64, "the drafter's signature"))
        self.precedence, self.flags = integer(f[2], 3, "precedence"), integer(f[3], 7, "flags")
        self.chain, self.seq = octets(f[4], 16, "chain"), integer(f[5], 1 << 63, "seq")
        self.sealed_ms, self.ack_within_s, self.lifetime_s = (integer(x, 1 << 63, "a time") for x in f[6:9])
        self.psk_epoch, self.psk_step = integer(f[9], 0xFFFFFFFF, "epoch"), integer(f[10], 366, "step")
        demand(isinstance(f[11], list) and len(f[11]) <= 8 and all(isinstance(s, list) and len(s) == 3 for s in f[11]), "seen")
        self.seen = [(octets(k, 32, "log"), integer(n, 1 << 63, "size"), octets(r, 32, "root")) for k, n, r in f[11]]
        demand(all(n >= 1 for _, n, _ in self.seen), "a checkpoint of size 0 was seen")
        demand(all(a[0] < b[0] for a, b in zip(self.seen, self.seen[1:])), "seen is not ascending")
        demand(self.seq >= 1 and (self.psk_step or not self.psk_epoch), "seq 0, or an epoch without a step")

    def read_wraps(self):
        f = cbor(self.wraps, "wraps", 2)
        self.enc = octets(f[0], None, "enc")
        self.wrap = [(octets(k, 32, "subkey"), octets(c, 48, "ct")) for k, c in self.pairs(f[1], 600)]
        demand(len(self.enc) == (32 if self.wrap else 0), "enc without wraps, or wraps without enc")

    def check(self):
        """Section 2 and 6, as far as the envelope alone shows."""
        bodyless = not self.commit
        demand(self.kind in KINDS and (self.kind != 32 or self.realm == "exercise"), "an unknown kind")
        demand(not self.code or self.kind in (20, 21), "a code that has no meaning")
        demand(self.refs or self.kind not in TARGETED, "no target")
        demand(len(set(p for p, _ in self.to)) == len(self.to), "a PoC twice among the recipients")
        follows = None
        for _, role in self.to:
            demand(role in (1, 2) or role == follows, "roles out of order")
            follows = {1: 11, 2: None}.get(role, role + 1)
        if bodyless:
            demand(self.kind == 9 or self.kind in STEPS, "this kind has a body")
            demand(not (self.wrap or self.body or self.category or self.marking or self.psk_step), "half bodyless")
            demand(self.to or self.kind in STEPS, "no recipient")
        else:
            demand(len(self.commit) == 32 and self.to and len(self.wrap) == len(self.to), "wraps and recipients differ")
            demand(len(self.body) - 16 in [1 << k for k in range(12, 21)], "the body has no bucket's size")
            demand(self.precedence != 3 or len(self.body) == 4096 + 16, "a FLASH that is not bare")


def check_digit(digits):
    rows = ["0317598642", "7092154863", "4206871359", "1750983426", "6123045978", "3674209581", "5869720134",
            "8945362017", "9438617205", "2581436790"]
    state = 0
    for d in digits:
        state = int(rows[state][int(d)])
    return state


def number(sender, seq):
    return "%s %d-%d" % (sender.decode().split(".")[0].upper(), seq, check_digit(str(seq)))


# --- 3. Content ---

PARAMETERS = ["text", "uint", "bool", "time", "duration", "code", "list", "mid"]


def language_ok(s):
    return s == "" or (len(s) <= 35 and re.fullmatch("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", s))


def code(data):
    demand(re.fullmatch(rb"[!-~]{1,31}", octets(data, None, "a code")), "a code that may not be")
    return data.decode()


def short_text(data):
    demand(len(octets(data, None, "a text")) <= 4000, "a text is too long")
    return text(data, "a text")


def parameter(kind, value):
    if kind in (1, 3, 4):
        return integer(value, 1 << 63, "a number")
    if kind == 2:
        return bool(integer(value, 1, "neither yes nor no"))
    if kind == 5:
        return code(value)
    if kind == 6:
        demand(isinstance(value, list) and len(value) <= 64, "a list")
        return [short_text(v) for v in value]
    return short_text(value) if kind == 0 else octets(value, 32, "a message id").hex()


def form_field(data, name):
    f = cbor(data, "a form field", 4)
    demand(f[0] == int(name) and integer(f[2], 2, "state") in (0, 1, 2), "a form field under another's name")
    demand(isinstance(f[3], list) and len(f[3]) <= 32 and (not f[3] or f[2] == 0), "parameters")
    out = {"code": code(f[1]), "state": ["value", "unknown", "withheld"][f[2]]}
    for p in f[3]:
        demand(isinstance(p, list) and len(p) == 3, "a parameter")
        key = octets(p[0], None, "name").decode("ascii", "replace")
        demand(re.fullmatch("[a-z][a-z0-9_]{0,30}", key) and key not in out.get("parameters", {}), "a parameter's name")
        out.setdefault("parameters", {})[key] = [PARAMETERS[integer(p[1], 7, "type")], parameter(p[1], p[2])]
    return out


def attachment(data):
    f = cbor(data, "an attachment", 3)
    demand(len(octets(f[0], None, "type")) <= 127 and re.fullmatch(rb"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", f[0]), "media type")
    demand(len(octets(f[1], None, "label")) <= 255, "label")
    return {"type": f[0].decode(), "label": text(f[1], "label"), "bytes": len(octets(f[2], None, "bytes")),
            "sha256": H(f[2]).hex()}


def index(data):
    demand(re.fullmatch(rb"[1-9][0-9]{0,18}", data), "an index")
    return int(data)


def names_of(data, n):
    out = []
    while data:
        demand(len(data) > data[0] > 0, "the names do not fit")
        out.append(data[1:1 + data[0]].decode("ascii", "replace"))
        data = data[1 + data[0]:]
    demand(len(out) == n and len(set(out)) == n, "other names than fields, or one twice")
    return out


def content(data):
    """The raw fields, and what they say."""
    f = cbor(data, "the content")
    demand(6 <= len(f) <= 128 and all(isinstance(x, bytes) for x in f), "the content has other fields")
    demand(len(f[0]) <= 500 and len(f[2]) <= 31 and re.fullmatch(rb"[ -~]*", f[2]), "subject or form id")
    demand(len(f[3]) in (0, 32) and len(f[4]) in (0, 32), "phrasebook or thread")
    says = {"subject": text(f[0], "subject"), "language": text(f[1], "language"), "form": f[2].decode(),
            "phrasebook": f[3].hex(), "thread": f[4].hex(), "fields": {}}
    demand(language_ok(says["language"]), "language")
    last = 0
    for name, data_i in zip(names_of(f[5], len(f) - 6), f[6:]):
        if re.fullmatch("[1-9][0-9]?", name):
            demand(int(name) > last, "form fields do not ascend")
            last = int(name)
            says["fields"][name] = form_field(data_i, name)
        elif name == "text":
            says["text"] = text(data_i, "text", lines=True)
        elif name == "attachment":
            says["attachment"] = attachment(data_i)
        else:
            demand(name in ("category", "marking"), "a field that nobody knows")
            says[name] = index(data_i)
    return f, says


def unpad(plain):
    n = struct.unpack(">I", plain[32:36])[0]
    bucket = 4096
    while bucket < 36 + n:
        bucket *= 2
    demand(len(plain) == bucket, "the bucket is not the smallest")
    demand(not any(plain[36 + n:]), "the padding is not zero")
    return plain[:32], plain[36:36 + n]


# --- 4 and 5. Opening ---

class Opened:
    """What PoC number i of @env sees with its subkey, and the PSK where there is one; every value is kept by name."""

    def __init__(self, env, i, private, halves=None):
        self.names = {}
        self.env, self.i = env, i
        key = X25519PrivateKey.from_private_bytes(private)
        subkey, ct = env.wrap[i]
        demand(raw(key) == subkey, "it is sealed to another subkey")
        self.psk, self.psk_id = self.of_psk(halves) if env.psk_step else (b"", b"")
        cek = self.open_wrap(key, subkey, ct)
        plain = self.open_body(cek)
        self.salt, self.content = unpad(plain)
        self.fields, self.says = content(self.content)
        self.check_commit(plain)

    def keep(self, name, value, of_wrap=False):
        self.names["%s.%d" % (name, self.i) if of_wrap else name] = value
        return value

    def of_psk(self, halves):
        e, label = self.env, lambda p: L(self.env.realm, p)
        demand(halves, "it needs the pre-shared key")
        key = self.keep("psk_0", bytes(a ^ b for a, b in zip(*halves)))
        check = M(key, label("psk check"), e.channel, u32(e.psk_epoch))
        self.keep("psk_check", "%08d" % (struct.unpack(">Q", check[:8])[0] % 10**8))
        for d in range(1, e.psk_step + 1):
            key = M(key, label("psk ratchet"), e.channel, u32(e.psk_epoch), u32(d))
        self.keep("psk_of_step", key)
        self.keep("psk_first_day", e.sealed_ms // 86400000 - (e.psk_step - 1))
        return (self.keep("psk", M(key, label("psk wrap"), e.h)),
                self.keep("psk_id", H(label("psk id"), e.channel, u32(e.psk_epoch), u32(e.psk_step))))

    def open_wrap(self, key, subkey, ct):
        e = self.env
        info = self.keep("info", L(e.realm, "wrap") + e.h + subkey + N(e.to[self.i][0]), True)
        dh = key.exchange(X25519PublicKey.from_public_bytes(e.enc))
        values = schedule(dh, e.enc, subkey, info, self.psk, self.psk_id)
        for name, value in zip(("shared_secret", "key_schedule_context", "secret", "key", "base_nonce"), values):
            self.keep(name, value, True)
        self.keep("subkey", subkey, True)
        self.keep("ct", ct, True)
        try:
            cek = self.keep("cek", ChaCha20Poly1305(values[3]).decrypt(values[4], ct, b""))
        except InvalidTag:
            raise Bad("the wrap does not open") from None
        ephemeral = derive_key_pair(self.keep("ephemeral_ikm", M(cek, L(e.realm, "ephemeral"))))
        demand(self.keep("enc", raw(ephemeral)) == e.enc, "enc does not follow from the content key")
        return cek

    def open_body(self, cek):
        e = self.env
        key = self.keep("body_key", M(cek, L(e.realm, "body"), e.h))
        try:
            return ChaCha20Poly1305(key).decrypt(bytes(12), e.body, e.h + H(e.wraps))
        except InvalidTag:
            raise Bad("the body does not open") from None

    def check_commit(self, plain):
        e, commits = self.env, []
        self.keep("plain_length", len(plain))
        self.keep("content", self.content)
        self.keep("salt", self.salt)
        for i, f in enumerate(self.fields):
            salt = self.keep("field_salt.%d" % i, M(self.salt, L(e.realm, "field salt"), u16(i)))
            commits.append(self.keep("field_commit.%d" % i, H(L(e.realm, "field"), u16(i), salt, u32(len(f)), f)))
            self.keep("field.%d" % i, f)
        commit = self.keep("commit", H(L(e.realm, "content"), u16(len(commits)), *commits))
        demand(commit == e.commit, "the content is not what the sender committed to")
        demand(e.precedence != 3 or "attachment" not in self.says, "a FLASH with an attachment")
        demand(not (e.category and "category" in self.says) and not (e.marking and "marking" in self.says), "said twice")


# --- command line ---

def front(env):
    return cbor2.dumps([1, env.header, env.stamp, env.wraps, H(env.body), len(env.body), env.sig])


def record_names(env, time_ms, salt):
    """Section 9.1, and the Merkle leaf."""
    record = cbor2.dumps([1, time_ms, 1, env.header, env.stamp, H(env.wraps), H(env.body), env.sig])
    entry = H(L(env.realm, "leaf"), salt, u32(len(record)), record)
    return {"record": record, "entry": entry, "merkle_leaf": H(b"\0", entry)}


def read_vector(path):
    with open(path, encoding="ascii") as f:
        lines = [line.rstrip("\n").partition(" ") for line in f if not line.startswith("#")]
    return {name: value for name, _, value in lines}


def vector(path):
    """Everything that can be computed from envelope and secrets must be what the file says, and nothing be left over."""
    v = read_vector(path)
    hexed = {k: bytes.fromhex(x) for k, x in v.items() if re.fullmatch("([0-9a-f]{2})*", x) and k not in (
        "psk_check", "psk_first_day", "plain_length", "record_time_ms")}
    env = Envelope(hexed["envelope"], v["realm"])
    got = {"header": env.header, "mid": env.mid, "stamp": env.stamp, "header_hash": H(env.header), "commit": env.commit,
           "stamp_hash": H(env.stamp), "h": env.h, "wraps": env.wraps, "wraps_hash": H(env.wraps), "body_hash": H(env.body),
           "id": env.id, "release_message": env.release_message, "sig": env.sig, "front": front(env),
           "releaser_public": env.key, "number": number(env.sender, env.seq), **record_names(env, int(v["record_time_ms"]),
           hexed["record_salt"])}
    if env.draft:
        got.update(drafter_public=env.draft[0], draft_sig=env.draft[1], draft_message=env.draft_message)
    halves = (hexed["psk_half_a"], hexed["psk_half_b"]) if "psk_half_a" in v else None
    for i in range(len(env.wrap)):
        got.update(Opened(env, i, hexed["subkey_private.%d" % i], halves).names)
    for name, value in got.items():
        demand(name in v, "the vector does not have " + name)
        want = hexed[name] if isinstance(value, bytes) else v[name]
        demand(want == (value if isinstance(value, bytes) else str(value)), name + " differs")
    given = {"realm", "envelope", "releaser", "drafter", "psk_half_a", "psk_half_b", "hedge", "random", "ephemeral_private",
             "record_time_ms", "record_salt"}
    left = {k for k in v if k not in got and k not in given and not k.startswith("subkey_private.")}
    demand(not left, "never computed: " + ", ".join(sorted(left)))
    print("%s: %d values agree" % (path, len(got)))


def show(args):
    with open(args.file, "rb") as f:
        env = Envelope(f.read(), args.realm)
    out = {"id": env.id.hex(), "mid": env.mid.hex(), "realm": env.realm, "kind": KINDS[env.kind], "sender": env.sender.decode(),
           "number": number(env.sender, env.seq), "precedence": PRECEDENCES[env.precedence], "channel": env.channel.hex(),
           "recipients": [[p.decode(), r] for p, r in env.to], "refs": [r.hex() for r in env.refs], "key": env.key.hex()}
    if args.poc:
        at = [i for i, (p, _) in enumerate(env.to) if p == args.poc.encode()]
        demand(at and env.wrap, "there is no wrap for " + args.poc)
        halves = (bytes.fromhex(args.half_a), bytes.fromhex(args.half_b)) if args.half_a else None
        out["content"] = Opened(env, at[0], bytes.fromhex(args.subkey), halves).says
    json.dump(out, sys.stdout, indent=1, ensure_ascii=True)
    print()


def main():
    p = argparse.ArgumentParser(description="verify and open a hotline envelope with stock libraries")
    p.add_argument("--vector", action="store_true")
    p.add_argument("--realm", choices=["live", "exercise"])
    p.add_argument("--poc")
    p.add_argument("--subkey")
    p.add_argument("--half-a")
    p.add_argument("--half-b")
    p.add_argument("file")
    args = p.parse_args()
    if not args.vector and (not args.realm or bool(args.poc) != bool(args.subkey) or bool(args.half_a) != bool(args.half_b)):
        p.error("--realm is needed; --poc goes with --subkey, --half-a with --half-b")
    try:
        if args.vector:
            vector(args.file)
        else:
            show(args)
    except Bad as e:
        print("%s: %s" % (args.file, e), file=sys.stderr)
        return 3
    return 0


sys.exit(main())
