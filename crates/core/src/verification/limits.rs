use crate::endpoint::Bucket;

/// The maximum numbers of requests to the verification API in a sliding window of 60 seconds;
/// `None` means no limit.
///
/// The service reports its limits only when it refuses a request, so they cannot be learned from
/// successful responses. The defaults are the
/// [documented limits](https://docs.didit.me/integration/rate-limiting); if several clients use one
/// key, give each a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Reads, including decisions. Default: 600.
    pub reads: Option<u32>,
    /// Writes other than new sessions. Default: 300.
    pub writes: Option<u32>,
    /// New sessions. Default: 600.
    pub creates: Option<u32>,
    /// PDFs. Default: 50.
    pub pdfs: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { reads: Some(600), writes: Some(300), creates: Some(600), pdfs: Some(50) }
    }
}

impl Limits {
    pub(crate) fn of(self, bucket: Bucket) -> Option<u32> {
        match bucket {
            Bucket::VerificationReads => self.reads,
            Bucket::VerificationWrites | Bucket::VerificationOther => self.writes,
            Bucket::VerificationCreates => self.creates,
            Bucket::VerificationPdfs => self.pdfs,
            Bucket::Token | Bucket::Decisions | Bucket::Reads | Bucket::Writes => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Policy;

    #[test]
    fn default_limits_match_the_documentation() {
        let limits = Policy::default().verification_limits;
        let defaults = [limits.reads, limits.writes, limits.creates, limits.pdfs];
        assert_eq!(defaults, [600, 300, 600, 50].map(Some));
    }
}
