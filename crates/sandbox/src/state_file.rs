//! The sessions in an `SQLite` file, so that they outlive the sandbox.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Row, params};

use crate::sessions::{Keep, Session};

/// Marks a file as one of these: `DdSb`.
const APPLICATION_ID: i64 = 0x4464_5362;

const SCHEMA: &str = "
    CREATE TABLE session (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        token TEXT NOT NULL,
        form_token TEXT NOT NULL,
        scope TEXT NOT NULL,
        vendor_data TEXT,
        created_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        status TEXT NOT NULL,
        user_data TEXT
    ) STRICT;
";

pub(crate) struct StateFile(Connection);

impl StateFile {
    /// Opens the file, and reads the sessions in it; creates it if it is not there.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<Session>)> {
        let about = |problem: &str| {
            io::Error::other(format!("the state file {} {problem}", path.display()))
        };
        let unusable = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                about("is used by another sandbox")
            }
            _ => about(&format!("cannot be used: {error}")),
        };
        create_private(path).map_err(|error| about(&format!("cannot be opened: {error}")))?;
        let connection = Connection::open(path).map_err(unusable)?;
        // Another sandbox holds the file for as long as it runs.
        connection.busy_timeout(Duration::ZERO).map_err(unusable)?;
        if !prepare(&connection).map_err(unusable)? {
            return Err(about("is a database of something else"));
        }
        let kept = read(&connection).map_err(unusable)?;
        Ok((Self(connection), kept))
    }
}

impl Keep for StateFile {
    fn save(&mut self, session: &Session) -> io::Result<()> {
        let user_data =
            session.user_data.clone().map(|data| serde_json::Value::from(data).to_string());
        let number = i64::try_from(session.number).map_err(io::Error::other)?;
        let insert = "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let values = params![
            number,
            session.id,
            session.token,
            session.form_token,
            session.scope,
            session.vendor_data,
            milliseconds(session.created_at),
            milliseconds(session.expires_at),
            session.status,
            user_data,
        ];
        self.0.execute(insert, values).map(drop).map_err(io::Error::other)
    }
}

/// Creates the file where there is none: what is in it is the business of its owner alone.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Takes the file for this sandbox alone, and makes a new one what it should be; says whether it
/// is.
fn prepare(connection: &Connection) -> rusqlite::Result<bool> {
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;")?;
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    if number("schema_version")? == 0 {
        connection.execute_batch(SCHEMA)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    } else if number("application_id")? != APPLICATION_ID {
        return Ok(false);
    }
    connection.execute_batch("COMMIT").map(|()| true)
}

fn read(connection: &Connection) -> rusqlite::Result<Vec<Session>> {
    let mut select = connection.prepare("SELECT * FROM session ORDER BY number")?;
    let sessions = select.query_map([], session)?;
    sessions.collect()
}

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let time = |name| row.get::<_, i64>(name).map(|ms| Duration::from_millis(ms.unsigned_abs()));
    let user_data: Option<String> = row.get("user_data")?;
    Ok(Session {
        number: row.get::<_, i64>("number")?.unsigned_abs(),
        id: row.get("id")?,
        token: row.get("token")?,
        form_token: row.get("form_token")?,
        scope: row.get("scope")?,
        vendor_data: row.get("vendor_data")?,
        created_at: time("created_ms")?,
        expires_at: time("expires_ms")?,
        status: row.get("status")?,
        user_data: user_data.and_then(|text| serde_json::from_str(&text).ok()),
    })
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
