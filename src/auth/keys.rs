//! The key pair that tokens are signed with: the operator's, or one of our own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

use super::token::{Claims, Purpose};
use crate::game::{Timestamp, User, UserType};
use crate::settings::{Secret, Settings};
use crate::{Error, Kind};

/// Signs and checks tokens: RS256 (RFC 7518, section 3.3).
#[derive(Clone)]
pub struct Keys(Arc<Inside>);

struct Inside {
    signing: EncodingKey,
    checking: DecodingKey,
    access_seconds: i64,
    /// A guest's access token lives as long as others' refresh tokens: there is nothing to refresh it with.
    guest_seconds: i64,
}

impl Keys {
    /// The operator's keys; without any, those of the data directory, made at the first start.
    ///
    /// # Errors
    /// One sentence, if they cannot be read, made or kept.
    pub fn load(settings: &Settings) -> Result<Self, String> {
        let given = (&settings.token.private_key, &settings.token.public_key);
        let (private, public) = match given {
            (Some(private), Some(public)) => (private.clone(), public.clone()),
            (None, None) => own_keys(&settings.data_dir)?,
            (Some(_), None) => {
                return Err("token.private_key is set, but token.public_key is not".into());
            }
            (None, Some(_)) => {
                return Err("token.public_key is set, but token.private_key is not".into());
            }
        };
        let signing = EncodingKey::from_rsa_pem(private.expose().as_bytes())
            .map_err(|error| format!("token.private_key is no RSA key in PEM: {error}"))?;
        let checking = DecodingKey::from_rsa_pem(public.expose().as_bytes())
            .map_err(|error| format!("token.public_key is no RSA key in PEM: {error}"))?;
        let seconds = |life: Duration| i64::try_from(life.as_secs()).unwrap_or(i64::MAX / 2);
        let access_seconds = seconds(settings.token.access_duration);
        let guest_seconds = seconds(settings.token.refresh_duration);
        let keys = Self(Arc::new(Inside { signing, checking, access_seconds, guest_seconds }));
        keys.check_that_they_match()?;
        Ok(keys)
    }

    fn check_that_they_match(&self) -> Result<(), String> {
        let nobody = User { id: "nobody".into(), name: String::new(), user_type: UserType::Guest };
        let now = Timestamp::now();
        let token = self.issue(&nobody, now).map_err(|_| "token.private_key does not sign")?;
        let known = self.access(Some(&token), now);
        known.map(drop).map_err(|_| "token.private_key and token.public_key are no pair".into())
    }

    /// An access token.
    ///
    /// # Errors
    /// `UNKNOWN_ERROR`, if signing fails.
    pub fn issue(&self, user: &User, now: Timestamp) -> Result<String, Error> {
        let iat = now.seconds();
        let life = match user.user_type {
            UserType::Guest => self.0.guest_seconds,
            UserType::Registered => self.0.access_seconds,
        };
        let User { id, name, user_type } = user.clone();
        let claims = Claims { sub: id, name, exp: iat + life, nbf: iat - 1, iat, user_type };
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(Purpose::Access.typ().into());
        jsonwebtoken::encode(&header, &claims, &self.0.signing).map_err(Error::internal)
    }

    /// Whose access token it is.
    ///
    /// # Errors
    /// `TOKEN_NOT_PROVIDED`, `TOKEN_EXPIRED` or `INVALID_TOKEN`.
    pub fn access(&self, token: Option<&str>, now: Timestamp) -> Result<User, Error> {
        let missing =
            || Error::new(Kind::TOKEN_NOT_PROVIDED, "Access token 'TP_AT' not present in cookie");
        self.check(Purpose::Access, token.ok_or_else(missing)?, now)
    }

    /// Whose refresh token it is. Whether it is one that is stored is another question.
    ///
    /// # Errors
    /// `TOKEN_NOT_PROVIDED`, or `INVALID_TOKEN`, also for an expired one.
    pub fn refresh(&self, token: Option<&str>, now: Timestamp) -> Result<User, Error> {
        let missing =
            || Error::new(Kind::TOKEN_NOT_PROVIDED, "Refresh token TP_RT not present in cookie");
        let checked = self.check(Purpose::Refresh, token.ok_or_else(missing)?, now);
        checked.map_err(|error| match error.kind() {
            Kind::TOKEN_EXPIRED => Error::new(Kind::INVALID_TOKEN, "Signature has expired"),
            _ => error,
        })
    }

