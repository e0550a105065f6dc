#!/usr/bin/env bash
# Sees to it that the services are there that tests can use: PostgreSQL at 127.0.0.1:5432 with a user
# postgres that needs no password, Redis at 6379, RabbitMQ at 5672 (guest/guest), Node.js with the
# packages of the identity provider in tests/openid, libfaketime, nginx, Prometheus, and for tests/browser Chromium, Firefox and the
# packages that drive them. Installs and starts them if need be (Debian).
set -euo pipefail
cd "$(dirname "$0")/openid"

has() { command -v "$1" >/dev/null; }
install() { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; }
fail() { echo "services.sh: $*" >&2; exit 1; }
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Waits for a service that was started.
await() {
    for _ in $(seq 150); do answers "$2" && break || sleep 0.2; done
    answers "$2" || fail "$1 does not answer at 127.0.0.1:$2"
    echo "services.sh: $1 is there"
}

# Programs, also where the services are there already: tests start and kill servers of their own.
install_quietly() { ../install_quietly.sh "$@"; }
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || install_quietly postgresql
has redis-server || install_quietly redis-server
[[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] || install_quietly rabbitmq-server
has nginx || [[ -x /usr/sbin/nginx ]] || install_quietly nginx-light
has prometheus && has promtool || install_quietly prometheus

if ! answers 5432; then
    version=$(ls /etc/postgresql | sort -n | tail -1)
    hba=/etc/postgresql/$version/main/pg_hba.conf
    grep -q '^host all all 127.0.0.1/32 trust' "$hba" || sed -i '1i host all all 127.0.0.1/32 trust' "$hba"
    pg_ctlcluster --skip-systemctl-redirect "$version" main start || true
fi
await PostgreSQL 5432

answers 6379 || redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save "" --appendonly no
await Redis 6379

answers 5672 || rabbitmq-server -detached
await RabbitMQ 5672

ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || install faketime

has node && has npm || install nodejs npm
npm ls >/dev/null 2>&1 || npm ci --silent --no-audit --no-fund || fail "the packages of tests/openid are not to be had"
echo "services.sh: an identity provider is there"

has chromium || install chromium
has firefox-esr || has firefox || install firefox-esr
cd ../browser
npm ls >/dev/null 2>&1 || npm ci --silent --no-audit --no-fund || fail "the packages of tests/browser are not to be had"
echo "services.sh: browsers are there"
