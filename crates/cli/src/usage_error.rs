//! Usage errors, each in one line with what to give instead.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Prints the requested help or version, or returns the usage error.
pub(crate) fn explain(
    error: &clap::Error,
    program: &Command,
    arguments: &[OsString],
) -> Result<Exit, Failure> {
    if !error.use_stderr() {
        output::print(&error.render().to_string())?;
        return Ok(Exit::Done);
    }
    let (path, command) = command_of(program, arguments);
    let mistake = Mistake { error, program, arguments, command, path };
    Err(Failure::usage(mistake.line()))
}

/// Returns the command that the arguments name, with its full name.
fn command_of<'a>(program: &'a Command, arguments: &[OsString]) -> (String, &'a Command) {
    let (mut path, mut command) = (program.get_name().to_owned(), program);
    let mut arguments = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    while let Some(argument) = arguments.next() {
        let name = argument.strip_prefix("--");
        let option = name.and_then(|name| {
            let options = program.get_arguments().chain(command.get_arguments());
            options.into_iter().find(|option| option.get_long() == Some(name))
        });
        if option.is_some_and(|option| option.get_action().takes_values()) {
            // Its value may have the name of a command.
            arguments.next();
        } else if let Some(found) = command.find_subcommand(argument) {
            command = found;
            path = format!("{path} {}", found.get_name());
        }
    }
    (path, command)
}

/// Returns the name in a description like `--output <FILE>`.
fn name_of(argument: &str) -> &str {
    argument.split([' ', '=']).next().unwrap_or_default().trim_end_matches("...")
}

struct Mistake<'a> {
    error: &'a clap::Error,
    program: &'a Command,
    arguments: &'a [OsString],
    command: &'a Command,
    path: String,
}

