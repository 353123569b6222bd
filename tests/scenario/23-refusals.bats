# What the agreement does not allow is refused at the desk, by a stable code and a sentence that names what and what to
# do, with the exit status of the table; a refused message takes no number.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world
    # an agreement that DORIA has not signed, and one that demands a pre-shared key
    sed -e 's/ABCD-ICT-2026/UNSIGNED-2026/; s/arcadia-borealia/unsigned/; s/abcd.information/unsigned.information/' \
        conf/demo/agreement.cfg >"$W/unsigned.cfg"
    world_agreement "$W/unsigned.cfg" unsigned >>"$W/made.log" 2>&1
    rm "$W"/host/*/documents/2-unsigned-doria.note
    sed -e 's/ABCD-ICT-2026/COURIER-2026/; s/arcadia-borealia/courier/; s/abcd.information/courier.information/' \
        -e 's/^psk .*/psk = "required";/' conf/demo/agreement.cfg >"$W/courier.cfg"
    world_agreement "$W/courier.cfg" courier >>"$W/made.log" 2>&1
    head -c 5000 /dev/zero | tr '\0' x >"$W/5000"
    head -c 1000001 /dev/zero | tr '\0' x >"$W/1000001"
    head -c 1100000 /dev/zero | tr '\0' x >"$W/1100000"
    head -c 40000 /dev/zero | tr '\0' x >"$W/40000"
    printf '\377\376' >"$W/not-utf8"
    echo "a line" >"$W/line"
    host_start doria caldera
    agent_start arcadia.technical borealia.technical
    for poc in arcadia.technical borealia.technical; do
        wait_for 20 ready $poc
        world_duty $poc
    done
}
teardown_file() { world_end; }

ready() { # one agreement is in force, one is not; both desks announced subkeys
    [ "$(desk "$1" --json agreement list | jq -r .state | sort -u | tr '\n' ' ')" = "E-FORCE in-force " ] &&
        [ "$(desk "$1" --json contacts | jq -r 'select((.subkeys_last_day | numbers) > 0) | .poc' | wc -l)" -ge 2 ]
}

# refused STATUS NAME SENTENCE -- OPTIONS OF send...
refused() {
    local want=$1 name=$2 sentence=$3
    shift 4
    run --separate-stderr desk arcadia.technical --json send "$@"
    echo "send $*"
    echo "$status: $output $stderr"
    [ "$status" -eq "$want" ]
    [[ "$stderr" = *"$sentence"* ]]
    [[ "$stderr" = *"($name)"* ]]
    [ "$output" = "" ]
}
L="--category incident --marking TLP:GREEN -s x"

@test "members, channels, force" {
    refused 5 E-MEMBER "caldera.technical" -- $CRISIS $L --to caldera.technical
    refused 5 E-MEMBER "nobody.technical" -- $CRISIS $L --to nobody.technical
    refused 5 E-CHANNEL "no agreement known here has this channel" -- arcadia-doria.crisis $L --to borealia.technical
    refused 5 E-FORCE "not in force" -- unsigned.crisis $L --to borealia.technical
}

@test "category and marking, by their names" {
    refused 5 E-CATEGORY 'category "gossip" is not in ABCD-ICT-2026' -- $CRISIS --category gossip --marking TLP:GREEN -s x --to borealia.technical
    refused 5 E-MARKING 'marking "SECRET" is not in ABCD-ICT-2026' -- $CRISIS --category incident --marking SECRET -s x --to borealia.technical
    refused 5 E-CATEGORY 'category "" is not in ABCD-ICT-2026' -- $CRISIS --marking TLP:GREEN -s x --to borealia.technical
    refused 5 E-KIND "does not seal category and marking" -- $CRISIS $L --seal-labels --to borealia.technical
}

@test "a FLASH is bare" {
    refused 5 E-FLASH "FLASH" -- $CRISIS $L -p FLASH --to borealia.technical --attach "$W/line"
    refused 5 E-FLASH "at most 4 KiB" -- $CRISIS $L -p FLASH --to borealia.technical -t "$W/5000"
}

