mod error;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

pub use self::error::InvalidEnvironment;
use self::error::{Problem, invalid};
use super::connect::read_limited;
use super::duration;
use crate::base_url::BaseUrl;
use crate::credentials::{Authorization, ClientCredentials, Credentials};
use crate::secret::Secret;

const BASE_URL: &str = "DIDIT_BASE_URL";
const VERIFICATION_BASE_URL: &str = "DIDIT_VERIFICATION_BASE_URL";
const CLIENT_ID: &str = "DIDIT_CLIENT_ID";
const CLIENT_SECRET: &str = "DIDIT_CLIENT_SECRET";
const CLIENT_SECRET_FILE: &str = "DIDIT_CLIENT_SECRET_FILE";
const ACCESS_TOKEN: &str = "DIDIT_ACCESS_TOKEN";
const API_KEY: &str = "DIDIT_API_KEY";
const TIMEOUT: &str = "DIDIT_TIMEOUT";
const CA_FILE: &str = "DIDIT_CA_FILE";

/// The maximum size of a secret file in bytes, far more than any secret.
const MAX_SECRET: usize = 1 << 16;
/// The maximum size of a certificate file in bytes, ten times that of an operating system's bundle.
const MAX_CA_FILE: usize = 8 << 20;

type Lookup<'a> = dyn Fn(&str) -> Option<OsString> + 'a;
type ReadFile<'a> = dyn Fn(&Path, usize) -> io::Result<Vec<u8>> + 'a;

/// The settings of a client, as environment variables. An empty variable counts as unset.
///
/// | variable | setting |
/// |---|---|
/// | `DIDIT_CLIENT_ID` with `DIDIT_CLIENT_SECRET` or `DIDIT_CLIENT_SECRET_FILE` | client credentials; one line ending at the end of the file is ignored |
/// | `DIDIT_ACCESS_TOKEN` | a bearer token |
/// | `DIDIT_API_KEY` | an API key |
/// | `DIDIT_BASE_URL`, `DIDIT_VERIFICATION_BASE_URL` | the base URLs of the two APIs |
/// | `DIDIT_TIMEOUT` | the time for a whole call, such as `500ms`, `30s`, `2m` or `1h` |
/// | `DIDIT_CA_FILE` | a PEM file of certificates to trust in addition to the platform's |
pub struct Environment<'a> {
    variable: Box<Lookup<'a>>,
    read_file: Box<ReadFile<'a>>,
    flags: Vec<(&'static str, &'static str, OsString)>,
}

