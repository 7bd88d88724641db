//! How a command ends: its exit code, and what is said of a failure.

use crate::settings::Mistake;
use crate::telemetry::Terminal;
use std::fmt;
use std::io::{self, Write};

/// The exit codes, as `--help` documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Done: the frontier is empty, or a limit that was asked for is reached.
    Done = 0,
    /// A bug or a failure of the machine.
    Internal = 1,
    /// A mistake in the arguments, the settings or a seed list.
    Usage = 2,
    /// No page could be fetched.
    NothingFetched = 3,
    /// The store or the disk failed; the crawl can be resumed.
    Storage = 4,
    /// The frontier could not be reached; the crawl can be resumed.
    Frontier = 5,
    /// As many URLs failed as were allowed; the crawl can be resumed.
    Threshold = 6,
    /// URLs failed in a way that `--fail-on` names.
    Gate = 10,
    /// Interrupted (SIGINT); the crawl can be resumed.
    Interrupted = 130,
    /// Asked to stop (SIGTERM); the crawl can be resumed.
    Terminated = 143,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// The end of `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    done: nothing is left to fetch, or a limit that was asked for is reached
  1    internal error
  2    mistake in the arguments, the settings or a seed list
  3    no page could be fetched
  4    the store or the disk failed; resume continues
  5    the frontier could not be reached; resume continues
  6    as many URLs failed as --max-errors allows; resume continues
  10   URLs failed in a way that --fail-on names
  130  interrupted with Ctrl-C; resume continues (143: by SIGTERM)";

/// Why a command could not do what it was asked: one line, a hint, an exit code.
#[derive(Debug)]
pub struct Failure {
    /// How the process exits.
    pub code: ExitCode,
    /// What failed.
    pub error: anyhow::Error,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without hint.
    pub fn new(code: ExitCode, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into(), hint: None }
    }

    /// A mistake of the operator, said in `message`.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(ExitCode::Usage, anyhow::anyhow!("{message}"))
    }

    /// The same with `hint`.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says it on `terminal` and returns the exit code. Who closes our standard output wants no more of it: that is
    /// no failure and nothing is said.
    pub fn report(&self, terminal: &Terminal) -> ExitCode {
        if self.is_closed_pipe() {
            return ExitCode::Done;
        }
        for line in self.lines() {
            let (word, text) = line.split_once(' ').unwrap_or((&line, ""));
            let word =
                if word == "error:" { terminal.paint().red(word) } else { terminal.paint().bold(word) };
            terminal.line(&format!("{word} {text}"));
        }
        self.code
    }

    fn is_closed_pipe(&self) -> bool {
        self.error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("error: {:#}", self.error)];
        lines.extend(self.hint.as_ref().map(|hint| format!("hint: {hint}")));
        lines.iter().map(|line| super::escape::visible(line).into_owned()).collect()
    }
}

/// Prints help, or what is wrong with the arguments. A closed standard output is no mistake of ours.
pub fn report_arguments(help_or_mistake: &clap::Error) -> ExitCode {
    if !help_or_mistake.use_stderr() {
        _ = help_or_mistake.print();
        return ExitCode::Done;
    }
    // As text it is without colours, so that what is hidden in it is from an argument, pasted from anywhere.
    let text = help_or_mistake.render().to_string();
    let lines = || text.lines().map(super::escape::visible);
    if lines().eq(text.lines()) {
        _ = help_or_mistake.print();
    } else {
        lines().for_each(|line| _ = writeln!(io::stderr(), "{line}"));
    }
    ExitCode::Usage
}

impl From<Mistake> for Failure {
    fn from(mistake: Mistake) -> Self {
        Self::new(ExitCode::Usage, mistake)
    }
}

impl From<io::Error> for Failure {
    fn from(why: io::Error) -> Self {
        Self::new(ExitCode::Internal, why)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(why: anyhow::Error) -> Self {
        Self::new(ExitCode::Internal, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_a_hint_and_a_code() {
        let failure = Failure::usage("no such \x1b[31mfile").hint("look twice");
        assert_eq!(failure.lines(), ["error: no such \\u{1b}[31mfile", "hint: look twice"]);
        assert_eq!(failure.code as u8, 2);
        let chained = anyhow::Error::new(io::Error::other("disk full")).context("failed to write pages");
        assert_eq!(
            Failure::new(ExitCode::Storage, chained).lines(),
            ["error: failed to write pages: disk full"]
        );
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        let terminal = Terminal::stderr(crate::telemetry::Colours::Never);
        assert_eq!(closed.report(&terminal), ExitCode::Done);
    }

    #[test]
    fn every_exit_code_is_documented() {
        for code in [0, 1, 2, 3, 4, 5, 6, 10, 130, 143] {
            assert!(EXIT_CODES.contains(&code.to_string()), "{code}");
        }
    }
}
