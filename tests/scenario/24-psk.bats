# A pre-shared key brought by courier: two halves, the same check value at each desk, messages sealed with it; a member
# without it cannot read, and the sender learns that.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    sed -e 's/^psk .*/psk = "required";/' conf/demo/agreement.cfg >"$W/psk.cfg"
    world "$W/psk.cfg"
    mkdir -m 0700 "$W/courier-1" "$W/courier-2"
    hotline --realm exercise psk half "$W/courier-1/half.key" --name common-1a --no-passphrase >>"$W/made.log" 2>&1
    hotline --realm exercise psk half "$W/courier-2/half.key" --name common-1b --no-passphrase >>"$W/made.log" 2>&1
    hotline --realm exercise psk half "$W/courier-2/other.key" --name other --no-passphrase >>"$W/made.log" 2>&1
    world_start arcadia.technical borealia.technical caldera.technical
}
teardown_file() { world_end; }

combine() { # POC HALF-A HALF-B OPTIONS...
    desk "$1" --json psk combine "${@:2}" | row psk .check
}
common() { # POC OPTIONS...: to both others
    desk arcadia.technical --json send $COMMON --category incident --marking TLP:GREEN --to borealia.technical \
        --to caldera.technical "$@"
}

@test "without it nothing leaves: E-PSK, exit 5" {
    run --separate-stderr common -s "too early"
    [ "$status" -eq 5 ]
    [[ "$stderr" = *"demands a pre-shared key"* ]]
    [[ "$stderr" = *"(E-PSK)"* ]]
}

@test "two desks combine the same halves, in either order, and read the same eight digits" {
    local a b
    a=$(combine arcadia.technical "$W/courier-1/half.key" "$W/courier-2/half.key" --channel $COMMON --epoch 1)
    [[ "$a" =~ ^[0-9]{8}$ ]]
    # paths as typed, relative to where the officer stands, not to where the agent was started
    cd "$W/courier-2"
    b=$("$B/hotline" --no-input --desk "$W/desk/borealia.technical" --json psk combine half.key ../courier-1/half.key \
        --channel $COMMON --epoch 1 | row psk .check)
    [ "$a" = "$b" ]
    [ "$(desk borealia.technical --json psk list | row psk '"\(.channel) \(.epoch) \(.check)"')" = "$COMMON 1 $a" ]
}

@test "a wrong half shows another check value; the channel, the epoch and the same half twice are judged" {
    local good
    good=$(desk arcadia.technical --json psk list | row psk .check)
    run combine caldera.technical "$W/courier-1/half.key" "$W/courier-2/other.key" --channel abcd.information --epoch 7
    [[ "$output" =~ ^[0-9]{8}$ ]]
    [ "$output" != "$good" ]
    run --separate-stderr desk caldera.technical psk combine "$W/courier-1/half.key" "$W/courier-1/half.key" --channel $COMMON --epoch 8
    [ "$status" -ne 0 ]
    run --separate-stderr desk caldera.technical psk combine "$W/courier-1/half.key" "$W/courier-2/half.key" --channel nowhere.crisis --epoch 1
    [ "$status" -eq 5 ]
    run --separate-stderr desk arcadia.technical psk combine "$W/courier-1/half.key" "$W/courier-2/other.key" --channel $COMMON --epoch 1
    echo "$status $stderr"
    [ "$status" -ne 0 ] # what is used is not silently replaced
    [ "$(desk arcadia.technical --json psk list | row psk .check)" = "$good" ]
}

@test "sealed with it: who has it reads, who has it not cannot, and the sender learns which and why" {
    local number
    run --separate-stderr common -s "with the courier's key"
    echo "$stderr"
    [ "$status" -eq 0 ]
    number=$(row message .number <<<"$output")
    arrives borealia.technical "$number" $COMMON
    [ "$(desk borealia.technical --json show "$number" $COMMON | row message .subject)" = "with the courier's key" ]
    [ "$(desk borealia.technical --json show "$number" $COMMON | row header .psk)" = true ]
    arrives caldera.technical "$number" $COMMON
    [ "$(desk caldera.technical --json show "$number" $COMMON | row message '"\(.state) \(.subject)"')" = "cannot-read " ]
    run desk caldera.technical show "$number" $COMMON
    [ "$status" -eq 0 ]
    [[ "$output" = *"cannot be read here"*"pre-shared key"* ]]
    wait_for 10 step_of arcadia.technical cannot-read caldera.technical "$number" $COMMON
    [ "$(desk arcadia.technical --json show "$number" $COMMON | row step 'select(.kind == "cannot-read") | .code')" = 47 ]
    desk arcadia.technical --json watch --since 0 -W 0 | row event 'select(.what == "step" and .kind == "cannot-read") | .poc' | grep -qx caldera.technical
    wait_for 10 step_of arcadia.technical delivered borealia.technical "$number" $COMMON
}

@test "once the courier has reached it, it reads the next message" {
    local number
    [ "$(combine caldera.technical "$W/courier-1/half.key" "$W/courier-2/half.key" --channel $COMMON --epoch 1)" = \
        "$(desk arcadia.technical --json psk list | row psk .check)" ]
    number=$(common -s "for all three" | row message .number)
    for reader in borealia.technical caldera.technical; do
        arrives $reader "$number" $COMMON
        [ "$(desk $reader --json show "$number" $COMMON | row message .subject)" = "for all three" ]
    done
}

@test "a half that others may read is refused, naming chmod" {
    cp "$W/courier-1/half.key" "$W/courier-1/open.key"
    chmod 0644 "$W/courier-1/open.key"
    run --separate-stderr desk arcadia.technical psk combine "$W/courier-1/open.key" "$W/courier-2/half.key" --channel $COMMON --epoch 3
    [ "$status" -eq 8 ]
    [[ "$stderr" = *chmod* ]]
}
