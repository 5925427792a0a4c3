//! `/live`: the lists of sessions and requests on a page that refreshes itself.

use super::html::Html;
use super::{lists, save_failed};
use crate::answer::Answer;
use crate::state::Shared;

pub(super) fn show(shared: &Shared) -> Result<Answer, Answer> {
    let now = shared.now();
    let mut state = shared.state();
    state.verification.expire(now).map_err(|error| save_failed(&error))?;
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
