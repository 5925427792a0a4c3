use std::fmt;

use serde::Deserialize;

use super::Content;
use super::wire::{FlagOf, ObjectOf, TextOf};
use crate::json::Json;
use crate::personal::redacted;

/// What the person shared: the documented members by method, any member by [`get`](Self::get).
///
/// A member that was not asked for, not approved or not sent is `None`. Members whose shape is not
/// documented come as [`Json`], to be read into a type of the caller's own:
///
/// ```
/// # use std::collections::BTreeMap;
/// # use didit_core::Decision;
/// # let decision = Decision::from_json(br#"{"session_id": "s-1", "status": "Confirmed",
/// #     "user_data": {"sub": "u-1", "address": {"city": "Bilbao"}}}"#)?;
/// let user = decision.user_data().expect("something was shared");
/// let address: BTreeMap<String, String> = user.address().expect("an address").to()?;
/// assert_eq!(address["city"], "Bilbao");
/// # Ok::<(), didit_core::JsonError>(())
/// ```
#[derive(Clone, Copy)]
pub struct UserData<'a> {
    pub(super) content: &'a Content,
}

impl<'a> UserData<'a> {
    fn text(self, of: TextOf) -> Option<&'a str> {
        self.content.text(of)
    }

    fn flag(self, of: FlagOf) -> Option<bool> {
        self.content.members.flag(of)
    }

    /// What is read of an object, if it is there.
    fn object<T>(self, of: ObjectOf, read: impl FnOnce() -> T) -> Option<T> {
        self.content.members.object(of).map(|_| read())
    }

    /// Identifies the user across sessions; always present in shared data.
    pub fn sub(self) -> Option<&'a str> {
        self.text(TextOf::Sub)
    }

    /// The identifier of the user, of the scope `user_id`.
    pub fn user_id(self) -> Option<&'a str> {
        self.text(TextOf::UserId)
    }

    /// The email address.
    pub fn email(self) -> Option<Email<&'a str>> {
        self.object(ObjectOf::Email, || Email {
            email: self.text(TextOf::Email),
            is_verified: self.flag(FlagOf::EmailIsVerified),
            is_primary: self.flag(FlagOf::EmailIsPrimary),
        })
    }

    /// The phone number.
    pub fn phone(self) -> Option<Phone<&'a str>> {
        self.object(ObjectOf::Phone, || Phone {
            phone_number: self.text(TextOf::PhoneNumber),
            is_verified: self.flag(FlagOf::PhoneIsVerified),
            is_primary: self.flag(FlagOf::PhoneIsPrimary),
        })
    }

    /// A temporary URL of the picture.
    pub fn picture(self) -> Option<&'a str> {
        self.text(TextOf::Picture)
    }

    /// The names.
    pub fn names(self) -> Option<Names<&'a str>> {
        self.object(ObjectOf::Names, || Names {
            first_name: self.text(TextOf::FirstName),
            family_name: self.text(TextOf::FamilyName),
            full_name: self.text(TextOf::FullName),
            is_verified: self.flag(FlagOf::NamesIsVerified),
        })
    }

    /// Whether the person is verified.
    pub fn is_verified(self) -> Option<bool> {
        self.flag(FlagOf::IsVerified)
    }

    /// Whether the person is over 18.
    pub fn is_over_18(self) -> Option<bool> {
        self.flag(FlagOf::IsOver18)
    }

    /// Whether the person is over 21.
    pub fn is_over_21(self) -> Option<bool> {
        self.flag(FlagOf::IsOver21)
    }

    /// The gender: an object whose shape is not documented.
    pub fn gender(self) -> Option<Json<'a>> {
        self.present("gender")
    }

    /// The identity document: an object whose shape is not documented.
    pub fn document_detail(self) -> Option<Json<'a>> {
        self.present("document_detail")
    }

    /// The date of birth: an object whose shape is not documented.
    pub fn birthdate(self) -> Option<Json<'a>> {
        self.present("birthdate")
    }

    /// The postal address: an object whose shape is not documented.
    pub fn address(self) -> Option<Json<'a>> {
        self.present("address")
    }

    /// The bank account: an object whose shape is not documented.
    pub fn bank_account(self) -> Option<Json<'a>> {
        self.present("bank_account")
    }

    /// The preferences: an object whose shape is not documented.
    pub fn preferences(self) -> Option<Json<'a>> {
        self.present("preferences")
    }

    /// The Instagram account: an object whose shape is not documented.
    pub fn instagram_account(self) -> Option<Json<'a>> {
        self.present("instagram_account")
    }

    /// The X account: an object whose shape is not documented.
    pub fn x_account(self) -> Option<Json<'a>> {
        self.present("x_account")
    }

    /// The `TikTok` account: an object whose shape is not documented.
    pub fn tiktok_account(self) -> Option<Json<'a>> {
        self.present("tiktok_account")
    }

    fn present(self, name: &str) -> Option<Json<'a>> {
        self.get(name).filter(|value| !value.is_null())
    }

    /// Any member by its name, `null` included: also those that nobody knows yet.
    pub fn get(self, name: &str) -> Option<Json<'a>> {
        self.json()?.get(name)
    }

    /// The whole object as the service sent it.
    pub fn json(self) -> Option<Json<'a>> {
        self.content.json().get("user_data")
    }
}

