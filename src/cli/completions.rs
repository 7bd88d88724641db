//! `huntsman completions`.

use super::args::Cli;
use super::exit::{ExitCode, Failure};
use clap::CommandFactory;
use clap_complete::{Shell, generate};
use std::io::{Write, stdout};

/// Prints the completion script of `shell`.
pub(super) fn run(shell: Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "huntsman", &mut script);
    stdout().write_all(&script)?;
    stdout().flush()?;
    Ok(ExitCode::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_gets_a_script_with_the_flags() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let mut script = Vec::new();
            generate(shell, &mut Cli::command(), "huntsman", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(
                script.contains("max-pages") && script.contains("registrable") || shell == Shell::Bash,
                "{shell}"
            );
        }
    }
}
