//! `didit completions SHELL`

use clap::{Args, Command};
use clap_complete::Shell;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  didit completions bash
  didit completions fish";

/// Completes the rules of `--fault` in bash, which splits words at `:` and `=`: completes the whole
/// word, then cuts off the part that bash keeps.
const BASH_FAULT_RULES: &str = r#"
_didit_whole_rules() {
    local line="${COMP_LINE:0:COMP_POINT}"
    local word="${line##*[[:space:]]}"
    local before="${line%"$word"}"
    before="${before%"${before##*[![:space:]]}"}"
    if [[ "${before##*[[:space:]]}" != --fault ]]; then
        _didit "$@"
        return
    fi
    COMP_WORDS[COMP_CWORD]="$word"
    _didit "$1" "$word" --fault
    local kept=""
    [[ "$COMP_WORDBREAKS" != *:* || "$word" != *:* ]] || kept="${word%:*}:"
    [[ "$COMP_WORDBREAKS" != *=* || "$word" != *=* ]] || kept="${word%=*}="
    COMPREPLY=("${COMPREPLY[@]#"$kept"}")
}
complete -F _didit_whole_rules -o bashdefault -o default didit
"#;

/// Print a completion script for a shell
///
/// For bash, add `source <(didit completions bash)` to ~/.bashrc. For fish, save it as
/// ~/.config/fish/completions/didit.fish; for zsh, as _didit in a folder of fpath.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Completions {
    /// Name of the shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, mut program: Command) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "didit", &mut script);
        if self.shell == Shell::Bash {
            script.extend_from_slice(BASH_FAULT_RULES.as_bytes());
        }
        output::print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
