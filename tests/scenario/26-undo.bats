# A mistake is undone fast: one officer retracts any message of its office, to the same readers at the same precedence;
# a second position confirms or reverses.  Corrections, replies and threads; a missing number is a state that shows.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world
    world_start arcadia.technical arcadia.diplomatic borealia.technical borealia.diplomatic
}
teardown_file() { world_end; }

# two_send CHANNEL OPTIONS...: from borealia.technical, drafted by watch-1, released by watch-2; its number
two_send() {
    desk borealia.technical --json send "$1" --draft --position watch-1 --category incident --marking TLP:GREEN "${@:2}" \
        >"$W/draft" 2>/dev/null || [ $? = 6 ]
    desk borealia.technical --json release "$(row draft .draft <"$W/draft")" --position watch-2 | row message .number
}
shown() { # POC NUMBER: is it retracted there, in that way?
    [ "$(desk "$1" --json show "$2" $CRISIS | row message .retracted)" = "$3" ]
}

@test "one officer retracts a FLASH: same readers, same precedence, shown unconfirmed to all" {
    local flash retraction poc
    flash=$(two_send $CRISIS -p FLASH --to arcadia.technical --info arcadia.diplomatic -s "by mistake")
    arrives arcadia.technical "$flash" $CRISIS
    run --separate-stderr desk borealia.technical --json retract "$flash" $CRISIS --position watch-1 -t "sent to the wrong channel"
    echo "$status $output $stderr"
    [ "$status" -eq 0 ]
    retraction=$(row message .number <<<"$output")
    [ "$(row message '"\(.kind) \(.precedence)"' <<<"$output")" = "retraction FLASH" ]
    for poc in arcadia.technical arcadia.diplomatic; do
        arrives $poc "$retraction" $CRISIS
        shown $poc "$flash" unconfirmed
        run desk $poc show "$flash" $CRISIS
        [[ "$output" = *"RETRACTED (unconfirmed)"* ]]
    done
    shown borealia.technical "$flash" unconfirmed
    [ "$(desk arcadia.technical --json show "$retraction" $CRISIS | row recipient '"\(.poc) \(.role)"')" = \
        "$(desk arcadia.technical --json show "$flash" $CRISIS | row recipient '"\(.poc) \(.role)"')" ]
    # the second position confirms it by one word
    run --separate-stderr desk borealia.technical --json endorse "$retraction" $CRISIS --position watch-2
    echo "$status $output $stderr"
    [ "$status" -eq 0 ]
    arrives arcadia.technical "$(row message .number <<<"$output")" $CRISIS
    shown arcadia.technical "$flash" confirmed
    shown borealia.technical "$flash" confirmed
}

@test "who retracted cannot confirm its own retraction; a second one reverses it" {
    local message retraction
    message=$(two_send $CRISIS --to arcadia.technical -s "right after all")
    retraction=$(desk borealia.technical --json retract "$message" $CRISIS --position watch-1 | row message .number)
    desk borealia.technical --json endorse "$retraction" $CRISIS --position watch-1 >"$W/own" 2>/dev/null || true
    arrives arcadia.technical "$retraction" $CRISIS
    [ ! -s "$W/own" ] || arrives arcadia.technical "$(row message .number <"$W/own")" $CRISIS
    shown arcadia.technical "$message" unconfirmed
    run --separate-stderr desk borealia.technical --json retract "$retraction" $CRISIS --position watch-2
    [ "$status" -eq 0 ]
    arrives arcadia.technical "$(row message .number <<<"$output")" $CRISIS
    shown arcadia.technical "$message" reversed
}

@test "nobody retracts another's message" {
    local message
    message=$(two_send $CRISIS --to arcadia.technical -s "not yours")
    arrives arcadia.technical "$message" $CRISIS
    run --separate-stderr desk arcadia.technical retract "$message" $CRISIS
    echo "$status $stderr"
    [ "$status" -eq 5 ]
    [[ "$stderr" = *"(E-TARGET)"* ]]
    shown arcadia.technical "$message" ""
}

@test "reply, correction and thread: each finds its readers, and the thread lists all of it in order" {
    local first reply correction thread
    echo "source 203.0.113.201 reads 203.0.113.210" >"$W/correction"
    first=$(send_text arcadia.technical $CRISIS --to borealia.technical --info borealia.diplomatic -s "thread")
    arrives borealia.technical "$first" $CRISIS
    desk borealia.technical --json reply "$first" $CRISIS --draft --position watch-1 -s "answer" >"$W/draft" 2>/dev/null || [ $? = 6 ]
    reply=$(desk borealia.technical --json release "$(row draft .draft <"$W/draft")" --position watch-2 | row message .number)
    arrives arcadia.technical "$reply" $CRISIS
    arrives borealia.diplomatic "$reply" $CRISIS
    [ "$(desk arcadia.technical --json show "$reply" $CRISIS | row ref '"\(.number) \(.kind)"')" = "$first notification" ]
    run --separate-stderr desk arcadia.technical --json correct "$first" $CRISIS -t "$W/correction"
    [ "$status" -eq 0 ]
    correction=$(row message .number <<<"$output")
    arrives borealia.technical "$correction" $CRISIS
    arrives borealia.diplomatic "$correction" $CRISIS
    run desk borealia.technical show "$first" $CRISIS
    [[ "$output" = *"CORRECTION"*"$correction"* ]]
    [[ "$output" = *"REPLY"*"$reply"* ]]
    for poc in arcadia.technical borealia.technical borealia.diplomatic; do
        thread=$(desk $poc --json thread "$correction" $CRISIS | row message .number | tr '\n' ' ')
        [ "$thread" = "$first $reply $correction " ]
    done
}

@test "a number that a desk has not seen shows as a gap, without an alarm where it may be another's" {
    local last
    send_text arcadia.technical $CRISIS --to borealia.diplomatic -s "seen" >/dev/null
    for i in 1 2; do send_text arcadia.technical $CRISIS --to borealia.technical -s "not for all" >/dev/null; done
    last=$(send_text arcadia.technical $CRISIS --to borealia.diplomatic -s "seen again")
    arrives borealia.diplomatic "$last" $CRISIS
    desk borealia.diplomatic --json status | row gap 'select(.sender == "arcadia.technical") | "\(.last_seq - .first_seq + 1) \(.alarm)"' >"$W/gaps"
    cat "$W/gaps"
    grep -qx "2 false" "$W/gaps"
    run desk borealia.technical --json status
    [ "$(row gap 'select(.sender == "arcadia.technical" and .channel == "'$CRISIS'") | .alarm' <<<"$output" | grep -c true)" = 0 ]
}