/// Shows nothing of the person.
impl fmt::Debug for UserData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserData([redacted])")
    }
}

/// An email address and what is known of it; `S` is `&str` as handed out.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Email<S> {
    /// The address.
    pub email: Option<S>,
    /// Whether the person proved to have it.
    pub is_verified: Option<bool>,
    /// Whether it is the person's first one.
    pub is_primary: Option<bool>,
}

impl<S> Email<S> {
    /// The same over another kind of text, like `email.map(str::to_owned)`.
    pub fn map<T>(self, text: impl FnMut(S) -> T) -> Email<T> {
        let Self { email, is_verified, is_primary } = self;
        Email { email: email.map(text), is_verified, is_primary }
    }
}

impl<S> fmt::Debug for Email<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email")
            .field("email", &redacted(self.email.as_ref()))
            .field("is_verified", &self.is_verified)
            .field("is_primary", &self.is_primary)
            .finish()
    }
}

/// A phone number and what is known of it; `S` is `&str` as handed out.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Phone<S> {
    /// The number in international form.
    pub phone_number: Option<S>,
    /// Whether the person proved to have it.
    pub is_verified: Option<bool>,
    /// Whether it is the person's first one.
    pub is_primary: Option<bool>,
}

impl<S> Phone<S> {
    /// The same over another kind of text, like `phone.map(str::to_owned)`.
    pub fn map<T>(self, text: impl FnMut(S) -> T) -> Phone<T> {
        let Self { phone_number, is_verified, is_primary } = self;
        Phone { phone_number: phone_number.map(text), is_verified, is_primary }
    }
}

impl<S> fmt::Debug for Phone<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone")
            .field("phone_number", &redacted(self.phone_number.as_ref()))
            .field("is_verified", &self.is_verified)
            .field("is_primary", &self.is_primary)
            .finish()
    }
}

/// A person's names; `S` is `&str` as handed out.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Names<S> {
    /// The given name or names.
    pub first_name: Option<S>,
    /// The family name or names.
    pub family_name: Option<S>,
    /// All of them, in the order the person uses.
    pub full_name: Option<S>,
    /// Whether they were read from an identity document.
    pub is_verified: Option<bool>,
}

impl<S> Names<S> {
    /// The same over another kind of text, like `names.map(str::to_owned)`.
    pub fn map<T>(self, mut text: impl FnMut(S) -> T) -> Names<T> {
        Names {
            first_name: self.first_name.map(&mut text),
            family_name: self.family_name.map(&mut text),
            full_name: self.full_name.map(&mut text),
            is_verified: self.is_verified,
        }
    }
}

impl<S> fmt::Debug for Names<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("first_name", &redacted(self.first_name.as_ref()))
            .field("family_name", &redacted(self.family_name.as_ref()))
            .field("full_name", &redacted(self.full_name.as_ref()))
            .field("is_verified", &self.is_verified)
            .finish()
    }
}
