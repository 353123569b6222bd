#!/bin/sh
# Runs every suite of $BUILD: cmocka suites, corpus replays, bats files, JOBS at a time (default: the cores).
# The output of what fails is shown; the last line is "N passed, N failed" (and ", N skipped").  BROKEN lists
# what did not build.
set -u
BUILD=${BUILD:-build}
TEST_TIMEOUT=${TEST_TIMEOUT:-$([ "${SAN:-0}" = 1 ] && echo 900 || echo 450)}
export BUILD TEST_TIMEOUT
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

# ---- one suite, in a process of its own: run.sh one FILE KIND NAME COMMAND... prints its line into FILE ----

# report FILE NAME STATUS PASSED FAILED SKIPPED SECONDS: an unexplained end of a suite is a failure too
report() {
    f=$5
    [ "$3" = 0 ] || [ "$f" -gt 0 ] || f=1
    {
        if [ "$3" != 0 ]; then
            cat "$1.out" "$1.err"
            [ "$3" != 124 ] || echo "$2: still running after $TEST_TIMEOUT s"
        fi
        printf '%-44s %4d passed, %d failed%s%s\n' "$2" "$4" "$f" "$([ "$6" = 0 ] || echo ", $6 skipped")" \
            "$([ "$7" -lt 10 ] || echo "  ($7 s)")"
    } | tee "$1.text"
    echo "$4 $f $6" >"$1.counts"
}

one() {
    file=$1 kind=$2 name=$3
    shift 3
    began=$(date +%s)
    timeout -k 10 "$TEST_TIMEOUT" "$@" >"$file.out" 2>"$file.err" </dev/null
    rc=$?
    seconds=$(($(date +%s) - began))
    count() { grep -c "$1" "$file.out"; }
    case $kind in
    cmocka)
        report "$file" "$name" $rc "$(count '^\[       OK \]')" "$(count '^\[  FAILED  \]')" \
            "$(count '^\[  SKIPPED \]')" $seconds
        ;;
    replay) report "$file" "$name" $rc $((rc == 0)) $((rc != 0)) 0 $seconds ;;
    bats)
        skips=$(count '^ok .* # skip')
        report "$file" "$name" $rc $(($(count '^ok ') - skips)) "$(count '^not ok ')" "$skips" $seconds
        ;;
    esac
}

if [ "${1:-}" = one ]; then
    shift
    one "$@"
    exit 0
fi

# ---- all of them: the slow ones first, so that no core waits for the last ----

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# shellcheck disable=SC2116,SC2086 # lines to blanks
BROKEN=$(echo ${BROKEN:-})
list() {
    for t in tests/scenario/*.bats tests/hostile/*.bats; do
        [ ! -e "$t" ] || echo "bats $t bats --tap $t"
    done
    for source in tests/fault/*_test.c tests/unit/*_test.c; do
        t=$BUILD/${source%.c}
        [ -x "$t" ] || continue # listed as broken
        case " $BROKEN " in *" $t "*) continue ;; esac
        echo "cmocka ${source%.c} $t"
    done
    for source in tests/fuzz/fuzz_*.c; do
        name=${source#tests/fuzz/fuzz_} name=${name%.c}
        [ ! -x "$BUILD/tests/fuzz/replay_$name" ] ||
            echo "replay tests/fuzz/replay_$name $BUILD/tests/fuzz/replay_$name tests/fuzz/corpus/$name"
    done
}
list | awk -v dir="$results" '{ print dir "/" NR, $0 }' | xargs -P "${JOBS:-$(nproc)}" -L 1 sh "$0" one
for t in $BROKEN; do
    printf '%-44s    0 passed, 1 failed\n' "$t (does not build)"
    echo "0 1 0" >"$results/$(echo "$t" | tr / _).counts"
done
suites=$(list | wc -l)
# shellcheck disable=SC2046 # three numbers
set -- $(cat "$results"/*.counts | awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0, NR }')
lost=$((suites + $(echo "$BROKEN" | wc -w) - $4)) # a suite whose line never came is a failure
echo "$1 passed, $(($2 + lost)) failed$([ "$3" = 0 ] || echo ", $3 skipped")"
[ $(($2 + lost)) = 0 ] && [ "$1" -gt 0 ]
