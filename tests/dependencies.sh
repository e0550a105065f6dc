#!/usr/bin/env bash
# What can be audited without a network: every package comes from crates.io with a checksum, has a licence
# that fits ours, and none needs a system library or a second TLS stack.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo metadata --locked --format-version 1 | python3 -c '
import json, re, sys

ALLOWED = {
    "MIT", "MIT-0", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "ISC",
    "Zlib", "0BSD", "Unlicense", "CC0-1.0", "Unicode-3.0", "OpenSSL", "BSL-1.0", "MPL-2.0",
    "CDLA-Permissive-2.0",
}
BANNED = {"openssl-sys", "native-tls", "git2", "libz-ng-sys"}

def fits(licence):
    """Whether an SPDX expression can be met with the allowed licences."""
    if "(" in licence:
        inner = re.search(r"\(([^()]*)\)", licence)
        return fits(licence.replace(inner[0], "MIT" if fits(inner[1]) else "none"))
    return any(all(part.strip() in ALLOWED for part in option.split(" AND "))
               for option in re.split(r" OR |/", licence))

complaints = []
packages = json.load(sys.stdin)["packages"]
for package in packages:
    name = package["name"] + " " + package["version"]
    if package["source"] is None:
        continue
    if not package["source"].startswith("registry+"):
        complaints.append(name + " does not come from crates.io")
    if package["name"] in BANNED:
        complaints.append(name + " is not wanted here")
    if not fits(package["license"] or "none"):
        complaints.append("{}: licence {!r}".format(name, package["license"]))
print("\n".join(complaints) or "{} packages: sources and licences are fine".format(len(packages)))
sys.exit(bool(complaints))
'
