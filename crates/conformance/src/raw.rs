//! A server that answers one request per connection and then closes it without `Connection: close`.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// Serves until the process ends. Returns the address and a receiver of the request lines.
pub(crate) fn serve(
    respond: impl Fn(&str) -> String + Send + 'static,
) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // An error means that the client disconnected early.
            let _ = answer(&stream.unwrap(), &respond, &sender);
        }
    });
    (address, receiver)
}

fn answer(
    mut stream: &TcpStream,
    respond: &impl Fn(&str) -> String,
    sender: &Sender<String>,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let _ = sender.send(first.trim_end().to_owned());
    stream.write_all(respond(&first).as_bytes())
}

/// Returns a response with a JSON body.
pub(crate) fn json(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} \r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
