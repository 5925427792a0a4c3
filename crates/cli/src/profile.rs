//! Profiles: named settings in the platform's configuration folder. Flags and environment override
//! them.
//!
//! `config.json` contains everything except secrets. A secret is in a separate file that only its
//! owner may read, or is printed by a command such as a password manager's. A new secret gets a new
//! file, so that replacing `config.json` replaces the settings and the secret at once.

mod secret;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use didit_blocking_adapter::core::client::read_limited;
use didit_blocking_adapter::core::{Secret, client};
use fs4::FileExt;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::file;

/// The profile that is used if none is named.
pub(crate) const DEFAULT: &str = "default";

const MAX_FILE: usize = 1 << 20;

/// The variables that neither select a service nor authorize. If any other variable is set, the
/// default profile is ignored, so that its secret is never sent to a service it is not for.
const HARMLESS: [&str; 2] = ["DIDIT_TIMEOUT", "DIDIT_CA_FILE"];

/// All profiles, and their folder.
pub(crate) struct Profiles {
    folder: PathBuf,
    pub(crate) by_name: BTreeMap<String, Settings>,
    /// Locked while they are being changed, so that no other process changes them.
    lock: Option<File>,
}

/// The entry of a profile in `config.json`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base_url: Option<String>,
    /// If set, the secret is a client secret, otherwise an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret_command: Option<String>,
    /// The name of the file that contains the secret, in the folder of the profiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<String>,
}

/// A selected profile, with its secret.
pub(crate) struct Profile {
    name: String,
    /// The file with its settings.
    path: PathBuf,
    settings: Settings,
    secret: Option<Secret>,
}

impl Profile {
    /// The names of a profile's settings in errors.
    pub(crate) const SETTINGS: [&str; 3] =
        ["the profile's base_url", "the profile's client_id", "the profile's secret"];

    /// Returns the named profile, or the default one if nothing else is configured; its secret only
    /// if it is needed.
    pub(crate) fn chosen(context: &Context, with_secret: bool) -> Result<Option<Self>, Failure> {
        let named = name(context)?;
        let is_set = |name: &'static str| {
            !HARMLESS.contains(&name) && context.environment.os(name).is_some()
        };
        let options = &context.options;
        let configured = options.base_url.is_some()
            || options.client_id.is_some()
            || client::Environment::VARIABLES.into_iter().any(is_set);
        if named.is_none() && configured {
            return Ok(None);
        }
        let Some(folder) = folder(&context.environment) else {
            return match named {
                Some(_) => Err(no_folder()),
                None => Ok(None),
            };
        };
        let name = named.as_deref().unwrap_or(DEFAULT);
        let mut profiles = Profiles::read(folder)?;
        loop {
            let Some(settings) = profiles.by_name.get(name) else {
                return match named {
                    Some(_) => {
                        let failure = profiles.unknown(name);
                        Err(failure.with_advice("`didit config set --help` shows how to create it"))
                    }
                    None => Ok(None),
                };
            };
            match profiles.open(name, settings.clone(), with_secret) {
                Ok(profile) => return Ok(Some(profile)),
                Err(failure) => {
                    // Another process may have replaced the secret since the settings were read.
                    let again = Profiles::read(profiles.folder.clone())?;
                    if again.by_name.get(name) == Some(settings) {
                        return Err(failure);
                    }
                    profiles = again;
                }
            }
        }
    }

    /// Returns the values of variables, with the names of the settings that they come from.
    pub(crate) fn variables(&self) -> Vec<(&'static str, &'static str, &str)> {
        let Self { settings, secret, .. } = self;
        let secret_variable =
            if self.has_client_id() { "DIDIT_CLIENT_SECRET" } else { "DIDIT_API_KEY" };
        let [base_url, client_id, secret_name] = Self::SETTINGS;
        let all = [
            ("DIDIT_BASE_URL", base_url, settings.base_url.as_deref()),
            ("DIDIT_CLIENT_ID", client_id, settings.client_id.as_deref()),
            (secret_variable, secret_name, secret.as_ref().map(Secret::expose)),
        ];
        let set = |(name, setting, value): (_, _, Option<_>)| Some((name, setting, value?));
        all.into_iter().filter_map(set).collect()
    }

    pub(crate) fn has_client_id(&self) -> bool {
        self.settings.client_id.is_some()
    }

    /// Returns the profile's name and file.
    pub(crate) fn place(&self) -> String {
        format!("{} in {}", self.name, self.path.display())
    }
}

