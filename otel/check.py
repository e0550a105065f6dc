#!/usr/bin/env python3
"""Checks that otel/ and docs/runbooks are consistent, without a running Prometheus. Needs PyYAML and promtool.

promtool checks configuration, rules and their unit tests, and parses the queries of dashboards. This script checks that every
panel has a description, every series is in docs/telemetry.md with the labels used, and every alert has a runbook.
tests/api/observability.rs checks that a real run has all of the series.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
OTEL, RUNBOOKS = ROOT / "otel", ROOT / "docs/runbooks"
RUNBOOK_URL = "https://github.com/typephoon/typephoon-api/blob/main/docs/runbooks/"
# Labels that Prometheus or the rules add to a series.
GIVEN = {"job", "pod", "namespace", "instance", "le", "store"}
SECTIONS = ["## What it means", "## Where to look", "## What to do"]
KEYWORDS = {"and", "or", "unless", "bool", "offset"}


def documented():
    """The labels of every series of the server, by name."""
    series = {"up": set(), "ALERTS": {"alertstate", "alertname"}}
    row = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \| \w* \| (.*?) \|", re.MULTILINE)
    kinds = [(name, kind, set(re.findall(r"`(\w+)`", labels)))
             for name, kind, labels in row.findall((ROOT / "docs/telemetry.md").read_text())]
    for file in (ROOT / "tests/wiring").glob("*.snap"):
        kinds += [(*found, set()) for found in re.findall(r"(typephoon_\w+) \((counter|gauge|histogram)\)", file.read_text())]
    for name, kind, labels in kinds:
        for suffix in ["_bucket", "_sum", "_count"] if kind == "histogram" else [""]:
            series[name + suffix] = labels
    return series


def named(query):
    """The series in a query, and the labels that select each."""
    query = re.sub(r'"[^"]*"', '""', query)
    query = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", query)
    query = re.sub(r"\[[^]]*\]", "", query)
    for name, labels in re.findall(r"(?<![\w:])([a-zA-Z_][\w:]*)\b(?!\s*\()(?:\{([^}]*)\})?", query):
        if name not in KEYWORDS:
            yield name, set(re.findall(r"(\w+)\s*[=!]", labels))


def unknown(place, query, series):
    for name, labels in named(query):
        if name not in series:
            yield f"{place}: {name} is not in docs/telemetry.md"
        elif strange := labels - series[name] - GIVEN:
            yield f"{place}: {name} has no label {', '.join(sorted(strange))}"


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"promtool {arguments[0]} {arguments[1]}:\n{done.stdout}{done.stderr}"


def rules():
    for file in sorted((OTEL / "rules").glob("*.yaml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


def check_rules(series):
    yield from promtool("check", "config", OTEL / "prometheus.yaml")
    yield from promtool("test", "rules", *sorted((OTEL / "rules/tests").glob("*.yaml")))
    tests = "".join(file.read_text() for file in (OTEL / "rules/tests").glob("*.yaml"))
    alerts = [rule for rule in rules() if "alert" in rule]
    for rule in rules():
        yield from unknown(rule.get("alert") or rule["record"], rule["expr"], series)
    for alert in alerts:
        name = alert["alert"]
        if alert["labels"].get("severity") not in ("critical", "warning"):
            yield f"{name}: severity is neither critical nor warning"
        if alert["annotations"].get("runbook_url") != f"{RUNBOOK_URL}{name}.md":
            yield f"{name}: runbook_url is not {RUNBOOK_URL}{name}.md"
        if f'"{name}"' not in tests:
            yield f"{name} has no unit test in which it fires"
    names = {alert["alert"]: alert["labels"]["severity"] for alert in alerts}
    index = (RUNBOOKS / "README.md").read_text()
    for name in sorted(names.keys() ^ {file.stem for file in RUNBOOKS.glob("Typephoon*.md")}):
        yield f"{name} is an alert without its page in docs/runbooks, or a page without its alert"
    for name in sorted(names):
        text = (RUNBOOKS / f"{name}.md").read_text() if (RUNBOOKS / f"{name}.md").is_file() else ""
        missing = [section for section in SECTIONS if section not in text]
        if missing and text:
            yield f"{name}.md has no section {', '.join(missing)}"
        if f"({name}.md) | {names[name]} |" not in index:
            yield f"docs/runbooks/README.md does not name {name} as {names[name]}"


def check_token():
    """Compose's servers require the token that its Prometheus sends."""
    asked = yaml.safe_load((ROOT / "compose.yaml").read_text())["x-server-environment"]["TP_OPERATIONS__TOKEN"]
    jobs = yaml.safe_load((OTEL / "prometheus.yaml").read_text())["scrape_configs"]
    if asked not in [job.get("authorization", {}).get("credentials") for job in jobs if job["job_name"] == "typephoon-api"]:
        yield "prometheus.yaml does not have the token of compose.yaml"


def check_dashboards(series):
    uids, queries = {}, []
    for file in sorted((OTEL / "grafana/dashboards").glob("*.json")):
        dashboard = json.loads(file.read_text())
        if (other := uids.setdefault(dashboard["uid"], file.name)) != file.name:
            yield f"{file.name} has the uid of {other}"
        places = set()
        for panel in dashboard["panels"]:
            place = f"{file.name}: {panel['title']}"
            if panel["type"] == "row":
                row = panel["title"]
                continue
            if (row, panel["title"]) in places:
                yield f"{place} is twice in one row"
            places.add((row, panel["title"]))
            if not panel.get("description", "").endswith(".") or not panel["fieldConfig"]["defaults"].get("unit"):
                yield f"{place} has no description that ends with a full stop, or no unit"
            for target in panel["targets"]:
                if "${" not in target["datasource"]["uid"]:
                    yield f"{place} has a fixed data source"
                if "expr" in target:
                    queries.append(re.sub(r"\$__rate_interval", "5m", target["expr"]))
                    yield from unknown(place, target["expr"], series)
                    if not target["legendFormat"]:
                        yield f"{place} has a query without a legend"
    # promtool parses only rules, so the queries are written as rules.
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        parsed = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
        json.dump({"groups": [{"name": "dashboards", "rules": parsed}]}, file)
        file.flush()
        yield from promtool("check", "rules", file.name)


def main():
    series = documented()
    for rule in rules():
        if "record" in rule:
            series.setdefault(rule["record"], {"timer", "module", "event"})
    complaints = [*check_rules(series), *check_token(), *check_dashboards(series)]
    for complaint in complaints:
        print(f"otel: {complaint}", file=sys.stderr)
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
