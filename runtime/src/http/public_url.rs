//! The address under which people reach the installation: of its pages and of its short URLs.

use crate::{Settings, settings::Setting};
use url::Url;

/// The setting. Several services read it.
pub const PUBLIC_URL: Setting = Setting::new(
    "PUBLIC_URL",
    "http://<listen>",
    "what short URLs and pages are printed with; short links answer on its host",
);

/// Reads the address, without a slash at its end. The default is the address that the program
/// listens on, which `listen` is the setting of.
pub fn read(settings: &mut Settings, listen: &Setting) -> String {
    let Some(url) = settings.text(PUBLIC_URL) else {
        let given = settings.text(listen);
        return format!("http://{}", given.as_deref().unwrap_or(listen.default));
    };
    if !is_public_url(&url) {
        // The part before an `@` may be a password.
        let shown = url.rsplit('@').next().unwrap_or_default();
        let what = format!(
            "is {shown:?}; give an http or https address without a user or a query, such as https://links.example.com"
        );
        settings.problem(PUBLIC_URL, what);
    }
    // Paths are appended with their own slash.
    url.trim().trim_end_matches('/').to_owned()
}

/// Paths are appended, so the URL must end before a query or a fragment.
fn is_public_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}
