#!/bin/sh
# The rules that a machine can check.  Prints every breach as file:line; the last line counts them.
# shellcheck disable=SC2046,SC2086 # lists of our own file names, without blanks
set -u
faults=0 checks=0
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# verdict NAME: what stands in $found are breaches of it
verdict() {
    n=$(grep -c . "$found")
    checks=$((checks + 1)) faults=$((faults + n))
    [ "$n" = 0 ] || sed "s/^/$1: /" "$found"
    printf '%-20s %s\n' "$1" "$([ "$n" = 0 ] && echo ok || echo "$n faults")"
}

all=$(find . -path ./.git -prune -o -path './build*' -prune -o -path ./node_modules -prune -o -type f -print | sed 's@^\./@@' | sort)
pick() {
    echo "$all" | grep -E "$1"
}
code=$(pick '^(common|keys|server|client)/.*\.c$')
headers=$(pick '\.h$')
tests=$(pick '^tests/.*\.c$')
sources="$code $headers"
flags='-std=gnu11 -D_GNU_SOURCE -DHL_DATADIR=__FILE__ -I. -Wall -Wextra -Werror'

# Every switch over an enum names all its values and has no default: the compiler lists what is missing.
echo "$code $tests" | tr ' ' '\n' | grep . |
    xargs -P "$(nproc)" -n 4 clang -fsyntax-only $flags -Wswitch-enum -Wcovered-switch-default 2>&1 |
    grep -E '(error|warning):' >"$found"
verdict clang

for h in $headers; do
    echo "#include \"$h\"" | clang -fsyntax-only $flags -x c - 2>&1 | grep -E 'error:' | head -1
done >"$found"
verdict headers

# without comments and strings, which may speak of anything
bare() {
    sed -E 's/"([^"\\]|\\.)*"/""/g; s@/\*.*\*/@@g; s@//.*@@; /^ \*( |$)/s/.*//; s@/\*.*@@' "$1"
}
# forbid PATTERN FILES: lines of code that match
forbid() {
    pattern=$1
    shift
    for f in "$@"; do
        bare "$f" | grep -nE "$pattern" | sed "s|^|$f:|"
    done
}

banned='strcpy|strcat|stpcpy|strncpy|strncat|sprintf|vsprintf|strtok|strtok_r|atoi|atol|atoll|atof|gets|scanf|sscanf|fscanf'
banned="$banned|alloca|rand|random|tmpnam|tempnam|mktemp|system|popen|setjmp|longjmp"
forbid "(^|[^_A-Za-z0-9])($banned)[[:space:]]*\(" $sources >"$found"
verdict banned

# Only clock.c reads the wall clock, or a station could run two times.
forbid '(^|[^_A-Za-z0-9])(time|gettimeofday|clock_gettime|gmtime|gmtime_r|localtime|localtime_r)[[:space:]]*\(' \
    $(echo $sources | tr ' ' '\n' | grep -v '^common/clock\.c$') >"$found"
verdict clock

# Secrets: only keys/ makes, uses or agrees on one.  common/ hashes field salts with an HMAC.
secret='crypto_sign(_ed25519)?_(seed_)?keypair|crypto_sign(_ed25519)?_detached|crypto_sign(_ed25519ph)?_final_create'
secret="$secret|crypto_sign|crypto_sign_ed25519_sk_[a-z0-9_]+|crypto_sign_secretkey[a-z]*|crypto_scalarmult[a-z0-9_]*|crypto_pwhash[a-z0-9_]*"
secret="$secret|crypto_(box|kx|secretbox|secretstream|aead|stream|kdf|onetimeauth|core_ed25519_scalar|core_hchacha20)_?[a-z0-9_]*"
secret="$secret|zmq_curve_keypair|zmq_curve_public|ZMQ_CURVE_SECRETKEY"
mac='crypto_auth[a-z0-9_]*'
{
    forbid "(^|[^_A-Za-z0-9])($secret)([^_A-Za-z0-9]|$)" $(echo $sources | tr ' ' '\n' | grep -Ev '^(keys|tests)/')
    forbid "(^|[^_A-Za-z0-9])$mac" $(echo $sources | tr ' ' '\n' | grep -Ev '^(keys|tests)/|^common/content')
} >"$found"
verdict secrets

# layer DIRECTORY ALLOWED: what its includes may begin with
layer() {
    for f in $(echo $sources | tr ' ' '\n' | grep -E "^$1"); do
        grep -nE '^#include "' "$f" | grep -vE "^[0-9]+:#include \"($2)" | sed "s|^|$f:|"
    done
}
{
    layer 'common/' 'common/'
    layer 'keys/' 'keys/|common/'
    layer 'server/' 'server/|keys/|common/'
    layer 'client/audit/' 'client/audit/|common/'
    layer 'client/(console|drill|[^/]*$)' 'client/|keys/|common/'
    # libraries: SQL is the store's and the desk's, ZeroMQ the connections'
    grep -nE '^#include <(sqlite3|zmq|microhttpd)' $(echo $sources | tr ' ' '\n' | grep -E '^(common|client/audit)/')
    grep -nE '^#include <libconfig' $(echo $sources | tr ' ' '\n' | grep -E '^(keys|client/audit)/')
    grep -nE '^#include <sqlite3' $(echo $sources | tr ' ' '\n' | grep -E '^server/' | grep -Ev '^server/(store_sqlite|hotlined\.c)')
} >"$found"
verdict layers

clang-format --dry-run -Werror $code $tests 2>&1 | grep -E 'error:' | sort -t: -k1,1 -u >"$found"
verdict format

# Nothing may name the machine that it was written on.
pick . | grep -Ev '^tests/lint.sh$|^\.git$' | xargs grep -nIE '(^|[^A-Za-z0-9_.*$}])/(work|home|root)/' >"$found"
verdict paths

scripts=$(pick '\.sh$|^\.ci/run$')
shellcheck -S warning -f gcc $scripts >"$found" 2>&1
verdict shell

# without the analyzer's heap model: it loses lists, and the sanitizers' runs see what it looks for
tidy='-*,bugprone-*,clang-analyzer-core.*,clang-analyzer-unix.*,-clang-analyzer-unix.Malloc,clang-analyzer-deadcode.*,clang-analyzer-security.insecureAPI.rand'
tidy="$tidy,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-assignment-in-if-condition"
tidy="$tidy,-bugprone-narrowing-conversions,-bugprone-branch-clone,-bugprone-misplaced-widening-cast,-bugprone-sizeof-expression,-bugprone-implicit-widening-of-multiplication-result"
[ "${LINT_TIDY:-1}" = 0 ] || {
    echo "$code" | tr ' ' '\n' | grep . |
        xargs -P "$(nproc)" -n 4 sh -c 'checks=$1 flags=$2; shift 2; clang-tidy --quiet --checks="$checks" "$@" -- $flags' \
            tidy "$tidy" "$flags" 2>/dev/null |
        grep -E '(error|warning):' | sort -u >"$found"
    verdict tidy
}

echo "lint: $checks checks, $faults faults"
[ "$faults" = 0 ]
