//! Which of the three ways to authorize is configured.

use std::fmt::Display;
use std::path::Path;

use didit_blocking_adapter::core::{Authorization, ClientCredentials, Credentials, Secret};

use crate::bounded;
use crate::environment::Environment;
use crate::failure::Failure;

/// No secret comes near it.
const MAX_SECRET: usize = 1 << 16;

const CLIENT_ID: &str = "DIDIT_CLIENT_ID";
const CLIENT_SECRET: &str = "DIDIT_CLIENT_SECRET";
const CLIENT_SECRET_FILE: &str = "DIDIT_CLIENT_SECRET_FILE";
const ACCESS_TOKEN: &str = "DIDIT_ACCESS_TOKEN";
const API_KEY: &str = "DIDIT_API_KEY";

/// The credentials of the environment, and of `--client-id` if it is given.
pub(crate) fn resolve(
    client_id: Option<&str>,
    environment: &Environment,
) -> Result<Credentials, Failure> {
    let client = Client::configured(client_id, environment);
    let held = [ACCESS_TOKEN, API_KEY].into_iter().filter(|name| environment.os(name).is_some());
    let held: Vec<_> = held.collect();
    match (client.is_empty(), &held[..]) {
        (true, []) => Err(Failure::usage(
            "no credentials are configured; set DIDIT_CLIENT_ID and DIDIT_CLIENT_SECRET (or \
             DIDIT_CLIENT_SECRET_FILE), or DIDIT_ACCESS_TOKEN, or DIDIT_API_KEY",
        )),
        (false, []) => client.credentials(environment),
        (true, [name]) => held_credentials(name, environment),
        _ => {
            let names: Vec<_> = client.names().chain(held).collect();
            Err(Failure::usage(format!(
                "several ways to authorize are configured at once: {}; keep one",
                names.join(", ")
            )))
        }
    }
}

/// Where the credentials come from, by name.
pub(crate) fn sources(client_id: Option<&str>, environment: &Environment) -> Vec<&'static str> {
    let held = [ACCESS_TOKEN, API_KEY].into_iter().filter(|name| environment.os(name).is_some());
    Client::configured(client_id, environment).names().chain(held).collect()
}

fn held_credentials(name: &'static str, environment: &Environment) -> Result<Credentials, Failure> {
    let secret = environment.text(name)?.unwrap_or_default();
    let header = match name {
        ACCESS_TOKEN => Authorization::bearer(secret),
        _ => Authorization::api_key(secret),
    };
    let header = header.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    Ok(header.into())
}

/// What is configured of a client id and its secret, by name.
struct Client<'a> {
    flag: Option<&'a str>,
    id: Option<&'static str>,
    secret: Option<&'static str>,
    secret_file: Option<&'static str>,
}

impl<'a> Client<'a> {
    fn configured(flag: Option<&'a str>, environment: &Environment) -> Self {
        let set = |name| environment.os(name).is_some().then_some(name);
        Self {
            flag,
            id: flag.map(|_| "--client-id").or_else(|| set(CLIENT_ID)),
            secret: set(CLIENT_SECRET),
            secret_file: set(CLIENT_SECRET_FILE),
        }
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.id, self.secret, self.secret_file].into_iter().flatten()
    }

    fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }

    fn credentials(&self, environment: &Environment) -> Result<Credentials, Failure> {
        let secret = match (self.secret, self.secret_file) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage(
                    "DIDIT_CLIENT_SECRET and DIDIT_CLIENT_SECRET_FILE are both set; keep one",
                ));
            }
            (Some(name), None) => environment.text(name)?.map(Secret::from),
            (None, Some(name)) => {
                environment.os(name).map(|path| read_secret(path.as_ref())).transpose()?
            }
            (None, None) => None,
        };
        let id = match self.flag {
            Some(flag) => Some(flag.to_owned()),
            None => environment.text(CLIENT_ID)?,
        };
        let Some(id) = id else {
            return Err(Failure::usage(
                "the client id is missing; set DIDIT_CLIENT_ID or give --client-id",
            ));
        };
        let Some(secret) = secret else {
            return Err(Failure::usage(
                "the client secret is missing; set DIDIT_CLIENT_SECRET or DIDIT_CLIENT_SECRET_FILE",
            ));
        };
        let client = ClientCredentials::new(&id, secret).map_err(Failure::usage)?;
        Ok(client.into())
    }
}

