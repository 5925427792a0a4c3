//! Tests completions in the real shells; fish and zsh are skipped if not installed.

use std::process::Command;

use crate::support::{didit, run};

/// Runs a script in a shell with the program on its path; `None` if the shell is not installed.
fn in_shell(shell: &[&str], script: &str) -> Option<String> {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_didit")).parent().unwrap();
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg(script).env("HOME", "/nonexistent");
    let output =
        command.env("PATH", format!("{}:/usr/bin:/bin", program.display())).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn bash_completes_commands_options_and_values() {
    let complete = |words: &str| {
        let script = format!(
            "source <(didit completions bash); COMP_WORDS=({words}); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); \
             _didit didit \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
             echo \"${{COMPREPLY[@]}}\""
        );
        in_shell(&["bash", "--norc", "-c"], &script).expect("a bash")
    };
    assert!(complete("didit ver").contains("verification"));
    assert!(complete("didit session create --scope na").contains("names"));
    assert!(complete("didit verification list --status in").contains("in-review"));
    assert!(complete("didit sandbox --fault decision").contains("decision:status=503"));
    assert!(complete("didit sandbox --webhook-fault wrong").contains("wrong-signature"));
    assert!(complete("didit decision a --format j").contains("json"));
    assert!(complete("didit man dec").contains("decision"));
    assert!(!complete("didit --profile Car").contains("Cargo.toml"));
}

/// bash splits `decision:status=5` into five words, and replaces only the last one.
#[test]
fn bash_completes_fault_rules_after_a_colon() {
    let complete = |word: &str, part: &str| {
        let script = format!(
            "source <(didit completions bash); COMP_LINE='didit sandbox --fault {word}'; \
             COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=(didit sandbox --fault decision : x); \
             COMP_CWORD=5; _didit_whole_rules didit '{part}' :; echo \"${{COMPREPLY[*]}}\""
        );
        in_shell(&["bash", "--norc", "-c"], &script).expect("a bash")
    };
    assert!(complete("decision:", "").starts_with("status=401 status=404 "));
    assert_eq!(complete("decision:h", "h"), "hang\n");
    assert_eq!(complete("decision:status=5", "5"), "503\n");
    assert!(complete("deci", "deci").contains("decision:hang"));
}

#[test]
fn fish_completes_values_too() {
    let complete = |line: &str| {
        let script = format!("didit completions fish | source; complete --do-complete '{line}'");
        in_shell(&["fish", "--no-config", "-c"], &script)
    };
    let Some(scopes) = complete("didit session create --scope ") else { return };
    assert!(scopes.contains("names") && scopes.contains("is_over_18"), "{scopes}");
    let statuses = complete("didit verification list --status in").unwrap();
    assert!(statuses.contains("in-review"), "{statuses}");
    let faults = complete("didit sandbox --fault token:").unwrap();
    assert!(faults.contains("token:status=401"), "{faults}");
}

#[test]
fn zsh_loads_the_script() {
    let script = run(&mut didit("completions zsh"));
    assert!(script.results().contains("is_over_18") && script.stdout.contains("in-review"));
    let loaded = in_shell(
        &["zsh", "-f", "-c"],
        "autoload -U compinit; compinit -D -u; source <(didit completions zsh); whence -w _didit",
    );
    let Some(loaded) = loaded else { return };
    assert_eq!(loaded, "_didit: function\n");
}
