// Verifies what tests/stock/stock.c prints and writes, with the Go team's golang.org/x/mod/sumdb as Debian ships it
// (golang-golang-x-mod-dev).  It shares no code and no author with the project.
//
//	stock proofs | main proofs      roots and proofs of many trees, byte for byte
//	stock notes  | main notes       the same verdict on each note
//	main mirror DIR                 checkpoint, tiles and entry bundles of a mirror
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func die(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func check(err error, what string) {
	if err != nil {
		die("%s: %v", what, err)
	}
}

// ---- proofs ----

type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x >= int64(len(m)) {
			return nil, fmt.Errorf("hash %d is not stored", x)
		}
		out[i] = m[x]
	}
	return out, nil
}

func addProof(digest *bytes.Buffer, proof []tlog.Hash) {
	digest.WriteByte(byte(len(proof)))
	for _, h := range proof {
		digest.Write(h[:])
	}
}

func sum(b *bytes.Buffer) string {
	s := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(s[:])
}

// x/mod has no proof from or to the empty tree, and its TreeHash(0) is zeros; RFC 6962 says SHA-256("").
func root(n int64, m memory) tlog.Hash {
	if n == 0 {
		return sha256.Sum256(nil)
	}
	h, err := tlog.TreeHash(n, m)
	check(err, "TreeHash")
	return h
}

func inclusion(n, step int64, top tlog.Hash, m memory) string {
	var b bytes.Buffer
	for i := int64(0); i < n; {
		p, err := tlog.ProveRecord(n, i, m)
		check(err, "ProveRecord")
		leaf := tlog.RecordHash([]byte(strconv.FormatInt(i, 10)))
		check(tlog.CheckRecord(p, n, top, i, leaf), "CheckRecord")
		addProof(&b, p)
		if i+step < n || i == n-1 {
			i += step
		} else {
			i = n - 1
		}
	}
	return sum(&b)
}

func consistency(n, step int64, top tlog.Hash, m memory) string {
	var b bytes.Buffer
	for old := int64(1); old <= n; {
		p, err := tlog.ProveTree(n, old, m)
		check(err, "ProveTree")
		check(tlog.CheckTree(p, n, top, old, root(old, m)), "CheckTree")
		addProof(&b, p)
		if old+step <= n || old == n {
			old += step
		} else {
			old = n
		}
	}
	return sum(&b)
}

func proofs() {
	var m memory
	have, trees := int64(0), 0
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var n, step int64
		var gotRoot, gotIn, gotCons string
		_, err := fmt.Sscan(in.Text(), &n, &step, &gotRoot, &gotIn, &gotCons)
		check(err, "line "+in.Text())
		for ; have < n; have++ {
			h, err := tlog.StoredHashes(have, []byte(strconv.FormatInt(have, 10)), m)
			check(err, "StoredHashes")
			m = append(m, h...)
		}
		top := root(n, m)
		if hex.EncodeToString(top[:]) != gotRoot {
			die("size %d: another root", n)
		}
		if inclusion(n, step, top, m) != gotIn {
			die("size %d: another inclusion proof", n)
		}
		if consistency(n, step, top, m) != gotCons {
			die("size %d: another consistency proof", n)
		}
		trees++
	}
	if trees < 600 {
		die("only %d trees", trees)
	}
	fmt.Printf("%d trees agree\n", trees)
}

// ---- notes ----

// A C2SP cosignature (type 4), which x/mod does not know.
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.id }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	t := binary.BigEndian.Uint64(sig)
	m := fmt.Sprintf("cosignature/v1\ntime %d\n%s", t, msg)
	return t > 0 && t < 1<<63 && ed25519.Verify(c.key, []byte(m), sig[8:])
}

func verifier(vkey string) note.Verifier {
	if v, err := note.NewVerifier(vkey); err == nil {
		return v
	}
	f := strings.SplitN(vkey, "+", 3)
	raw, err := base64.StdEncoding.DecodeString(f[2])
	if err != nil || len(raw) != 33 || raw[0] != 4 {
		die("bad vkey %s", vkey)
	}
	s := sha256.Sum256(append([]byte(f[0]+"\n"), raw...))
	id := binary.BigEndian.Uint32(s[:])
	if fmt.Sprintf("%08x", id) != f[1] {
		die("key id of %s", vkey)
	}
	return cosigner{f[0], id, raw[1:]}
}

