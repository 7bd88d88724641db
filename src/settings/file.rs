//! A settings file: TOML with one table a section, read strictly.

use super::layers::{Entry, Mistake, Origin, Raw, closest};
use super::table::{Kind, SETTINGS, Section, Setting};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Reads the text of the settings file at `path`.
pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Entry>, Mistake> {
    let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let origin = |at: usize| Origin::File(path.to_owned(), line_of(at));
    let document = DeTable::parse(text).map_err(|why| {
        let at = why.span().map_or(0, |span| span.start);
        Mistake::new(origin(at), why.message().lines().next().unwrap_or_default())
    })?;
    let mut entries = Vec::new();
    for (key, value) in document.get_ref() {
        let at = origin(key.span().start);
        let Some(section) = Section::ALL.into_iter().find(|section| section.as_str() == key.get_ref()) else {
            return Err(Mistake::new(at, unknown_table(key.get_ref())));
        };
        let DeValue::Table(table) = value.get_ref() else {
            return Err(Mistake::new(
                at,
                format!("'{section}' is a table: [{section}]", section = section.as_str()),
            ));
        };
        for (key, value) in table {
            let at = origin(key.span().start);
            let setting = Setting::find(key.get_ref()).filter(|setting| setting.section == section);
            let Some(setting) = setting else {
                return Err(Mistake::new(at, unknown_key(key.get_ref(), section)));
            };
            let raw = raw(setting, value.get_ref())
                .map_err(|why| Mistake::new(at.clone(), format!("{}: {why}", setting.name)))?;
            entries.push(Entry { setting, raw, origin: at });
        }
    }
    Ok(entries)
}

fn unknown_table(name: &str) -> String {
    if let Some(setting) = Setting::find(name) {
        return format!("'{name}' stands in [{}]", setting.section.as_str());
    }
    let hint = closest(name, Section::ALL.into_iter().map(Section::as_str));
    format!("unknown table [{name}]{}", did_you_mean(hint))
}

fn unknown_key(name: &str, section: Section) -> String {
    let here = section.as_str();
    if let Some(setting) = Setting::find(name) {
        return format!("'{name}' does not stand in [{here}] but in [{}]", setting.section.as_str());
    }
    let hint = closest(name, SETTINGS.iter().map(|setting| setting.name));
    format!("unknown key '{name}' in [{here}]{}", did_you_mean(hint))
}

fn did_you_mean(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; did you mean '{hint}'?"))
}

fn raw(setting: &Setting, value: &DeValue<'_>) -> Result<Raw, String> {
    let text = match (setting.kind, value) {
        (Kind::List, DeValue::Array(items)) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            let texts: Option<Vec<String>> = texts.collect();
            return texts
                .map(Raw::Many)
                .ok_or_else(|| "each entry of the list is a text in quotes".to_owned());
        }
        (Kind::List, _) => return Err("a list is written [\"...\", \"...\"]".to_owned()),
        (_, DeValue::String(text)) => text.to_string(),
        (Kind::Switch, DeValue::Boolean(on)) => on.to_string(),
        (
            Kind::Count(..) | Kind::CountOrNone(..) | Kind::Span(..) | Kind::SpanOrAuto(..) | Kind::Size(..),
            DeValue::Integer(number),
        ) if number.radix() == 10 => number.as_str().to_owned(),
        (kind, other) => return Err(format!("expected {}, not a TOML {}", kind.unit(), other.type_str())),
    };
    Ok(Raw::One(text))
}
