//! Reads HTTP/1.1 requests, with limits on their size.

mod chunked;

use std::io::{ErrorKind, Read, Write};

use crate::answer::Answer;
use crate::listen::Reach;
use crate::verification::route::is_verification;

/// Maximum length of a head, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;
/// Maximum length of a body, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;
/// Maximum length of a verification request's body, which may contain a 2 MB image as base64.
const IMAGE_BODY_LIMIT: usize = 4 * 1024 * 1024;
/// Maximum number of headers.
const HEADERS_LIMIT: usize = 128;

#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Set if the peer allows another request on the connection.
    pub(crate) keep_alive: bool,
}

/// The reason why a request could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The peer closed or reset the connection.
    Disconnected,
    /// The peer took too long.
    TimedOut,
    /// The request is invalid. After this response the connection must be closed, because the start
    /// of the next request is unknown.
    Refused(Answer),
}

impl Head {
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns whether the request is addressed to the sandbox. A request without a `Host` header is
    /// refused later.
    pub(crate) fn is_for(&self, reach: &Reach) -> bool {
        self.values("Host").all(|host| reach.is_host(host))
    }

    /// Replaces a target that is a whole URL by its path, and `Host` by its host, which has precedence
    /// ([RFC 9112 §3.2.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2)).
    fn resolve_absolute_form(&mut self) {
        let Some((scheme, rest)) = self.target.split_once("://") else { return };
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return;
        }
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = host.to_owned();
        self.target = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let is_host = |(name, _): &&mut (String, String)| name.eq_ignore_ascii_case("Host");
        self.headers.iter_mut().filter(is_host).for_each(|(_, value)| value.clone_from(&host));
    }

    fn has_connection_option(&self, option: &str) -> bool {
        let mut options = self.values("Connection").flat_map(|value| value.split(','));
        options.any(|value| value.trim().eq_ignore_ascii_case(option))
    }
}

/// Reads up to the empty line. The bytes after it remain in `buffer`.
pub(crate) fn read_head(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Result<Head, ReadError> {
    loop {
        if let Some((head, length)) = parse_head(buffer)? {
            buffer.drain(..length);
            return Ok(head);
        }
        read_more(stream, buffer)?;
    }
}

/// Reads the body that `head` announces. The bytes after it remain in `buffer`.
pub(crate) fn read_body(
    stream: &mut (impl Read + Write),
    buffer: &mut Vec<u8>,
    head: &Head,
) -> Result<Vec<u8>, ReadError> {
    let framing = framing(head)?;
    let missing = match framing {
        Framing::Length(length) => length > buffer.len(),
        Framing::Chunked => buffer.is_empty(),
    };
    if missing && head.values("Expect").any(|value| value.eq_ignore_ascii_case("100-continue")) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(|_| ReadError::Disconnected)?;
        stream.flush().map_err(|_| ReadError::Disconnected)?;
    }
    match framing {
        Framing::Length(length) => {
            while buffer.len() < length {
                read_more(stream, buffer)?;
            }
            Ok(buffer.drain(..length).collect())
        }
        Framing::Chunked => chunked::read(stream, buffer, body_limit(head)),
    }
}

fn parse_head(buffer: &[u8]) -> Result<Option<(Head, usize)>, ReadError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_LIMIT];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(buffer) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_LIMIT => length,
        Ok(httparse::Status::Partial) if buffer.len() < HEAD_LIMIT => return Ok(None),
        Ok(_) => return Err(refused(431, "The head of a request must not exceed 64 KiB.")),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(refused(431, "A request must not have more than 128 headers."));
        }
        Err(error) => {
            return Err(refused(400, &format!("This is not an HTTP/1.1 request: {error}.")));
        }
    };
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Ok(None);
    };
    let headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let mut head =
        Head { method: method.to_owned(), target: target.to_owned(), headers, keep_alive: false };
    head.resolve_absolute_form();
    head.keep_alive = if version == 0 {
        head.has_connection_option("keep-alive")
    } else {
        !head.has_connection_option("close")
    };
    Ok(Some((head, length)))
}

