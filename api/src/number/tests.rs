//! Numbers as JavaScript writes them.

use super::*;
use proptest::prelude::*;
use schemas::analytics::Rounding;

fn print(number: f64) -> String {
    serde_json::to_string(&Number(number)).unwrap()
}

#[test]
fn numbers_print_as_javascript_prints_them() {
    for (number, text) in [
        (4.8, "4.8"),
        (0.24, "0.24"),
        (7.62, "7.62"),
        (0.0, "0"),
        (-0.0, "0"),
        (5.0, "5"),
        (100.0, "100"),
        (33.33, "33.33"),
        (0.1, "0.1"),
        (2500.0, "2500"),
        (9_007_199_254_740_992.0, "9007199254740992"),
        (f64::NAN, "null"),
        (f64::INFINITY, "null"),
    ] {
        assert_eq!(print(number), text);
    }
}

#[test]
fn published_examples_are_reproduced() {
    let ctr = |clicks, views| print(Rounding::PERCENT_2.apply(clicks, views));
    assert_eq!(ctr(320.0, 4200.0), "7.62");
    assert_eq!(ctr(120.0, 2500.0), "4.8");
    assert_eq!(ctr(6.0, 2500.0), "0.24");
    assert_eq!(ctr(5.0, 100.0), "5");
    assert_eq!(ctr(0.0, 100.0), "0");
    assert_eq!(ctr(0.0, 0.0), "0");
    assert_eq!(ctr(3.0, 0.0), "0");
    // Exactly 7.125 % and 57.5 %, but doubles are slightly below, and JavaScript rounds the same
    // way.
    assert_eq!(ctr(228.0, 3200.0), "7.12");
    assert_eq!(print(Rounding::WHOLE_PERCENT.apply(23.0, 40.0)), "57");
    // An example of the original, which sums to 101.
    let whole = |count: f64| print(Rounding::WHOLE_PERCENT.apply(count, 1800.0));
    assert_eq!(
        [1200.0, 480.0, 90.0, 30.0].map(whole),
        ["67", "27", "5", "2"]
    );
}

proptest! {
    #[test]
    fn printed_numbers_read_back_as_the_same_double(number in any::<f64>()) {
        prop_assume!(number.is_finite());
        let text = print(number);
        prop_assert!(!text.ends_with(".0") || number.abs() > 9_007_199_254_740_992.0, "{}", text);
        let back: f64 = serde_json::from_str(&text).unwrap();
        prop_assert!((back - number).abs() <= 0.0, "{}", text);
    }
}
