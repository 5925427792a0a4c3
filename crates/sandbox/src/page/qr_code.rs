//! A URL as a QR code (ISO/IEC 18004), as inline SVG.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

use super::html::Html;

/// The width of the empty border that the standard requires, in modules.
const QUIET_ZONE: usize = 4;

/// Writes the code with its text below. A text that is too long for a code is written alone.
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

/// Returns an SVG path that covers the dark modules, with one rectangle for each run in a row.
fn path(code: &QrCode) -> String {
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(code.width().max(1)).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, other| one == other) {
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

    /// Returns the modules that a path covers, as pairs of row and column.
    fn covered(path: &str) -> Vec<(usize, usize)> {
        let numbers = |run: &str| -> Vec<usize> {
            let words = run.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
            words.map(|word| word.parse().expect(word)).collect()
        };
        let runs = path.split('M').skip(1).map(numbers);
        runs.flat_map(|run| (run[0]..run[0] + run[2]).map(move |x| (run[1], x))).collect()
    }

    #[test]
    fn code_decodes_to_the_url() {
        let url = "http://192.168.0.7:8080/authorize/sandbox-0123456789abcdef";
        let code = QrCode::with_error_correction_level(url, EcLevel::M).expect("a code");
        let dark = covered(&path(&code));
        let is_dark = |x, y| dark.contains(&(y + QUIET_ZONE, x + QUIET_ZONE));
        let grid = rqrr::SimpleGrid::from_func(code.width(), is_dark);
        let (_, content) = rqrr::Grid::new(grid).decode().expect("a readable code");
        assert_eq!(content, url);
    }
}
