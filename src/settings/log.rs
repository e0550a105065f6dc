//! The section `log`: the format of the log.

use serde::de::Deserializer;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::values;

/// The format of the log. Its level is `LOG_LEVEL`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LogSettings {
    /// The format of its lines.
    pub format: LogFormat,
    /// Whether its lines are also sent to `telemetry.otlp_endpoint`.
    #[serde(deserialize_with = "values::switch")]
    pub otlp: bool,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `auto`: `pretty` if standard output is a terminal, else `json`.
    #[default]
    Auto,
    /// `pretty`: for people.
    Pretty,
    /// `json`: one object a line, as `docs/telemetry.md` describes it.
    Json,
}

const NAMES: [(&str, LogFormat); 3] =
    [("auto", LogFormat::Auto), ("pretty", LogFormat::Pretty), ("json", LogFormat::Json)];

impl Serialize for LogFormat {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(_, format)| format == self);
        to.serialize_str(name.map_or("auto", |(name, _)| name))
    }
}

impl<'de> Deserialize<'de> for LogFormat {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let text = value.as_str().unwrap_or_default().trim();
        let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        named
            .map(|(_, format)| *format)
            .ok_or_else(|| values::misfit(&value, "auto, pretty or json"))
    }
}
