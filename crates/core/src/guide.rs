//! Guides: [choosing a crate](which_crate), [errors and what to do](errors), [deploying],
//! [choosing a layer](layers), and [how the engine works](architecture).
//!
//! Each adapter has a page with recipes.

#[cfg(test)]
mod tests;

/// [async]: https://docs.rs/didit-async-adapter
/// [async-recipes]: https://docs.rs/didit-async-adapter/latest/didit_async_adapter/how_to/
/// [blocking]: https://docs.rs/didit-blocking-adapter
/// [blocking-recipes]: https://docs.rs/didit-blocking-adapter/latest/didit_blocking_adapter/how_to/
/// [cli]: https://docs.rs/crate/didit-cli
/// [layers]: layers
/// [redis]: https://docs.rs/didit-redis-adapter
/// [sandbox]: https://docs.rs/didit-sandbox
#[doc = include_str!("../docs/which_crate.md")]
pub mod which_crate {}

/// [deploying]: deploying
#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

/// [errors]: errors
/// [redis]: https://docs.rs/didit-redis-adapter
/// [async-recipes]: https://docs.rs/didit-async-adapter/latest/didit_async_adapter/how_to/
#[doc = include_str!("../docs/deploying.md")]
pub mod deploying {}

#[doc = include_str!("../docs/layers.md")]
pub mod layers {}

#[doc = include_str!("../docs/architecture.md")]
pub mod architecture {}
