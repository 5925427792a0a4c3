//! `GET /v3/session/{session_id}/generate-pdf/`
//!
//! [Documentation](https://docs.didit.me/sessions-api/generate-pdf)

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response};
use std::fmt;
use std::io::{self, Write};

use super::SessionId;
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::endpoint::{
    Bucket, Endpoint, EndpointKind, Replay, json_headers, request, sealed, triage,
};
use crate::error::{BuildError, ResponseError};
use crate::session_id::SessionId as AnySessionId;

/// Generates the report of a session as a PDF in English, which may take a minute.
///
/// The status of the session has to be Approved, Declined or In Review; for a KYC session also Kyc
/// Expired.
#[derive(Clone, Debug)]
pub struct GeneratePdf {
    session_id: SessionId,
}

impl GeneratePdf {
    /// Creates a request for the report of a session.
    pub fn new(session_id: SessionId) -> Self {
        Self { session_id }
    }
}

/// The report of a session, a PDF file of at most 64 MiB.
///
/// The file is held in memory, twice while it is being received. It is written only once it is
/// complete, so a writer never gets the bytes of a failed attempt.
///
/// ```no_run
/// # use didit_core::verification::Pdf;
/// # fn example(pdf: &Pdf) -> std::io::Result<()> {
/// std::fs::write("report.pdf", pdf)?;
/// pdf.write_to(std::io::stdout().lock())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Pdf(Vec<u8>);

impl Pdf {
    /// Returns the bytes of the file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Writes the whole file.
    ///
    /// # Errors
    /// The errors of the writer.
    pub fn write_to(&self, mut writer: impl Write) -> io::Result<()> {
        writer.write_all(&self.0)
    }

    /// Returns the bytes of the file, without copying them.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl AsRef<[u8]> for Pdf {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Shows how long the file is.
impl fmt::Debug for Pdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pdf({} bytes)", self.0.len())
    }
}

impl Endpoint for GeneratePdf {
    type Output = Pdf;
    const KIND: EndpointKind = EndpointKind::GenerateVerificationPdf;
    const BUCKET: Bucket = Bucket::VerificationPdfs;
    const AUTHORIZED: bool = true;

    fn replay(&self) -> Replay {
        Replay::Safe
    }

    fn session_id(&self) -> Option<&AnySessionId> {
        Some(self.session_id.as_any())
    }

    fn request(
        &self,
        base: &BaseUrl,
        authorization: Option<&Authorization>,
    ) -> Result<Request<Vec<u8>>, BuildError> {
        let path = format!("/v3/session/{}/generate-pdf/", self.session_id);
        let mut headers = json_headers(authorization);
        // Errors are JSON.
        headers.insert(ACCEPT, HeaderValue::from_static("application/pdf, application/json"));
        request(base, Method::GET, path, Vec::new(), headers)
    }

    fn parse<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Pdf, ResponseError> {
        let pdf = triage::success(self, response, |body| Ok(Pdf(body.to_vec())))?;
        let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let kind = kind.and_then(|kind| kind.split(|&byte| byte == b';').next());
        let has_pdf_type =
            kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"application/pdf"));
        if !has_pdf_type || !has_pdf_header(pdf.as_bytes()) {
            return Err(triage::not_pdf(self, response));
        }
        Ok(pdf)
    }
}

/// Returns whether there is a PDF header in the first 1024 bytes, the range in which PDF readers
/// look for it.
fn has_pdf_header(file: &[u8]) -> bool {
    const HEADER: &[u8] = b"%PDF-";
    let start = &file[..file.len().min(1024)];
    start.windows(HEADER.len()).any(|bytes| bytes == HEADER)
}

impl sealed::Sealed for GeneratePdf {}
