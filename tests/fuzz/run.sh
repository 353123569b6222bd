#!/bin/sh
# Fuzzes each target of $BUILD for FUZZ_SECONDS, from its corpus; what is new goes to $BUILD/corpus.
# Ends with "N passed, N failed"; an input that fails is kept beside the new ones and named.
set -u
BUILD=${BUILD:-build-fuzz} FUZZ_SECONDS=${FUZZ_SECONDS:-20}
passed=0 failed=0

for t in "$BUILD"/tests/fuzz/fuzz_*; do
    case $t in *.o | *.d) continue ;; esac
    [ -x "$t" ] || continue
    name=${t##*/fuzz_} new=$BUILD/corpus/${t##*/fuzz_}
    mkdir -p "$new" "tests/fuzz/corpus/$name"
    log=$new.log
    if "$t" -max_total_time="$FUZZ_SECONDS" -max_len=70000 -timeout=10 -rss_limit_mb=2048 -verbosity=1 \
        -artifact_prefix="$BUILD/corpus/$name-" "$new" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
        passed=$((passed + 1))
        printf '%-20s %s\n' "$name" "$(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\).*/\1 runs in \2 s, no fault/p' "$log")"
    else
        failed=$((failed + 1))
        tail -40 "$log"
        echo "$name: FAILED"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
