//! `didit verification update-status SESSION_ID STATUS`

use clap::{Args, ValueEnum};
use didit_blocking_adapter::core::verification::{SessionId, UpdateStatus as Request};

use crate::connection::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  didit verification update-status SESSION_ID approved --comment 'checked by hand'
  didit verification update-status SESSION_ID resubmitted --node feature_ocr_1=OCR";

/// Approve or decline a verification session, or have the user repeat steps
///
/// The session must be Approved, Declined, In Review, Kyc Expired, Abandoned or Resubmitted. A
/// request that may have reached the service is not repeated. Nothing is printed.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct UpdateStatus {
    /// The id of the session, a UUID
    #[arg(value_parser = values::verification_id)]
    session_id: SessionId,
    /// The new status
    #[arg(value_enum, ignore_case = true)]
    status: NewStatus,
    /// The reason
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Step to repeat, with resubmitted; repeatable [default: those not approved]
    #[arg(long = "node", value_name = "NODE_ID=FEATURE", value_parser = node)]
    nodes: Vec<(String, String)>,
    /// Have the service send an email to this address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Language of the email [default: English]
    #[arg(long, value_name = "CODE", requires = "email")]
    language: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NewStatus {
    Approved,
    Declined,
    Resubmitted,
}

impl UpdateStatus {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.status != NewStatus::Resubmitted && !self.nodes.is_empty() {
            return Err(Failure::usage("--node requires the status resubmitted"));
        }
        let id = self.session_id.clone();
        let mut request = match self.status {
            NewStatus::Approved => Request::approve(id),
            NewStatus::Declined => Request::decline(id),
            NewStatus::Resubmitted => Request::resubmit(id),
        };
        if let Some(comment) = &self.comment {
            request = request.with_comment(comment);
        }
        for (node, feature) in &self.nodes {
            request = request.with_node(node, feature);
        }
        if let Some(address) = &self.email {
            request = request.with_email(address, self.language.as_deref());
        }
        let connection = Connection::verification(context)?;
        connection.call(Some(self.session_id.as_str()), request)?;
        Ok(Exit::Done)
    }
}

fn node(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((node, feature)) if !node.is_empty() && !feature.is_empty() => {
            Ok((node.to_owned(), feature.to_owned()))
        }
        _ => Err(format!("{text:?} is not NODE_ID=FEATURE, like feature_ocr_1=OCR")),
    }
}
