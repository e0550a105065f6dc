#!/usr/bin/env bash
# Sees to it that the services are there that tests can use: PostgreSQL at 127.0.0.1:5432, with a user
# postgres that needs no password, and Node.js with the packages of the identity provider in tests/openid.
# Installs and starts them if need be (Debian).
set -euo pipefail
cd "$(dirname "$0")/openid"

has() { command -v "$1" >/dev/null; }
install() { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; }
fail() { echo "services.sh: $*" >&2; exit 1; }

answers() { (exec 3<>/dev/tcp/127.0.0.1/5432) 2>/dev/null; }

if ! answers; then
    has pg_ctlcluster || install postgresql
    version=$(ls /etc/postgresql | sort -n | tail -1)
    hba=/etc/postgresql/$version/main/pg_hba.conf
    grep -q '^host all all 127.0.0.1/32 trust' "$hba" || sed -i '1i host all all 127.0.0.1/32 trust' "$hba"
    pg_ctlcluster --skip-systemctl-redirect "$version" main start || true
    for _ in $(seq 50); do answers && break || sleep 0.2; done
fi
answers || fail "PostgreSQL does not answer at 127.0.0.1:5432"

has node && has npm || install nodejs npm
npm ls >/dev/null 2>&1 || npm ci --silent --no-audit --no-fund || fail "the packages of tests/openid are not to be had"

echo "services.sh: PostgreSQL and an identity provider are there"
