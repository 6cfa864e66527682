//! Noise for short URLs, as bytes on a connection: paths, hosts, methods, queries and headers.

use super::{hard_text, runner};
use crate::clicks::until_answered;
use ingest::redirect::code::Asked;
use kit::{Creator, System};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const HOST: &str = "footfall.test";

/// The links: a code, the status of its usual answer, and what they have.
fn links() -> Vec<(&'static str, u16, Value)> {
    let phone = json!([{"field": "os", "operator": "equals", "value": "iOS"}]);
    let rules = json!([
        {"field": "language", "operator": "in", "value": ["de", "zh-Hant"]},
        {"field": "referrer", "operator": "matches", "value": "(a+)+$"},
        {"field": "country", "operator": "not_equals", "value": "US"},
        {"field": "query.x", "operator": "gt", "value": 1},
        {"field": "browserVersion", "operator": "gte", "value": "17.4"},
        {"field": "visitorState", "operator": "equals", "value": "returning"},
        {"field": "percentage", "operator": "lt", "value": 50},
    ]);
    vec![
        ("plain", 302, json!({})),
        (
            "all",
            302,
            json!({
                "preserveQueryParams": true, "conversionTracking": true, "utmSource": "a b&c",
                "destinationUrl": "https://to.example/x?a=%2B&utm_source=d#e?f",
            }),
        ),
        (
            "utms",
            308,
            json!({"forwardUtms": true, "redirectStatus": 308}),
        ),
        (
            "locked",
            200,
            json!({"password": "secret", "redirectStatus": 307}),
        ),
        ("expired", 410, json!({"expiresAt": "2027-03-05T12:00:00Z"})),
        ("off", 410, json!({"enabled": false, "title": "<b>Off</b>"})),
        ("limited", 302, json!({"clicksLimit": 5})),
        (
            "in-app",
            302,
            json!({"deepLinkEnabled": true, "deepLinkIos": "myapp://p", "deepLinkAndroid": "myapp://p"}),
        ),
        (
            "card",
            302,
            json!({"previewTitle": "Look", "previewDescription": "<script>"}),
        ),
        ("slow", 200, json!({"redirectDelayMs": 1})),
        ("never", 204, json!({"redirectBehavior": "never"})),
        (
            "only",
            404,
            json!({"redirectBehavior": "rule_only", "rules": phone}),
        ),
        (
            "rules",
            302,
            json!({"rules": rules, "preserveQueryParams": true}),
        ),
    ]
}

async fn make_links(system: &System, by: &Creator) {
    for (code, status, mut body) in links() {
        body["shortCode"] = json!(code);
        if body["destinationUrl"].is_null() {
            body["destinationUrl"] = json!("https://to.example/x");
        }
        let rules = body.as_object_mut().unwrap().remove("rules");
        let made = system.client.post_as(&by.token, "/api/links", &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        for condition in rules.iter().flat_map(|rules| rules.as_array().unwrap()) {
            let rule = json!({
                "linkId": made.id(), "name": "A", "destinationUrl": "https://to.example/rule?r=1#s",
                "conditions": [condition],
            });
            let made = system.client.post_as(&by.token, "/api/rules", &rule).await;
            assert_eq!(made.status, 201, "{}", made.text);
        }
        until_answered(&system.client, HOST, code, status).await;
    }
}

/// A request as it is sent.
#[derive(Clone, Debug)]
struct Request {
    method: String,
    target: Vec<u8>,
    host: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} ", self.method).into_bytes();
        bytes.extend(&self.target);
        bytes.extend(b" HTTP/1.1\r\nHost: ");
        bytes.extend(&self.host);
        for (name, value) in &self.fields {
            bytes.extend(format!("\r\n{name}: ").bytes());
            bytes.extend(value);
        }
        bytes.extend(format!("\r\nContent-Length: {}\r\n\r\n", self.body.len()).bytes());
        bytes.extend(&self.body);
        bytes
    }
}

/// Bytes that a line of a head may hold, most of them not even text.
fn line_bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(
        prop_oneof![0x21u8..=0x7e, Just(b' '), 0x80u8..=0xff],
        0..most,
    )
}

/// A text without the characters that would end its line.
fn on_one_line(text: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    text.prop_map(|text| {
        let bytes = text.into_bytes().into_iter();
        bytes
            .filter(|byte| !matches!(byte, 0..0x20 | 0x7f))
            .collect()
    })
}

