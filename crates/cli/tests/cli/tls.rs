use std::fs;
use std::sync::Arc;

use didit_sandbox::Sandbox;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;

use crate::support::{didit_at, run, sample};

#[test]
fn ca_file_certificate_is_trusted() {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let sandbox = Sandbox::builder().tls(Arc::new(config)).start().unwrap();
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roots.pem");
    fs::write(&path, certified.cert.pem()).unwrap();
    let trusted = run(didit_at(&sandbox, "decision a").env("DIDIT_CA_FILE", &path));
    fs::write(&path, other.cert.pem()).unwrap();
    let distrusted = run(didit_at(&sandbox, "decision a").arg("--ca-file").arg(&path));

    assert_eq!(trusted.results(), sample("a"));
    let line = distrusted.error(6);
    assert!(line.contains("certificate was refused"), "{line}");
    let trust = "trust its issuer as a root certificate (`--ca-file`)";
    assert!(line.ends_with(&format!("; if the server is right, {trust}")), "{line}");
}
