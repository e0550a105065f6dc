//! The kinds of instruments: counters, gauges and histograms, each alone or as a family by labels.
//!
//! An instrument is a `static` of the table ([`super::count`], [`super::instruments`]) or belongs to a handler module
//! ([`super::own`]). Values of labels are names from the code (modules, events, routes, codes), so clients cannot
//! increase the number of series.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::counter::Counter as PromCounter;
use prometheus_client::metrics::gauge::Gauge as PromGauge;
use prometheus_client::metrics::histogram::Histogram as PromHistogram;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::{Registry, Unit};

/// A number that only grows, since this process started.
pub type Counter = One<PromCounter>;
/// Counters, one per combination of label values.
pub type Counters<const N: usize> = By<N, PromCounter>;
/// One of `Counters`, looked up once, for places that count often.
pub type CounterHandle = PromCounter;
/// A number that goes up and down.
pub type Gauge = One<FloatGauge>;
/// Gauges, one per combination of label values.
pub type Gauges<const N: usize> = By<N, FloatGauge>;
/// A sum that is maintained elsewhere, such as CPU time.
pub type Sum = One<FloatCounter>;
/// Durations, in buckets.
pub type Histogram = One<PromHistogram>;
/// Histograms, one per combination of label values.
pub type Histograms<const N: usize> = By<N, PromHistogram>;

type FloatCounter = PromCounter<f64, AtomicU64>;
type FloatGauge = PromGauge<f64, AtomicU64>;

/// The description of an instrument, for the table and the exposition.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The name, with its unit and, for counters, `_total`.
    pub name: &'static str,
    /// One sentence without its full stop.
    pub help: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

impl About {
    /// The name without `_total`.
    fn base(&self) -> &'static str {
        self.name.strip_suffix("_total").unwrap_or(self.name)
    }

    /// `seconds`, `bytes`, or empty for plain numbers, from the suffix of the name.
    pub fn unit(&self) -> &'static str {
        let ends =
            |unit: &&&str| self.base().strip_suffix(**unit).is_some_and(|it| it.ends_with('_'));
        ["seconds", "bytes"].iter().find(ends).copied().unwrap_or_default()
    }

    pub(super) fn register(
        &self,
        metric: impl prometheus_client::registry::Metric,
        into: &mut Registry,
    ) {
        let (unit, help) = (self.unit(), self.help.trim().trim_end_matches('.'));
        let name = self.base().strip_suffix(unit).unwrap_or_default();
        match unit {
            "seconds" => {
                into.register_with_unit(name.trim_end_matches('_'), help, Unit::Seconds, metric)
            }
            "bytes" => {
                into.register_with_unit(name.trim_end_matches('_'), help, Unit::Bytes, metric)
            }
            _ => into.register(self.base(), help, metric),
        }
    }
}

/// An entry of the table.
pub trait Instrument: Sync {
    /// Its description.
    fn about(&self) -> About;
    /// Adds it to the exposition.
    fn expose(&'static self, registry: &mut Registry);
}

/// A metric that starts empty.
pub trait Fresh: EncodeMetric + TypedMetric + Clone + fmt::Debug + Send + Sync + 'static {
    /// Its kind, in one word.
    const KIND: &'static str;
    /// A new metric; only histograms use the buckets.
    fn fresh(buckets: &[f64]) -> Self;
}

impl Fresh for PromCounter {
    const KIND: &'static str = "counter";
    fn fresh(_: &[f64]) -> Self {
        Self::default()
    }
}

impl Fresh for FloatCounter {
    const KIND: &'static str = "counter";
    fn fresh(_: &[f64]) -> Self {
        Self::default()
    }
}

impl Fresh for FloatGauge {
    const KIND: &'static str = "gauge";
    fn fresh(_: &[f64]) -> Self {
        Self::default()
    }
}

impl Fresh for PromHistogram {
    const KIND: &'static str = "histogram";
    fn fresh(buckets: &[f64]) -> Self {
        Self::new(buckets.iter().copied())
    }
}

/// An instrument without labels.
#[derive(Debug)]
pub struct One<M> {
    name: &'static str,
    help: &'static str,
    buckets: &'static [f64],
    metric: OnceLock<M>,
}

impl<M: Fresh> One<M> {
    /// An entry of the table.
    pub const fn new(help: &'static str, name: &'static str) -> Self {
        Self::in_buckets(help, name, &[])
    }

    /// The same, for a histogram with these upper bounds.
    pub const fn in_buckets(
        help: &'static str,
        name: &'static str,
        buckets: &'static [f64],
    ) -> Self {
        Self { name, help, buckets, metric: OnceLock::new() }
    }

    fn metric(&self) -> &M {
        self.metric.get_or_init(|| M::fresh(self.buckets))
    }
}

impl<M: Fresh> Instrument for One<M> {
    fn about(&self) -> About {
        About { name: self.name, help: self.help, kind: M::KIND, labels: &[] }
    }
    fn expose(&'static self, registry: &mut Registry) {
        self.about().register(self.metric().clone(), registry);
    }
}

impl Counter {
    /// Counts `n` more.
    pub fn add(&self, n: u64) {
        self.metric().inc_by(n);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.metric().get()
    }
}

impl Sum {
    /// Sets the sum.
    pub fn set(&self, total: f64) {
        self.metric().inner().store(total.to_bits(), Ordering::Relaxed);
    }
}

