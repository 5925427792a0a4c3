//! Bodies of unknown length: chunked transfer coding
//! ([RFC 9112 §7.1](https://www.rfc-editor.org/rfc/rfc9112#section-7.1)).

use std::io::Read;

use super::{HEAD_LIMIT, ReadError, read_more, refused};

/// Maximum length of all that is not content: the sizes and extensions of the chunks.
const FRAMING_LIMIT: usize = 1024 * 1024;
/// Maximum number of headers in the trailer.
const TRAILER_LIMIT: usize = 16;

/// Reads a body of at most `limit` bytes (`size` in words). The bytes after it remain in `buffer`.
pub(super) fn read(
    stream: &mut impl Read,
    buffer: &mut Vec<u8>,
    (limit, size): (usize, &str),
) -> Result<Vec<u8>, ReadError> {
    let (mut body, mut framing) = (Vec::new(), 0);
    loop {
        let (start, length) = chunk(stream, buffer)?;
        framing += start + 2;
        if framing > FRAMING_LIMIT {
            return Err(refused(400, "The chunks of the body are too small."));
        }
        buffer.drain(..start);
        if length == 0 {
            break;
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > limit - body.len() {
            return Err(refused(413, &format!("The body of a request must not exceed {size}.")));
        }
        while buffer.len() < length + 2 {
            read_more(stream, buffer)?;
        }
        body.extend(buffer.drain(..length));
        if !buffer.drain(..2).eq(*b"\r\n") {
            return Err(refused(400, "A chunk does not end with CRLF."));
        }
    }
    skip_trailer(stream, buffer)?;
    Ok(body)
}

/// Returns the start of the next chunk in `buffer`, and its length.
fn chunk(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Result<(usize, u64), ReadError> {
    loop {
        match httparse::parse_chunk_size(buffer) {
            Ok(httparse::Status::Complete(found)) => return Ok(found),
            Ok(httparse::Status::Partial) if buffer.len() < HEAD_LIMIT => {
                read_more(stream, buffer)?;
            }
            _ => return Err(refused(400, "The body is not valid chunked encoding.")),
        }
    }
}

/// Skips the headers after the last chunk.
fn skip_trailer(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Result<(), ReadError> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; TRAILER_LIMIT];
        match httparse::parse_headers(buffer, &mut headers) {
            Ok(httparse::Status::Complete((length, _))) => {
                buffer.drain(..length);
                return Ok(());
            }
            Ok(httparse::Status::Partial) if buffer.len() < HEAD_LIMIT => {
                read_more(stream, buffer)?;
            }
            _ => return Err(refused(400, "The trailer is invalid.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn body_of(text: &str) -> Result<(String, String), ReadError> {
        let mut buffer = Vec::new();
        let body = read(&mut Cursor::new(text.as_bytes()), &mut buffer, (100, "100 bytes"))?;
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ok((text(body), text(buffer)))
    }

    #[test]
    fn chunks_are_joined() {
        for (sent, body) in [
            ("0\r\n\r\n", ""),
            ("3\r\nabc\r\n0\r\n\r\n", "abc"),
            ("A;x=\"y\"\r\n0123456789\r\n1\r\n!\r\n000\r\nA: b\r\n\r\n", "0123456789!"),
        ] {
            let sent = format!("{sent}GET /");
            assert_eq!(body_of(&sent).expect(body), (body.to_owned(), "GET /".to_owned()));
        }
    }

    #[test]
    fn invalid_or_oversized_chunks_are_refused() {
        let x = |count| "x".repeat(count);
        for (sent, status) in [
            ("x\r\n".to_owned(), 400),
            ("-1\r\n".to_owned(), 400),
            ("fffffffffffffffff\r\n".to_owned(), 400),
            ("2\r\nabc\r\n0\r\n\r\n".to_owned(), 400),
            ("ffffffffffffffff\r\n".to_owned(), 413),
            (format!("32\r\n{}\r\n33\r\n", x(50)), 413),
            (format!("1;{}", x(HEAD_LIMIT)), 400),
            (format!("0\r\nA: {}", x(HEAD_LIMIT)), 400),
            (format!("1;{}\r\nx\r\n", x(20_000)).repeat(60), 400),
        ] {
            match body_of(&sent) {
                Err(ReadError::Refused(answer)) => assert_eq!(answer.status, status, "{sent:.20}"),
                other => panic!("{sent:.20}: {other:?}"),
            }
        }
        assert!(matches!(body_of("3\r\nab"), Err(ReadError::Disconnected)));
    }
}
