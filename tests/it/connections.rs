//! Connections of clients and proxies: they stay open after every response, even if part of a body is unread.

use kit::{System, SystemBuilder};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// A client that sends and reads raw bytes.
struct Wire(BufReader<TcpStream>);

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Wire {
    async fn connect(system: &System) -> Self {
        let address: SocketAddr = system.client.address().parse().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    async fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    async fn answer(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.0.read_line(&mut head).await.unwrap();
            assert!(read > 0, "the connection ended: {head:?}");
        }
        let head = head.to_ascii_lowercase();
        let length = head
            .split_once("content-length: ")
            .map_or("0", |(_, rest)| rest.split("\r\n").next().unwrap());
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).await.unwrap();
        Answer {
            status: head[9..12].parse().unwrap(),
            head,
            body: String::from_utf8(body).unwrap(),
        }
    }
}

/// Method, path, further lines of the head, body, status, and whether the response comes before the body.
type Refusal<'a> = (&'a str, &'a str, &'a str, String, u16, bool);

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_leaves_its_connection_usable() {
    let system = SystemBuilder::default()
        .set("RATE_LIMITS", "on")
        .set("RATE_LIMIT_BIO_PAGE", "1/3600")
        .start()
        .await;
    let client = &system.client;
    let bearer = format!("Authorization: Bearer {}\r\n", client.token("ada"));
    let small = || "{\"a\":1}".to_owned();
    let session = "/api/v1/analytics/session";
    let json = "Content-Type: application/json\r\n";
    let refusals: [Refusal<'_>; 15] = [
        ("POST", "/api/v1/creators", json, small(), 401, true),
        (
            "POST",
            "/api/v1/creators",
            "Authorization: Bearer x.y.z\r\n",
            small(),
            401,
            true,
        ),
        (
            "PATCH",
            "/api/v1/creators/links/x",
            &bearer,
            small(),
            400,
            true,
        ),
        ("POST", "/api/v1/analytics/track", json, small(), 401, true),
        ("POST", "/no/such/path", json, small(), 404, true),
        ("POST", "/@nobody", json, small(), 405, true),
        ("DELETE", session, json, small(), 405, true),
        (
            "POST",
            session,
            "Content-Type: text/css\r\n",
            small(),
            415,
            true,
        ),
        ("POST", session, json, "not JSON".to_owned(), 400, false),
        ("POST", session, json, small(), 400, false),
        ("POST", session, json, "x".repeat(70_000), 413, true),
        ("GET", "/@nobody", json, small(), 404, true),
        ("GET", "/@nobody", json, small(), 429, true),
        ("GET", "/health", json, small(), 200, true),
        ("POST", "/", "", small(), 405, true),
    ];
    for (method, path, lines, body, status, early) in refusals {
        let mut wire = Wire::connect(&system).await;
        // Twice, so that the second request meets anything that the first leaves behind.
        for _ in 0..2 {
            let length = body.len();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: test\r\n{lines}Content-Length: {length}\r\n\r\n"
            );
            wire.send(&head).await;
            let answer = if early {
                let answer = wire.answer().await;
                wire.send(&body).await;
                answer
            } else {
                wire.send(&body).await;
                wire.answer().await
            };
            let limited = [status, 429].contains(&answer.status);
            assert!(limited, "{method} {path}: {} {}", answer.head, answer.body);
            assert!(
                !answer.head.contains("connection: close"),
                "{}",
                answer.head
            );
            wire.send("GET /health HTTP/1.1\r\nHost: test\r\n\r\n")
                .await;
            let next = wire.answer().await;
            assert_eq!(next.status, 200, "after {method} {path}: {}", next.head);
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_name_one_host_and_private_answers_are_not_cacheable() {
    let system = System::start().await;
    let token = system.client.token("ada");
    for (lines, version, status) in [
        ("", "1.1", 400),
        ("Host: a.example\r\nHost: b.example\r\n", "1.1", 400),
        ("Host: a b\r\n", "1.1", 400),
        ("Host: a.example\r\n", "1.1", 200),
        ("", "1.0", 200),
    ] {
        let mut wire = Wire::connect(&system).await;
        wire.send(&format!("GET /health HTTP/{version}\r\n{lines}\r\n"))
            .await;
        let answer = wire.answer().await;
        assert_eq!(
            answer.status, status,
            "{lines:?} {version}: {}",
            answer.body
        );
        if status == 400 {
            assert!(
                answer.body.contains("error.invalid_host"),
                "{}",
                answer.body
            );
        }
    }

    let private = "private, no-store";
    let csv = "/api/v1/creators/analytics/export?type=overview";
    for path in ["/api/v1/creators/me", csv, "/api/v1/nowhere"] {
        let answer = system.client.get_as(&token, path).await;
        assert_eq!(answer.headers["cache-control"], private, "{path}");
    }
    let creator = system.client.creator("ada").await;
    let answer = system.client.get_as(&creator.token, csv).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["cache-control"]),
        (200, &private.parse().unwrap())
    );
    let answer = system.client.get("/api/v1/creators/me").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["cache-control"]),
        (401, &private.parse().unwrap())
    );
    let answer = system.client.get_as(&token, "/docs").await;
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_any_length_gets_a_short_answer() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let overview = "/api/v1/creators/analytics/overview?";
    let ask = async |query: String| {
        let path = format!("{overview}{query}");
        let answer = system.client.get_as(&creator.token, &path).await;
        assert!(answer.text.len() < 8_000, "{} bytes", answer.text.len());
        (answer.error().0, answer.json())
    };
    assert_eq!(ask("a&".repeat(10_000)).await.0, 414);
    assert_eq!(ask("a&".repeat(4_000)).await.0, 400);
    let (status, answer) = ask("a&".repeat(90)).await;
    let details = answer["error"]["details"].as_array().unwrap();
    assert_eq!((status, details.len()), (400, 11), "{answer}");
    assert_eq!(details[10]["message"], "and 80 more");
    let (status, _) = ask(format!("{}=1", "n".repeat(7_000))).await;
    assert_eq!(status, 400);
    system.finish().await;
}
