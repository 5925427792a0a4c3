//! Compiles and runs the code of the repository's README as doctests.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
