//! Serves one connection: reads requests, and sends responses or faults, until it ends.

use std::io::{self, Read, Write};
use std::time::Duration;

use crate::answer::{Answer, Meta};
use crate::connections::Connections;
use crate::fault::{Fault, scripted_answer};
use crate::http::{Head, ReadError, read_body, read_head, read_more};
use crate::record::RecordedRequest;
use crate::request_log::unreadable_line;
use crate::respond::respond;
use crate::route::{Route, resolve};
use crate::state::Shared;
use crate::transport::Transport;

/// The next step for the connection after an exchange.
enum Next {
    KeepAlive,
    Close,
    Reset,
    /// A close without waiting for the peer to read, or in the middle of the response.
    Drop,
}

struct Connection<'a> {
    shared: &'a Shared,
    connections: &'a Connections,
    number: u64,
    /// Set if the peer is on this machine.
    local: bool,
    transport: Transport,
    buffer: Vec<u8>,
    /// The status of the response to the current request, and the time since the start of the sandbox.
    answered: Option<(u16, Duration)>,
}

pub(crate) fn serve(
    shared: &Shared,
    connections: &Connections,
    number: u64,
    local: bool,
    transport: Transport,
) {
    let buffer = Vec::new();
    let mut connection =
        Connection { shared, connections, number, local, transport, buffer, answered: None };
    let end = loop {
        match connection.exchange() {
            Ok(Next::KeepAlive) => {}
            Ok(end) => break end,
            Err(_) => break Next::Drop,
        }
    };
    match end {
        Next::Reset => connection.transport.reset(),
        Next::Close => connection.transport.close(),
        Next::KeepAlive | Next::Drop => drop(connection),
    }
}

/// Returns the response to a request that could not be read; `None` if the peer has disconnected.
fn answer_to(error: ReadError) -> Option<Answer> {
    match error {
        ReadError::Disconnected => None,
        ReadError::TimedOut => Some(Answer::message(408, "The request took too long to arrive.")),
        ReadError::Refused(answer) => Some(answer),
    }
}

