//! A form as a browser sends it.

use crate::RecordedRequest;

/// The fields of a form in the order they stand in it.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The form of a request, if it carries one.
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
