//! Password hashing with Argon2id, in a fixed pool of memory.

use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{Error as HashError, try_generate_salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::Error;

/// Two passwords at once. Each takes a core and 19 MiB, as OWASP's Password Storage Cheat Sheet recommends (m=19456,
/// t=2, p=1: the defaults of the library).
static POOL: HashingTurns =
    HashingTurns { turns: Semaphore::const_new(2), memory: Mutex::new(Vec::new()) };

struct HashingTurns {
    turns: Semaphore,
    /// One list of blocks per permit, allocated at its first use and then reused. Allocating per hash would raise
    /// glibc's mmap threshold and fragment its arenas: the process would hold many times what it uses.
    memory: Mutex<Vec<Vec<Block>>>,
}

/// How long a request waits for a permit.
const PATIENCE: Duration = Duration::from_secs(1);

/// Hashes a password, as a PHC string for storage.
///
/// # Errors
/// `TOO_MANY_REQUESTS`, if the pool is busy; `UNKNOWN_ERROR`, if there is no randomness.
pub async fn hash(password: String) -> Result<String, Error> {
    POOL.in_turn(move |memory| new_hash(&password, memory)).await
}

/// Verifies a password. Without a hash it returns `false` after the same time, so that timing does not reveal which
/// names exist.
///
/// # Errors
/// `TOO_MANY_REQUESTS`, if the pool is busy; `UNKNOWN_ERROR`, if the hash is invalid.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool, Error> {
    POOL.in_turn(move |memory| match hash {
        Some(hash) => matches(&password, &PasswordHash::new(&hash)?, memory),
        None => new_hash(&password, memory).map(|_| false),
    })
    .await
}

fn new_hash(password: &str, memory: &mut Vec<Block>) -> Result<String, HashError> {
    let argon2 = Argon2::default();
    let salt = Salt::new(&try_generate_salt()?)?;
    let output = derive(&argon2, password, &salt, memory)?;
    let hash = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

fn matches(
    password: &str,
    hash: &PasswordHash,
    memory: &mut Vec<Block>,
) -> Result<bool, HashError> {
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return Ok(false) };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(algorithm, version, Params::try_from(hash)?);
    // `Output` compares in constant time.
    Ok(derive(&argon2, password, salt, memory)? == *expected)
}

/// Computes the hash. It overwrites the memory before reading it, so leftovers of another password do not matter.
fn derive(
    argon2: &Argon2<'_>,
    password: &str,
    salt: &[u8],
    memory: &mut Vec<Block>,
) -> Result<Output, HashError> {
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let mut output = [0; Output::MAX_LENGTH];
    let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let output = output.get_mut(..length).ok_or(HashError::OutputSize)?;
    argon2.hash_password_into_with_memory(
        password.as_bytes(),
        salt,
        output,
        &mut memory[..blocks],
    )?;
    Ok(Output::new(output)?)
}

impl HashingTurns {
    /// Hashes in one of the memories, on a blocking thread.
    async fn in_turn<T: Send + 'static>(
        &'static self,
        work: impl FnOnce(&mut Vec<Block>) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let busy = |_| Error::too_many("too many passwords are checked at once", PATIENCE);
        let turn = turn.map_err(busy)?.map_err(Error::internal)?;
        // The permit is held until the work ends, even if the waiting request is cancelled earlier.
        let work = move || {
            let mut memory = self.memory.lock().pop().unwrap_or_default();
            let done = work(&mut memory);
            self.memory.lock().push(memory);
            drop(turn);
            done
        };
        spawn_blocking(work).await.map_err(Error::internal)?.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let stored = hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(hash("correct horse".into()).await.unwrap(), stored, "salted");
        assert!(verify("correct horse".into(), Some(stored.clone())).await.unwrap());
        assert!(!verify("battery staple".into(), Some(stored)).await.unwrap());
        assert!(!verify("correct horse".into(), None).await.unwrap());
        assert!(verify("correct horse".into(), Some("no hash".into())).await.is_err());
    }

    #[test]
    fn memory_that_is_used_again_gives_the_hashes_of_the_library() {
        let (mut memory, argon2) = (Vec::new(), Argon2::default());
        for password in ["correct horse", "battery staple"] {
            let ours = new_hash(password, &mut memory).unwrap();
            argon2.verify_password(password.as_bytes(), ours.as_str()).unwrap();
            let theirs = argon2.hash_password(password.as_bytes()).unwrap();
            assert!(matches(password, &theirs, &mut memory).unwrap());
            assert!(!matches("another", &theirs, &mut memory).unwrap());
        }
        assert_eq!(memory.len(), Params::DEFAULT.block_count());
    }

    #[tokio::test(start_paused = true)]
    async fn a_password_that_waits_for_a_second_is_refused() {
        static BUSY: HashingTurns =
            HashingTurns { turns: Semaphore::const_new(0), memory: Mutex::new(Vec::new()) };
        let begun = tokio::time::Instant::now();
        let refused = BUSY.in_turn(|_| Ok(())).await.unwrap_err();
        assert_eq!(refused.kind(), crate::Kind::TOO_MANY_REQUESTS);
        assert_eq!((refused.retry_after(), begun.elapsed()), (Some(PATIENCE), PATIENCE));
    }

    #[tokio::test]
    async fn passwords_share_as_many_memories_as_there_are_turns() {
        static FRESH: HashingTurns =
            HashingTurns { turns: Semaphore::const_new(2), memory: Mutex::new(Vec::new()) };
        let work = (0..20).map(|_| {
            FRESH.in_turn(|memory| {
                memory.resize(8, Block::new());
                Ok(())
            })
        });
        let done = futures_util::future::join_all(work).await;
        assert!(done.iter().all(Result::is_ok));
        assert!((1..=2).contains(&FRESH.memory.lock().len()));
    }
}
