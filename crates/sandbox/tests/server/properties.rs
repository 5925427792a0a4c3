use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use didit_sandbox::Sandbox;
use proptest::prelude::*;

use crate::raw::{connect, decision, send};

/// Generates arbitrary bytes, and requests with one byte replaced.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(index, byte)| {
        let mut request = decision("abc").into_bytes();
        let position = index.index(request.len());
        request[position] = byte;
        request
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..2000), damaged]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn sandbox_survives_arbitrary_bytes(sent in prop::collection::vec(bytes(), 1..4)) {
        let sandbox = Sandbox::start().unwrap();
        for bytes in sent {
            let mut stream = connect(&sandbox).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            // The sandbox may close the connection before everything is sent.
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
        prop_assert_eq!(send(&sandbox, &decision("abc")).unwrap().status, 200);
    }
}
