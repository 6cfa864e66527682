//! Measures a request before it is decoded, so that no length in it can claim more memory than the request has bytes.
//!
//! The codec allocates lists by the length in the request: four bytes could claim gigabytes and end the process. This
//! module follows the same layout, compares each length with the remaining bytes, and counts entries.
//! The rule to keep: never decode a request that was not measured.

use std::sync::OnceLock;

use super::apis::{APIS, Api};

/// Maximum number of entries in all lists of one request. A decoded entry takes about 100 bytes, and only a few on the
/// wire. A fetch of ten thousand partitions stays far below.
pub(super) const MAX_ENTRIES: usize = 100_000;
/// Maximum bytes of a length with seven bits per byte.
const VARINT_BYTES: usize = 5;

/// A request that does not follow the layout of its version.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Malformed {
    /// It ends too early, or a length is larger than the rest of the request.
    #[error("the request ends too early")]
    Short,
    /// A length below -1, or a tagged field whose length differs from its content.
    #[error("the request has an impossible length")]
    Impossible,
    /// More entries than [`MAX_ENTRIES`].
    #[error("the request has too many entries")]
    TooMany,
}

#[derive(Debug)]
enum Kind {
    Fixed(usize),
    Text,
    Blob,
    /// A list of values without tagged fields.
    Plain(Box<Kind>),
    /// A list of structures.
    Structs(Shape),
    Struct(Shape),
}

#[derive(Debug)]
struct Field {
    kind: Kind,
    from: i16,
    to: i16,
}

#[derive(Debug)]
struct Tagged {
    tag: u32,
    from: i16,
    content: Shape,
}

/// The layout of a structure.
#[derive(Debug, Default)]
pub(super) struct Shape {
    fields: Vec<Field>,
    tagged: Vec<Tagged>,
}

/// The layouts of all requests, in the order of [`APIS`].
fn shapes() -> &'static [Shape] {
    static SHAPES: OnceLock<Vec<Shape>> = OnceLock::new();
    SHAPES.get_or_init(|| {
        APIS.iter()
            .map(|api| Notation(api.layout).shape())
            .collect()
    })
}

/// Checks that the body of a request can be decoded within bounds.
pub(super) fn measure(api: &Api, version: i16, body: &[u8]) -> Result<(), Malformed> {
    let place = APIS.iter().position(|known| known.key == api.key);
    let shape = place.and_then(|place| shapes().get(place));
    let mut walk = Walk {
        rest: body,
        version,
        flexible: version >= api.flexible,
        entries: 0,
    };
    walk.structure(shape.ok_or(Malformed::Impossible)?)
}

/// Measures the tagged fields at the beginning of `bytes`.
pub(super) fn tags(bytes: &[u8]) -> Result<usize, Malformed> {
    let mut walk = Walk {
        rest: bytes,
        version: 0,
        flexible: true,
        entries: 0,
    };
    walk.tagged(&[])?;
    Ok(bytes.len() - walk.rest.len())
}

struct Walk<'a> {
    rest: &'a [u8],
    version: i16,
    flexible: bool,
    entries: usize,
}

