use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use didit_sandbox::{RecordedRequest, Route, Sandbox};
use tempfile::TempDir;

use crate::program;
pub(crate) use crate::program::{Ran, didit, limited, signal, wait_for_requests};

impl Ran {
    #[track_caller]
    pub(crate) fn ends(self, code: i32, words: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stderr.contains(words), "{self:?}");
        self
    }
}

/// A temporary folder for exports from `ids` to `out`.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new(ids: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("ids", ids);
        place
    }

    /// Creates a folder with `count` ids: `s-0000`, `s-0001` and so on.
    pub(crate) fn with_ids(count: usize) -> Self {
        let ids: Vec<_> = (0..count).map(|n| format!("s-{n:04}")).collect();
        Self::new(&(ids.join("\n") + "\n"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Returns an export from `ids` to `out`, with further space-separated arguments.
    pub(crate) fn export(&self, sandbox: &Sandbox, arguments: &str) -> Command {
        self.export_with(sandbox, &format!("--input ids --output out {arguments}"))
    }

    pub(crate) fn export_with(&self, sandbox: &Sandbox, arguments: &str) -> Command {
        let mut command = didit(&format!("export {arguments}"));
        command
            .current_dir(self.0.path())
            .env("DIDIT_BASE_URL", sandbox.url())
            .env("DIDIT_API_KEY", sandbox.api_key());
        command
    }

    /// Counts each id in the output and the failures file, in which every line must be whole.
    pub(crate) fn settled(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for name in ["out", "out.failures"] {
            if !self.has(name) {
                continue;
            }
            let text = self.read(name);
            assert!(text.is_empty() || text.ends_with('\n'), "{name} is torn");
            for line in text.lines() {
                let line: serde_json::Value = serde_json::from_str(line).expect("a whole line");
                let id = line["session_id"].as_str().unwrap().to_owned();
                *times.entry(id).or_default() += 1;
            }
        }
        times
    }

    /// Asserts that `count` ids are settled, each exactly once.
    #[track_caller]
    pub(crate) fn is_complete(&self, count: usize) {
        let settled = self.settled();
        assert_eq!(settled.len(), count);
        let duplicates: Vec<_> = settled.iter().filter(|(_, times)| **times != 1).collect();
        assert!(duplicates.is_empty(), "{duplicates:?}");
    }
}

/// Returns the export with client credentials in place of the API key.
pub(crate) fn with_client(mut export: Command, sandbox: &Sandbox) -> Command {
    export
        .env_remove("DIDIT_API_KEY")
        .env("DIDIT_CLIENT_ID", sandbox.client_id())
        .env("DIDIT_CLIENT_SECRET", sandbox.client_secret());
    export
}

pub(crate) fn run(command: &mut Command) -> Ran {
    let ran = program::run(command);
    assert_eq!(ran.stdout, "", "nothing is printed");
    ran
}

pub(crate) fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn wait(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}

/// Returns the requested ids, in the order of the requests.
pub(crate) fn requested_ids(sandbox: &Sandbox) -> Vec<String> {
    sandbox.requests_to(Route::Decision).iter().map(requested_id).collect()
}

pub(crate) fn requested_id(request: &RecordedRequest) -> String {
    request.path.split('/').nth(4).unwrap().to_owned()
}
