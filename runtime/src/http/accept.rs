//! Reads a client's preferences: the lists of `Accept` and `Accept-Encoding`, with their weights.
//!
//! The one rule (RFC 9110, 12.4.2): a weight of 0 means "not this one". An invalid weight counts as
//! 0.

use axum::http::{HeaderMap, HeaderName};

/// The weight of each name that a header lists, in lower case.
pub(crate) struct Wishes(Vec<(String, f32)>);

impl Wishes {
    /// Reads a header, which may be repeated.
    pub(crate) fn read(headers: &HeaderMap, name: &HeaderName) -> Self {
        let values = headers.get_all(name).iter();
        let elements = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        Self(elements.map(element).collect())
    }

    /// The weight of the first of these names that the client lists. Names go from the specific to
    /// the general: `text/html` before `text/*`.
    pub(crate) fn weight(&self, names: &[&str]) -> Option<f32> {
        names.iter().find_map(|name| {
            let listed = self.0.iter().filter(|(listed, _)| listed == name);
            // A name may be listed more than once, with parameters; its highest weight counts.
            listed.map(|(_, weight)| *weight).reduce(f32::max)
        })
    }
}

fn element(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| {
        let (name, weight) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(weight)
    });
    (name, weight.map_or(1.0, self::weight))
}

/// A weight from 0 to 1; 0 for invalid text.
fn weight(text: &str) -> f32 {
    let number = text.trim().parse::<f32>().ok();
    number
        .filter(|weight| (0.0..=1.0).contains(weight))
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, header};

    #[test]
    fn the_most_specific_name_decides() {
        let mut headers = HeaderMap::new();
        for value in ["text/html;q=0, Text/* ; Q=0.5", "*/*;level=1;q=0.1"] {
            headers.append(header::ACCEPT, HeaderValue::from_static(value));
        }
        let wishes = Wishes::read(&headers, &header::ACCEPT);
        for (names, weight) in [
            (&["text/html", "text/*", "*/*"], Some(0.0)),
            (&["text/plain", "text/*", "*/*"], Some(0.5)),
            (&["image/png", "image/*", "*/*"], Some(0.1)),
            (&["image/png", "image/*", "image/*"], None),
        ] {
            assert_eq!(wishes.weight(names), weight, "{names:?}");
        }
    }

    #[test]
    fn an_invalid_weight_counts_as_zero() {
        for (text, expected) in [
            ("1", 1.0),
            ("0.5", 0.5),
            (" 0.000 ", 0.0),
            ("", 0.0),
            ("x", 0.0),
            ("NaN", 0.0),
            ("-1", 0.0),
            ("1.5", 0.0),
            ("inf", 0.0),
        ] {
            assert!((weight(text) - expected).abs() < f32::EPSILON, "{text:?}");
        }
    }
}
