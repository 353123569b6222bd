#!/bin/sh
# Runs every suite of $BUILD and ends with one line "N passed, N failed".
set -u
BUILD=${BUILD:-build}
passed=0 failed=0

for t in "$BUILD"/tests/unit/*_test "$BUILD"/tests/fault/*_test; do
    [ -x "$t" ] || continue
    out=$("$t" 2>&1) && rc=0 || rc=$?
    p=$(printf '%s\n' "$out" | grep -c '^\[       OK \]')
    f=$(printf '%s\n' "$out" | grep -c '^\[  FAILED  \] [a-z]')
    [ "$rc" = 0 ] || [ "$f" -gt 0 ] || f=1
    [ "$rc" = 0 ] || printf '%s\n' "$out"
    printf '%-40s %d passed, %d failed\n' "${t##*/}" "$p" "$f"
    passed=$((passed + p)) failed=$((failed + f))
done
if ls tests/scenario/*.bats >/dev/null 2>&1; then
    out=$(BUILD=$BUILD bats --tap tests/scenario) || true
    printf '%s\n' "$out" | grep -v '^ok' || true
    passed=$((passed + $(printf '%s\n' "$out" | grep -c '^ok')))
    failed=$((failed + $(printf '%s\n' "$out" | grep -c '^not ok')))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
