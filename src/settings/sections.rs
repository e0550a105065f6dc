//! The sections that always exist: tokens, the game, limits and so on. Each field is one setting.
//!
//! The `Default` of a section has the default values. `values` and `lists` define which values are valid.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secret::Secret;
use super::{lists, values};

/// Where the server listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerSettings {
    /// Address to listen on.
    #[serde(deserialize_with = "values::text")]
    pub host: String,
    /// TCP port; 0 lets the system choose a free one.
    #[serde(deserialize_with = "values::port")]
    pub port: u16,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self { host: "0.0.0.0".into(), port: 8080 }
    }
}

/// Which other origins may call the server from a browser.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CorsSettings {
    /// Origins (`scheme://host[:port]`), as browsers send them.
    #[serde(deserialize_with = "lists::origins")]
    pub allow_origins: Vec<String>,
}

/// The tokens of players.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenSettings {
    /// RS256 public key, PEM text with real line breaks.
    #[serde(deserialize_with = "values::pem")]
    pub public_key: Option<Secret>,
    /// RS256 private key, PEM text with real line breaks.
    #[serde(deserialize_with = "values::pem")]
    pub private_key: Option<Secret>,
    /// Additional accepted public keys, as concatenated PEM texts: previous and future ones.
    #[serde(deserialize_with = "values::pem")]
    pub accepted_public_keys: Option<Secret>,
    /// Path of the refresh route, which is the path of the refresh cookie.
    #[serde(deserialize_with = "values::text")]
    pub refresh_endpoint: String,
    /// Lifetime of a registered player's access token.
    #[serde(with = "values::positive_seconds")]
    pub access_duration: Duration,
    /// Lifetime of a refresh token and of a guest's access token.
    #[serde(with = "values::positive_seconds")]
    pub refresh_duration: Duration,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            public_key: None,
            private_key: None,
            accepted_public_keys: None,
            refresh_endpoint: "/api/v1/auth/token-refresh".into(),
            access_duration: Duration::from_secs(900),
            refresh_duration: Duration::from_secs(2_592_000),
        }
    }
}

/// Local accounts, and the roles of accounts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthSettings {
    /// Whether players may create accounts with name and password; by default, if there is no other way to log in and
    /// the records are in SQLite.
    #[serde(deserialize_with = "values::optional_switch")]
    pub local: Option<bool>,
    /// Ids of the accounts that are organisers.
    #[serde(deserialize_with = "lists::ids")]
    pub organisers: Vec<String>,
    /// Ids of the accounts that are administrators.
    #[serde(deserialize_with = "lists::ids")]
    pub admins: Vec<String>,
}

/// Login with Google, or with another OpenID provider at these URLs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct GoogleSettings {
    /// Client id at the provider.
    #[serde(deserialize_with = "values::optional_text")]
    pub client_id: Option<String>,
    /// Client secret at the provider.
    #[serde(deserialize_with = "values::optional_secret")]
    pub client_secret: Option<Secret>,
    /// The redirect URI, as registered at the provider.
    #[serde(deserialize_with = "values::text")]
    pub redirect_url: String,
    /// The provider's authorization endpoint.
    #[serde(deserialize_with = "values::text")]
    pub authorize_url: String,
    /// The provider's token endpoint.
    #[serde(deserialize_with = "values::text")]
    pub token_url: String,
    /// The provider's signing keys.
    #[serde(deserialize_with = "values::text")]
    pub jwks_url: String,
    /// The `iss` claim that id tokens must carry.
    #[serde(deserialize_with = "values::text")]
    pub issuer: String,
}

impl Default for GoogleSettings {
    /// Endpoints as in <https://accounts.google.com/.well-known/openid-configuration>.
    fn default() -> Self {
        Self {
            client_id: None,
            client_secret: None,
            redirect_url: "http://localhost:8080/api/v1/auth/google/login-redirect".into(),
            authorize_url: "https://accounts.google.com/o/oauth2/v2/auth".into(),
            token_url: "https://oauth2.googleapis.com/token".into(),
            jwks_url: "https://www.googleapis.com/oauth2/v3/certs".into(),
            issuer: "https://accounts.google.com".into(),
        }
    }
}

/// The rules of the race that an operator may change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct GameSettings {
    /// How long a lobby waits, counted from its first player.
    #[serde(with = "values::seconds")]
    pub lobby_countdown: Duration,
    /// From the end of the lobby to START.
    #[serde(with = "values::seconds")]
    pub start_countdown: Duration,
    /// The same for a race alone, and if all people are ready, where it is shorter.
    #[serde(with = "values::seconds")]
    pub single_countdown: Duration,
    /// How long a lobby of friends waits at most.
    #[serde(with = "values::positive_seconds")]
    pub invite_patience: Duration,
    /// Seats of a lobby, at least 1.
    #[serde(deserialize_with = "values::count")]
    pub player_limit: usize,
    /// How long a game is kept, counted from the opening of its lobby.
    #[serde(with = "values::seconds")]
    pub cleanup_countdown: Duration,
    /// Word file, used instead of `word_list`.
    #[serde(deserialize_with = "values::optional_path")]
    pub word_file: Option<PathBuf>,
    /// Name of a word list, built-in or in the data directory.
    #[serde(deserialize_with = "values::text")]
    pub word_list: String,
    /// Words in a race, at least 1.
    #[serde(deserialize_with = "values::count")]
    pub word_count: usize,
    /// Whether claims are checked against the received keystrokes and the server's clock.
    #[serde(deserialize_with = "values::switch")]
    pub check_results: bool,
}

