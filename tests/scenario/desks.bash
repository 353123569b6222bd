# Desks for the scenarios: the parties of conf/demo/agreement.cfg, brokers of DORIA and CALDERA, commands without agents.
# shellcheck shell=bash
export HOTLINE_PHRASEBOOK=$PWD/conf/phrasebook/core.cfg
PARTIES="arcadia borealia caldera doria"
H() { "$B/hotline" --no-input "$@"; }
X() { H --realm exercise "$@"; }
desk() { # PARTY ARGS..: a command at the party's technical desk
    local who=$1
    shift
    H --desk "$DIR/desk/$who" "$@"
}
field() { jq -r "select(.schema == \"hotline.$1/1\") | .$2" | head -n 1; }
holds() { jq -en "[inputs | $1] | any" >/dev/null; } # FILTER: true for one of the rows
DORIA=doria.example/exercise/doria/1
CALDERA=caldera.example/exercise/caldera/1

# desks_init HOST..: four parties, their cards and agreement, brokers of these hosts running, subkeys announced
desks_init() {
    local party host i
    mkdir -p "$DIR/desk" "$DIR/party"
    for host in doria caldera; do
        "$B/hotlined" init "$DIR/$host" --realm exercise --origin "$host.example/exercise/$host/1" \
            --listen "tcp://127.0.0.1:$(free_port)" --no-passphrase >/dev/null
    done
    for party in $PARTIES; do
        X init "$DIR/desk/$party" "$party.technical" --no-passphrase --witness >/dev/null 2>&1
        for i in 1 2; do
            desk "$party" position "watch-$i" --holder "officer-$i" --permissions draft,release,acknowledge \
                --no-passphrase >/dev/null 2>&1
        done
        X party init "$DIR/party/$party" "$party" --no-passphrase >/dev/null 2>&1
        X party card "$DIR/party/$party" --poc "$DIR/desk/$party/poc.public" \
            $([ -d "$DIR/$party" ] && echo --host "$DIR/$party/host.public") >/dev/null 2>&1
        cp "$DIR/party/$party/card.note" "$DIR/desk/$party/own.card"
    done
    X agreement new conf/demo/agreement.cfg $(for party in $PARTIES; do echo --card "$DIR/party/$party/card.note"; done) \
        --out "$DIR/agreement.txt"
    for party in $PARTIES; do
        X agreement sign "$DIR/agreement.txt" --party "$DIR/party/$party" --out "$DIR/agreement-$party.note" >/dev/null
        for host in doria caldera; do
            cp "$DIR/party/$party/card.note" "$DIR/$host/documents/1-card-$party.note"
            cp "$DIR/agreement-$party.note" "$DIR/$host/documents/2-agreement-$party.note"
        done
    done
    for host in "$@"; do
        broker_start "$DIR/$host"
        for party in $PARTIES; do desk "$party" host "$DIR/$host/host.public" >/dev/null; done
    done
    for party in $PARTIES; do desk "$party" status >/dev/null; done # announces its subkeys
    for party in arcadia borealia; do
        wait_for 20 announced "$party"
        desk "$party" duty begin watch-1 >/dev/null
    done
}

announced() { # PARTY: it knows the subkeys of all four
    [ "$(desk "$1" --json contacts | jq -r 'select(.subkeys_last_day > 0) | .poc' | wc -l)" = 4 ]
}

# say [OPTIONS..]: BOREALIA's watch-1 sends to ARCADIA, alone, and prints the rows
say() {
    desk borealia --json send arcadia-borealia.technical --to arcadia.technical --category incident \
        --marking TLP:AMBER+STRICT --subject "a test" --position watch-1 --alone "$@"
}
