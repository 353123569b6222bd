# The four fictional States for the client's scenarios: parties, desks, one agreement, two brokers, agents.
# A file makes its world once (setup_file) in $W; every process is ended by its id (teardown_file).
# shellcheck shell=bash disable=SC2154
load lib

W=$BATS_FILE_TMPDIR
export HOTLINE_PHRASEBOOK=$PWD/conf/phrasebook/core.cfg
DORIA=doria.example/exercise/doria/1
CALDERA=caldera.example/exercise/caldera/1
CRISIS=arcadia-borealia.crisis
TECHNICAL=arcadia-borealia.technical
COMMON=abcd.information
PARTIES="arcadia borealia caldera doria"

hotline() { "$B/hotline" --no-input "$@"; }
desk() { # POC COMMAND...: as typed at that desk
    hotline --desk "$W/desk/$1" "${@:2}"
}
row() { # SCHEMA FILTER: of the rows of that schema on standard input
    jq -r "select(.schema == \"hotline.$1/1\") | $2"
}

# ---- making it ----

world_station() { # POC OPTIONS...
    hotline --realm exercise init "$W/desk/$1" "$1" --no-passphrase "${@:2}"
}
world_position() { # POC NAME HOLDER PERMISSIONS
    desk "$1" position "$2" --holder "$3" --permissions "$4" --no-passphrase
}

# world_keys: brokers, desks, positions, root keys; only borealia.technical has two release positions
world_keys() {
    local host party
    mkdir -p "$W/desk" "$W/party" "$W/host" "$W/run"
    for host in doria caldera; do
        "$B/hotlined" init "$W/host/$host" --realm exercise --origin "$host.example/exercise/$host/1" \
            --listen "tcp://127.0.0.1:$(free_port)" --no-passphrase
    done
    world_station arcadia.technical --witness --languages en,ar
    world_station arcadia.diplomatic
    world_station borealia.technical --witness
    world_station borealia.diplomatic
    world_station caldera.technical --witness
    world_station doria.technical
    world_position arcadia.technical watch-1 officer-1 draft,release,acknowledge,stop
    world_position arcadia.diplomatic watch-1 officer-2 draft,acknowledge
    world_position borealia.technical watch-1 officer-1 draft,release,acknowledge
    world_position borealia.technical watch-2 officer-2 draft,release,acknowledge
    world_position borealia.diplomatic watch-1 officer-3 acknowledge
    world_position caldera.technical watch-1 officer-1 draft,release,acknowledge,audit
    world_position doria.technical watch-1 officer-1 acknowledge
    for party in $PARTIES; do
        hotline --realm exercise party init "$W/party/$party" "$party" --no-passphrase
    done
}

# world_card PARTY OPTIONS...: its next card, with all of its desks and its broker
world_card() {
    local poc arguments=()
    for poc in "$W/desk/$1".*; do arguments+=(--poc "$poc/poc.public"); done
    [ ! -d "$W/host/$1" ] || arguments+=(--host "$W/host/$1/host.public")
    hotline --realm exercise party card "$W/party/$1" "${arguments[@]}" "${@:2}"
}

# world_agreement SOURCE NAME: its text, and each party's note, into the brokers' folders
world_agreement() {
    local party host cards=()
    for party in $PARTIES; do cards+=(--card "$W/party/$party/card.note"); done
    hotline --realm exercise agreement new "$1" "${cards[@]}" --out "$W/$2.txt"
    for party in $PARTIES; do
        hotline --realm exercise agreement sign "$W/$2.txt" --party "$W/party/$party" --out "$W/$2-$party.note"
        for host in doria caldera; do
            cp "$W/$2-$party.note" "$W/host/$host/documents/2-$2-$party.note"
        done
    done
}

world_documents() { # what brokers and desks must know before they start
    local host party poc
    for party in $PARTIES; do
        for host in doria caldera; do
            cp "$W/party/$party/card.note" "$W/host/$host/documents/1-card-$party.note"
        done
        for poc in "$W/desk/$party".*; do
            for host in doria caldera; do desk "${poc##*/}" host "$W/host/$host/host.public"; done
            cp "$W/party/$party/card.note" "$poc/own.card"
        done
    done
}

