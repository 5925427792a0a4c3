use std::io::{self, Read};

/// Reads a file of at most `limit` bytes; a longer one, such as an endless device, is an error. The
/// buffer is never reallocated, so no copies of a secret are left behind.
///
/// # Errors
/// [`FileTooLarge`](io::ErrorKind::FileTooLarge), or reading failed.
pub fn read_limited(file: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(limit + 1);
    file.take(limit as u64 + 1).read_to_end(&mut content)?;
    if content.len() > limit {
        let problem = format!("it has more than {} KiB", limit / 1024);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_may_be_as_long_as_the_limit() {
        assert_eq!(read_limited(&[7; 1024][..], 1024).unwrap(), [7; 1024]);
        let error = read_limited(&[7; 1025][..], 1024).unwrap_err();
        assert_eq!(error.to_string(), "it has more than 1 KiB");
    }

    #[test]
    fn endless_file_is_refused() {
        let error = read_limited(io::repeat(0), 1 << 16).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
