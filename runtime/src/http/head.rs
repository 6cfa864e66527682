//! Checks the head of every request: one host, and a path and query of bounded length.

use super::{ApiError, MAX_TARGET_BYTES};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, Version, header, uri::Authority},
};

/// Checks the head of a request.
///
/// # Errors
/// 400 for an invalid host, 414 for a path and query that are too long.
pub(super) fn check(request: &Request) -> Result<(), ApiError> {
    check_host(request.version(), request.headers())?;
    check_target(request.uri())
}

/// RFC 9112, 3.2: an HTTP/1.1 request names its host, and no request names two. If a proxy and a
/// server picked different ones of two, an attacker could exploit the difference.
fn check_host(version: Version, headers: &HeaderMap) -> Result<(), ApiError> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let right = match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_host(host),
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    };
    let wrong = || {
        ApiError::bad_request(
            "error.invalid_host",
            "Send one Host header, with the host and the port that the request is for.",
        )
    };
    right.then_some(()).ok_or_else(wrong)
}

/// True for a host with or without a port, as in an `http` URL.
fn is_host(value: &HeaderValue) -> bool {
    let Ok(authority) = Authority::try_from(value.as_bytes()) else {
        return false;
    };
    let (text, host) = (authority.as_str(), authority.host());
    let port = match text.strip_prefix(host).map(|rest| rest.strip_prefix(':')) {
        Some(None) => text == host,
        Some(Some(port)) => {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            digits && (port.is_empty() || port.parse::<u16>().is_ok())
        }
        // A name or a password precedes the host.
        None => false,
    };
    !host.is_empty() && port
}

fn check_target(uri: &Uri) -> Result<(), ApiError> {
    let length = uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if length > MAX_TARGET_BYTES {
        return Err(ApiError::from_status(StatusCode::URI_TOO_LONG));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(version: Version, hosts: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, HeaderValue::from_static(host));
        }
        check_host(version, &headers).is_ok()
    }

    #[test]
    fn a_request_names_one_host() {
        for host in [
            "example.com",
            "example.com.",
            "example.com:8080",
            "example.com:",
            "my_service:80",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:8080",
            "xn--bcher-kva.example",
        ] {
            assert!(hosts(Version::HTTP_11, &[host]), "{host}");
        }
        for host in [
            "",
            " ",
            ":8080",
            "example.com:http",
            "example.com:65536",
            "example.com:+80",
            "user@example.com",
            "user:secret@example.com",
            "example.com/path",
            "a b",
            "a\tb",
            "[::1",
            "http://example.com",
        ] {
            assert!(!hosts(Version::HTTP_11, &[host]), "{host:?}");
            assert!(!hosts(Version::HTTP_10, &[host]), "{host:?}");
        }
        assert!(!hosts(Version::HTTP_11, &[]));
        assert!(hosts(Version::HTTP_10, &[]), "HTTP/1.0 has no Host");
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert!(!hosts(version, &["a.example", "b.example"]));
            assert!(!hosts(version, &["a.example", "a.example"]));
        }
    }

    #[test]
    fn a_target_that_is_too_long_is_refused() {
        let target = |length: usize| format!("/{}", "a".repeat(length - 1)).parse().unwrap();
        assert!(check_target(&target(MAX_TARGET_BYTES)).is_ok());
        let error = check_target(&target(MAX_TARGET_BYTES + 1)).unwrap_err();
        assert_eq!(
            (error.status.as_u16(), error.code),
            (414, "error.uri_too_long")
        );
    }
}
