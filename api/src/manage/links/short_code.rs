//! Codes of short URLs: eight characters from an alphabet that people can read aloud.

/// Letters and digits without those that look alike (0 O, 1 I l).
const ALPHABET: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Length of a code. 57^8 is about 10^14, so with a million links, one draw in 10^8 is taken.
const LENGTH: usize = 8;

/// A code from random bits.
pub(crate) fn short_code(random: [u8; 16]) -> String {
    let mut bits = u128::from_be_bytes(random);
    let base = ALPHABET.len() as u128;
    let mut code = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let index = usize::try_from(bits % base).unwrap_or_default();
        code.extend(ALPHABET.get(index).copied().map(char::from));
        bits /= base;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn codes_have_their_length_and_alphabet(random in any::<[u8; 16]>()) {
            let code = short_code(random);
            prop_assert_eq!(code.len(), LENGTH);
            prop_assert!(code.bytes().all(|c| ALPHABET.contains(&c)));
        }
    }

    #[test]
    fn different_bits_give_different_codes() {
        let codes: std::collections::BTreeSet<String> =
            (0..=255u8).map(|n| short_code([n; 16])).collect();
        assert_eq!(codes.len(), 256);
    }
}
