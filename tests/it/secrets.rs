//! An api and an ingest that do not know the same secret do not serve pages together.

use kit::{System, child::Program};

#[tokio::test(flavor = "multi_thread")]
async fn an_api_with_another_tracking_secret_than_ingest_ends() {
    let system = System::start().await;
    let mut environment = system.settings.clone();
    let other = "another-secret-for-tests-0123456789abcdef";
    environment.insert("TRACKING_HMAC_SECRET".to_owned(), other.to_owned());
    environment.insert("API_LISTEN".to_owned(), "127.0.0.1:0".to_owned());
    environment.insert("RUST_LOG".to_owned(), "warn".to_owned());
    let environment: Vec<(&str, &str)> = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let stranger = Program::start("api", &[], &environment);
    assert_eq!(stranger.wait(), Some(1));
    system.finish().await;
}
