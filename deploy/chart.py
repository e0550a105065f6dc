#!/usr/bin/env python3
"""Generates what in deploy/chart follows from other files: `chart.py write` writes it, `chart.py check` compares.

values.schema.json comes from values.yaml and, for `settings`, from the tables of docs/settings.md, which a test of the
server compares with its code; the table of values in README.md comes from the comments of values.yaml; files/rules are the
rules of otel/rules, which Helm cannot read from outside of the chart.
"""
import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "deploy/chart"
# Sections of which the server ignores what it does not know, because setting files of the Python backend have more.
OPEN_SECTIONS = {"amqp", "handlers"}
TABLE = re.compile(r"(<!-- values -->\n).*(<!-- end of values -->)", re.DOTALL)


def setting_rows():
    """Key, default, unit and meaning of each row of docs/settings.md."""
    row = re.compile(r"^\| `([a-z_.]+)` \| `TP_[A-Z_]+` \| (.+?) \|(.*?)\| (.+) \|$")
    for line in (ROOT / "docs/settings.md").read_text().splitlines():
        if found := row.match(line):
            yield [cell.strip() for cell in found.groups()]


def setting_schema(key, default, unit, meaning):
    """The schema of one setting, from its default and its unit."""
    default = default.strip("`")
    name = key.rsplit(".", 1)[-1]
    if default == "auto":
        choices = dict.fromkeys(re.findall(r"`([a-z]+)`", meaning)) | {"auto": None}
        kind = {"enum": ["auto", *({"true": True, "false": False}.get(it, it) for it in choices if it != "auto")]}
    elif default in ("true", "false") or meaning.startswith("whether"):
        kind = {"type": ["boolean", "null"] if default == "none" else "boolean"}
    elif default.startswith("["):
        kind = {"type": "array", "items": {"type": "string"}}
    elif unit == "seconds":
        kind = {"type": "number", "minimum": 0}
    elif re.fullmatch(r"[0-9]+", default):
        kind = {"type": "integer", "minimum": 1 if "at least 1" in meaning or key.startswith("limits.") else 0}
        if name == "port":
            kind["maximum"] = 65535
    else:
        kind = {"type": ["string", "null"] if default == "none" else "string"}
    return {"description": re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", meaning), **kind}


def section(is_open=False):
    return {"type": ["object", "null"], "additionalProperties": is_open, "properties": {}}


def settings_schema():
    """The schema of `settings`: sections, and settings in them."""
    settings = {"type": "object", "additionalProperties": False, "properties": {"logger": {"type": "object"}}}
    rows = {key: setting_schema(key, default, unit, meaning) for key, default, unit, meaning in setting_rows()}
    if len(rows) < 60:
        sys.exit("chart.py: docs/settings.md has other tables than expected")
    for key, schema in rows.items():
        place = settings
        *sections, name = key.split(".")
        for part in sections:
            is_open = part in OPEN_SECTIONS
            place = place["properties"].setdefault(part, section(is_open))
        place["properties"][name] = schema
    return settings


def described_values():
    """Path, description and further rules of each value of values.yaml that a comment stands above."""
    path, description, rules = [], [], {}
    for line in (CHART / "values.yaml").read_text().splitlines():
        text = line.strip()
        if text.startswith("# @schema "):
            rules.update(json.loads(text.removeprefix("# @schema ")))
        elif text.startswith("# "):
            description.append(text.removeprefix("# "))
        elif found := re.match(r"^( *)([A-Za-z]+):", line):
            depth = len(found[1]) // 2
            path = path[:depth] + [found[2]]
            if description:
                yield list(path), " ".join(description), rules
            description, rules = [], {}
        else:
            description, rules = [], {}


def value_at(values, path):
    for part in path:
        values = values[part]
    return values


def schema_of(value):
    """A schema that follows from a default."""
    kinds = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}
    schema = {"type": kinds[type(value)]}
    return {**schema, "minimum": 0} if schema["type"] == "integer" else schema


def values_schema():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    root = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart typephoon-api",
        "type": "object",
        "additionalProperties": False,
        # Helm hands these to every subchart.
        "properties": {"global": {"type": "object"}},
    }
    for path, description, rules in described_values():
        place = root
        for part in path[:-1]:
            place = place["properties"].setdefault(
                part, {"type": "object", "additionalProperties": False, "properties": {}}
            )
        schema = {"description": description, **schema_of(value_at(values, path)), **rules}
        if "enum" in rules:
            del schema["type"]
        place["properties"][path[-1]] = schema
    root["properties"]["settings"].update(settings_schema())
    undescribed = sorted(set(leaves(values)) - {".".join(path) for path, *_ in described_values()})
    if undescribed:
        sys.exit(f"chart.py: values without a comment: {', '.join(undescribed)}")
    return json.dumps(root, indent=2, ensure_ascii=False) + "\n"


def leaves(values, prefix=""):
    """Paths of what has to be described: all but sections, and but the inside of what is described as a whole."""
    described = {".".join(path) for path, *_ in described_values()}
    for name, value in values.items():
        path = prefix + name
        if isinstance(value, dict) and value and path not in described:
            yield from leaves(value, path + ".")
        else:
            yield path


def readme():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    lines = ["| value | default | meaning |", "|---|---|---|"]
    for path, description, _ in described_values():
        value = value_at(values, path)
        default = "see values.yaml" if isinstance(value, dict) and value else f"`{json.dumps(value)}`"
        lines.append(f"| `{'.'.join(path)}` | {default} | {description} |")
    text = (CHART / "README.md").read_text()
    return TABLE.sub(lambda found: found[1] + "\n".join(lines) + "\n" + found[2], text)


def main():
    generated = {CHART / "values.schema.json": values_schema(), CHART / "README.md": readme()}
    generated |= {CHART / "files/rules" / file.name: file.read_text() for file in (ROOT / "otel/rules").glob("*.yaml")}
    stale = [file for file, text in generated.items() if not file.exists() or file.read_text() != text]
    if sys.argv[1:] == ["write"]:
        for file in stale:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(generated[file])
    elif sys.argv[1:] == ["check"]:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is stale: `deploy/chart.py write` writes it", file=sys.stderr)
        sys.exit(bool(stale))
    else:
        sys.exit("usage: chart.py write|check")


if __name__ == "__main__":
    main()
