//! Drives the engine over `std::net`, in one thread and without a runtime. The engine handles the
//! token and the retry (of a 503). `cargo run -q -p didit-example-std-net`

use std::error::Error;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use didit_core::data_transfer::RetrieveDecision;
use didit_core::{Call, ClientCredentials, Engine, Moment, TransportError, TransportErrorKind};
use didit_core::{Operation as _, Step};
use didit_sandbox::{Fault, Route, Sandbox};
use http::{Request, Response};

fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start()?;
    sandbox.script(Route::Decision, [Fault::answer(503)]);
    let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret())?;
    let mut engine = Engine::builder(client).base_url(sandbox.url().parse()?).build()?;
    let mut call = Call::new(RetrieveDecision::new("unique-session-identifier".parse()?));
    let origin = Instant::now();
    let now = || Moment::new(origin.elapsed());
    let decision = loop {
        match call.poll(&mut engine, now()) {
            Step::Done(result) => break result?,
            Step::Wait { until, .. } => std::thread::sleep(until.since(now())),
            Step::Send { request, ticket, timeout } => match exchange(&request, timeout) {
                Ok(response) => call.handle_response(&mut engine, now(), ticket, &response),
                Err(error) => {
                    let failure = TransportError::new(match error.kind() {
                        ErrorKind::ConnectionRefused => TransportErrorKind::Connect,
                        ErrorKind::TimedOut | ErrorKind::WouldBlock => TransportErrorKind::Timeout,
                        _ => TransportErrorKind::ConnectionLost,
                    });
                    call.handle_failure(&mut engine, now(), ticket, failure);
                }
            },
        }
    };
    let name = decision.user_data().and_then(|user| user.names.as_ref()?.full_name.as_deref());
    println!("{}: {}, {}", decision.session_id(), decision.status(), name.unwrap_or("nobody"));
    Ok(())
}

/// Sends a request over a new connection, without TLS: for loopback only. (A real client would also
/// read chunked bodies, detect truncated ones, and enforce `timeout` and
/// `EndpointKind::max_body_bytes`.)
fn exchange(r: &Request<Vec<u8>>, timeout: Duration) -> io::Result<Response<Vec<u8>>> {
    let host = r.uri().authority().map_or("", |host| host.as_str());
    let target = r.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(timeout))?;
    write!(stream, "{} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", r.method())?;
    for (name, value) in r.headers() {
        stream.write_all(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat())?;
    }
    write!(stream, "Content-Length: {}\r\n\r\n", r.body().len())?;
    stream.write_all(r.body())?;
    let (mut answer, mut headers) = (Vec::new(), [httparse::EMPTY_HEADER; 32]);
    stream.read_to_end(&mut answer)?;
    let mut head = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = head.parse(&answer) else {
        return Err(ErrorKind::InvalidData.into());
    };
    let response = Response::builder().status(head.code.unwrap_or_default());
    let response = head.headers.iter().fold(response, |all, it| all.header(it.name, it.value));
    response.body(answer.split_off(length)).map_err(io::Error::other)
}
