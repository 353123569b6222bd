# An annex of a real incident goes through two real brokers to two readers: each has it byte for byte and acknowledges,
# and neither the hosts nor a stolen desk can read it.
bats_require_minimum_version 1.5.0
load world
INCIDENTS=../shared/data/incidents

setup_file() {
    world
    world_start arcadia.technical borealia.technical borealia.diplomatic
}
teardown_file() { world_end; }

# annex FILE: from ARCADIA to both offices of BOREALIA, for action
annex() {
    local number reader saved
    desk arcadia.technical --json send $CRISIS --precedence PRIORITY --category incident --marking TLP:AMBER \
        --to borealia.technical --to borealia.diplomatic --subject "annex ${1##*/}" --attach "$1" >"$W/sent"
    number=$(row message .number <"$W/sent")
    for reader in technical diplomatic; do
        wait_for 20 has borealia.$reader "$number" $CRISIS
        mkdir -p "$W/saved-$reader"
        saved=$(desk borealia.$reader --json attachment save "$number" $CRISIS --dir "$W/saved-$reader" | row attachment .path)
        cmp "$1" "$saved"
        [ "$(stat -c %a "$saved")" = 400 ]
        desk borealia.$reader --json ack "$number" $CRISIS --position watch-1 >"$W/acknowledged"
        [ "$(row step .state <"$W/acknowledged")" = recorded ]
    done
    wait_for 10 step_of arcadia.technical acknowledged borealia.technical "$number" $CRISIS
    wait_for 10 step_of arcadia.technical acknowledged borealia.diplomatic "$number" $CRISIS
    [ "$(desk arcadia.technical --json show "$number" $CRISIS | row host 'select(.grade == "logged") | .host' | wc -l)" = 2 ]
}

# not_in FOLDER FILE: no 24 bytes from the middle of the file stand in it, in any database, log or spool
not_in() {
    local clear
    clear=$(tail -c +100001 "$2" | LC_ALL=C grep -aoE '[ -~]{24,}' | head -n 1)
    [ ${#clear} -ge 24 ]
    grep -qaF -- "$clear" "$2"
    ! grep -rqaF -- "$clear" "$1"
}

@test "each incident analysis arrives at both readers byte for byte, and both acknowledge" {
    [ -d $INCIDENTS ] || skip "no $INCIDENTS here"
    local file sent=0
    for file in "$INCIDENTS"/*; do
        annex "$file"
        sent=$((sent + 1))
    done
    [ "$sent" -ge 1 ]
}

@test "so does a generated annex of the largest incident's size" {
    awk 'BEGIN { srand(7); for (i = 0; i < 5000; i++) printf "%d,observed at gateway G%d,%.12f\n", i, i % 3, rand() }' |
        head -c 294785 >"$W/generated.csv"
    [ "$(stat -c %s "$W/generated.csv")" = 294785 ] || [ "$(stat -c %s "$W/generated.csv")" -gt 200000 ]
    annex "$W/generated.csv"
}

@test "neither a host's folder nor a desk's shows a line of an annex" {
    awk 'BEGIN { srand(8); for (i = 0; i < 6000; i++) printf "%d,seen by the operator of plant %d,%.12f\n", i, i % 5, rand() }' >"$W/plain.csv"
    mkdir -p "$W/elsewhere"
    mv "$W/plain.csv" "$W/elsewhere/plain.csv"
    annex "$W/elsewhere/plain.csv"
    not_in "$W/host" "$W/elsewhere/plain.csv"
    not_in "$W/desk" "$W/elsewhere/plain.csv"
}

@test "the largest annex that the agreement takes arrives; one byte more is refused" {
    head -c 1000000 /dev/zero | tr '\0' x >"$W/largest"
    annex "$W/largest"
    printf x >>"$W/largest"
    run --separate-stderr desk arcadia.technical send $CRISIS --category incident --marking TLP:GREEN \
        --to borealia.technical -s "too large" --attach "$W/largest"
    echo "$status $stderr"
    [ "$status" -eq 5 ]
    [[ "$stderr" = *"(E-ATTACHMENT)"* ]]
}
