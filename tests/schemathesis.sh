#!/usr/bin/env bash
# Compares the server with its own OpenAPI document, by requests that schemathesis makes from it: valid and invalid ones,
# as a guest and without a login. Every status, header and body has to be as documented.
set -euo pipefail
cd "$(dirname "$0")/.."

VERSION=4.32.5
venv=target/schemathesis-$VERSION
fail() { echo "schemathesis.sh: $*" >&2; exit 1; }

if [[ ! -x $venv/bin/schemathesis ]]; then
    rm -rf "$venv"
    python3 -m venv "$venv" || fail "python3 with venv is needed"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$VERSION" ||
        { rm -rf "$venv"; fail "schemathesis $VERSION is not to be had from PyPI"; }
fi

cargo build --locked --quiet ${TEST_TARGETS-}
work=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=
stop() {
    [[ -z $server ]] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; } || true
    rm -rf "$work"
}
trap stop EXIT
site=http://127.0.0.1:$port

# Embedded, whatever the environment says, and without the limits per address: all requests come from one.
env -i PATH="$PATH" HOME="$work" \
    TP_SERVER__HOST=127.0.0.1 TP_SERVER__PORT="$port" TP_OPERATIONS__PORT=0 TP_DATA_DIR="$work/data" \
    TP_LIMITS__REQUESTS_PER_SECOND=100000 TP_LIMITS__GUESTS_PER_MINUTE=1000000 \
    TP_LIMITS__LOGINS_PER_MINUTE=1000000 TP_LIMITS__SEATS_PER_MINUTE=1000000 \
    "$PWD/target/debug/typephoon-api" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do
    curl -fs "$site/healthcheck/ready" >/dev/null && break || sleep 0.1
done
curl -fs "$site/healthcheck/ready" >/dev/null || { cat "$work/log"; fail "the server does not start"; }

# `run CHECKS …` leaves these checks out. Never looked at: `allow` of POST /api/v1/auth/local/login, which lists GET, since
# the path is also one of /api/v1/auth/{provider}/login.
run() {
    local checks=$1
    shift
    PYTHONWARNINGS=ignore timeout --kill-after=5 120 "$venv/bin/schemathesis" --config-file tests/schemathesis.toml \
        run "$site/openapi.json" --checks all --exclude-checks "allow_header_conformance$checks" \
        --phases examples,coverage,fuzzing,stateful --max-examples 15 --seed 1 --generation-database none --no-color \
        --suppress-health-check all "$@"
}
echo "== without a login"
run ""
echo "== as a guest"
token=$(curl -fsi "$site/api/v1/auth/guest" -H 'content-type: application/json' -d '{}' |
    sed -n 's/^set-cookie: TP_AT=\([^;]*\);.*/\1/Ip')
[[ -n $token ]] || fail "no guest is to be had"
# The cookie is always there, so neither can be left out or made wrong; the contract answers a bad one with 400.
run ,ignored_auth,negative_data_rejection --header "Cookie: TP_AT=$token"
