//! A browser that logs in: it keeps cookies, and goes from redirect to redirect as far as a test wants.
//!
//! ```ignore
//! let at_provider = ada.begins("google").await;        // the authorization URL
//! let back = ada.agrees(&at_provider).await;           // the return URL, with the code in it
//! let answer = ada.opens(&back).await;                 // the end of the login
//! ada.logs_in("google").await;                         // all of it, and it has to succeed
//! ```
//!
//! The site is [`RACE`] to it, as behind a proxy that speaks TLS, so cookies and redirects are those of the
//! public site.

use percent_encoding::percent_decode_str;
use reqwest::{Method, Url};
use serde_json::Value;

use crate::openid::{Provider, RACE};
use crate::persona::without_record;
use crate::server::Server;
use crate::signing;
use crate::site::{ANONYMOUS, Answer, Caller, Site};

#[derive(Clone)]
pub struct Browser {
    /// The server under test.
    pub race: Site,
    provider: Site,
    issuer: String,
    jar: Vec<Kept>,
}

/// A cookie in the jar.
#[derive(Clone)]
struct Kept {
    host: String,
    path: String,
    name: String,
    value: String,
}

impl Browser {
    /// Whose owner is this account at the provider: `SUB`, `SUB:NAME` (percent-encoded), or `deny`.
    pub fn of(server: &Server, provider: &Provider, account: &str) -> Self {
        let (race, issuer) = (server.site(), provider.issuer.clone());
        let mut browser = Self { race, provider: provider.site.clone(), issuer, jar: Vec::new() };
        browser.becomes(account);
        browser
    }

    /// From now on another account logs in.
    pub fn becomes(&mut self, account: &str) {
        let host = self.provider_host();
        self.keep(Kept::new(&host, "/", "openid_account", account));
    }

    /// Has got a cookie of the site before.
    pub fn has(&mut self, name: &str, value: &str) {
        let host = host_of(&url(RACE));
        self.keep(Kept::new(&host, "/", name, value));
    }

    /// The value of a cookie of the site.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let host = host_of(&url(RACE));
        let kept = self.jar.iter().find(|it| it.host == host && it.name == name)?;
        Some(&kept.value)
    }

    /// The access token. There has to be one.
    pub fn access_token(&self) -> String {
        self.cookie("TP_AT").expect("an access token").to_owned()
    }

    /// Opens an address, and goes nowhere from there.
    pub async fn opens(&mut self, address: &str) -> Answer {
        self.asks(Method::GET, address).await
    }

    /// Posts nothing to a path of the site.
    pub async fn posts(&mut self, path: &str) -> Answer {
        self.asks(Method::POST, &format!("{RACE}{path}")).await
    }

    /// To where the player is asked at the provider.
    pub async fn begins(&mut self, way: &str) -> String {
        let answer = self.opens(&login(way)).await;
        let to = redirected(&answer);
        assert!(to.starts_with(&self.issuer), "to the provider: {answer:?}");
        to
    }

    /// From there to where the provider sends the browser back.
    pub async fn agrees(&mut self, address: &str) -> String {
        let mut at = address.to_owned();
        for _ in 0..4 {
            let answer = self.opens(&at).await;
            at = url(&at).join(&redirected(&answer)).expect("an address").into();
            if at.starts_with(RACE) {
                return at;
            }
        }
        panic!("the provider does not let go: {at}")
    }

    /// All of the way, up to the address that ends the login.
    pub async fn returns_from(&mut self, way: &str) -> String {
        let at_provider = self.begins(way).await;
        self.agrees(&at_provider).await
    }

    /// All of the way, whatever it ends with.
    pub async fn tries(&mut self, way: &str) -> Answer {
        let back = self.returns_from(way).await;
        self.opens(&back).await
    }

    /// All of the way, and it succeeds.
    pub async fn logs_in(&mut self, way: &str) -> Answer {
        let answer = self.tries(way).await;
        arrives(&answer);
        answer
    }

    /// Who the server says it is: id and name.
    pub async fn is_known_as(&self) -> (String, String) {
        let info = self.race.get("/api/v1/profile/user-info", self).await;
        let text = |name: &str| info.ok()[name].as_str().expect("a text").to_owned();
        (text("id"), text("name"))
    }

    /// The races in the profile.
    pub async fn history(&self) -> Vec<Value> {
        let answer = self.race.get("/api/v1/profile/history?page=1&size=20", self).await;
        let mut races = answer.ok()["data"].as_array().expect("a list").clone();
        races.iter_mut().for_each(without_record);
        races
    }

    /// The name in the cookie, as the frontend reads it.
    pub fn shown_name(&self) -> String {
        let decode =
            |text: &str| percent_decode_str(text).decode_utf8().expect("UTF-8").into_owned();
        decode(&decode(self.cookie("USERNAME").expect("a name")))
    }

    /// The claims of the access token.
    pub fn claims(&self) -> Value {
        signing::read(&self.access_token())
    }

    async fn asks(&mut self, method: Method, address: &str) -> Answer {
        let to = url(address);
        let site = if address.starts_with(RACE) { &self.race } else { &self.provider };
        let path = match to.query() {
            Some(query) => format!("{}?{query}", to.path()),
            None => to.path().to_owned(),
        };
        let request =
            site.request(method, &path, ANONYMOUS).header("cookie", self.cookies_for(&to));
        let answer = site.send(request).await;
        for cookie in answer.cookies() {
            self.keep(Kept::new(&host_of(&to), &cookie.path, &cookie.name, &cookie.value));
        }
        answer
    }

    fn cookies_for(&self, to: &Url) -> String {
        let fits = |it: &&Kept| it.host == host_of(to) && it.covers(to.path());
        let pairs = self.jar.iter().filter(fits).map(|it| format!("{}={}", it.name, it.value));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// Both sides delete a cookie by an empty value.
    fn keep(&mut self, cookie: Kept) {
        self.jar.retain(|it| {
            (&it.host, &it.path, &it.name) != (&cookie.host, &cookie.path, &cookie.name)
        });
        if !cookie.value.trim_matches('"').is_empty() {
            self.jar.push(cookie);
        }
    }

    fn provider_host(&self) -> String {
        host_of(&url(&self.issuer))
    }
}

