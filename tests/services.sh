#!/usr/bin/env bash
# Sees to it that the services are there that tests can use: PostgreSQL at 127.0.0.1:5432, with a user
# postgres that needs no password. Installs and starts it if need be (Debian).
set -euo pipefail

answers() { (exec 3<>/dev/tcp/127.0.0.1/5432) 2>/dev/null; }

if ! answers; then
    command -v pg_ctlcluster >/dev/null || { apt-get update -qq && apt-get install -y -qq postgresql; }
    version=$(ls /etc/postgresql | sort -n | tail -1)
    hba=/etc/postgresql/$version/main/pg_hba.conf
    grep -q '^host all all 127.0.0.1/32 trust' "$hba" || sed -i '1i host all all 127.0.0.1/32 trust' "$hba"
    pg_ctlcluster --skip-systemctl-redirect "$version" main start || true
    for _ in $(seq 50); do answers && break || sleep 0.2; done
fi
answers || { echo "services.sh: PostgreSQL does not answer at 127.0.0.1:5432" >&2; exit 1; }
echo "services.sh: PostgreSQL is there"
