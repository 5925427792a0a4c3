//! A minimal service to measure clients against: one thread, canned responses.

use std::io;

use didit_sandbox::fixtures;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const TOKEN: &str = r#"{"access_token":"tok","expires_in":86400}"#;

/// The JSON of a decision before and after the session id.
type Parts = [String; 2];

struct Answers {
    v2: Parts,
    /// The Python SDK calls version 3, which has other statuses.
    v3: Parts,
}

/// Prints the base URL and serves until the process is killed.
pub(crate) fn serve() -> io::Result<()> {
    let body = fixtures::DECISION.replace('\n', "");
    let answers = Answers { v2: split(&body), v3: split(&body.replace("Confirmed", "Approved")) };
    let answers: &'static Answers = Box::leak(Box::new(answers));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(answer_all(stream, answers));
        }
    })
}

fn split(body: &str) -> Parts {
    let (before, after) = body.split_once("unique-session-identifier").expect("the sample's id");
    [before.to_owned(), after.to_owned()]
}

async fn answer_all(mut stream: TcpStream, answers: &Answers) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut read, mut reply) = (Vec::with_capacity(2048), Vec::with_capacity(1024));
    loop {
        let Some(end) = end_of_request(&read) else {
            if stream.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
            continue;
        };
        reply.clear();
        answers.write(&read[..end], &mut reply);
        read.drain(..end);
        stream.write_all(&reply).await?;
    }
}

/// Returns the end of the first request in `read`, if it is complete.
fn end_of_request(read: &[u8]) -> Option<usize> {
    let head = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    if !read.starts_with(b"POST") {
        return Some(head);
    }
    let text = std::str::from_utf8(&read[..head]).ok()?.to_ascii_lowercase();
    let length = text.split_once("content-length: ")?.1.split("\r\n").next()?.parse::<usize>();
    Some(head + length.ok()?).filter(|end| *end <= read.len())
}

impl Answers {
    fn write(&self, request: &[u8], reply: &mut Vec<u8>) {
        let target = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let id = target.split(|byte| *byte == b'/').rev().nth(2).unwrap_or_default();
        let [before, after] = if target.starts_with(b"/v3/") { &self.v3 } else { &self.v2 };
        let is_token = request.starts_with(b"POST");
        let length = if is_token { TOKEN.len() } else { before.len() + id.len() + after.len() };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        reply.extend_from_slice(head.as_bytes());
        if is_token {
            reply.extend_from_slice(TOKEN.as_bytes());
        } else {
            for part in [before.as_bytes(), id, after.as_bytes()] {
                reply.extend_from_slice(part);
            }
        }
    }
}
