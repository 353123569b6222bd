#!/bin/sh
# Durable desks: two agents with their desks on disk, one broker; a JSON line a window.  desks.sh BUILD FOLDER SECONDS
set -eu
B=$(cd "$1" && pwd) W=$2 EACH=$3
PIDS=
stop() { for p in $PIDS; do kill "$p" 2>/dev/null || true; done; for p in $PIDS; do wait "$p" 2>/dev/null || true; done; PIDS=; }
trap stop EXIT
trap 'exit 130' INT TERM
x() { "$B/hotline" --no-input --realm exercise "$@"; }
desk() { d=$1; shift; "$B/hotline" --no-input --desk "$W/desk/$d" "$@"; }
origin=bench.example/exercise/caldera/1

mkdir -p "$W/desk" "$W/party"
port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$B/hotlined" init "$W/host" --realm exercise --origin $origin --listen "tcp://127.0.0.1:$port" --no-passphrase >/dev/null
set -- # the cards
for party in arcadia borealia caldera; do
    x init "$W/desk/$party" "$party.technical" --witness --no-passphrase
    desk $party position watch-1 --holder officer-1 --permissions draft,release,acknowledge --no-passphrase
    x party init "$W/party/$party" $party --no-passphrase
    host=
    [ $party != caldera ] || host="--host $W/host/host.public"
    # shellcheck disable=SC2086 # words
    x party card "$W/party/$party" --poc "$W/desk/$party/poc.public" $host
    set -- "$@" --card "$W/party/$party/card.note"
    cp "$W/party/$party/card.note" "$W/host/documents/1-$party.note"
    cp "$W/party/$party/card.note" "$W/desk/$party/own.card"
    desk $party host "$W/host/host.public"
done 2>/dev/null
sed -e '/^parties/s/=.*/= [ "arcadia", "borealia", "caldera" ];/' -e "/^hosts/s,=.*,= [ \"$origin\" ];," \
    -e '/arcadia.diplomatic/s/=.*/= [ "arcadia.technical", "borealia.technical" ]; },/' conf/demo/agreement.cfg >"$W/agreement.cfg"
x agreement new "$W/agreement.cfg" "$@" --out "$W/agreement.txt"
for party in arcadia borealia caldera; do
    x agreement sign "$W/agreement.txt" --party "$W/party/$party" --out "$W/host/documents/2-$party.note"
done
"$B/hotlined" -c "$W/host/hotlined.conf" 2>"$W/host.log" &
PIDS="$PIDS $!"
for party in arcadia borealia; do
    "$B/hotline" --desk "$W/desk/$party" agent 2>"$W/$party.log" &
    PIDS="$PIDS $!"
done
for party in arcadia borealia; do
    i=0
    until [ "$(desk $party --json contacts 2>/dev/null | jq -r 'select((.subkeys_last_day | numbers) > 0) | .poc' | wc -l)" -ge 2 ] &&
        desk $party --json agreement list 2>/dev/null | grep -q '"in-force"'; do
        i=$((i + 1)); [ $i -lt 300 ] || { echo "desks.sh: $party is not ready" >&2; exit 1; }
        sleep 0.1
    done
    desk $party duty begin watch-1 >/dev/null
done
for window in 1 8; do
    "$B/tests/bench/desks" "$W/desk/arcadia" "$W/desk/borealia" arcadia-borealia.technical $window "$EACH"
done
