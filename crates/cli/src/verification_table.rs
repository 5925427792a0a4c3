//! The table of a verification session: the decision, and one section per report.

use didit_blocking_adapter::core::RawJson;
use didit_blocking_adapter::core::verification::{Decision, SessionSummary};

use crate::table::Table;
use crate::words;

/// The members of a report that are shown separately, or are meaningless to people.
const APART: [&str; 3] = ["status", "node_id", "warnings"];

pub(crate) fn of(decision: &Decision) -> Table {
    let mut table = Table::default();
    table.row("Session", decision.session_id());
    table.row("Number", decision.session_number());
    table.row("Kind", decision.session_kind().map(kind));
    table.status(decision.status().as_str());
    table.row("Vendor data", decision.vendor_data());
    table.row("Workflow", decision.workflow_id());
    table.row("Created", decision.created_at());
    table.link("URL", decision.session_url());
    for (name, value) in decision.json().members() {
        for report in value.deserialize::<Vec<RawJson>>().unwrap_or_default() {
            if !report.members().is_empty() {
                report_rows(&mut table, &name, &report);
            }
        }
    }
    table
}

/// Returns the table of one session in a list.
pub(crate) fn of_summary(session: &SessionSummary) -> Table {
    let mut table = Table::default();
    table.row("Session", session.session_id.as_ref());
    table.row("Number", session.session_number.as_ref());
    table.row("Kind", session.session_kind.as_deref().map(kind));
    if let Some(status) = &session.status {
        table.status(status.as_str());
    }
    table.row("Name", session.full_name.as_ref().or(session.company_name.as_ref()));
    table.row("Country", session.country.as_ref());
    table.row("Vendor data", session.vendor_data.as_ref());
    table.row("Created", session.created_at.as_ref());
    table
}

/// Adds a report: its status, its scalar members, and the codes of its warnings.
fn report_rows(table: &mut Table, name: &str, report: &RawJson) {
    let text_of = |value: &RawJson| value.deserialize::<String>().ok();
    let status = report.get("status").and_then(|status| text_of(&status));
    let name = match name {
        "ip_analyses" => "IP analysis".to_owned(),
        "face_matches" => "Face match".to_owned(),
        "poa_verifications" => "Proof of address".to_owned(),
        _ => {
            let plural = words::of_member(&words::shortened(name));
            plural.strip_suffix('s').unwrap_or(&plural).to_owned()
        }
    };
    table.section(&name, |table| {
        if let Some(status) = &status {
            table.status(status);
        }
        for (name, value) in report.members() {
            let nested = value.as_str().starts_with(['{', '[']);
            if APART.contains(&&*name) || nested || value.is_null() {
                continue;
            }
            let text = words::of_value(&value);
            let label = words::of_member(&words::shortened(&name));
            if text.starts_with("https://") {
                table.link(&label, Some(text));
            } else {
                table.row(&label, Some(text));
            }
        }
        let warnings =
            report.get("warnings").and_then(|all| all.deserialize::<Vec<RawJson>>().ok());
        let risks = warnings
            .unwrap_or_default()
            .into_iter()
            .filter_map(|warning| warning.get("risk").and_then(|risk| text_of(&risk)));
        let risks: Vec<_> = risks.collect();
        table.row("Warnings", Some(risks.join(", ")).filter(|risks| !risks.is_empty()));
    });
}

fn kind(kind: &str) -> &str {
    match kind {
        "user" => "user (KYC)",
        "business" => "business (KYB)",
        other => other,
    }
}