impl Walk<'_> {
    fn structure(&mut self, shape: &Shape) -> Result<(), Malformed> {
        for field in &shape.fields {
            if (field.from..=field.to).contains(&self.version) {
                self.field(&field.kind)?;
            }
        }
        if self.flexible {
            self.tagged(&shape.tagged)?;
        }
        Ok(())
    }

    fn field(&mut self, kind: &Kind) -> Result<(), Malformed> {
        match kind {
            Kind::Fixed(bytes) => self.skip(*bytes),
            Kind::Text => {
                let length = self.length(2)?;
                self.skip(length.unwrap_or(0))
            }
            Kind::Blob => {
                let length = self.length(4)?;
                self.skip(length.unwrap_or(0))
            }
            Kind::Plain(kind) => {
                for _ in 0..self.count()? {
                    self.field(kind)?;
                }
                Ok(())
            }
            Kind::Structs(shape) => {
                for _ in 0..self.count()? {
                    self.structure(shape)?;
                }
                Ok(())
            }
            Kind::Struct(shape) => self.structure(shape),
        }
    }

    /// Reads the length of a list. Each entry takes at least one byte.
    fn count(&mut self) -> Result<usize, Malformed> {
        let count = self.length(4)?.unwrap_or(0);
        if count > self.rest.len() {
            return Err(Malformed::Short);
        }
        self.enter(count)?;
        Ok(count)
    }

    fn enter(&mut self, entries: usize) -> Result<(), Malformed> {
        self.entries = self.entries.saturating_add(entries);
        if self.entries > MAX_ENTRIES {
            return Err(Malformed::TooMany);
        }
        Ok(())
    }

    fn tagged(&mut self, known: &[Tagged]) -> Result<(), Malformed> {
        let count = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        if count > self.rest.len() {
            return Err(Malformed::Short);
        }
        // Count them all: the decoder keeps unknown fields, each as an entry of a map.
        self.enter(count)?;
        for _ in 0..count {
            let tag = self.varint()?;
            let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
            let content = self.rest.get(..length).ok_or(Malformed::Short)?;
            let known = known
                .iter()
                .find(|field| field.tag == tag && self.version >= field.from);
            if let Some(field) = known {
                // The decoder reads a known field without checking its length. If the two differ, it reads everything
                // after the field at the wrong place, including unmeasured lengths.
                let mut walk = Walk {
                    rest: content,
                    ..*self
                };
                for field in &field.content.fields {
                    walk.field(&field.kind)?;
                }
                if !walk.rest.is_empty() {
                    return Err(Malformed::Impossible);
                }
                self.entries = walk.entries;
            }
            self.skip(length)?;
        }
        Ok(())
    }

    /// Reads a length of `width` bytes, or of a variable size in flexible versions. `None` for an absent value.
    fn length(&mut self, width: usize) -> Result<Option<usize>, Malformed> {
        let length = if self.flexible {
            i64::from(self.varint()?) - 1
        } else if width == 2 {
            let bytes = self.take()?;
            i64::from(i16::from_be_bytes(bytes))
        } else {
            let bytes = self.take()?;
            i64::from(i32::from_be_bytes(bytes))
        };
        match length {
            -1 => Ok(None),
            length => usize::try_from(length)
                .map(Some)
                .map_err(|_| Malformed::Impossible),
        }
    }

    /// Reads the same bytes as the decoder, which ignores the bits of a fifth byte beyond 32.
    fn varint(&mut self) -> Result<u32, Malformed> {
        let mut value = 0;
        for place in 0..VARINT_BYTES {
            let [byte] = self.take()?;
            value |= u32::from(byte & 0x7f) << (place * 7);
            if byte < 0x80 {
                break;
            }
        }
        Ok(value)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), Malformed> {
        self.rest = self.rest.get(bytes..).ok_or(Malformed::Short)?;
        Ok(())
    }
}

