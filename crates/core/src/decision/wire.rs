//! The members of a decision's answer as they stand in it; every one may be absent or null.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::user_data::{Email, Names, Phone};
use crate::json::{Object, Text};

#[derive(Deserialize)]
pub(super) struct Decision<'a> {
    #[serde(borrow)]
    pub(super) session_id: Option<Text<'a>>,
    pub(super) session_number: Option<&'a RawValue>,
    pub(super) status: Option<Text<'a>>,
    pub(super) vendor_data: Option<Text<'a>>,
    pub(super) scope: Option<Text<'a>>,
    pub(super) created_at: Option<Text<'a>>,
    pub(super) user_data: Option<Object<UserData<Text<'a>>>>,
}

/// The typed members of `user_data`, over one kind of text: as parsed, and as kept.
#[derive(Clone, Deserialize)]
pub(super) struct UserData<S> {
    pub(super) sub: Option<S>,
    pub(super) user_id: Option<S>,
    pub(super) email: Option<Object<Email<S>>>,
    pub(super) phone: Option<Object<Phone<S>>>,
    pub(super) picture: Option<S>,
    pub(super) names: Option<Object<Names<S>>>,
    pub(super) is_verified: Option<bool>,
    pub(super) is_over_18: Option<bool>,
    pub(super) is_over_21: Option<bool>,
}

impl<S> UserData<S> {
    pub(super) fn map<T>(self, mut text: impl FnMut(S) -> T) -> UserData<T> {
        UserData {
            sub: self.sub.map(&mut text),
            user_id: self.user_id.map(&mut text),
            email: self.email.map(|Object(email)| Object(email.map(&mut text))),
            phone: self.phone.map(|Object(phone)| Object(phone.map(&mut text))),
            picture: self.picture.map(&mut text),
            names: self.names.map(|Object(names)| Object(names.map(&mut text))),
            is_verified: self.is_verified,
            is_over_18: self.is_over_18,
            is_over_21: self.is_over_21,
        }
    }

    /// Whether none of the typed members is there; others may be.
    pub(super) fn is_empty(&self) -> bool {
        let Self { sub, user_id, email, phone, picture, names, .. } = self;
        let texts = [sub, user_id, picture].iter().any(|text| text.is_some());
        let flags = [self.is_verified, self.is_over_18, self.is_over_21];
        !(texts || email.is_some() || phone.is_some() || names.is_some())
            && flags.iter().all(Option::is_none)
    }
}
