# Two persons: a draft leaves only with a second position's signature, made in that position's own process; an
# exception is allowed by the agreement, and shown to everybody.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world
    # the same members under an agreement that knows no exception
    sed -e 's/ABCD-ICT-2026/NEVER-ALONE-2026/; s/alone_after_waiting = true/alone_after_waiting = false/' \
        -e 's/arcadia-borealia/never-alone/; s/abcd.information/never-alone.information/' conf/demo/agreement.cfg >"$W/never.cfg"
    world_agreement "$W/never.cfg" never >>"$W/made.log" 2>&1
    # the releaser's key is where the drafter cannot reach it
    mkdir -m 0700 "$W/releaser"
    mv "$W/desk/borealia.technical/keys/watch-2.key" "$W/releaser/"
    world_start arcadia.technical arcadia.diplomatic borealia.technical
}
teardown_file() { world_end; }

# draft CHANNEL OPTIONS...: by watch-1, for ARCADIA; its ordinal
draft() {
    desk borealia.technical --json send "$1" --draft --position watch-1 --category incident --marking TLP:GREEN \
        --to arcadia.technical --info arcadia.diplomatic "${@:2}" >"$W/draft" 2>/dev/null || [ $? = 6 ]
    row draft .draft <"$W/draft"
}
release() { # DRAFT OPTIONS...
    run --separate-stderr desk borealia.technical --json release "$@"
    echo "release: $status $output $stderr"
}
released() { # its number
    row message .number <<<"$output"
}
header_of() { # POC NUMBER FILTER
    desk "$1" --json show "$2" | row header "$3"
}

@test "a draft says NOT SENT: WAITING FOR RELEASE, exits 6, and nothing leaves" {
    run --separate-stderr desk borealia.technical send $CRISIS --draft --position watch-1 --category incident \
        --marking TLP:GREEN --to arcadia.technical -s "a draft only"
    [ "$status" -eq 6 ]
    [[ "$stderr" = *"NOT SENT: WAITING FOR RELEASE"* ]]
    [[ "$stderr" = *"(E-WAITING)"* ]]
    [ "$(desk borealia.technical --json status | row station '"\(.outbox) \(.drafts)"')" = "0 1" ]
    run desk borealia.technical drafts
    [[ "$output" = *"a draft only"* ]]
    [[ "$output" = *watch-1* ]]
    [ "$(desk arcadia.technical --json inbox --all)" = "" ]
}

@test "where two may release, send without --draft waits for the second too" {
    run --separate-stderr desk borealia.technical send $CRISIS --position watch-1 --category incident \
        --marking TLP:GREEN --to arcadia.technical -s "sent by one"
    [ "$status" -eq 6 ]
    [[ "$stderr" = *"NOT SENT: WAITING FOR RELEASE"* ]]
}

@test "the drafter cannot release it alone: E-TWOPERSON, exit 5, the draft stays" {
    local n
    n=$(draft $CRISIS -s "refused to one")
    release "$n" --position watch-1
    [ "$status" -eq 5 ]
    [[ "$stderr" = *"demands release by a second position"* ]]
    [[ "$stderr" = *"(E-TWOPERSON)"* ]]
    desk borealia.technical drafts | grep -q "refused to one"
}

@test "the releaser's key never comes to the desk; its signature does, and readers see both positions" {
    local n number
    n=$(draft $CRISIS -s "two persons")
    run find "$W/desk/borealia.technical" -name 'watch-2*'
    [ "$output" = "" ]
    release "$n" --key "$W/releaser/watch-2.key"
    [ "$status" -eq 0 ]
    number=$(released)
    arrives arcadia.technical "$number"
    [ "$(header_of arcadia.technical "$number" '"\(.draft_position) \(.draft_holder) \(.position) \(.holder)"')" = \
        "watch-1 officer-1 watch-2 officer-2" ]
    is arcadia.technical '.flags == ""' "$number"
    run find "$W/desk/borealia.technical" -name 'watch-2*'
    [ "$output" = "" ]
    ! desk borealia.technical drafts | grep -q "two persons"
}

@test "the second position on duty at the desk may release by name" {
    local n
    cp "$W/releaser/watch-2.key" "$W/desk/borealia.technical/keys/"
    desk borealia.technical duty begin watch-2
    n=$(draft $CRISIS -s "on duty")
    release "$n" --position watch-2
    desk borealia.technical duty end watch-2
    rm -f "$W/desk/borealia.technical/keys/watch-2.key"
    [ "$status" -eq 0 ]
    arrives arcadia.technical "$(released)"
}

@test "released alone after waiting: allowed, and every reader is told" {
    local n number
    n=$(draft $CRISIS -s "alone")
    release "$n" --position watch-1 --alone
    [ "$status" -eq 0 ]
    number=$(released)
    for poc in arcadia.technical arcadia.diplomatic borealia.technical; do
        arrives $poc "$number"
        is $poc '.flags == "released-alone"' "$number"
        run desk $poc show "$number"
        echo "$output"
        [[ "$output" = *"RELEASED ALONE"* ]]
    done
}

@test "break-glass: at once, and every reader is told" {
    local n number
    n=$(draft $CRISIS -s "glass")
    release "$n" --key "$W/releaser/watch-2.key" --break-glass
    [ "$status" -eq 0 ]
    number=$(released)
    arrives arcadia.technical "$number"
    is arcadia.technical '.flags == "break-glass"' "$number"
    run desk arcadia.technical show "$number"
    [[ "$output" = *"BREAK-GLASS"* ]]
}

@test "an agreement that knows no exception refuses it by its name, exit 5" {
    local n
    n=$(draft never-alone.crisis -s "never alone")
    for how in --alone --break-glass; do
        release "$n" --position watch-1 $how
        [ "$status" -eq 5 ]
        [[ "$stderr" = *"NEVER-ALONE-2026 never lets one position of borealia.technical release alone"* ]]
        [[ "$stderr" = *"(E-TWOPERSON)"* ]]
    done
    release "$n" --key "$W/releaser/watch-2.key"
    [ "$status" -eq 0 ]
    arrives arcadia.technical "$(released)" never-alone.crisis
}

@test "a key that may not release, one of another PoC, one of the other realm: nothing is signed" {
    local n
    n=$(draft $CRISIS -s "wrong keys")
    release "$n" --key "$W/desk/borealia.diplomatic/keys/watch-1.key"
    [ "$status" -eq 8 ]
    release "$n" --key "$W/desk/arcadia.technical/keys/watch-1.key"
    [ "$status" -eq 8 ]
    hotline --realm live init "$W/live" borealia.technical --no-passphrase
    hotline --desk "$W/live" position watch-2 --holder officer-2 --permissions release --no-passphrase
    release "$n" --key "$W/live/keys/watch-2.key"
    [ "$status" -eq 5 ]
    [[ "$stderr" = *"(E-REALM)"* ]]
    desk borealia.technical drafts | grep -q "wrong keys"
}

@test "the drafter's own signature as the second is refused, whatever key file it comes from" {
    local n
    n=$(draft $CRISIS -s "one holder")
    release "$n" --key "$W/desk/borealia.technical/keys/watch-1.key"
    [ "$status" -eq 5 ]
    [[ "$stderr" = *"(E-TWOPERSON)"* ]]
}
