#!/usr/bin/env python3
"""Generates Grafana's dashboards: `dashboards.py write` writes otel/grafana/dashboards/*.json, `dashboards.py check` compares.

Each is generated from one file of otel/dashboards: rows of panels; a panel has a title, a description (`about`), a unit and
queries by legend. `$pods` in a query stands for the labels that the variables of the dashboard select. Further keys:
`kind` (default: time series), `width` of 24 columns, `max`, `stack`, `exemplars`, `thresholds` ([from, color] …).
"""
import json
import sys
from pathlib import Path

import yaml

OTEL = Path(__file__).resolve().parent
PODS = 'job=~"$job",pod=~"$pod"'
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
TEMPO = {"type": "tempo", "uid": "${traces}"}
# Width and height on Grafana's grid, by kind.
SIZES = {"stat": (4, 4), "timeseries": (8, 8), "heatmap": (12, 9), "state-timeline": (12, 8), "traces": (24, 9)}
WIDTH = 24


def variable(name, label, query, **more):
    """A variable that lists values of a label."""
    return {"name": name, "label": label, "type": "query", "datasource": PROMETHEUS, "definition": query,
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
            "current": {"text": "All", "value": "$__all"}, **more}


def datasource(name, label, kind):
    return {"name": name, "label": label, "type": "datasource", "query": kind, "current": {}, "refresh": 1}


def variables(source):
    # Also accepts a Prometheus whose targets have no label `pod`.
    chosen = [datasource("datasource", "Data source", "prometheus"),
              variable("job", "Job", "label_values(typephoon_players_online, job)", allValue=".+"),
              variable("pod", "Pod", 'label_values(typephoon_players_online{job=~"$job"}, pod)', allValue=".*")]
    chosen += [variable(label, label.capitalize(), f'label_values({metric}{{{PODS}}}, {label})', allValue=".+")
               for label, metric in source.get("variables", {}).items()]
    if any(panel.get("kind") == "traces" for panels in source["rows"].values() for panel in panels):
        chosen.append(datasource("traces", "Traces", "tempo"))
    return chosen


def targets(panel):
    kind = panel.get("kind")
    for number, (legend, query) in enumerate(panel["queries"].items()):
        target = {"refId": chr(ord("A") + number)}
        if kind == "traces":
            yield target | {"datasource": TEMPO, "queryType": "traceql", "query": query, "limit": 50, "tableType": "spans"}
        else:
            yield target | {"datasource": PROMETHEUS, "expr": query.strip().replace("$pods", PODS), "legendFormat": legend,
                            "range": kind != "stat", "instant": kind == "stat", "exemplar": panel.get("exemplars", False),
                            "format": "heatmap" if kind == "heatmap" else "time_series"}


def look(panel):
    """The options of a panel, and of its fields."""
    kind = panel.get("kind", "timeseries")
    steps = [{"value": start, "color": color} for start, color in [[None, "green"], *panel.get("thresholds", [])]]
    field = {"unit": panel["unit"], "thresholds": {"mode": "absolute", "steps": steps}}
    if kind == "stat":
        return {"colorMode": "value", "graphMode": "none", "reduceOptions": {"calcs": ["lastNotNull"]}}, field
    if kind == "state-timeline":
        texts = {"0": {"text": "away", "color": "red"}, "1": {"text": "there", "color": "green"}}
        field["mappings"] = [{"type": "value", "options": texts}]
        return {"mergeValues": True, "showValue": "never", "rowHeight": 0.9,
                "legend": {"displayMode": "list", "placement": "bottom"}}, field
    if kind == "heatmap":
        return {"calculate": False, "showValue": "never", "yAxis": {"unit": panel["unit"]},
                "cellValues": {"unit": "short"}, "legend": {"show": True},
                "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64}, "exemplars": {"color": "rgba(0,90,255,0.8)"},
                "tooltip": {"mode": "single", "yHistogram": True}}, field
    if kind == "traces":
        return {"showHeader": True}, field
    field |= {"min": 0, "custom": {"lineWidth": 1, "fillOpacity": 60 if panel.get("stack") else 10, "showPoints": "never",
              "stacking": {"mode": "normal" if panel.get("stack") else "none"},
              "thresholdsStyle": {"mode": "line" if "thresholds" in panel else "off"}}}
    if "max" in panel:
        field["max"] = panel["max"]
    return {"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
            "tooltip": {"mode": "multi", "sort": "desc"}}, field


def panels(rows):
    """Rows of panels, laid out from left to right."""
    top = 0
    for title, row in rows.items():
        yield {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}}
        top, left, tallest = top + 1, 0, 0
        for panel in row:
            kind = panel.get("kind", "timeseries")
            width, height = SIZES[kind]
            width = panel.get("width", width)
            if left + width > WIDTH:
                top, left, tallest = top + tallest, 0, 0
            options, field = look(panel)
            yield {"type": "table" if kind == "traces" else kind, "title": panel["title"], "description": panel["about"].strip(),
                   "datasource": TEMPO if kind == "traces" else PROMETHEUS, "targets": list(targets(panel)), "options": options,
                   "fieldConfig": {"defaults": field, "overrides": []}, "gridPos": {"x": left, "y": top, "w": width, "h": height}}
            left, tallest = left + width, max(tallest, height)
        top += tallest


def dashboard(source):
    shown = list(panels(source["rows"]))
    for number, panel in enumerate(shown):
        panel["id"] = number + 1
    alerts = {"name": "Alerts", "datasource": PROMETHEUS, "enable": True, "iconColor": "red", "step": "30s",
              "expr": 'ALERTS{job=~"$job",alertstate="firing"}', "titleFormat": "{{alertname}}",
              "textFormat": "{{pod}} {{module}} {{dependency}}"}
    links = [{"title": "Typephoon", "type": "dashboards", "tags": ["typephoon"], "asDropdown": True, "includeVars": True,
              "keepTime": True, "targetBlank": False, "icon": "external link", "tooltip": "Other dashboards, same time and pods"}]
    return {"uid": source["uid"], "title": source["title"], "description": source["about"].strip(), "tags": ["typephoon"],
            "schemaVersion": 41, "editable": False, "graphTooltip": 1, "refresh": "30s", "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser", "annotations": {"list": [alerts]}, "links": links, "panels": shown,
            "templating": {"list": variables(source)}}


def generated():
    """The path and content of each file."""
    for file in sorted((OTEL / "dashboards").glob("*.yaml")):
        made = dashboard(yaml.safe_load(file.read_text()))
        yield OTEL / "grafana/dashboards" / f"{file.stem}.json", json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def main(command):
    files = dict(generated())
    stray = set((OTEL / "grafana/dashboards").glob("*.json")) - files.keys()
    if command == "write":
        for file, text in files.items():
            file.write_text(text)
        for file in stray:
            file.unlink()
        return
    old = sorted(stray | {file for file, text in files.items() if not file.is_file() or file.read_text() != text})
    for file in old:
        print(f"{file.relative_to(OTEL.parent)} is not what otel/dashboards makes: otel/dashboards.py write", file=sys.stderr)
    sys.exit(bool(old))


if __name__ == "__main__":
    if sys.argv[1:] not in (["write"], ["check"]):
        sys.exit(__doc__)
    main(sys.argv[1])
