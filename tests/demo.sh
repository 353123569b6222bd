#!/bin/sh
# The main job, in a minute: four fictional States, two brokers, a FLASH from draft to audit.  No root, no network but
# loopback.  Everything is in the exercise realm; every number printed was measured in this run.
#
# Leaves in $OUT: log/ policy.txt receipt.tlog-proof receipt.entry envelope.cbor transcript.txt
set -eu

BUILD=${BUILD:-build}
OUT=${OUT:-$BUILD/demo}
TOP=$(cd "$(dirname "$0")/.." && pwd)
cd "$TOP"
BIN=$(cd "$BUILD" && pwd)
rm -rf "$OUT"
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
W=$(mktemp -d "${TMPDIR:-/tmp}/hotline-demo.XXXXXX")
PIDS=
crisis=arcadia-borealia.crisis
technical=arcadia-borealia.technical

stop() {
    for p in $PIDS; do kill "$p" 2>/dev/null || true; done
    for p in $PIDS; do wait "$p" 2>/dev/null || true; done
    PIDS=
}
finish() {
    rc=$?
    [ $rc = 0 ] || sleep "${HOLD:-0}" # to look at what runs
    stop
    if [ $rc = 0 ] && [ -z "${KEEP:-}" ]; then
        rm -rf "$W"
    else
        echo "demo: files kept in $W" >&2
        [ $rc = 0 ] || tail -n 5 "$W"/*.log >&2 || true
    fi
    exit $rc
}
trap finish EXIT
trap 'exit 130' INT TERM

h() { "$BIN/hotline" --no-input "$@"; }
x() { h --realm exercise "$@"; }
desk() { who=$1; shift; h --desk "$W/desk/$who" "$@"; }
now() { date +%s%3N; }
say() { printf '%s\n' "$*" | tee -a "$OUT/transcript.txt"; }
quiet() { "$@" >>"$W/quiet.log" 2>&1 || { tail -n 5 "$W/quiet.log" >&2; return 1; }; }
field() { jq -r "select(.schema == \"hotline.$1/1\") | .$2" | head -n 1; }
free_port() {
    python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# ---- four parties: root keys, desks, positions, cards ----
mkdir -p "$W/desk" "$W/party"
for host in doria caldera; do
    quiet "$BIN/hotlined" init "$W/$host-host" --realm exercise --origin "$host.example/exercise/$host/1" \
        --listen "tcp://127.0.0.1:$(free_port)" --no-passphrase
done
station() { # party.office options..
    poc=$1; shift
    quiet x init "$W/desk/$poc" "$poc" --no-passphrase "$@"
}
position() { # party.office position holder permissions
    quiet desk "$1" position "$2" --holder "$3" --permissions "$4" --no-passphrase
}
station arcadia.technical --witness --languages ar,en
station arcadia.diplomatic --languages ar,en
station borealia.technical --witness
station borealia.diplomatic
station caldera.technical --witness
station doria.technical
position arcadia.technical watch-1 officer-1 draft,release,acknowledge
position arcadia.diplomatic watch-1 officer-1 draft,acknowledge
position borealia.technical watch-1 officer-1 draft,release,acknowledge
position borealia.technical watch-2 officer-2 draft,release,acknowledge
position borealia.diplomatic watch-1 officer-3 acknowledge
position caldera.technical watch-1 officer-1 acknowledge,audit
position doria.technical watch-1 officer-1 acknowledge
for party in arcadia borealia caldera doria; do
    quiet x party init "$W/party/$party" "$party" --no-passphrase
    set --
    for poc in "$W/desk/$party".*; do set -- "$@" --poc "$poc/poc.public"; done
    [ -d "$W/$party-host" ] && set -- "$@" --host "$W/$party-host/host.public"
    quiet x party card "$W/party/$party" "$@"
done

# ---- one agreement, a note of each party ----
set --
for party in arcadia borealia caldera doria; do set -- "$@" --card "$W/party/$party/card.note"; done
x agreement new conf/demo/agreement.cfg "$@" --out "$W/agreement.txt"
for party in arcadia borealia caldera doria; do
    quiet x agreement sign "$W/agreement.txt" --party "$W/party/$party" --out "$W/agreement-$party.note"
    for host in doria caldera; do
        cp "$W/party/$party/card.note" "$W/$host-host/documents/1-card-$party.note"
        cp "$W/agreement-$party.note" "$W/$host-host/documents/2-agreement-$party.note"
    done
done

# ---- the brokers of two hosts, and the stations ----
for host in doria caldera; do
    "$BIN/hotlined" -c "$W/$host-host/hotlined.conf" 2>"$W/$host-host.log" &
    PIDS="$PIDS $!"
done
for host in doria caldera; do
    i=0
    until grep -q 'hotlined: ready' "$W/$host-host.log"; do
        i=$((i + 1)); [ $i -lt 200 ] || { echo "broker of $host does not start" >&2; exit 1; }
        sleep 0.05
    done
done
for poc in arcadia.technical arcadia.diplomatic borealia.technical borealia.diplomatic caldera.technical doria.technical; do
    party=${poc%%.*}
    quiet desk "$poc" host "$W/doria-host/host.public"
    quiet desk "$poc" host "$W/caldera-host/host.public"
    cp "$W/party/$party/card.note" "$W/desk/$poc/own.card"
    "$BIN/hotline" --desk "$W/desk/$poc" agent 2>"$W/agent-$poc.log" &
    PIDS="$PIDS $!"
done
ready() { # poc: does it know everybody's subkeys and the agreement in force?
    [ "$(desk "$1" --json contacts 2>/dev/null | jq -r 'select((.subkeys_last_day | numbers) > 0) | .poc' | wc -l)" -ge 6 ] &&
        desk "$1" --json agreement list 2>/dev/null | grep -q '"in-force"'
}
for poc in arcadia.technical arcadia.diplomatic borealia.technical caldera.technical; do
    i=0
    until ready "$poc"; do
        i=$((i + 1)); [ $i -lt 300 ] || { echo "$poc does not see everybody's documents" >&2; exit 1; }
        sleep 0.1
    done
done
say "EXERCISE   four fictional States, one agreement signed by all, brokers of DORIA and CALDERA on 127.0.0.1"

# ---- BOREALIA drafts; a second position releases ----
quiet desk borealia.technical duty begin watch-1
quiet desk borealia.technical duty begin watch-2
quiet desk arcadia.technical duty begin watch-1
quiet desk arcadia.diplomatic duty begin watch-1
desk borealia.technical --json send --form conf/demo/notification.cfg --position watch-1 --draft >"$W/draft.json" \
    2>>"$W/quiet.log" || [ $? = 6 ]
draft=$(field draft draft <"$W/draft.json")
t0=$(now)
desk borealia.technical --json release "$draft" --position watch-2 >"$W/flash.json" 2>>"$W/quiet.log"
t1=$(now)
number=$(field message number <"$W/flash.json")
say "EXERCISE   BOREALIA watch-1 drafts, watch-2 releases            NUMBER $number   FLASH"
say "EXERCISE   recorded $((t1 - t0)) ms after the release, receipt kept       proof that it was sent"

# ---- ARCADIA reads it in its own language, and acknowledges ----
i=0
until desk arcadia.technical --json inbox | grep -q "\"$number\""; do
    i=$((i + 1)); [ $i -lt 200 ] || { echo "not delivered" >&2; exit 1; }
    sleep 0.05
done
say ""
desk arcadia.technical show "$number" $crisis | tee -a "$OUT/transcript.txt"
say ""
desk arcadia.technical show "$number" $crisis --language en | tee -a "$OUT/transcript.txt"
say ""
quiet desk arcadia.technical ack "$number" $crisis --position watch-1 -W 10
desk borealia.technical --json show "$number" $crisis >"$W/shown.json"
steps=$(jq -r 'select(.schema == "hotline.step/1") | "\(.kind) by \(.poc)"' "$W/shown.json" | tr '\n' ';' | sed 's/;$//; s/;/, /g')
say "EXERCISE   BOREALIA sees: $steps   (deadline 10 min)"

# ---- the annex, byte for byte ----
awk -f conf/demo/annex.awk >"$W/annex-a.csv"
bytes=$(wc -c <"$W/annex-a.csv")
sed "s/BOREALIA 7-6/$number/" conf/demo/annex.cfg >"$W/annex.cfg"
desk borealia.technical --json send --form "$W/annex.cfg" --attach "$W/annex-a.csv" --attach-type text/csv \
    --ref "$number" --position watch-1 --draft >"$W/draft2.json" 2>>"$W/quiet.log" || [ $? = 6 ]
desk borealia.technical --json release "$(field draft draft <"$W/draft2.json")" --position watch-2 >"$W/annex.json" \
    2>>"$W/quiet.log"
annex=$(field message number <"$W/annex.json")
i=0
until desk arcadia.technical --json inbox | grep -q "\"$annex\""; do
    i=$((i + 1)); [ $i -lt 400 ] || { echo "annex not delivered" >&2; exit 1; }
    sleep 0.05
done
mkdir -p "$W/saved"
desk arcadia.technical --json attachment save "$annex" $technical --dir "$W/saved" >"$W/saved.json"
cmp "$W/annex-a.csv" "$(field attachment path <"$W/saved.json")"
quiet desk arcadia.technical ack "$annex" $technical --position watch-1 -W 10
say "EXERCISE   annex A, $annex, $bytes bytes, PRIORITY: arrived, same SHA-256 at both ends"
say "           $(sha256sum "$W/annex-a.csv" | cut -d' ' -f1)"

# ---- ARCADIA replies ----
sed "s/BOREALIA 7-6/$number/" conf/demo/reply.cfg >"$W/reply.cfg"
desk arcadia.technical --json reply "$number" $crisis --form "$W/reply.cfg" --position watch-1 \
    >"$W/reply.json" 2>>"$W/quiet.log"
reply=$(field message number <"$W/reply.json")
i=0
until desk borealia.technical --json inbox | grep -q "\"$reply\""; do
    i=$((i + 1)); [ $i -lt 200 ] || { echo "reply not delivered" >&2; exit 1; }
    sleep 0.05
done
say ""
desk borealia.technical show "$reply" $crisis | tee -a "$OUT/transcript.txt"
say ""
quiet desk borealia.technical ack "$reply" $crisis --position watch-1 -W 10

# ---- evidence: receipt with the witnesses' quorum, the envelope, the record ----
quiet desk borealia.technical receipt "$number" $crisis --host doria.example/exercise/doria/1 --witnessed --out "$OUT" -W 20
quiet desk arcadia.technical receipt "$reply" $crisis --host doria.example/exercise/doria/1 --witnessed --out "$W/reply" -W 20
quiet desk borealia.technical export "$number" $crisis --out "$OUT/envelope.cbor"
quiet desk caldera.technical audit mirror "$W/mirror" --host doria.example/exercise/doria/1 --audit -W 30
stop
cp -r "$W/mirror" "$OUT/log"
say "AUDIT      the record of DORIA, mirrored by CALDERA:"
"$BIN/hotline-audit" verify "$OUT/log" | tee -a "$OUT/transcript.txt"
"$BIN/hotline-audit" receipt "$OUT/receipt.tlog-proof" "$OUT/receipt.entry" "$OUT/policy.txt" |
    tee -a "$OUT/transcript.txt"

# ---- one bit ----
cp -r "$OUT/log" "$W/tampered"
entries=$(find "$W/tampered/tile/entries" -type f | head -n 1)
python3 - "$entries" <<'P'
import sys
path = sys.argv[1]
b = bytearray(open(path, 'rb').read())
at, index = 0, 0
while True: # the first entry that is a commitment
    n = int.from_bytes(b[at:at + 2], 'big')
    if n == 32:
        break
    at += 2 + n
    index += 1
b[at + 2] ^= 1
import os
os.chmod(path, 0o644)
open(path, 'wb').write(b)
P
say "AUDIT      one bit flipped in a copy:"
rc=0
"$BIN/hotline-audit" verify "$W/tampered" >"$W/tampered.txt" 2>&1 || rc=$?
tee -a "$OUT/transcript.txt" <"$W/tampered.txt"
[ $rc = 3 ] || { echo "a flipped bit was not found (exit status $rc)" >&2; exit 1; }
say "Left in ${OUT#"$TOP"/}: log/ policy.txt receipt.tlog-proof receipt.entry envelope.cbor transcript.txt"
