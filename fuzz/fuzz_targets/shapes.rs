//! Decisions of every shape the service may send keep what was sent, and give it by the typed
//! methods. The input chooses the shape.

#![no_main]

use didit_strategies::{decision, generate, laws};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some(sent) = generate(&decision(), input) else { return };
    laws::parse_write_parse_changes_nothing(&sent, input.len().is_multiple_of(2));
    laws::typed_values_are_the_ones_sent(&sent);
});
