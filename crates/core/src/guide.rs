//! Pages to read: [which layer to build on](layers), and [how the engine works](architecture).
//!
//! Each adapter has a page with how-tos.

#[doc = include_str!("../docs/layers.md")]
pub mod layers {}

#[doc = include_str!("../docs/architecture.md")]
pub mod architecture {}
