#!/usr/bin/env bats
# What the log is, tools of others say: golang.org/x/mod/sumdb, offline, from Debian's package.

setup_file() {
    export GO111MODULE=off GOPATH=/usr/share/gocode GOPROXY=off GOFLAGS= GOCACHE=$BATS_FILE_TMPDIR/cache
    command -v go >/dev/null || skip "no Go here"
    go build -o "$BATS_FILE_TMPDIR/tlog" tests/stock/tlog/main.go
}

stock() {
    "${BUILD:-build}/tests/stock/stock" "$@"
}

@test "x/mod computes the same roots and proofs, for sizes 0 to 600 and around 65,536" {
    run bash -o pipefail -c "${BUILD:-build}/tests/stock/stock proofs | $BATS_FILE_TMPDIR/tlog proofs"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$output" = "609 trees agree" ]
}

@test "the empty tree's root is RFC 6962's constant" {
    stock proofs >"$BATS_TEST_TMPDIR/proofs"
    read -r size _ root _ <"$BATS_TEST_TMPDIR/proofs"
    [ "$size" = 0 ]
    [ "$root" = "$(printf '' | sha256sum | cut -d ' ' -f 1)" ]
}

@test "x/mod gives the same verdict on a signed note and on every flipped bit and cut of it" {
    stock notes >"$BATS_TEST_TMPDIR/notes"
    run "$BATS_FILE_TMPDIR/tlog" notes \
        "hotline.example/audit+02f8ea01+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c" \
        "witness.example/alpha+caf1d5ca+BGa+fjMsekUzMr2dCn99sFX1xe8aBq2mbZizn7aBDEc6" <"$BATS_TEST_TMPDIR/notes"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" = "2883 notes: 3 good for both,"* ]]
}

@test "x/mod reads a mirror: checkpoint, cosignatures, every tile and every entry" {
    for size in 16 255 256 257 512 1000; do
        stock log "$BATS_TEST_TMPDIR/$size" "$size"
        run "$BATS_FILE_TMPDIR/tlog" mirror "$BATS_TEST_TMPDIR/$size"
        echo "$output"
        [ "$status" -eq 0 ]
        [ "$output" = "$size entries, 3 signatures, 2 checkpoints agree" ]
        run "${BUILD:-build}/hotline-audit" verify "$BATS_TEST_TMPDIR/$size"
        echo "$output"
        [ "$status" -eq 0 ]
    done
}

@test "x/mod refuses the mirror in which one byte was changed, as hotline-audit does" {
    stock log "$BATS_TEST_TMPDIR/m" 300
    for file in tile/entries/000 tile/entries/001.p/44 tile/0/000 tile/0/001.p/44 checkpoint; do
        cp -r "$BATS_TEST_TMPDIR/m" "$BATS_TEST_TMPDIR/bad"
        printf '\377' | dd of="$BATS_TEST_TMPDIR/bad/$file" bs=1 seek=35 conv=notrunc status=none
        run "$BATS_FILE_TMPDIR/tlog" mirror "$BATS_TEST_TMPDIR/bad"
        [ "$status" -ne 0 ]
        run "${BUILD:-build}/hotline-audit" verify "$BATS_TEST_TMPDIR/bad"
        echo "$file: $output"
        [ "$status" -eq 3 ]
        rm -r "$BATS_TEST_TMPDIR/bad"
    done
}
