//! Standard error, shared by log lines, messages and the live line.

use super::live::Screen;
use indicatif::{MultiProgress, ProgressDrawTarget};
use std::io::{self, IsTerminal, Write};
use tracing_subscriber::fmt::MakeWriter;

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colours {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Even into a file.
    Always,
    /// Not at all.
    Never,
}

impl Colours {
    /// Whether to colour a stream that is a terminal or not. `no_colour` is whether `NO_COLOR` is set.
    pub fn on(self, terminal: bool, no_colour: bool) -> bool {
        match self {
            Self::Auto => terminal && !no_colour,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Highlighting that is nothing where colours are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paint {
    /// Whether escapes are written.
    pub on: bool,
}

impl Paint {
    /// Headlines.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }
    /// What failed.
    pub fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }
    /// What deserves a look.
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }
    /// What steps back.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Standard error. Clones share one screen: a line printed through any of them goes above the live line.
#[derive(Debug, Clone)]
pub struct Terminal {
    screen: MultiProgress,
    seen: bool,
    paint: Paint,
}

impl Terminal {
    /// Standard error with colours as asked for.
    pub fn stderr(colours: Colours) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let no_colour = crate::settings::environment::variable("NO_COLOR").is_some();
        let target = if is_terminal {
            ProgressDrawTarget::term_like_with_hz(Box::new(Screen::default()), 10)
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            screen: MultiProgress::with_draw_target(target),
            seen: is_terminal,
            paint: Paint { on: colours.on(is_terminal, no_colour) },
        }
    }

    /// Whether a person sees it.
    pub fn is_terminal(&self) -> bool {
        self.seen
    }

    /// How to highlight text for it.
    pub fn paint(&self) -> Paint {
        self.paint
    }

    /// Where live lines are drawn; hidden where nobody sees them.
    pub(crate) fn screen(&self) -> &MultiProgress {
        &self.screen
    }

    /// Takes the live line away for good: the process is about to end.
    pub fn end_live(&self) {
        _ = self.screen.clear();
        self.screen.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Prints `text` and a line end above the live line. A standard error that is closed is nobody's loss.
    pub fn line(&self, text: &str) {
        self.screen.suspend(|| {
            // One write, so that two processes on one log do not mix within a line.
            _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
        });
    }
}

/// One log event on its way to the terminal: written at once when complete, so that lines never mix.
#[derive(Debug)]
pub struct Event {
    terminal: Terminal,
    text: Vec<u8>,
}

impl Write for Event {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        let text = text.trim_end_matches('\n');
        if !text.is_empty() {
            self.terminal.line(text);
        }
    }
}

impl<'a> MakeWriter<'a> for Terminal {
    type Writer = Event;
    fn make_writer(&'a self) -> Event {
        Event { terminal: self.clone(), text: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_unless_asked_otherwise() {
        assert!(
            Colours::Auto.on(true, false) && !Colours::Auto.on(true, true) && !Colours::Auto.on(false, false)
        );
        assert!(Colours::Always.on(false, true) && !Colours::Never.on(true, false));
        assert_eq!(Paint { on: false }.red("x"), "x");
        assert_eq!(Paint { on: true }.red("x"), "\x1b[31mx\x1b[0m");
    }
}
