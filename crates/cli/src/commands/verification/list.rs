//! `didit verification list`

use std::fmt::Display;

use clap::Args;
use didit_blocking_adapter::core::verification::{
    ListSessions, ListedSessions, SessionPage, Status,
};
use didit_blocking_adapter::core::{Call, CallErrorKind, RawJson};

use crate::connection::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, FormatArg};
use crate::{values, verification_table};

/// The maximum number of successive pages without a new session.
const MAX_REPEATING: u32 = 10;

const EXAMPLES: &str = "\
Examples:
  didit verification list --status approved --status in-review --max 20
  didit verification list --vendor-data user-7 --json";

/// List verification sessions, newest first
///
/// Further pages are requested as needed. If sessions are deleted meanwhile, others may be missing.
/// JSON is one session per line, as the service sent it.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct List {
    /// Only sessions with this status; repeatable
    #[arg(long = "status", value_name = "STATUS", value_parser = values::status())]
    statuses: Vec<Status>,
    /// Only sessions with exactly this reference
    #[arg(long, value_name = "TEXT")]
    vendor_data: Option<String>,
    /// Only sessions of this workflow
    #[arg(long, value_name = "ID", value_parser = values::uuid)]
    workflow: Option<String>,
    /// Only sessions that contain this text
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only sessions from this day on, YYYY-MM-DD in UTC
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    from: Option<String>,
    /// Only sessions up to this day, YYYY-MM-DD in UTC
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    to: Option<String>,
    /// user (KYC), business (KYB), or all (users first) [default: user]
    #[arg(long, value_name = "KIND", hide_possible_values = true)]
    #[arg(value_parser = ["user", "business", "all"])]
    kind: Option<String>,
    /// Maximum number of sessions [default: all]
    #[arg(long, value_name = "N", value_parser = values::between(1_usize, 1_000_000_000))]
    #[arg(allow_negative_numbers = true)]
    max: Option<usize>,
    #[command(flatten)]
    format: FormatArg,
}

impl List {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let mut left = self.max.unwrap_or(usize::MAX);
        let list = self.request(left)?;
        // The pages of `all` end with the last KYC session, so each kind is listed on its own.
        let mut lists = match self.kind.as_deref() {
            None => vec![list],
            Some("all") => {
                vec![list.clone().with_session_kind("business"), list.with_session_kind("user")]
            }
            Some(kind) => vec![list.with_session_kind(kind)],
        };
        let connection = Connection::verification(context)?;
        let (mut listed, mut is_empty) = (ListedSessions::default(), true);
        let (mut pages, mut repeating) = (0, 0);
        while let Some(request) = lists.pop().filter(|_| left > 0) {
            let call = Call::new(request).deadline_from_first_send();
            let page: SessionPage = connection.run(call).map_err(|error| {
                match error.call().kind() {
                    // The request was made from the service's link.
                    CallErrorKind::Build(why) if pages > 0 => broken_link(why),
                    _ => Failure::of_call(None, &error),
                }
            })?;
            pages += 1;
            let left_before = left;
            for (session, json) in page.sessions().iter().zip(rows(&page)) {
                if left == 0 {
                    break;
                }
                if !listed.is_new(session) {
                    continue;
                }
                let gap = if is_empty { "" } else { "\n" };
                output::print_as(format, &json, || {
                    let shown = verification_table::of_summary(session).shown(context.style());
                    format!("{gap}{shown}")
                })?;
                is_empty = false;
                left -= 1;
            }
            repeating = if left < left_before { 0 } else { repeating + 1 };
            if repeating > MAX_REPEATING {
                return Err(broken_link(&"it leads to the same sessions"));
            }
            lists.extend(page.next_page());
        }
        if is_empty {
            context.note(self.empty_note());
        }
        Ok(Exit::Done)
    }

    fn empty_note(&self) -> &'static str {
        let texts = [&self.vendor_data, &self.workflow, &self.search, &self.from, &self.to];
        if self.statuses.is_empty() && texts.into_iter().chain([&self.kind]).all(Option::is_none) {
            "there are no verification sessions; `didit verification create` creates one"
        } else {
            "no verification session matches; remove some conditions"
        }
    }

    fn request(&self, most: usize) -> Result<ListSessions, Failure> {
        if let (Some(from), Some(to)) = (&self.from, &self.to)
            && from > to
        {
            return Err(Failure::usage("--from is after --to; swap them"));
        }
        // At most 100 sessions per page, so that a page arrives soon.
        let size = u32::try_from(most).unwrap_or(u32::MAX).min(100);
        let mut list = ListSessions::new().with_limit(size);
        if !self.statuses.is_empty() {
            list = list.with_status(&self.statuses);
        }
        if let Some(text) = &self.vendor_data {
            list = list.with_vendor_data(text);
        }
        if let Some(id) = &self.workflow {
            list = list.with_workflow_id(id).map_err(Failure::usage)?;
        }
        if let Some(text) = &self.search {
            list = list.with_search(text);
        }
        if let Some(date) = &self.from {
            list = list.with_date_from(date).map_err(Failure::usage)?;
        }
        if let Some(date) = &self.to {
            list = list.with_date_to(date).map_err(Failure::usage)?;
        }
        Ok(list)
    }
}

/// Builds the failure of a list that breaks off, as the link to its next page is not usable.
fn broken_link(why: &dyn Display) -> Failure {
    Failure::new(
        Exit::NotADecision,
        format!(
            "could not list all sessions: the service's link to the next page is not usable: {why}; \
         narrow the list with --from and --to, and report this to the service"
        ),
    )
}

/// Returns the sessions of a page as the service sent them.
fn rows(page: &SessionPage) -> impl Iterator<Item = RawJson> {
    let results = page.json().get("results");
    let rows = results.and_then(|results| results.deserialize::<Vec<Option<_>>>().ok());
    rows.into_iter().flatten().flatten()
}
