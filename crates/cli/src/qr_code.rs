//! A URL as a QR code of half-block characters, to be scanned from the screen.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::style::Style;

/// The assumed width of a terminal that does not report it, in columns.
const DEFAULT_WIDTH: usize = 80;

/// Returns the QR code if standard output is a terminal that can show it. That requires colors:
/// without them, a theme may swap the dark and the light squares.
pub(crate) fn for_terminal(address: &str, style: Style) -> Option<String> {
    let shows = style.colors && io::stdout().is_terminal();
    shows.then(|| drawn(address, style.width.unwrap_or(DEFAULT_WIDTH))).flatten()
}

/// Returns the QR code, unless it is wider than `width` columns.
fn drawn(address: &str, width: usize) -> Option<String> {
    // Black on white in any theme: themes redefine only the first 16 colors.
    const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
    const RESET: &str = "\x1b[0m";
    let code = QrCode::with_error_correction_level(address, EcLevel::L).ok()?;
    let squares = code.render::<Dense1x2>().quiet_zone(true).module_dimensions(1, 1).build();
    if squares.lines().any(|line| line.chars().count() > width) {
        return None;
    }
    let mut drawn = String::new();
    for line in squares.lines() {
        // Writing to a string cannot fail.
        let _ = writeln!(drawn, "{BLACK_ON_WHITE}{line}{RESET}");
    }
    Some(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://app.didit.me/authorize/unique-session-token";

    /// Returns the text that a phone would read from the drawn code.
    fn scanned(drawn: &str) -> String {
        let rows: Vec<Vec<bool>> = drawn
            .lines()
            .flat_map(|line| {
                let line = line.strip_prefix("\x1b[38;5;16;48;5;231m").unwrap();
                let line = line.strip_suffix("\x1b[0m").unwrap();
                let half = |dark: [char; 2]| line.chars().map(|c| dark.contains(&c)).collect();
                [half(['▀', '█']), half(['▄', '█'])]
            })
            .collect();
        let scale = 4;
        let (width, height) = (rows[0].len() * scale, rows.len() * scale);
        let mut image = rqrr::PreparedImage::prepare_from_bitmap(width, height, |x, y| {
            rows[y / scale][x / scale]
        });
        image.detect_grids()[0].decode().unwrap().1
    }

    #[test]
    fn code_decodes_to_the_address() {
        for address in [ADDRESS, &format!("{ADDRESS}{}", "x".repeat(300))] {
            assert_eq!(scanned(&drawn(address, 200).unwrap()), address);
        }
    }

    #[test]
    fn code_has_a_quiet_zone_of_four_squares() {
        let drawn = drawn(ADDRESS, 80).unwrap();
        let lines: Vec<_> = drawn.lines().collect();
        for line in [lines[0], lines[1], lines[lines.len() - 2], lines[lines.len() - 1]] {
            assert!(!line.contains(['▄', '█']), "{line}");
        }
        assert!(lines.iter().all(|line| line.contains("231m    ") && line.contains("    \x1b[0m")));
    }

    #[test]
    fn code_wider_than_the_terminal_is_omitted() {
        let columns = |columns| drawn(ADDRESS, columns).is_some();
        let widest = (1..=80).find(|&width| columns(width)).unwrap();
        assert!(!columns(widest - 1) && (29..60).contains(&widest), "{widest}");
        assert!(drawn(&"x".repeat(3000), usize::MAX).is_none());
    }
}
