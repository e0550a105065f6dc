//! The report as one self-contained HTML page.

use std::fmt::Write;

use crate::monitor::Sample;
use crate::report::Report;
use crate::svg::{Axis, Line, plot};

const STYLE: &str = "\
:root{color-scheme:light dark;--a:#2a6fdb;--b:#d9480f;--c:#2b8a3e;--grid:#8884}\
body{font:15px/1.5 system-ui,sans-serif;max-width:880px;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%}td{padding:.15rem .8rem .15rem 0;vertical-align:top;border-bottom:1px solid var(--grid)}\
td:first-child{white-space:pre}svg{width:100%}text{font-size:12px;fill:currentColor}.right{text-anchor:end}.middle{text-anchor:middle}\
.grid{stroke:var(--grid)}.line{fill:none;stroke-width:2;stroke-linejoin:round}.line.a{stroke:var(--a)}.line.b{stroke:var(--b)}.line.c{stroke:var(--c)}\
.legend{margin:0;text-align:right}.legend .a{color:var(--a)}.legend .b{color:var(--b)}.legend .c{color:var(--c)}";

/// Renders the page.
pub fn page(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
        <title>typephoon-load: {load}</title><style>{STYLE}</style><h1>typephoon-load</h1><p>{load}, against {urls}</p><table>",
        load = escape(&report.load),
        urls = escape(&report.urls.join(", ")),
    );
    for (name, value) in report.rows().iter().skip(1) {
        let _ = write!(page, "<tr><td>{name}<td>{}", escape(value));
    }
    for (kind, count) in &report.errors {
        let _ = write!(page, "<tr><td>  {count}<td>{}", escape(kind));
    }
    page.push_str("</table>");
    for (title, plot) in plots(report) {
        let _ = write!(page, "<h2>{title}</h2>{plot}");
    }
    page + "</html>\n"
}

fn plots(report: &Report) -> Vec<(&'static str, String)> {
    let over_time = |name, class, value: fn(&Sample) -> f64| Line {
        name,
        class,
        points: report.series.samples.iter().map(|it| (it.at, value(it))).collect(),
    };
    let curve = Line { name: "relay latency", class: "a", points: report.relay_curve.clone() };
    let latencies =
        [over_time("99th percentile", "b", |it| it.p99), over_time("median", "a", |it| it.p50)];
    let frames = [
        over_time("frames delivered", "a", |it| it.delivered),
        over_time("keystrokes sent", "c", |it| it.sent),
    ];
    let joins = [over_time("joins", "a", |it| it.joins)];
    let sockets = [over_time("open sockets", "c", |it| it.sockets as f64)];
    let mut plots = vec![
        ("Relay latency by percentile", plot(Axis::Percentiles, "ms", &[curve])),
        ("Relay latency over time", plot(Axis::Time, "ms", &latencies)),
        ("Deliveries", plot(Axis::Time, "per second", &frames)),
        ("Joins", plot(Axis::Time, "per second", &joins)),
        ("Sockets", plot(Axis::Time, "open", &sockets)),
    ];
    let own = over_time("generator", "c", |it| it.own_cpu);
    if report.pids.is_empty() {
        plots.push(("CPU", plot(Axis::Time, "cores", &[own])));
    } else {
        let cpu = [over_time("server", "a", |it| it.cpu), own];
        plots.push(("CPU", plot(Axis::Time, "cores", &cpu)));
        let memory = [over_time("server", "a", |it| it.memory)];
        plots.push(("Resident memory", plot(Axis::Time, "MiB", &memory)));
    }
    plots
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
