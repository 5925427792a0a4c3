//! Form data as sent by a browser (`application/x-www-form-urlencoded`).

use crate::RecordedRequest;

/// The fields of a form, in their order.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// Reads the form of a request; `None` if the request has another content type.
    pub(crate) fn of(request: &RecordedRequest) -> Option<Self> {
        let is_form = request.has_type("application/x-www-form-urlencoded");
        is_form.then(|| Self::read(&request.body))
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }
}
