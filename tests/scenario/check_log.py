#!/usr/bin/env python3
"""Is everything that couriers were promised in the published log?  Independent of our code: RFC 6962
hashes and C2SP formats from the specifications, Ed25519 from python3-cryptography.

    check_log.py BROKER-FOLDER DESK... [--export FOLDER]

The published tiles must lead to the signed checkpoint; every receipt that a courier keeps must prove an
entry that stands in those tiles, under a root that is a prefix of them; no two receipts may share an
entry; nothing may stand in the log that is neither a document nor receipted; every message was acted on
by the other desk, once.  Prints one line; exits 1 at the first thing that is not so.

--export FOLDER: the oldest and the newest receipt, their entries and the policy, for other verifiers.
"""
import base64
import hashlib
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def fail(what):
    sys.exit(f"check_log: {what}")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


class Tree:
    def __init__(self, leaves):
        self.leaves = leaves
        self.full = {}  # complete subtrees by (level, index)

    def subtree(self, level, index):
        if level == 0:
            return self.leaves[index]
        key = (level, index)
        if key not in self.full:
            self.full[key] = sha(b"\1", self.subtree(level - 1, 2 * index), self.subtree(level - 1, 2 * index + 1))
        return self.full[key]

    def root(self, size):
        if size == 0:
            return sha()
        parts, at = [], 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                parts.append(self.subtree(level, at >> level))
                at += 1 << level
        root = parts.pop()
        while parts:
            root = sha(b"\1", parts.pop(), root)
        return root


def included(leaf, index, size, path, root):
    """RFC 9162, 2.1.3.2"""
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = sha(b"\1", p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha(b"\1", r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


class Host:
    def __init__(self, folder):
        for line in (folder / "host.public").read_text().splitlines():
            word, *fields = line.split(" ")
            if word == "host":
                self.origin, raw = fields[0], base64.b64decode(fields[1])
                self.key = Ed25519PublicKey.from_public_bytes(raw)
                self.id = sha(self.origin.encode(), b"\n\1", raw)[:4]
                self.vkey = f"{self.origin}+{self.id.hex()}+{base64.b64encode(bytes([1]) + raw).decode()}"

    def checkpoint(self, note):
        text, signatures = note.split(b"\n\n")
        origin, size, root = text.decode().split("\n")
        for line in signatures.decode().splitlines():
            dash, name, blob = line.split(" ")
            blob = base64.b64decode(blob)
            if name == self.origin and blob[:4] == self.id:
                self.key.verify(blob[4:], text + b"\n")
                if origin != self.origin:
                    fail(f"a checkpoint of {origin}")
                return int(size), base64.b64decode(root)
        fail("a checkpoint that the log did not sign")


def tile_path(n):
    path = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        path = f"x{n % 1000:03d}/{path}"
    return path


def tile(folder, kind, n, width):
    path = folder / "tile" / kind / tile_path(n)
    return (path if width == 256 else path.with_name(path.name + ".p") / str(width)).read_bytes()


def published(folder, host):
    """Entries and tree behind the published checkpoint; every hash tile compared."""
    size, root = host.checkpoint((folder / "checkpoint").read_bytes())
    entries = []
    for n in range((size + 255) // 256):
        bundle = tile(folder, "entries", n, min(256, size - 256 * n))
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            entries.append(bundle[2 : 2 + length])
            bundle = bundle[2 + length :]
    if len(entries) != size:
        fail(f"{len(entries)} entries are published under a checkpoint of {size}")
    tree = Tree([sha(b"\0", e) for e in entries])
    if tree.root(size) != root:
        fail("the published entries do not lead to the signed root")
    for level in range(8):
        count = size >> 8 * level
        for n in range((count + 255) // 256):
            width = min(256, count - 256 * n)
            want = b"".join(tree.subtree(8 * level, 256 * n + i) for i in range(width))
            if tile(folder, str(level), n, width) != want:
                fail(f"tile {level}/{n} has other hashes than its entries")
    return entries, tree, size


def receipt(path, host, entries, tree):
    """The entry's index, after everything about the receipt was checked."""
    head, note = path.read_bytes().split(b"\n\n", 1)
    magic, extra, index, *hashes = head.decode().split("\n")
    if magic != "c2sp.org/tlog-proof@v1" or not extra.startswith("extra ") or not index.startswith("index "):
        fail(f"{path}: not a receipt")
    index = int(index[6:])
    size, root = host.checkpoint(note)
    if size > len(entries) or tree.root(size) != root:
        fail(f"{path}: its checkpoint of {size} is not a part of the published log of {len(entries)}")
    opening = base64.b64decode(extra[6:])
    entry = sha(
        b"hotline/1 exercise leaf\0", opening[:32], (len(opening) - 32).to_bytes(4, "big"), opening[32:]
    )
    if entries[index] != entry:
        fail(f"{path}: entry {index} is another one")
    if not included(tree.leaves[index], index, size, [base64.b64decode(h) for h in hashes], root):
        fail(f"{path}: the proof does not lead to its root")
    return index


def export(folder, host, entries, receipts):
    folder.mkdir()
    (folder / "policy").write_text(f"log {host.vkey}\nquorum none\n")
    for name, index in (("oldest", min(receipts)), ("newest", max(receipts))):
        (folder / f"{name}.tlog-proof").write_bytes(receipts[index].read_bytes())
        (folder / f"{name}.entry").write_bytes(entries[index])


def main(folder, *desks, to=None):
    folder = pathlib.Path(folder)
    host = Host(folder)
    entries, tree, size = published(folder / "public", host)
    seen, acts = {}, 0
    for desk in map(pathlib.Path, desks):
        for path in sorted((desk / "receipts").iterdir()):
            index = receipt(path, host, entries, tree)
            if index in seen:
                fail(f"{path} and {seen[index]} are receipts of one entry")
            seen[index] = path
        done = (desk / "acts").read_text().split()
        if len(done) != len(set(done)):
            fail(f"{desk}: acted twice on a message")
        acts += len(done)
    documents = sum(len(e) != 32 for e in entries)
    agreements = len(list((folder / "documents").glob("*agreement*")))
    if size != documents + agreements + len(seen):
        fail(f"{size} entries: {documents} documents, {agreements} agreement notes, {len(seen)} receipts")
    if to:
        export(pathlib.Path(to), host, entries, seen)
    print(f"{size} entries, {len(seen)} receipts, {acts} acts")


if __name__ == "__main__":
    if "--export" in sys.argv:
        at = sys.argv.index("--export")
        main(*sys.argv[1:at], to=sys.argv[at + 1])
    else:
        main(*sys.argv[1:])
