#!/usr/bin/env bats
# A receipt is verified with openssl and coreutils alone, and hotline-audit says the same.

setup_file() {
    command -v openssl >/dev/null || skip "no openssl here"
    export M=$BATS_FILE_TMPDIR/m
    "${BUILD:-build}/tests/stock/stock" log "$M" 300
    # entry 14 is a commitment behind ten public documents and four agreement notes: find it as any reader would
    entry 14 >"$BATS_FILE_TMPDIR/e14"
    entry 0 >"$BATS_FILE_TMPDIR/e0"
}

# entry N: out of the first bundle, by the lengths before each entry
entry() {
    local at=0 n
    for _ in $(seq 0 "$1"); do
        n=$((0x$(tail -c +$((at + 1)) "$M/tile/entries/000" | head -c 2 | od -An -tx1 | tr -d ' \n')))
        at=$((at + 2 + n))
    done
    tail -c +$((at - n + 1)) "$M/tile/entries/000" | head -c "$n"
}

audit() {
    "${BUILD:-build}/hotline-audit" "$@"
}

# both PROOF ENTRY POLICY STATUS: the shell and the program come to the same verdict
both() {
    run sh tests/stock/receipt.sh "$1" "$2" "$3"
    echo "shell: $status $output"
    [ "$status" -eq "$4" ]
    run audit receipt "$1" "$2" "$3"
    echo "program: $status $output"
    [ "$status" -eq "$4" ]
}

@test "the receipt of a message verifies, with its opening" {
    audit prove "$M" 14 --out "$BATS_TEST_TMPDIR/p"
    both "$BATS_TEST_TMPDIR/p" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 0
    [[ "$output" = *"BOREALIA 1-3"* ]]
    # the opening's first field is the record's type: the commitment is plain SHA-256
    sed -n 's/^extra //p' "$BATS_TEST_TMPDIR/p" | base64 -d >"$BATS_TEST_TMPDIR/o"
    {
        printf 'hotline/1 exercise leaf\000'
        head -c 32 "$BATS_TEST_TMPDIR/o"
        printf '%08x' $(($(stat -c %s "$BATS_TEST_TMPDIR/o") - 32)) | xxd -r -p
        tail -c +33 "$BATS_TEST_TMPDIR/o"
    } | sha256sum | cut -d ' ' -f 1 >"$BATS_TEST_TMPDIR/want"
    [ "$(xxd -p -c 32 "$BATS_FILE_TMPDIR/e14")" = "$(cat "$BATS_TEST_TMPDIR/want")" ]
}

@test "the receipt of a public document, the first and the last entry verify" {
    audit prove "$M" 0 --out - >"$BATS_TEST_TMPDIR/p"
    both "$BATS_TEST_TMPDIR/p" "$BATS_FILE_TMPDIR/e0" "$M/policy.txt" 0
    audit prove "$M" 299 >"$BATS_TEST_TMPDIR/p"
    tail -c 32 "$M/tile/entries/001.p/44" >"$BATS_TEST_TMPDIR/e"
    both "$BATS_TEST_TMPDIR/p" "$BATS_TEST_TMPDIR/e" "$M/policy.txt" 0
}

@test "another entry, another index, a hash more, fewer or spoilt: FAILED" {
    p=$BATS_TEST_TMPDIR/p bad=$BATS_TEST_TMPDIR/bad
    audit prove "$M" 14 --out "$p"
    both "$p" "$BATS_FILE_TMPDIR/e0" "$M/policy.txt" 3
    sed 's/^index 14$/index 15/' "$p" >"$bad"
    both "$bad" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 3
    sed 's/^index 14$/index 014/' "$p" >"$bad"
    both "$bad" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 3
    sed '4{h;p}' "$p" >"$bad"
    both "$bad" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 3
    sed 4d "$p" >"$bad"
    both "$bad" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 3
    sed '5s/^./-/' "$p" >"$bad"
    both "$bad" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 3
}

@test "a changed size, root, signature or cosignature: FAILED" {
    p=$BATS_TEST_TMPDIR/p bad=$BATS_TEST_TMPDIR/bad
    audit prove "$M" 14 --out "$p"
    sed 's/^300$/301/' "$p" >"$bad"
    both "$bad" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 3
    for line in doria.example arcadia.example; do
        sed "/^— $line/s/.\{6\}\$/AAAAA=/" "$p" >"$bad"
        both "$bad" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 3
    done
}

