use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use didit_sandbox::{Fault, Route, Sandbox};

use crate::raw::{connect, decision};

/// Well below all delays in these tests, and well above the time that stopping takes.
const SOON: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(600);

#[test]
fn drop_interrupts_faults_and_connections() {
    let sandbox = Sandbox::start().unwrap();
    let faults =
        [Fault::Hang, Fault::Delay(LONG), Fault::Drip(LONG), Fault::Endless, Fault::Huge(u64::MAX)];
    let count = faults.len();
    sandbox.script(Route::Decision, faults);
    // One for each fault, one that has sent half a request, and one that is idle.
    let mut streams: Vec<_> = (0..count + 2).map(|_| connect(&sandbox).unwrap()).collect();
    for stream in &mut streams[..count] {
        stream.write_all(decision("abc").as_bytes()).unwrap();
    }
    streams[count]
        .write_all(b"POST /auth/v2/session/ HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")
        .unwrap();
    while sandbox.requests().len() < count {
        std::thread::yield_now();
    }
    let start = Instant::now();
    drop(sandbox);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    for stream in &mut streams {
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

#[test]
fn drop_interrupts_latency() {
    let sandbox = Sandbox::builder().latency(LONG).start().unwrap();
    let mut stream = connect(&sandbox).unwrap();
    stream.write_all(decision("abc").as_bytes()).unwrap();
    while sandbox.requests().is_empty() {
        std::thread::yield_now();
    }
    let start = Instant::now();
    drop(sandbox);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn drop_releases_the_port() {
    let port = {
        let sandbox = Sandbox::start().unwrap();
        sandbox.url().rsplit_once(':').unwrap().1.parse().unwrap()
    };
    let again = Sandbox::builder().port(port).start().unwrap();
    assert_eq!(again.url(), format!("http://127.0.0.1:{port}"));
    assert!(Sandbox::builder().port(port).start().is_err());
}
