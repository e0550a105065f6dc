#!/usr/bin/env bash
# Installs, edits, moves and removes a handler module, by its file alone, and looks at the wiring each
# time: in a debug build, and in a release build with link-time optimisation (--debug leaves that out), of
# which it also sees that the client's files are in it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# A copy of the sources, so that an interrupted run leaves nothing behind. Its build is its own too: two
# checkouts with one target folder would overwrite each other's binary.
tar -C "$root" --exclude=./target --exclude=./.git --exclude=./data -cf - . | tar -C "$copy" -xf -
cd "$copy"
export CARGO_TARGET_DIR="$copy/target"
# The packages are taken over as hard links; what is ours is built anew, since it names its place.
if [ -d "$root/target/debug" ]; then
    mkdir target
    cp -al "$root/target/debug" target/
    rm -rf target/debug/{build,.fingerprint}/typephoon-api-* target/debug/incremental
fi
profile=(--profile dev) binary=target/debug/typephoon-api

fail() { echo "modules.sh: $*" >&2; exit 1; }
# With what the tests turn on in packages (.ci/run), these are there already.
build() { cargo build --locked --quiet ${TEST_FEATURES-} "${profile[@]}"; }
wiring() { env -i PATH="$PATH" "$binary" handlers; }
shows() { build && wiring | grep -q "$1" || fail "$2"; }
shows_not() { build && ! wiring | grep -q "$1" || fail "$2"; }

shows_not '^probe ' "there is a module probe before it was dropped in"
"$binary" new probe
shows '^probe .*race.started' "a file that was dropped in is not there"
cargo test --locked --quiet --lib probe || fail "the test of a new module does not pass"
sed -i 's#/api/v1/probe#/api/v1/edited#' handlers/probe.rs
shows '/api/v1/edited' "an edit is not seen"
mkdir handlers/probe && mv handlers/probe.rs handlers/probe/mod.rs
shows '/api/v1/edited' "a folder is not seen"
sed -i 's#name: "probe"#name: "other"#' handlers/probe/mod.rs
build
refusal=$(wiring 2>&1 || true)
grep -q 'handlers/probe registers itself as "other"' <<<"$refusal" || fail "a wrong name is not refused"
rm -r handlers/probe
shows_not 'probe\|edited' "a module that was removed is still there"

if [ "${1:-}" != --debug ]; then
    "$binary" new probe
    profile=(--profile dist) binary=target/dist/typephoon-api
    shows '^probe .*race.started' "link-time optimisation has dropped the module"
    for entry in handlers/*; do
        name=$(basename "$entry" .rs)
        wiring | grep -q "^$name " || fail "link-time optimisation has dropped $name"
    done
    # The client is in the binary, not beside it.
    mv web moved
    env -i PATH="$PATH" TP_SERVER__HOST=127.0.0.1 TP_SERVER__PORT=0 TP_DATA_DIR="$copy/data" "$binary" >log &
    server=$!
    for _ in $(seq 50); do grep -q 'listening on' log && break || sleep 0.2; done
    address=$(grep -o 'listening on http://[0-9.:]*' log | cut -d' ' -f3)
    curl -sf "$address/web/app.js" | cmp - moved/app.js || fail "the client is not in the binary"
    kill "$server"
fi
echo "modules.sh: handler modules come and go by their files alone"
