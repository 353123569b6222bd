#!/bin/sh
# deps.sh build|test|lint|fuzz|demo|bench: installs what that needs and lacks, and says what.
set -eu

build="gcc libc6-dev make libsodium-dev libzmq3-dev libconfig-dev libsqlite3-dev"
test="$build libcmocka-dev bats python3 python3-cryptography python3-cbor2 golang-go golang-golang-x-mod-dev openssl xxd jq procps"

case "${1:-build}" in
build | demo) want=$build ;;
bench) want="$build procps bsdextrautils" ;;
test) want=$test ;;
lint) want="$build libcmocka-dev clang clang-format clang-tidy shellcheck" ;;
fuzz) want="$build clang libclang-rt-14-dev" ;;
*)
    echo "usage: deps.sh build|test|lint|fuzz|demo|bench" >&2
    exit 2
    ;;
esac

missing=
for p in $want; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo >/dev/null; then
    sudo=sudo
else
    echo "missing, and no sudo here; as root: apt-get install$missing" >&2
    exit 1
fi
echo "installing with apt-get:$missing" >&2
# shellcheck disable=SC2086 # words of a list
install() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
$sudo apt-get update -qq || echo "apt-get update failed; trying with what is known" >&2
install || {
    echo "could not install:$missing" >&2
    exit 1
}
