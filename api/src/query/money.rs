//! The currency in which an answer shows amounts.

use schemas::{
    analytics::Rounding,
    money::{Currency, PICO},
};

/// A currency, and its rate at the end of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Money {
    currency: Currency,
    /// Dollars for one unit, in [`PICO`].
    rate: i64,
}

impl Default for Money {
    fn default() -> Self {
        Self {
            currency: Currency::USD,
            rate: PICO,
        }
    }
}

impl Money {
    /// The currency at that rate; US dollars for a rate that is none.
    pub(crate) fn new(currency: Currency, rate: i64) -> Self {
        if rate > 0 {
            Self { currency, rate }
        } else {
            Self::default()
        }
    }

    /// The code of the currency.
    pub(crate) const fn code(self) -> &'static str {
        self.currency.code()
    }

    /// An amount in millionths of a dollar, in units of the currency with all its digits.
    pub(crate) fn of(self, usd_micros: f64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rate has far fewer significant digits than a double"
        )]
        let rate = self.rate as f64;
        let unit = f64::from(10_u32.saturating_pow(self.currency.digits()));
        // What the currency's smallest unit costs, in the millionths of a dollar that amounts are in.
        // For dollars it is exact, and so are halves of a cent.
        let smallest = rate / (1e6 * unit);
        let rounding = Rounding { scale: 1.0, unit };
        rounding.apply(usd_micros, smallest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        let of = |code: &str, rate: f64, micros: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "a small rate")]
            let rate = (rate * 1e12) as i64;
            Money::new(Currency::from_code(code).unwrap(), rate).of(micros)
        };
        for (code, rate, micros, shown) in [
            ("USD", 1.0, 1_164_250_000.0, 1164.25),
            ("USD", 1.0, 4_999.0, 0.0),
            ("USD", 1.0, 5_000.0, 0.01),
            ("USD", 1.0, 138_375_000.0, 138.38),
            ("USD", 1.0, -625_000.0, -0.62),
            ("EUR", 1.25, 50_000_000.0, 40.0),
            ("JPY", 0.0067, 67_000_000.0, 10_000.0),
            ("KWD", 3.25, 1_000_000.0, 0.308),
        ] {
            assert!(
                (of(code, rate, micros) - shown).abs() < 1e-9,
                "{code} {micros}"
            );
        }
    }

    #[test]
    fn an_unusable_rate_means_dollars() {
        assert_eq!(
            Money::new(Currency::from_code("JPY").unwrap(), 0),
            Money::default()
        );
    }
}