fn any_value(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![on_one_line(hard_text()), line_bytes(most)]
}

fn any_code() -> impl Strategy<Value = String> {
    let codes: Vec<&str> = links().into_iter().map(|(code, ..)| code).collect();
    let known = prop::sample::select(codes).prop_map(str::to_owned);
    let end = prop_oneof![
        4 => Just(String::new()),
        1 => prop::sample::select(&["/", ".", ")", "%20", "%00", "%", "%ff", "//", "/x", ";a", "-", "\u{e9}"][..])
            .prop_map(str::to_owned),
    ];
    let known = (known, 0u8..3, end).prop_map(|(code, spelling, end)| {
        let code: String = match spelling {
            0 => code,
            1 => code.to_uppercase(),
            _ => {
                let escaped: Vec<String> =
                    code.bytes().map(|byte| format!("%{byte:02X}")).collect();
                escaped.concat()
            }
        };
        code + &end
    });
    prop_oneof![5 => known, 1 => "[A-Za-z0-9_-]{0,55}", 1 => "[!-~&&[^ ?#]]{0,12}"]
}

fn any_target() -> impl Strategy<Value = Vec<u8>> {
    let pair = prop_oneof![
        prop::sample::select(
            &[
                "qr=poster",
                "qr=",
                "bot",
                "bot=1",
                "bot=0",
                "no-track",
                "lw_cid=x",
                "utm_source=in",
                "utm_source=",
                "x=2",
                "x=-1e400",
                "ref=%0d%0aset-cookie:a",
                "%75tm_medium=m",
                "a=b=c",
                "=",
                "+",
                "&&",
                "password=secret",
            ][..],
        )
        .prop_map(str::to_owned),
        "[!-~&&[^ #]]{0,30}",
    ];
    let query = prop::collection::vec(pair, 0..6).prop_map(|pairs| pairs.join("&"));
    let code = (any_code(), prop::option::of(query)).prop_map(|(code, query)| {
        let query = query.map(|query| format!("?{query}"));
        format!("/{code}{}", query.unwrap_or_default()).into_bytes()
    });
    let long = (any_code(), 8_000usize..8_400)
        .prop_map(|(code, length)| format!("/{code}?a={}", "x".repeat(length)).into_bytes());
    let raw = line_bytes(40).prop_map(|mut bytes| {
        bytes.retain(|byte| *byte != b' ');
        bytes.insert(0, b'/');
        bytes
    });
    let whole = any_code().prop_map(|code| format!("http://{HOST}/{code}").into_bytes());
    prop_oneof![12 => code, 1 => long, 1 => raw, 1 => whole]
}

/// Names of fields that something reads.
const NAMES: &[&str] = &[
    "Accept-Language",
    "User-Agent",
    "Referer",
    "Accept",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "Sec-CH-UA-Model",
    "Sec-GPC",
    "DNT",
    "X-No-Track",
    "X-Request-Id",
    "Cookie",
    "If-None-Match",
    "Range",
    "Accept-Encoding",
    "Content-Type",
    "Authorization",
    "X-Api-Key",
    "Origin",
];

/// Values that some of them understand.
const VALUES: &[&str] = &[
    "de-DE,de;q=0.9",
    "zh-TW;q=1",
    "*",
    "de;q=0,en;q=NaN",
    "en;q=1e999,;,-;q=",
    "text/html,*/*;q=0.8",
    "1",
    "https://user:pw@aaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/!",
    "TelegramBot (like TwitterBot)",
    "bytes=0-1",
    "gzip",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
    "application/x-www-form-urlencoded",
];

fn any_request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![
        8 => Just("GET"),
        2 => Just("HEAD"),
        2 => Just("POST"),
        1 => prop::sample::select(&["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"][..]),
    ];
    let host = prop_oneof![
        8 => prop::sample::select(
            &["footfall.test", "FOOTFALL.test.:8080", "www.footfall.test", "footfall.test:99999", "other.test", "[::1]", "x@footfall.test", ""][..],
        )
        .prop_map(|host| host.as_bytes().to_vec()),
        1 => any_value(30),
    ];
    let value = prop_oneof![
        3 => prop::sample::select(VALUES).prop_map(|value| value.as_bytes().to_vec()),
        2 => any_value(200),
    ];
    let field = (prop::sample::select(NAMES).prop_map(str::to_owned), value);
    let body = prop_oneof![
        4 => Just(Vec::new()),
        1 => prop::sample::select(&["password=secret", "password=no", "password=%00&password=secret", "{}"][..])
            .prop_map(|body| body.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ];
    let fields = prop::collection::vec(field, 0..6);
    (method, any_target(), host, fields, body).prop_map(|(method, target, host, fields, body)| {
        Request {
            method: method.to_owned(),
            target,
            host,
            fields,
            body,
        }
    })
}

