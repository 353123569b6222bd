# Commands that wait end when they say, and the exit status tells what is true: every one of the table.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world
    world_start arcadia.technical borealia.technical caldera.technical
}
teardown_file() { world_end; }
teardown() { end_all; }

took() { # COMMAND...: its status in $status, its time in $ms
    local from
    from=$(date +%s%3N)
    run --separate-stderr "$@"
    ms=$(($(date +%s%3N) - from))
    echo "$ms ms, $status: $output $stderr"
}

@test "0: send -W ends as soon as the addressee has acknowledged, and shows its steps" {
    background sender desk arcadia.technical --json send $TECHNICAL --category incident --marking TLP:GREEN \
        --to borealia.technical -s "please answer" -W 20
    wait_for 10 has borealia.technical "ARCADIA 1-3" $TECHNICAL
    run -2 desk borealia.technical ack 1-3 $TECHNICAL --position watch-1 # the party belongs to the number
    desk borealia.technical --json ack ARCADIA 1-3 $TECHNICAL --position watch-1 >"$W/ack"
    finish sender
    [ "$(row step .kind <"$BATS_TEST_TMPDIR/sender.out" | sort -u | tr '\n' ' ')" = "acknowledged delivered " ]
    [ "$(row message .number <"$BATS_TEST_TMPDIR/sender.out")" = "ARCADIA 1-3" ]
}

@test "7: not acknowledged in the time given, though recorded" {
    took desk arcadia.technical --json send $TECHNICAL --category incident --marking TLP:GREEN --to borealia.technical -s x -W 1
    [ "$status" -eq 7 ]
    [ "$ms" -ge 1000 ] && [ "$ms" -lt 6000 ]
    [ "$(row message .state <<<"$output")" = recorded ]
    [[ "$stderr" = *"(E-DEADLINE)"* ]]
}

@test "6: send -W 0 does not wait and says queued; it is recorded all the same" {
    took desk arcadia.technical --json send $TECHNICAL --category incident --marking TLP:GREEN --to borealia.technical -s x -W 0
    [ "$status" -eq 6 ]
    [[ "$stderr" = *"(E-QUEUED)"* ]]
    recorded() { is arcadia.technical '.state == "recorded"' "$1" $TECHNICAL; }
    wait_for 5 recorded "$(row message .number <<<"$output")"
}

@test "watch: -n ends after that many, -W in that time, both say which came first" {
    took desk borealia.technical --json watch -W 1
    [ "$status" -eq 0 ]
    [ "$ms" -ge 1000 ] && [ "$ms" -lt 6000 ]
    [ "$output" = "" ]
    took desk borealia.technical --json watch -n 1 -W 1
    [ "$status" -eq 7 ]
    background watcher desk borealia.technical --json watch -n 2 -W 20
    sleep 0.2 # it watches from now on
    send_text arcadia.technical $TECHNICAL --to borealia.technical -s "watched" >/dev/null
    send_text arcadia.technical $TECHNICAL --to borealia.technical -s "watched too" >/dev/null
    finish watcher
    [ "$(row event .what <"$BATS_TEST_TMPDIR/watcher.out" | wc -l)" = 2 ]
    [ "$(row event 'select(.what == "message") | .subject' <"$BATS_TEST_TMPDIR/watcher.out" | head -n 1)" = watched ]
    took desk borealia.technical --json watch --since 0 -n 1
    [ "$status" -eq 0 ]
    [ "$(row event .event <<<"$output")" = 1 ]
}

@test "an asker that goes away leaves the agent whole" {
    background gone "$B/hotline" --desk "$W/desk/borealia.technical" watch -W 30
    sleep 0.2
    kill -9 "$(cat "$BATS_TEST_TMPDIR/gone.pid")"
    timeout 0.2 "$B/hotline" --desk "$W/desk/arcadia.technical" send $TECHNICAL --category incident --marking TLP:GREEN \
        --to caldera.technical -W 20 </dev/null >/dev/null 2>&1 || true
    desk borealia.technical status >/dev/null
    desk arcadia.technical status >/dev/null
    took desk borealia.technical ping
    [ "$status" -eq 0 ]
}

@test "1, 2, 5, 8: not found, usage, policy, key" {
    run -1 desk arcadia.technical show "BOREALIA 7-6"
    run -2 desk arcadia.technical show "BOREALIA 7-7"
    run -2 desk arcadia.technical frobnicate
    run -5 desk arcadia.technical send $CRISIS --category incident --marking TLP:GREEN --to caldera.technical -s x
    run -8 desk borealia.technical send $CRISIS --category incident --marking TLP:GREEN --to arcadia.technical -s x --position watch-7
}

@test "3: a spoilt envelope, a spoilt log; 4: witnesses or openings that are missing" {
    local number
    number=$(send_text arcadia.technical $TECHNICAL --to borealia.technical -s "to be spoilt")
    desk arcadia.technical export "$number" $TECHNICAL --out "$W/envelope"
    python3 - "$W/envelope" <<'P'
import sys
b = bytearray(open(sys.argv[1], 'rb').read())
b[-1] ^= 1 # of the signature
open(sys.argv[1], 'wb').write(b)
P
    took desk borealia.technical import "$W/envelope"
    [ "$status" -eq 3 ]
    [[ "$stderr" = *"(E-SIG)"* ]]
    # without two of three witnesses no receipt becomes witnessed
    agent_stop borealia.technical
    agent_stop caldera.technical
    number=$(send_text arcadia.technical $TECHNICAL --to borealia.technical -s "few witnesses")
    took desk arcadia.technical receipt "$number" $TECHNICAL --witnessed -W 1
    [ "$status" -eq 4 ]
    [[ "$stderr" = *"(E-QUORUM)"* ]]
    agent_start borealia.technical caldera.technical
    took desk arcadia.technical receipt "$number" $TECHNICAL --witnessed -W 30 --out "$W/receipt"
    [ "$status" -eq 0 ]
}

@test "143: terminated; interrupted at once" {
    background watcher "$B/hotline" --desk "$W/desk/borealia.technical" watch -W 30
    sleep 0.2
    kill -TERM "$(cat "$BATS_TEST_TMPDIR/watcher.pid")"
    status=0
    finish watcher || status=$?
    [ "$status" -eq 143 ]
    run timeout -s INT 0.3 env --default-signal=INT "$B/hotline" --desk "$W/desk/borealia.technical" watch -W 30
    [ "$status" -eq 124 ] # ended by it, at once
    desk borealia.technical status >/dev/null
}
