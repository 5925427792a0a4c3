//! The tables of sessions, webhooks and requests.

use std::time::Duration;

use super::Page;
use super::hosted_flow::class;
use super::html::Html;
use crate::clock;
use crate::record::RecordedRequest;
use crate::state::{Shared, State};
use crate::webhook::WebhookFault;

/// Maximum number of sessions in a table.
const LISTED: usize = 100;
/// Maximum number of rows in the tables of webhooks and requests.
const REQUESTS_LISTED: usize = 20;

/// A row of a table of sessions.
struct Row<'a> {
    status: &'a str,
    /// The path of the session's page.
    path: String,
    /// The name of that page.
    page: &'static str,
    number: u64,
    id: &'a str,
    about: &'a str,
    /// Set if `about` is set as code.
    about_is_code: bool,
    vendor_data: Option<&'a str>,
    created_at: Duration,
}

/// Writes both tables of sessions, newest first.
pub(super) fn sessions(page: &mut Html, state: &State, now: Duration) {
    page.raw("<section class=\"card\">\n<h2>Sessions</h2>\n");
    let created = state.sessions.created();
    let count = created.len();
    let rows = created.map(|session| Row {
        status: session.status_at(now),
        path: format!("/authorize/{}", session.token),
        page: "phone of session",
        number: session.number,
        id: &session.id,
        about: &session.scope,
        about_is_code: false,
        vendor_data: session.vendor_data.as_deref(),
        created_at: session.created_at,
    });
    table(page, "Asks for", count, rows);
    page.raw("</section>\n<section class=\"card\">\n<h2>Verification sessions</h2>\n");
    let created = || state.verification.created();
    let rows = created().map(|session| Row {
        status: &session.status,
        path: session.url(""),
        page: "flow of verification session",
        number: session.number,
        id: &session.id,
        about: &session.given.workflow_id,
        about_is_code: true,
        vendor_data: session.given.vendor_data.as_deref(),
        created_at: session.created_at,
    });
    table(page, "Workflow", created().count(), rows);
    page.raw("</section>\n");
}

