//! `didit verification delete SESSION_ID`

use clap::Args;
use didit_blocking_adapter::core::verification::{DeleteSession, SessionId};

use crate::connection::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  didit verification delete SESSION_ID --yes";

/// Permanently delete a verification session and its data
///
/// It cannot be undone, so --yes is needed. Nothing is printed.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Delete {
    /// The id of the session, a UUID
    #[arg(value_parser = values::verification_id)]
    session_id: SessionId,
    /// Confirm that the data is to be deleted
    #[arg(long)]
    yes: bool,
    /// Keep the face template that recognizes the user
    #[arg(long)]
    retain_face: bool,
    /// Days to keep it [default: the application's setting]
    #[arg(long, value_name = "DAYS", requires = "retain_face")]
    #[arg(value_parser = values::between(1_u32, 100_000))]
    retain_days: Option<u32>,
}

impl Delete {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if !self.yes {
            return Err(Failure::usage(
                "deleting cannot be undone; add --yes to delete the session and its data",
            ));
        }
        let mut request = DeleteSession::new(self.session_id.clone());
        if self.retain_face {
            request = request.retain_face_embeddings(self.retain_days);
        }
        let connection = Connection::verification(context)?;
        let deletion = connection.call(Some(self.session_id.as_str()), request)?;
        let outcome = deletion.face_retention_outcome;
        if let Some(outcome) = outcome.filter(|outcome| outcome != "retained_with_user")
            && self.retain_face
        {
            context.note(&format!("the face was not kept: {outcome}"));
        }
        Ok(Exit::Done)
    }
}