/// The way in which the end of a body is marked.
#[derive(Debug)]
enum Framing {
    Length(usize),
    Chunked,
}

/// Returns the maximum length of a body, in bytes and in words.
fn body_limit(head: &Head) -> (usize, &'static str) {
    if is_verification(&head.target) { (IMAGE_BODY_LIMIT, "4 MiB") } else { (BODY_LIMIT, "1 MiB") }
}

fn framing(head: &Head) -> Result<Framing, ReadError> {
    let codings: Vec<_> = head.values("Transfer-Encoding").collect();
    if !codings.is_empty() {
        if head.values("Content-Length").next().is_some() {
            let why = "A request has either a Content-Length or a Transfer-Encoding, not both.";
            return Err(refused(400, why));
        }
        let [coding] = codings[..] else {
            return Err(refused(400, "The header Transfer-Encoding was sent more than once."));
        };
        if !coding.eq_ignore_ascii_case("chunked") {
            return Err(refused(501, "The only Transfer-Encoding that is accepted is chunked."));
        }
        return Ok(Framing::Chunked);
    }
    let mut lengths = head.values("Content-Length");
    let Some(length) = lengths.next() else {
        return Ok(Framing::Length(0));
    };
    if lengths.next().is_some() {
        return Err(refused(400, "The header Content-Length was sent more than once."));
    }
    if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused(400, "The Content-Length is not a number."));
    }
    let (limit, size) = body_limit(head);
    match length.parse() {
        Ok(length) if length <= limit => Ok(Framing::Length(length)),
        _ => Err(refused(413, &format!("The body of a request must not exceed {size}."))),
    }
}

/// Reads once from the stream and appends to `buffer`.
pub(crate) fn read_more(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Result<(), ReadError> {
    let mut chunk = [0; 8 * 1024];
    match stream.read(&mut chunk) {
        Ok(count) if count > 0 => {
            buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
            Ok(())
        }
        // The kind of a timeout depends on the operating system.
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err(ReadError::TimedOut)
        }
        Ok(_) | Err(_) => Err(ReadError::Disconnected),
    }
}

fn refused(status: u16, why: &str) -> ReadError {
    ReadError::Refused(Answer::message(status, why))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn head_of(text: &str) -> Result<(Head, Vec<u8>), ReadError> {
        let mut buffer = Vec::new();
        let head = read_head(&mut Cursor::new(text.as_bytes()), &mut buffer)?;
        Ok((head, buffer))
    }

    #[test]
    fn bytes_after_the_head_remain_in_the_buffer() {
        let (head, rest) = head_of("GET /x HTTP/1.1\r\nHost: a\r\n\r\nnext").expect("a request");
        assert_eq!(
            (head.method.as_str(), head.target.as_str(), head.keep_alive),
            ("GET", "/x", true)
        );
        assert_eq!(rest, b"next");
    }

    #[test]
    fn keep_alive_follows_version_and_connection_header() {
        for (text, keep_alive) in [
            ("GET / HTTP/1.1\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ] {
            assert_eq!(head_of(text).expect(text).0.keep_alive, keep_alive, "{text}");
        }
    }

    #[test]
    fn absolute_form_has_precedence_over_the_host_header() {
        for (target, path, host) in [
            ("http://127.0.0.1:1/a/?b", "/a/?b", "127.0.0.1:1"),
            ("HTTPS://example.com", "/", "example.com"),
            ("http://a?b=/c", "/?b=/c", "a"),
            ("/a?b=http://c/d", "/a?b=http://c/d", "h"),
            ("ftp://a/b", "ftp://a/b", "h"),
        ] {
            let (head, _) =
                head_of(&format!("GET {target} HTTP/1.1\r\nhost: h\r\n\r\n")).expect("a request");
            assert_eq!((&*head.target, head.values("Host").next()), (path, Some(host)));
        }
    }
}
