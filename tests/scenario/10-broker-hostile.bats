# Promise 10: hostile bytes do nothing.  Strangers at their work while couriers go on writing to each other.
load lib

setup() {
    DIR=$BATS_TEST_TMPDIR/b
    broker_init "$DIR"
}
teardown() { end_all; }

stranger() { # POC WAY ARGUMENTS...
    "$B/tests/hostile/stranger" --dir "$DIR" --poc "$@"
}
processes() {
    for role in core front signer publisher; do broker_role "$DIR" $role; done
}
memory_kb() { # of a role
    awk '/^VmRSS/ { print $2 }' "/proc/$(broker_role "$DIR" "$1")/status"
}

# strangers COUNT WAY...: at once, each with a key that the broker knows and with one that it does not
strangers() {
    local count=$1 poc=4 way
    shift
    for way in "$@"; do
        background "$way-known" stranger $poc --count "$count" --seconds 2 "$way"
        background "$way-unknown" stranger $poc --unknown --count "$count" --seconds 2 "$way"
        poc=$((poc + 1))
    done
    for way in "$@"; do
        finish "$way-known"
        finish "$way-unknown"
    done
}

@test "garbage of every sort while honest traffic runs: it arrives, the operator sees what happened, nothing else changes" {
    broker_start "$DIR"
    before=$(processes)
    couriers "$DIR" --rate 20 --until "$DIR/enough" --seconds 60
    strangers 300 random mutate multipart oversize
    strangers 50 early realm window chunks uploads
    strangers 200 flood unread sessions
    strangers 100 loris handshake connects
    touch "$DIR/enough"
    couriers_finish
    [ "$(cat "$BATS_TEST_TMPDIR"/courier-?.out | jq -s 'map(.failures + .refusals) | add')" = 0 ]
    [ "$before" = "$(processes)" ]
    wait_for 5 broker_published "$DIR"
    python3 tests/scenario/check_log.py "$DIR" "$DIR/desk-0" "$DIR/desk-1"
    for counter in .counters.malformed .counters.refused .refused_handshakes .malformed_messages .undelivered_frames; do
        broker_is "$DIR" "$counter > 0"
    done
    broker_is "$DIR" '.sessions < 100'
    [ "${SAN:-0}" = 1 ] || [ "$(memory_kb core)" -lt 98304 ]
    [ "${SAN:-0}" = 1 ] || [ "$(memory_kb front)" -lt 65536 ]
    broker_stop "$DIR"
}

@test "a transport key that no card lists: silence to it, a counter to the operator" {
    broker_start "$DIR"
    stranger 4 --unknown early
    wait_for 3 broker_is "$DIR" '.refused_handshakes > 0'
    broker_is "$DIR" '.sessions == 0 and .frames == 0'
}

@test "strangers that hold more connections than the soft limit of descriptors: others still connect" {
    (ulimit -Sn 128 && broker_start "$DIR")
    background loris stranger 4 --unknown --count 300 --seconds 3 loris
    sleep 1
    stranger 5 realm
    finish loris
}

@test "SIGHUP takes a new card: the old transport key is mute on its live session, the new one is admitted" {
    broker_start "$DIR"
    background courier-0 courier "$DIR" 0 1 --rate 20 --until "$DIR/enough" --seconds 40
    background courier-1 courier "$DIR" 1 0 --rate 20 --until "$DIR/enough" --seconds 40
    wait_for 10 broker_is "$DIR" '.head.size > 20'
    "$B/tests/hostile/herald" --dir "$DIR" --poc 1 --transport second
    kill -HUP "$(cat "$DIR/pid")"
    wait_for 10 broker_is "$DIR" '.muted_frames > 0 and .documents == 11'
    end courier-1
    background courier-1 courier "$DIR" 1 0 --transport second --rate 20 --until "$DIR/enough" --seconds 30
    wait_for 10 broker_is "$DIR" '.stations == 2'
    touch "$DIR/enough"
    couriers_finish
    wait_for 5 broker_published "$DIR"
    python3 tests/scenario/check_log.py "$DIR" "$DIR/desk-0" "$DIR/desk-1"
    stranger 1 --unknown early
}

@test "a peer that asks for everything and never reads: its mail waits, and comes to the one that does" {
    broker_start "$DIR"
    background unread stranger 2 --seconds 3 unread
    wait_for 3 broker_is "$DIR" '.stations == 1'
    background mail courier "$DIR" 3 2 --messages 20 --rate 100 --alone 0
    finish mail
    broker_is "$DIR" '[.mailboxes[] | select(.poc == "p0.o2") | .messages] == [20]'
    background reader courier "$DIR" 2 3 --messages 1 --alone 20
    finish reader
    broker_is "$DIR" '.mailboxes | map(.poc) == ["p0.o3"]'
    finish unread
}
