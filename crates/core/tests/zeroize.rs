//! Checks that no copy of a secret remains in the memory of the process after all owners are
//! dropped.
//!
//! Linux only, where a process can read its memory as a file.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use didit_core::data_transfer::RetrieveDecision;
use didit_core::{
    Authorization, Call, ClientCredentials, Engine, Moment, Operation as _, Secret, Step,
};
use http::Response;

const LENGTH: usize = 40;

/// Returns a letter of a planted secret. The whole secret is never a constant, so that it occurs in
/// memory only where a test stores it.
fn letter(kind: usize, at: usize) -> u8 {
    b"nqzkvxjhwyfgbpmdculrsteaoi"[(at * 37 + kind * 101 + at * at) % 26]
}

fn planted(kind: usize) -> String {
    let mut text = String::with_capacity(LENGTH);
    text.extend((0..LENGTH).map(|at| char::from(letter(kind, at))));
    text
}

/// Counts the copies of a secret in the writable memory of this process.
fn copies(kind: usize) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut chunk = vec![0_u8; 1 << 16];
    let mut found = 0;
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|p| p.contains("rw")))
    {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let end = u64::from_str_radix(end, 16).unwrap();
        let mut at = u64::from_str_radix(start, 16).unwrap();
        while at < end {
            // Clears the buffer so that its previous content is not counted.
            chunk.fill(0);
            let Ok(read) = memory.read_at(&mut chunk, at) else { break };
            let own = chunk.as_ptr() as u64;
            let windows = chunk[..read].windows(LENGTH).enumerate();
            let is_secret =
                |window: &[u8]| window.iter().enumerate().all(|(n, byte)| *byte == letter(kind, n));
            found += windows
                .filter(|(offset, window)| {
                    let address = at + *offset as u64;
                    !(own..own + (1 << 16)).contains(&address) && is_secret(window)
                })
                .count();
            if read < chunk.len() {
                break;
            }
            // Chunks overlap so that a copy across their boundary is found.
            at += (chunk.len() - LENGTH + 1) as u64;
        }
    }
    chunk.fill(0);
    found
}

/// Completes a call for a decision, with `token_response` as the response of the token endpoint.
fn retrieve(engine: &mut Engine, token_response: &[u8]) {
    let (mut call, now) =
        (Call::new(RetrieveDecision::new("s-1".parse().unwrap())), Moment::default());
    loop {
        match call.poll(engine, now) {
            Step::Send { request, ticket, .. } => {
                let decision: &[u8] = br#"{"session_id": "s-1", "status": "Confirmed"}"#;
                let token = request.uri().path().ends_with("/token/");
                let body = if token { token_response } else { decision };
                call.handle_response(engine, now, ticket, &Response::new(body));
            }
            Step::Done(result) => return drop(result.unwrap()),
            Step::Wait { .. } => panic!("nothing to wait for"),
        }
    }
}

/// This is the only test in the file, since concurrent tests would have copies of the secrets.
#[test]
fn dropped_secrets_are_wiped_from_memory() {
    let secret = Secret::from(planted(1));
    assert!(copies(1) > 0, "what is there is found");
    let credentials = ClientCredentials::new("id", secret.clone()).unwrap();
    let held = Authorization::bearer(secret.clone()).unwrap();
    let key = Authorization::api_key(secret.clone()).unwrap();
    assert!(copies(1) >= 4);
    drop((secret, held, key));
    assert!(copies(1) > 0, "the credentials still have it");

    let mut engine =
        Engine::builder(credentials).base_url("https://h".parse().unwrap()).build().unwrap();
    let mut response = Vec::with_capacity(200);
    response.extend_from_slice(br#"{"expires_in": 60, "access_token": ""#);
    response.extend((0..LENGTH).map(|at| letter(2, at)));
    response.extend_from_slice(br#""}"#);
    retrieve(&mut engine, &response);
    response.fill(0);
    assert!(copies(2) > 0, "the engine keeps the token");
    drop(engine);
    assert_eq!((copies(1), copies(2)), (0, 0));
}
