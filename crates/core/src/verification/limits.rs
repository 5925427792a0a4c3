use crate::endpoint::Bucket;

/// The most requests to the verification API in one sliding window of 60 seconds; `None` is without a
/// limit.
///
/// The service names its limits only when it refuses a request, so nothing can be learned from a
/// success. The defaults are as
/// [documented](https://docs.didit.me/integration/rate-limiting); give each client its share where
/// several use one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Reads, decisions included. Default: 600.
    pub reads: Option<u32>,
    /// Writes, but new sessions. Default: 300.
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
            Bucket::VerificationWrites => self.writes,
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
    fn the_documented_limits_are_the_default() {
        let limits = Policy::default().verification_limits;
        let defaults = [limits.reads, limits.writes, limits.creates, limits.pdfs];
        assert_eq!(defaults, [600, 300, 600, 50].map(Some));
    }
}
