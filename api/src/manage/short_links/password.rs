//! Hashes of link passwords, in the PHC string format. Ingest verifies them.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, SaltString},
};
use runtime::{IdSource, http::ApiError};
use tokio::sync::Semaphore;

/// Memory of a hash in KiB, and passes over it: what OWASP recommends for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// Hashes that are made at once. Each takes [`MEMORY_KIB`].
static TURNS: Semaphore = Semaphore::const_new(2);
/// Hashes that are made or wait for their turn.
static PLACES: Semaphore = Semaphore::const_new(34);

/// The hash of a password with a random salt. It takes tens of milliseconds, so it runs on the
/// threads for blocking work. 503 when too many wait.
pub(super) async fn hash(password: String, ids: &dyn IdSource) -> Result<String, ApiError> {
    let salt = ids.random_16();
    let place = PLACES.try_acquire().map_err(ApiError::unavailable)?;
    let turn = TURNS.acquire().await.map_err(ApiError::internal)?;
    // A hash keeps its turn when the client leaves meanwhile.
    let hashing = tokio::task::spawn_blocking(move || {
        let _held = (place, turn);
        make(&password, &salt)
    });
    hashing.await.map_err(ApiError::internal)?
}

fn make(password: &str, salt: &[u8; 16]) -> Result<String, ApiError> {
    let salt = SaltString::encode_b64(salt).map_err(ApiError::internal)?;
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(ApiError::internal)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon
        .hash_password(password.as_bytes(), &salt)
        .map_err(ApiError::internal)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::{PasswordHash, PasswordVerifier};

    #[test]
    fn a_hash_is_argon2id_with_its_own_salt_and_verifies_only_its_password() {
        let hash = make("open sesame", &[1; 16]).unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let parsed = PasswordHash::new(&hash).unwrap();
        let verify = |word: &[u8]| Argon2::default().verify_password(word, &parsed).is_ok();
        assert!(verify(b"open sesame") && !verify(b"open"));
        assert_ne!(hash, make("open sesame", &[2; 16]).unwrap());
    }
}
