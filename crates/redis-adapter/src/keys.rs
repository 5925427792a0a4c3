//! Names of Redis keys, and encryption of the token (HKDF-SHA256, XChaCha20-Poly1305).

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use didit_core::{Application, Bucket, Secret, StoreError};
use hkdf::Hkdf;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The names and keys derived from an application's credentials and base URLs.
pub(crate) struct Keys {
    prefix: String,
    /// A random identifier of this process.
    process: String,
    /// The hash of the application that its key names contain.
    application: String,
    derived: Option<Hkdf<Sha256>>,
}

const NONCE_BYTES: usize = 24;

impl Keys {
    pub(crate) fn new(prefix: &str) -> Result<Self, StoreError> {
        let mut id = [0; 8];
        getrandom::fill(&mut id).map_err(|error| {
            StoreError::new(format!("the system's random number generator failed: {error}"))
        })?;
        let process = hex(&id);
        Ok(Self { prefix: prefix.to_owned(), process, application: String::new(), derived: None })
    }

    pub(crate) fn open(&mut self, application: &Application<'_>) {
        let Application { client_id, secret, base_url, verification_base_url } = application;
        let salt = Some(b"didit-redis-adapter 1".as_slice());
        let derived = Hkdf::<Sha256>::new(salt, secret.as_bytes());
        // The URLs contain no line break.
        let text = format!("{base_url}\n{verification_base_url}\n{client_id}");
        self.application = if client_id.is_empty() {
            hex(&expand::<8>(&derived, &[b"application ", text.as_bytes()])[..])
        } else {
            hex(&Sha256::digest(text.as_bytes())[..8])
        };
        self.derived = Some(derived);
    }

    pub(crate) fn process(&self) -> &str {
        &self.process
    }

    /// Returns the name of a key. The hash tag puts all keys of an application in one cluster slot.
    pub(crate) fn name(&self, suffix: &str) -> String {
        format!("{{{}:{}}}:{suffix}", self.prefix, self.application)
    }

    /// Returns the name of a key of the token, which depends on the secret.
    pub(crate) fn token_name(&self, suffix: &str) -> String {
        let secret = self.derived.as_ref().map(|it| hex(&expand::<4>(it, &[b"token name"])[..]));
        self.name(&format!("token:{}:{suffix}", secret.unwrap_or_default()))
    }

    pub(crate) fn quota_name(&self, bucket: Bucket, suffix: &str) -> String {
        self.name(&format!("{}:{suffix}", bucket.name()))
    }

    /// Returns a keyed hash of a text, which reveals nothing without the secret.
    pub(crate) fn mark(&self, text: &str) -> String {
        let info: [&[u8]; 2] = [b"mark", text.as_bytes()];
        self.derived.as_ref().map(|it| hex(&expand::<16>(it, &info)[..])).unwrap_or_default()
    }

    pub(crate) fn seal(&self, token: &Secret) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).ok()?;
        let name = self.token_name("");
        let payload = Payload { msg: token.expose().as_bytes(), aad: name.as_bytes() };
        let sealed = self.cipher()?.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some([&nonce, sealed.as_slice()].concat())
    }

    /// Decrypts a token; `None` if it was not encrypted with this key.
    pub(crate) fn unseal(&self, sealed: &[u8]) -> Option<Secret> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let name = self.token_name("");
        let payload = Payload { msg: sealed, aad: name.as_bytes() };
        let token = Zeroizing::new(self.cipher()?.decrypt(&XNonce::from(*nonce), payload).ok()?);
        std::str::from_utf8(&token).ok().map(Secret::from)
    }

    fn cipher(&self) -> Option<XChaCha20Poly1305> {
        let key = expand::<32>(self.derived.as_ref()?, &[b"token encryption"]);
        XChaCha20Poly1305::new_from_slice(&key[..]).ok()
    }
}

fn expand<const N: usize>(derived: &Hkdf<Sha256>, info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    // Fails only for more than 8160 bytes (RFC 5869).
    let _ = derived.expand_multi_info(info, &mut key[..]);
    key
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(client_id: &str, secret: &str) -> Keys {
        keys_at(client_id, secret, "https://a", "https://b")
    }

    fn keys_at(client_id: &str, secret: &str, base: &str, verification: &str) -> Keys {
        let (base_url, verification_base_url) =
            (&base.parse().unwrap(), &verification.parse().unwrap());
        let mut keys = Keys::new("p").unwrap();
        keys.open(&Application { client_id, secret, base_url, verification_base_url });
        keys
    }

    #[test]
    fn sealed_token_opens_only_with_the_same_secret() {
        let token = Secret::from("canary-token");
        let sealed = keys("id", "secret").seal(&token).unwrap();
        let opened = |keys: Keys, sealed: &[u8]| Some(keys.unseal(sealed)?.expose().to_owned());
        assert_eq!(opened(keys("id", "secret"), &sealed).as_deref(), Some("canary-token"));
        assert_eq!(opened(keys("id", "other"), &sealed), None);
        assert_eq!(opened(keys("other", "secret"), &sealed), None);
        assert_eq!(opened(keys("id", "secret"), &sealed[..20]), None);
        for at in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[at] ^= 1;
            assert_eq!(opened(keys("id", "secret"), &broken), None, "{at}");
        }
        assert_ne!(keys("id", "secret").seal(&token), Some(sealed), "each nonce is new");
    }

    #[test]
    fn names_contain_neither_client_id_nor_secret() {
        let keys = keys("client-canary", "secret-canary");
        let names = [keys.name("a"), keys.token_name("a"), keys.mark("canary")];
        assert!(names.iter().all(|name| !name.contains("canary")), "{names:?}");
        assert_eq!(keys.quota_name(Bucket::Decisions, "permits"), keys.name("decisions:permits"));
        // printf 'https://a\nhttps://b\nclient-canary' | sha256sum | cut -c 1-16
        assert_eq!(keys.application, "178e2dcd2f9e7f15");
    }

    #[test]
    fn each_base_url_is_another_application() {
        let token = Secret::from("canary-token");
        for id in ["id", ""] {
            let sealed = keys(id, "secret").seal(&token).unwrap();
            for (base, verification) in [
                ("https://other", "https://b"),
                ("https://a:444", "https://b"),
                ("https://a/prefix", "https://b"),
                ("https://a", "https://other"),
                ("https://b", "https://a"),
            ] {
                let other = keys_at(id, "secret", base, verification);
                assert_ne!(other.application, keys(id, "secret").application, "{base}");
                assert!(other.unseal(&sealed).is_none(), "{base} {verification}");
            }
        }
    }

    #[test]
    fn applications_without_an_id_are_identified_by_their_keys() {
        assert_eq!(keys("", "key").application, keys("", "key").application);
        assert_ne!(keys("", "key").application, keys("", "other").application);
    }
}
