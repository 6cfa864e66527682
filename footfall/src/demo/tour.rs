//! The printed text about short links: commands to copy.

use super::links::{POSTER, ShortLink};
use std::fmt::Write;

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";

/// Commands for short links. `public` is the address of short URLs, `base` that of the listener.
pub(super) fn text(public: &str, base: &str, links: &[ShortLink]) -> String {
    let Some(link) = links.first() else {
        return String::new();
    };
    let poster = links.iter().find(|link| link.code == POSTER);
    let poster = poster.unwrap_or(link);
    let url = format!("{public}/{}", link.code);
    let steps = [
        (
            "Short links: where this one leads an iPhone",
            format!("curl -s -o /dev/null -w '%{{redirect_url}}\\n' -A '{IPHONE}' '{url}'"),
        ),
        (
            "The links, with their campaign, folder and tags",
            format!("curl -s -H \"Authorization: Bearer $TOKEN\" '{base}/api/links'"),
        ),
        (
            "The rules of one",
            format!(
                "curl -s -H \"Authorization: Bearer $TOKEN\" '{base}/api/rules?linkId={}'",
                link.id
            ),
        ),
        (
            "The QR codes of the poster; a scan of one is a click with its id",
            format!("curl -s -H \"Authorization: Bearer $TOKEN\" '{base}/api/qr/links/{}'", poster.id),
        ),
        (
            "A click, and the order that it leads to; again, it is a duplicate",
            format!(
                "CLICK=$(curl -s -o /dev/null -w '%{{redirect_url}}' -A '{IPHONE}' '{url}' | sed 's/.*lw_cid=//')
curl -s '{base}/conversions/s2s' -H 'Content-Type: application/json' \\
     -d \"{{\\\"click_id\\\": \\\"$CLICK\\\", \\\"event\\\": \\\"purchase\\\", \\\"value\\\": \\\"49.90\\\", \\\"currency\\\": \\\"EUR\\\", \\\"order_id\\\": \\\"A-1\\\"}}\""
            ),
        ),
        (
            "Customers, the newest first",
            format!("curl -s -H \"Authorization: Bearer $TOKEN\" '{base}/api/customers?limit=5'"),
        ),
        (
            "Raw clicks for a warehouse, with a key of their own",
            format!(
                "KEY=$(curl -s '{base}/api/keys' -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\
     -d '{{\"name\": \"warehouse\", \"scopes\": [\"analytics:read\"]}}' | sed 's/.*\"key\":\"\\([^\"]*\\)\".*/\\1/')
curl -s -H \"X-API-KEY: $KEY\" '{base}/link/external/v1/analytics/events?since=2020-01-01T00:00:00Z&limit=5'"
            ),
        ),
    ];
    let mut text = String::new();
    for (title, command) in steps {
        // Writing to a String does not fail.
        let _ = write!(text, "\n# {title}\n{command}\n");
    }
    text
}
