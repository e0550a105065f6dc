//! The settings of the server: read once at start-up, then passed to the parts that need them.
//!
//! ```
//! use typephoon_api::settings::{Sources, load};
//!
//! let sources = Sources {
//!     environment: vec![("TP_SERVER__PORT".into(), "9000".into())],
//!     ..Sources::default()
//! };
//! let loaded = load(&sources)?;
//! assert_eq!(loaded.settings.server.port, 9000);
//! # Ok::<(), typephoon_api::settings::SettingsError>(())
//! ```
//!
//! A setting comes from the environment, else from the secret file, else from the setting file, else from its default.
//! `sources` and `environment` read layers, `check` validates their names, `layer` merges them, and the fields of
//! `sections` and `services` parse their values with `values` and `lists`. To add a setting, add a field with its
//! default, and its row in `docs/settings.md`.
//!
//! Not here: the command line, and the meaning of a module's own section ([`HandlerSettings::sections`]).

mod check;
mod cookies;
mod environment;
mod error;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod keys;
mod layer;
mod lists;
mod log;
mod operations;
mod secret;
mod sections;
mod services;
mod show;
mod sources;
#[cfg(test)]
mod tests;
mod values;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use cookies::{CookieSettings, SecureCookies};
pub use error::SettingsError;
pub use log::{LogFormat, LogSettings};
pub use operations::{OperationsPort, OperationsSettings};
pub use secret::{Secret, ServiceUrl};
pub use sections::{
    AuthSettings, CorsSettings, GameSettings, GoogleSettings, HandlerSettings, LimitSettings,
    ServerSettings, ShutdownSettings, TelemetrySettings, TokenSettings, WebSettings,
};
pub use services::{AmqpSettings, DbSettings, RedisSettings};
pub use sources::Sources;
pub use values::plain_text;

use check::Ignored;
use environment::Unprefixed;
use keys::SettingKeys;
use layer::Layer;

/// All settings. The names of the fields are the keys of the setting file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Where the server listens.
    pub server: ServerSettings,
    /// Directory of the SQLite file and of generated keys.
    #[serde(deserialize_with = "values::path")]
    pub data_dir: PathBuf,
    /// PostgreSQL; `None` keeps the records in SQLite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db: Option<DbSettings>,
    /// Redis; `None` keeps the live state in this process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<RedisSettings>,
    /// RabbitMQ; `None` means that this is the only pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amqp: Option<AmqpSettings>,
    /// Which other origins may call from a browser.
    pub cors: CorsSettings,
    /// The tokens of players.
    pub token: TokenSettings,
    /// Local accounts, and the roles of accounts.
    pub auth: AuthSettings,
    /// Login by Google or another OpenID provider.
    pub google: GoogleSettings,
    /// The rules of the race.
    pub game: GameSettings,
    /// The built-in client.
    pub web: WebSettings,
    /// Where the browser goes after a login, if set: see [`Self::front_end`].
    #[serde(deserialize_with = "values::optional_text")]
    pub front_end_endpoint: Option<String>,
    /// Where the browser goes after a failed login, if set: see [`Self::error_page`].
    #[serde(deserialize_with = "values::optional_text")]
    pub error_redirect: Option<String>,
    /// How cookies are set.
    pub cookies: CookieSettings,
    /// Settings of the handler modules.
    pub handlers: HandlerSettings,
    /// Limits per server, client and socket.
    pub limits: LimitSettings,
    /// The port for operators.
    pub operations: OperationsSettings,
    /// How the server stops.
    pub shutdown: ShutdownSettings,
    /// What is reported about the running server.
    pub telemetry: TelemetrySettings,
    /// The format of the log.
    pub log: LogSettings,
    /// `LOG_LEVEL`: trace, debug, info, warn, error, off, or a filter such as `info,sqlx=warn`.
    #[serde(skip)]
    pub log_level: String,
    /// `SERVER_NAME`: the unique name of this pod.
    #[serde(skip)]
    pub server_name: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server: ServerSettings::default(),
            data_dir: "data".into(),
            db: None,
            redis: None,
            amqp: None,
            cors: CorsSettings::default(),
            token: TokenSettings::default(),
            auth: AuthSettings::default(),
            google: GoogleSettings::default(),
            game: GameSettings::default(),
            web: WebSettings::default(),
            front_end_endpoint: None,
            error_redirect: None,
            cookies: CookieSettings::default(),
            handlers: HandlerSettings::default(),
            limits: LimitSettings::default(),
            operations: OperationsSettings::default(),
            shutdown: ShutdownSettings::default(),
            telemetry: TelemetrySettings::default(),
            log: LogSettings::default(),
            log_level: "info".into(),
            server_name: None,
        }
    }
}

