#!/usr/bin/env python3
"""Tests of deploy/chart without a cluster: lints it, renders it with the values of each case, and validates what comes out.

A case is a name, values, and what must hold: either `path = expected` of a rendered object, or the sentence with which
the values are refused. Each rendered case is validated against the schemas of two versions of Kubernetes, and objects that
are not Kubernetes' own against deploy/schemas/custom.yaml. Needs the packages that deploy/check.sh installs.
"""
import re
import sys
import tempfile
from pathlib import Path

import helm_python
import jsonschema
import kubernetes_validate
import yaml
from chart_cases import CASES, REFUSED

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "deploy/chart"
# The oldest that Chart.yaml allows, and the newest whose schema is to be had.
KUBERNETES = ("1.30", "1.37")
FOREIGN = yaml.safe_load((ROOT / "deploy/schemas/custom.yaml").read_text())
MISSING = object()


def objects(files):
    """All rendered objects by kind and name without the prefix that all have: `Service/-race`."""
    found = {}
    prefix = re.search(r"^  name: (\S+)$", files["typephoon-api/templates/configmap.yaml"], re.MULTILINE)[1]
    for file, text in files.items():
        if file.endswith("NOTES.txt"):
            continue
        for document in yaml.safe_load_all(text):
            if document:
                name = document["metadata"]["name"].removeprefix(prefix)
                key = f"{document['kind']}/{name}"
                assert key not in found, f"{key} is rendered twice"
                found[key] = document
    return found


def look_up(place, path):
    """The value at a path such as `spec.ports[0].name`; `MISSING` where there is none."""
    for part in re.findall(r"[^.\[\]]+|\[[^\]]+\]", path):
        key = part.strip("[]").strip("'")
        if isinstance(place, list):
            place = place[int(key)] if int(key) < len(place) else MISSING
        elif isinstance(place, dict):
            place = place.get(key, MISSING)
        else:
            return MISSING
        if place is MISSING:
            return MISSING
    return place


def validate(found):
    """Complaints about objects that Kubernetes, or their own project, would refuse."""
    for key, document in found.items():
        try:
            if document["kind"] in FOREIGN:
                jsonschema.validate(document, FOREIGN[document["kind"]])
            else:
                for version in KUBERNETES:
                    kubernetes_validate.validate(document, version, strict=True)
        except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
            yield f"{key}: {error.message if hasattr(error, 'message') else error}"


def consistency(found):
    """Complaints about objects that do not fit each other."""
    pods = found["Deployment/"]["spec"]["template"]
    labels = pods["metadata"]["labels"]
    ports = {port["name"] for port in pods["spec"]["containers"][0]["ports"]}
    services = {doc["metadata"]["name"]: doc for doc in found.values() if doc["kind"] == "Service"}
    for name, service in services.items():
        if not service["spec"]["selector"].items() <= labels.items():
            yield f"{name} selects no pod"
        if not {port["targetPort"] for port in service["spec"]["ports"]} <= ports:
            yield f"{name} leads to a port that no container has"
    text = yaml.safe_dump_all(found.values())
    for target in re.findall(r"service:\n\s+name: (\S+)", text):
        if target not in services:
            yield f"an Ingress leads to {target}, which is not there"
    volumes = {volume["name"] for volume in pods["spec"]["volumes"]}
    for mount in pods["spec"]["containers"][0]["volumeMounts"]:
        if mount["name"] not in volumes:
            yield f"the volume {mount['name']} is mounted and not there"
    if found.get("Pod/-test", {}).get("metadata", {}).get("labels", {}).items() >= labels.items():
        yield "Services would send players to the pod of `helm test`"


def accepted(chart, values, expected):
    """Complaints about a case whose values are fine."""
    found = objects(chart.render(values=values, name="rel", namespace="play"))
    yield from validate(found)
    yield from consistency(found)
    for path, wanted in expected.items():
        key, _, inside = path.partition(":")
        value = found.get(key, MISSING)
        if value is not MISSING and inside:
            if inside.startswith("settings."):
                value = look_up(yaml.safe_load(value["data"]["setting.yaml"]), inside.removeprefix("settings."))
            else:
                value = look_up(value, inside)
        if wanted is None:
            if value is not MISSING:
                yield f"{path} is there: {value!r}"
        elif wanted is ...:
            if value is MISSING:
                yield f"{path} is missing; there are {', '.join(found)}"
        elif value != wanted:
            yield f"{path} is {'missing' if value is MISSING else repr(value)}, not {wanted!r}"


def refused(chart, values, sentence):
    """A complaint, unless the values are refused with that sentence."""
    try:
        chart.render(values=values, name="rel", namespace="play")
    except helm_python.HelmError as error:
        if sentence not in str(error):
            yield f"refused, but not by {sentence!r}: {error}"
    else:
        yield "is not refused"


def versions():
    """Complaints about versions that are not those of Cargo.toml, and about names that are nowhere else."""
    version = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    for key in ("version", "appVersion"):
        if chart[key] != version:
            yield f"{key} of Chart.yaml is {chart[key]}, but the server is {version}"
    wiring = "".join(file.read_text() for file in (ROOT / "tests/wiring").glob("*.snap"))
    for path in re.findall(r"^- (/api/\S+)$", (CHART / "templates/_helpers.tpl").read_text(), re.MULTILINE):
        if path not in wiring:
            yield f"_helpers.tpl places {path}, which is no route"


def linted():
    """Complaints of the linter, and of packaging."""
    # "icon is recommended" is of severity 1.
    result = helm_python.lint(str(CHART), strict=True)
    yield from (message["error"] for message in result["messages"] if message["severity"] > 1)
    yield from result["errors"]
    with tempfile.TemporaryDirectory() as folder:
        package = Path(helm_python.package(str(CHART), destination=folder))
        if not package.is_file():
            yield "no package was made"


def main():
    chart = helm_python.Chart.load(str(CHART))
    cases = [(name, accepted(chart, values, expected)) for name, values, expected in CASES]
    cases += [(f"refused: {name}", refused(chart, values, text)) for name, values, text in REFUSED]
    cases += [("lint and package", linted()), ("versions and names", versions())]
    failed = 0
    for name, complaints in cases:
        for complaint in complaints:
            failed += 1
            print(f"chart: {name}: {complaint}", file=sys.stderr)
    print(f"{len(cases)} cases, on Kubernetes {' and '.join(KUBERNETES)}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