/// The unparsed rest of a layout in text.
struct Notation(&'static str);

impl Notation {
    /// Parses fields up to the end or to a closing bracket, and consumes the bracket.
    fn shape(&mut self) -> Shape {
        let mut shape = Shape::default();
        while let Some(letter) = self.next() {
            let kind = match letter {
                'c' => Kind::Fixed(1),
                'h' => Kind::Fixed(2),
                'i' => Kind::Fixed(4),
                'l' | 'd' => Kind::Fixed(8),
                'u' => Kind::Fixed(16),
                's' => Kind::Text,
                'b' => Kind::Blob,
                '[' => Kind::Structs(self.shape()),
                '(' => Kind::Struct(self.shape()),
                '<' => match self.shape().fields.pop() {
                    Some(field) => Kind::Plain(Box::new(field.kind)),
                    None => continue,
                },
                '{' => {
                    let tag = self.number().unwrap_or(0);
                    self.next_if(':');
                    let from = self.number().unwrap_or(0);
                    shape.tagged.push(Tagged {
                        tag: u32::try_from(tag).unwrap_or(0),
                        from,
                        content: self.shape(),
                    });
                    continue;
                }
                ']' | ')' | '>' | '}' => break,
                _ => continue,
            };
            let (from, to) = self.versions();
            shape.fields.push(Field { kind, from, to });
        }
        shape
    }

    fn versions(&mut self) -> (i16, i16) {
        let from = self.number();
        if self.next_if('+') {
            return (from.unwrap_or(0), i16::MAX);
        }
        if self.next_if('-') {
            return (from.unwrap_or(0), self.number().unwrap_or(i16::MAX));
        }
        (0, i16::MAX)
    }

    fn number(&mut self) -> Option<i16> {
        let end = self.0.find(|letter: char| !letter.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        let number = digits.parse().ok()?;
        self.0 = rest;
        Some(number)
    }

    fn next(&mut self) -> Option<char> {
        let mut letters = self.0.chars();
        let letter = letters.next()?;
        self.0 = letters.as_str();
        Some(letter)
    }

    fn next_if(&mut self, letter: char) -> bool {
        match self.0.strip_prefix(letter) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }
}

/// Generates requests of every kind from the same layouts.
#[cfg(test)]
pub(super) mod making {
    use rand::Rng;

    use super::{Kind, Shape, shapes};
    use crate::wire::apis::{APIS, Api};

    /// A body with random content that follows the layout of a version.
    pub(in crate::wire) fn body(api: &Api, version: i16, random: &mut impl Rng) -> Vec<u8> {
        let place = APIS.iter().position(|known| known.key == api.key).unwrap();
        let mut maker = Maker {
            out: Vec::new(),
            version,
            flexible: version >= api.flexible,
            random,
        };
        maker.structure(&shapes()[place]);
        maker.out
    }

    struct Maker<'a, R> {
        out: Vec<u8>,
        version: i16,
        flexible: bool,
        random: &'a mut R,
    }

    impl<R: Rng> Maker<'_, R> {
        fn structure(&mut self, shape: &Shape) {
            for field in &shape.fields {
                if (field.from..=field.to).contains(&self.version) {
                    self.field(&field.kind);
                }
            }
            if !self.flexible {
                return;
            }
            let known: Vec<_> = shape
                .tagged
                .iter()
                .filter(|field| self.version >= field.from)
                .collect();
            let unknown = self.random.random_bool(0.1);
            self.varint(known.len() + usize::from(unknown));
            for field in known {
                self.varint(usize::try_from(field.tag).unwrap());
                let before = std::mem::take(&mut self.out);
                for field in &field.content.fields {
                    self.field(&field.kind);
                }
                let content = std::mem::replace(&mut self.out, before);
                self.varint(content.len());
                self.out.extend(content);
            }
            if unknown {
                self.varint(900);
                self.varint(3);
                self.out.extend([1, 2, 3]);
            }
        }

        fn field(&mut self, kind: &Kind) {
            match kind {
                Kind::Fixed(length) => {
                    let mut bytes = vec![0; *length];
                    // Mostly small numbers: random ones would fail the first check.
                    if self.random.random_bool(0.2) {
                        self.random.fill_bytes(&mut bytes);
                    } else if let Some(last) = bytes.last_mut() {
                        *last = self.random.random_range(0..4);
                    }
                    self.out.extend(bytes);
                }
                Kind::Text => {
                    let words = ["", "events", "a", "consumer", "range", "1"];
                    let word = words[self.random.random_range(0..words.len())];
                    self.length(word.len(), 2);
                    self.out.extend(word.as_bytes());
                }
                Kind::Blob => {
                    let length = self.random.random_range(0..80);
                    self.length(length, 4);
                    let mut bytes = vec![0; length];
                    self.random.fill_bytes(&mut bytes);
                    self.out.extend(bytes);
                }
                Kind::Plain(kind) => {
                    let count = self.random.random_range(0..3);
                    self.length(count, 4);
                    for _ in 0..count {
                        self.field(kind);
                    }
                }
                Kind::Structs(shape) => {
                    let count = self.random.random_range(0..3);
                    self.length(count, 4);
                    for _ in 0..count {
                        self.structure(shape);
                    }
                }
                Kind::Struct(shape) => self.structure(shape),
            }
        }

        fn length(&mut self, length: usize, width: usize) {
            if self.flexible {
                self.varint(length + 1);
            } else if width == 2 {
                self.out
                    .extend(i16::try_from(length).unwrap().to_be_bytes());
            } else {
                self.out
                    .extend(i32::try_from(length).unwrap().to_be_bytes());
            }
        }

        fn varint(&mut self, mut value: usize) {
            while value >= 0x80 {
                self.out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
                value >>= 7;
            }
            self.out.push(u8::try_from(value).unwrap());
        }
    }
}
