# Restored backups, lost files and damage: a broker that knows less than it promised says so, promises nothing more,
# and goes on delivering.
load lib

# One past to put back, one present, made once: "old" and "new" of state/.
setup_file() {
    DIR=$BATS_FILE_TMPDIR/b
    BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
    broker_init "$DIR"
    broker_start "$DIR"
    background mail courier "$DIR" 3 2 --messages 5 --rate 100 --alone 0 # PoC 2 is not connected
    finish mail
    run_couriers 5
    broker_stop "$DIR"
    cp -a "$DIR/state" "$DIR/old"
    broker_start "$DIR"
    run_couriers 10
    wait_for 5 broker_published "$DIR"
    broker_stop "$DIR"
    cp -a "$DIR/state" "$DIR/new"
}
teardown_file() {
    BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
    end_all
}
setup() {
    DIR=$BATS_TEST_TMPDIR/b
    cp -a "$BATS_FILE_TMPDIR/b" "$DIR"
    cp "$DIR/public/checkpoint" "$DIR/published"
    : >"$DIR/words"
}
teardown() { end_all; }

# run_couriers N: until both desks have N messages of their own, all recorded and acknowledged
run_couriers() {
    couriers "$DIR" --messages "$1" --rate 100 --seconds 30
    couriers_finish
}
restore() { rm -rf "$DIR/state" && cp -a "$DIR/$1" "$DIR/state"; }

# dead: told to the operator, in the status, over restarts; what was published stands; refuses, delivers
dead() {
    wait_for 10 broker_is "$DIR" .head.dead
    says 'rolled back' "$DIR/words"
    says 'closed for good' "$DIR/words"
    broker_stop "$DIR"
    broker_start "$DIR"
    broker_is "$DIR" .head.dead
    size=$(broker_says "$DIR" .head.size)
    background reader courier "$DIR" 2 3 --messages 1 --alone 5 --expect E-DEAD
    finish reader
    [ "$(jq '.acts, .refusals' "$BATS_TEST_TMPDIR/reader.out" | xargs)" = "5 6" ]
    [ "$(broker_says "$DIR" .head.size)" = "$size" ]
    cmp "$DIR/public/checkpoint" "$DIR/published"
}

@test "a restored backup: a client's checkpoint closes the log for good, mail is delivered, submits are refused" {
    restore old
    broker_start "$DIR"
    background teller courier "$DIR" 0 1 --messages 11 --alone 0 --expect E-DEAD
    fails finish teller
    says 'the log is smaller than it was' "$BATS_TEST_TMPDIR/teller.err"
    [ "$(jq .refusals "$BATS_TEST_TMPDIR/teller.out")" -ge 1 ]
    dead
}

@test "a restored store beside the signer's newest state: the signer's last note closes the log for good" {
    restore old
    cp -a "$DIR/new/signer/head" "$DIR/state/signer/head"
    broker_start "$DIR"
    rm -rf "$DIR/desk-0" # a desk that remembers nothing
    background teller courier "$DIR" 0 1 --messages 1 --alone 0 --seconds 1
    fails finish teller # recorded, perhaps; but without a receipt
    dead
}

@test "a store that was deleted: not a new log under an old name" {
    rm "$DIR"/state/store.db*
    broker_start "$DIR"
    wait_for 10 broker_is "$DIR" .head.dead
    says 'rolled back' "$DIR/words"
    cmp "$DIR/public/checkpoint" "$DIR/published"
}

@test "the signer's state put back, or missing: nothing is promised, mail is delivered; with the right one all goes on" {
    for state in old missing; do
        restore new
        rm "$DIR/state/signer/head"
        [ $state = missing ] || cp -a "$DIR/old/signer/head" "$DIR/state/signer/head"
        : >"$DIR/words"
        broker_start "$DIR"
        rm -rf "$DIR/desk-2"
        background reader courier "$DIR" 2 3 --messages 1 --alone 5 --seconds 1
        fails finish reader
        [ "$(jq '.acts, .missing' "$BATS_TEST_TMPDIR/reader.out" | xargs)" = "5 6" ] # nothing has a receipt
        says 'nothing is promised until you have looked' "$DIR/words"
        broker_is "$DIR" '.head.dead == false and .head.signed < .head.size'
        broker_stop "$DIR"
    done
    cp -a "$DIR/new/signer/head" "$DIR/state/signer/head"
    broker_start "$DIR"
    run_couriers 12
    wait_for 5 broker_published "$DIR"
    broker_is "$DIR" '.head.dead == false'
}

