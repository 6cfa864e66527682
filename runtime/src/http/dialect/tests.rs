//! Two surfaces on one listener: every kind of error has the form of its path.

use super::*;
use crate::{
    Context, Readiness,
    http::{Options, body, done, ok, serve, throttled},
    plain_dialect::Plain,
    throttle::Standing,
};
use axum::{
    Router,
    extract::Request,
    http::Method,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Time after which a test counts as broken; a test that passes never waits this long.
const LIMIT: Duration = Duration::from_secs(8);

/// A second dialect, so that a body shows which one wrote it.
#[derive(Debug)]
struct Shouting;

impl Dialect for Shouting {
    fn data(&self, _: StatusCode, data: &[u8]) -> Vec<u8> {
        [b"{\"YES\":", data, b"}"].concat()
    }

    fn done(&self) -> Vec<u8> {
        b"{\"YES\":true}".to_vec()
    }

    fn error(&self, error: &ApiError, correlation_id: &str) -> Value {
        json!({ "NO": error.code.to_uppercase(), "ID": correlation_id })
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Shout")
    }
}

const SPENT: Standing = Standing {
    limit: 1,
    remaining: 0,
    retry_after_seconds: 7,
    reset_epoch_seconds: 0,
};

async fn turn_away(request: Request, next: Next) -> Response {
    match request.uri().query() {
        Some("401") => ApiError::unauthorized().into_response(),
        Some("403") => ApiError::forbidden("thing.forbidden", "Not yours.").into_response(),
        Some("429") => throttled::refuse("things", SPENT),
        Some("503") => ApiError::unavailable("the database is unavailable").into_response(),
        _ => next.run(request).await,
    }
}

async fn take(request: Request) -> Result<Response, ApiError> {
    body::check_type(request.headers())?;
    let bytes = body::read(request.into_body(), 8).await?;
    body::object(&bytes).map(ok)
}

async fn tell(request: Request) -> Result<Response, ApiError> {
    match request.uri().query() {
        Some("done") => Ok(done()),
        Some("500") => Err(ApiError::internal("secret")),
        Some("panic") => panic!("as a defect would"),
        Some("400") => Err(ApiError::validation(vec!["x must be a UUID".to_owned()])),
        Some("bare") => Ok(StatusCode::NOT_FOUND.into_response()),
        _ => Ok(ok([1])),
    }
}

fn routes(prefix: &str) -> Router {
    let things = get(tell)
        .merge(post(take))
        .layer(middleware::from_fn(turn_away));
    Router::new().route(&format!("{prefix}/things"), things)
}

/// A server with both surfaces, and its address.
async fn start(context: &Context) -> String {
    let listener = serve::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let surfaces = Surfaces::<dyn Dialect>::new(&Shouting).with(&["/plain"], &Plain);
    let router = routes("").merge(routes("/plain"));
    serve::spawn(listener, router, surfaces, Options::default(), context);
    address
}

/// Sends a request and returns the status, the head in lower case, and the body as JSON.
async fn send(address: &str, request: String) -> (u16, String, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let reading = tokio::time::timeout(LIMIT, stream.read_to_string(&mut answer));
    reading.await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    (status, head.to_lowercase(), body)
}

fn request(method: &Method, target: &str, body: &str) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn every_error_has_the_form_of_its_path() {
    let context = Context {
        readiness: Readiness::default(),
        ..Context::system()
    };
    let address = start(&context).await;
    let long = format!("/things?{}", "x".repeat(9000));
    let cases: [(Method, &str, &str, u16, &str); 14] = [
        (Method::GET, "/things?400", "", 400, "error.validation"),
        (Method::POST, "/things", "nothing", 400, "error.validation"),
        (Method::GET, "/things?401", "", 401, "auth.unauthorized"),
        (Method::GET, "/things?403", "", 403, "thing.forbidden"),
        // From the router: an unknown path, and a method that the path does not take.
        (Method::GET, "/nothing", "", 404, "error.route_not_found"),
        (
            Method::DELETE,
            "/things",
            "",
            405,
            "error.method_not_allowed",
        ),
        (
            Method::GET,
            "/things?bare",
            "",
            404,
            "error.route_not_found",
        ),
        (
            Method::POST,
            "/things",
            "{\"a\": \"much too long\"}",
            413,
            "error.payload_too_large",
        ),
        // From the layer around all routes.
        (Method::GET, &long, "", 414, "error.uri_too_long"),
        (Method::GET, "/things?429", "", 429, "error.rate_limited"),
        (Method::GET, "/things?500", "", 500, "error.internal"),
        (Method::GET, "/things?panic", "", 500, "error.internal"),
        (
            Method::GET,
            "/things?503",
            "",
            503,
            "error.service_unavailable",
        ),
        (Method::POST, "/things?429", "", 429, "error.rate_limited"),
    ];
    for (method, target, body, status, code) in cases {
        let (got, head, told) = send(&address, request(&method, target, body)).await;
        assert_eq!(got, status, "{method} {target}");
        assert_eq!(told["NO"], code.to_uppercase(), "{method} {target}");
        let id = told["ID"].as_str().unwrap();
        assert!(head.contains(&format!("x-request-id: {id}")), "{head}");
        assert_eq!(head.contains("www-authenticate: shout"), status == 401);

        let target = format!("/plain{target}");
        let (got, head, told) = send(&address, request(&method, &target, body)).await;
        assert_eq!(got, status, "{method} {target}");
        assert_eq!(told["errors"][0]["code"], format!("P{status}"), "{told}");
        assert!(told.as_object().unwrap().len() == 1, "{told}");
        assert!(!told.to_string().contains("secret"), "{told}");
        assert_eq!(head.contains("www-authenticate: key"), status == 401);
        assert_eq!(head.contains("retry-after: 7"), status == 429, "{head}");
    }
    // A head that is refused before any handler sees it.
    for (target, form) in [("/things", "NO"), ("/plain/things", "errors")] {
        let two =
            format!("GET {target} HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n");
        let (status, _, told) = send(&address, two).await;
        assert_eq!((status, told[form].is_null()), (400, false), "{told}");
    }
    context.lifecycle.finish().await.unwrap();
}

#[tokio::test]
async fn data_has_the_form_of_its_path() {
    let context = Context::system();
    let address = start(&context).await;
    for (target, told) in [
        ("/things", json!({ "YES": [1] })),
        ("/things?done", json!({ "YES": true })),
        ("/plain/things", json!({ "response": [1] })),
        ("/plain/things?done", json!({})),
    ] {
        let (status, head, body) = send(&address, request(&Method::GET, target, "")).await;
        assert_eq!((status, &body), (200, &told), "{target}");
        assert!(head.contains("content-type: application/json"), "{head}");
    }
    context.lifecycle.finish().await.unwrap();
}

#[test]
fn a_surface_has_the_paths_below_its_prefix_and_no_others() {
    let surfaces = Surfaces::<dyn Dialect>::new(&Shouting)
        .with(&["/api"], &Plain)
        .with(&["/api/v1"], &Shouting);
    for (path, challenge) in [
        ("/", "Shout"),
        ("/api", "Key"),
        ("/api/", "Key"),
        ("/api/v2/x", "Key"),
        ("/apis", "Shout"),
        ("/api/v1", "Shout"),
        ("/api/v1/x", "Shout"),
        ("/api/v10", "Key"),
    ] {
        assert_eq!(surfaces.of(path).challenge(), challenge, "{path}");
    }
}
