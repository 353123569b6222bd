# A party takes away at once, everywhere, from the next message on: a position key, a station's transport key, an
# agreement; a later card gives back.  No host and no other party can prevent it, and everybody sees it.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world
    world_start arcadia.technical borealia.technical borealia.diplomatic caldera.technical
}
teardown_file() { world_end; }

key_of() { # POC POSITION: from its lines for the card
    sed -n "s/^key \([^ ]*\) [^ ]* [^ ]* $2\$/\1/p" "$W/desk/$1/poc.public"
}
submit() { # POC NOTE
    desk "$1" --json submit "$2" -W 10 | row document .state | sort -u
}
everywhere() { # TYPE N POC..: does each desk hold N documents of that type from both hosts?
    local poc
    for poc in "${@:3}"; do
        [ "$(desk "$poc" --json documents --type "$1" --host $DORIA | row document .index | wc -l)" = "$2" ] || return 1
        [ "$(desk "$poc" --json documents --type "$1" --host $CALDERA | row document .index | wc -l)" = "$2" ] || return 1
    done
}
sends() { # POC CHANNEL TO
    run --separate-stderr desk "$1" --json send "$2" --category incident --marking TLP:GREEN --to "$3" -s x
    echo "send: $status $output $stderr"
}

@test "a stopped position key signs nothing more, and every desk knows" {
    sends arcadia.technical $CRISIS borealia.technical
    [ "$status" -eq 0 ]
    hotline --realm exercise stop key "$(key_of arcadia.technical watch-1)" --party "$W/party/arcadia" \
        --reason "lost at the airport" --out "$W/stop-key.note"
    # by whom it is brought does not matter
    [ "$(submit caldera.technical "$W/stop-key.note")" = recorded ]
    wait_for 10 everywhere stop 1 arcadia.technical borealia.technical caldera.technical
    sends arcadia.technical $CRISIS borealia.technical
    [ "$status" -eq 8 ]
    [[ "$stderr" = *"(E-STOPPED)"* ]]
    run --separate-stderr desk arcadia.technical retract "ARCADIA 1-3" $CRISIS
    [ "$status" -eq 8 ]
}

@test "an envelope that the stopped key signed is refused wherever it is brought" {
    # a thief has the desk of before the stop: its agent does not know, the brokers do
    local number
    number=$(desk borealia.technical --json send $CRISIS --category incident --marking TLP:GREEN --to arcadia.technical \
        -s "by a thief" --draft --position watch-1 2>/dev/null | row draft .draft)
    cp -r "$W/desk/borealia.technical" "$W/thief" # the copy has no socket and no lock
    rm -f "$W/thief/agent.sock" "$W/thief/desk.lock"
    hotline --realm exercise stop key "$(key_of borealia.technical watch-2)" --party "$W/party/borealia" --out "$W/stop-2.note"
    [ "$(submit borealia.technical "$W/stop-2.note")" = recorded ]
    wait_for 10 everywhere stop 2 arcadia.technical borealia.technical caldera.technical
    # it seals offline: no broker tells it
    sed -i 's#tcp://127.0.0.1:[0-9]*#tcp://127.0.0.1:9#' "$W/thief/hotline.conf"
    run --separate-stderr hotline --desk "$W/thief" --json release "$number" --position watch-2 -W 0
    echo "thief: $status $output $stderr"
    [ "$status" -eq 6 ]
    number=$(row message .number <<<"$output")
    hotline --desk "$W/thief" export "$(row message .mid <<<"$output")" --out "$W/thief.cbor"
    run --separate-stderr desk arcadia.technical import "$W/thief.cbor"
    echo "import: $status $stderr"
    [ "$status" -eq 8 ]
    [[ "$stderr" = *"(E-STOPPED)"* ]]
    run ! has arcadia.technical "$number" $CRISIS
    # nor do the brokers take it, when it comes there; the station that was copied goes on
    cp "$W/desk/borealia.technical/hotline.conf" "$W/thief/hotline.conf"
    hotline --desk "$W/thief" status >/dev/null
    run hotline --desk "$W/thief" --json show "$number" $CRISIS
    [ "$(row message '"\(.state) \(.sentence)"' <<<"$output" | cut -d' ' -f1)" = refused ]
    number=$(send_text caldera.technical $COMMON --to borealia.technical -s "to the station")
    wait_for 30 has borealia.technical "$number" $COMMON
}

