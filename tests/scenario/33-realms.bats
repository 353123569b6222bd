# Nothing crosses between live and exercise: envelopes, documents and keys of the other realm are refused by name; secret
# files that others may read are refused, naming chmod.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world
    world_start arcadia.technical borealia.technical
    send_text arcadia.technical $CRISIS --to borealia.technical -s "an exercise" >"$W/number"
    desk arcadia.technical export "$(cat "$W/number")" $CRISIS --out "$W/envelope"
    # an installation of the live realm, same names
    hotline --realm live init "$W/live" borealia.technical --no-passphrase >/dev/null 2>&1
    hotline --desk "$W/live" position watch-1 --holder officer-1 --permissions draft,release,acknowledge --no-passphrase >/dev/null 2>&1
    hotline --realm live party init "$W/live-party" borealia --no-passphrase >/dev/null 2>&1
}
teardown_file() { world_end; }

live() { hotline --desk "$W/live" "$@"; }
refused() { # STATUS NAME: of the last run
    echo "$status $output $stderr"
    [ "$status" -eq "$1" ]
    [[ "$stderr" = *"($2)"* ]]
}

@test "a live desk takes no envelope and no document of an exercise" {
    run --separate-stderr live import "$W/envelope"
    refused 5 E-REALM
    [[ "$stderr" = *realm* ]]
    run --separate-stderr live submit "$W/party/borealia/card.note" -W 1
    refused 5 E-REALM
    run --separate-stderr hotline --realm live fingerprint "$W/party/borealia/card.note"
    refused 5 E-REALM
    run --separate-stderr hotline --realm live agreement explain "$W/agreement.txt" borealia
    refused 5 E-REALM
}

@test "no key of one realm signs or opens in the other" {
    run --separate-stderr hotline --realm live agreement sign "$W/agreement.txt" --party "$W/party/borealia"
    refused 5 E-REALM
    run --separate-stderr hotline --realm exercise agreement sign "$W/agreement.txt" --party "$W/live-party"
    refused 5 E-REALM
    mkdir "$W/mixed"
    cp -r "$W/live/." "$W/mixed/"
    cp "$W/desk/borealia.technical/keys/machine.key" "$W/mixed/keys/machine.key.new"
    mv -f "$W/mixed/keys/machine.key.new" "$W/mixed/keys/machine.key"
    chmod 0700 "$W/mixed" "$W/mixed/keys"
    run --separate-stderr hotline --desk "$W/mixed" status
    refused 5 E-REALM
}

@test "a live desk is connected to no broker of an exercise, and knows no clock offset" {
    run --separate-stderr live host "$W/host/doria/host.public"
    refused 5 E-REALM
    [[ "$stderr" = *"a broker of the exercise realm; this desk is of the live realm"* ]]
    cp -r "$W/live" "$W/live-offset"
    echo 'clock_offset_s = 60;' >>"$W/live-offset/hotline.conf"
    run --separate-stderr hotline --desk "$W/live-offset" status
    echo "$status $stderr"
    [ "$status" -eq 2 ]
    [[ "$stderr" = *clock_offset_s* ]]
}

@test "a secret that others may read, or whose folder they may change, is refused, naming chmod" {
    local file
    cp -r "$W/desk/borealia.diplomatic" "$W/open"
    for file in keys/machine.key keys/transport.key keys/vault.key; do
        chmod 0444 "$W/open/$file"
        run --separate-stderr hotline --desk "$W/open" status
        refused 8 E-MODE
        [[ "$stderr" = *chmod* ]]
        chmod 0400 "$W/open/$file"
    done
    chmod 0777 "$W/open/keys"
    run --separate-stderr hotline --desk "$W/open" status
    refused 8 E-MODE
    chmod 0700 "$W/open/keys"
    run -0 hotline --desk "$W/open" status
    chmod 0444 "$W/open/keys/watch-1.key"
    run --separate-stderr hotline --desk "$W/open" duty begin watch-1
    refused 8 E-MODE
    [[ "$stderr" = *chmod* ]]
}
