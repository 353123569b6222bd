# Every network is down: a stick carries the message, the reader acts on it and says how it came; when a broker is back
# the record catches up and nothing acts twice.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world
    world_start arcadia.technical borealia.technical
}
teardown_file() { world_end; }

is_down() { [ "$(desk "$1" --json status | row host .state | sort -u)" = down ]; }
recorded() { [ "$(desk "$1" --json show "$2" $CRISIS | row host 'select(.grade == "logged") | .host' | wc -l)" = 2 ]; }

@test "carried by hand while both brokers are down; shown as carried; recorded and delivered later, once" {
    local number mid
    host_stop doria
    host_stop caldera
    wait_for 10 is_down arcadia.technical
    wait_for 10 is_down borealia.technical
    run -6 --separate-stderr desk arcadia.technical --json send $CRISIS -p FLASH --category incident --marking TLP:RED \
        --to borealia.technical -s "by courier" -W 0
    number=$(row message .number <<<"$output")
    mid=$(row message .mid <<<"$output")
    desk arcadia.technical export "$number" $CRISIS --out "$W/stick"
    run --separate-stderr desk borealia.technical --json import "$W/stick"
    echo "$status $output $stderr"
    [ "$status" -eq 0 ]
    [ "$(row message '"\(.number) \(.subject) \(.carried) \(.state)"' <<<"$output")" = "$number by courier true new" ]
    run desk borealia.technical show "$number" $CRISIS
    [[ "$output" = *"CARRIED BY HAND (not in a record yet)"* ]]
    # it acts: the officer acknowledges; a second import is the same message
    run -6 desk borealia.technical ack "$number" $CRISIS --position watch-1 -W 0
    run -0 desk borealia.technical --json import "$W/stick"
    [ "$(desk borealia.technical --json watch --since 0 -W 0 | row event 'select(.mid == "'"$mid"'" and .what == "message") | .mid' | wc -l)" = 1 ]
    run -0 desk arcadia.technical import "$W/stick" # one's own, carried back: nothing happens
    [ "$(desk arcadia.technical --json inbox --all)" = "" ]
    agent_stop arcadia.technical # (its links wait longer each time)
    agent_stop borealia.technical
    host_start doria caldera
    agent_start arcadia.technical borealia.technical
    wait_for 20 recorded arcadia.technical "$number"
    wait_for 20 recorded borealia.technical "$number"
    wait_for 20 step_of arcadia.technical acknowledged borealia.technical "$number" $CRISIS
    [ "$(desk borealia.technical --json watch --since 0 -W 0 | row event 'select(.mid == "'"$mid"'" and .what == "message") | .mid' | wc -l)" = 1 ]
    run desk borealia.technical show "$number" $CRISIS
    [[ "$output" = *"CARRIED BY HAND"* ]]
    [[ "$output" != *"not in a record yet"* ]]
    [[ "$output" = *"RECORDED"* ]]
}

@test "what is carried may be anything: cut, empty, a secret key, not there" {
    local number
    number=$(send_text arcadia.technical $CRISIS --to borealia.technical -s "whole")
    desk arcadia.technical export "$number" $CRISIS --out "$W/whole"
    head -c 200 "$W/whole" >"$W/part"
    : >"$W/empty"
    run -3 desk borealia.technical import "$W/part"
    run -3 desk borealia.technical import "$W/empty"
    run desk borealia.technical import "$W/desk/borealia.technical/keys/watch-1.key"
    echo "$output"
    [ "$status" -eq 2 ]
    [[ "$output" = *"is a secret key"* ]]
    [[ "$output" != *"$(tail -n 1 "$W/desk/borealia.technical/keys/watch-1.key")"* ]]
    run ! desk borealia.technical import "$W/no-such-file"
}
