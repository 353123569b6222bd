#!/bin/sh
# Figures beside a floor measured in the same run: a table on stderr, JSON lines on stdout.
#
#   ROUNDS=3 SECONDS_EACH=5 PAIRS="1 100"
#
# Each round measures the floor and the broker in turn, so that both meet the same noise; the ratio is taken of the medians.
set -eu

BUILD=${BUILD:-build}
ROUNDS=${ROUNDS:-3}
EACH=${SECONDS_EACH:-5}
PAIRS=${PAIRS:-1 100}
B=$(cd "$BUILD" && pwd)
W=$(mktemp -d "${TMPDIR:-/var/tmp}/hotline-bench.XXXXXX")
PID=
stop() { [ -z "$PID" ] || { kill "$PID" 2>/dev/null || true; wait "$PID" 2>/dev/null || true; }; PID=; }
trap 'stop; rm -rf "$W"' EXIT
trap 'exit 130' INT TERM

free_port() {
    python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
wait_for() { # seconds command..
    limit=$(($1 * 20)); shift
    while ! "$@" >/dev/null 2>&1; do
        limit=$((limit - 1)); [ $limit -gt 0 ] || { echo "bench: gave up waiting for: $*" >&2; exit 1; }
        sleep 0.05
    done
}
now_us() { date +%s%6N; }

start_floor() { # dir
    mkdir -p "$1"
    "$B/tests/bench/floor" --dir "$1" --listen "tcp://127.0.0.1:$(free_port)" &
    PID=$!
    wait_for 20 test -s "$1/host.public"
}
init_broker() { # dir
    "$B/hotlined" init "$1" --realm exercise --origin bench.example/exercise/p0/1 \
        --listen "tcp://127.0.0.1:$(free_port)" --no-passphrase >/dev/null
}
start_broker() { # dir
    : >"$1/log"
    "$B/hotlined" -c "$1/hotlined.conf" 2>"$1/log" &
    PID=$!
    wait_for 60 grep -q 'hotlined: ready' "$1/log"
}
run_load() { # what pairs dir
    "$B/tests/bench/load" --dir "$3" --pairs "$2" --rate 50 --latency-s "$EACH" --window "$([ "$2" = 1 ] && echo 16 || echo 4)" \
        --throughput-s "$EACH" run | jq -c ". + {server: \"$1\"}"
}

for pairs in $PAIRS; do
    for round in $(seq "$ROUNDS"); do
        d=$W/floor-$pairs-$round
        start_floor "$d"
        "$B/tests/bench/load" --dir "$d" --pairs "$pairs" setup
        run_load floor "$pairs" "$d"
        stop
        d=$W/broker-$pairs-$round
        init_broker "$d"
        "$B/tests/bench/load" --dir "$d" --pairs "$pairs" setup
        start_broker "$d"
        run_load hotlined "$pairs" "$d"
        stop
        rm -rf "$W/floor-$pairs-$round" "$W/broker-$pairs-$round"
    done
done >"$W/load.jsonl"
cat "$W/load.jsonl"

# ---- the same with desks on disk: two agents, every step durable at both ends ----
sh tests/bench/desks.sh "$B" "$W/desks" "$EACH" | tee -a "$W/load.jsonl"

# ---- memory of a connected client: front and core together, proportional set size ----
pss() {
    for p in $(pgrep -P "$PID"); do
        case $(cat "/proc/$p/comm") in front | core) awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup" ;; esac
    done | awk '{ n += $1 } END { print n + 0 }'
}
d=$W/memory
init_broker "$d"
"$B/tests/bench/load" --dir "$d" --pairs 100 setup
start_broker "$d"
before=$(pss)
"$B/tests/bench/load" --dir "$d" --pairs 100 --idle-s 6 run >"$W/idle" &
load=$!
wait_for 30 grep -q idle "$W/idle"
sleep 4 # memory of the burst of greetings is given back
after=$(pss)
wait $load
stop
jq -cn --argjson b "$before" --argjson a "$after" \
    '{phase: "memory", clients: 200, kb_per_client: (($a - $b) * 1.024 / 200), front_and_core_idle_kb: $b}' | tee -a "$W/load.jsonl"

# ---- start on a short and on a long log ----
for n in 1000 1000000; do
    d=$W/start-$n
    init_broker "$d"
    "$B/tests/bench/fill" "$d/state/store.db" bench.example/exercise/p0/1 "$n"
    for round in 1 2 3 4 5; do
        from=$(now_us)
        start_broker "$d"
        to=$(now_us)
        stop
        jq -cn --argjson n "$n" --argjson us $((to - from)) '{phase: "start", entries: $n, ms: ($us / 1000)}'
    done
    rm -rf "$d"
done | tee -a "$W/load.jsonl"

# ---- the table ----
jq -sr '
def median: sort | if length == 0 then null else .[(length - 1) / 2 | floor] end;
def r: if . == null then "-" else (. * 1000 | round / 1000 | tostring) end;
. as $all
| [ ([$all[] | select(.pairs) | .pairs] | unique)[] as $p
  | def m($s; $ph; $k): [$all[] | select(.pairs == $p and .server == $s and .phase == $ph) | .[$k]] | median;
    ["acknowledged/s, \($p) pair(s)", m("hotlined"; "throughput"; "acknowledged_per_s"), m("floor"; "throughput"; "acknowledged_per_s"), ">= 0.95"],
    ["submit to delivered p50 ms, \($p)", m("hotlined"; "latency"; "delivered_p50_ms"), m("floor"; "latency"; "delivered_p50_ms"), "<= 1.4"],
    ["submit to delivered p99 ms, \($p)", m("hotlined"; "latency"; "delivered_p99_ms"), m("floor"; "latency"; "delivered_p99_ms"), "<= 3"],
    ["submit to receipt p50 ms, \($p)", m("hotlined"; "latency"; "receipt_p50_ms"), m("floor"; "latency"; "receipt_p50_ms"), "<= 2.2"],
    ["submit to receipt p99 ms, \($p)", m("hotlined"; "latency"; "receipt_p99_ms"), m("floor"; "latency"; "receipt_p99_ms"), "<= 3"] ]
+ [ ["start ms, 10^6 entries beside 10^3", ([$all[] | select(.phase == "start" and .entries == 1000000) | .ms] | median),
     ([$all[] | select(.phase == "start" and .entries == 1000) | .ms] | median), "<= 1.5"] ]
| (["figure", "broker", "floor", "ratio", "aim"], (.[] | [.[0], (.[1] | r), (.[2] | r), (if .[1] and .[2] then (.[1] / .[2] | r) else "-" end), .[3]])) | @tsv' \
    "$W/load.jsonl" | column -t -s "$(printf '\t')" >&2
jq -r 'select(.phase == "durable desks") | "durable desks, window \(.window): \(.acknowledged_per_s) acknowledged/s, complete p50 \(.complete_p50_ms) ms"' "$W/load.jsonl" >&2
jq -r 'select(.phase == "memory") | "kB per connected client, front and core: \(.kb_per_client)   (aim: <= 40)"' "$W/load.jsonl" >&2
