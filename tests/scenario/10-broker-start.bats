# What an operator meets on a fresh machine: init, -t, settings and keys that are not right, each with its exit
# status and a line that says which file, which line, what.
load lib

setup() {
    DIR=$BATS_TEST_TMPDIR/b
    H=$B/hotlined
    "$H" init "$DIR" --realm exercise --origin d.example/exercise/p0/1 \
        --listen "tcp://127.0.0.1:$(free_port)" --no-passphrase
}
teardown() { end_all; }

# gives STATUS TEXT COMMAND...: that exit status, and that text on stderr, within 5 s
gives() {
    local want=$1 text=$2 rc=0
    shift 2
    timeout 5 "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- || rc=$?
    if [ $rc != "$want" ] || ! grep -qF -- "$text" "$BATS_TEST_TMPDIR/err"; then
        echo "$*: status $rc, wanted $want; wanted \"$text\" in:"
        cat "$BATS_TEST_TMPDIR/err"
        return 1
    fi
}

@test "init makes a folder that passes -t, whose secrets are its own, and never a second time" {
    "$H" -t -c "$DIR/hotlined.conf"
    [ "$(stat -c %a "$DIR/keys" "$DIR/keys/log.key" "$DIR/keys/transport.key" "$DIR/state" | xargs)" = "700 400 400 700" ]
    cp -r "$DIR" "$BATS_TEST_TMPDIR/before"
    gives 1 "it exists already" "$H" init "$DIR" --realm exercise --origin d.example/exercise/p0/1 --listen tcp://127.0.0.1:9 --no-passphrase
    rm "$DIR/hotlined.conf"
    gives 1 "it exists already" "$H" init "$DIR" --realm exercise --origin d.example/exercise/p0/1 --listen tcp://127.0.0.1:9 --no-passphrase
    diff -r "$DIR/keys" "$BATS_TEST_TMPDIR/before/keys"
}

@test "init refuses what a broker could not be" {
    init() { gives "$1" "$2" "$H" init "$BATS_TEST_TMPDIR/x" --realm "$3" --origin "$4" --listen "$5" "${@:6}"; }
    init 2 'usage:' drill d.example/exercise/p0/1 tcp://127.0.0.1:9 --no-passphrase
    init 2 '--no-passphrase' exercise d.example/exercise/p0/1 tcp://127.0.0.1:9
    init 2 'of this realm' exercise d.example/live/p0/1 tcp://127.0.0.1:9 --no-passphrase
    init 2 '<generation>' exercise d.example/exercise/p0 tcp://127.0.0.1:9 --no-passphrase
    init 2 '<generation>' exercise 'd example/exercise/p0/1' tcp://127.0.0.1:9 --no-passphrase
    init 2 'tcp://address:port' exercise d.example/exercise/p0/1 127.0.0.1:9 --no-passphrase
    init 2 'from 1 to 65535' exercise d.example/exercise/p0/1 tcp://127.0.0.1:65536 --no-passphrase
    [ ! -e "$BATS_TEST_TMPDIR/x" ]
}

@test "settings that are not right: status 2, file and line" {
    good=$(cat "$DIR/hotlined.conf")
    conf=$DIR/t.conf
    bad() { # LINE TEXT SETTINGS: LINE is counted in SETTINGS
        printf '%b' "$3" >"$conf"
        gives 2 "$conf:$1: error: $2" "$H" -t -c "$conf"
        gives 2 "$conf:$1: error: $2" "$H" -c "$conf"
    }
    more() { bad "$(($(wc -l <<<"$good") + $1))" "$2" "$good\n$3"; }
    more 1 "syntax error" 'limits.quota_mb = 5;\n'
    more 1 "unknown setting 'documentz'; did you mean 'documents'?" 'documentz = "x";\n'
    more 2 "unknown setting 'limits.quota_mesages'; did you mean 'limits.quota_messages'?" 'limits : {\nquota_mesages = 5; };\n'
    more 1 "unknown setting 'quux'" 'quux = 3;\n'
    more 1 "'limits.quota_mb' must be a whole number" 'limits : { quota_mb = "5"; };\n'
    more 1 "'state' must be text in quotes" 'state = 5;\n'
    more 1 "'limits.quota_mb' is 0; allowed are 2 to 1048576" 'limits : { quota_mb = 0; };\n'
    more 1 "'limits.quota_mb' is -5; allowed" 'limits : { quota_mb = -5; };\n'
    more 1 "the number is too large" 'limits : { quota_mb = 99999999999999999999; };\n'
    more 1 "'clock_offset_s' is 315360001; allowed" 'clock_offset_s = 315360001;\n'
    more 1 "'log_key' has 0 bytes" 'log_key = "";\n'
    more 1 "limits.space_min_mb is above limits.space_low_mb" 'limits : { space_min_mb = 500; };\n'
    more 1 "@include is not allowed" '@include "/etc/passwd"\n'
    more 1 "duplicate setting name" 'realm = "live";\n'
    more 1 "not plain UTF-8" 'user = "a\001b";\n'
    bad 1 "nothing is set in this file" ''
    bad 1 "nothing is set in this file" '# only words\n'
    bad 1 "'listen' is missing" 'realm = "exercise"; origin = "d/exercise/p0/1";\n'
    bad 2 'realm is "live" or "exercise"' '\nrealm = "drill"; origin = "d/exercise/p0/1"; listen = "tcp://127.0.0.1:9";\n'
    bad 3 'origin is <domain>' 'realm = "exercise";\n\norigin = "d/live/p0/1"; listen = "tcp://127.0.0.1:9";\n'
    bad 1 'listen is tcp://address:port' 'realm = "exercise"; origin = "d/exercise/p0/1"; listen = "udp://127.0.0.1:9";\n'
    bad 1 'listen is tcp://address:port, with a port from 1 to 65535' 'realm = "exercise"; origin = "d/exercise/p0/1"; listen = "tcp://127.0.0.1:165536";\n'
    bad 4 'the live realm has no clock_offset_s' 'realm = "live";\norigin = "d/live/p0/1";\nlisten = "tcp://127.0.0.1:9";\nclock_offset_s = 1;\n'
    gives 1 "not found" "$H" -t -c "$DIR/nothing.conf"
}