@test "a later card that lists the key lifts the stop" {
    local poc
    world_card arcadia
    [ "$(submit arcadia.technical "$W/party/arcadia/card.note")" = recorded ]
    for poc in arcadia.technical borealia.technical; do wait_for 10 everywhere card 5 $poc; done
    sends arcadia.technical $CRISIS borealia.technical
    [ "$status" -eq 0 ]
    arrives borealia.technical "$(row message .number <<<"$output")" $CRISIS
}

@test "a party suspends an agreement with one officer's key: nothing passes from or to it; a card resumes it" {
    local digest
    digest=$(desk arcadia.technical --json agreement list | row agreement .digest)
    hotline --realm exercise stop agreement "$digest" --key "$W/desk/arcadia.technical/keys/watch-1.key" \
        --card "$W/party/arcadia/card.note" --out "$W/stop-agreement.note"
    [ "$(submit arcadia.technical "$W/stop-agreement.note")" = recorded ]
    wait_for 10 everywhere stop 3 arcadia.technical borealia.diplomatic caldera.technical
    sends arcadia.technical $CRISIS borealia.technical
    [ "$status" -eq 8 ]
    [[ "$stderr" = *"(E-STOPPED)"* ]]
    sends caldera.technical $COMMON arcadia.technical
    [ "$status" -eq 8 ]
    [ "$(desk borealia.diplomatic --json agreement list | row agreement '"\(.state) \(.suspended)"')" = "in-force arcadia" ]
    sends caldera.technical $COMMON borealia.technical # among the others it goes on
    [ "$status" -eq 0 ]
    world_card arcadia --resume "$digest"
    [ "$(submit arcadia.technical "$W/party/arcadia/card.note")" = recorded ]
    wait_for 10 everywhere card 6 caldera.technical arcadia.technical
    sends caldera.technical $COMMON arcadia.technical
    [ "$status" -eq 0 ]
    arrives arcadia.technical "$(row message .number <<<"$output")" $COMMON
}

@test "who may not stop, stops nothing: another party, a key without the permission" {
    hotline --realm exercise stop key "$(key_of arcadia.technical watch-1)" --key "$W/desk/borealia.technical/keys/watch-1.key" \
        --card "$W/party/borealia/card.note" --out "$W/wrong.note"
    run --separate-stderr desk borealia.technical submit "$W/wrong.note" -W 10
    echo "$status $output $stderr"
    [ "$status" -ne 0 ]
    [[ "$stderr" = *"(E-"* ]]
    everywhere stop 3 arcadia.technical
    sends arcadia.technical $CRISIS borealia.technical
    [ "$status" -eq 0 ]
}

@test "a revoked transport key is muted while it is connected: it gets nothing more and hears nothing" {
    local number transport
    transport=$(sed -n 's/^transport //p' "$W/desk/borealia.diplomatic/poc.public")
    number=$(send_text arcadia.technical $CRISIS --to borealia.diplomatic -s "before")
    arrives borealia.diplomatic "$number" $CRISIS
    # the office gets a new station key, the old one is revoked
    hotline --realm exercise init "$W/new-station" borealia.diplomatic --no-passphrase
    { sed -n '/^poc/p' "$W/desk/borealia.diplomatic/poc.public"; sed -n '/^transport/p' "$W/new-station/poc.public"
      sed -n '/^key/p' "$W/desk/borealia.diplomatic/poc.public"; } >"$W/poc.public"
    hotline --realm exercise party card "$W/party/borealia" --poc "$W/poc.public" --revoke "$transport"
    [ "$(submit borealia.technical "$W/party/borealia/card.note")" = recorded ]
    wait_for 10 everywhere card 7 arcadia.technical borealia.technical
    wait_for 5 broker_is "$W/host/doria" '.keys_in_effect // false'
    number=$(send_text arcadia.technical $CRISIS --to borealia.diplomatic --to borealia.technical -s "after")
    arrives borealia.technical "$number" $CRISIS
    wait_for 5 step_of arcadia.technical delivered borealia.technical "$number" $CRISIS
    run desk borealia.diplomatic --json ping -W 2
    echo "muted: $status $output"
    [ "$status" -eq 6 ]
    run ! has borealia.diplomatic "$number" $CRISIS
    run ! step_of arcadia.technical delivered borealia.diplomatic "$number" $CRISIS
    muted() { [ "$(broker_says "$W/host/$1" .muted_frames)" -ge 1 ]; }
    muted doria
    muted caldera
}
