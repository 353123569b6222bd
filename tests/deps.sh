#!/bin/sh
# Installs what is missing, and says what: deps.sh build|test|lint.  Does nothing when all is there.
set -eu

build="gcc make pkg-config libsodium-dev libzmq3-dev libconfig-dev libsqlite3-dev"
test="libcmocka-dev bats python3 python3-cryptography python3-cbor2 golang-go golang-golang-x-mod-dev openssl xxd jq"
lint="clang clang-format clang-tidy"

case "${1:-build}" in
build) want=$build ;;
test) want="$build $test" ;;
lint) want="$build $lint" ;;
fuzz) want="$build clang libclang-rt-14-dev" ;;
*) echo "usage: deps.sh build|test|lint|fuzz" >&2; exit 2 ;;
esac

missing=
for p in $want; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing:$missing" >&2
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
