//! What is said when a bug ends the process: one line, and how to go on.

use super::escape::visible;
use super::terminal::Terminal;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;

static RESUME: OnceLock<String> = OnceLock::new();

/// Notes the command that continues the crawl of this process; the first one stays.
pub fn set_resume_command(command: impl Into<String>) {
    _ = RESUME.set(command.into());
}

/// Replaces the usual report of a panic by one line on `terminal`. `RUST_BACKTRACE` brings the usual one back.
pub fn install_panic_hook(terminal: &Terminal) {
    if crate::settings::environment::variable("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        return;
    }
    let terminal = terminal.clone();
    std::panic::set_hook(Box::new(move |panic| {
        terminal.line(&report(panic, RESUME.get().map(String::as_str)));
    }));
}

fn report(panic: &PanicHookInfo<'_>, resume: Option<&str>) -> String {
    let place = panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
    let what = panic.payload_as_str().unwrap_or("no message");
    let next = resume.map_or_else(String::new, |command| format!("; nothing is lost, go on with: {command}"));
    format!("error: a bug in huntsman{place}: {}{next}", visible(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_panic_is_one_line_with_the_way_on() {
        let said = Arc::new(Mutex::new(String::new()));
        let hook = Arc::clone(&said);
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload_as_str().is_some_and(|what| what.starts_with("lost")) {
                *hook.lock().unwrap() = report(panic, Some("huntsman resume x"));
            }
        }));
        _ = std::panic::catch_unwind(|| panic!("lost\n{}", "lease"));
        std::panic::set_hook(usual);
        let said = said.lock().unwrap();
        assert!(said.starts_with("error: a bug in huntsman at src/telemetry/panic.rs:"), "{said}");
        assert!(said.ends_with(": lost\\nlease; nothing is lost, go on with: huntsman resume x"), "{said}");
    }
}
