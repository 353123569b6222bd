# A real broker for the scenarios: a folder, a free port, every process ended by its id, bounded time.
# shellcheck shell=bash
BUILD=${BUILD:-build}
B=$PWD/$BUILD

# broker_init DIR [LISTEN]: a broker of the exercise realm, with the town's documents
broker_init() {
    "$B/hotlined" init "$1" --realm exercise --origin d.example/exercise/p0/1 \
        --listen "${2:-tcp://127.0.0.1:$(free_port)}" --no-passphrase >/dev/null
    "$B/tests/bench/load" --dir "$1" --pairs 2 setup
}

free_port() {
    python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
    local left=$(($1 * 60)) # a busy machine is not a failure
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || { echo "gave up waiting for: $*" >&2; return 1; }
        sleep 0.05
    done
}

# says TEXT FILE [TIMES]: does the file hold that text (so often)?
says() {
    [ "$(grep -cF -- "$1" "$2")" -ge "${3:-1}" ]
}

# fails COMMAND...: what `!` says, where bats sees it
fails() {
    if "$@"; then
        echo "this should have failed: $*" >&2
        return 1
    fi
}

# broker_start DIR: runs until broker_stop; its words are in DIR/words
broker_start() {
    : >>"$1/words"
    local before
    before=$(grep -c 'hotlined: ready' "$1/words" || true)
    "$B/hotlined" -c "$1/hotlined.conf" >/dev/null 2>>"$1/words" 3>&- &
    echo $! >"$1/pid"
    echo $! >>"$BATS_TEST_TMPDIR/pids"
    wait_for 20 says 'hotlined: ready' "$1/words" $((before + 1)) || { cat "$1/words" >&2; return 1; }
}

# broker_stop DIR [SIGNAL]: waits for its end; its exit status
broker_stop() {
    local pid
    pid=$(cat "$1/pid")
    kill "-${2:-TERM}" "$pid"
    wait "$pid"
}

# broker_role DIR ROLE: the process id of core, front, signer or publisher
broker_role() {
    pgrep -P "$(cat "$1/pid")" -x "$2"
}

# broker_says DIR FILTER: of the status, broker's and front's in one object
broker_says() {
    "$B/hotlined" status -c "$1/hotlined.conf" | jq -s 'add' | jq -r "$2"
}
broker_is() { # DIR FILTER: is it true?
    [ "$(broker_says "$1" "$2")" = true ]
}

# broker_published DIR: all that is recorded is published
broker_published() {
    [ "$(sed -n 2p "$1/public/checkpoint")" = "$(broker_says "$1" .head.size)" ]
}

# background NAME COMMAND...: its output in $BATS_TEST_TMPDIR/NAME.{out,err}; wait with finish NAME
background() {
    local name=$1
    shift
    "$@" >"$BATS_TEST_TMPDIR/$name.out" 2>"$BATS_TEST_TMPDIR/$name.err" 3>&- &
    echo $! >"$BATS_TEST_TMPDIR/$name.pid"
    echo $! >>"$BATS_TEST_TMPDIR/pids"
}
finish() {
    wait "$(cat "$BATS_TEST_TMPDIR/$1.pid")" || {
        local rc=$?
        cat "$BATS_TEST_TMPDIR/$1.out" "$BATS_TEST_TMPDIR/$1.err" >&2
        return $rc
    }
}

# end NAME: a background command, before its time
end() {
    kill -TERM "$(cat "$BATS_TEST_TMPDIR/$1.pid")"
    wait "$(cat "$BATS_TEST_TMPDIR/$1.pid")" || true
}

# courier DIR POC PEER ARGUMENTS...: for the background only; its desk is in $DESKS, or in DIR
courier() {
    local desks=${DESKS:-$1}
    exec "$B/tests/hostile/courier" --dir "$1" --poc "$2" --peer "$3" --state "$desks/desk-$2" --peer-state "$desks/desk-$3" "${@:4}"
}
# couriers DIR ARGUMENTS...: PoCs 0 and 1 write to each other; wait with couriers_finish
couriers() {
    rm -f "${DESKS:-$1}"/desk-[01]/done
    background courier-0 courier "$1" 0 1 "${@:2}"
    background courier-1 courier "$1" 1 0 "${@:2}"
}
couriers_finish() {
    finish courier-0 && finish courier-1
}

# end_all: for teardown; only what this test started
end_all() {
    local pid
    [ -e "$BATS_TEST_TMPDIR/pids" ] || return 0
    while read -r pid; do
        kill -CONT "$pid" 2>/dev/null
        kill -TERM "$pid" 2>/dev/null
    done <"$BATS_TEST_TMPDIR/pids"
    while read -r pid; do
        wait "$pid" 2>/dev/null
    done <"$BATS_TEST_TMPDIR/pids"
    return 0
}
