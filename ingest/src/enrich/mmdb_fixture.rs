//! Writes MMDB files with one record, for tests. The tests of whole systems use this file too.

/// A value of an MMDB record.
pub(crate) enum Value {
    Text(&'static str),
    Map(Vec<(&'static str, Value)>),
    List(Vec<Value>),
    /// The size in bytes (2, 4 or 8) and the number.
    Number(u8, u64),
}
use Value::{List, Map, Number, Text};

impl Value {
    /// Writes the value in the format of MMDB: type and size, then the content.
    fn write(&self, out: &mut Vec<u8>) {
        let head = |out: &mut Vec<u8>, kind: u8, size: usize| {
            let (low, rest) = if size < 29 {
                (u8::try_from(size).unwrap(), None)
            } else {
                (29, Some(u8::try_from(size - 29).unwrap()))
            };
            // Types above 7 are in a byte of their own.
            if kind < 8 {
                out.push(kind << 5 | low);
            } else {
                out.extend([low, kind - 7]);
            }
            out.extend(rest);
        };
        match self {
            Text(text) => {
                head(out, 2, text.len());
                out.extend(text.as_bytes());
            }
            Map(entries) => {
                head(out, 7, entries.len());
                for (key, value) in entries {
                    Text(key).write(out);
                    value.write(out);
                }
            }
            List(values) => {
                head(out, 11, values.len());
                for value in values {
                    value.write(out);
                }
            }
            Number(bytes, number) => {
                let kind = match bytes {
                    2 => 5,
                    4 => 6,
                    _ => 9,
                };
                head(out, kind, usize::from(*bytes));
                out.extend(&number.to_be_bytes()[usize::from(8 - bytes)..]);
            }
        }
    }
}

/// A database with one record for 81.2.69.0/24, whose tree is a single path of 24-bit nodes.
pub(crate) fn database(kind: &'static str, record: &Value) -> Vec<u8> {
    let network: u32 = 0x5102_4500;
    let (depth, separator) = (24_u32, 16);
    let mut out = Vec::new();
    for level in 0..depth {
        let on = if level + 1 == depth {
            depth + separator
        } else {
            level + 1
        };
        let sides = if network >> (31 - level) & 1 == 0 {
            [on, depth]
        } else {
            [depth, on]
        };
        for side in sides {
            out.extend(&side.to_be_bytes()[1..]);
        }
    }
    out.extend([0; 16]);
    record.write(&mut out);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    Map(vec![
        ("binary_format_major_version", Number(2, 2)),
        ("binary_format_minor_version", Number(2, 0)),
        ("build_epoch", Number(8, 1_750_000_000)),
        ("database_type", Text(kind)),
        ("description", Map(vec![])),
        ("ip_version", Number(2, 4)),
        ("languages", List(vec![])),
        ("node_count", Number(4, depth.into())),
        ("record_size", Number(2, 24)),
    ])
    .write(&mut out);
    out
}
