//! Numbers as JavaScript prints them, because clients compare them with their own.

use serde::{Serialize, Serializer};

/// 2^53: whole numbers up to here are exact in a double.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A double as `JSON.stringify` writes it. Whole numbers have no point (`5`, never `5.0`), others
/// have the fewest digits that give the same double (`4.8`). Infinities and NaN are `null`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(number) = *self;
        if !number.is_finite() {
            return serializer.serialize_none();
        }
        if number.fract() == 0.0 && number.abs() <= MAX_EXACT {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole and at most 2^53, checked above"
            )]
            return serializer.serialize_i64(number as i64);
        }
        serializer.serialize_f64(number)
    }
}

#[cfg(test)]
mod tests;
