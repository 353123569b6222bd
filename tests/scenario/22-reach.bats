# Who gets a message and when: roles, alternates, several brokers, brokers that are down; silence is a fact.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world_keys
    world_card arcadia
    world_card borealia --alternate technical=borealia.diplomatic
    world_card caldera
    world_card doria
    world_agreement conf/demo/agreement.cfg agreement
    # the same members under an agreement whose deadlines are one second
    sed -e 's/ABCD-ICT-2026/SOON-2026/; s/^deadlines_s.*/deadlines_s = [ 1, 1, 1, 1 ];/' \
        -e 's/arcadia-borealia/soon/; s/abcd.information/soon.information/' conf/demo/agreement.cfg >"$W/soon.cfg"
    world_agreement "$W/soon.cfg" soon
    world_documents
    world_start arcadia.technical arcadia.diplomatic borealia.technical borealia.diplomatic caldera.technical
}
teardown_file() { world_end; }

hosts_of() { # POC NUMBER CHANNEL: how many hosts' receipts verified
    desk "$1" --json show "$2" "$3" | row host 'select(.grade == "logged") | .host' | wc -l
}
recorded_by() { [ "$(hosts_of "$2" "$3" "$4")" = "$1" ]; }
host_is() { # POC ORIGIN FILTER
    [ "$(desk "$1" --json status | row host 'select(.host == "'"$2"'") | '"$3")" = true ]
}
events_of() { # POC MID WHAT: how often
    desk "$1" --json watch --since 0 -W 0 | row event 'select(.mid == "'"$2"'" and .what == "'"$3"'") | .event' | wc -l
}
mid_of() { # POC NUMBER CHANNEL
    desk "$1" --json show "$2" "$3" | row message .mid
}

