//! Shows the URLs of sessions, and opens them in the user's browser.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::context::Context;
use crate::qr_code;
use crate::table::Table;

/// Returns a warning if other people cannot open the URL of a session.
fn caution(address: &str, context: &Context) -> Option<&'static str> {
    let uri: http::Uri = address.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']);
    let loopback = host == "localhost"
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    if context.options.sandbox {
        Some(
            "the session ended with this temporary sandbox; run `didit sandbox` for one that lasts",
        )
    } else if loopback {
        Some(
            "the URL works on this machine only; for a phone, run `didit sandbox --listen 0.0.0.0`",
        )
    } else {
        None
    }
}

/// Formats a table with the URL of a session at its end. On a terminal its QR code comes first, so
/// that the table stays on the screen.
pub(crate) fn with_url(mut table: Table, url: &str, context: &Context) -> String {
    table.link("URL", Some(url));
    table.row("Note", caution(url, context));
    let style = context.style();
    let shown = table.shown(style);
    match qr_code::for_terminal(url, style) {
        Some(code) => format!("{code}\n{shown}"),
        None => shown,
    }
}

/// Opens a URL in the browser, or prints a note if that fails.
pub(crate) fn open(address: &str, context: &Context) {
    // Anything else could be an option, a file or a URL that another program handles.
    if !address.starts_with("https://") && !address.starts_with("http://") {
        context.note("the URL was not opened: it is not a web address");
        return;
    }
    let (program, arguments) = opener();
    let mut command = Command::new(program);
    command.args(arguments).arg(address);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(child) => {
            if fails_early(child) {
                context.note(&format!("{program} could not open the URL; open it yourself"));
            }
        }
        Err(error) => {
            context.note(&format!("could not run {program}: {error}; open the URL yourself"));
        }
    }
}

/// Returns true if the program fails within two seconds. If it keeps running, it may be the browser
/// itself.
fn fails_early(mut child: Child) -> bool {
    for _ in 0..40 {
        match child.try_wait() {
            Ok(None) => thread::sleep(Duration::from_millis(50)),
            Ok(Some(status)) => return !status.success(),
            Err(_) => return true,
        }
    }
    false
}

/// Returns the platform's program for opening a URL, and its leading arguments.
fn opener() -> (&'static str, &'static [&'static str]) {
    if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    }
}
