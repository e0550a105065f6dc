//! The identity provider that players log in at: the real one of `tests/openid`, as a process of its own that
//! ends with the test.
//!
//! ```ignore
//! let Some(provider) = Provider::start().await else { return };       // without Node.js there is none
//! let server = provider.behind(Server::with()).start().await;         // as `google`, and as `school`
//! let mut ada = Browser::of(&server, &provider, "77:Ada%20L");
//! ada.logs_in("google").await;
//! ```

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Settings, eventually};
use crate::site::{ANONYMOUS, Site};

/// Where the players' browsers find the server under test, and its frontend.
pub const RACE: &str = "https://race.example";

/// The server's own client at the provider, unless a test wants another one.
pub const CLIENT: &str = "race";
pub const SECRET: &str = "a-secret-of-the-race";

/// The ways in which a server [behind](Provider::behind) a provider knows it: by addresses in the settings,
/// and by discovery.
pub const BOTH: [&str; 2] = ["google", "school"];

/// How long it may take to start; the rest of the machine may be busy.
const START: Duration = Duration::from_secs(30);

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openid");

pub struct Provider {
    /// Its address.
    pub issuer: String,
    pub site: Site,
    child: Child,
    /// It ends when this is closed.
    _stdin: ChildStdin,
}

impl Provider {
    /// A provider that knows [`CLIENT`]. None, with a message, without Node.js; if `REQUIRE_SERVICES` is set,
    /// that is a failure.
    pub async fn start() -> Option<Self> {
        static PACKAGES: OnceLock<Result<(), String>> = OnceLock::new();
        let installed = tokio::task::spawn_blocking(|| PACKAGES.get_or_init(install));
        match installed.await.expect("no panic") {
            Ok(()) => {}
            Err(why) if std::env::var_os("REQUIRE_SERVICES").is_some() => {
                panic!("an identity provider is required: {why}")
            }
            Err(why) => {
                eprintln!("skipped: no identity provider: {why}");
                return None;
            }
        }
        let clients = [client(CLIENT, Some(SECRET), "client_secret_basic")];
        let mut child = Command::new("node")
            .args(["provider.mjs", &json!({ "clients": clients }).to_string()])
            .current_dir(FOLDER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Node.js");
        let stdin = child.stdin.take().expect("a pipe");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).map(|_| line)
        });
        let line = tokio::time::timeout(START, line).await.unwrap_or_else(|_| {
            // Or else the runtime waits for the line for ever.
            child.kill().expect("a process of our own");
            panic!("the provider does not start within {START:?}")
        });
        let line = line.expect("no panic").expect("a line of the provider");
        let told: Value =
            serde_json::from_str(&line).expect("a provider that starts; by hand it says more");
        let issuer = told["issuer"].as_str().expect("an issuer").to_owned();
        let port = issuer.rsplit(':').next().and_then(|it| it.parse().ok()).expect("a port");
        Some(Self { issuer, site: Site::new(port), child, _stdin: stdin })
    }

    /// Settings of a server whose players log in here: as `google` and as `school`.
    pub fn behind(&self, settings: Settings) -> Settings {
        let issuer = &self.issuer;
        settings
            .set("front_end_endpoint", RACE)
            .set("error_redirect", format!("{RACE}/error"))
            .set("google.client_id", CLIENT)
            .set("google.client_secret", SECRET)
            .set("google.redirect_url", redirect_url("google"))
            .set("google.issuer", issuer)
            .set("google.authorize_url", format!("{issuer}/auth"))
            .set("google.token_url", format!("{issuer}/token"))
            .set("google.jwks_url", format!("{issuer}/jwks"))
            .set("handlers.openid.school.client_id", CLIENT)
            .set("handlers.openid.school.client_secret", SECRET)
            .set("handlers.openid.school.redirect_url", redirect_url("school"))
            .set("handlers.openid.school.issuer", issuer)
    }

    /// One more client, or another one in the place of its namesake.
    pub async fn knows(&self, client: Value) {
        self.told("clients", json!([client])).await;
    }

    /// Uses one of the handles under `/test/`.
    pub async fn told(&self, handle: &str, body: Value) -> Value {
        let answer = self.site.post(&format!("/test/{handle}"), ANONYMOUS, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Takes back what [`told`](Self::told) has told.
    pub async fn untold(&self, handle: &str) {
        let request = self.site.request(Method::DELETE, &format!("/test/{handle}"), ANONYMOUS);
        assert_eq!(self.site.send(request).await.status, 200);
    }

    /// How often a path was asked for.
    pub async fn requests(&self, path: &str) -> u64 {
        let counts = self.site.get("/test/requests", ANONYMOUS).await;
        counts.body[path].as_u64().unwrap_or_default()
    }

    /// Waits until a path was asked for.
    pub async fn is_asked(&self, path: &str) {
        eventually(&format!("the provider is asked for {path}"), async || {
            (self.requests(path).await > 0).then_some(())
        })
        .await;
    }

    /// Ends the process.
    pub fn dies(&mut self) {
        self.child.kill().expect("a process of our own");
        self.child.wait().expect("its end");
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client as the provider knows it; `auth` is how it proves at the token endpoint who it is.
pub fn client(id: &str, secret: Option<&str>, auth: &str) -> Value {
    let mut client = json!({
        "client_id": id,
        "redirect_uris": BOTH.map(redirect_url),
        "token_endpoint_auth_method": auth,
    });
    if let Some(secret) = secret {
        client["client_secret"] = json!(secret);
    }
    client
}

fn redirect_url(name: &str) -> String {
    format!("{RACE}/api/v1/auth/{name}/login-redirect")
}

/// Fetches the provider's packages if they are not there. Other test programs may be about to do the same.
fn install() -> Result<(), String> {
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(FOLDER).output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        output.status.success().then_some(()).ok_or_else(|| format!("{program}: {complaint}"))
    };
    run("node", &["--version"])?;
    let turn = File::open(Path::new(FOLDER).join("package-lock.json")).expect("a lock file");
    turn.lock().expect("a turn");
    // npm writes it when everything else is there.
    if Path::new(FOLDER).join("node_modules/.package-lock.json").exists() {
        return Ok(());
    }
    run("npm", &["ci", "--silent", "--no-audit", "--no-fund"])
}