    fn check(&self, purpose: Purpose, token: &str, now: Timestamp) -> Result<User, Error> {
        let invalid = |message: &'static str| Error::new(Kind::INVALID_TOKEN, message);
        let mut rules = Validation::new(Algorithm::RS256);
        rules.leeway = 0;
        rules.validate_aud = false;
        // Expiry is checked below, by our clock; and a missing claim is an invalid token.
        rules.validate_exp = false;
        rules.required_spec_claims.clear();
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.0.checking, &rules);
        let token = decoded.map_err(|error| invalid(reason(error.kind())))?;
        let typ = token.header.typ.as_deref().unwrap_or("JWT");
        // Tokens of the old backend all say JWT; whether one of them is a stored refresh token is
        // checked where those are stored.
        let fits = match purpose {
            Purpose::Access => typ.eq_ignore_ascii_case(Purpose::Access.typ()),
            Purpose::Refresh => true,
        };
        let claims = token.claims;
        let seconds = now.seconds();
        if !fits {
            return Err(invalid("This is no access token"));
        }
        if claims.nbf > seconds || claims.iat > seconds {
            return Err(invalid("The token is not yet valid"));
        }
        if claims.exp <= seconds {
            return Err(Error::new(Kind::TOKEN_EXPIRED, "Signature has expired"));
        }
        Ok(claims.into_user())
    }
}

/// Our own words for what is wrong, since those of a library may quote the token.
fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "Signature verification failed",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
            "The specified alg value is not allowed"
        }
        ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_) => {
            "The claims are not those of ours"
        }
        _ => "Not enough segments",
    }
}

const PRIVATE_FILE: &str = "token-private.pem";
const PUBLIC_FILE: &str = "token-public.pem";

/// The pair in the data directory, made if it is not there.
fn own_keys(data_dir: &Path) -> Result<(Secret, Secret), String> {
    let (private_at, public_at) = (data_dir.join(PRIVATE_FILE), data_dir.join(PUBLIC_FILE));
    let read = |at: &Path| match fs::read_to_string(at) {
        Ok(pem) => Ok(Some(pem)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{} cannot be read: {error}", at.display())),
    };
    if let (Some(private), Some(public)) = (read(&private_at)?, read(&public_at)?) {
        return Ok((private.into(), public.into()));
    }
    let (private, public) = make().map_err(|_| "no token keys could be made")?;
    let write = |at: &Path, pem: &str| {
        write_private(at, pem)
            .map_err(|error| format!("{} cannot be written: {error}", at.display()))
    };
    write(&public_at, &public)?;
    write(&private_at, &private)?;
    Ok((private.into(), public.into()))
}

/// A fresh pair in PEM: 2048 bits, the smallest that NIST SP 800-57 allows until 2030.
fn make() -> Result<(String, String), aws_lc_rs::error::Unspecified> {
    let pair = KeyPair::generate(KeySize::Rsa2048)?;
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?;
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())?;
    Ok((pem("PRIVATE KEY", private.as_ref()), pem("PUBLIC KEY", public.as_ref())))
}

/// PEM (RFC 7468): base64 in lines of 64.
fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

/// Written whole or not at all, and readable by its owner alone.
fn write_private(at: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    let beside = at.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(data_dir: &Path) -> Settings {
        Settings { data_dir: data_dir.into(), ..Settings::default() }
    }

    fn anna() -> User {
        User { id: "google-77".into(), name: "Anna".into(), user_type: UserType::Registered }
    }

    #[test]
    fn own_keys_are_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let token = Keys::load(&settings(folder.path())).unwrap().issue(&anna(), now).unwrap();
        let again = Keys::load(&settings(folder.path())).unwrap();
        assert_eq!(again.access(Some(&token), now).unwrap(), anna());
    }

    #[test]
    fn a_token_is_valid_from_its_first_to_its_last_second() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load(&settings(folder.path())).unwrap();
        let now = Timestamp::now();
        let token = keys.issue(&anna(), now).unwrap();
        let kind_after = |seconds: u64| {
            keys.access(Some(&token), now + Duration::from_secs(seconds)).map_err(|it| it.kind())
        };
        assert_eq!(kind_after(899), Ok(anna()));
        assert_eq!(kind_after(900), Err(Kind::TOKEN_EXPIRED));
        let early = keys.access(Some(&token), now - Duration::from_secs(10));
        assert_eq!(early.map_err(|it| it.kind()), Err(Kind::INVALID_TOKEN));
    }

    #[test]
    fn what_is_no_token_of_ours_is_told_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load(&settings(folder.path())).unwrap();
        let strangers = Keys::load(&settings(tempfile::tempdir().unwrap().path())).unwrap();
        let now = Timestamp::now();
        let forged = strangers.issue(&anna(), now).unwrap();
        for token in ["", "garbage", "a.b.c", forged.as_str()] {
            let error = keys.access(Some(token), now).unwrap_err();
            assert_eq!(error.kind(), Kind::INVALID_TOKEN);
            assert!(token.is_empty() || !error.message().contains(token));
        }
    }
}
