//! Passwords: hashed by Argon2id, a few at a time, since each takes its share of memory and a core.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::Error;

/// Passwords that are hashed at once; the others wait. Each takes 19 MiB, as OWASP's Password Storage
/// Cheat Sheet has it (m=19456, t=2, p=1: the defaults of the library).
static HASHING: Semaphore = Semaphore::const_new(2);

/// What is stored of a password: a PHC string.
///
/// # Errors
/// `UNKNOWN_ERROR`, if there is no randomness.
pub async fn hash(password: String) -> Result<String, Error> {
    let hash =
        move || Argon2::default().hash_password(password.as_bytes()).map(|it| it.to_string());
    aside(hash).await?.map_err(Error::internal)
}

/// Whether it is the password that was hashed. Without a hash it is not, after the same time: nobody is
/// to learn which names there are.
///
/// # Errors
/// `UNKNOWN_ERROR`, if the hash is none.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool, Error> {
    let verify = move || {
        let Some(hash) = hash else {
            let _ = Argon2::default().hash_password(password.as_bytes());
            return Ok(false);
        };
        let hash = PasswordHash::new(&hash)?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    };
    let verified: Result<bool, argon2::password_hash::phc::Error> = aside(verify).await?;
    verified.map_err(Error::internal)
}

/// Works on a thread that nobody's keystrokes wait for.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let turn = HASHING.acquire().await.map_err(Error::internal)?;
    // The turn ends with the work, not with whoever waits for it and may go away.
    let work = move || {
        let done = work();
        drop(turn);
        done
    };
    spawn_blocking(work).await.map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let stored = hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(hash("correct horse".into()).await.unwrap(), stored, "salted");
        assert!(verify("correct horse".into(), Some(stored.clone())).await.unwrap());
        assert!(!verify("battery staple".into(), Some(stored)).await.unwrap());
        assert!(!verify("correct horse".into(), None).await.unwrap());
    }
}
