# Clean ends, small disks, wrong clocks, other bytes among the tiles.
load lib

setup() {
    DIR=$BATS_TEST_TMPDIR/b
    broker_init "$DIR"
}
teardown() {
    end_all
    [ ! -e "$BATS_TEST_TMPDIR/small" ] || umount "$BATS_TEST_TMPDIR/small"
}

run_couriers() { # N
    couriers "$DIR" --messages "$1" --rate 100 --seconds 30
    couriers_finish
}
check_log() {
    wait_for 5 broker_published "$DIR"
    python3 tests/scenario/check_log.py "$DIR" "${DESKS:-$DIR}"/desk-[01] "$@"
}
set_in() { # SETTING...: more lines of settings
    printf '%s\n' "$@" >>"$DIR/hotlined.conf"
}

@test "SIGTERM under load and under a flood: a clean end in less than 3 s, nothing promised is lost" {
    broker_start "$DIR"
    couriers "$DIR" --rate 60 --until "$DIR/enough" --seconds 40
    for round in 1 2 3; do
        for poc in 9 10 11 12; do
            background flood-$poc "$B/tests/hostile/stranger" --dir "$DIR" --poc $poc --seconds 2 flood
        done
        sleep 1
        children=$(pgrep -P "$(cat "$DIR/pid")")
        before=$(date +%s%N)
        broker_stop "$DIR"
        [ $((($(date +%s%N) - before) / 1000000)) -lt 3000 ]
        for child in $children; do [ ! -e "/proc/$child" ]; done
        [ ! -e "$DIR/state/hotlined.sock" ]
        broker_start "$DIR"
        for poc in 9 10 11 12; do finish flood-$poc; done
    done
    touch "$DIR/enough"
    couriers_finish
    check_log
    fails grep -E '^<[0-3]>' "$DIR/words"
}

@test "other bytes in the folder of tiles: the publisher stops, the operator is told, traffic goes on" {
    broker_start "$DIR"
    run_couriers 5
    wait_for 5 broker_published "$DIR"
    broker_stop "$DIR"
    printf 'x' | dd of="$DIR/public/tile/entries/000.p/$(sed -n 2p "$DIR/public/checkpoint")" bs=1 seek=40 conv=notrunc status=none
    broker_start "$DIR"
    run_couriers 10
    wait_for 5 says 'publisher: ' "$DIR/words"
    wait_for 5 says 'parent: publisher ended' "$DIR/words"
    fails broker_published "$DIR"
}

@test "little space: ROUTINE and PRIORITY are refused, then all but steps and FLASH; with space all is recorded" {
    free_mb=$(($(df --output=avail -k "$DIR" | tail -1) / 1024))
    broker_start "$DIR" # one that has all its documents
    wait_for 10 broker_is "$DIR" '.documents == 10'
    broker_stop "$DIR"
    background low courier "$DIR" 0 1 --messages 8 --alone 0 --rate 100 --seconds 10 --expect E-SPACE
    set_in "limits : { space_low_mb = $((free_mb + 100000)); space_min_mb = 1; };"
    broker_start "$DIR"
    finish low
    # of eight messages two are IMMEDIATE, one is FLASH
    broker_is "$DIR" '.space == "urgent only" and .counters.recorded == 3 and .counters.refused == 5'
    broker_stop "$DIR"
    sed -i 's/space_min_mb = 1/space_min_mb = '$((free_mb + 50000))/ "$DIR/hotlined.conf"
    broker_start "$DIR"
    background least courier "$DIR" 1 0 --messages 8 --alone 0 --rate 100 --seconds 10 --expect E-SPACE
    finish least
    # three acknowledgements and the FLASH
    wait_for 3 broker_is "$DIR" '.space == "steps and FLASH only" and .counters.recorded == 4 and .counters.refused == 7'
    broker_stop "$DIR"
    sed -i '/^limits/d' "$DIR/hotlined.conf"
    broker_start "$DIR"
    run_couriers 8
    check_log
}

# The store writes where it set room aside at its beginning; only the tiles need new space.
@test "a full disk: FLASH and steps are still recorded, the rest is refused; with space all is recorded and published" {
    [ "$(id -u)" = 0 ] || skip "needs a file system of its own, which only root can mount"
    mkdir "$BATS_TEST_TMPDIR/small" "$BATS_TEST_TMPDIR/desks"
    mount -t tmpfs -o size=120m,mode=755 hotline-test "$BATS_TEST_TMPDIR/small" || skip "cannot mount here"
    DIR=$BATS_TEST_TMPDIR/small/b
    DESKS=$BATS_TEST_TMPDIR/desks
    broker_init "$DIR"
    set_in "limits : { space_low_mb = 2; space_min_mb = 1; };"
    broker_start "$DIR"
    run_couriers 5
    head -c 200M /dev/zero >"$BATS_TEST_TMPDIR/small/ballast" 2>/dev/null || true
    wait_for 5 broker_is "$DIR" '.space == "steps and FLASH only"'
    before=$(broker_says "$DIR" .head.size)
    couriers "$DIR" --messages 30 --rate 60 --seconds 50
    wait_for 20 broker_is "$DIR" ".head.signed > $before and .counters.refused > 0"
    wait_for 20 says 'parent: publisher ended' "$DIR/words"
    rm "$BATS_TEST_TMPDIR/small/ballast"
    couriers_finish
    fails says 'parent: core ended' "$DIR/words"
    wait_for 15 broker_published "$DIR"
    check_log
}

@test "a clock ten years ahead, ten years behind, then right again: messages flow, the operator is told" {
    for offset in 315360000 -315360000 0; do
        sed -i '/^clock_offset_s/d' "$DIR/hotlined.conf"
        set_in "clock_offset_s = $offset;"
        broker_start "$DIR"
        run_couriers $((10 + $(ls "$DIR"/desk-0/out 2>/dev/null | wc -l)))
        broker_stop "$DIR"
    done
    # behind its own record the operator is told, at each start
    [ "$(grep -c '^<3>core: the newest entry is [0-9]* s ahead of this clock' "$DIR/words")" = 2 ]
    broker_start "$DIR"
    check_log
}
