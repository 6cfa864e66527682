//! Amounts in minor units, and their conversion to dollars.

use super::*;
use proptest::prelude::*;

fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

#[test]
fn an_amount_has_the_digits_of_its_currency() {
    for (code, text, minor) in [
        ("USD", "49.99", 4_999),
        ("USD", "49.9", 4_990),
        ("usd", "49", 4_900),
        ("JPY", "10000", 10_000),
        ("JPY", "10000.00", 10_000),
        ("KWD", "1.234", 1_234),
        ("EUR", "0", 0),
        ("EUR", "0.10", 10),
        ("USD", "9999999999999.99", MOST_MINOR),
    ] {
        assert_eq!(currency(code).read(text), Ok(minor), "{code} {text}");
    }
    for (code, text, error) in [
        ("JPY", "1.5", AmountError::TooFine),
        ("USD", "0.001", AmountError::TooFine),
        ("USD", "-1", AmountError::NotDecimal),
        ("USD", "", AmountError::NotDecimal),
        ("USD", "1,50", AmountError::NotDecimal),
        ("USD", "1e3", AmountError::NotDecimal),
        ("USD", ".5", AmountError::NotDecimal),
        ("USD", "5.", AmountError::NotDecimal),
        ("USD", "1 000", AmountError::NotDecimal),
        ("USD", "NaN", AmountError::NotDecimal),
        ("USD", "10000000000000", AmountError::TooLarge),
        ("USD", "99999999999999999999999", AmountError::TooLarge),
    ] {
        assert_eq!(currency(code).read(text), Err(error), "{code} {text}");
    }
}

#[test]
fn an_amount_is_written_with_all_digits_of_its_currency() {
    for (code, minor, text) in [
        ("USD", 4_990, "49.90"),
        ("USD", 5, "0.05"),
        ("USD", -5, "-0.05"),
        ("JPY", 10_000, "10000"),
        ("KWD", 1_234, "1.234"),
        ("KWD", 0, "0.000"),
    ] {
        assert_eq!(currency(code).write(minor), text);
    }
}

#[test]
fn dollars_are_computed_from_the_currencys_own_units() {
    let rate = |text: &str| read_rate(text).unwrap();
    // 10,000 yen at 0.0067 are 67 dollars, not 0.67 and not 6,700.
    assert_eq!(
        currency("JPY").usd_micros(10_000, rate("0.0067")),
        Some(67_000_000)
    );
    assert_eq!(
        currency("EUR").usd_micros(1_000, rate("1.0855")),
        Some(10_855_000)
    );
    assert_eq!(
        currency("KWD").usd_micros(1_234, rate("3.25")),
        Some(4_010_500)
    );
    assert_eq!(Currency::USD.usd_micros(4_999, PICO), Some(49_990_000));
    // Half a millionth is rounded up.
    assert_eq!(currency("JPY").usd_micros(1, rate("0.0000005")), Some(1));
    assert_eq!(currency("JPY").usd_micros(1, rate("0.0000004")), Some(0));
    assert_eq!(currency("JPY").usd_micros(MOST_MINOR, i64::MAX), None);
}

#[test]
fn a_rate_is_a_positive_decimal() {
    assert_eq!(read_rate("1"), Ok(PICO));
    assert_eq!(read_rate(" 1.0855 "), Ok(1_085_500_000_000));
    assert_eq!(read_rate("0.00006123456789999"), Ok(61_234_567));
    for text in ["0", "0.0", "-1", "", "x", "1.5x", "1.0000000000000x", "N/A"] {
        assert!(read_rate(text).is_err(), "{text}");
    }
}

#[test]
fn every_code_is_known_once_and_in_order() {
    let codes: Vec<&str> = Currency::all().map(Currency::code).collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(codes, sorted);
    assert!(Currency::from_code("XYZ").is_none());
    assert!(Currency::from_code("").is_none());
    assert_eq!(currency("USD"), Currency::USD);
}

proptest! {
    #[test]
    fn a_written_amount_is_read_back(minor in 0..=MOST_MINOR, index in 0..CURRENCIES.len()) {
        let currency = Currency::all().nth(index).unwrap();
        prop_assert_eq!(currency.read(&currency.write(minor)), Ok(minor));
    }

    #[test]
    fn no_text_is_a_panic(text in ".{0,40}") {
        let _ = Currency::USD.read(&text);
        let _ = read_rate(&text);
    }
}
