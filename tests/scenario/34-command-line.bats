# The command line keeps its word: JSON that parses with schema and realm on every row of every command, help and version
# on standard output, unknown words answered by the nearest, no colours in pipes.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world
    world_start arcadia.technical borealia.technical caldera.technical
    echo "a line" >"$W/line"
    send_text arcadia.technical $CRISIS --to borealia.technical -s "for the list" --attach "$W/line" -t "$W/line" >"$W/number"
    wait_for 10 has borealia.technical "$(cat "$W/number")" $CRISIS
    desk borealia.technical ack "$(cat "$W/number")" $CRISIS --position watch-1 >/dev/null 2>&1
    desk borealia.technical send $CRISIS --category incident --marking TLP:GREEN --to arcadia.technical -s draft --draft \
        --position watch-1 >/dev/null 2>&1 || [ $? = 6 ]
    hotline --realm exercise psk half "$W/half-a" --no-passphrase >/dev/null 2>&1
    hotline --realm exercise psk half "$W/half-b" --no-passphrase >/dev/null 2>&1
    grep -o '^    { "[a-z ]*", "[a-z -]*", ' client/commands.c | cut -d'"' -f4 >"$W/commands"
}
teardown_file() { world_end; }

# json SCHEMAS COMMAND...: every line is one object with schema and realm, no key twice, and these schemas are there
json() {
    local want=$1
    shift
    run --separate-stderr "$@"
    echo "$status: $* -> $output $stderr"
    [ "$status" -eq 0 ] || [ "$status" -eq 6 ]
    python3 -c '
import json, sys
def once(pairs):
    keys = [k for k, _ in pairs]
    assert len(keys) == len(set(keys)), keys
    return dict(pairs)
seen = set()
for line in sys.stdin:
    if not line.strip(): continue
    o = json.loads(line, object_pairs_hook=once)
    assert o["realm"] == "exercise", o
    assert o["schema"].startswith("hotline.") and o["schema"].endswith("/1"), o
    seen.add(o["schema"][8:-2])
missing = set(sys.argv[1].split()) - seen
assert not missing, (missing, seen)
' "$want" <<<"$output"
    [[ "$output" != *$'\e'* ]]
}

@test "--json of every command that prints rows: valid, with schema and realm, no key twice" {
    local n c=$CRISIS
    n=$(cat "$W/number")
    json message desk borealia.technical --json inbox --all
    json message desk arcadia.technical --json outbox --all
    json "message header recipient field step host" desk arcadia.technical --json show "$n" $c
    json "message header recipient field host" desk borealia.technical --json show "$n" $c
    json message desk borealia.technical --json thread "$n" $c
    json step desk borealia.technical --json understood "$n" $c --position watch-1
    json step desk borealia.technical --json passed "$n" $c --position watch-1
    json draft desk borealia.technical --json drafts
    json "message host" desk borealia.technical --json release 1 --position watch-2
    json "message host" desk arcadia.technical --json retract "$n" $c
    json event desk arcadia.technical --json watch --since 0 -W 0
    json "station host duty" desk arcadia.technical --json status
    json contact desk arcadia.technical --json contacts
    json ping desk arcadia.technical --json ping
    json party desk arcadia.technical --json party list
    json agreement desk arcadia.technical --json agreement list
    json agreement desk arcadia.technical --json agreement show ABCD-ICT-2026
    json document desk arcadia.technical --json documents
    json document desk arcadia.technical --json subkeys announce
    json psk desk arcadia.technical --json psk combine "$W/half-a" "$W/half-b" --channel $TECHNICAL --epoch 1
    json psk desk arcadia.technical --json psk list
    json receipt desk arcadia.technical --json receipt "$n" $c
    json envelope desk arcadia.technical --json export "$n" $c
    json attachment desk borealia.technical --json attachment save "$n" $c --dir "$W"
    json mirror desk caldera.technical --json audit mirror "$W/mirror" -W 20
    json "" desk arcadia.technical --json evidence
    json duty desk arcadia.technical --json duty end
    json "" desk arcadia.technical --json duty begin watch-1
    json "station host" desk arcadia.technical status --json # also behind the command's name
}