fn table<'a>(
    page: &mut Html,
    about: &'static str,
    count: usize,
    rows: impl Iterator<Item = Row<'a>>,
) {
    if count == 0 {
        page.raw("<p class=\"quiet\">None yet.</p>\n");
        return;
    }
    begin(page, &["Status", "Page", "Session", about, "Vendor data", "Created (UTC)"]);
    for row in rows.take(LISTED) {
        page.raw("<tr role=\"row\">\n").status_cell(row.status);
        page.raw("<td role=\"cell\"><a class=\"open\" href=\"").text(&row.path);
        page.raw("\">Open<span class=\"unseen\"> the ").raw(row.page).raw(" ");
        page.text(&row.number.to_string()).raw("</span></a></td>\n");
        page.code_cell("Session", row.id);
        let about_cell = if row.about_is_code { Html::code_cell } else { Html::cell };
        about_cell(page, about, row.about);
        page.cell("Vendor data", row.vendor_data.unwrap_or("–"));
        page.cell("Created (UTC)", &clock::time_of_day(row.created_at)).raw("</tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
    if count > LISTED {
        page.raw("<p class=\"quiet\">Older sessions not listed: ");
        page.text(&(count - LISTED).to_string()).raw("</p>\n");
    }
}

/// Writes the latest attempts to deliver a webhook, newest first, if there are destinations.
pub(super) fn webhooks(page: &mut Html, state: &State) {
    let outbox = &state.verification.outbox;
    if outbox.destinations.is_empty() {
        return;
    }
    page.raw("<section class=\"card\">\n<h2>Webhooks</h2>\n");
    if outbox.delivered.is_empty() {
        page.raw("<p class=\"quiet\">None sent yet.</p>\n</section>\n");
        return;
    }
    begin(page, &["Sent (UTC)", "Session", "Status", "Fault", "Attempt", "Response"]);
    for delivery in outbox.delivered.iter().rev().take(REQUESTS_LISTED) {
        page.raw("<tr role=\"row\">\n").cell("Sent (UTC)", &clock::time_of_day(delivery.sent_at));
        page.code_cell("Session", &delivery.session_id).status_cell(&delivery.session_status);
        let fault = match delivery.fault {
            WebhookFault::Pass => "–".to_owned(),
            fault => fault.to_string(),
        };
        page.cell("Fault", &fault).cell("Attempt", &delivery.attempt.to_string());
        page.cell("Response", &answer(delivery.answer)).raw("</tr>\n");
    }
    page.raw("</tbody>\n</table>\n</section>\n");
}

/// Writes the latest requests to the API, newest first, without those to the pages.
pub(super) fn requests(page: &mut Html, shared: &Shared, state: &State, now: Duration) {
    page.raw("<section class=\"card\">\n<h2>Latest requests</h2>\n");
    let elapsed = shared.started.elapsed();
    let latest = state.journal.latest().filter(|request| is_of_api(request));
    let latest: Vec<&RecordedRequest> = latest.collect();
    if latest.is_empty() {
        page.raw("<p class=\"quiet\">None yet.</p>\n</section>\n");
        return;
    }
    begin(page, &["Time (UTC)", "Request", "Response"]);
    let runs = latest.chunk_by(|one, other| is_same(one, other)).take(REQUESTS_LISTED);
    for (request, count) in runs.filter_map(|run| Some((run.first()?, run.len()))) {
        let received = now.saturating_sub(elapsed.saturating_sub(request.received));
        page.raw("<tr role=\"row\">\n").cell("Time (UTC)", &clock::time_of_day(received));
        page.raw("<td role=\"cell\"><code>").text(&request.method).raw(" ");
        page.text(&request.redacted_path()).raw("</code>");
        if count > 1 {
            page.raw(" <span class=\"quiet\">").text(&count.to_string()).raw(" times</span>");
        }
        page.raw("</td>\n").cell("Response", &answer(request.status)).raw("</tr>\n");
    }
    page.raw("</tbody>\n</table>\n</section>\n");
}

/// Returns whether two requests and their responses look the same, like those of a polling client.
fn is_same(one: &RecordedRequest, other: &RecordedRequest) -> bool {
    (&one.method, &one.path, one.status) == (&other.method, &other.path, other.status)
}

fn answer(status: Option<u16>) -> String {
    status.map_or("none".to_owned(), |status| status.to_string())
}

fn is_of_api(request: &RecordedRequest) -> bool {
    Page::of(&request.path).is_none()
}

/// Begins a table. The roles are explicit because narrow screens display the rows as blocks, which
/// removes the implicit ones.
fn begin(page: &mut Html, columns: &[&'static str]) {
    page.raw("<table role=\"table\">\n<thead role=\"rowgroup\">\n<tr role=\"row\">");
    for column in columns {
        page.raw("<th role=\"columnheader\" scope=\"col\">").raw(column).raw("</th>");
    }
    page.raw("</tr>\n</thead>\n<tbody role=\"rowgroup\">\n");
}

impl Html {
    fn cell(&mut self, label: &'static str, text: &str) -> &mut Self {
        self.raw("<td role=\"cell\" data-label=\"").raw(label).raw("\">").text(text).raw("</td>\n")
    }

    fn code_cell(&mut self, label: &'static str, code: &str) -> &mut Self {
        self.raw("<td class=\"id\" role=\"cell\" data-label=\"").raw(label).raw("\"><code>");
        self.text(code).raw("</code></td>\n")
    }

    fn status_cell(&mut self, status: &str) -> &mut Self {
        self.raw("<td role=\"cell\"><span class=\"status ").text(&class(status)).raw("\">");
        self.text(status).raw("</span></td>\n")
    }
}
