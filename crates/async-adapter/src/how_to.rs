#![doc = include_str!("../docs/how_to.md")]
