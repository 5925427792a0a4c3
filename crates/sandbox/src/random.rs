//! Words that nobody guesses.

use std::fmt::Write as _;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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

/// 72 random bits in 12 characters that a URL holds as they are.
pub(crate) fn url_safe() -> io::Result<String> {
    let mut bytes = [0; 9];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A random UUID (RFC 9562, version 4). Where the system gives no random bits it is all zeros, but
/// then no sandbox starts either.
pub(crate) fn uuid() -> String {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    let bits = u128::from_be_bytes(bytes) & !(0xf000 << 64) & !(0xc << 60);
    let hex = format!("{:032x}", bits | (0x4000 << 64) | (0x8 << 60));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_of_version_4() {
        let one = uuid();
        assert!(crate::verification::route::is_uuid(&one), "{one}");
        assert_eq!(&one[14..15], "4");
        assert!("89ab".contains(&one[19..20]), "{one}");
        assert_ne!(one, uuid());
    }

    #[test]
    fn no_two_words_are_alike() {
        let (one, other) = (unguessable().expect("random bits"), unguessable().expect("others"));
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
    }
}
