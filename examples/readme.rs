//! Nothing but the repository's README, whose code is compiled and run with the tests.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
