# Promise 1 and 2 of the design: whatever process dies, whenever, nothing promised is lost and nothing acts twice.
load lib

setup() {
    DIR=$BATS_TEST_TMPDIR/b
    broker_init "$DIR"
    broker_start "$DIR"
}
teardown() { end_all; }

# kill_loop ROLE: three times at a random moment, with traffic
kill_loop() {
    couriers "$DIR" --rate 40 --until "$DIR/enough" --seconds 60
    for round in 1 2 3; do
        sleep "0.$((RANDOM % 8 + 2))"
        kill -9 "$(broker_role "$DIR" "$1")"
        wait_for 10 broker_role "$DIR" "$1"
        wait_for 10 broker_is "$DIR" '.up and .keys_in_effect'
    done
    touch "$DIR/enough"
    couriers_finish
    wait_for 5 broker_published "$DIR"
    python3 tests/scenario/check_log.py "$DIR" "$DIR/desk-0" "$DIR/desk-1"
}

@test "kill -9 of the front: sessions come again, nothing recorded changes" {
    kill_loop front
}

@test "kill -9 of the core: all start again, every receipt still leads to the log" {
    kill_loop core
}

@test "kill -9 of the signer: all start again, no two checkpoints contradict each other" {
    kill_loop signer
}

@test "kill -9 of the publisher: traffic goes on, the tiles catch up" {
    kill_loop publisher
}

@test "kill -9 of the parent: no process of it stays, and the next one goes on" {
    couriers "$DIR" --rate 40 --until "$DIR/enough" --seconds 60
    for round in 1 2 3; do
        sleep "0.$((RANDOM % 8 + 2))"
        children=$(pgrep -P "$(cat "$DIR/pid")")
        broker_stop "$DIR" KILL || true
        for child in $children; do
            wait_for 5 test ! -e "/proc/$child"
        done
        broker_start "$DIR"
    done
    touch "$DIR/enough"
    couriers_finish
    wait_for 5 broker_published "$DIR"
    python3 tests/scenario/check_log.py "$DIR" "$DIR/desk-0" "$DIR/desk-1" --export "$DIR/sample"
    for name in oldest newest; do # by openssl and coreutils, and by the auditor's program
        sh tests/stock/receipt.sh "$DIR/sample/$name.tlog-proof" "$DIR/sample/$name.entry" "$DIR/sample/policy"
        "$B/hotline-audit" receipt "$DIR/sample/$name.tlog-proof" "$DIR/sample/$name.entry" "$DIR/sample/policy"
    done
}