/// The default URL of a separate frontend: that of the Python backend in development.
pub const FRONT_END: &str = "http://localhost:3000";
/// Its page for logins that fail.
const ERROR_PAGE: &str = "http://localhost:3000/error";
/// The page of the built-in client.
const CLIENT: &str = "/";

/// The settings, and notes about them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The effective settings.
    pub settings: Settings,
    /// One line for each kind of setting without effect, for the log.
    pub notes: Vec<String>,
}

/// Reads the settings. Accesses only the files named in `sources`.
///
/// # Errors
/// The first problem: a missing file, invalid YAML, an unknown key, an invalid value, or an unsupported combination of
/// services.
pub fn load(sources: &Sources) -> Result<Loaded, SettingsError> {
    let mut files = Vec::new();
    if let Some(file) = &sources.setting {
        files.push(sources::read_file(file, "setting file")?);
    }
    if let Some(file) = &sources.secret {
        files.push(sources::read_file(file, "secret setting file")?);
    }
    understand(files, &sources.environment)
}

/// The settings from files and environment together.
fn understand(
    files: Vec<Layer>,
    environment: &[(String, String)],
) -> Result<Loaded, SettingsError> {
    let keys = SettingKeys::known();
    let unprefixed = Unprefixed::read(environment)?;
    let mut layers = files;
    layers.extend(environment::layers(environment, &keys));
    let mut ignored = Ignored::default();
    for layer in &mut layers {
        check::check(layer, &keys, &mut ignored)?;
    }
    let mut settings = fill(&layers)?;
    settings.apply_unprefixed(unprefixed);
    settings.check_services()?;
    settings.operations.check()?;
    settings.check_log()?;
    Ok(Loaded { settings, notes: ignored.notes() })
}

/// Merges the layers and parses the result.
fn fill(layers: &[Layer]) -> Result<Settings, SettingsError> {
    let mut tree = Value::Object(Map::new());
    for layer in layers {
        layer::overlay(&mut tree, layer.tree.clone());
    }
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let path: Vec<String> = error.path().to_string().split('.').map(str::to_owned).collect();
        let speaker = layers.iter().rev().find(|layer| layer.says(&path));
        let name = speaker.map_or_else(|| path.join("."), |layer| layer.origin.name(&path));
        SettingsError::new(format!("{name} {}", error.inner()))
    })
}

impl Settings {
    /// Where the browser goes after a login: as configured, else to the built-in client.
    pub fn front_end(&self) -> &str {
        self.front_end_endpoint.as_deref().unwrap_or(if self.web.enabled {
            CLIENT
        } else {
            FRONT_END
        })
    }

    /// Where the browser goes after a failed login.
    pub fn error_page(&self) -> &str {
        self.error_redirect.as_deref().unwrap_or(if self.web.enabled { CLIENT } else { ERROR_PAGE })
    }

    fn apply_unprefixed(&mut self, unprefixed: Unprefixed) {
        if let Some(level) = unprefixed.log_level {
            self.log_level = level;
        }
        self.server_name = unprefixed.server_name;
        let endpoint = &mut self.telemetry.otlp_endpoint;
        *endpoint = endpoint.take().or(unprefixed.otlp_endpoint);
    }

    /// `log.otlp` requires an endpoint.
    fn check_log(&self) -> Result<(), SettingsError> {
        if !self.log.otlp || self.telemetry.otlp_endpoint.is_some() {
            return Ok(());
        }
        Err(SettingsError::new("log.otlp is on, but telemetry.otlp_endpoint is not set"))
    }

    /// Several pods require shared records and live state.
    fn check_services(&self) -> Result<(), SettingsError> {
        let missing = match (&self.amqp, &self.db, &self.redis) {
            (None, _, _) | (_, Some(_), Some(_)) => return Ok(()),
            (_, None, None) => "db and redis are",
            (_, None, _) => "db is",
            (_, _, None) => "redis is",
        };
        Err(SettingsError::new(format!(
            "amqp is configured but {missing} not: amqp is for several pods, and these need shared records (db) and \
             shared live state (redis)"
        )))
    }
}
