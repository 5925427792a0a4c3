//! [async]: https://docs.rs/didit-async-adapter
//! [blocking]: https://docs.rs/didit-blocking-adapter
//! [cli]: https://docs.rs/crate/didit-cli/latest
#![doc = include_str!("../README.md")]

mod builder;
mod connection;
mod failure;
mod inspect;
mod keys;
mod quota;
mod store;
mod token;
mod work_list;

pub use didit_core::StoreError;

pub use self::builder::RedisStoreBuilder;
pub use self::inspect::{Inspection, QuotaUse};
pub use self::store::RedisStore;
pub use self::work_list::{Claim, WorkList, WorkListError};
