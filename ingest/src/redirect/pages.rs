//! The pages of short links: closed, unknown, password, preview, waiting, and the way into an app.
//!
//! The one rule: pages load nothing from elsewhere, run at most one script of ours, and escape what
//! owners wrote.

use super::{
    decide::Closed,
    headers::{NEVER_KEEP, NO_INDEX, ROBOTS},
};
use askama::Template;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use schemas::directory::Preview;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const POLICY: HeaderName = HeaderName::from_static("content-security-policy");
/// The script is named by its hash; a test compares them.
const ALLOWED: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-aqdepTJ8pLNCOg6mzSHuP08rr3M0rSQ6b2g+0j+9BNw='; base-uri 'none'; frame-ancestors 'none'",
);

/// A page with a title and a text.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage<'a> {
    title: &'a str,
    complaint: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage<'a> {
    url: &'a str,
    title: &'a str,
    description: Option<&'a str>,
    image_url: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "wait.html")]
struct WaitPage<'a> {
    url: &'a str,
    seconds: u16,
}

#[derive(Template)]
#[template(path = "app.html")]
struct AppPage<'a> {
    app: &'a str,
    fallback: &'a str,
}

/// The page of an unknown link.
pub(super) fn unknown() -> Response<Body> {
    let page = Message {
        title: "Link not found",
        text: "There is no link at this address. Check its spelling.",
    };
    html(StatusCode::NOT_FOUND, &page)
}

/// The answer for a closed link, as a page or as JSON.
pub(super) fn closed(why: Closed, title: Option<&str>, wants_html: bool) -> Response<Body> {
    let text = match why {
        Closed::Disabled => "Its owner has switched this link off.",
        Closed::Archived => "Its owner has archived this link.",
        Closed::Expired => "The time of this link is over.",
        Closed::Limit => "This link has had all the visits it takes.",
    };
    if wants_html {
        let title = title.unwrap_or("This link is closed");
        return html(StatusCode::GONE, &Message { title, text });
    }
    let error = serde_json::json!({ "errors": [{ "code": "EN002", "message": text }] });
    let mut response = Response::new(Body::from(error.to_string()));
    *response.status_mut() = StatusCode::GONE;
    finished(response, JSON)
}

/// The page that asks for a password.
pub(super) fn password(
    status: StatusCode,
    title: Option<&str>,
    complaint: Option<&str>,
) -> Response<Body> {
    let title = title.unwrap_or("This link has a password");
    html(status, &PasswordPage { title, complaint })
}

/// What previews show.
pub(super) fn preview(url: &str, preview: &Preview) -> Response<Body> {
    let page = PreviewPage {
        url,
        title: preview.title.as_deref().unwrap_or(url),
        description: preview.description.as_deref(),
        image_url: preview.image_url.as_deref(),
    };
    html(StatusCode::OK, &page)
}

/// The page before a redirect.
pub(super) fn wait(url: &str, seconds: u16) -> Response<Body> {
    html(StatusCode::OK, &WaitPage { url, seconds })
}

/// The page that tries an app.
pub(super) fn app(app: &str, fallback: &str) -> Response<Body> {
    html(StatusCode::OK, &AppPage { app, fallback })
}

fn html(status: StatusCode, page: &impl Template) -> Response<Body> {
    // Writing to a text fails only when a value's `Display` does, and these are texts.
    let text = page.render().unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(POLICY, ALLOWED);
    finished(response, HTML)
}

fn finished(mut response: Response<Body>, content: HeaderValue) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content);
    headers.insert(header::CACHE_CONTROL, NEVER_KEEP);
    headers.insert(ROBOTS, NO_INDEX);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, prelude::BASE64_STANDARD};
    use sha2::{Digest, Sha256};

    #[test]
    fn the_policy_names_the_only_script() {
        let page = AppPage {
            app: "myapp://p",
            fallback: "https://a.example/",
        };
        let text = page.render().unwrap();
        let (_, rest) = text.split_once("<script>").unwrap();
        let (script, rest) = rest.split_once("</script>").unwrap();
        assert!(!rest.contains("<script"));
        let hash = BASE64_STANDARD.encode(Sha256::digest(script));
        let policy = ALLOWED.to_str().unwrap().to_owned();
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{hash}");
    }

    #[test]
    fn what_owners_wrote_is_escaped_once() {
        let page = Message {
            title: "<script>alert('1')</script>",
            text: "a & b",
        };
        let text = page.render().unwrap();
        assert!(!text.contains("<script>alert"), "{text}");
        assert!(
            text.contains("a &#38; b") || text.contains("a &amp; b"),
            "{text}"
        );
        let page = WaitPage {
            url: "https://a.example/?a=1&b=\"><x>",
            seconds: 3,
        };
        let text = page.render().unwrap();
        assert!(
            !text.contains("\"><x>") && !text.contains("&amp;amp;"),
            "{text}"
        );
    }
}
