#!/usr/bin/env bash
# Installs packages (Debian) without starting the services in them: `install_quietly.sh postgresql redis-server`. A service
# that a package starts would be in the way of one that answers already. Needs root, or sudo without a password.
set -euo pipefail

if [[ $(id -u) != 0 ]]; then exec sudo -n "$0" "$@"; fi

policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"
