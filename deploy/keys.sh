#!/usr/bin/env bash
# Prints a new pair of keys for tokens, as lines of a .env file: `deploy/keys.sh >>.env`. Needs openssl.
set -euo pipefail
private=$(openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048)
public=$(openssl pkey -pubout <<<"$private")
# One line each, in single quotes, line breaks written as \n: a .env file holds no others.
line() { printf "%s='%s'\n" "$1" "$(awk '{ printf "%s\\n", $0 }' <<<"$2")"; }
line TP_TOKEN__PRIVATE_KEY "$private"
line TP_TOKEN__PUBLIC_KEY "$public"