// Go's decoder takes stray low bits; ours does not, since a receipt must have one spelling.
func lenient(msg []byte) bool {
	for _, line := range strings.Split(string(msg), "\n") {
		if f := strings.Split(line, " "); strings.HasPrefix(line, "— ") && len(f) == 3 {
			if _, err := base64.StdEncoding.Strict().DecodeString(f[2]); err != nil {
				return true
			}
		}
	}
	return false
}

func notes(vkeys []string) {
	var known []note.Verifier
	for _, v := range vkeys {
		known = append(known, verifier(v))
	}
	total, good, stricter := 0, 0, 0
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		f := strings.Split(in.Text(), " ")
		msg, err := base64.StdEncoding.DecodeString(f[1])
		check(err, "base64")
		n, err := note.Open(msg, note.VerifierList(known...))
		theirs, ours := err == nil && len(n.Sigs) == len(known), f[0] == "1"
		total++
		if ours {
			good++
		}
		if ours == theirs {
			continue
		}
		if ours || !lenient(msg) {
			die("x/mod says %v, we say %v: %q", theirs, ours, msg)
		}
		stricter++
	}
	fmt.Printf("%d notes: %d good for both, %d refused by us alone (base64 with stray bits)\n", total, good, stricter)
	if good < 3 {
		die("too few good notes")
	}
}

// ---- a mirror ----

type folder string

func (f folder) Height() int                     { return 8 }
func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		b, err := os.ReadFile(filepath.Join(string(f), tilePath(strconv.Itoa(t.L), t.N, t.W)))
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// C2SP paths are those of x/mod without the height.
func tilePath(level string, n int64, w int) string {
	t := tlog.Tile{H: 8, L: 0, N: n, W: w}
	return "tile/" + level + strings.TrimPrefix(t.Path(), "tile/8/0")
}

func policy(dir string) (known []note.Verifier) {
	b, err := os.ReadFile(filepath.Join(dir, "policy.txt"))
	check(err, "policy")
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) > 1 && f[0] == "log" {
			known = append(known, verifier(f[1]))
		} else if len(f) > 2 && f[0] == "witness" {
			known = append(known, verifier(f[2]))
		}
	}
	return known
}

func checkpoint(dir string, name string) (tlog.Tree, int) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	check(err, name)
	n, err := note.Open(b, note.VerifierList(policy(dir)...))
	check(err, "note.Open "+name)
	f := strings.Split(n.Text, "\n")
	size, err := strconv.ParseInt(f[1], 10, 64)
	check(err, "size")
	hash, err := tlog.ParseHash(f[2])
	check(err, "root")
	return tlog.Tree{N: size, Hash: hash}, len(n.Sigs)
}

func bundle(dir string, n int64, w int) (entries [][]byte) {
	b, err := os.ReadFile(filepath.Join(dir, tilePath("entries", n, w)))
	check(err, "bundle")
	for len(b) > 0 {
		k := int(binary.BigEndian.Uint16(b))
		entries = append(entries, b[2:2+k])
		b = b[2+k:]
	}
	if len(entries) != w {
		die("bundle %d holds %d entries, not %d", n, len(entries), w)
	}
	return entries
}

func mirror(dir string) {
	tree, sigs := checkpoint(dir, "checkpoint")
	// This reader authenticates every tile that it reads against the signed root.
	r := tlog.TileHashReader(tree, folder(dir))
	for first := int64(0); first < tree.N; first += 256 {
		w := 256
		if tree.N-first < 256 {
			w = int(tree.N - first)
		}
		var want []int64
		for i := 0; i < w; i++ {
			want = append(want, tlog.StoredHashIndex(0, first+int64(i)))
		}
		have, err := r.ReadHashes(want)
		check(err, "ReadHashes")
		for i, e := range bundle(dir, first/256, w) {
			if tlog.RecordHash(e) != have[i] {
				die("entry %d is not what the log signed", first+int64(i))
			}
		}
	}
	old, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*"))
	check(err, "checkpoints")
	for _, f := range old {
		t, _ := checkpoint(dir, filepath.Join("checkpoints", filepath.Base(f)))
		p, err := tlog.ProveTree(tree.N, t.N, r)
		check(err, "ProveTree")
		check(tlog.CheckTree(p, tree.N, tree.Hash, t.N, t.Hash), "CheckTree")
	}
	fmt.Printf("%d entries, %d signatures, %d checkpoints agree\n", tree.N, sigs, len(old))
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "proofs":
		proofs()
	case len(os.Args) > 2 && os.Args[1] == "notes":
		notes(os.Args[2:])
	case len(os.Args) == 3 && os.Args[1] == "mirror":
		mirror(os.Args[2])
	default:
		die("usage: main proofs | notes VKEY... | mirror DIR")
	}
}