/// A setting, with the name of the variable or the flag that it comes from.
type Named<T> = (&'static str, T);

impl<'a> Environment<'a> {
    /// The names of all variables.
    pub const VARIABLES: [&'static str; 9] = [
        BASE_URL,
        VERIFICATION_BASE_URL,
        CLIENT_ID,
        CLIENT_SECRET,
        CLIENT_SECRET_FILE,
        ACCESS_TOKEN,
        API_KEY,
        TIMEOUT,
        CA_FILE,
    ];

    /// Creates an environment from a function that returns a variable and one that opens a file.
    pub fn new<F: io::Read>(
        variable: impl Fn(&str) -> Option<OsString> + 'a,
        open: impl Fn(&Path) -> io::Result<F> + 'a,
    ) -> Self {
        let read_file = move |path: &Path, limit| read_limited(open(path)?, limit);
        Self { variable: Box::new(variable), read_file: Box::new(read_file), flags: Vec::new() }
    }

    /// Overrides a variable with a command-line flag, which errors then name.
    #[must_use]
    pub fn with_flag(
        mut self,
        variable: &'static str,
        flag: &'static str,
        value: impl Into<OsString>,
    ) -> Self {
        self.flags.push((variable, flag, value.into()));
        self
    }

    /// Returns the configured credentials.
    ///
    /// # Errors
    /// No credentials are configured, or several, or they are incomplete, unreadable or malformed.
    pub fn credentials(&self) -> Result<Credentials, InvalidEnvironment> {
        let sources = self.credential_sources();
        let token = [ACCESS_TOKEN, API_KEY].into_iter().find(|name| self.get(name).is_some());
        match (token, &sources[..]) {
            (_, []) => Err(Problem::NoCredentials.into()),
            (Some(name), [_]) => self.token_credentials(name),
            (Some(_), _) => Err(Problem::Several(sources).into()),
            (None, _) => self.client_credentials(),
        }
    }

    /// Returns the names of the variables and flags that are set and concern the credentials.
    pub fn credential_sources(&self) -> Vec<&'static str> {
        let names = [CLIENT_ID, CLIENT_SECRET, CLIENT_SECRET_FILE, ACCESS_TOKEN, API_KEY];
        names.into_iter().filter_map(|name| self.get(name)).map(|(name, _)| name).collect()
    }

    /// Returns the base URL of the data-transfer API, if it is configured.
    ///
    /// # Errors
    /// The value is not a [`BaseUrl`].
    pub fn base_url(&self) -> Result<Option<BaseUrl>, InvalidEnvironment> {
        self.parsed(BASE_URL, str::parse)
    }

    /// Returns the base URL of the verification API, if it is configured.
    ///
    /// # Errors
    /// The value is not a [`BaseUrl`].
    pub fn verification_base_url(&self) -> Result<Option<BaseUrl>, InvalidEnvironment> {
        self.parsed(VERIFICATION_BASE_URL, str::parse)
    }

    /// Returns the time for a whole call, if it is configured.
    ///
    /// # Errors
    /// The value is not a duration, or is zero.
    pub fn timeout(&self) -> Result<Option<Duration>, InvalidEnvironment> {
        self.parsed(TIMEOUT, duration::parse_positive)
    }

    /// Returns the content of the file of certificates to trust, if one is configured.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn root_certificate(&self) -> Result<Option<Vec<u8>>, InvalidEnvironment> {
        let file = self.get(CA_FILE).map(|(name, path)| self.read(name, path.into(), MAX_CA_FILE));
        file.transpose()
    }

    /// Returns the value of a setting, and the name of the variable or the flag that sets it.
    fn get(&self, variable: &'static str) -> Option<Named<OsString>> {
        let flag = self.flags.iter().find(|(name, ..)| *name == variable);
        let flag = flag.map(|(_, flag, value)| (*flag, value.clone()));
        flag.or_else(|| {
            let value = (self.variable)(variable).filter(|value| !value.is_empty());
            value.map(|value| (variable, value))
        })
    }

    fn text(&self, variable: &'static str) -> Result<Option<Named<String>>, InvalidEnvironment> {
        let Some((name, value)) = self.get(variable) else { return Ok(None) };
        let text = value.into_string().map_err(|_| Problem::NotText(name))?;
        Ok(Some((name, text)))
    }

    fn parsed<T, E: fmt::Display>(
        &self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, InvalidEnvironment> {
        let Some((name, text)) = self.text(variable)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|error| invalid(name, &error))
    }

    fn read(
        &self,
        name: &'static str,
        path: PathBuf,
        limit: usize,
    ) -> Result<Vec<u8>, InvalidEnvironment> {
        (self.read_file)(&path, limit).map_err(|error| {
            let hidden = name == CLIENT_SECRET_FILE && path_may_be_secret(&path, &error);
            let path = (!hidden).then_some(path);
            Problem::Unreadable(name, path, error.to_string()).into()
        })
    }

    fn token_credentials(&self, variable: &'static str) -> Result<Credentials, InvalidEnvironment> {
        let Some((name, secret)) = self.text(variable)? else {
            return Err(Problem::NoCredentials.into());
        };
        let header = match variable {
            ACCESS_TOKEN => Authorization::bearer(secret),
            _ => Authorization::api_key(secret),
        };
        header.map(Credentials::from).map_err(|error| invalid(name, &error))
    }

    fn client_credentials(&self) -> Result<Credentials, InvalidEnvironment> {
        let secret = match (self.text(CLIENT_SECRET)?, self.get(CLIENT_SECRET_FILE)) {
            (Some(_), Some(_)) => return Err(Problem::TwoSecrets.into()),
            (Some((name, secret)), None) => Some((name, Secret::from(secret))),
            (None, Some((name, path))) => Some((name, self.read_secret(name, path.into())?)),
            (None, None) => None,
        };
        let (id_name, id) = self.text(CLIENT_ID)?.ok_or(Problem::NoClientId)?;
        let (secret_name, secret) = secret.ok_or(Problem::NoClientSecret)?;
        let client = ClientCredentials::new(&id, secret);
        client.map(Credentials::from).map_err(|error| {
            let name = if error.name() == "client id" { id_name } else { secret_name };
            invalid(name, &error)
        })
    }

    /// Returns a file's content without the line ending that editors add at the end.
    fn read_secret(&self, name: &'static str, path: PathBuf) -> Result<Secret, InvalidEnvironment> {
        let content = Zeroizing::new(self.read(name, path.clone(), MAX_SECRET)?);
        let text = str::from_utf8(&content);
        let not_text = |_| Problem::Unreadable(name, Some(path), "it is not UTF-8".to_owned());
        let text = text.map_err(not_text)?;
        let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        Ok(line.unwrap_or(text).into())
    }
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("credential_sources", &self.credential_sources())
            .finish_non_exhaustive()
    }
}