/// Returns the name of the requested profile, if any.
pub(crate) fn name(context: &Context) -> Result<Option<String>, Failure> {
    let name = match &context.options.profile {
        Some(name) => Some(name.clone()),
        None => context.environment.text("DIDIT_PROFILE")?,
    };
    let valid = |name: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !name.is_empty() && name.len() <= 64 && name.chars().all(plain)
    };
    match name {
        Some(name) if !valid(&name) => Err(Failure::usage(format!(
            "{name:?} is not a valid profile name; use letters, digits, - and _"
        ))),
        name => Ok(name),
    }
}

/// Returns the folder of the profiles, or `None` if the environment does not locate it.
fn folder(environment: &Environment) -> Option<PathBuf> {
    let variable = |name| environment.os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        variable("APPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")))
    };
    base.map(|base| base.join("didit"))
}

fn no_folder() -> Failure {
    let variable = if cfg!(windows) { "APPDATA" } else { "HOME" };
    Failure::usage(format!("there is no configuration folder: set {variable} to use profiles"))
}

impl Profiles {
    /// Reads the profiles of this user.
    pub(crate) fn of_user(context: &Context) -> Result<Self, Failure> {
        Self::read(folder(&context.environment).ok_or_else(no_folder)?)
    }

    fn read(folder: PathBuf) -> Result<Self, Failure> {
        let path = folder.join("config.json");
        let broken = |error: &io::Error| {
            let attempt = format!("could not read {}", path.display());
            Failure::of_file(attempt, error, "fix it or move it away")
        };
        let text = file::open_regular(&path).and_then(|file| read_limited(file, MAX_FILE));
        let by_name: BTreeMap<String, Settings> = match text {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|error| broken(&without_value(&error)))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => match dangling_link(&path) {
                Some(error) => return Err(broken(&error)),
                None => BTreeMap::new(),
            },
            Err(error) => return Err(broken(&error)),
        };
        Ok(Self { folder, by_name, lock: None })
    }

    /// Reads the profiles of this user to change them. Other processes that do so wait until these
    /// are dropped.
    pub(crate) fn to_change(context: &Context) -> Result<Self, Failure> {
        let folder = folder(&context.environment).ok_or_else(no_folder)?;
        // What cannot be read is refused before anything is created.
        Self::read(folder.clone())?;
        let lock = || -> io::Result<File> {
            private_folder(&folder)?;
            let mut options = OpenOptions::new();
            options.create(true).truncate(false).read(true).write(true);
            let lock = file::private(&mut options).open(folder.join(".lock"))?;
            FileExt::lock(&lock)?;
            // After the names of a process that was killed.
            (&lock).seek(SeekFrom::End(0))?;
            Ok(lock)
        };
        let lock = Some(lock().map_err(|error| not_written(&folder, &error))?);
        Ok(Self { lock, ..Self::read(folder)? })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join("config.json")
    }

    /// Returns the path of the file that contains a profile's secret, if there is one.
    pub(crate) fn secret_path(&self, settings: &Settings) -> Option<PathBuf> {
        let file_name = settings.secret_file.as_ref().filter(|name| secret::is_file_name(name))?;
        let path = self.folder.join(file_name);
        // An unreachable file is not a missing one.
        path.try_exists().unwrap_or(true).then_some(path)
    }

    /// Builds the failure of a command that needs a profile that does not exist.
    pub(crate) fn unknown(&self, name: &str) -> Failure {
        let path = self.path();
        let path = path.display();
        Failure::usage(match self.names() {
            Some(names) => format!("there is no profile {name:?} in {path}, which has: {names}"),
            None => format!("there is no profile {name:?}, as there are none in {path}"),
        })
    }

    /// Returns the names of all profiles, unless there are none.
    fn names(&self) -> Option<String> {
        let names: Vec<_> = self.by_name.keys().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Returns advice on providing credentials with a profile.
    pub(crate) fn hint(context: &Context) -> String {
        let profiles = Self::of_user(context).ok();
        let names = profiles.and_then(|profiles| Some((profiles.names()?, profiles.path())));
        match names {
            Some((names, path)) => {
                format!("choose a profile with --profile ({names}; see {})", path.display())
            }
            None => "use a profile (`didit config --help`)".to_owned(),
        }
    }

    fn open(&self, name: &str, settings: Settings, with_secret: bool) -> Result<Profile, Failure> {
        let secret = match (&settings.secret_command, &settings.secret_file) {
            _ if !with_secret => None,
            (Some(command), _) => Some(secret::of_command(name, command)?),
            (None, Some(file)) => Some(secret::of_file(name, &self.folder, file)?),
            (None, None) => None,
        };
        Ok(Profile { name: name.to_owned(), path: self.path(), settings, secret })
    }

    /// Replaces a profile, or removes it if there are no settings. Without a new secret it keeps the
    /// stored one, unless a command prints its secret.
    pub(crate) fn replace(
        &mut self,
        name: &str,
        settings: Option<Settings>,
        secret: Option<&Secret>,
    ) -> Result<(), Failure> {
        let old = self.by_name.remove(name).and_then(|old| old.secret_file);
        self.by_name.extend(settings.map(|settings| (name.to_owned(), settings)));
        self.write(name, old.as_deref(), secret)
            .map_err(|error| not_written(&self.folder, &error))?;
        self.remove_replaced()
    }

    /// Writes all profiles, and a new secret of one of them.
    fn write(&mut self, name: &str, old: Option<&str>, secret: Option<&Secret>) -> io::Result<()> {
        let file = secret.map(|_| file::temporary(&self.folder, &format!("{name}-"), ".secret"));
        let mut file = file.transpose()?;
        let new =
            file.as_ref().and_then(|file| Some(file.path().file_name()?.to_str()?.to_owned()));
        // One of the two will not be named; a kill must not leave it.
        let replaced: String =
            old.into_iter().chain(new.as_deref()).flat_map(|name| ["\n", name]).collect();
        self.lock.as_ref().map_or(Ok(()), |mut lock| lock.write_all(replaced.as_bytes()))?;
        if let (Some(file), Some(secret)) = (&mut file, secret) {
            // Errors of the temporary file itself would name it.
            file.as_file_mut().write_all(secret.expose().as_bytes())?;
            file.as_file().sync_all()?;
        }
        if let Some(settings) = self.by_name.get_mut(name)
            && (new.is_some() || settings.secret_command.is_some())
        {
            settings.secret_file = new;
        }
        let json = serde_json::to_string_pretty(&self.by_name)? + "\n";
        let path = self.path();
        let path = if path.is_symlink() { path.canonicalize()? } else { path };
        file::replace(&path, json.as_bytes(), true)?;
        file.map(|file| file.into_temp_path().keep()).transpose()?;
        Ok(())
    }

    /// Removes the secret files that a change replaced, perhaps that of a process that was killed.
    /// Their names are in the lock file.
    fn remove_replaced(&self) -> Result<(), Failure> {
        let Some(mut lock) = self.lock.as_ref() else { return Ok(()) };
        let failed = |error| not_written(&self.folder, &error);
        let replaced = lock.rewind().and_then(|()| read_limited(lock, MAX_FILE)).map_err(failed)?;
        let replaced = String::from_utf8_lossy(&replaced);
        let is_named = |name: &str| {
            self.by_name.values().any(|settings| settings.secret_file.as_deref() == Some(name))
        };
        let mut removed = Ok(());
        for name in replaced.lines().filter(|name| secret::is_file_name(name) && !is_named(name)) {
            let path = self.folder.join(name);
            if let Err(error) = fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                removed = Err(Failure::other(format!(
                    "the profiles were changed, but {} could not be removed: {error}; remove it \
                     yourself, as it holds a secret",
                    path.display()
                )));
            }
        }
        removed?;
        lock.set_len(0).map_err(failed)
    }
}

/// Returns the error of a path that does not exist because of a symbolic link, whose target may come
/// back, for example when its volume is mounted.
fn dangling_link(path: &Path) -> Option<io::Error> {
    let link = path.ancestors().find(|part| part.is_symlink() && !part.exists())?;
    Some(io::Error::other(format!("the symbolic link {} leads nowhere", link.display())))
}

/// Returns an error of `serde_json` without the value that it contains, which may be a secret.
fn without_value(error: &serde_json::Error) -> io::Error {
    let text = error.to_string();
    io::Error::other(match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => text,
    })
}

fn not_written(folder: &Path, error: &io::Error) -> Failure {
    let attempt = format!("could not write to {}", folder.display());
    Failure::of_file(attempt, error, "check its permissions")
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}
