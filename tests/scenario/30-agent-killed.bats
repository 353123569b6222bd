# kill -9 of a station at any moment while it sends, receives and acknowledges: nothing is lost, nothing acts twice, no
# number is given twice.  A desk restored from an older copy draws a new chain and goes on above the numbers it forgot.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world
    world_start arcadia.technical borealia.technical
}
teardown_file() { world_end; }
teardown() { end_all; }

# writes N: messages from ARCADIA, whatever dies; each is tried until the desk has it
writes() {
    local i
    for i in $(seq "$1"); do
        until desk arcadia.technical --json send $TECHNICAL --category incident --marking TLP:GREEN \
            --to borealia.technical -s "message $i" -W 0 >>"$W/sent.json" 2>>"$W/sent.err" || [ $? = 6 ]; do
            [ "$(grep -c . "$W/sent.err")" -lt 500 ] || return 1
            sleep 0.05
        done
    done
}
subjects() { # POC: of all messages, one a line
    desk "$1" --json inbox --all -n 1000 | row message .subject | sort
}
all_there() { [ "$(subjects borealia.technical | grep -c '^message ')" -ge "$1" ]; }
settled() { [ "$(desk arcadia.technical --json outbox --all -n 1000 | row message 'select(.state != "recorded" or .recorded != 2) | .number' | wc -l)" = 0 ]; }

@test "kill -9 of sender and reader in a loop: all arrive, each once, under one number each" {
    : >"$W/sent.json"
    : >"$W/sent.err"
    background writer writes 24
    for round in 1 2 3 4 5 6; do
        sleep "0.$((RANDOM % 4 + 1))"
        for poc in arcadia.technical borealia.technical; do
            agent_stop $poc KILL
            agent_start $poc
        done
    done
    finish writer
    wait_for 30 all_there 24
    wait_for 30 settled
    # a command that was cut off may have been done: its message came as well, and then under a number of its own
    desk borealia.technical --json inbox --all -n 1000 | row message .number | sort >"$W/numbers"
    [ "$(uniq -d <"$W/numbers")" = "" ]
    [ "$(desk borealia.technical --json inbox --all -n 1000 | row message .mid | sort | uniq -d)" = "" ]
    [ "$(row message .number <"$W/sent.json" | sort | uniq -d)" = "" ]
    for i in $(seq 24); do subjects borealia.technical | grep -qx "message $i"; done
    # one event for each, at most one delivered step for each, at its sender
    desk borealia.technical --json watch --since 0 -W 0 | row event 'select(.what == "message") | .mid' | sort >"$W/events"
    [ "$(uniq -d <"$W/events")" = "" ]
    [ "$(wc -l <"$W/events")" = "$(wc -l <"$W/numbers")" ]
    [ "$(desk arcadia.technical --json watch --since 0 -W 0 | row event 'select(.what == "step") | .mid' | sort | uniq -d)" = "" ]
    [ "$(desk borealia.technical --json status | row gap .sender)" = "" ]
    [ "$(desk borealia.technical --json evidence)" = "" ]
}

@test "kill -9 while acknowledging: each acknowledgement is there once" {
    local number
    world_duty borealia.technical
    for number in $(desk borealia.technical --json inbox --all -n 1000 | row message .mid | head -n 8); do
        desk borealia.technical ack "$number" --typed "$(desk borealia.technical --json show "$number" | row message .number)" \
            --position watch-1 -W 0 >/dev/null 2>&1 || true
        case $((RANDOM % 3)) in
        0)
            agent_stop borealia.technical KILL
            agent_start borealia.technical
            world_duty borealia.technical
            ;;
        esac
        acked() { desk borealia.technical --json show "$number" | row message .state | grep -qx acknowledged; }
        acked || desk borealia.technical ack "$number" --typed "$(desk borealia.technical --json show "$number" | row message .number)" \
            --position watch-1 >/dev/null 2>&1
        acked
        seen() { [ "$(desk arcadia.technical --json show "$number" | row step 'select(.kind == "acknowledged") | .poc' | wc -l)" = 1 ]; }
        wait_for 10 seen
    done
}

@test "a desk restored from an older copy draws a new chain, above the numbers that it forgot" {
    local before after
    agent_stop arcadia.technical
    cp -r "$W/desk/arcadia.technical" "$W/backup"
    agent_start arcadia.technical
    wait_for 10 ready_again
    world_duty arcadia.technical
    for i in 1 2 3; do before=$(send_text arcadia.technical $TECHNICAL --to borealia.technical -s "forgotten $i"); done
    wait_for 10 has borealia.technical "$before" $TECHNICAL
    wait_for 10 settled
    agent_stop arcadia.technical
    rm -rf "$W/desk/arcadia.technical"
    mv "$W/backup" "$W/desk/arcadia.technical"
    agent_start arcadia.technical
    wait_for 10 ready_again
    world_duty arcadia.technical
    after=$(send_text arcadia.technical $TECHNICAL --to borealia.technical -s "after the restore")
    [ "$(tr -dc 0-9- <<<"$after" | cut -d- -f1)" = $(($(tr -dc 0-9- <<<"$before" | cut -d- -f1) + 1)) ]
    wait_for 10 has borealia.technical "$after" $TECHNICAL
    chain_of() { desk borealia.technical --json show "$1" $TECHNICAL | row header .chain; }
    [ "$(chain_of "$after")" != "$(chain_of "$before")" ]
    wait_for 10 settled
    desk arcadia.technical --json watch --since 0 -W 0 | row event .detail | grep -q "a new chain was drawn"
    for i in 1 2 3; do [ "$(subjects borealia.technical | grep -cx "forgotten $i")" = 1 ]; done
}
ready_again() { desk arcadia.technical --json status | row host .state | sort -u | grep -qx current; }
