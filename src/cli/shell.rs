//! Words of the commands that we print, so that they can be pasted into a shell.

use crate::settings::{Secret, StoreUrl};
use std::borrow::Cow;
use std::fmt::Write;
use url::Url;

/// `text` as one word of a POSIX shell. Control characters, which no line of ours shows as they are, take the form of bash,
/// zsh and ksh.
pub(super) fn quoted(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(char::is_control) {
        return Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")));
    }
    let mut out = String::from("$'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    write!(out, "\\x{byte:02x}").expect("a String takes any text");
                }
            }
            c => out.push(c),
        }
    }
    out.push('\'');
    Cow::Owned(out)
}

/// ` --store STORE`, without the password of an address.
pub(super) fn store_flag(store: &StoreUrl) -> String {
    format!(" --store {}", quoted(&store.to_string()))
}

/// ` --frontier URL`, without the password of the address.
pub(super) fn frontier_flag(index: &Secret) -> String {
    let shown = Url::parse(index.expose()).map(|mut url| {
        _ = url.set_password(None);
        url.to_string()
    });
    format!(" --frontier {}", quoted(shown.as_deref().unwrap_or("URL")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        for (text, word) in [
            ("sqlite:crawls/a-b_1.db", "sqlite:crawls/a-b_1.db"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$HOME `x` \"y\" *", "'$HOME `x` \"y\" *'"),
            ("~/a", "'~/a'"),
            ("caf\u{e9}", "'caf\u{e9}'"),
            ("a\nb'\\", r"$'a\x0ab\'\\'"),
        ] {
            assert_eq!(quoted(text), word);
        }
    }
}
