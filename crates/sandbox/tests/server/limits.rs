//! Timeouts and the limit on the number of connections.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::raw::{connect, decision, read_answer, send};

const SHORT: Duration = Duration::from_millis(30);

#[test]
fn limit_of_zero_is_refused() {
    for (name, builder) in [
        ("idle_timeout", Sandbox::builder().idle_timeout(Duration::ZERO)),
        ("request_timeout", Sandbox::builder().request_timeout(Duration::ZERO)),
        ("webhook_timeout", Sandbox::builder().webhook_timeout(Duration::ZERO)),
        ("max_connections", Sandbox::builder().max_connections(0)),
    ] {
        let error = builder.start().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), format!("{name} must not be 0"));
    }
}

#[test]
fn idle_connection_is_closed() {
    let sandbox = Sandbox::builder().idle_timeout(SHORT).start().unwrap();
    let mut stream = connect(&sandbox).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    // Repeated because a connection may also be closed before its request arrives.
    let mut used = std::iter::repeat_with(|| {
        let mut stream = connect(&sandbox).unwrap();
        stream.write_all(decision("abc").as_bytes()).ok()?;
        read_answer(&mut stream).ok().map(|answer| (stream, answer.status))
    });
    let (mut used, status) = used.find_map(|answered| answered).unwrap();
    assert_eq!((status, used.read(&mut [0]).unwrap()), (200, 0));
}

#[test]
fn incomplete_request_is_answered_with_408() {
    let sandbox = Sandbox::builder().request_timeout(SHORT).start().unwrap();
    let whole = decision("abc");
    let body = "POST /auth/v2/session/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{";
    for part in ["G", &whole[..whole.len() - 2], body] {
        let mut stream = connect(&sandbox).unwrap();
        stream.write_all(part.as_bytes()).unwrap();
        let answer = read_answer(&mut stream).unwrap();
        assert_eq!((answer.status, answer.header("Connection")), (408, Some("close")), "{part}");
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn request_timeout_is_not_reset_by_each_byte() {
    let sandbox = Sandbox::builder().request_timeout(SHORT).start().unwrap();
    let mut stream = connect(&sandbox).unwrap();
    let mut sender = stream.try_clone().unwrap();
    // Ends when the sandbox closes the connection.
    let dripping = std::thread::spawn(move || {
        while sender.write_all(b"G").is_ok() {
            std::thread::sleep(SHORT / 10);
        }
    });
    assert_eq!(read_answer(&mut stream).unwrap().status, 408);
    drop(sandbox);
    dripping.join().unwrap();
}

#[test]
fn hang_and_delay_outlast_the_request_timeout() {
    let sandbox = Sandbox::builder().request_timeout(SHORT).start().unwrap();
    sandbox.script(Route::Decision, [Fault::Hang, Fault::Delay(SHORT * 3)]);
    let mut hanging = connect(&sandbox).unwrap();
    hanging.write_all(decision("abc").as_bytes()).unwrap();
    while sandbox.requests().is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(send(&sandbox, &decision("abc")).unwrap().status, 200);
    hanging.set_nonblocking(true).unwrap();
    assert_eq!(hanging.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn new_connection_replaces_the_longest_idle() {
    let sandbox = Sandbox::builder().max_connections(2).start().unwrap();
    let mut idle = connect(&sandbox).unwrap();
    let mut kept = connect(&sandbox).unwrap();
    for _ in 0..2 {
        kept.write_all(decision("abc").as_bytes()).unwrap();
        assert_eq!(read_answer(&mut kept).unwrap().status, 200);
    }
    let mut new = connect(&sandbox).unwrap();
    new.write_all(decision("abc").as_bytes()).unwrap();
    assert_eq!(read_answer(&mut new).unwrap().status, 200);
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    kept.write_all(decision("abc").as_bytes()).unwrap();
    assert_eq!(read_answer(&mut kept).unwrap().status, 200);
}

#[test]
fn busy_connection_is_not_replaced() {
    let sandbox = Sandbox::builder().max_connections(1).start().unwrap();
    sandbox.script(Route::Decision, [Fault::Hang]);
    let mut busy = connect(&sandbox).unwrap();
    busy.write_all(decision("abc").as_bytes()).unwrap();
    while sandbox.requests().is_empty() {
        std::thread::yield_now();
    }
    let mut waiting = connect(&sandbox).unwrap();
    waiting.write_all(decision("abc").as_bytes()).unwrap();
    drop(busy);
    assert_eq!(read_answer(&mut waiting).unwrap().status, 200);
}

/// Serves in the process whose descriptors the next test exhausts.
#[test]
#[ignore = "run as a process by another test"]
fn serve_until_standard_input_ends() {
    let sandbox = Sandbox::start().unwrap();
    println!("\nurl={}", sandbox.url());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[cfg(target_os = "linux")]
#[test]
fn idle_connections_do_not_exhaust_descriptors() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let program = std::env::current_exe().unwrap();
    let serve = "ulimit -n 40; exec \"$0\" --ignored --exact --nocapture \
                 limits::serve_until_standard_input_ends";
    let mut child = Command::new("sh")
        .args(["-c", serve])
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut urls = lines.filter_map(|line| line.strip_prefix("url=http://").map(str::to_owned));
    let address = urls.next().unwrap();
    let idle: Vec<_> = (0..100).map(|_| std::net::TcpStream::connect(&address).unwrap()).collect();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(decision("abc").as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 200);
    drop((idle, child.stdin.take()));
    assert!(child.wait().unwrap().success());
}
