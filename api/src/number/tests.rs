//! Numbers as JavaScript computes and writes them, against exact arithmetic.

use super::*;
use crate::catalog::Rounding;
use proptest::prelude::*;

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
fn halves_go_up_and_almost_halves_do_not() {
    for (number, rounded) in [
        (0.5, 1.0),
        (1.5, 2.0),
        (2.5, 3.0),
        (-0.5, 0.0),
        (-1.5, -1.0),
        (0.499_999_999_999_999_94, 0.0),
        (4_503_599_627_370_497.5, 4_503_599_627_370_498.0),
        (9_007_199_254_740_991.0, 9_007_199_254_740_991.0),
        (7.0, 7.0),
    ] {
        assert!(
            (round_half_up(number) - rounded).abs() < f64::EPSILON,
            "{number}"
        );
    }
}

#[test]
fn published_examples_come_out_as_published() {
    let ctr = |clicks, views| print(Rounding::PERCENT_2.apply(clicks, views));
    assert_eq!(ctr(320.0, 4200.0), "7.62");
    assert_eq!(ctr(120.0, 2500.0), "4.8");
    assert_eq!(ctr(6.0, 2500.0), "0.24");
    assert_eq!(ctr(5.0, 100.0), "5");
    assert_eq!(ctr(0.0, 100.0), "0");
    assert_eq!(ctr(0.0, 0.0), "0");
    assert_eq!(ctr(3.0, 0.0), "0");
    // Exactly 7.125 % and 57.5 %, but doubles fall below, and JavaScript with them.
    assert_eq!(ctr(228.0, 3200.0), "7.12");
    assert_eq!(print(Rounding::WHOLE_PERCENT.apply(23.0, 40.0)), "57");
    // Devices of the original: they sum to 101.
    let whole = |count: f64| print(Rounding::WHOLE_PERCENT.apply(count, 1800.0));
    assert_eq!(
        [1200.0, 480.0, 90.0, 30.0].map(whole),
        ["67", "27", "5", "2"]
    );
}

proptest! {
    // Oracle: exact rational arithmetic on whole numbers. Only where the exact value is a tie may
    // doubles fall on the other side of it, as they do in JavaScript.
    #[test]
    fn percentages_are_the_exact_ones_rounded(part in 0u32..2_000_000, whole in 1u32..2_000_000) {
        for (rounding, scale, unit) in [
            (Rounding::WHOLE_PERCENT, 100u64, 1.0),
            (Rounding::PERCENT_2, 10_000, 100.0),
        ] {
            let (part, whole) = (u64::from(part), u64::from(whole));
            let twice = 2 * part * scale;
            let exact = (twice + whole) / (2 * whole);
            let is_tie = (twice + whole) % (2 * whole) == 0;
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let (got, exact, part, whole) =
                (rounding.apply(part as f64, whole as f64) * unit, exact as f64, part as f64, whole as f64);
            let off = exact - got;
            prop_assert!(
                off.abs() < 1e-6 || (is_tie && (off - 1.0).abs() < 1e-6),
                "{} of {}: {} but exactly {}", part, whole, got, exact
            );
        }
    }

    // Oracle: halves up is the floor of the number plus one half, in exact arithmetic on 1024ths.
    #[test]
    fn rounding_is_the_floor_of_a_half_more(parts in -1_000_000_000i64..1_000_000_000) {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let (number, exact) = (parts as f64 / 1024.0, (parts + 512).div_euclid(1024) as f64);
        prop_assert!((round_half_up(number) - exact).abs() < f64::EPSILON);
    }

    #[test]
    fn printed_numbers_read_back_as_the_same_double(number in any::<f64>()) {
        prop_assume!(number.is_finite());
        let text = print(number);
        prop_assert!(!text.ends_with(".0") || number.abs() > 9_007_199_254_740_992.0, "{}", text);
        let back: f64 = serde_json::from_str(&text).unwrap();
        prop_assert!((back - number).abs() <= 0.0, "{}", text);
    }
}
