//! Targets that speak TLS: which certificates are trusted, and what their owners read about the others.

use super::{LIST, Shop, Target, all, attempts, builder};
use axum::serve::Listener;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use std::{io, net::SocketAddr, sync::Arc};
use tempfile::NamedTempFile;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
    server::TlsStream,
};

/// A private certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, as operators have it.
    file: NamedTempFile,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, name);
        let certificate = parameters.self_signed(&key).unwrap();
        let text = STANDARD.encode(certificate.der());
        let file = NamedTempFile::new().unwrap();
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        std::fs::write(file.path(), pem).unwrap();
        let issuer = Issuer::new(parameters, key);
        Self { issuer, file }
    }

    fn path(&self) -> &str {
        self.file.path().to_str().unwrap()
    }

    /// Starts a target on `localhost` with a certificate for this host.
    async fn target(&self, host: &str) -> Target {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], key)
            .unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let url = format!("https://localhost:{port}/in");
        Target::serve(Tls { tcp, acceptor }, url, &[])
    }
}

/// Accepts connections after their handshake.
struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            // A client that refuses the certificate ends the handshake.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// What the owner reads about the last attempt of the only delivery.
fn refusal(deliveries: &[Value]) -> &str {
    assert_eq!(deliveries[0]["state"], "waiting");
    assert_eq!(deliveries[0]["lastStatus"], Value::Null);
    deliveries[0]["lastError"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_is_trusted_only_when_the_operator_names_it() {
    let shop = Shop::open().await;
    let authority = Authority::new("ours");
    let target = authority.target("localhost").await;
    shop.link("promo", json!({})).await;
    let (webhook, secret) = shop.webhook(&target, &["click"], json!({})).await;
    shop.click("/promo").await;
    for attempt in 1..=2 {
        let tried = shop.until(webhook, attempts(attempt)).await;
        assert_eq!(
            refusal(&tried),
            "the certificate was refused: its issuer is not trusted"
        );
        shop.advance(SignedDuration::from_mins(1));
    }
    let waiting = shop.until(webhook, attempts(3)).await;
    target.assert_quiet().await;
    let ada = shop.ada.clone();
    let (log, databases) = shop.system.stop().await;
    let system = builder()
        .set("WEBHOOK_CA_FILE", authority.path())
        .log(log)
        .databases(databases)
        .seed(1_000_000)
        .start()
        .await;
    let shop = Shop { system, ada };
    shop.advance(SignedDuration::from_mins(10));
    let message = target.next().await;
    assert_eq!(message.signed_by(&[&secret]), [&secret]);
    assert_eq!(message.header("webhook-id"), waiting[0]["messageId"]);
    assert_eq!(message.json(), waiting[0]["payload"]);
    let sent = shop.until(webhook, all("delivered")).await;
    assert_eq!(
        (&sent[0]["attempts"], &sent[0]["lastStatus"]),
        (&json!(4), &json!(200))
    );
    target.assert_quiet().await;
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_host_or_authority_is_refused() {
    let (trusted, other) = (Authority::new("ours"), Authority::new("theirs"));
    let builder = builder().set("WEBHOOK_CA_FILE", trusted.path());
    let shop = Shop::of(builder.start().await).await;
    for (target, expected) in [
        (trusted.target("hooks.example").await, "hooks.example"),
        (other.target("localhost").await, "its issuer is not trusted"),
    ] {
        let (webhook, _) = shop.webhook(&target, &["click"], json!({})).await;
        let test = format!("{LIST}/{webhook}/test");
        let sent = shop.post(&test, &json!({})).await;
        assert_eq!(sent.status, 202, "{}", sent.text);
        for attempt in 1..=2 {
            let tried = shop.until(webhook, attempts(attempt)).await;
            let error = refusal(&tried);
            let begins = error.starts_with("the certificate was refused: ");
            assert!(begins && error.contains(expected), "{error}");
            shop.advance(SignedDuration::from_mins(1));
        }
        target.assert_quiet().await;
    }
    shop.finish().await;
}
