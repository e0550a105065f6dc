#!/usr/bin/env bash
# Installs, edits, moves and removes handler modules, by their files alone, and looks at the wiring each time: in a debug
# build, and in a release build with link-time optimisation (--debug leaves that out), of which it also sees that the client's
# files are in it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# With the targets of .ci/run, the packages are there already.
build() { cargo build --locked --quiet ${TEST_TARGETS-}; }
(cd "$root" && CARGO_TARGET_DIR="$root/target" build)

# A copy of the sources, so that an interrupted run leaves nothing behind. Its build is its own too: two
# checkouts with one target folder would overwrite each other's binary.
tar -C "$root" --exclude=./target --exclude=./.git --exclude=./data -cf - . | tar -C "$copy" -xf -
cd "$copy"
export CARGO_TARGET_DIR="$copy/target"
# The packages are taken over as hard links; what is ours is built anew, since it names its place.
mkdir target
cp -al "$root/target/debug" target/
rm -rf target/debug/{build,.fingerprint}/typephoon-api-* target/debug/incremental
# No backtrace is looked at.
export CARGO_PROFILE_DEV_DEBUG=0
binary=target/debug/typephoon-api

fail() { echo "modules.sh: $*" >&2; exit 1; }
wiring() { env -i PATH="$PATH" "$binary" handlers; }
shows() { wiring | grep -q "$1" || fail "$2"; }
shows_not() { ! wiring | grep -q "$1" || fail "$2"; }

shows_not '^probe' "there is a module probe before it was dropped in"
for name in probe probe_moved probe_removed; do "$binary" new "$name"; done
"$binary" new probe_whole --with route,frame,keeps,page
"$binary" new probe_keeps --with keeps
build
for name in probe probe_moved probe_removed probe_whole; do
    shows "^$name .*race.started" "a file that was dropped in is not there"
done
shows 'probe_keeps.best' 'a collection is not there'
# Pods of both builds play together.
# The tests are those that are built already.
(cd "$root" && TEST_PODS=2 TEST_OTHER_BUILD="$copy/$binary" CARGO_TARGET_DIR="$root/target" \
    env -u CARGO_PROFILE_DEV_DEBUG cargo test --locked --quiet --workspace --test api -- builds:: race:: lobby:: timed:: boards::) || fail "pods of two builds do not go together"
CARGO_INCREMENTAL=0 cargo test --locked --quiet --lib probe || fail "the test of a new module does not pass"

sed -i 's#/api/v1/probe"#/api/v1/edited"#' handlers/probe.rs
mkdir handlers/probe_moved && mv handlers/probe_moved.rs handlers/probe_moved/mod.rs
rm handlers/probe_removed.rs
rm -r handlers/probe_whole handlers/probe_keeps.rs
# A game mode with rules of its own, and other features.
features="timed boards daily rating recorder review watch ghosts emotes texts rematch.rs"
mkdir aside
for feature in $features; do
    shows "^${feature%.rs} " "the module $feature is not there"
    mv "handlers/$feature" aside/
done
build
for feature in $features; do
    shows_not "^${feature%.rs} " "the module $feature, which was taken out, is still there"
done
shows '/api/v1/edited' "an edit is not seen"
shows '^probe_moved .*race.started' "a folder is not seen"
shows_not '^probe_removed' "a module that was removed is still there"

if [ "${1:-}" != --debug ]; then
    rm -r handlers/probe_moved
    mv aside/* handlers/
    # How well the code is optimised before it is linked does not matter here, and takes minutes.
    cargo build --locked --quiet --profile dist --config profile.dist.opt-level=1 \
        --config profile.dist.package.typephoon-api.opt-level=1 --config profile.dist.package.aws-lc-sys.opt-level=0 \
        --config profile.dist.package.libsqlite3-sys.opt-level=0
    binary=target/dist/typephoon-api
    shows '/api/v1/edited' "link-time optimisation has dropped the module"
    for entry in handlers/*; do
        name=$(basename "$entry" .rs)
        # What modules share is no module.
        [ "$name" = shared ] && continue
        shows "^$name " "link-time optimisation has dropped $name"
    done
    # The client is in the binary, not beside it.
    mv web moved
    mv handlers/emotes/web moved/emotes
    env -i PATH="$PATH" TP_SERVER__HOST=127.0.0.1 TP_SERVER__PORT=0 TP_DATA_DIR="$copy/data" "$binary" >log &
    server=$!
    for _ in $(seq 50); do grep -q 'listening on' log && break || sleep 0.2; done
    address=$(grep -o 'listening on http://[0-9.:]*' log | cut -d' ' -f3)
    curl -sf "$address/web/app.js" | cmp - moved/app.js || fail "the client is not in the binary"
    curl -sf "$address/web/modules/emotes/emotes.js" | cmp - moved/emotes/emotes.js || fail "the files of a module are not in the binary"
    kill "$server"
fi
echo "modules.sh: handler modules come and go by their files alone"
