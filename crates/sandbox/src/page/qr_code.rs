//! A URL as a QR code (ISO/IEC 18004), drawn in the page itself.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

use super::html::Html;

/// The empty border that a reader needs, in modules.
const QUIET_ZONE: usize = 4;

/// Writes the code with its text below; of a text that fits into none, the text alone.
pub(super) fn write(page: &mut Html, url: &str) {
    if let Ok(code) = QrCode::with_error_correction_level(url, EcLevel::M) {
        let size = (code.width() + 2 * QUIET_ZONE).to_string();
        page.raw("<svg class=\"qr\" role=\"img\" aria-label=\"QR code\" viewBox=\"0 0 ");
        page.text(&size)
            .raw(" ")
            .text(&size)
            .raw("\"><path d=\"")
            .text(&path(&code))
            .raw("\"/></svg>\n");
    }
    page.raw("<p><code>").text(url).raw("</code></p>\n");
}

/// Returns a path that covers the dark modules, each run of a line with one rectangle.
fn path(code: &QrCode) -> String {
    let mut path = String::new();
    for (y, line) in code.to_colors().chunks(code.width().max(1)).enumerate() {
        let mut x = 0;
        for run in line.chunk_by(|one, other| one == other) {
            if run.first() == Some(&Color::Dark) {
                let (x, y, length) = (x + QUIET_ZONE, y + QUIET_ZONE, run.len());
                // Writing to a string cannot fail.
                let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
            }
            x += run.len();
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_covers_the_dark_modules() {
        let code =
            QrCode::with_error_correction_level("http://192.168.0.7:8080/authorize/x", EcLevel::M);
        let code = code.expect("a code");
        let dark = code.to_colors().iter().filter(|color| **color == Color::Dark).count();
        let lengths = path(&code);
        let covered = lengths.split('h').skip(1).step_by(2).map(|rest| {
            rest.split('v')
                .next()
                .and_then(|length| length.parse::<usize>().ok())
                .expect("a length")
        });
        assert_eq!(covered.sum::<usize>(), dark);
        // The corner of a finder pattern is seven modules wide.
        assert!(lengths.starts_with("M4 4h7v1h-7z"), "{lengths}");
    }
}
