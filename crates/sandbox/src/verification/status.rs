//! The statuses of a session, spelled as in the service.

pub(crate) const NOT_STARTED: &str = "Not Started";
pub(crate) const IN_PROGRESS: &str = "In Progress";
pub(crate) const AWAITING_USER: &str = "Awaiting User";
pub(crate) const IN_REVIEW: &str = "In Review";
pub(crate) const APPROVED: &str = "Approved";
pub(crate) const DECLINED: &str = "Declined";
pub(crate) const RESUBMITTED: &str = "Resubmitted";
pub(crate) const EXPIRED: &str = "Expired";
pub(crate) const KYC_EXPIRED: &str = "Kyc Expired";
pub(crate) const ABANDONED: &str = "Abandoned";

/// Every documented status.
pub(crate) const ALL: [&str; 10] = [
    NOT_STARTED,
    IN_PROGRESS,
    AWAITING_USER,
    IN_REVIEW,
    APPROVED,
    DECLINED,
    RESUBMITTED,
    EXPIRED,
    KYC_EXPIRED,
    ABANDONED,
];

/// Returns whether the session still waits for its user.
pub(crate) fn is_unfinished(status: &str) -> bool {
    matches!(status, NOT_STARTED | IN_PROGRESS | RESUBMITTED | AWAITING_USER)
}

/// Returns whether the decision has reports, because the steps have run.
pub(crate) fn has_reports(status: &str) -> bool {
    matches!(status, IN_REVIEW | APPROVED | DECLINED | RESUBMITTED | KYC_EXPIRED)
}

/// Returns whether a webhook with this status contains the decision.
pub(crate) fn webhook_has_decision(status: &str) -> bool {
    matches!(status, IN_REVIEW | APPROVED | DECLINED | ABANDONED)
}

/// Returns whether a PDF report can be generated.
pub(crate) fn has_pdf(status: &str) -> bool {
    matches!(status, IN_REVIEW | APPROVED | DECLINED | KYC_EXPIRED)
}

/// Returns whether update-status can change a session with this status.
pub(crate) fn can_be_updated(status: &str) -> bool {
    matches!(status, APPROVED | DECLINED | IN_REVIEW | KYC_EXPIRED | ABANDONED | RESUBMITTED)
}
