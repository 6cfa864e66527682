//! Reads `days` as the original does: with JavaScript's `parseInt`, then within bounds.

use crate::catalog::Surface;

/// The default, also for unusable values.
pub(super) const DEFAULT: u16 = 30;
/// Most days.
pub(super) const MAX: u16 = Surface::Creator.notation().max_days;

/// The number of days: 30 when it is absent, not a number or below 1; at most 365.
pub(super) fn read(text: Option<&str>) -> u16 {
    match text.and_then(parse_int) {
        Some(days) if days >= 1 => u16::try_from(days).unwrap_or(MAX).min(MAX),
        _ => DEFAULT,
    }
}

/// `parseInt(text)`: leading white space, a sign, `0x`, and the digits; the rest is ignored. `None`
/// for NaN. Saturates far above any bound.
fn parse_int(text: &str) -> Option<i64> {
    let text = text.trim_start_matches(is_js_space);
    let (negative, text) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (radix, digits) = hexadecimal.map_or((10, text), |digits| (16, digits));
    let mut value: Option<i64> = None;
    for digit in digits.chars().map_while(|c| c.to_digit(radix)) {
        let so_far = value.unwrap_or(0).saturating_mul(i64::from(radix));
        value = Some(so_far.saturating_add(i64::from(digit)));
    }
    value.map(|value| if negative { -value } else { value })
}

/// ECMAScript's `WhiteSpace` and `LineTerminator`: Unicode's white space without U+0085, and
/// U+FEFF.
fn is_js_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_read_as_javascript_reads_them() {
        let cases = [
            (None, 30),
            (Some(""), 30),
            (Some("1"), 1),
            (Some("7"), 7),
            (Some("364"), 364),
            (Some("365"), 365),
            (Some("366"), 365),
            (Some("0"), 30),
            (Some("-0"), 30),
            (Some("-5"), 30),
            (Some("--5"), 30),
            (Some("abc"), 30),
            (Some("7abc"), 7),
            (Some(" 7abc"), 7),
            (Some("\u{feff}\t\n\u{a0}7"), 7),
            (Some("\u{85}7"), 30),
            (Some("+7"), 7),
            (Some("+ 7"), 30),
            (Some("7.9"), 7),
            (Some("0.9"), 30),
            (Some(".9"), 30),
            (Some("1e9"), 1),
            (Some("0x10"), 16),
            (Some("-0x10"), 30),
            (Some("0x"), 30),
            (Some("0b11"), 30),
            (Some("010"), 10),
            (Some("1_000"), 1),
            (Some("1,5"), 1),
            (Some("٧"), 30),
            (Some("Infinity"), 30),
            (Some("99999999999999999999999999"), 365),
            (Some("-99999999999999999999999999"), 30),
            (Some("0xffffffffffffffffffffffff"), 365),
        ];
        for (text, days) in cases {
            assert_eq!(read(text), days, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn days_stay_within_bounds(text in "\\PC*|[-+ 0-9xXa-f.]{0,30}") {
            let days = read(Some(&text));
            prop_assert!((1..=365).contains(&days));
        }

        #[test]
        fn plain_numbers_are_bounded_and_nothing_else(
            number in -1_000_000i64..1_000_000, space in "[ \\t\\n]{0,3}", tail in "([^0-9xX].*)?",
        ) {
            let expected = if number < 1 { 30 } else { number.min(365) };
            let text = format!("{space}{number}{tail}");
            prop_assert_eq!(i64::from(read(Some(&text))), expected, "{:?}", text);
        }
    }
}
