//! Random tokens and ids.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Returns 128 random bits as hexadecimal digits.
pub(crate) fn unguessable() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Returns 72 random bits as 12 characters of URL-safe base64.
pub(crate) fn url_safe() -> io::Result<String> {
    let mut bytes = [0; 9];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns a random UUID (RFC 9562, version 4). If the system provides no random bits, they are all
/// zero, but then the sandbox does not even start.
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
    fn uuid_has_version_4() {
        let one = uuid();
        assert!(crate::verification::route::is_uuid(&one), "{one}");
        assert_eq!(&one[14..15], "4");
        assert!("89ab".contains(&one[19..20]), "{one}");
        assert_ne!(one, uuid());
    }

    #[test]
    fn random_strings_differ() {
        let (one, other) = (unguessable().expect("random bits"), unguessable().expect("others"));
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
    }
}
