//! The color of a status, for both APIs.

use didit_blocking_adapter::core::{data_transfer, verification};

use crate::style::Look;

pub(crate) fn of(status: &str) -> Look {
    use data_transfer::Status as Transfer;
    use verification::Status as Verified;
    match (Transfer::from(status), Verified::from(status)) {
        (Transfer::Confirmed, _) | (_, Verified::Approved) => Look::Good,
        (Transfer::Declined | Transfer::Cancelled | Transfer::Expired, _)
        | (
            _,
            Verified::Declined | Verified::Expired | Verified::KycExpired | Verified::Abandoned,
        ) => Look::Bad,
        _ => Look::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_both_apis_have_a_color() {
        for (status, look) in [
            ("confirmed", Look::Good),
            ("APPROVED", Look::Good),
            ("Cancelled", Look::Bad),
            ("Kyc Expired", Look::Bad),
            ("In Review", Look::Pending),
            ("unheard of", Look::Pending),
        ] {
            assert_eq!(of(status), look, "{status}");
        }
    }
}
