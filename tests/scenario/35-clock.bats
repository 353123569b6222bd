# Clocks never block a message: a desk two years off, either way, still sends, receives and acknowledges; it is flagged.
bats_require_minimum_version 1.5.0
load world
YEARS=63072000

setup_file() {
    world
    # neither of them is a witness; 2 of 3 witnesses decide what time it is
    echo "clock_offset_s = $YEARS;" >>"$W/desk/arcadia.diplomatic/hotline.conf"
    echo "clock_offset_s = -$YEARS;" >>"$W/desk/borealia.diplomatic/hotline.conf"
    sed -i 's/^key \([^ ]*\) draft,acknowledge /key \1 draft,release,acknowledge /' "$W/desk/arcadia.diplomatic/poc.public"
    sed -i 's/^key \([^ ]*\) acknowledge officer/key \1 draft,release,acknowledge officer/' "$W/desk/borealia.diplomatic/poc.public"
    for party in arcadia borealia; do
        world_card $party >>"$W/made.log" 2>&1
        for host in doria caldera; do cp "$W/party/$party/card.note" "$W/host/$host/documents/3-card-$party.note"; done
    done
    world_start arcadia.technical arcadia.diplomatic borealia.technical borealia.diplomatic caldera.technical
}
teardown_file() { world_end; }

FAST=arcadia.diplomatic SLOW=borealia.diplomatic
clock_is() { [ "$(desk "$1" --json status | row station .clock)" = "$2" ]; }

@test "the clock is doubted by its own desk once witnesses have spoken, and the officer is told to set it" {
    wait_for 20 clock_is $FAST doubted
    wait_for 20 clock_is $SLOW doubted
    wait_for 20 clock_is arcadia.technical ok
    [ "$(desk $FAST --json status | row station '.clock_skew_s | tonumber > 63000000')" = true ]
    [ "$(desk $SLOW --json status | row station '.clock_skew_s | tonumber < -63000000')" = true ]
    desk $FAST --json status | row next .sentence | grep -q "set it"
}

@test "they receive, read and acknowledge, what was sealed before and after" {
    local number poc
    number=$(send_text arcadia.technical $CRISIS --to $SLOW --to $FAST -s "what time is it")
    for poc in $SLOW $FAST; do
        arrives $poc "$number" $CRISIS
        [ "$(desk $poc --json show "$number" $CRISIS | row message .subject)" = "what time is it" ]
        run -0 desk $poc ack "$number" $CRISIS --position watch-1
        wait_for 10 step_of arcadia.technical acknowledged $poc "$number" $CRISIS
    done
}

@test "they send; the message is flagged at the desk that doubts itself, and bears a plausible time" {
    local number now poc
    for poc in $SLOW $FAST; do
        number=$(send_text $poc $CRISIS --to arcadia.technical -s "from another time")
        arrives arcadia.technical "$number" $CRISIS
        [ "$(desk $poc --json outbox --all | row message 'select(.number == "'"$number"'") | .flags')" = clock ]
        run desk $poc show "$number" $CRISIS
        [[ "$output" = *"CLOCK IN DOUBT"* ]]
        now=$(date +%s)
        [ "$(desk arcadia.technical --json outbox --all >/dev/null; desk arcadia.technical --json inbox --all |
            row message 'select(.subject == "from another time") | .sealed_ms / 1000 - '"$now"' | fabs < 86400' | sort -u)" = true ]
    done
}

@test "a desk two years off is reached after a restart, and reads what came meanwhile" {
    local number
    agent_stop $FAST
    number=$(send_text arcadia.technical $CRISIS --to $FAST -s "meanwhile")
    agent_start $FAST
    wait_for 20 has $FAST "$number" $CRISIS
    [ "$(desk $FAST --json show "$number" $CRISIS | row message .subject)" = meanwhile ]
}
