//! Instants as JavaScript writes them: UTC, milliseconds, `Z`.

use jiff::Timestamp;

/// `2026-02-20T10:30:00.123Z`
pub(crate) fn iso_millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `2026-02-20T10:30:00.123456Z`, as the surface of workspaces writes it: the order of texts is that
/// of times.
pub(crate) fn iso_micros(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::{iso_micros, iso_millis};

    #[test]
    fn always_three_digits_of_a_second() {
        for (given, written) in [
            ("2026-02-20T10:30:00Z", "2026-02-20T10:30:00.000Z"),
            ("2026-02-20T10:30:00.120999Z", "2026-02-20T10:30:00.120Z"),
            ("2026-12-31T23:59:59.999+02:00", "2026-12-31T21:59:59.999Z"),
        ] {
            assert_eq!(iso_millis(given.parse().unwrap()), written);
        }
    }

    #[test]
    fn six_digits_where_the_order_of_texts_matters() {
        let written = iso_micros("2026-02-20T10:30:00Z".parse().unwrap());
        assert_eq!(written, "2026-02-20T10:30:00.000000Z");
    }
}
