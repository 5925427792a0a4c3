use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::{RawJson, optional_object};
use crate::secret::redacted;

/// The shared user data, by scope.
///
/// A member that was not requested, approved or sent is `None`. Members of undocumented shape are
/// [`RawJson`], which [`deserialize`](RawJson::deserialize)s into a custom type. Unknown
/// members are in [`Decision::user_data_json`](super::Decision::user_data_json).
///
/// Source: [user scopes](https://docs.didit.me/data-transfer/user-scopes).
///
/// ```
/// # use std::collections::BTreeMap;
/// # use didit_core::data_transfer::Decision;
/// # let decision = Decision::from_json(br#"{"session_id": "s-1", "status": "Confirmed",
/// #     "user_data": {"sub": "u-1", "address": {"city": "Bilbao"}}}"#)?;
/// let user = decision.user_data().expect("something was shared");
/// let address = user.address.as_ref().expect("an address");
/// let address: BTreeMap<String, String> = address.deserialize()?;
/// assert_eq!(address["city"], "Bilbao");
/// # Ok::<(), didit_core::JsonError>(())
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct UserData {
    /// The identifier of the user across sessions; always present in shared data.
    pub sub: Option<String>,
    /// The identifier of the user; requires the scope `user_id`.
    pub user_id: Option<String>,
    /// The email address.
    #[serde(deserialize_with = "optional_object")]
    pub email: Option<Email>,
    /// The phone number.
    #[serde(deserialize_with = "optional_object")]
    pub phone: Option<Phone>,
    /// A temporary URL of the picture.
    pub picture: Option<String>,
    /// The names.
    #[serde(deserialize_with = "optional_object")]
    pub names: Option<Names>,
    /// True if the person is verified.
    pub is_verified: Option<bool>,
    /// True if the person is over 18.
    pub is_over_18: Option<bool>,
    /// True if the person is over 21.
    pub is_over_21: Option<bool>,
    /// The gender.
    pub gender: Option<RawJson>,
    /// The identity document.
    pub document_detail: Option<RawJson>,
    /// The date of birth.
    pub birthdate: Option<RawJson>,
    /// The postal address.
    pub address: Option<RawJson>,
    /// The bank account.
    pub bank_account: Option<RawJson>,
    /// The preferences.
    pub preferences: Option<RawJson>,
    /// The Instagram account.
    pub instagram_account: Option<RawJson>,
    /// The X account.
    pub x_account: Option<RawJson>,
    /// The `TikTok` account.
    pub tiktok_account: Option<RawJson>,
}

/// Redacts all members.
impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserData([redacted])")
    }
}

/// An email address.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Email {
    /// The address.
    pub email: Option<String>,
    /// True if the person proved ownership.
    pub is_verified: Option<bool>,
    /// True if it is the person's primary address.
    pub is_primary: Option<bool>,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email")
            .field("email", &redacted(self.email.as_ref()))
            .field("is_verified", &self.is_verified)
            .field("is_primary", &self.is_primary)
            .finish()
    }
}

/// A phone number.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Phone {
    /// The number in international format.
    pub phone_number: Option<String>,
    /// True if the person proved ownership.
    pub is_verified: Option<bool>,
    /// True if it is the person's primary number.
    pub is_primary: Option<bool>,
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone")
            .field("phone_number", &redacted(self.phone_number.as_ref()))
            .field("is_verified", &self.is_verified)
            .field("is_primary", &self.is_primary)
            .finish()
    }
}

/// A person's names.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Names {
    /// The given name.
    pub first_name: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
    /// The full name, in the order that the person uses.
    pub full_name: Option<String>,
    /// True if they were read from an identity document.
    pub is_verified: Option<bool>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("first_name", &redacted(self.first_name.as_ref()))
            .field("family_name", &redacted(self.family_name.as_ref()))
            .field("full_name", &redacted(self.full_name.as_ref()))
            .field("is_verified", &self.is_verified)
            .finish()
    }
}