@test "attachments: size, type; texts: size, encoding" {
    refused 5 E-ATTACHMENT "at most 1000000" -- $CRISIS $L --to borealia.technical --attach "$W/1000001"
    refused 5 E-ATTACHMENT "application/x-msdownload" -- $CRISIS $L --to borealia.technical --attach "$W/line" --attach-type application/x-msdownload
    refused 5 E-TOOBIG "larger than its limit" -- $CRISIS $L --to borealia.technical --attach "$W/1100000"
    refused 2 E-USAGE "is not plain UTF-8 text" -- $CRISIS $L --to borealia.technical -t "$W/not-utf8"
}

@test "no reader announced a key to seal to; a pre-shared key is demanded and not there" {
    refused 8 E-SUBKEY "borealia.diplomatic has announced no subkeys" -- $CRISIS $L --to borealia.diplomatic
    refused 5 E-PSK "pre-shared key" -- courier.crisis $L --to borealia.technical
}

@test "references and targets that are not there" {
    refused 1 E-NOENT "BOREALIA 7-6" -- $CRISIS $L --to borealia.technical --ref "BOREALIA 7-6"
    refused 2 E-USAGE "check digit does not fit" -- $CRISIS $L --to borealia.technical --ref "BOREALIA 7-7"
}

@test "a key that stands in no card, a key without the permission" {
    desk arcadia.technical position night-1 --holder officer-9 --permissions draft,release --no-passphrase
    desk arcadia.technical --json send $CRISIS $L --to borealia.technical --draft --position watch-1 >"$W/draft" || [ $? = 6 ]
    run --separate-stderr desk arcadia.technical release "$(row draft .draft <"$W/draft")" --key "$W/desk/arcadia.technical/keys/night-1.key"
    echo "$status: $output $stderr"
    [ "$status" -eq 8 ]
    [[ "$stderr" = *"(E-KEY)"* ]]
    run --separate-stderr desk arcadia.technical release "$(row draft .draft <"$W/draft")" --key "$W/desk/arcadia.diplomatic/keys/watch-1.key"
    [ "$status" -eq 8 ]
    run --separate-stderr desk arcadia.technical release "$(row draft .draft <"$W/draft")" --key "$W/no-such.key"
    [ "$status" -eq 8 ]
    [[ "$stderr" = *"(E-NOKEY)"* ]]
    run --separate-stderr desk arcadia.technical release "$(row draft .draft <"$W/draft")" --position watch-9
    [ "$status" -eq 8 ]
    [[ "$stderr" = *"not on duty"* ]]
}

@test "what was refused took no number: the first message is number 1" {
    run desk arcadia.technical --json outbox --all
    [ "$output" = "" ]
    [ "$(send_text arcadia.technical $CRISIS --to borealia.technical -s "the first")" = "ARCADIA 1-3" ]
    arrives borealia.technical "ARCADIA 1-3"
}

@test "steps are refused the same way: what is ours, unknown, or typed wrongly" {
    run --separate-stderr desk arcadia.technical ack "ARCADIA 1-3" $CRISIS
    [ "$status" -eq 5 ]
    [[ "$stderr" = *"(E-TARGET)"* ]]
    run --separate-stderr desk borealia.technical ack "ARCADIA 2-1" $CRISIS --position watch-1
    [ "$status" -eq 1 ]
    [[ "$stderr" = *"ARCADIA 2-1: not found"* ]]
    run --separate-stderr desk borealia.technical ack "ARCADIA 1-4" $CRISIS --position watch-1
    [ "$status" -eq 2 ]
    [[ "$stderr" = *"check digit"* ]]
    run --separate-stderr desk borealia.technical ack "ARCADIA 1-3" $CRISIS --position watch-1 --typed 7-6
    [ "$status" -eq 2 ]
    [[ "$stderr" = *"not the number of this message"* ]]
    run --separate-stderr desk borealia.technical ack "ARCADIA 1-3" $CRISIS
    [ "$status" -eq 8 ] # two positions on duty may: it asks which
    [[ "$stderr" = *"name one with --position"* ]]
}
