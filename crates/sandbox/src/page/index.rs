//! `/`: the sessions, newest first, and a form that creates one.

use super::{guard, html, html::Html, not_kept, see};
use crate::RecordedRequest;
use crate::answer::Answer;
use crate::sessions::Session;
use crate::state::Shared;
use crate::{clock, person};

/// How many sessions are listed.
const LISTED: usize = 100;

/// The documented scopes, and whether the form starts with them ticked.
const SCOPES: [(&str, bool); 17] = [
    ("names", true),
    ("email", true),
    ("phone", false),
    ("picture", true),
    ("is_verified", false),
    ("is_over_18", false),
    ("is_over_21", false),
    ("birthdate", false),
    ("gender", false),
    ("address", false),
    ("document_detail", false),
    ("bank_account", false),
    ("preferences", false),
    ("user_id", false),
    ("instagram_account", false),
    ("x_account", false),
    ("tiktok_account", false),
];

pub(super) fn show(shared: &Shared) -> Answer {
    let now = shared.now();
    let mut page = Html::new("Sessions");
    page.raw(
        "<header class=\"top\">\n<h1>Didit sandbox</h1>\n\
         <p>A stand-in for Didit’s Data API, on this machine alone. Nothing here is real.</p>\n\
         </header>\n<main class=\"desk\">\n<section class=\"card\">\n<h2>New session</h2>\n\
         <form method=\"post\" action=\"/\">\n<input type=\"hidden\" name=\"form\" value=\"",
    );
    page.text(&shared.form_token);
    page.raw(
        "\">\n<fieldset>\n<legend>What is the person asked for?</legend>\n<ul class=\"choices\">\n",
    );
    for (scope, ticked) in SCOPES {
        page.raw("<li><label><input type=\"checkbox\" name=\"scope\" value=\"").text(scope);
        page.raw(if ticked { "\" checked> " } else { "\"> " });
        page.text(&person::label(scope)).raw("</label></li>\n");
    }
    page.raw(
        "</ul>\n</fieldset>\n<div class=\"field\">\n\
         <label for=\"vendor_data\">Vendor data, which the decision repeats (optional)</label>\n\
         <input id=\"vendor_data\" name=\"vendor_data\" autocomplete=\"off\">\n</div>\n\
         <button class=\"primary\">Create session</button>\n</form>\n</section>\n\
         <section class=\"card\">\n<h2>Sessions</h2>\n",
    );
    let state = shared.state();
    let sessions = state.sessions.created();
    let count = sessions.len();
    if count == 0 {
        page.raw("<p class=\"quiet\">None yet. Create one here, or through the API.</p>\n");
    } else {
        page.raw(
            "<div class=\"scroll\">\n<table>\n<thead>\n<tr><th scope=\"col\">Status</th>\
             <th scope=\"col\">Phone</th><th scope=\"col\">Session</th>\
             <th scope=\"col\">Asks for</th><th scope=\"col\">Vendor data</th>\
             <th scope=\"col\">Created (UTC)</th></tr>\n</thead>\n<tbody>\n",
        );
        sessions.take(LISTED).for_each(|session| row(&mut page, session, session.status_at(now)));
        page.raw("</tbody>\n</table>\n</div>\n");
        if count > LISTED {
            page.raw("<p class=\"quiet\">Older sessions not listed: ");
            page.text(&(count - LISTED).to_string()).raw("</p>\n");
        }
    }
    page.raw("</section>\n</main>\n");
    page.answer(200)
}

fn row(page: &mut Html, session: &Session, status: &str) {
    page.raw("<tr>\n<td><span class=\"status ").text(status).raw("\">").text(status);
    page.raw("</span></td>\n<td><a href=\"/authorize/").text(&session.token);
    page.raw("\">Open<span class=\"unseen\"> the phone of session ");
    page.text(&session.number.to_string()).raw("</span></a></td>\n<td><code>");
    page.text(&session.id).raw("</code></td>\n<td>").text(&session.scope).raw("</td>\n<td>");
    page.text(session.vendor_data.as_deref().unwrap_or("–")).raw("</td>\n<td>");
    let created = clock::rfc3339(session.created_at);
    // The time of day is enough for what lives for minutes.
    page.text(created.get(11..19).unwrap_or(&created)).raw("</td>\n</tr>\n");
}

pub(super) fn create(shared: &Shared, request: &RecordedRequest) -> Result<Answer, Answer> {
    let form = guard::form(request, shared.scheme(), &shared.form_token)?;
    let scopes: Vec<&str> = form.all("scope").collect();
    if scopes.concat().trim().is_empty() {
        let why = "A session asks for at least one thing. Go back and tick something.";
        return Err(html::notice(400, "Nothing is asked for", why));
    }
    let vendor_data = form.get("vendor_data").filter(|text| !text.is_empty());
    let application = shared.settings.application.client_id.clone();
    let now = shared.now();
    let mut state = shared.state();
    let created =
        state.sessions.create(application, scopes.join(" "), vendor_data.map(str::to_owned), now);
    created.map(|_| see("/")).map_err(|error| not_kept(&error))
}