impl Gauge {
    /// Sets the number. It loses precision above 2^52, which no gauge here reaches.
    #[allow(clippy::cast_precision_loss)]
    pub fn set(&self, value: u64) {
        self.metric().set(value as f64);
    }

    /// Counts one more, until the guard is dropped.
    pub fn one_more(&'static self) -> OneMore {
        self.metric().inc();
        OneMore(self)
    }

    /// The same for fractions.
    pub fn set_exactly(&self, value: f64) {
        self.metric().set(value);
    }
}

/// Counts as one while it is held.
#[must_use = "it counts as long as it is held"]
#[derive(Debug)]
pub struct OneMore(&'static Gauge);

impl Drop for OneMore {
    fn drop(&mut self) {
        self.0.metric().dec();
    }
}

impl Histogram {
    /// Records a duration.
    pub fn observe(&self, took: Duration) {
        self.metric().observe(took.as_secs_f64());
    }

    /// Records a number that is not a duration.
    pub fn record(&self, number: f64) {
        self.metric().observe(number);
    }
}

/// The value of a label.
pub type Value = Cow<'static, str>;

/// An instrument with `N` labels.
#[derive(Debug)]
pub struct By<const N: usize, M> {
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str; N],
    buckets: &'static [f64],
    series: RwLock<BTreeMap<[Value; N], M>>,
}

impl<const N: usize, M: Fresh> By<N, M> {
    /// An entry of the table.
    pub const fn new(
        help: &'static str,
        name: &'static str,
        labels: &'static [&'static str; N],
    ) -> Self {
        Self::in_buckets(help, name, labels, &[])
    }

    /// The same, for histograms with these upper bounds.
    pub const fn in_buckets(
        help: &'static str,
        name: &'static str,
        labels: &'static [&'static str; N],
        buckets: &'static [f64],
    ) -> Self {
        Self { name, help, labels, buckets, series: RwLock::new(BTreeMap::new()) }
    }

    fn with<T>(&self, values: [Value; N], act: impl FnOnce(&M) -> T) -> T {
        if let Some(metric) = self.series.read().get(&values) {
            return act(metric);
        }
        act(self.series.write().entry(values).or_insert_with(|| M::fresh(self.buckets)))
    }

    /// The metric with these label values.
    pub fn of(&self, values: [&'static str; N]) -> M {
        self.with(values.map(Cow::Borrowed), M::clone)
    }

    /// Removes all series, before the current ones are set.
    pub fn clear(&self) {
        self.series.write().clear();
    }
}

impl<const N: usize, M: Fresh> Instrument for By<N, M> {
    fn about(&self) -> About {
        About { name: self.name, help: self.help, kind: M::KIND, labels: self.labels }
    }
    fn expose(&'static self, registry: &mut Registry) {
        self.about().register(Series(self), registry);
    }
}

/// The series of an instrument, as the registry takes them.
#[derive(Debug)]
struct Series<const N: usize, M: 'static>(&'static By<N, M>);

impl<const N: usize, M: Fresh> EncodeMetric for Series<N, M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (values, metric) in &*self.0.series.read() {
            let pairs: [_; N] = std::array::from_fn(|at| (self.0.labels[at], values[at].as_ref()));
            metric.encode(encoder.encode_family(&pairs)?)?;
        }
        Ok(())
    }
    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}

impl<const N: usize> Counters<N> {
    /// Counts `n` more, with these label values.
    pub fn add(&self, values: [&'static str; N], n: u64) {
        self.with(values.map(Cow::Borrowed), |counter| counter.inc_by(n));
    }

    /// The same with values from run time, such as a code.
    pub fn add_named(&self, values: [Value; N], n: u64) {
        self.with(values, |counter| counter.inc_by(n));
    }

    /// The sum over all label values.
    pub fn get(&self) -> u64 {
        self.series.read().values().map(PromCounter::get).sum()
    }
}

impl<const N: usize> Gauges<N> {
    /// Sets the number.
    #[allow(clippy::cast_precision_loss)]
    pub fn set(&self, values: [&'static str; N], value: u64) {
        self.with(values.map(Cow::Borrowed), |gauge| gauge.set(value as f64));
    }

    /// Changes the number.
    pub fn change(&self, values: [&'static str; N], by: f64) {
        self.with(values.map(Cow::Borrowed), |gauge| gauge.inc_by(by));
    }
}

impl<const N: usize> Histograms<N> {
    /// Records a duration.
    pub fn observe(&self, values: [&'static str; N], took: Duration) {
        self.with(values.map(Cow::Borrowed), |histogram| histogram.observe(took.as_secs_f64()));
    }

    /// The same with values from run time, such as a status.
    pub fn observe_named(&self, values: [Value; N], took: Duration) {
        self.with(values, |histogram| histogram.observe(took.as_secs_f64()));
    }
}

/// Measures an operation until it is dropped.
#[must_use = "it measures until it is dropped"]
#[derive(Debug)]
pub struct Timed {
    into: &'static Histograms<1>,
    operation: &'static str,
    begun: Instant,
}

impl Timed {
    /// Starts measuring an operation, whose name is the last in a path of functions and closures.
    pub fn begin(into: &'static Histograms<1>, path: &'static str) -> Self {
        let is_name = |part: &&str| !part.starts_with('{') && *part != "here";
        let operation = path.rsplit("::").find(is_name).unwrap_or(path);
        Self { into, operation, begun: Instant::now() }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.into.observe([self.operation], self.begun.elapsed());
    }
}
