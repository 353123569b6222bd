#!/usr/bin/env bats
# An envelope is opened and verified by stock libraries, from docs/PROTOCOL.md alone.

open=tests/stock/open_envelope.py
vectors=tests/vectors

value() { # FILE NAME
    sed -n "s/^$2 //p" "$vectors/envelope-$1.txt"
}

# The envelope of a vector as a file; $2 is a byte to change, counted from the end when negative.
envelope() {
    value "$1" envelope | xxd -r -p >"$BATS_TEST_TMPDIR/envelope"
    [ -z "${2:-}" ] || /usr/bin/python3 - "$BATS_TEST_TMPDIR/envelope" "$2" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[2])] ^= 1
open(sys.argv[1], "wb").write(data)
PY
    echo "$BATS_TEST_TMPDIR/envelope"
}

@test "every value of every vector agrees" {
    n=0
    for v in "$vectors"/envelope-*.txt; do
        run "$open" --vector "$v"
        echo "$output"
        [ "$status" = 0 ]
        n=$((n + 1))
    done
    [ "$n" = 6 ]
}

@test "a recipient reads what was said, field by field" {
    run "$open" --realm live --poc arcadia.technical --subkey "$(value base subkey_private.0)" "$(envelope base)"
    [ "$status" = 0 ]
    [ "$(jq -r .number <<<"$output")" = "BOREALIA 7-6" ]
    [ "$(jq -r .precedence <<<"$output")" = FLASH ]
    [ "$(jq -r .content.text <<<"$output")" = "Call us on the voice line." ]
    [ "$(jq -r '.content.fields["4"].parameters.critical[1]' <<<"$output")" = true ]
    [ "$(jq -r '.content.fields["9"].state' <<<"$output")" = unknown ]
    [ "$(jq -r '.content.fields["11"].state' <<<"$output")" = withheld ]
}

@test "an alternate reads with the pre-shared key" {
    run "$open" --realm live --poc borealia.diplomatic --subkey "$(value alternate subkey_private.1)" \
        --half-a "$(value alternate psk_half_a)" --half-b "$(value alternate psk_half_b)" "$(envelope alternate)"
    [ "$status" = 0 ]
    [ "$(jq -r '.recipients[1][1]' <<<"$output")" = 11 ]
    [ "$(jq -r .content.thread <<<"$output")" = "$(value base mid)" ]
}

@test "a bodyless step verifies without any key" {
    run "$open" --realm live "$(envelope step)"
    [ "$status" = 0 ]
    [ "$(jq -r .kind <<<"$output")" = acknowledged ]
    [ "$(jq -r '.refs[0]' <<<"$output")" = "$(value base mid)" ]
}

@test "nothing opens with another subkey, PSK, PoC or realm" {
    psk="--half-a $(value alternate psk_half_a) --half-b"
    run "$open" --realm live --poc arcadia.technical --subkey "$(value base subkey_private.1)" "$(envelope base)"
    [ "$status" = 3 ]
    run "$open" --realm live --poc arcadia.diplomatic --subkey "$(value base subkey_private.0)" "$(envelope base)"
    [ "$status" = 3 ]
    run "$open" --realm live --poc doria.technical --subkey "$(value base subkey_private.0)" "$(envelope base)"
    [ "$status" = 3 ]
    run "$open" --realm exercise "$(envelope base)"
    [ "$status" = 3 ]
    # shellcheck disable=SC2086 # three words
    run "$open" --realm live --poc borealia.technical --subkey "$(value alternate subkey_private.0)" \
        $psk "$(value alternate psk_half_a)" "$(envelope alternate)"
    [ "$status" = 3 ]
}

@test "a changed bit in any part is found" {
    size=$(($(value draft envelope | wc -c) / 2))
    for at in 0 1 5 60 200 300 400 500 600 700 1000 $((size / 2)) -70 -66 -65 -1; do
        run "$open" --realm live "$(envelope draft "$at")"
        [ "$status" = 3 ] || { echo "byte $at of $size: $status"; false; }
    done
}
