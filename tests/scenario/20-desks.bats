# What a desk promises, with real brokers and commands that run without an agent: each takes the desk, greets, does its
# verb, sends what it queued, and ends.
load lib
load desks

setup() {
    DIR=$BATS_TEST_TMPDIR/d
    mkdir -p "$DIR"
}
teardown() { end_all; }

arrived() { desk arcadia --json inbox | grep -qF "\"$1\""; }

@test "a message is sent, read, acknowledged and proved by commands alone" {
    desks_init doria
    say --precedence IMMEDIATE >"$DIR/sent"
    number=$(field message number <"$DIR/sent")
    [ "$(field message state <"$DIR/sent")" = recorded ]
    wait_for 10 arrived "$number"
    desk arcadia --json show "$number" | holds 'select(.schema == "hotline.message/1") | .subject == "a test"'
    desk arcadia ack "$number" --position watch-1 --text "at work on it"
    desk borealia --json show "$number" >"$DIR/shown"
    holds 'select(.schema == "hotline.step/1" and .kind == "acknowledged") | .remark == "at work on it"' <"$DIR/shown"
    holds 'select(.schema == "hotline.step/1" and .kind == "delivered")' <"$DIR/shown"
    mkdir "$DIR/receipt"
    desk borealia receipt "$number" --out "$DIR/receipt"
    "$B/hotline-audit" receipt "$DIR/receipt/receipt.tlog-proof" "$DIR/receipt/receipt.entry" "$DIR/receipt/policy.txt" ||
        [ $? = 4 ] # logged; the quorum is witnessed later
}

@test "the exit status says what became of it" {
    desks_init doria
    run say -W 2
    [ "$status" = 7 ] # recorded, not acknowledged in time
    broker_stop "$DIR/doria"
    run say
    [ "$status" = 6 ] # kept on this desk
    [[ "$output" == *queued* ]]
    broker_start "$DIR/doria"
    wait_for 30 nothing_queued # after a start the broker waits for its witnesses before it signs
    run desk borealia send no.such.channel --to arcadia.technical --category incident --marking TLP:AMBER \
        --subject x --position watch-1 --alone
    [ "$status" = 5 ]
    run desk borealia send arcadia-borealia.technical --to arcadia.technical --category incident --marking TLP:NONE \
        --subject x --position watch-1 --alone
    [ "$status" = 5 ]
}

nothing_queued() {
    [ "$(desk borealia --json outbox --all | jq -r 'select(.state == "queued") | .number' | wc -l)" = 0 ]
}

@test "two hosts, one message: it acts once" {
    desks_init doria caldera
    say >"$DIR/sent"
    number=$(field message number <"$DIR/sent")
    wait_for 10 arrived "$number"
    desk arcadia status >/dev/null
    [ "$(desk arcadia --json watch --since 0 -W 1 | jq -r 'select(.what == "message") | .number' | wc -l)" = 1 ]
    desk borealia status >/dev/null
    [ "$(desk borealia --json show "$number" | jq -r 'select(.schema == "hotline.step/1" and .kind == "delivered") | .poc' | wc -l)" = 1 ]
    wait_for 10 recorded_by "$number" 2
}
recorded_by() { [ "$(desk borealia --json show "$1" | jq -r 'select(.schema == "hotline.message/1") | .recorded')" = "$2" ]; }

@test "one host is down: the other takes it; the first has it when it is back" {
    desks_init doria caldera
    broker_stop "$DIR/doria"
    say >"$DIR/sent"
    number=$(field message number <"$DIR/sent")
    [ "$(field host host <"$DIR/sent")" != "" ]
    recorded_by "$number" 1
    broker_start "$DIR/doria"
    wait_for 20 recorded_by "$number" 2
}

