//! Addresses whose query is part of a signature.

/// True if the parameters are those of a signed address: any change of its query would break it.
/// `has` tells whether the query has a parameter of that name, in any case.
///
/// The names are those of signed URLs at Amazon's, Google's and Azure's stores of files.
pub fn is_signed(has: impl Fn(&str) -> bool) -> bool {
    has("X-Amz-Signature")
        || has("X-Goog-Signature")
        || (has("Signature") && (has("Expires") || has("Key-Pair-Id")))
        || (has("sig") && has("se"))
}