# world [SOURCE]: keys, cards, one agreement
world() {
    local party
    world_keys
    for party in $PARTIES; do world_card "$party"; done
    world_agreement "${1:-conf/demo/agreement.cfg}" agreement
    world_documents
} >"$W/made.log" 2>&1

# ---- running it ----

host_start() { # NAME...
    local name
    for name in "$@"; do
        "$B/hotlined" -c "$W/host/$name/hotlined.conf" 2>>"$W/run/$name.log" 3>&- &
        echo $! >"$W/run/$name.pid"
    done
    for name in "$@"; do
        wait_for 20 running_says "$W/run/$name" 'hotlined: ready'
    done
}
running_says() { # of this start, not of an earlier one
    says "$2" "$1.log" $(($(cat "$1.starts" 2>/dev/null || echo 0) + 1)) &&
        grep -cF -- "$2" "$1.log" >"$1.starts"
}
agent_start() { # POC...
    local poc
    for poc in "$@"; do
        "$B/hotline" --desk "$W/desk/$poc" agent >>"$W/run/$poc.log" 2>&1 3>&- &
        echo $! >"$W/run/$poc.pid"
    done
    for poc in "$@"; do # a command that came before would take the desk itself
        wait_for 20 running_says "$W/run/$poc" 'hotline: agent of'
    done
}
process_gone() { # a process of another shell cannot be waited for; a zombie is gone
    [ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}
stop_one() { # PIDFILE SIGNAL
    local pid
    pid=$(cat "$1")
    rm "$1"
    kill -CONT "$pid" 2>/dev/null || true
    kill "-$2" "$pid" 2>/dev/null || true
    wait_for 10 process_gone "$pid"
}
host_stop() { # NAME [SIGNAL]
    stop_one "$W/run/$1.pid" "${2:-TERM}"
}
agent_stop() { # POC [SIGNAL]
    stop_one "$W/run/$1.pid" "${2:-TERM}"
}
world_end() { # for teardown_file; on a failure what they said is shown
    local file
    for file in "$W"/run/*.pid; do
        [ ! -e "$file" ] || stop_one "$file" TERM
    done
}

# knows POC N: current at every host, with the subkeys of N PoCs and every agreement in force
knows() {
    local rows
    rows=$(for asked in contacts "agreement list" status; do desk "$1" --json $asked; done)
    jq -se "(map(select(.schema == \"hotline.contact/1\" and (.subkeys_last_day | numbers) > 0)) | length >= $2)
        and (map(select(.schema == \"hotline.agreement/1\").state) | length > 0 and all(. == \"in-force\"))
        and (map(select(.schema == \"hotline.host/1\").state) | all(. == \"current\"))" <<<"$rows"
}

# world_start POC...: both brokers and these agents; ends when each knows all of them
world_start() {
    local poc
    host_start doria caldera
    agent_start "$@"
    for poc in "$@"; do wait_for 30 knows "$poc" $#; done
    for poc in "$@"; do world_duty "$poc"; done
}
world_duty() { # POC: all its positions
    local key
    for key in "$W/desk/$1"/keys/watch-*.key; do
        key=${key##*/}
        desk "$1" duty begin "${key%.key}" >/dev/null 2>&1
    done
}

# ---- what officers do ----

# send_text POC CHANNEL OPTIONS...: its number; the text is its subject
send_text() {
    desk "$1" --json send "$2" --category incident --marking TLP:GREEN "${@:3}" | row message .number | head -n 1
}
has() { # POC NUMBER [CHANNEL]: is it there?
    desk "$1" --json show "${@:2}" >/dev/null 2>&1
}
# arrives POC NUMBER [CHANNEL]
arrives() {
    wait_for 10 has "$@"
}
# step_of POC STEP BY NUMBER [CHANNEL]: does this desk see that step?
step_of() {
    desk "$1" --json show "${@:4}" | row step 'select(.kind == "'"$2"'") | .poc' | grep -qxF "$3"
}
# is POC FILTER NUMBER [CHANNEL]: is it true of the message's row?
is() {
    [ "$(desk "$1" --json show "${@:3}" | row message "$2" | head -n 1)" = true ]
}
