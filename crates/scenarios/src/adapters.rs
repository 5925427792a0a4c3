//! Both adapters, as they are driven by the scenarios.

mod asynchronous;
mod blocking;

pub use self::asynchronous::Async;
pub use self::blocking::Blocking;