@test "a host that comes later is given the party's subkeys by its station" {
    desks_init doria
    broker_start "$DIR/caldera"
    for party in $PARTIES; do desk "$party" host "$DIR/caldera/host.public" >/dev/null; done
    wait_for 20 carried_to_caldera
    [ "$(desk arcadia --json documents --type subkeys --host "$DORIA" | wc -l)" = 4 ] # none was drawn anew
}
carried_to_caldera() {
    desk arcadia status
    desk arcadia --json documents --type subkeys --host "$CALDERA" | holds '.bytes | length > 0'
}

@test "a desk restored from a backup goes on under a new chain" {
    desks_init doria
    say >/dev/null
    cp -r "$DIR/desk/borealia" "$DIR/backup"
    say >/dev/null
    say >"$DIR/third"
    before=$(desk borealia --json show "$(field message number <"$DIR/third")" | field header chain)
    rm -rf "$DIR/desk/borealia"
    cp -r "$DIR/backup" "$DIR/desk/borealia"
    say >"$DIR/fourth"
    number=$(field message number <"$DIR/fourth")
    [ "$number" != "$(field message number <"$DIR/third")" ]
    [ "$(desk borealia --json show "$number" | field header chain)" != "$before" ]
    wait_for 10 arrived "$number"
    desk borealia --json watch --since 0 -W 1 | grep -q 'older than its numbers'
}

@test "a host that does not know the station's key is silent, and status says so" {
    desks_init doria
    X init "$DIR/desk/stranger" arcadia.military --no-passphrase >/dev/null
    H --desk "$DIR/desk/stranger" host "$DIR/doria/host.public" >/dev/null
    "$B/hotline" --desk "$DIR/desk/stranger" agent 2>/dev/null 3>&- &
    echo $! >>"$BATS_TEST_TMPDIR/pids"
    wait_for 20 stranger_is_told
}
stranger_is_told() {
    H --desk "$DIR/desk/stranger" --json status | grep -q 'no answer: broker down or does not know this key'
}

@test "drafted by one, released by another; the drafter alone is refused" {
    desks_init doria
    run desk borealia send arcadia-borealia.technical --to arcadia.technical --category incident \
        --marking TLP:AMBER+STRICT --subject "two persons" --position watch-1
    [ "$status" = 6 ]
    [[ "$output" == *"NOT SENT: WAITING FOR RELEASE"* ]]
    run desk borealia release 1 --position watch-1
    [ "$status" = 5 ]
    desk borealia duty begin watch-2
    desk borealia --json release 1 --position watch-2 >"$DIR/sent"
    number=$(field message number <"$DIR/sent")
    wait_for 10 arrived "$number"
    desk arcadia --json show "$number" | holds 'select(.schema == "hotline.header/1") | .draft_position == "watch-1" and .position == "watch-2"'
    desk borealia retract "$number" --text "sent in error" --position watch-1
    wait_for 10 retracted "$number"
}
retracted() { desk arcadia --json show "$1" | holds 'select(.schema == "hotline.message/1") | .retracted == "unconfirmed"'; }

@test "by hand: what the network does not carry is imported, and acts once when it comes after all" {
    desks_init doria
    broker_stop "$DIR/doria"
    say -W 0 >"$DIR/sent" || [ $? = 6 ]
    number=$(field message number <"$DIR/sent")
    desk borealia export "$number" --out "$DIR/envelope.cbor"
    desk arcadia --json import "$DIR/envelope.cbor" | holds 'select(.schema == "hotline.message/1") | .carried'
    arrived "$number"
    python3 - "$DIR/envelope.cbor" <<'P'
import sys
b = bytearray(open(sys.argv[1], 'rb').read())
b[len(b) // 2] ^= 1
open(sys.argv[1] + '.bad', 'wb').write(b)
P
    run desk arcadia import "$DIR/envelope.cbor.bad"
    [ "$status" = 3 ]
    broker_start "$DIR/doria"
    desk borealia status >/dev/null
    desk arcadia status >/dev/null
    [ "$(desk arcadia --json watch --since 0 -W 1 | jq -r 'select(.what == "message") | .number' | wc -l)" = 1 ]
}
