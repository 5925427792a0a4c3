//! `/`: the front page with forms that create sessions, lists, and commands for a shell; and `/live`.

use serde_json::Value;

use super::html::Html;
use super::{developer, guard, html, lists, redirect_to, save_failed};
use crate::RecordedRequest;
use crate::answer::Answer;
use crate::state::Shared;
use crate::verification::session::Creation;
use crate::{person, special_id};

/// The workflow of verification sessions created by the form.
const WORKFLOW: &str = "11111111-2222-3333-4444-555555555555";

/// The scopes that are ticked at first.
const TICKED: [&str; 3] = ["names", "email", "picture"];

/// The contents of the form of a new session, and the error to show.
struct Draft<'a> {
    scopes: Vec<&'a str>,
    vendor_data: &'a str,
    problem: Option<&'static str>,
}

pub(super) fn show(shared: &Shared) -> Result<Answer, Answer> {
    let draft = Draft { scopes: TICKED.to_vec(), vendor_data: "", problem: None };
    page(shared, &draft).map(|page| page.answer(200))
}

/// Shows the lists of sessions and requests on a page that refreshes itself.
pub(super) fn live(shared: &Shared) -> Result<Answer, Answer> {
    let (now, state) = shared.current().map_err(|error| save_failed(&error))?;
    let mut page = Html::new("Live");
    page.raw(
        "<header class=\"top\">\n<h1>Live</h1>\n<p>This page refreshes every two seconds. \
         <a class=\"open\" href=\"/\">Stop</a></p>\n</header>\n<main class=\"desk wide\">\n",
    );
    lists::sessions(&mut page, &state, now);
    lists::webhooks(&mut page, &state);
    lists::requests(&mut page, shared, &state, now);
    page.raw("</main>\n");
    Ok(page.answer(200).with("Refresh", "2"))
}

fn page(shared: &Shared, draft: &Draft<'_>) -> Result<Html, Answer> {
    let (now, state) = shared.current().map_err(|error| save_failed(&error))?;
    let mut page = Html::new("Sessions");
    page.raw("<header class=\"top\">\n<h1>Didit sandbox</h1>\n");
    page.raw("<p>A stand-in for Didit’s data-transfer and verification APIs, ");
    match &shared.reach.network {
        None => page.raw("on this machine only"),
        Some(network) => {
            page.raw("for everyone in this network at <code>").text(&network.url).raw("</code>")
        }
    };
    page.raw(
        ". Nothing here is real.</p>\n<p><a class=\"open\" href=\"/live\">Watch live</a></p>\n\
         </header>\n<main class=\"desk\">\n<div>\n",
    );
    new_session(&mut page, &shared.form_token, draft);
    new_verification(&mut page, &shared.form_token);
    page.raw("</div>\n<div>\n");
    lists::sessions(&mut page, &state, now);
    shell(&mut page, shared);
    lists::webhooks(&mut page, &state);
    lists::requests(&mut page, shared, &state, now);
    page.raw("</div>\n</main>\n");
    Ok(page)
}

fn new_session(page: &mut Html, form_token: &str, draft: &Draft<'_>) {
    page.raw("<section class=\"card\">\n<h2>New session</h2>\n");
    html::begin_form(page, form_token);
    page.raw("<fieldset").raw(if draft.problem.is_some() {
        " aria-describedby=\"problem\">"
    } else {
        ">"
    });
    page.raw("\n<legend>What should the user share?</legend>\n");
    if let Some(problem) = draft.problem {
        page.raw("<p class=\"problem\" id=\"problem\" role=\"alert\">").raw(problem).raw("</p>\n");
    }
    page.raw("<ul class=\"choices\">\n");
    for scope in person::documented() {
        page.raw("<li><label><input type=\"checkbox\" name=\"scope\" value=\"").text(scope);
        page.raw(if draft.scopes.contains(&scope) { "\" checked> " } else { "\"> " });
        page.text(&person::scope_label(scope)).raw("</label></li>\n");
    }
    page.raw(
        "</ul>\n</fieldset>\n<div class=\"field\">\n\
         <label for=\"vendor_data\">Vendor data (optional; repeated in the decision)</label>\n\
         <input id=\"vendor_data\" name=\"vendor_data\" value=\"",
    );
    page.text(draft.vendor_data);
    page.raw(
        "\">\n</div>\n\
         <button class=\"primary\" name=\"kind\" value=\"session\">Create session</button>\n\
         </form>\n</section>\n",
    );
}

fn new_verification(page: &mut Html, form_token: &str) {
    page.raw("<section class=\"card\">\n<h2>New verification session</h2>\n");
    html::begin_form(page, form_token);
    page.raw(
        "<div class=\"field\">\n<label for=\"user\">Vendor data (optional; the user’s id)</label>\n\
         <input id=\"user\" name=\"vendor_data\">\n</div>\n\
         <button name=\"kind\" value=\"verification\">Create verification session</button>\n\
         </form>\n</section>\n",
    );
}

/// Writes the section with environment variables and commands.
fn shell(page: &mut Html, shared: &Shared) {
    page.raw("<section class=\"card\">\n<h2>From a shell</h2>\n");
    let client_id = &shared.settings.application.client_id;
    let mut commands = vec![developer::variables(shared)];
    if !shared.settings.strict {
        commands.extend(["didit decision any-id".to_owned(), "didit wait slow-1".to_owned()]);
    }
    commands.push(developer::verification_list(shared));
    commands.push(developer::curl(shared, client_id, "/v3/sessions/"));
    developer::commands(page, &commands);
    if shared.settings.strict {
        page.raw(
            "<p class=\"quiet\">This sandbox is strict: it knows only the sessions that were \
             created in it.</p>\n</section>\n",
        );
        return;
    }
    page.raw("<h3>Special session ids</h3>\n<dl class=\"parts\">\n");
    for (prefix, _, description) in special_id::ALL {
        page.raw("<dt><code>").raw(prefix).raw("…</code></dt>\n<dd>").raw(description);
        page.raw("</dd>\n");
    }
    page.raw(
        "<dt>any other</dt>\n<dd>Confirmed, with the sample person.</dd>\n</dl>\n</section>\n",
    );
}

pub(super) fn create(shared: &Shared, request: &RecordedRequest) -> Result<Answer, Answer> {
    let form = guard::form(request, shared.settings.scheme(), &shared.form_token)?;
    let vendor_data = form.get("vendor_data").filter(|text| !text.is_empty()).map(str::to_owned);
    let application = shared.settings.application.client_id.clone();
    let now = shared.now();
    if form.get("kind") == Some("verification") {
        let given = Creation {
            workflow_id: WORKFLOW.to_owned(),
            vendor_data,
            metadata: Value::Null,
            ..Creation::default()
        };
        let sessions = &mut shared.state().verification;
        let again = sessions.unfinished(&application, &given);
        let created = sessions.create(&application, given, again, now);
        return created.map(|_| redirect_to("/")).map_err(|error| save_failed(&error));
    }
    let scopes: Vec<&str> = form.all("scope").filter(|scope| !scope.trim().is_empty()).collect();
    if scopes.is_empty() {
        let vendor_data = vendor_data.as_deref().unwrap_or_default();
        let problem = Some("Tick at least one thing.");
        return Err(page(shared, &Draft { scopes, vendor_data, problem })?.answer(400));
    }
    let created = shared.state().sessions.create(application, scopes.join(" "), vendor_data, now);
    created.map(|_| redirect_to("/")).map_err(|error| save_failed(&error))
}
