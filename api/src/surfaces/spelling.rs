//! The distance of two spellings, so that an error can suggest the value that was meant.

/// How many letters must be changed, added or removed to turn one into the other, ignoring case.
pub(super) fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let other: Vec<char> = other.chars().collect();
    // The distances from the letters read so far to every beginning of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (place, wanted) in row
            .iter_mut()
            .zip([None].into_iter().chain(other.iter().map(Some)))
        {
            let cost = match wanted {
                None => left,
                Some(wanted) => {
                    let changed = diagonal + usize::from(*wanted != letter);
                    changed.min(left + 1).min(*place + 1)
                }
            };
            diagonal = std::mem::replace(place, cost);
            left = cost;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn the_distance_counts_different_letters() {
        for (one, other, far) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("turkey", "TURKEY", 0),
            ("germny", "Germany", 1),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(one, other), far, "{one} {other}");
            assert_eq!(distance(other, one), far, "{other} {one}");
        }
    }
}
