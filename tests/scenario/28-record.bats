# What was recorded can be shown to anybody: receipts logged and witnessed, checked with tools of others; the mirror of
# each host, recomputed, is VERIFIED; what is spoilt is FAILED and what is missing INCOMPLETE.
bats_require_minimum_version 1.5.0
load world

setup_file() {
    world
    world_start arcadia.technical arcadia.diplomatic borealia.technical caldera.technical
    local number
    number=$(send_text arcadia.technical $COMMON -p PRIORITY --to borealia.technical --to caldera.technical -s "on record")
    echo "$number" >"$W/number"
    wait_for 10 has borealia.technical "$number" $COMMON
    wait_for 10 has caldera.technical "$number" $COMMON
    desk borealia.technical ack "$number" $COMMON --position watch-1 >/dev/null 2>&1
    desk caldera.technical ack "$number" $COMMON --position watch-1 >/dev/null 2>&1
    send_text arcadia.technical $CRISIS --to borealia.technical -s "not for CALDERA" >"$W/second"
}
teardown_file() { world_end; }

audit() { "$B/hotline-audit" "$@"; }

@test "the receipt of each host, logged and witnessed, with tools of others and with ours" {
    local host
    for host in $DORIA $CALDERA; do
        desk arcadia.technical receipt "$(cat "$W/number")" $COMMON --host $host --out "$W/logged" 2>/dev/null
        run sh tests/stock/receipt.sh "$W/logged/receipt.tlog-proof" "$W/logged/receipt.entry" "$W/logged/policy.txt"
        echo "$status $output"
        [ "$status" -eq 0 ] || [ "$status" -eq 4 ] # 4: not witnessed yet
        desk arcadia.technical receipt "$(cat "$W/number")" $COMMON --host $host --witnessed -W 20 --out "$W/receipt" 2>/dev/null
        run sh tests/stock/receipt.sh "$W/receipt/receipt.tlog-proof" "$W/receipt/receipt.entry" "$W/receipt/policy.txt"
        echo "$output"
        [ "$status" -eq 0 ]
        run audit receipt "$W/receipt/receipt.tlog-proof" "$W/receipt/receipt.entry" "$W/receipt/policy.txt"
        [ "$status" -eq 0 ]
        [[ "$output" = *"grade    witnessed"* ]]
        [[ "$output" = *"$(cat "$W/number")"* ]]
    done
}

@test "a reader has the same proof as the sender" {
    desk caldera.technical receipt "$(cat "$W/number")" $COMMON --host $DORIA --witnessed -W 20 --out "$W/reader" 2>/dev/null
    run sh tests/stock/receipt.sh "$W/reader/receipt.tlog-proof" "$W/reader/receipt.entry" "$W/reader/policy.txt"
    [ "$status" -eq 0 ]
    cmp "$W/reader/receipt.entry" <(desk arcadia.technical receipt "$(cat "$W/number")" $COMMON --host $DORIA --witnessed -W 20 --out "$W/sender" 2>/dev/null; cat "$W/sender/receipt.entry")
}

@test "the auditor's mirror of both hosts is VERIFIED, with everything opened" {
    local host
    for host in $DORIA $CALDERA; do
        run desk caldera.technical --json audit mirror "$W/mirror-${host%%.*}" --host $host --audit -W 30
        echo "$output"
        [ "$status" -eq 0 ]
        run audit verify "$W/mirror-${host%%.*}"
        echo "$output"
        [ "$status" -eq 0 ]
        [[ "$output" = "VERIFIED"* ]]
        [[ "$output" =~ opened\ ([0-9]+)\ of\ ([0-9]+)\ commitments ]]
        [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
        [ "${BASH_REMATCH[1]}" -ge 8 ]
    done
}

@test "a party's own mirror opens what it has, and is not VERIFIED beyond that; the path is where the officer stands" {
    mkdir -p "$W/elsewhere"
    cd "$W/elsewhere"
    "$B/hotline" --no-input --desk "$W/desk/borealia.technical" audit mirror own --host $DORIA -W 30
    [ -f "$W/elsewhere/own/checkpoint" ]
    cd - >/dev/null
    run audit verify "$W/elsewhere/own"
    echo "$output"
    [ "$status" -eq 0 ] || [ "$status" -eq 4 ]
    [[ "$output" != *FAILED* ]]
}

@test "a mirror is taken further, not anew; one flipped bit in it is FAILED, a missing tile INCOMPLETE" {
    local before file
    before=$(sed -n 2p "$W/mirror-doria/checkpoint")
    send_text arcadia.technical $COMMON --to caldera.technical -s "later" >/dev/null
    desk caldera.technical audit mirror "$W/mirror-doria" --host $DORIA --audit -W 30 >/dev/null
    [ "$(sed -n 2p "$W/mirror-doria/checkpoint")" -gt "$before" ]
    run -0 audit verify "$W/mirror-doria"
    cp -r "$W/mirror-doria" "$W/spoilt"
    file=$(find "$W/spoilt/tile/entries" -type f | head -n 1)
    chmod u+w "$file"
    python3 -c 'import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[-1] ^= 1; open(sys.argv[1], "wb").write(b)' "$file"
    run audit verify "$W/spoilt"
    [ "$status" -eq 3 ]
    [[ "$output" = *"first bad entry"* ]]
    cp -r "$W/mirror-doria" "$W/cut"
    rm "$(find "$W/cut/tile/entries" -type f | head -n 1)"
    run audit verify "$W/cut"
    echo "$output"
    [ "$status" -eq 4 ]
}