impl Caller for Browser {
    fn token(&self) -> Option<&str> {
        self.cookie("TP_AT")
    }
}

impl Kept {
    fn new(host: &str, path: &str, name: &str, value: &str) -> Self {
        let [host, path, name, value] = [host, path, name, value].map(str::to_owned);
        Self { host, path, name, value }
    }

    /// RFC 6265, section 5.1.4.
    fn covers(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str()).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/')
        })
    }
}

/// Where a login at this provider begins.
pub fn login(way: &str) -> String {
    format!("{RACE}/api/v1/auth/{way}/login")
}

/// The value of a parameter in an address.
pub fn parameter(address: &str, name: &str) -> String {
    let pairs: Vec<(String, String)> = url(address).query_pairs().into_owned().collect();
    let values: Vec<String> = pairs.into_iter().filter(|it| it.0 == name).map(|it| it.1).collect();
    let [value] = values.try_into().unwrap_or_else(|_| panic!("one {name} in {address}"));
    value
}

/// The same address with another value of a parameter, or without it.
pub fn with_parameter(address: &str, name: &str, value: Option<&str>) -> String {
    let mut address = url(address);
    let others: Vec<(String, String)> =
        address.query_pairs().into_owned().filter(|it| it.0 != name).collect();
    let new = value.map(|value| (name.to_owned(), value.to_owned()));
    address.query_pairs_mut().clear().extend_pairs(others).extend_pairs(new);
    address.into()
}

/// The end of a login that has succeeded.
#[track_caller]
pub fn arrives(answer: &Answer) {
    assert_eq!(redirected(answer), RACE, "{answer:?}");
}

/// The end of a login that has failed: the error page, with the reason, and no cookies.
#[track_caller]
pub fn fails(answer: &Answer, reason: &str) {
    assert_eq!(redirected(answer), format!("{RACE}/error?reason={reason}"), "{answer:?}");
    assert!(answer.cookies().is_empty(), "{answer:?}");
}

#[track_caller]
fn redirected(answer: &Answer) -> String {
    assert!(matches!(answer.status, 303 | 307), "{answer:?}");
    answer.header("location").to_owned()
}

fn url(address: &str) -> Url {
    Url::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"))
}

fn host_of(url: &Url) -> String {
    url.host_str().expect("a host").to_owned()
}
