//! The one door to environment variables.

use super::Mistake;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What every variable of ours starts with.
pub const PREFIX: &str = "HUNTSMAN_";

/// The variable `name`, unless it is unset, empty or not UTF-8.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Every variable that starts with [`PREFIX`] and is not empty, sorted by name. What others' variables hold does not
/// matter, be it text or not; one of ours that is not UTF-8 is a mistake.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn ours() -> Result<Vec<(String, String)>, Mistake> {
    let is_ours = |(name, value): &(OsString, OsString)| {
        name.as_bytes().starts_with(PREFIX.as_bytes()) && !value.is_empty()
    };
    let text = |(name, value): (OsString, OsString)| {
        let wrong = |name: String| Mistake::new(name, "this variable is not valid UTF-8");
        let name = name.into_string().map_err(|name| wrong(name.to_string_lossy().into_owned()))?;
        let value = value.into_string().map_err(|_| wrong(name.clone()))?;
        Ok((name, value))
    };
    let mut ours = std::env::vars_os().filter(is_ours).map(text).collect::<Result<Vec<_>, Mistake>>()?;
    ours.sort();
    Ok(ours)
}

/// The directory for a user's settings by the XDG base directory specification: `$XDG_CONFIG_HOME`, or `~/.config`.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn config_home() -> Option<PathBuf> {
    // A path need be no UTF-8.
    let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    path("XDG_CONFIG_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| path("HOME").map(|home| home.join(".config")))
}