@test "help and version: exit 0, on standard output, of the program and of every command" {
    local command
    for command in hotline hotlined hotline-audit; do
        for option in --version --help; do
            run --separate-stderr "$B/$command" $option
            [ "$status" -eq 0 ]
            [ -n "$output" ]
            [ "$stderr" = "" ]
        done
    done
    [ "$(wc -l <"$W/commands")" -ge 40 ]
    while read -r command; do
        # shellcheck disable=SC2086
        run --separate-stderr "$B/hotline" $command --help
        echo "$command: $status $output $stderr"
        [ "$status" -eq 0 ]
        [[ "$output" = "usage: hotline $command"* ]]
        [ "$stderr" = "" ]
        # shellcheck disable=SC2086
        run --separate-stderr "$B/hotline" help $command
        [ "$status" -eq 0 ]
        [[ "$output" = "usage: hotline $command"* ]]
    done <"$W/commands"
}

@test "an unknown word is answered by the nearest, exit 2; an unknown option too, in every command" {
    run --separate-stderr hotline sned
    [ "$status" -eq 2 ]
    [[ "$stderr" = *'did you mean "hotline send"?'* ]]
    [ "$output" = "" ]
    run --separate-stderr hotline --desk "$W/desk/arcadia.technical" send $CRISIS --presedence FLASH
    [ "$status" -eq 2 ]
    [[ "$stderr" = *"did you mean"*"--precedence"* ]]
    while read -r command; do
        # shellcheck disable=SC2086
        run --separate-stderr hotline --desk "$W/desk/arcadia.technical" --realm exercise $command --frobnicate a b </dev/null
        echo "$command: $status $output $stderr"
        [ "$status" -eq 2 ]
        [ "$output" = "" ]
    done <"$W/commands"
}

@test "topics and explanations are offline; every error name explains itself" {
    local name
    run -0 hotline help exit-codes
    [[ "$output" = *"  7  deadline passed"* ]]
    hotline help errors | cut -d' ' -f1 >"$W/names"
    [ "$(wc -l <"$W/names")" = "$(grep -c '^    X(' common/error.h)" ]
    while read -r name; do
        run -0 hotline explain "$name"
        [[ "$output" = "$name "* ]]
    done <"$W/names"
    run ! hotline explain E-NONSENSE
}

@test "what a hint says to run is a command" {
    local name
    grep -v "^ \*" common/error.h | grep "^    " | grep -o '`hotline [^`]*`' | tr -d '`' | cut -d' ' -f2- | sort -u >"$W/hinted"
    [ -s "$W/hinted" ]
    while read -r name; do
        echo "hotline $name"
        grep -qx -- "$name" "$W/commands"
    done <"$W/hinted"
}

@test "in a pipe: no escape codes, tab-separated columns, whatever the terminal says" {
    local command
    for command in status "inbox --all" contacts "party list" "agreement list" drafts "help" "help send" "show $(cat "$W/number") $CRISIS"; do
        # shellcheck disable=SC2086
        TERM=xterm-256color CLICOLOR=1 desk borealia.technical $command >"$W/piped" 2>&1 </dev/null
        ! grep -q $'\e' "$W/piped" || false
    done
    desk borealia.technical inbox --all | head -n 1 | grep -q "$(printf '\t')"
}

@test "a form that is wrong is named by file, line and field" {
    sed 's/severe/catastrophic/' conf/demo/notification.cfg >"$W/form.cfg"
    run --separate-stderr desk arcadia.technical send --form "$W/form.cfg"
    echo "$stderr"
    [ "$status" -eq 2 ]
    [[ "$stderr" = *"form.cfg:"* ]]
    run --separate-stderr desk arcadia.technical send --form "$W/no-such.cfg"
    [ "$status" -ne 0 ]
    [[ "$stderr" = *"no-such.cfg"* ]]
}

@test "nothing is asked without a terminal: the option is named instead" {
    run --separate-stderr "$B/hotline" --realm exercise party init "$W/new-party" erewhon </dev/null
    [ "$status" -eq 2 ]
    [[ "$stderr" = *"--no-passphrase"* ]]
    run --separate-stderr "$B/hotline" --desk "$W/desk/arcadia.technical" party pin borealia </dev/null
    [ "$status" -eq 2 ]
    [[ "$stderr" = *"--typed"* ]]
}