@test "each reader sees its own role and everybody's; the alternate's copy waits at the broker" {
    local number mark
    number=$(send_text arcadia.technical $CRISIS --to borealia.technical --info arcadia.diplomatic -s "roles")
    arrives borealia.technical "$number" $CRISIS
    arrives arcadia.diplomatic "$number" $CRISIS
    [ "$(desk borealia.technical --json show "$number" $CRISIS | row recipient '"\(.poc) \(.role)"')" = \
        "borealia.technical action
borealia.diplomatic alternate 1
arcadia.diplomatic information" ]
    # what is sent to the alternate later has come; this has not, and its sender sees it as held
    mark=$(send_text arcadia.technical $CRISIS --to borealia.diplomatic -s "later")
    arrives borealia.diplomatic "$mark" $CRISIS
    run ! has borealia.diplomatic "$number" $CRISIS
    desk borealia.technical ack "$number" $CRISIS --position watch-1 >/dev/null
    wait_for 5 step_of arcadia.technical acknowledged borealia.technical "$number" $CRISIS
    run ! has borealia.diplomatic "$number" $CRISIS
}

@test "before release the sender reads who may get it when the addressee is silent" {
    run --separate-stderr desk arcadia.technical send $CRISIS --category incident --marking TLP:GREEN \
        --to borealia.technical -s "exposure" --dry-run
    [ "$status" -eq 0 ]
    [[ "$stderr" = *"will read it:    borealia.technical action"* ]]
    [[ "$stderr" = *"alternate of borealia.technical: borealia.diplomatic"* ]]
    [[ "$stderr" = *"$DORIA"* ]]
}

@test "undelivered in time: a notice, the alternate gets it, and its acknowledgement counts" {
    local number
    agent_stop borealia.technical
    number=$(send_text arcadia.technical soon.crisis --to borealia.technical -s "urgent")
    wait_for 15 has borealia.diplomatic "$number" soon.crisis
    desk arcadia.technical --json show "$number" soon.crisis >"$W/shown"
    row notice '"\(.kind) \(.poc)"' <"$W/shown" | grep -qx "undelivered borealia.technical"
    row notice .kind <"$W/shown" | grep -qx escalated
    desk borealia.diplomatic --json watch --since 0 -W 0 | row event 'select(.detail == "escalated") | .what' | grep -qx message
    [ "$(desk arcadia.technical --json status | row overdue 'select(.poc == "borealia.technical") | .undelivered')" = true ]
    desk borealia.diplomatic ack "$number" soon.crisis --position watch-1 >/dev/null
    wait_for 5 step_of arcadia.technical acknowledged borealia.diplomatic "$number" soon.crisis
    [ "$(desk arcadia.technical --json status | row overdue .poc)" = "" ]
    agent_start borealia.technical
    wait_for 10 has borealia.technical "$number" soon.crisis
    world_duty borealia.technical
}

@test "delivered and not acknowledged is another notice than undelivered" {
    local number
    number=$(send_text arcadia.technical soon.technical --to borealia.technical -s "read but not answered")
    arrives borealia.technical "$number" soon.technical
    notices() { desk arcadia.technical --json show "$number" soon.technical | row notice .kind; }
    noticed() { notices | grep -qx not-acknowledged; }
    wait_for 15 noticed
    run notices
    [[ "$output" != *undelivered* ]]
    [ "$(desk arcadia.technical --json status | row overdue 'select(.poc == "borealia.technical") | .undelivered')" = false ]
}

@test "both brokers record the same envelope; the reader acts once" {
    local number mid
    number=$(send_text arcadia.technical $TECHNICAL --to borealia.technical -s "twice recorded")
    wait_for 5 recorded_by 2 arcadia.technical "$number" $TECHNICAL
    arrives borealia.technical "$number" $TECHNICAL
    wait_for 5 recorded_by 2 borealia.technical "$number" $TECHNICAL # delivered by both
    mid=$(mid_of borealia.technical "$number" $TECHNICAL)
    [ "$mid" = "$(mid_of arcadia.technical "$number" $TECHNICAL)" ]
    [ "$(events_of borealia.technical "$mid" message)" = 1 ]
    [ "$(events_of borealia.technical "$mid" repetition)" = 0 ]
    [ "$(desk arcadia.technical --json show "$number" $TECHNICAL | row step .kind)" = delivered ]
}

@test "one broker down: recorded by the other, and that is what is said; sent to it when it is back" {
    local number
    host_stop caldera
    wait_for 10 host_is arcadia.technical $CALDERA '.state == "down"'
    run --separate-stderr desk arcadia.technical --json send $TECHNICAL --category incident --marking TLP:GREEN \
        --to borealia.technical -s "one of two"
    [ "$status" -eq 0 ]
    number=$(row message .number <<<"$output")
    [ "$(row message .state <<<"$output")" = recorded ]
    [ "$(row host 'select(.host == "'$DORIA'") | .grade' <<<"$output")" = logged ]
    [ "$(row host 'select(.host == "'$CALDERA'") | .grade' <<<"$output")" = sent ]
    host_is arcadia.technical $CALDERA '.outbox == 1'
    host_is arcadia.technical $DORIA '.outbox == 0 and .state == "current"'
    arrives borealia.technical "$number" $TECHNICAL
    run desk arcadia.technical show "$number" $TECHNICAL
    [[ "$output" = *"NOT RECORDED   $CALDERA"* ]]
    host_start caldera
    wait_for 20 recorded_by 2 arcadia.technical "$number" $TECHNICAL
    wait_for 20 host_is arcadia.technical $CALDERA '.outbox == 0 and .state == "current"'
    wait_for 20 recorded_by 2 borealia.technical "$number" $TECHNICAL
    [ "$(events_of borealia.technical "$(mid_of borealia.technical "$number" $TECHNICAL)" message)" = 1 ]
}

@test "no broker answers, or none knows this key: the same sentence, exit 6; kept, and sent when one is back" {
    local stranger=$W/stranger number
    # a desk that no card lists knocks at a broker that runs, while the other one is away
    host_stop doria
    hotline --realm exercise init "$stranger" borealia.technical --no-passphrase
    hotline --desk "$stranger" host "$W/host/caldera/host.public"
    "$B/hotline" --desk "$stranger" agent >"$W/stranger.log" 2>&1 3>&- & # no function: its own process id
    echo $! >"$W/run/stranger.pid"
    unanswered() { hotline --desk "$stranger" --json status | row host .unanswered | grep -qx true; }
    wait_for 20 unanswered
    run --separate-stderr hotline --desk "$stranger" ping -W 1
    echo "stranger: $status $output $stderr"
    [ "$status" -eq 6 ]
    [[ "$stderr" = *"no answer: broker down or does not know this key"* ]]
    run hotline --desk "$stranger" --json status
    [ "$(row host '"\(.state) \(.sentence)"' <<<"$output")" = "down no answer: broker down or does not know this key" ]
    [ "$(broker_says "$W/host/caldera" .refused_handshakes)" -ge 1 ]

    wait_for 20 host_is arcadia.technical $DORIA '.state == "down" and .unanswered'
    host_stop caldera
    wait_for 10 host_is arcadia.technical $CALDERA '.state == "down"'
    run --separate-stderr desk arcadia.technical --json send $TECHNICAL --category incident --marking TLP:GREEN \
        --to borealia.technical -s "kept" -W 1
    echo "sender: $status $output $stderr"
    [ "$status" -eq 6 ]
    [[ "$stderr" = *"no answer: broker down or does not know this key"* ]]
    number=$(row message .number <<<"$output")
    [ "$(row message .state <<<"$output")" = queued ]
    [ "$(desk arcadia.technical --json outbox | row message 'select(.number == "'"$number"'") | .recorded')" = 0 ]
    run ! has borealia.technical "$number" $TECHNICAL
    # kept over a restart of the station, too (which spares the test the links' patience)
    agent_stop arcadia.technical
    agent_stop borealia.technical
    host_start doria
    agent_start arcadia.technical borealia.technical
    wait_for 20 recorded_by 1 arcadia.technical "$number" $TECHNICAL
    arrives borealia.technical "$number" $TECHNICAL
    host_start caldera
    wait_for 20 recorded_by 2 arcadia.technical "$number" $TECHNICAL
}
