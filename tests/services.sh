#!/usr/bin/env bash
# Sees to it that the services are there that tests can use: PostgreSQL at 127.0.0.1:5432, with a user
# postgres that needs no password, and Redis at 127.0.0.1:6379. Installs and starts them if need be (Debian).
set -euo pipefail

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Waits for a service that was started.
await() {
    for _ in $(seq 50); do answers "$2" && break || sleep 0.2; done
    answers "$2" || { echo "services.sh: $1 does not answer at 127.0.0.1:$2" >&2; exit 1; }
    echo "services.sh: $1 is there"
}

install() { apt-get update -qq && apt-get install -y -qq "$@"; }

if ! answers 5432; then
    command -v pg_ctlcluster >/dev/null || install postgresql
    version=$(ls /etc/postgresql | sort -n | tail -1)
    hba=/etc/postgresql/$version/main/pg_hba.conf
    grep -q '^host all all 127.0.0.1/32 trust' "$hba" || sed -i '1i host all all 127.0.0.1/32 trust' "$hba"
    pg_ctlcluster --skip-systemctl-redirect "$version" main start || true
fi
await PostgreSQL 5432

if ! answers 6379; then
    command -v redis-server >/dev/null || install redis-server
    # The package may have started it.
    answers 6379 || redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save "" --appendonly no
fi
await Redis 6379
