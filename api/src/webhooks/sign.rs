//! Signatures of deliveries, as the Standard Webhooks specification has them.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use super::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use ring::hmac;

/// The header with the id of a message, the same at every attempt.
pub(super) const ID: &str = "webhook-id";
/// The header with the time of an attempt, in seconds since 1970.
pub(super) const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub(super) const SIGNATURE: &str = "webhook-signature";

/// The value of [`SIGNATURE`]: one signature for each secret.
pub(super) fn signatures(secrets: &[Secret], id: &str, at: Timestamp, body: &str) -> String {
    let keys = secrets.iter().map(Secret::bytes);
    let all: Vec<String> = keys.map(|key| signature(key, id, at, body)).collect();
    all.join(" ")
}

fn signature(key: &[u8], id: &str, at: Timestamp, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let content = format!("{id}.{}.{body}", at.as_second());
    let tag = hmac::sign(&key, content.as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_has_its_signature() {
        // From the tests of its libraries.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let body = r#"{"test": 2432232314}"#;
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
