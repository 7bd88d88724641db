//! The one door to environment variables.

use std::path::PathBuf;

/// What every variable of ours starts with.
pub const PREFIX: &str = "HUNTSMAN_";

/// The variable `name`, unless it is unset, empty or not UTF-8.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Every variable that starts with [`PREFIX`] and is not empty, sorted by name.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn ours() -> Vec<(String, String)> {
    let mut ours: Vec<_> =
        std::env::vars().filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty()).collect();
    ours.sort();
    ours
}

/// The directory for a user's settings by the XDG base directory specification: `$XDG_CONFIG_HOME`, or `~/.config`.
pub fn config_home() -> Option<PathBuf> {
    variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")))
}
