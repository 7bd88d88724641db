//! Settings as text: for `config show`, and the file that documents every one.

use super::layers::{Layers, Raw};
use super::table::{Kind, Owner, SETTINGS, Section, Setting};
use super::values;
use std::fmt::Write;

/// Whether `config show` says where each value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origins {
    /// As a comment behind each value.
    Shown,
    /// Values alone.
    Hidden,
}

/// The settings as a settings file. Secrets are redacted, so a file that holds some does not read back.
pub fn show(layers: &Layers, origins: Origins) -> String {
    let mut out = String::new();
    for section in Section::ALL {
        let gap = if out.is_empty() { "" } else { "\n" };
        _ = writeln!(out, "{gap}[{}]", section.as_str());
        for (setting, raw, origin) in layers.iter().filter(|(setting, ..)| setting.section == section) {
            let line = format!("{} = {}", setting.name, value(setting, raw));
            _ = match origins {
                Origins::Hidden => writeln!(out, "{line}"),
                Origins::Shown => writeln!(out, "{line:<40} # {origin}"),
            };
        }
    }
    out
}

/// `config/huntsman.toml`: every setting with its meaning, its unit and its default.
pub fn documented_defaults() -> String {
    let mut out = String::from(
        "# Every setting of huntsman with its default.\n\
         #\n\
         # Read from --config FILE, or ./huntsman.toml, or $XDG_CONFIG_HOME/huntsman/huntsman.toml: the first found.\n\
         # Over the file go the environment (HUNTSMAN_ and the key in capitals) and the flags (-- and the key with\n\
         # dashes). \"huntsman config show --origin\" says which value won and why. Made from the table in\n\
         # src/settings/table.rs; a test holds the two equal.\n",
    );
    for section in Section::ALL {
        _ = writeln!(out, "\n[{}]", section.as_str());
        for setting in SETTINGS.iter().filter(|setting| setting.section == section) {
            let default = match setting.kind {
                Kind::List => Raw::Many(Vec::new()),
                _ => Raw::One(setting.default.to_owned()),
            };
            _ = writeln!(out, "# {}.", setting.doc);
            _ = writeln!(out, "# Unit: {}.", setting.kind.unit());
            _ = writeln!(out, "{} = {}\n", setting.name, value(setting, &default));
        }
        out.pop();
    }
    out
}

fn value(setting: &Setting, raw: &Raw) -> String {
    let list = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| quoted(&redacted(setting, text))).collect();
        format!("[{}]", texts.join(", "))
    };
    match raw {
        Raw::Many(texts) => list(texts),
        Raw::One(text) if setting.kind == Kind::List => list(std::slice::from_ref(text)),
        Raw::One(text) => match setting.kind {
            Kind::Switch if ["true", "false"].contains(&text.as_str()) => text.clone(),
            Kind::Count(..) | Kind::CountOrNone(..) if is_toml_number(text) => text.clone(),
            _ => quoted(&redacted(setting, text)),
        },
    }
}

/// Whether TOML has the same number in these digits: it takes no zeros in front, and 64 bits.
fn is_toml_number(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
}

/// A secret header keeps its name and a secret URL its host; the rest is withheld.
fn redacted(setting: &Setting, text: &str) -> String {
    if setting.name == "store" && text.starts_with("postgres") {
        return values::store(text).map_or_else(|_| "<redacted>".to_owned(), |store| store.to_string());
    }
    if setting.owner != Owner::Secret || text.is_empty() {
        return text.to_owned();
    }
    if setting.kind == Kind::List {
        return text
            .split_once(':')
            .map_or_else(|| "<redacted>".to_owned(), |(name, _)| format!("{name}: <redacted>"));
    }
    match url::Url::parse(text) {
        Ok(url) if url.username().is_empty() && url.password().is_none() => text.to_owned(),
        Ok(url) => format!("{}://<redacted>@{}", url.scheme(), &url[url::Position::BeforeHost..]),
        Err(_) => "<redacted>".to_owned(),
    }
}

/// A TOML string: literal where it can be (regexes keep their backslashes), else with escapes.
fn quoted(text: &str) -> String {
    if text.contains('\\') && !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    toml::Value::String(text.to_owned()).to_string()
}
