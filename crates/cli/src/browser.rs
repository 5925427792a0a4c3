//! The browser of the person at this machine.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::context::Context;

/// Returns what to know about the URL of a session before it is sent to somebody.
pub(crate) fn caution(address: &str, context: &Context) -> Option<&'static str> {
    let uri: http::Uri = address.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']);
    let loopback = host == "localhost"
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    if context.options.sandbox {
        Some("ended with this temporary sandbox; `didit sandbox` runs one that lasts")
    } else if loopback {
        Some("the URL works on this machine only; a phone cannot open it")
    } else {
        None
    }
}

/// Opens an address, or tells that it could not.
pub(crate) fn open(address: &str, context: &Context) {
    // Anything else could be an option, a file or another program's address.
    if !address.starts_with("https://") && !address.starts_with("http://") {
        context.note("the URL was not opened: it is not a web address");
        return;
    }
    let (program, arguments) = opener();
    let mut command = Command::new(program);
    command.args(arguments).arg(address);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(opening) => {
            if has_failed(opening) {
                context.note(&format!("{program} could not open the URL; open it yourself"));
            }
        }
        Err(error) => {
            context.note(&format!("could not run {program}: {error}; open the URL yourself"));
        }
    }
}

/// Tells whether the program has soon failed; one that goes on may be the browser itself.
fn has_failed(mut opening: Child) -> bool {
    for _ in 0..40 {
        match opening.try_wait() {
            Ok(None) => thread::sleep(Duration::from_millis(50)),
            Ok(Some(status)) => return !status.success(),
            Err(_) => return true,
        }
    }
    false
}

/// The program of the system that opens an address in the browser.
fn opener() -> (&'static str, &'static [&'static str]) {
    if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    }
}
