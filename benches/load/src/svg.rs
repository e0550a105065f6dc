//! A plot as inline SVG: lines over one horizontal axis.

use std::fmt::Write;

/// Size of the whole picture.
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 260.0;
/// Room for the labels.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 36.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// One line.
pub struct Line<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// Its class, `a` to `c`: the page's style defines the colours.
    pub class: &'a str,
    /// Its points.
    pub points: Vec<(f64, f64)>,
}

/// The unit of the horizontal axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Seconds.
    Time,
    /// Percentiles, by their number of nines.
    Percentiles,
}

/// Draws the lines. Vertical values begin at zero.
pub fn plot(axis: Axis, unit: &str, lines: &[Line<'_>]) -> String {
    let placed: Vec<Vec<(f64, f64)>> = lines
        .iter()
        .map(|line| line.points.iter().map(|(x, y)| (axis.place(*x), *y)).collect())
        .collect();
    let points = || placed.iter().flatten();
    let far = points().map(|(x, _)| *x).fold(0.0, f64::max).max(1.0);
    let high = nice(points().map(|(_, y)| *y).fold(0.0, f64::max));
    let x = |value: f64| LEFT + value / far * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / high * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">"#);
    for step in 0..=4 {
        let value = high * f64::from(step) / 4.0;
        let at = y(value);
        let _ = write!(
            svg,
            r#"<path class="grid" d="M{LEFT} {at:.1}H{:.1}"/><text class="right" x="{:.1}" y="{:.1}">{}</text>"#,
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0,
            short(value)
        );
    }
    for (value, label) in axis.ticks(far) {
        let _ = write!(
            svg,
            r#"<text class="middle" x="{:.1}" y="{:.1}">{label}</text>"#,
            x(value),
            HEIGHT - BOTTOM + 18.0
        );
    }
    for (line, points) in lines.iter().zip(&placed) {
        let path: Vec<String> =
            points.iter().map(|(px, py)| format!("{:.1} {:.1}", x(*px), y(*py))).collect();
        if !path.is_empty() {
            let _ = write!(svg, r#"<path class="line {}" d="M{}"/>"#, line.class, path.join("L"));
        }
    }
    svg + "</svg>" + &legend(unit, lines)
}

fn legend(unit: &str, lines: &[Line<'_>]) -> String {
    let names: Vec<String> = lines
        .iter()
        .map(|line| format!(r#"<span class="{}">{}</span>"#, line.class, line.name))
        .collect();
    format!("<p class=legend>{} [{unit}]</p>", names.join(", "))
}

impl Axis {
    /// The place of a value on the axis.
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Time => value,
            Self::Percentiles => -((100.0 - value) / 100.0).log10(),
        }
    }

    fn ticks(self, far: f64) -> Vec<(f64, String)> {
        match self {
            Self::Time => {
                let step = nice(far / 6.0).max(1.0);
                let count = (far / step).floor() as u32;
                (0..=count)
                    .map(|it| f64::from(it) * step)
                    .map(|at| (at, format!("{} s", short(at))))
                    .collect()
            }
            Self::Percentiles => [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999]
                .into_iter()
                .map(|percentile| (self.place(percentile), format!("{percentile} %")))
                .filter(|(at, _)| *at <= far)
                .collect(),
        }
    }
}

/// The next of 1, 2, 5, 10, 20 …
fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|it| it * power);
    steps.into_iter().find(|it| *it >= value * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{}M", (value / 1e4).round() / 100.0),
        _ if value >= 1e4 => format!("{}k", (value / 10.0).round() / 100.0),
        _ => ((value * 1e3).round() / 1e3).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, round) in [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (1.1, 2.0), (730.0, 1000.0)] {
            assert!((nice(value) - round).abs() < 1e-9, "{value}");
        }
        assert_eq!([0.25, 1500.0, 20_000.0, 2.5e6].map(short), ["0.25", "1500", "20k", "2.5M"]);
    }

    #[test]
    fn a_line_goes_from_the_lower_left_to_the_upper_right() {
        let line = Line { name: "frames", class: "a", points: vec![(0.0, 0.0), (10.0, 100.0)] };
        let svg = plot(Axis::Time, "per second", &[line]);
        assert!(svg.contains(r#"class="line a" d="M64.0 226.0L824.0 12.0""#), "{svg}");
        assert!(svg.contains("frames") && svg.contains("[per second]"));
    }

    #[test]
    fn percentiles_stand_by_their_nines() {
        assert_eq!(
            [0.0, 90.0, 99.0].map(|it| Axis::Percentiles.place(it).round()),
            [0.0, 1.0, 2.0]
        );
        let empty =
            plot(Axis::Percentiles, "ms", &[Line { name: "none", class: "a", points: vec![] }]);
        assert!(!empty.contains("NaN") && !empty.contains("class=\"line"));
    }
}
