//! `GET /v3/session/{session_id}/generate-pdf/`, as in the [OpenAPI document](https://docs.didit.me/openapi-25.json)

use std::fmt::Write as _;

use super::{Target, status};
use crate::answer::Answer;

pub(super) fn answer(id: &str, target: &Target) -> Result<Answer, Answer> {
    let current = match target {
        Target::Session(session) => session.status.as_str(),
        Target::Sample(status) => status.as_deref().unwrap_or(status::IN_REVIEW),
    };
    if !status::has_pdf(current) {
        let why = "You can only generate a PDF for sessions in review, declined, approved or kyc \
                   expired";
        return Err(Answer::detail(403, why));
    }
    let file = format!("attachment; filename=session_{id}.pdf");
    let lines = [format!("Session {id}"), format!("Status: {current}"), "Didit sandbox".to_owned()];
    Ok(Answer::new(200, pdf(&lines))
        .with("Content-Type", "application/pdf")
        .with("Content-Disposition", file))
}

/// Builds a PDF 1.4 file of one A4 page with these lines of ASCII text (ISO 32000-1, section 7.5).
fn pdf(lines: &[String]) -> Vec<u8> {
    // Writing to a string cannot fail.
    let mut text = "BT /F1 14 Tf 18 TL 72 770 Td".to_owned();
    for line in lines {
        let line = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        let _ = write!(text, " ({line}) Tj T*");
    }
    text.push_str(" ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = writeln!(file, "{} 0 obj\n{object}\nendobj", index + 1);
    }
    let start = file.len();
    file.push_str(&table);
    let _ = write!(
        file,
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    );
    file.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::pdf;

    #[test]
    fn cross_reference_table_has_the_object_offsets() {
        let file = String::from_utf8(pdf(&["a (b)".to_owned()])).expect("ASCII");
        let (_, table) = file.split_once("xref\n0 6\n").expect("a table");
        for (index, line) in table.lines().skip(1).take(5).enumerate() {
            let offset: usize = line[..10].parse().expect("an offset");
            assert!(file[offset..].starts_with(&format!("{} 0 obj\n", index + 1)), "{line}");
        }
        let start: usize =
            file.lines().rev().nth(1).and_then(|line| line.parse().ok()).expect("one");
        assert!(file[start..].starts_with("xref\n"));
        assert!(file.contains("(a \\(b\\)) Tj"));
    }
}
