//! A device that is logged in: the two tokens of a registered player, as its browser would keep them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{ANONYMOUS, Answer, Caller, Site};

const REFRESH: &str = "/api/v1/auth/token-refresh";

#[derive(Clone, Debug)]
pub struct Device {
    /// The value of the cookie `TP_AT`.
    pub access: String,
    /// The value of the cookie `TP_RT`.
    pub refresh: String,
}

impl Caller for Device {
    fn token(&self) -> Option<&str> {
        Some(&self.access)
    }
}

impl Device {
    /// A player who has just made an account.
    pub async fn of_new_account(site: &Site, name: &str) -> Self {
        Self::from(&register(site, name, "correct horse").await)
    }

    /// One more device of a player.
    pub async fn logged_in(site: &Site, name: &str) -> Self {
        Self::from(&login(site, name, "correct horse").await)
    }

    /// What a successful answer leaves on the device.
    #[track_caller]
    pub fn from(answer: &Answer) -> Self {
        answer.ok();
        Self { access: answer.cookie("TP_AT").value, refresh: answer.cookie("TP_RT").value }
    }

    /// Asks for fresh tokens, and does not keep them.
    pub async fn asks_for_more(&self, site: &Site) -> Answer {
        let request = site.request(Method::POST, REFRESH, ANONYMOUS);
        site.send(request.header("cookie", format!("TP_RT={}", self.refresh))).await
    }

    /// Replaces its tokens.
    pub async fn refreshes(&mut self, site: &Site) {
        *self = Self::from(&self.asks_for_more(site).await);
    }

    pub async fn logs_out(&self, site: &Site) -> Answer {
        site.post("/api/v1/auth/logout", self, &Value::Null).await
    }
}

/// Makes an account of the server's own.
pub async fn register(site: &Site, name: &str, password: &str) -> Answer {
    let body = json!({"name": name, "password": password});
    site.post("/api/v1/auth/local/register", ANONYMOUS, &body).await
}

/// Logs in by name and password.
pub async fn login(site: &Site, name: &str, password: &str) -> Answer {
    let body = json!({"name": name, "password": password});
    site.post("/api/v1/auth/local/login", ANONYMOUS, &body).await
}
