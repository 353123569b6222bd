#!/bin/sh
# receipt.sh PROOF ENTRY POLICY: verifies a receipt (C2SP tlog-proof) of the bytes in file ENTRY under a tlog-policy, with
# openssl (3.0) and coreutils alone.  Nothing of the hotline is used, so nothing of it needs to be trusted.
# Exit status: 0 VERIFIED, 3 FAILED, 4 INCOMPLETE (logged, but the quorum of witnesses is not met), 2 usage.
set -eu
LC_ALL=C
export LC_ALL
[ $# = 3 ] || {
    echo "usage: receipt.sh PROOF ENTRY POLICY" >&2
    exit 2
}
proof=$1 entry=$2 policy=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

failed() {
    echo "FAILED $*"
    exit 3
}

hex() { # of standard input
    od -An -v -tx1 | tr -d ' \n'
}

unhex() { # the bytes of hex digits
    printf %s "$1" | tr a-f A-F | basenc -d --base16
}

sha256() { # of the bytes of hex digits, as hex
    unhex "$1" | sha256sum | cut -d ' ' -f 1
}

from_base64() { # as hex; only the one canonical spelling
    printf %s "$1" | base64 -d >"$tmp/raw" 2>/dev/null || return 1
    [ "$(base64 -w 0 "$tmp/raw")" = "$1" ] || return 1
    hex <"$tmp/raw"
}

decimal() { # canonical, and small enough for shell arithmetic
    case $1 in '' | *[!0-9]* | 0?*) return 1 ;; esac
    [ ${#1} -le 18 ]
}

# ---- the proof: lines up to the empty one; then the checkpoint ----

exec 3<"$proof"
{ read -r line <&3 && [ "$line" = "c2sp.org/tlog-proof@v1" ]; } || failed "not a tlog-proof"
read -r line <&3 || failed "cut"
case $line in "extra "*) read -r line <&3 || failed "cut" ;; esac
case $line in "index "*) index=${line#index } ;; *) failed "no index" ;; esac
decimal "$index" || failed "index is not a canonical number"
: >"$tmp/hashes"
while read -r line <&3 && [ -n "$line" ]; do
    { h=$(from_base64 "$line") && [ ${#h} = 64 ]; } || failed "a hash is not canonical"
    echo "$h" >>"$tmp/hashes"
done
cat <&3 >"$tmp/note"
exec 3<&-

# ---- the checkpoint: origin, size, root; then an empty line and signatures ----

{ read -r origin && read -r size && read -r root64 && read -r empty && [ -z "$empty" ]; } <"$tmp/note" ||
    failed "the checkpoint is cut"
printf '%s\n%s\n%s\n' "$origin" "$size" "$root64" >"$tmp/text"
decimal "$size" || failed "size is not a canonical number"
{ root=$(from_base64 "$root64") && [ ${#root} = 64 ]; } || failed "root is not canonical"
tail -n +5 "$tmp/note" >"$tmp/sigs"

# ---- inclusion, RFC 9162 2.1.3.2 ----

[ "$index" -lt "$size" ] || failed "index is not below the size"
r=$({
    printf '\000'
    cat "$entry"
} | sha256sum | cut -d ' ' -f 1)
fn=$index sn=$((size - 1))
while read -r p; do
    [ "$sn" -gt 0 ] || failed "a hash too many"
    if [ $((fn & 1)) = 1 ] || [ "$fn" = "$sn" ]; then
        r=$(sha256 "01$p$r")
        while [ $((fn & 1)) = 0 ] && [ "$fn" != 0 ]; do
            fn=$((fn >> 1)) sn=$((sn >> 1))
        done
    else
        r=$(sha256 "01$r$p")
    fi
    fn=$((fn >> 1)) sn=$((sn >> 1))
done <"$tmp/hashes"
{ [ "$sn" = 0 ] && [ "$r" = "$root" ]; } || failed "the entry does not lead to the signed root"

# ---- signatures ----

# OpenSSL, unlike the hotline, takes keys of small order: refuse the eight points, and y >= p.
weak_key() {
    case $1 in
    0000000000000000000000000000000000000000000000000000000000000000) ;;
    0000000000000000000000000000000000000000000000000000000000000080) ;;
    0100000000000000000000000000000000000000000000000000000000000000) ;;
    0100000000000000000000000000000000000000000000000000000000000080) ;;
    26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc[08]5) ;;
    c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03[7f]a) ;;
    ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff[7f]f) ;;
    e[def]ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff[7f]f) ;;
    f?ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff[7f]f) ;;
    *) return 1 ;;
    esac
}

# signed_by VKEY TYPE: 0 when lines of this key stand in the note, and all are good
signed_by() {
    name=${1%%+*} rest=${1#*+}
    id=${rest%%+*} key=$(from_base64 "${rest#*+}") || failed "the policy holds a bad vkey"
    pk=${key#??}
    { [ "${key%"$pk"}" = "$2" ] && [ ${#pk} = 64 ]; } || failed "the policy holds a vkey of another type"
    weak_key "$pk" && failed "the policy holds a key of small order"
    want=$(sha256 "$(printf '%s\n' "$name" | hex)$key")
    [ "${want%"${want#????????}"}" = "$id" ] || failed "the policy holds a vkey with a wrong id"
    unhex "302a300506032b6570032100$pk" >"$tmp/key"
    found=1
    while read -r dash who sig64; do
        { [ "$dash" = — ] && raw=$(from_base64 "$sig64"); } || failed "a signature line is not canonical"
        sig=${raw#????????}
        { [ "$who" = "$name" ] && [ "${raw%"$sig"}" = "$id" ]; } || continue
        cp "$tmp/text" "$tmp/message"
        if [ "$2" = 04 ]; then
            time=$(printf %.16s "$sig")
            sig=${sig#"$time"}
            printf 'cosignature/v1\ntime %d\n' "0x$time" | cat - "$tmp/text" >"$tmp/message"
        fi
        unhex "$sig" >"$tmp/sig"
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$tmp/key" -rawin -in "$tmp/message" \
            -sigfile "$tmp/sig" >/dev/null 2>&1 || failed "a signature of $name is bad"
        found=0
    done <"$tmp/sigs"
    return $found
}

# ---- the policy, in one pass: members stand before their groups ----

log=none met=' ' quorum='' cosigned=0
while read -r word a b rest; do
    case $word in
    log)
        [ "${a%%+*}" = "$origin" ] && signed_by "$a" 01 && log=$origin
        ;;
    witness)
        if signed_by "$b" 04; then
            met="$met$a " cosigned=$((cosigned + 1))
        fi
        ;;
    group)
        n=0 all=0
        for member in $rest; do
            all=$((all + 1))
            case $met in *" $member "*) n=$((n + 1)) ;; esac
        done
        case $b in any) b=1 ;; all) b=$all ;; esac
        { [ "$b" -ge 1 ] && [ "$b" -le "$all" ]; } || failed "the policy holds a threshold out of range"
        [ "$n" -lt "$b" ] || met="$met$a "
        ;;
    quorum) quorum=$a ;;
    '' | '#'*) ;;
    *) failed "the policy holds an unknown line" ;;
    esac
done <<P
$(cat "$policy")
P
[ "$log" = "$origin" ] || failed "signed by no log of the policy"
summary="entry $index of $size in $origin; $cosigned witnesses"
case "$met none " in
*" $quorum "*) echo "VERIFIED $summary" ;;
*)
    echo "INCOMPLETE logged, not witnessed: $summary"
    exit 4
    ;;
esac