impl Mistake<'_> {
    fn line(&self) -> String {
        let help =
            if self.path == "didit" { "didit --help" } else { &format!("{} --help", self.path) };
        let problem = self.problem();
        if problem.ends_with('?') {
            format!("{problem} See `{help}`")
        } else {
            format!("{problem}; see `{help}`")
        }
    }

    fn problem(&self) -> String {
        let argument = self.first(ContextKind::InvalidArg);
        let name = name_of(&argument);
        let value = self.first(ContextKind::InvalidValue);
        match self.error.kind() {
            ErrorKind::UnknownArgument => self.unknown(&argument),
            ErrorKind::InvalidSubcommand => {
                let given = self.first(ContextKind::InvalidSubcommand);
                if given == "version" {
                    return "there is no command \"version\"; use `didit --version`".to_owned();
                }
                let mut known = self.did_you_mean(ContextKind::SuggestedSubcommand);
                if known.is_empty() {
                    known = format!("; the commands are {}", self.commands());
                }
                format!("there is no command {given:?}{known}")
            }
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                format!("give a command: {}", self.commands())
            }
            ErrorKind::MissingRequiredArgument => self.missing(),
            ErrorKind::InvalidValue if value.is_empty() => {
                format!("{name} needs a value: {argument}{}", self.one_of("; one of "))
            }
            ErrorKind::InvalidValue => {
                let near = self.did_you_mean(ContextKind::SuggestedValue);
                format!("{name}: {value:?} is not {}{near}", self.one_of("one of "))
            }
            ErrorKind::ValueValidation if !argument.is_empty() => {
                let why = std::error::Error::source(self.error);
                let why = why.map_or_else(|| format!("{value:?} is invalid"), ToString::to_string);
                // The standard library's number errors do not repeat the value.
                let repeats = why.contains(value.trim()) || why.contains(&format!("{value:?}"));
                let given = if repeats { String::new() } else { format!("{value:?}: ") };
                format!("{name}: {given}{why}")
            }
            ErrorKind::ArgumentConflict => {
                let others = self.all(ContextKind::PriorArg);
                let others: Vec<_> = others.iter().map(|other| name_of(other)).collect();
                if others == [name] {
                    format!("{name} can be given only once")
                } else {
                    format!("{name} and {} cannot be used together; keep one", others.join(" and "))
                }
            }
            // The value may be a secret.
            ErrorKind::TooManyValues => format!("{name} takes no value"),
            ErrorKind::InvalidUtf8 => "an argument is not UTF-8 text".to_owned(),
            _ => {
                let text = self.error.render().to_string();
                let first = text.lines().next().unwrap_or_default();
                first.trim_start_matches("error: ").to_owned()
            }
        }
    }

    fn missing(&self) -> String {
        let (mut problems, mut missing, mut options) = (Vec::new(), Vec::new(), Vec::new());
        for argument in self.all(ContextKind::InvalidArg) {
            let name = name_of(&argument).to_owned();
            if let Some(option) = self.requiring(&argument) {
                problems.push(format!("{option} requires {name}"));
                options.push(option);
            } else {
                missing.push(argument);
            }
            options.push(name);
        }
        if !missing.is_empty() {
            let are = if missing.len() > 1 { "are" } else { "is" };
            problems.push(format!("{} {are} missing", missing.join(" and ")));
        }
        format!("{}{}", problems.join("; "), self.example(&options))
    }

    /// Returns the given option that requires an argument, or `None` if the command requires it.
    fn requiring(&self, missing: &str) -> Option<String> {
        let is_missing = |given: &[OsString]| {
            let line = self.path.split(' ').map(OsString::from).chain(given.iter().cloned());
            let parsed = self.program.clone().try_get_matches_from(line);
            parsed.is_err_and(|error| {
                texts(&error, ContextKind::InvalidArg).iter().any(|argument| argument == missing)
            })
        };
        if is_missing(&[]) {
            return None;
        }
        // The value of an option may be the next argument.
        let parts = [1, 2].into_iter().flat_map(|length| self.arguments.windows(length));
        let mut options = parts.filter(|part| part[0].as_encoded_bytes().starts_with(b"--"));
        let option = options.find(|part| is_missing(part))?;
        Some(name_of(option[0].to_str()?).to_owned())
    }

    fn unknown(&self, argument: &str) -> String {
        let prints_results = self.has("json");
        let kind = if argument.starts_with('-') { "option" } else { "argument" };
        let refused = format!("`{}` takes no {kind} {argument:?}", self.path);
        match argument {
            "--json" if self.has("retry_failures") => format!("{refused}; use --format jsonl"),
            "--resume" if self.has("retry_failures") => {
                format!("{refused}; run the same command again to resume")
            }
            "--output" | "-o" if prints_results => {
                "results go to standard output; use --format json for JSON, and `> FILE` for a file"
                    .to_owned()
            }
            "--format" | "--json" if self.command.has_subcommands() => {
                format!("{argument} must come after the command")
            }
            _ if self.takes(argument) => format!("{argument} must come after the command"),
            "--client-secret" | "--secret" | "--access-token" | "--token" | "--api-key" => {
                let advice = if self.has("secret_stdin") {
                    "give --secret-stdin < secret.txt, or --secret-command"
                } else {
                    "set DIDIT_CLIENT_SECRET, DIDIT_ACCESS_TOKEN or DIDIT_API_KEY"
                };
                let why = "these secrets are never passed as arguments";
                format!("there is no {argument}: {why}; {advice}")
            }
            _ => {
                let takes_none = self.command.get_positionals().next().is_none();
                if !argument.starts_with('-') && (takes_none || self.has("session_token")) {
                    // It may be a secret that was meant for an option.
                    let example = self.example(&["--".to_owned()]);
                    let path = &self.path;
                    return format!("`{path}` takes options, but no further arguments{example}");
                }
                refused + &self.did_you_mean(ContextKind::SuggestedArg)
            }
        }
    }

    fn takes(&self, option: &str) -> bool {
        let name = option.strip_prefix("--");
        name.is_some() && self.command.get_arguments().any(|known| known.get_long() == name)
    }

    fn has(&self, id: &str) -> bool {
        self.command.get_arguments().any(|argument| argument.get_id() == id)
    }

    fn commands(&self) -> String {
        let commands = self.command.get_subcommands().filter(|command| !command.is_hide_set());
        let names: Vec<_> =
            commands.map(Command::get_name).filter(|name| *name != "help").collect();
        names.join(", ")
    }

    /// Returns the first example in the command's help that has these options, if there is one.
    fn example(&self, options: &[String]) -> String {
        let examples = self.command.get_before_long_help().map(ToString::to_string);
        let options = options.iter().filter(|name| name.starts_with('-'));
        let mut examples = examples.iter().flat_map(|text| text.lines().skip(1)).map(str::trim);
        let found = examples.find(|example| options.clone().all(|name| example.contains(&**name)));
        found.map(|example| format!("; for example: {example}")).unwrap_or_default()
    }

    fn one_of(&self, words: &str) -> String {
        let values = self.all(ContextKind::ValidValue);
        if values.is_empty() { String::new() } else { format!("{words}{}", values.join(", ")) }
    }

    /// Returns the best suggestion, if any; clap sorts them by increasing similarity.
    fn did_you_mean(&self, kind: ContextKind) -> String {
        let near = self.all(kind).pop();
        near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
    }

    fn first(&self, kind: ContextKind) -> String {
        self.all(kind).into_iter().next().unwrap_or_default()
    }

    fn all(&self, kind: ContextKind) -> Vec<String> {
        texts(self.error, kind)
    }
}

/// Returns the texts of an error's context.
fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