/// A file's content without the line end that editors leave at its end.
fn read_secret(path: &Path) -> Result<Secret, Failure> {
    let unreadable = |why: &dyn Display| {
        Failure::usage(format!("{CLIENT_SECRET_FILE}: could not read {}: {why}", path.display()))
    };
    let content = bounded::read(path, MAX_SECRET).map_err(|error| unreadable(&error))?;
    let mut text = String::from_utf8(content).map_err(|_| unreadable(&"it is not UTF-8"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn kind(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<&'static str, String> {
        match resolve(flag, &Environment::of(variables)) {
            Ok(Credentials::Client(_)) => Ok("client"),
            Ok(_) => Ok("held"),
            Err(failure) => Err(failure.line().to_owned()),
        }
    }

    #[test]
    fn each_way_works_alone() {
        let secret = (CLIENT_SECRET, "canary");
        assert_eq!(kind(None, &[(CLIENT_ID, "i"), secret]), Ok("client"));
        assert_eq!(kind(Some("i"), &[secret]), Ok("client"));
        assert_eq!(kind(Some("i"), &[(CLIENT_ID, "other"), secret]), Ok("client"));
        assert_eq!(kind(None, &[(ACCESS_TOKEN, "t"), (API_KEY, ""), (CLIENT_ID, "")]), Ok("held"));
        assert_eq!(kind(None, &[(API_KEY, "k")]), Ok("held"));
    }

    #[test]
    fn everything_else_says_what_to_change() {
        let both = "DIDIT_CLIENT_SECRET and DIDIT_CLIENT_SECRET_FILE are both set; keep one";
        let several = "several ways to authorize are configured at once: ";
        let cases: [(_, &[_], _); 10] = [
            (None, &[], "set DIDIT_CLIENT_ID and DIDIT_CLIENT_SECRET (or"),
            (None, &[(CLIENT_ID, "i")], "the client secret is missing; set DIDIT_CLIENT_SECRET"),
            (Some("i"), &[], "the client secret is missing"),
            (None, &[(CLIENT_SECRET, "canary")], "the client id is missing; set DIDIT_CLIENT_ID"),
            (Some(""), &[(CLIENT_SECRET, "canary")], "the client id is empty"),
            (Some("i"), &[(CLIENT_SECRET, "canary"), (CLIENT_SECRET_FILE, "f")], both),
            (Some("i"), &[(ACCESS_TOKEN, "canary")], "--client-id, DIDIT_ACCESS_TOKEN; keep one"),
            (None, &[(CLIENT_SECRET_FILE, "f"), (API_KEY, "canary")], several),
            (None, &[(ACCESS_TOKEN, "canary"), (API_KEY, "canary")], several),
            (None, &[(ACCESS_TOKEN, "can ary")], "DIDIT_ACCESS_TOKEN: the access token contains"),
        ];
        for (flag, variables, words) in cases {
            let line = kind(flag, variables).unwrap_err();
            assert!(line.contains(words) && !line.contains("canary"), "{line}");
        }
    }

    #[test]
    fn one_line_end_is_not_part_of_the_secret() {
        let path = std::env::temp_dir().join(format!("didit-secret-{}", std::process::id()));
        for (content, secret) in [
            ("s", "s"),
            ("s\n", "s"),
            ("s\r\n", "s"),
            ("s\n\n", "s\n"),
            ("s\r", "s\r"),
            (" s ", " s "),
        ] {
            fs::write(&path, content).unwrap();
            assert_eq!(read_secret(&path).unwrap().expose(), secret, "{content:?}");
        }
        fs::remove_file(&path).unwrap();
        let failure = read_secret(&path).unwrap_err();
        assert!(failure.line().contains("DIDIT_CLIENT_SECRET_FILE: could not read"));
    }
}
