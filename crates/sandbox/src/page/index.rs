//! `/`: how to reach the sandbox, forms that create sessions, and what there is.

use serde_json::Value;

use super::html::Html;
use super::{developer, guard, html, lists, not_kept, see};
use crate::RecordedRequest;
use crate::answer::Answer;
use crate::form::Form;
use crate::person;
use crate::state::Shared;
use crate::verification::session::Creation;

/// The workflow of the sessions that the form creates.
const WORKFLOW: &str = "11111111-2222-3333-4444-555555555555";

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

/// Session ids that nobody needs to create, and what they are answered with.
const PARTS: [(&str, &str); 4] = [
    ("declined-…", "The person declined."),
    ("expired-…", "The person did not decide in time."),
    ("slow-…", "Initialized when first asked for, retrieved 5 seconds later, confirmed after 10."),
    ("any other", "Confirmed, with the sample person."),
];

pub(super) fn show(shared: &Shared) -> Result<Answer, Answer> {
    let now = shared.now();
    let mut state = shared.state();
    state.verification.expire(now).map_err(|error| not_kept(&error))?;
    let mut page = Html::new("Sessions");
    page.raw(
        "<header class=\"top\">\n<h1>Didit sandbox</h1>\n\
         <p>A stand-in for Didit’s Data API and verification API, on this machine only. Nothing \
         here is real.</p>\n<p><a class=\"open\" href=\"/live\">Watch live</a></p>\n</header>\n<main class=\"desk\">\n<div>\n",
    );
    new_session(&mut page, &shared.form_token);
    new_verification(&mut page, &shared.form_token);
    page.raw("</div>\n<div>\n");
    lists::sessions(&mut page, &state, now);
    shell(&mut page, shared);
    lists::webhooks(&mut page, &state);
    lists::requests(&mut page, shared, &state, now);
    page.raw("</div>\n</main>\n");
    Ok(page.answer(200))
}

fn new_session(page: &mut Html, form_token: &str) {
    page.raw("<section class=\"card\">\n<h2>New session</h2>\n");
    begin_form(page, form_token);
    page.raw(
        "<fieldset>\n<legend>What should the person share?</legend>\n<ul class=\"choices\">\n",
    );
    for (scope, ticked) in SCOPES {
        page.raw("<li><label><input type=\"checkbox\" name=\"scope\" value=\"").text(scope);
        page.raw(if ticked { "\" checked> " } else { "\"> " });
        page.text(&person::scope_label(scope)).raw("</label></li>\n");
    }
    page.raw(
        "</ul>\n</fieldset>\n<div class=\"field\">\n\
         <label for=\"vendor_data\">Vendor data (optional; repeated in the decision)</label>\n\
         <input id=\"vendor_data\" name=\"vendor_data\" autocomplete=\"off\">\n</div>\n\
         <button class=\"primary\" name=\"kind\" value=\"session\">Create session</button>\n\
         </form>\n</section>\n",
    );
}

fn new_verification(page: &mut Html, form_token: &str) {
    page.raw("<section class=\"card\">\n<h2>New verification session</h2>\n");
    begin_form(page, form_token);
    page.raw(
        "<div class=\"field\">\n<label for=\"user\">Vendor data (optional; the user’s id)</label>\n\
         <input id=\"user\" name=\"vendor_data\" autocomplete=\"off\">\n</div>\n\
         <button name=\"kind\" value=\"verification\">Create verification session</button>\n\
         </form>\n</section>\n",
    );
}

fn begin_form(page: &mut Html, form_token: &str) {
    page.raw("<form method=\"post\" action=\"/\">\n<input type=\"hidden\" name=\"form\" value=\"");
    page.text(form_token).raw("\">\n");
}

/// How a program or a shell reaches the sandbox.
fn shell(page: &mut Html, shared: &Shared) {
    page.raw("<section class=\"card\">\n<h2>From a shell</h2>\n");
    let mut commands = developer::variables(shared);
    commands.push("didit decision any-id".to_owned());
    commands.push("didit wait slow-1".to_owned());
    let client_id = &shared.settings.application.client_id;
    commands.push(developer::curl(shared, client_id, "/v3/sessions/"));
    developer::commands(page, &commands);
    if shared.settings.strict {
        page.raw(
            "<p class=\"quiet\">This sandbox is strict: it knows only the sessions that were \
             created in it.</p>\n</section>\n",
        );
        return;
    }
    page.raw("<h3>Session ids that play a part</h3>\n<dl class=\"parts\">\n");
    for (id, answer) in PARTS {
        page.raw("<dt><code>").text(id).raw("</code></dt>\n<dd>").text(answer).raw("</dd>\n");
    }
    page.raw("</dl>\n</section>\n");
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
        let created = shared.state().verification.create(&application, given, now);
        return created.map(|_| see("/")).map_err(|error| not_kept(&error));
    }
    let scope = scope(&form)?;
    let created = shared.state().sessions.create(application, scope, vendor_data, now);
    created.map(|_| see("/")).map_err(|error| not_kept(&error))
}

fn scope(form: &Form) -> Result<String, Answer> {
    let scopes: Vec<&str> = form.all("scope").collect();
    if scopes.concat().trim().is_empty() {
        let why = "A session asks for at least one thing. Go back and tick something.";
        return Err(html::notice(400, "Nothing is asked for", why));
    }
    Ok(scopes.join(" "))
}