/// Returns whether a secret may stand in place of the path of the file with a secret, which could not
/// be opened. An absolute path is taken for one.
pub fn path_may_be_secret(path: &Path, error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename) && !path.is_absolute()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<'a>(set: &'a [(&'a str, &'a str)]) -> Environment<'a> {
        let variable = |name: &str| {
            set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(*value))
        };
        Environment::new(variable, |path| {
            let content = path.to_str().unwrap().to_owned();
            if content.ends_with("gone") {
                Err(io::ErrorKind::NotFound.into())
            } else {
                Ok(io::Cursor::new(content))
            }
        })
    }

    fn kind(set: &[(&str, &str)]) -> Result<&'static str, InvalidEnvironment> {
        environment(set).credentials().map(|credentials| match credentials {
            Credentials::Client(_) => "client",
            _ => "token",
        })
    }

    #[test]
    fn each_kind_of_credentials_is_read() {
        assert_eq!(kind(&[(CLIENT_ID, "i"), (CLIENT_SECRET, "s")]), Ok("client"));
        assert_eq!(kind(&[(CLIENT_ID, "i"), (CLIENT_SECRET_FILE, "s\n")]), Ok("client"));
        assert_eq!(kind(&[(ACCESS_TOKEN, "t"), (API_KEY, ""), (CLIENT_ID, "")]), Ok("token"));
        assert_eq!(kind(&[(API_KEY, "k")]), Ok("token"));
    }

    #[test]
    fn errors_name_the_variables_to_change() {
        let several = "several kinds of credentials are configured: ";
        let cases: [(&[_], &str, &[&str]); 11] = [
            (&[], "set DIDIT_CLIENT_ID and", &[CLIENT_ID, CLIENT_SECRET, ACCESS_TOKEN, API_KEY]),
            (&[(CLIENT_ID, "i")], "the client secret is missing; set", &[CLIENT_SECRET]),
            (&[(CLIENT_SECRET, "canary")], "the client id is missing; set", &[CLIENT_ID]),
            (
                &[(CLIENT_ID, "i"), (CLIENT_SECRET, "canary"), (CLIENT_SECRET_FILE, "f")],
                "DIDIT_CLIENT_SECRET and DIDIT_CLIENT_SECRET_FILE are both set; keep one",
                &[CLIENT_SECRET, CLIENT_SECRET_FILE],
            ),
            (
                &[(CLIENT_SECRET_FILE, "f"), (API_KEY, "canary")],
                several,
                &[CLIENT_SECRET_FILE, API_KEY],
            ),
            (&[(ACCESS_TOKEN, "canary"), (API_KEY, "canary")], several, &[ACCESS_TOKEN, API_KEY]),
            (&[(ACCESS_TOKEN, "can ary")], "DIDIT_ACCESS_TOKEN: the access token", &[ACCESS_TOKEN]),
            (
                &[(CLIENT_ID, "i"), (CLIENT_SECRET_FILE, "/run/gone")],
                "DIDIT_CLIENT_SECRET_FILE: could not read /run/gone: ",
                &[CLIENT_SECRET_FILE],
            ),
            (
                &[(CLIENT_ID, "i"), (CLIENT_SECRET_FILE, "canary/gone")],
                "DIDIT_CLIENT_SECRET_FILE: could not read the file: ",
                &[CLIENT_SECRET_FILE],
            ),
            (
                &[(CLIENT_ID, "i"), (CLIENT_SECRET_FILE, "can\nary")],
                "DIDIT_CLIENT_SECRET_FILE: the client secret contains",
                &[CLIENT_SECRET_FILE],
            ),
            (
                &[(CLIENT_ID, "é"), (CLIENT_SECRET, "canary")],
                "DIDIT_CLIENT_ID: the client id contains",
                &[CLIENT_ID],
            ),
        ];
        for (set, words, names) in cases {
            let error = kind(set).unwrap_err();
            let line = error.to_string();
            assert!(line.contains(words) && !line.contains("canary"), "{line}");
            assert_eq!(error.names(), names, "{line}");
        }
    }

    #[test]
    fn flag_overrides_a_variable_and_is_named_in_errors() {
        let set = [(CLIENT_ID, "é"), (ACCESS_TOKEN, "t"), (BASE_URL, "x")];
        let environment = environment(&set).with_flag(CLIENT_ID, "--client-id", "i");
        let several = environment.credentials().unwrap_err();
        assert_eq!(several.names(), ["--client-id", ACCESS_TOKEN]);
        let shown =
            r#"Environment { credential_sources: ["--client-id", "DIDIT_ACCESS_TOKEN"], .. }"#;
        assert_eq!(format!("{environment:?}"), shown);
        let url = environment.base_url().unwrap_err();
        assert_eq!(url.to_string(), "DIDIT_BASE_URL: the base URL does not begin with https://");
        let token = |text| self::environment(&[]).with_flag(ACCESS_TOKEN, "--token", text);
        assert!(matches!(token("t").credentials(), Ok(Credentials::Token(_))));
        assert_eq!(token("é").credentials().unwrap_err().names(), ["--token"]);
        let environment = environment.with_flag(BASE_URL, "--base-url", "");
        assert_eq!(environment.base_url().unwrap_err().names(), ["--base-url"]);
    }

    #[test]
    fn one_trailing_line_ending_is_stripped_from_the_secret() {
        for (content, secret) in [
            ("s", "s"),
            ("s\n", "s"),
            ("s\r\n", "s"),
            ("s\n\n", "s\n"),
            ("s\r", "s\r"),
            (" s ", " s "),
        ] {
            let read = environment(&[]).read_secret(CLIENT_SECRET_FILE, content.into()).unwrap();
            assert_eq!(read.expose(), secret, "{content:?}");
        }
        let binary = Environment::new(|_| None, |_| Ok(&[0xff][..]));
        let error = binary.read_secret(CLIENT_SECRET_FILE, "f".into()).unwrap_err();
        assert!(error.to_string().ends_with("could not read f: it is not UTF-8"), "{error}");
    }

    #[test]
    fn other_settings_are_optional_and_validated() {
        let nothing = environment(&[]);
        assert_eq!(nothing.base_url(), Ok(None));
        assert_eq!(nothing.verification_base_url(), Ok(None));
        assert_eq!(nothing.timeout(), Ok(None));
        assert_eq!(nothing.root_certificate(), Ok(None));
        let set = [(TIMEOUT, "1.5s"), (CA_FILE, "pem"), (VERIFICATION_BASE_URL, "https://h")];
        let all = environment(&set);
        assert_eq!(all.timeout(), Ok(Some(Duration::from_millis(1500))));
        assert_eq!(all.root_certificate(), Ok(Some(b"pem".to_vec())));
        assert_eq!(all.verification_base_url(), Ok(Some("https://h".parse().unwrap())));
        let set = [(TIMEOUT, "0s"), (CA_FILE, "gone")];
        let wrong = environment(&set);
        assert_eq!(
            wrong.timeout().unwrap_err().to_string(),
            "DIDIT_TIMEOUT: \"0s\" is zero; give a longer duration"
        );
        assert!(wrong.root_certificate().unwrap_err().to_string().starts_with("DIDIT_CA_FILE: "));
    }

    #[cfg(unix)]
    #[test]
    fn non_utf8_variable_is_refused_by_name() {
        use std::os::unix::ffi::OsStringExt as _;
        let binary = Environment::new(
            |name| (name == TIMEOUT).then(|| OsString::from_vec(vec![0xff])),
            |_| Ok(io::empty()),
        );
        let error = binary.timeout().unwrap_err();
        assert_eq!(error.to_string(), "DIDIT_TIMEOUT is not UTF-8; set it to text");
    }
}
