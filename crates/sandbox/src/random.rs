//! Words that nobody guesses.

use std::fmt::Write as _;
use std::io;

/// 128 random bits in hexadecimal digits.
pub(crate) fn unguessable() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let mut word = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(word, "{byte:02x}");
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::unguessable;

    #[test]
    fn no_two_words_are_alike() {
        let (one, other) = (unguessable().expect("random bits"), unguessable().expect("others"));
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
    }
}