impl Default for GameSettings {
    fn default() -> Self {
        Self {
            lobby_countdown: Duration::from_secs(5),
            start_countdown: Duration::from_secs(5),
            single_countdown: Duration::from_secs(2),
            invite_patience: Duration::from_secs(600),
            player_limit: 5,
            cleanup_countdown: Duration::from_secs(900),
            word_file: None,
            word_list: "english".into(),
            word_count: 25,
            check_results: true,
        }
    }
}

/// The built-in client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct WebSettings {
    /// Whether it is served at `/`.
    #[serde(deserialize_with = "values::switch")]
    pub enabled: bool,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Settings of the handler modules.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct HandlerSettings {
    /// Names of the handler modules to leave out.
    #[serde(deserialize_with = "lists::names")]
    pub disabled: Vec<String>,
    /// Panics within a minute after which a pod switches a handler module off; 0 never does.
    #[serde(deserialize_with = "values::number")]
    pub panics_per_minute: u32,
    /// How long a function of a handler module may take; slower ones are logged and counted.
    #[serde(with = "values::positive_seconds")]
    pub time_budget: Duration,
    /// Every other key: the section of a handler module, which the module parses and validates itself.
    #[serde(flatten)]
    pub sections: BTreeMap<String, Value>,
}

impl Default for HandlerSettings {
    fn default() -> Self {
        Self {
            disabled: Vec::new(),
            panics_per_minute: 5,
            time_budget: Duration::from_secs(1),
            sections: BTreeMap::new(),
        }
    }
}

/// Prints only the names of the sections, since their values may be secret.
impl fmt::Debug for HandlerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerSettings")
            .field("disabled", &self.disabled)
            .field("panics_per_minute", &self.panics_per_minute)
            .field("time_budget", &self.time_budget)
            .field("sections", &self.sections.keys())
            .finish()
    }
}

/// Limits that keep one client, or many, from taking the server down.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitSettings {
    /// Open connections of this pod, including sockets.
    #[serde(deserialize_with = "values::count")]
    pub connections: usize,
    /// Open connections per client address; trusted proxies are exempt.
    #[serde(deserialize_with = "values::count")]
    pub connections_per_address: usize,
    /// Open sockets of this pod.
    #[serde(deserialize_with = "values::count")]
    pub sockets: usize,
    /// Open sockets per client address.
    #[serde(deserialize_with = "values::count")]
    pub sockets_per_address: usize,
    /// Open sockets of one player in one game; a further one closes the oldest.
    #[serde(deserialize_with = "values::count")]
    pub sockets_per_player: usize,
    /// New guests, races alone and joins by invitation, per minute and client address.
    #[serde(deserialize_with = "values::count")]
    pub guests_per_minute: u32,
    /// Logins and new accounts, per minute and client address; returns from a provider have a budget of the same size.
    #[serde(deserialize_with = "values::count")]
    pub logins_per_minute: u32,
    /// Seats taken in lobbies, per minute and client address.
    #[serde(deserialize_with = "values::count")]
    pub seats_per_minute: u32,
    /// Seats in lobbies that are not open, since each may open a game: races alone and joins by invitation.
    #[serde(deserialize_with = "values::count")]
    pub games_per_minute: u32,
    /// Seats in lobbies per known player, per minute.
    #[serde(deserialize_with = "values::count")]
    pub seats_per_player: u32,
    /// HTTP requests per second and client address.
    #[serde(deserialize_with = "values::count")]
    pub requests_per_second: u32,
    /// Largest request body, in bytes.
    #[serde(deserialize_with = "values::count")]
    pub body_bytes: usize,
    /// Timeout of a request, and of an idle connection.
    #[serde(with = "values::positive_seconds")]
    pub request_timeout: Duration,
    /// Largest WebSocket frame from a client, in bytes.
    #[serde(deserialize_with = "values::count")]
    pub frame_bytes: usize,
    /// Frames per second from one socket, sustained.
    #[serde(deserialize_with = "values::count")]
    pub frames_per_second: u32,
    /// Interval between pings of a socket.
    #[serde(with = "values::positive_seconds")]
    pub heartbeat: Duration,
    /// The proxies whose `X-Forwarded-For` is trusted, by address or network.
    #[serde(deserialize_with = "lists::networks")]
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            connections: 40_000,
            connections_per_address: 10_000,
            sockets: 20_000,
            sockets_per_address: 5_000,
            sockets_per_player: 8,
            guests_per_minute: 6_000,
            logins_per_minute: 600,
            seats_per_minute: 6_000,
            games_per_minute: 600,
            seats_per_player: 30,
            requests_per_second: 2_000,
            body_bytes: 65_536,
            request_timeout: Duration::from_secs(15),
            frame_bytes: 4_096,
            frames_per_second: 60,
            heartbeat: Duration::from_secs(20),
            trusted_proxies: Vec::new(),
        }
    }
}

/// How the server stops.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ShutdownSettings {
    /// Time over which open sockets are moved to the other pods, if there are any.
    #[serde(with = "values::seconds")]
    pub drain: Duration,
}

impl Default for ShutdownSettings {
    fn default() -> Self {
        Self { drain: Duration::from_secs(20) }
    }
}

/// What is reported about the running server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct TelemetrySettings {
    /// OTLP endpoint for traces (HTTP); `None` sends nothing.
    #[serde(deserialize_with = "values::optional_text")]
    pub otlp_endpoint: Option<String>,
    /// One in this many keystrokes is traced; 0 traces none.
    #[serde(deserialize_with = "values::number")]
    pub keystroke_sample: u32,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { otlp_endpoint: None, keystroke_sample: 1_000 }
    }
}