@test "one witness of two, or one witness twice: INCOMPLETE" {
    p=$BATS_TEST_TMPDIR/p bad=$BATS_TEST_TMPDIR/bad
    audit prove "$M" 14 --out "$p"
    sed '/^— caldera.example/d' "$p" >"$bad"
    both "$bad" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 4
    sed '/^— arcadia.example/{h;p}; /^— caldera.example/d' "$p" >"$bad"
    both "$bad" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 4
    grep -c '^— arcadia' "$bad" | grep -qx 2
    sed 's/^— caldera.example/— Caldera.example/' "$p" >"$bad"
    both "$bad" "$BATS_FILE_TMPDIR/e14" "$M/policy.txt" 4
}

@test "a log that the policy does not name: FAILED; no quorum asked for: VERIFIED" {
    p=$BATS_TEST_TMPDIR/p
    audit prove "$M" 14 --out "$p"
    sed 's/^log .*/log hotline.example\/audit+02f8ea01+AYqI4910CfGV\/VLbLTy6XXLKZwm\/HZQSG\/N0iAG0D29c/' \
        "$M/policy.txt" >"$BATS_TEST_TMPDIR/policy"
    both "$p" "$BATS_FILE_TMPDIR/e14" "$BATS_TEST_TMPDIR/policy" 3
    { grep '^log ' "$M/policy.txt"; echo "quorum none"; } >"$BATS_TEST_TMPDIR/policy"
    both "$p" "$BATS_FILE_TMPDIR/e14" "$BATS_TEST_TMPDIR/policy" 0
}

@test "a policy with a key of small order is not taken by either" {
    p=$BATS_TEST_TMPDIR/p
    audit prove "$M" 14 --out "$p"
    { grep '^log ' "$M/policy.txt"
      echo "witness w w+0fd7ff53+BAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
      echo "quorum w"; } >"$BATS_TEST_TMPDIR/policy"
    run sh tests/stock/receipt.sh "$p" "$BATS_FILE_TMPDIR/e14" "$BATS_TEST_TMPDIR/policy"
    [ "$status" -eq 3 ]
    run audit receipt "$p" "$BATS_FILE_TMPDIR/e14" "$BATS_TEST_TMPDIR/policy"
    [ "$status" -eq 4 ]
    [[ "$output" = *"line 2"* ]]
}

@test "hotline-audit: usage is 2, a verdict is 3 or 4, and help goes to standard output" {
    run audit
    [ "$status" -eq 2 ]
    run audit verify
    [ "$status" -eq 2 ]
    run audit verify "$M" --out x
    [ "$status" -eq 2 ]
    run audit frobnicate
    [ "$status" -eq 2 ]
    run audit prove "$M" 07
    [ "$status" -eq 2 ]
    run audit prove "$M" 300
    [ "$status" -eq 4 ]
    [[ "$output" = *"covers 300 entries"* ]]
    run audit prove "$BATS_TEST_TMPDIR/none" 0
    [ "$status" -eq 4 ]
    run audit verify "$BATS_TEST_TMPDIR/none"
    [ "$status" -eq 4 ]
    run audit receipt "$BATS_TEST_TMPDIR/none" "$M/policy.txt" "$M/policy.txt"
    [ "$status" -eq 4 ]
    run audit --help
    [ "$status" -eq 0 ]
    [[ "$output" = *"INCOMPLETE"* ]]
    run audit --version
    [ "$status" -eq 0 ]
    audit verify "$M" --json | jq -e '.schema == "hotline.audit/1" and .verdict == "VERIFIED" and .realm == "exercise"'
}

@test "hotline-audit is linked with no network library, no database and no secret-key code" {
    run bash -c "ldd ${BUILD:-build}/hotline-audit | grep -E 'zmq|sqlite|curl|microhttpd'"
    [ "$status" -eq 1 ]
    run bash -c "nm -D ${BUILD:-build}/hotline-audit | grep -E 'crypto_sign_(detached|seed_keypair|keypair)|crypto_box|crypto_pwhash'"
    [ "$status" -eq 1 ]
}
