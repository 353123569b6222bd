#!/bin/sh
# Runs every suite of $BUILD: cmocka suites, corpus replays, bats files.  The output of what fails is
# shown; the last line is "N passed, N failed" (and ", N skipped").  BROKEN lists what did not build.
set -u
BUILD=${BUILD:-build}
TEST_TIMEOUT=${TEST_TIMEOUT:-$([ "${SAN:-0}" = 1 ] && echo 600 || echo 300)}
export BUILD TEST_TIMEOUT
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
BROKEN=$(echo ${BROKEN:-})
passed=0 failed=0 skipped=0 began=0
out=$(mktemp) err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT

count() {
    grep -c "$1" "$out"
}

# add NAME STATUS PASSED FAILED SKIPPED: an unexplained end of a suite is a failure too
add() {
    f=$4
    [ "$2" = 0 ] || [ "$f" -gt 0 ] || f=1
    if [ "$2" != 0 ]; then
        cat "$out" "$err"
        [ "$2" != 124 ] || echo "$1: still running after $TEST_TIMEOUT s"
    fi
    s=$(($(date +%s) - began))
    printf '%-44s %4d passed, %d failed%s%s\n' "$1" "$3" "$f" "$([ "$5" = 0 ] || echo ", $5 skipped")" \
        "$([ $s -lt 10 ] || echo "  ($s s)")"
    passed=$((passed + $3)) failed=$((failed + f)) skipped=$((skipped + $5))
}

run() {
    began=$(date +%s)
    timeout -k 10 "$TEST_TIMEOUT" "$@" >"$out" 2>"$err" </dev/null
}

for t in $BROKEN; do
    began=$(date +%s)
    : >"$out"
    : >"$err"
    add "$t (does not build)" 1 0 1 0
done
for source in tests/unit/*_test.c tests/fault/*_test.c; do
    t=$BUILD/${source%.c}
    [ -x "$t" ] || continue # listed as broken
    case " $BROKEN " in *" $t "*) continue ;; esac
    run "$t"
    add "${source%.c}" $? "$(count '^\[       OK \]')" "$(count '^\[  FAILED  \]')" "$(count '^\[  SKIPPED \]')"
done
for source in tests/fuzz/fuzz_*.c; do
    name=${source#tests/fuzz/fuzz_} name=${name%.c}
    [ -x "$BUILD/tests/fuzz/replay_$name" ] || continue
    run "$BUILD/tests/fuzz/replay_$name" "tests/fuzz/corpus/$name"
    rc=$?
    add "tests/fuzz/replay_$name" $rc $((rc == 0)) $((rc != 0)) 0
done
for t in tests/scenario/*.bats tests/hostile/*.bats; do
    [ -e "$t" ] || continue
    run bats --tap "$t"
    rc=$? skips=$(count '^ok .* # skip')
    add "$t" $rc $(($(count '^ok ') - skips)) "$(count '^not ok ')" "$skips"
done

echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
