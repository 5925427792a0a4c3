//! Tests usage errors and short help.

use crate::support::{didit, run};

/// Invalid command lines, each with the words that its error message must contain.
const INVALID: &[(&str, &[&str])] = &[
    ("", &["give a command: decision, wait, session", "didit --help"]),
    ("session", &["give a command: create, status"]),
    ("verification", &["give a command: create, decision"]),
    ("decide a", &["no command \"decide\"", "did you mean `decision`?"]),
    ("decison a", &["did you mean `decision`?"]),
    ("verfication list", &["did you mean `verification`?"]),
    ("wiat a", &["did you mean `wait`?"]),
    ("frobnicate", &["the commands are decision, wait"]),
    ("decision", &["SESSION_ID", "missing", "for example: didit decision 1"]),
    ("decision a/b", &["\"a/b\"", "'/'"]),
    ("decision https://app.didit.me/authorize/x", &["give the session's id, not its URL"]),
    ("decision a --output json", &["use --format json"]),
    ("decision a -o json", &["use --format json"]),
    ("wait a --output json", &["use --format json"]),
    ("token --output json", &["use --format json"]),
    ("session create --scope names --output json", &["use --format json"]),
    ("--format json decision a", &["--format must come after the command"]),
    ("--json decision a", &["--json must come after the command"]),
    ("decision a --format yaml", &["--format: \"yaml\"", "table, json"]),
    ("decision a --json --format table", &["--json and --format", "keep one"]),
    ("decision a --sandox", &["\"--sandox\"", "did you mean `--sandbox`?"]),
    ("decision a --client-secret x", &["DIDIT_CLIENT_SECRET", "never passed as arguments"]),
    ("decision a --api-key x", &["DIDIT_API_KEY", "never passed as arguments"]),
    ("config set --client-secret x", &["give --secret-stdin < secret.txt, or --secret-command"]),
    ("decision a --timeout -5s", &["--timeout: \"-5s\" is not a duration like 500ms"]),
    ("decision a --timeout 30", &["--timeout: \"30\" is not a duration like 500ms, 30s"]),
    ("decision a --timeout 0s", &["--timeout: \"0s\" is zero; give a longer duration"]),
    ("decision a --unknown", &["takes no option \"--unknown\""]),
    ("decision a --timeout", &["--timeout needs a value: --timeout <DURATION>"]),
    ("decision a --color purple", &["--color: \"purple\"", "auto, always, never"]),
    ("token -q -v", &["--quiet and --verbose cannot be used together"]),
    ("token --profile session canary", &["`didit token` takes options, but no further arguments"]),
    ("session status a canary", &["takes options, but no further arguments"]),
    ("config set --secret-stdin=canary", &["--secret-stdin takes no value"]),
    ("token canary", &["`didit token` takes options, but no further arguments"]),
    (
        "export canary canary.jsonl",
        &["no further arguments; for example: didit export --input ids.txt --output decisions"],
    ),
    ("config remove canary", &["; for example: didit config remove --profile staging"]),
    ("export --json", &["`didit export` takes no option \"--json\"; use --format jsonl"]),
    ("export --resume", &["no option \"--resume\"; run the same command again to resume"]),
    ("version", &["there is no command \"version\"; use `didit --version`"]),
    ("man doktor", &["there is no command \"doktor\"; did you mean `doctor`?"]),
    ("man foo", &["there is no command \"foo\"; the commands are decision, wait"]),
    ("man session foo", &["there is no command \"session foo\"; the commands are create, status"]),
    ("wait a --poll 0s", &["--poll: \"0s\" is zero; give a longer duration"]),
    ("wait a b", &["`didit wait` takes no argument \"b\""]),
    ("session create --sandbox", &["--scope <SCOPES> is missing", "for example: didit session"]),
    ("session create --sandbox --scope mail", &["\"mail\"", "did you mean `email`?"]),
    ("session create --sandbox --scope names,over_18", &["did you mean `is_over_18`?"]),
    ("session status a", &["DIDIT_SESSION_TOKEN", "--session-token"]),
    ("export --input ids", &["--output <FILE> is missing", "for example: didit export"]),
    ("export --output out", &["--input <FILE> is missing"]),
    ("export --input a --output b --concurrency many", &["\"many\"", "from 1 to 1000"]),
    ("export --input a --output b --budget 0", &["--budget: \"0\"", "from 1 to 1000000"]),
    (
        "export --input a --output b --retry-failures c",
        &["--input", "--retry-failures", "keep one"],
    ),
    ("export --input a --output b.jsonl --csv-raw", &["--csv-raw", "--format csv"]),
    ("export --input a --output b.csv --verification", &["--verification writes JSON Lines"]),
    (
        "sandbox --webhook http://example.com/x",
        &["the webhook destination \"http://example.com/x\" is not an http URL"],
    ),
    ("sandbox --state /", &["--state: / is a folder"]),
    (
        "webhook send http://example.com/x",
        &["plain http is allowed to this machine only; use https"],
    ),
    ("sandbox --fault foo", &["ROUTE:KIND", "KEY=VALUE"]),
    ("sandbox --fault decision:explode", &["\"explode\" is not one of status=NNN"]),
    (
        "sandbox --webhook-fault duplicate",
        &["--webhook-fault requires --webhook; for example: didit sandbox --webhook http"],
    ),
    ("sandbox --webhook-scale=2", &["--webhook-scale requires --webhook; see"]),
    ("sandbox --strict --webhook-scale=2", &["--webhook-scale requires --webhook; see"]),
    ("--scope names session create", &["--scope must come after the command; see"]),
    ("--yes verification delete a", &["--yes must come after the command; see"]),
    (
        "verification delete 11111111-2222-3333-4444-555555555555 --retain-days 3",
        &["--retain-days requires --retain-face; see"],
    ),
    (
        "verification update-status 11111111-2222-3333-4444-555555555555 approved --language en",
        &["--language requires --email; see"],
    ),
    (
        "verification create --repeat --sandbox",
        &["--repeat requires --vendor-data; --workflow <ID> is missing; see"],
    ),
    ("webhook verify --body b", &["--headers <FILE> or --header <NAME: VALUE> is missing"]),
    (
        "sandbox --webhook http://127.0.0.1:9/ --webhook-fault duplicate,late",
        &["--webhook-fault: \"late\"", "pass, duplicate, lost, wrong-signature, old-timestamp"],
    ),
    ("sandbox --quota 100", &["--quota: \"100\" is not a quota like 100/60s"]),
    ("sandbox --port 65536", &["--port: \"65536\" is not a whole number from 0 to 65535"]),
    ("completions zshh", &["did you mean `zsh`?"]),
    ("completions tcl", &["\"tcl\"", "bash, elvish, fish, powershell, zsh"]),
    ("verification decision abc", &["\"abc\" is not a session id", "a UUID, such as"]),
    ("verification list --status aproved", &["did you mean `approved`?"]),
    ("verification list --status xyz", &["is not one of not-started, in-progress, awaiting-user"]),
    ("sandbox --latency -1s", &["--latency: \"-1s\" is not a duration"]),
    ("sandbox --port -1", &["--port: \"-1\" is not a whole number from 0 to 65535"]),
    ("export --input a --output b --budget -1", &["--budget: \"-1\" is not a whole number"]),
    (
        "verification list --from 2026-13-01",
        &["--from: \"2026-13-01\" is not a date, like 2026-01-31; see"],
    ),
    ("verification list --to 2026-02-31", &["--to: \"2026-02-31\" is not a date, like"]),
    ("verification list --workflow x", &["--workflow: \"x\" is not a UUID, like 5b3720ed"]),
    ("verification create --workflow x", &["--workflow: \"x\" is not a UUID, like 5b3720ed"]),
    ("verification list --from 2026-11-30 --to 2026-11-01", &["--from is after --to"]),
    ("sandbox --listen 1.2.3", &["--listen: \"1.2.3\" is not an IP address, like 0.0.0.0; see"]),
    ("verification list --to 2026-160", &["--to: \"2026-160\" is not a date"]),
    (
        "verification pdf 11111111-2222-3333-4444-555555555555 --output missing-folder/a.pdf",
        &["the folder missing-folder does not exist; create it"],
    ),
    (
        "verification pdf 11111111-2222-3333-4444-555555555555 --output /",
        &["--output: / is a folder; give a file"],
    ),
    ("man --output /etc/hostname", &["--output: /etc/hostname is a file; give a folder"]),
    ("token", &["set DIDIT_CLIENT_ID", "or use a profile (`didit config", "add --sandbox"]),
    (
        "verification list",
        &["no API key is configured; set DIDIT_API_KEY; or use a profile", "add --sandbox"],
    ),
    (
        "export --input a --output b --verification",
        &["no API key is configured; set DIDIT_API_KEY"],
    ),
    ("webhook send nowhere", &["the URL is not complete", "http://127.0.0.1:3000/webhooks"]),
    (
        "sandbox --webhook http://u:canary@127.0.0.1/",
        &["the webhook destination is not an http URL"],
    ),
];

