//! Tests the login, and the limits on clients without the password.

use std::{
    sync::mpsc::{Sender, channel},
    time::Instant,
};

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        ApiVersionsRequest, ApiVersionsResponse, MetadataRequest, SaslAuthenticateResponse,
        SaslHandshakeResponse,
    },
};
use rand::{Rng as _, RngCore as _, SeedableRng as _, rngs::StdRng};
use rdkafka::{
    ClientContext,
    consumer::{BaseConsumer, ConsumerContext},
    error::KafkaError,
    types::RDKafkaErrorCode,
};

use super::{
    wire::{Wire, handshake, request_frame, string, token},
    *,
};

fn versions() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(string("tests"))
        .with_client_software_version(string("1"))
}

#[tokio::test]
async fn before_the_login_only_versions_and_mechanism_are_answered() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let mut wire = Wire::nameless(&broker).await;
    let offered: ApiVersionsResponse = wire.call(4, &versions()).await;
    assert_eq!(offered.error_code, 0);
    assert!(offered.api_keys.len() > 40);
    wire.send(&request_frame(12, 7, &MetadataRequest::default()))
        .await;
    assert!(wire.frame().await.is_none(), "the connection ends");
    broker.stop().await;
}

#[tokio::test]
async fn newer_versions_than_supported_are_answered_in_the_oldest_form() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    for mut wire in [Wire::nameless(&broker).await, Wire::connect(&broker).await] {
        let mut frame = request_frame(4, 7, &versions()).to_vec();
        frame[7] = 99;
        wire.send(&frame).await;
        let (_, answer): (_, ApiVersionsResponse) = wire.answer(0).await.unwrap();
        assert_eq!(answer.error_code, Error::UnsupportedVersion.code());
        assert!(answer.api_keys.iter().any(|api| api.api_key == 18));
        let offered: ApiVersionsResponse = wire.call(3, &versions()).await;
        assert_eq!(offered.error_code, 0, "the connection continues");
    }
    broker.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_with_a_message_and_the_right_one_is_accepted() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    for (name, password) in [
        ("footfall", "wrong"),
        ("footfall", ""),
        ("footfall", "righ"),
        ("other", "right"),
        ("", ""),
        ("footfall", "right\0"),
    ] {
        let mut wire = Wire::nameless(&broker).await;
        let _: SaslHandshakeResponse = wire.call(1, &handshake("PLAIN")).await;
        let refused: SaslAuthenticateResponse = wire.call(2, &token(name, password)).await;
        assert_eq!(refused.error_code, Error::SaslAuthenticationFailed.code());
        assert!(refused.error_message.unwrap().contains("password"));
        assert!(wire.frame().await.is_none(), "the connection ends");
    }
    drop(Wire::connect(&broker).await);
    broker.stop().await;
}

#[tokio::test]
async fn an_unknown_mechanism_is_refused_with_the_list_of_known_ones() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let mut wire = Wire::nameless(&broker).await;
    let refused: SaslHandshakeResponse = wire.call(1, &handshake("SCRAM-SHA-256")).await;
    assert_eq!(refused.error_code, Error::UnsupportedSaslMechanism.code());
    assert_eq!(refused.mechanisms, [string("PLAIN")]);
    assert!(wire.frame().await.is_none(), "the connection ends");
    // A password before the mechanism is agreed.
    let mut wire = Wire::nameless(&broker).await;
    let refused: SaslAuthenticateResponse = wire.call(2, &token("footfall", "right")).await;
    assert_eq!(refused.error_code, Error::IllegalSaslState.code());
    assert!(wire.frame().await.is_none(), "the connection ends");
    // A second login.
    let mut wire = Wire::connect(&broker).await;
    let refused: SaslHandshakeResponse = wire.call(1, &handshake("PLAIN")).await;
    assert_eq!(refused.error_code, Error::IllegalSaslState.code());
    broker.stop().await;
}

#[tokio::test]
async fn the_oldest_handshake_takes_a_bare_token() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    for (password, welcome) in [("right", true), ("wrong", false)] {
        let mut wire = Wire::nameless(&broker).await;
        let _: SaslHandshakeResponse = wire.call(0, &handshake("PLAIN")).await;
        let token = format!("\0footfall\0{password}");
        let length = i32::try_from(token.len()).unwrap();
        wire.send(&[&length.to_be_bytes(), token.as_bytes()].concat())
            .await;
        let answer = wire.frame().await;
        assert_eq!(answer.is_some_and(|answer| answer.is_empty()), welcome);
        if welcome {
            let offered: ApiVersionsResponse = wire.call(3, &versions()).await;
            assert_eq!(offered.error_code, 0);
        }
    }
    broker.stop().await;
}

#[tokio::test]
async fn noise_before_and_after_the_login_harms_no_other_client() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let mut random = StdRng::seed_from_u64(5);
    let mut bystander = Wire::connect(&broker).await;
    for round in 0..200 {
        let mut wire = if round % 2 == 0 {
            Wire::nameless(&broker).await
        } else {
            Wire::connect(&broker).await
        };
        let mut noise = vec![0; random.random_range(1..300)];
        random.fill_bytes(&mut noise);
        if round % 4 < 2 {
            // A correct length, so that it is read as a request.
            let length = i32::try_from(noise.len()).unwrap();
            wire.send(&length.to_be_bytes()).await;
        }
        wire.send(&noise).await;
    }
    let offered: ApiVersionsResponse = bystander.call(3, &versions()).await;
    assert_eq!(offered.error_code, 0);
    drop(Wire::connect(&broker).await);
    broker.stop().await;
}

/// Keeps the errors that a client reports.
struct Listening(Sender<Option<RDKafkaErrorCode>>);

impl ClientContext for Listening {
    fn error(&self, error: KafkaError, _: &str) {
        let _ = self.0.send(error.rdkafka_error_code());
    }
}

impl ConsumerContext for Listening {}

#[tokio::test(flavor = "multi_thread")]
async fn librdkafka_learns_that_the_password_is_wrong() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let mut config = client(&broker);
    config.set("sasl.password", "wrong");
    let listening = tokio::task::spawn_blocking(move || {
        let (sender, errors) = channel();
        let client: BaseConsumer<Listening> =
            config.create_with_context(Listening(sender)).unwrap();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            drop(client.poll(Duration::from_millis(20)));
            if errors
                .try_iter()
                .flatten()
                .any(|code| code == RDKafkaErrorCode::Authentication)
            {
                return true;
            }
        }
        false
    });
    assert!(listening.await.unwrap());
    broker.stop().await;
}

#[test]
fn credentials_do_not_show_the_password() {
    let shown = format!("{:?}", options());
    assert!(
        shown.contains("footfall") && !shown.contains("right"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_client_without_the_password_loses_its_place_even_if_it_reads_no_responses() {
    /// The maximum number of connections before their login.
    const OTHERS: usize = 100;
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let mut deaf = Wire::nameless(&broker).await;
    // This client sends and never reads, so the broker waits for it.
    let sending = tokio::spawn(async move {
        let many = request_frame(3, 7, &versions()).repeat(1_000);
        while deaf.try_send(&many).await.is_ok() {}
    });
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        let mut other = Wire::nameless(&broker).await;
        let _: ApiVersionsResponse = other.call(3, &versions()).await;
        others.push(other);
    }
    tokio::time::timeout(Duration::from_secs(5), sending)
        .await
        .expect("the connection ends when its place is taken")
        .unwrap();
    broker.stop().await;
}
