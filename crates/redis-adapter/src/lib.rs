#![doc = include_str!("../README.md")]

mod builder;
mod keys;
mod quota;
mod store;
mod token;

pub use didit_core::StoreError;

pub use self::builder::RedisStoreBuilder;
pub use self::store::RedisStore;