impl Connection<'_> {
    fn exchange(&mut self) -> io::Result<Next> {
        self.connections.set_waiting(self.number, true);
        if self.buffer.is_empty() {
            self.transport.set_timeout(Some(self.shared.settings.idle_timeout))?;
            if read_more(&mut self.transport, &mut self.buffer).is_err() {
                return Ok(Next::Drop);
            }
        }
        self.transport.set_timeout(Some(self.shared.settings.request_timeout))?;
        let head = match read_head(&mut self.transport, &mut self.buffer) {
            Ok(head) => head,
            Err(error) => return self.refuse(error),
        };
        let route = resolve(&head.method, &head.target).ok().map(|(route, _)| route);
        let faulty = route.filter(|_| head.is_for(&self.shared.reach));
        let take_fault = |is_due: fn(&Fault) -> bool| {
            faulty.and_then(|route| self.shared.state().faults.next_if(route, is_due))
        };
        let early = take_fault(|fault| *fault == Fault::ResetEarly);
        let body = match early {
            Some(_) => Ok(Vec::new()),
            None => read_body(&mut self.transport, &mut self.buffer, &head),
        };
        // A request that does not arrive leaves the faults to the next one.
        let fault = if body.is_ok() { early.or_else(|| take_fault(|_| true)) } else { None };
        let fault = fault.unwrap_or(Fault::Pass);
        self.connections.set_waiting(self.number, false);
        self.transport.set_timeout(None)?;
        let (body, error) = match body {
            Ok(body) => (body, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let close = !head.keep_alive;
        let mut request = self.record(head, route, body);
        self.answered = None;
        let next = match error.map(answer_to) {
            None => self.handle(&request, &fault, close),
            Some(Some(answer)) => self.deliver(&answer, &request, &Fault::Pass, true),
            Some(None) => Ok(Next::Drop),
        };
        (request.status, request.answered) = self.answered.unzip();
        self.shared.observe(&request);
        self.shared.log(|| {
            let took = self.shared.started.elapsed().saturating_sub(request.received);
            request.line(self.shared.now(), took, fault != Fault::Pass)
        });
        next
    }

    /// Adds the request to the journal, and returns it.
    fn record(&self, head: Head, route: Option<Route>, body: Vec<u8>) -> RecordedRequest {
        let request = RecordedRequest {
            request_id: self.next_request_id(),
            route,
            method: head.method,
            path: head.target,
            headers: head.headers,
            body,
            connection: self.number,
            received: self.shared.started.elapsed(),
            answered: None,
            local: self.local,
            status: None,
        };
        self.shared.state().journal.record(&request);
        request
    }

    /// Answers a request whose head could not be read.
    fn refuse(&mut self, error: ReadError) -> io::Result<Next> {
        let Some(answer) = answer_to(error) else {
            return Ok(Next::Drop);
        };
        let request_id = self.next_request_id();
        let bytes = self.bytes(&answer, &request_id, true, false);
        self.shared.log(|| unreadable_line(self.shared.now(), answer.status, &request_id));
        self.write(&bytes).map(|()| Next::Close)
    }

    fn next_request_id(&self) -> String {
        let mut state = self.shared.state();
        state.requests += 1;
        format!("sandbox-{}", state.requests)
    }

    fn bytes(&self, answer: &Answer, request_id: &str, close: bool, head_only: bool) -> Vec<u8> {
        answer.bytes(&Meta { request_id, now: self.shared.now(), close }, head_only)
    }

    /// Answers the request as documented, or applies the fault.
    fn handle(
        &mut self,
        request: &RecordedRequest,
        fault: &Fault,
        close: bool,
    ) -> io::Result<Next> {
        let answer = match fault {
            Fault::Pass | Fault::Delay(_) | Fault::Drip(_) | Fault::Truncate => {
                Some(respond(self.shared, request))
            }
            Fault::Answer { status, headers, body } => {
                Some(scripted_answer(*status, headers.clone(), body.clone()))
            }
            Fault::Endless => Some(Answer::new(200, "").with("Transfer-Encoding", "chunked")),
            Fault::Huge(length) => {
                Some(Answer::new(200, "").with("Content-Length", length.to_string()))
            }
            _ => None,
        };
        let latency = self.shared.settings.latency;
        let wait =
            if let Fault::Delay(delay) = fault { latency.saturating_add(*delay) } else { latency };
        if self.shared.stop.wait(wait) {
            return Ok(Next::Drop);
        }
        match answer {
            Some(answer) => self.deliver(&answer, request, fault, close),
            None => self.fail(fault),
        }
    }

    fn deliver(
        &mut self,
        answer: &Answer,
        request: &RecordedRequest,
        fault: &Fault,
        close: bool,
    ) -> io::Result<Next> {
        let at = self.shared.started.elapsed();
        self.shared.state().journal.answered(&request.request_id, answer.status, at);
        self.answered = Some((answer.status, at));
        let mut bytes = self.bytes(answer, &request.request_id, close, request.method == "HEAD");
        match fault {
            Fault::Truncate => {
                bytes.truncate(bytes.len().saturating_sub(answer.body.len().div_ceil(2)));
                self.write(&bytes)?;
                return Ok(Next::Drop);
            }
            Fault::Drip(pause) => {
                for byte in bytes {
                    if self.shared.stop.wait(*pause) {
                        return Ok(Next::Drop);
                    }
                    self.write(&[byte])?;
                }
            }
            Fault::Endless => {
                self.write(&bytes)?;
                let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
                // Ends when the peer closes the connection or the sandbox shuts it down.
                loop {
                    self.write(chunk.as_bytes())?;
                }
            }
            Fault::Huge(length) => {
                self.write(&bytes)?;
                io::copy(&mut io::repeat(b' ').take(*length), &mut self.transport)?;
                self.transport.flush()?;
            }
            _ => self.write(&bytes)?,
        }
        Ok(if close { Next::Close } else { Next::KeepAlive })
    }

    /// Applies a fault that leaves the request unanswered.
    fn fail(&mut self, fault: &Fault) -> io::Result<Next> {
        match fault {
            Fault::Reset | Fault::ResetEarly => return Ok(Next::Reset),
            Fault::Garbage => self.write(b"\x16\x03\x01\x00 this is not HTTP \xff\xfe\r\n\r\n")?,
            Fault::Hang => {
                let mut ignored = [0; 1024];
                while self.transport.read(&mut ignored)? > 0 {}
            }
            _ => {}
        }
        Ok(Next::Drop)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.transport.write_all(bytes)?;
        self.transport.flush()
    }
}
