//! Money as whole minor units of a currency, read from decimal text and converted without floats.
//!
//! The one rule: no amount is ever a float. A yen has no minor unit and a dinar has a thousand, so
//! the number of digits comes from the currency, never from a constant.

mod currencies;
#[cfg(test)]
mod tests;

use currencies::CURRENCIES;
use std::fmt;
use thiserror::Error;

/// A currency of ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: &'static str,
    /// Digits after the point.
    digits: u32,
}

/// Why a text is not an amount of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Not digits with an optional point, or negative.
    #[error("must be a decimal number of at least 0, such as 49.90")]
    NotDecimal,
    /// Finer than the currency's smallest unit.
    #[error("has more decimals than the currency")]
    TooFine,
    /// More than [`MOST_MINOR`].
    #[error("is too large")]
    TooLarge,
}

/// The largest amount in minor units. Up to 15 digits survive a JSON number, which is a double.
pub const MOST_MINOR: i64 = 999_999_999_999_999;

/// One unit, as a rate is stored: in millionths of a millionth of a dollar.
pub const PICO: i64 = 1_000_000_000_000;

/// Digits of a rate after the point.
const RATE_DIGITS: u32 = 12;

/// Digits of a dollar's amount in a report.
const MICRO_DIGITS: u32 = 6;

impl Currency {
    /// The US dollar, in which reports add up.
    pub const USD: Self = Self {
        code: "USD",
        digits: 2,
    };

    /// The currency with this code, in any case.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let mut known = CURRENCIES.iter();
        let (code, digits) = known.find(|(known, _)| known.eq_ignore_ascii_case(code))?;
        Some(Self {
            code,
            digits: *digits,
        })
    }

    /// Every currency.
    pub fn all() -> impl Iterator<Item = Self> {
        let known = CURRENCIES.iter();
        known.map(|(code, digits)| Self {
            code,
            digits: *digits,
        })
    }

    /// Its code, three upper-case letters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// How many digits an amount has after the point.
    #[must_use]
    pub const fn digits(self) -> u32 {
        self.digits
    }

    /// Reads an amount in minor units from decimal text. Zeros beyond the currency's digits are
    /// accepted: `10000.00` is ten thousand yen.
    ///
    /// # Errors
    /// When the text is not an exact, non-negative amount of this currency.
    pub fn read(self, text: &str) -> Result<i64, AmountError> {
        let minor = read_scaled(text, self.digits)?;
        if minor > MOST_MINOR {
            return Err(AmountError::TooLarge);
        }
        Ok(minor)
    }

    /// An amount as decimal text with all digits of the currency, `49.90`.
    #[must_use]
    pub fn write(self, minor: i64) -> String {
        let sign = if minor < 0 { "-" } else { "" };
        let digits = usize::try_from(self.digits).unwrap_or_default();
        let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
        let (whole, fraction) = text.split_at(text.len().saturating_sub(digits));
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }

    /// An amount in millionths of a dollar at a rate of so many [`PICO`] dollars a unit, rounded
    /// half up. `None` when it exceeds the range.
    #[must_use]
    pub fn usd_micros(self, minor: i64, rate: i64) -> Option<i64> {
        let product = i128::from(minor).checked_mul(i128::from(rate))?;
        let divisor = 10_i128.checked_pow(self.digits + RATE_DIGITS - MICRO_DIGITS)?;
        let half = divisor / 2;
        i64::try_from(product.checked_add(half)?.div_euclid(divisor)).ok()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// Reads a rate, in dollars for one unit of a currency, as [`PICO`] dollars. Digits beyond the
/// twelfth are cut, because no one trades at them.
///
/// # Errors
/// When the text is not a decimal number above 0.
pub fn read_rate(text: &str) -> Result<i64, AmountError> {
    let text = text.trim();
    let kept = match text.split_once('.') {
        Some((whole, fraction)) if fraction.len() > 12 && fraction.is_ascii() => {
            if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(AmountError::NotDecimal);
            }
            let (fraction, _) = fraction.split_at(12);
            format!("{whole}.{fraction}")
        }
        _ => text.to_owned(),
    };
    match read_scaled(&kept, RATE_DIGITS)? {
        0 => Err(AmountError::NotDecimal),
        rate => Ok(rate),
    }
}

/// A decimal number times ten to the power of `digits`, exactly.
fn read_scaled(text: &str, digits: u32) -> Result<i64, AmountError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let are_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) {
        return Err(AmountError::NotDecimal);
    }
    let fraction = fraction.trim_end_matches('0');
    let given = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    let missing = digits.checked_sub(given).ok_or(AmountError::TooFine)?;
    let mut value: i64 = 0;
    let zeros = std::iter::repeat_n(b'0', usize::try_from(missing).unwrap_or_default());
    for digit in whole.bytes().chain(fraction.bytes()).chain(zeros) {
        let next = value.checked_mul(10);
        let next = next.and_then(|value| value.checked_add(i64::from(digit - b'0')));
        value = next.ok_or(AmountError::TooLarge)?;
    }
    Ok(value)
}
