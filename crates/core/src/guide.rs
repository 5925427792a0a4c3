//! Pages to read: [which layer to build on](layers), and [how the engine works](architecture).
//!
//! The adapters have a page each of how to do the common tasks.

#[doc = include_str!("../docs/layers.md")]
pub mod layers {}

#[doc = include_str!("../docs/architecture.md")]
pub mod architecture {}
