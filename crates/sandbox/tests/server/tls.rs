use std::io::Write as _;
use std::sync::Arc;

use didit_sandbox::{Fault, Route, Sandbox};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};

use crate::raw::{Answer, connect, decision, read_answer};

#[test]
fn https_is_served_with_the_given_certificate() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let sandbox = Sandbox::builder().tls(Arc::new(server)).start().unwrap();
    assert!(sandbox.url().starts_with("https://127.0.0.1:"));

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = Arc::new(client);
    let ask = |close: &str| -> std::io::Result<Answer> {
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let session = ClientConnection::new(Arc::clone(&client), name).unwrap();
        let mut stream = StreamOwned::new(session, connect(&sandbox)?);
        stream.write_all(decision("abc").replace("\r\n\r\n", close).as_bytes())?;
        let answer = read_answer(&mut stream)?;
        if answer.header("Connection") == Some("close") {
            // Without a close_notify rustls reports an unexpected EOF here.
            assert_eq!(std::io::Read::read(&mut stream, &mut [0])?, 0);
        }
        Ok(answer)
    };
    assert_eq!(ask("\r\n\r\n").unwrap().status, 200);
    assert_eq!(ask("\r\nConnection: close\r\n\r\n").unwrap().status, 200);
    sandbox.script(Route::Decision, [Fault::Reset, Fault::Truncate]);
    assert_eq!(ask("\r\n\r\n").unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(ask("\r\n\r\n").unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    // Plain HTTP on the same port fails, without affecting later connections.
    let mut plain = connect(&sandbox).unwrap();
    plain.write_all(decision("abc").as_bytes()).unwrap();
    assert!(read_answer(&mut plain).is_err());
    assert_eq!(ask("\r\n\r\n").unwrap().status, 200);
}
