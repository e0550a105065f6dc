#!/usr/bin/env bash
# Prints what CHANGELOG.md says about a version: `deploy/notes.sh 0.2.0`. Fails if it is not the version of Cargo.toml.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:?usage: notes.sh VERSION}
grep -qxF "version = \"$version\"" Cargo.toml || { echo "notes.sh: Cargo.toml is not of version $version" >&2; exit 1; }
# From the heading of that version to the next.
notes=$(awk -v heading="## [$version]" -v plain="## $version" '
    /^## / { inside = index($0, heading) == 1 || $0 == plain || index($0, plain " ") == 1; next }
    inside' CHANGELOG.md)
[[ -n ${notes//[[:space:]]/} ]] || { echo "notes.sh: CHANGELOG.md has no section about $version" >&2; exit 1; }
echo "$notes"
