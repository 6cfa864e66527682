//! An api and an ingest with different secrets do not serve pages together.

use kit::{System, child::Program, system::PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn an_api_exits_if_its_tracking_secret_differs_from_ingests() {
    let system = System::start().await;
    let mut environment = system.settings.clone();
    let other = "another-secret-for-tests-0123456789abcdef";
    environment.insert("TRACKING_HMAC_SECRET".to_owned(), other.to_owned());
    environment.insert("API_LISTEN".to_owned(), "127.0.0.1:0".to_owned());
    environment.insert("RUST_LOG".to_owned(), "warn".to_owned());
    let (sender, ended) = tokio::sync::oneshot::channel();
    // A separate runtime, because the test's own would wait for an api that does not exit.
    std::thread::spawn(move || {
        let environment: Vec<(&str, &str)> = environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        sender.send(Program::run("api", &[], &environment, b""))
    });
    let ended = tokio::time::timeout(PATIENCE, ended).await;
    let ended = ended.expect("the api did not exit").unwrap();
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(
        ended
            .err
            .contains("TRACKING_HMAC_SECRET does not match this log"),
        "{}",
        ended.err
    );
    system.finish().await;
}
