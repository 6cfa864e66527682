//! Versions, compared by their numbers: 17.10 is above 17.4.

/// The first numbers of a version; absent ones are 0, so `17` is `17.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version([u32; 4]);

impl Version {
    /// Reads as many numbers as there are; `None` when the text does not begin with one.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut numbers = [0; 4];
        for (at, (slot, part)) in numbers.iter_mut().zip(text.trim().split('.')).enumerate() {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            match part.get(..digits).and_then(|part| part.parse().ok()) {
                Some(number) => *slot = number,
                None if at == 0 => return None,
                None => break,
            }
            if digits < part.len() {
                break;
            }
        }
        Some(Self(numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let read = |text| Version::read(text).unwrap();
        assert!(read("17.10") > read("17.4"));
        assert_eq!(read("17"), read("17.0.0"));
        assert_eq!(read("17.4-beta.9"), read("17.4"));
        assert!(read("10.0.1") < read("10.1"));
        for text in ["", "XP", "-1", ".5", "99999999999"] {
            assert_eq!(Version::read(text), None, "{text}");
        }
    }
}
