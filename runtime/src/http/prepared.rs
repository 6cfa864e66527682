//! Texts that stay the same while the program runs: compressed once, sent many times.

use super::{accept::Wishes, etag};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

const VARY: HeaderValue = HeaderValue::from_static("accept-encoding");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// A text, both plain and compressed.
#[derive(Clone, Debug)]
pub struct Prepared {
    media_type: HeaderValue,
    tag: HeaderValue,
    plain: Bytes,
    gzip: Option<Bytes>,
}

impl Prepared {
    /// Compresses the text.
    #[must_use]
    pub fn new(media_type: HeaderValue, text: impl Into<Bytes>) -> Self {
        let plain = text.into();
        // Compression can make a short text longer.
        let gzip = compress(&plain).filter(|gzip| gzip.len() < plain.len());
        Self {
            media_type,
            tag: etag::of(&plain),
            plain,
            gzip,
        }
    }

    /// Answers a request with these headers; 304 when the client has the text already.
    #[must_use]
    pub fn answer(&self, headers: &HeaderMap, cache_control: HeaderValue) -> Response {
        // `Vary` on plain answers too, because a cache must not give them to all clients alike.
        let common = [
            (header::CACHE_CONTROL, cache_control),
            (header::ETAG, self.tag.clone()),
            (header::VARY, VARY),
        ];
        if etag::is_known(headers, &self.tag) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let gzip = self.gzip.as_ref().filter(|_| takes_gzip(headers));
        let body = Body::from(gzip.unwrap_or(&self.plain).clone());
        let mut response = (common, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.media_type.clone());
        if gzip.is_some() {
            headers.insert(header::CONTENT_ENCODING, GZIP);
        }
        response
    }
}

fn compress(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Whether the client accepts gzip (RFC 9110, 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let wishes = Wishes::read(headers, &header::ACCEPT_ENCODING);
    let weight = wishes.weight(&["gzip", "x-gzip", "*"]);
    weight.is_some_and(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use http_body_util::BodyExt;
    use std::io::Read;

    const CACHE: HeaderValue = HeaderValue::from_static("no-cache");

    fn accepting(codings: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for coding in codings {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(coding));
        }
        headers
    }

    #[tokio::test]
    async fn the_same_compressed_bytes_are_sent_each_time() {
        let text = "the same again, ".repeat(100);
        let prepared = Prepared::new(HeaderValue::from_static("text/plain"), text.clone());
        let mut sent = Vec::new();
        for _ in 0..2 {
            let response = prepared.answer(&accepting(&["br, gzip"]), CACHE);
            assert_eq!(response.headers()["content-encoding"], "gzip");
            assert_eq!(response.headers()["vary"], "accept-encoding");
            sent.push(response.into_body().collect().await.unwrap().to_bytes());
        }
        // The same buffer, not only equal bytes: the second answer compressed and copied nothing.
        assert_eq!(sent[0].as_ptr(), sent[1].as_ptr());
        let mut unpacked = String::new();
        GzDecoder::new(&sent[0][..])
            .read_to_string(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, text);

        let response = prepared.answer(&accepting(&[]), CACHE);
        assert!(!response.headers().contains_key("content-encoding"));
        assert_eq!(response.headers()["content-type"], "text/plain");
        let tag = response.headers()["etag"].clone();
        let plain = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(plain, text.as_bytes());

        let mut headers = accepting(&["gzip"]);
        headers.insert(header::IF_NONE_MATCH, tag);
        let response = prepared.answer(&headers, CACHE);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert!(
            response
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .is_empty()
        );
    }

    #[test]
    fn gzip_is_sent_only_to_clients_that_accept_it() {
        for (codings, taken) in [
            (&[][..], false),
            (&[""], false),
            (&["identity"], false),
            (&["gzip"], true),
            (&["GZIP;q=0.5"], true),
            (&["x-gzip"], true),
            (&["br", "gzip"], true),
            (&["gzip; q=0"], false),
            (&["gzip;q=0.000, *"], false),
            (&["*"], true),
            (&["*;q=0"], false),
            (&["br;q=1.0, *;q=0.1"], true),
            (&["gzip;q=x"], false),
            (&["gzip;Q=0"], false),
            (&["gzip; a=b; q=0"], false),
        ] {
            assert_eq!(takes_gzip(&accepting(codings)), taken, "{codings:?}");
        }
    }
}
