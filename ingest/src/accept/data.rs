//! Measures a custom event's properties in bytes, as the published platform does.
//!
//! Owns only the measurement. The one rule: the result equals
//! `Buffer.byteLength(JSON.stringify(…))`, so properties that fit there fit here.

use serde_json::{Map, Value};

/// The number of bytes that `JSON.stringify` would write for an object. The function recurses, and
/// the JSON reader bounds the depth.
#[must_use]
pub fn json_bytes(object: &Map<String, Value>) -> usize {
    // Braces, one colon for each member, commas between members.
    let frame = 2 + object.len() + object.len().saturating_sub(1);
    let members = object
        .iter()
        .map(|(key, value)| text_bytes(key) + value_bytes(value));
    frame + members.sum::<usize>()
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => number.as_f64().map_or(0, number_length),
        Value::String(text) => text_bytes(text),
        Value::Array(items) => {
            2 + items.len().saturating_sub(1) + items.iter().map(value_bytes).sum::<usize>()
        }
        Value::Object(object) => json_bytes(object),
    }
}

fn text_bytes(text: &str) -> usize {
    let bytes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | 0x08 | b'\t' | b'\n' | 0x0c | b'\r' => 2,
        0x00..0x20 => 6,
        _ => 1,
    });
    2 + bytes.sum::<usize>()
}

/// The length of a number as `Number.prototype.toString` writes it (ECMA-262, 6.1.6.1.20).
fn number_length(number: f64) -> usize {
    if number == 0.0 {
        // JavaScript does not write the sign of -0.
        return 1;
    }
    let sign = usize::from(number < 0.0);
    // Rust's shortest form has the same digits: `d.ddde±x`.
    let shortest = format!("{:e}", number.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let magnitude = usize::try_from(exponent.unsigned_abs()).unwrap_or(0);
    let point = usize::from(digits > 1);
    sign + match exponent {
        0..21 if digits <= magnitude + 1 => magnitude + 1,
        0..21 => digits + 1,
        // `0.` and the zeros before the first digit.
        -6..0 => 2 + magnitude - 1 + digits,
        _ => digits + point + 2 + magnitude.to_string().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_javascript_writes_them() {
        // Expected: String(number) in a JavaScript engine.
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (100.0, "100"),
            (1_234.5, "1234.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.25e21, "1.25e+21"),
            (1.5e300, "1.5e+300"),
            (0.1, "0.1"),
            (0.000_001, "0.000001"),
            (0.000_001_5, "0.0000015"),
            (0.000_000_1, "1e-7"),
            (-1.25e-7, "-1.25e-7"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ];
        for (number, text) in cases {
            assert_eq!(number_length(number), text.len(), "{text}");
        }
    }

    #[test]
    fn everything_else_is_as_long_as_serde_writes_it() {
        for json in [
            "{}",
            r#"{"a":[],"b":{},"c":null,"d":true,"e":false}"#,
            r#"{"a":[1,2,[3]],"b":{"c":"d","e":"ü€🌞"}}"#,
            r#"{"\"\\\n\t\b\f\r":"\u0001\u001f\u007f"}"#,
        ] {
            let object: Map<String, Value> = serde_json::from_str(json).unwrap();
            let written = serde_json::to_string(&object).unwrap();
            assert_eq!(json_bytes(&object), written.len());
        }
    }
}
