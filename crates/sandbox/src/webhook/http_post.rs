//! A minimal HTTP/1.1 client that sends one webhook per connection.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::destination::Destination;

/// Maximum length of a response's head, in bytes.
const HEAD_LIMIT: usize = 16 * 1024;

/// Connects to the first address that accepts the connection.
pub(crate) fn connect(destination: &Destination, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in &destination.addresses {
        last = TcpStream::connect_timeout(address, timeout);
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Limit of the timeout, which every clock can represent.
const MAX_TIMEOUT: Duration = Duration::from_secs(86_400);

/// Sends a JSON body with these headers and returns the status of the response.
pub(crate) fn post(
    mut stream: &TcpStream,
    destination: &Destination,
    headers: &[(&str, String)],
    body: &str,
    timeout: Duration,
) -> io::Result<u16> {
    let timeout = timeout.min(MAX_TIMEOUT);
    let deadline = Instant::now() + timeout;
    let mut request = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n",
        destination.path,
        destination.host,
        body.len()
    );
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.set_write_timeout(Some(timeout))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    loop {
        if let Some(status) = status(&answer)? {
            return Ok(status);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let mut chunk = [0; 4 * 1024];
        match stream.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => answer.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
}

/// Returns the status of the final response, skipping interim ones; `None` if its head is incomplete.
fn status(mut bytes: &[u8]) -> io::Result<Option<u16>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let (length, status) = match (parsed, response.code) {
            (httparse::Status::Complete(length), Some(status)) => (length, status),
            _ if bytes.len() > HEAD_LIMIT => return Err(io::ErrorKind::InvalidData.into()),
            _ => return Ok(None),
        };
        if status >= 200 {
            return Ok(Some(status));
        }
        bytes = bytes.get(length..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn interim_responses_are_skipped() {
        let parse = |text: &str| status(text.as_bytes()).ok();
        assert_eq!(parse("HTTP/1.1 200 OK\r\n\r\nbody"), Some(Some(200)));
        assert_eq!(parse("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 \r\n\r\n"), Some(Some(204)));
        assert_eq!(parse("HTTP/1.1 200 OK\r\n"), Some(None));
        assert_eq!(parse("nonsense\r\n\r\n"), None);
        assert_eq!(parse(&format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(20_000))), None);
    }
}
