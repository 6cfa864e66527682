//! Rounds ratios in doubles and in the order of JavaScript's operations, because clients compare
//! the numbers with their own.

/// A way to round a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounding {
    /// The ratio is multiplied by this before it is rounded to a whole number.
    pub scale: f64,
    /// That number is divided by this.
    pub unit: f64,
}

impl Rounding {
    /// `Math.round(x * 100)`: 35
    pub const WHOLE_PERCENT: Self = Self {
        scale: 100.0,
        unit: 1.0,
    };
    /// `Math.round(x)`: 145
    pub const WHOLE: Self = Self {
        scale: 1.0,
        unit: 1.0,
    };
    /// `Math.round(x * 10) / 10`: 1.8
    pub const ONE_DECIMAL: Self = Self {
        scale: 10.0,
        unit: 10.0,
    };
    /// `Math.round(x * 10000) / 100`: 7.62
    pub const PERCENT_2: Self = Self {
        scale: 10_000.0,
        unit: 100.0,
    };
    /// `Math.round(x * 1000) / 10`: 41.5
    pub const PERCENT_1: Self = Self {
        scale: 1000.0,
        unit: 10.0,
    };
    /// `Math.round(x / 10) / 100`, milliseconds of microseconds: 0.38
    pub const MICROS_AS_MS: Self = Self {
        scale: 0.1,
        unit: 100.0,
    };

    /// True if every result is whole.
    #[must_use]
    pub fn is_whole(self) -> bool {
        // The constants above are exact.
        self.unit.total_cmp(&1.0).is_eq()
    }

    /// The rounded ratio, in doubles and in this order of operations, as JavaScript computes it.
    #[must_use]
    pub fn apply(self, numerator: f64, denominator: f64) -> f64 {
        if denominator == 0.0 {
            return 0.0;
        }
        round_half_up(numerator / denominator * self.scale) / self.unit
    }
}

/// `Math.round`: to the nearest whole number, halves up.
fn round_half_up(number: f64) -> f64 {
    // floor(x + 0.5) would round 0.49999999999999994 up, because the sum is 1 in doubles.
    let floor = number.floor();
    if number - floor >= 0.5 {
        floor + 1.0
    } else {
        floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_are_rounded_up_and_almost_halves_are_not() {
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

    proptest! {
        // Oracle: exact rational arithmetic on whole numbers. Only if the exact value is a tie,
        // doubles may round to the other side, as in JavaScript.
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

        // Oracle: the floor of the number plus one half, in exact arithmetic on 1024ths.
        #[test]
        fn rounding_is_the_floor_of_a_half_more(parts in -1_000_000_000i64..1_000_000_000) {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let (number, exact) = (parts as f64 / 1024.0, (parts + 512).div_euclid(1024) as f64);
            prop_assert!((round_half_up(number) - exact).abs() < f64::EPSILON);
        }
    }
}