#[test]
fn usage_errors_say_what_to_do() {
    for &(arguments, words) in INVALID {
        let ran = run(&mut didit(arguments));
        let line = ran.error(2);
        for words in words {
            assert!(line.contains(words), "didit {arguments}: {line}");
        }
        assert!(!line.contains("error:") && line.len() < 600, "didit {arguments}: {line}");
        assert!(!line.contains("canary"), "didit {arguments}: {line}");
    }
}

#[test]
fn short_help_fits_the_screen() {
    let commands = run(&mut didit("-h"));
    let listed = commands.results().split("Commands:\n").nth(1).unwrap().to_owned();
    let names: Vec<_> = listed.lines().map_while(|line| line.strip_prefix("  ")).collect();
    assert!(names.len() > 10, "{listed}");
    let mut lines = vec![String::new()];
    lines.extend(names.iter().map(|line| line.split(' ').next().unwrap().to_owned()));
    for (group, commands) in [
        ("session", &["create", "status"][..]),
        ("verification", &["create", "decision", "wait", "list", "update-status", "pdf", "delete"]),
        ("webhook", &["verify", "send"]),
        ("config", &["set", "list", "remove", "path"]),
    ] {
        lines.extend(commands.iter().map(|command| format!("{group} {command}")));
    }
    for name in lines.iter().filter(|name| *name != "help") {
        let ran = run(didit(name).arg("-h").env("COLUMNS", "80"));
        let help = ran.results();
        assert!(help.lines().count() <= 24, "didit {name} -h:\n{help}");
        assert!(help.lines().all(|line| line.len() <= 80), "didit {name} -h:\n{help}");
    }
}

#[test]
fn version_may_include_the_commit() {
    let ran = run(&mut didit("--version"));
    let version = ran.results().strip_prefix("didit ").unwrap().trim_end();
    let (number, commit) = version.split_once(' ').unwrap_or((version, "(000000000000)"));
    assert_eq!(number, env!("CARGO_PKG_VERSION"));
    let commit = commit.strip_prefix('(').and_then(|commit| commit.strip_suffix(')')).unwrap();
    assert!(commit.len() >= 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{version}");
}