/// An answer, as it was read.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    rest: Vec<u8>,
}

impl Answer {
    /// The first answer in these bytes, and what follows it.
    fn read(bytes: &[u8], has_body: bool) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head[9..12].parse().unwrap();
        let answer = Self {
            status,
            head,
            rest: Vec::new(),
        };
        let length = answer.values("content-length");
        let length = length.first().map_or(0, |text| text.parse().unwrap());
        let body = if has_body { length } else { 0 };
        Self {
            rest: bytes[end + 4 + body..].to_vec(),
            ..answer
        }
    }

    fn values(&self, name: &str) -> Vec<&str> {
        let lines = self.head.split("\r\n").skip(1);
        let fields = lines.filter_map(|line| line.split_once(':'));
        let named = fields.filter(|(given, _)| given.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim()).collect()
    }
}

/// Sends bytes on a connection of their own, and reads until the server closes it.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A refusal may come, and the connection end, before everything is sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let reading = timeout(kit::system::PATIENCE, stream.read_to_end(&mut answer));
    // A reset follows an answer that came before the whole request was read.
    let _ = reading.await.expect("the server closes the connection");
    answer
}

const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";

/// Sends a request and another one behind it, and checks both answers.
async fn check(system: &System, request: &Request) {
    let address = system.client.address().parse().unwrap();
    let mut bytes = request.bytes();
    bytes.extend(HEALTH);
    let answers = exchange(address, &bytes).await;
    let answer = Answer::read(&answers, request.method != "HEAD");
    let (status, locations) = (answer.status, answer.values("location"));
    // Two checks of passwords run at once, and 32 may wait.
    assert!(status < 500, "{status}: {answer:?}");
    assert!(locations.len() <= 1, "{answer:?}");
    for location in &locations {
        let wanted = [
            "https://to.example/x",
            "https://to.example/rule?r=1",
            "intent://p#Intent;",
        ];
        assert!(
            wanted.iter().any(|start| location.starts_with(start)),
            "{location}"
        );
        assert!([301, 302, 303, 307, 308].contains(&status), "{answer:?}");
    }
    assert!(answer.values("set-cookie").is_empty(), "{answer:?}");
    let target = String::from_utf8_lossy(&request.target);
    let path = target.split_once("://").map_or(&*target, |(_, rest)| {
        rest.find('/').map_or("/", |at| &rest[at..])
    });
    let path = path.split('?').next().unwrap_or_default();
    // What the HTTP library refuses by itself has no id, and no other header either.
    let is_ours = answer.values("x-request-id").len() == 1;
    if is_ours && Asked::read(path).is_some() && !system.paths.contains(path) {
        assert_eq!(
            answer.values("cache-control"),
            ["private, no-store"],
            "{answer:?}"
        );
    } else if !is_ours {
        assert!([400, 431].contains(&status), "{answer:?}");
    }
    // The next request has its answer, on this connection unless the first answer ended it.
    let next = if answer.rest.is_empty() {
        exchange(address, HEALTH).await
    } else {
        answer.rest
    };
    assert_eq!(Answer::read(&next, true).status, 200);
}

#[test]
fn no_request_for_a_short_url_breaks_the_redirect() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let system = runtime.block_on(async {
        let system = System::start().await;
        let ada = system.client.creator("ada").await;
        make_links(&system, &ada).await;
        system
    });
    let property = runner(400).run(&any_request(), |request| {
        runtime.block_on(check(&system, &request));
        Ok(())
    });
    property.unwrap();
    runtime.block_on(async {
        // The links are as they were.
        for (code, status, _) in links() {
            if code != "limited" {
                until_answered(&system.client, HOST, code, status).await;
            }
        }
        system.finish().await;
    });
}