@test "keys that are not right: status by the table, the file by its name, nothing runs" {
    log=$DIR/keys/log.key
    bad() { # STATUS TEXT
        gives "$1" "$2" "$H" -t -c "$DIR/hotlined.conf"
        gives "$1" "$2" "$H" -c "$DIR/hotlined.conf"
        grep -qF "$log" "$BATS_TEST_TMPDIR/err"
        [ ! -e "$DIR/state/store.db" ]
    }
    for mode in 440 404 600 644; do
        chmod $mode "$log"
        [ $mode = 600 ] && "$H" -t -c "$DIR/hotlined.conf" && continue # its owner's alone
        bad 8 "open to others"
    done
    chmod 400 "$log"
    chmod 777 "$DIR/keys"
    bad 8 "open to others"
    chmod 700 "$DIR/keys"
    mv "$log" "$DIR/keys/real"
    bad 8 "the secret key is not here"
    ln -s real "$log"
    bad 1 "Too many levels of symbolic links"
    rm "$log"
    cp -p "$DIR/keys/transport.key" "$log"
    bad 8 "a secret key of another use"
    rm "$log"
    (umask 077 && head -c 200 "$DIR/keys/real" >"$log")
    bad 3 "not in the form"
    rm "$log"
    "$H" init "$BATS_TEST_TMPDIR/live" --realm live --origin d.example/live/p0/1 --listen tcp://127.0.0.1:9 --no-passphrase
    cp -p "$BATS_TEST_TMPDIR/live/keys/log.key" "$log"
    bad 5 "it belongs to the other realm"
    rm "$log"
    mv "$DIR/keys/real" "$log"
    "$H" -t -c "$DIR/hotlined.conf"
}

@test "status without a broker: status 6 and a sentence; a second broker: refused; a folder open to others: refused" {
    gives 6 "no broker of this account answers" "$H" status -c "$DIR/hotlined.conf"
    broker_start "$DIR"
    "$H" status -c "$DIR/hotlined.conf" | jq -e .schema
    gives 1 "another process holds it" "$H" -c "$DIR/hotlined.conf"
    "$H" status -c "$DIR/hotlined.conf" | jq -e .schema
    broker_stop "$DIR"
    gives 6 "no broker of this account answers" "$H" status -c "$DIR/hotlined.conf"
    chmod 777 "$DIR/state"
    gives 8 "open to others" "$H" -c "$DIR/hotlined.conf"
}

@test "a port that is taken: one line, an end, no attempts for ever" {
    python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1]))); print(flush=True); time.sleep(20)' \
        "$(sed -n 's/.*:\([0-9]*\)".*/\1/p' "$DIR/hotlined.conf")" >"$BATS_TEST_TMPDIR/taken" 3>&- &
    echo $! >>"$BATS_TEST_TMPDIR/pids"
    wait_for 5 test -s "$BATS_TEST_TMPDIR/taken"
    gives 1 "Address already in use" "$H" -c "$DIR/hotlined.conf"
}

@test "every process that handles what others sent is in its sandbox, and none can be traced" {
    [ "${SAN:-0}" != 1 ] || skip "sanitizers do not live in a sandbox"
    broker_start "$DIR"
    for role in core front signer publisher; do
        status=/proc/$(broker_role "$DIR" $role)/status
        grep -qE '^NoNewPrivs:\s1$' "$status"
        grep -qE '^Seccomp:\s2$' "$status"
        grep -qE '^CoreDumping:\s0$' "$status"
        # not dumpable: its files belong to root whoever runs it, so nobody of the same account reads its memory
        [ "$(stat -c %U "/proc/$(broker_role "$DIR" $role)/mem")" = root ]
        grep -qE '^Max core file size\s+0\s+0' "/proc/$(broker_role "$DIR" $role)/limits"
    done
    [ "$(ls "/proc/$(broker_role "$DIR" front)/fd" -l | grep -cE "$DIR/(keys|state|public)")" = 0 ]
    [ "$(ls "/proc/$(broker_role "$DIR" signer)/fd" -l | grep -cE "$DIR/(keys|state|public)")" = 1 ]
}

@test "started by root with a user: what handles bytes from outside is that user's, and has nothing of root" {
    [ "$(id -u)" = 0 ] || skip "only root can become another"
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
    chown -R nobody "$DIR"
    echo 'user = "nobody";' >>"$DIR/hotlined.conf"
    broker_start "$DIR"
    for role in core front signer publisher; do
        status=/proc/$(broker_role "$DIR" $role)/status
        [ "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "$status")" = "$(printf '%s ' $(yes "$(id -u nobody)" | head -4) | sed 's/ $//')" ]
        grep -qE '^CapEff:\s0+$' "$status"
        grep -qE '^CapPrm:\s0+$' "$status"
    done
    [ "$(stat -c %U "$DIR/state/store.db")" = nobody ]
    "$H" status -c "$DIR/hotlined.conf" | jq -e .schema
}