# Before the first entry is read the files must be right; a broker that cannot start says why, and changes nothing.
@test "damaged files: a clear end, nothing on the disk changed, no attempts for ever" {
    store=$DIR/state/store.db
    damage() { # STATUS TEXT COMMAND...: on the store or the signer's state
        restore new
        "${@:3}"
        before=$(cd "$DIR/state" && sha256sum "$touched")
        rc=0
        timeout 10 "$B/hotlined" -c "$DIR/hotlined.conf" >"$BATS_TEST_TMPDIR/err" 2>&1 3>&- || rc=$?
        [ "$before" = "$(cd "$DIR/state" && sha256sum "$touched")" ] || { echo "${*:3}: changed"; return 1; }
        [ $rc = "$1" ] && says "$2" "$BATS_TEST_TMPDIR/err" && return
        echo "${*:3}: status $rc, not $1; or not \"$2\" in"
        cat "$BATS_TEST_TMPDIR/err"
        return 1
    }
    overwrite() { # FILE OFFSET BYTES
        head -c "$3" /dev/urandom | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
    }
    other() { # ORIGIN: the store of another log
        rm -rf "$BATS_TEST_TMPDIR/other"
        "$B/hotlined" init "$BATS_TEST_TMPDIR/other" --realm "$(cut -d/ -f2 <<<"$1")" --origin "$1" --listen "tcp://127.0.0.1:$(free_port)" --no-passphrase
        broker_start "$BATS_TEST_TMPDIR/other"
        broker_stop "$BATS_TEST_TMPDIR/other"
        rm "$DIR"/state/store.db*
        cp "$BATS_TEST_TMPDIR"/other/state/store.db* "$DIR/state/"
    }
    touched=store.db
    damage 1 'the store is damaged' overwrite "$store" 0 100
    damage 1 'the store is damaged' truncate -s 10000 "$store"
    damage 1 'the store is damaged' overwrite "$store" 4096 4096
    damage 5 'it belongs to the other realm' other d.example/exercise/p0/2
    damage 5 'it belongs to the other realm' other d.example/live/p0/1
    touched=signer/head
    damage 1 'the store is damaged' overwrite "$DIR/state/signer/head" 0 8192
    damage 1 'the store is damaged' truncate -s 100 "$DIR/state/signer/head"
    restore new
    broker_start "$DIR"
    run_couriers 11
}

@test "a store whose WAL is gone after a power cut: a clear end; with the WAL all goes on" {
    broker_start "$DIR"
    kill -STOP "$(broker_role "$DIR" publisher)" # it would move the WAL into the file
    run_couriers 12
    children=$(pgrep -P "$(cat "$DIR/pid")")
    fails broker_stop "$DIR" KILL
    for child in $children; do wait_for 5 test ! -e "/proc/$child"; done
    mv "$DIR/state/store.db-wal" "$BATS_TEST_TMPDIR/wal"
    fails timeout 10 "$B/hotlined" -c "$DIR/hotlined.conf" 2>"$BATS_TEST_TMPDIR/err" 3>&-
    says 'the store is damaged' "$BATS_TEST_TMPDIR/err"
    mv "$BATS_TEST_TMPDIR/wal" "$DIR/state/store.db-wal"
    broker_start "$DIR"
    run_couriers 13
    wait_for 5 broker_published "$DIR"
    python3 tests/scenario/check_log.py "$DIR" "$DIR"/desk-[013]
}

@test "a store damaged under a running broker: attempts become rare, and it goes on when the file is back" {
    broker_start "$DIR"
    parent=$(cat "$DIR/pid")
    kill -STOP "$parent"
    kill -9 $(broker_role "$DIR" core) $(broker_role "$DIR" publisher)
    cp "$DIR/state/store.db" "$DIR/good"
    truncate -s 10000 "$DIR/state/store.db"
    kill -CONT "$parent"
    sleep 3
    attempts=$(grep -c 'parent: core ended' "$DIR/words")
    [ "$attempts" -ge 3 ]
    [ "$attempts" -le 8 ]
    says 'the store is damaged' "$DIR/words"
    cp "$DIR/good" "$DIR/state/store.db"
    run_couriers 11
}
