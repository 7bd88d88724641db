//! The layers of settings: built-in, file, environment, the stored crawl, flags; the later wins.
//!
//! A list is replaced by a higher layer, not added to.

use super::table::{Kind, Owner, SETTINGS, Section, Setting};
use super::{environment, file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A value as it was written, its kind not yet checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Raw {
    /// One value.
    One(String),
    /// The values of a list.
    Many(Vec<String>),
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A line of a settings file.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
    /// What the crawl was started with, from its store.
    Stored,
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Stored => f.write_str("the stored crawl"),
            Self::Flag(flag) => write!(f, "--{flag}"),
        }
    }
}

/// A setting that cannot be used: where it was written and what is wrong with it. Exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {what}")]
pub struct Mistake {
    /// Where it was written.
    pub origin: String,
    /// What is wrong, with a hint.
    pub what: String,
}

impl Mistake {
    pub(super) fn new(origin: impl fmt::Display, what: impl Into<String>) -> Self {
        Self { origin: origin.to_string(), what: what.into() }
    }
}

/// A value of one setting in one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which setting.
    pub setting: &'static Setting,
    /// Its value as written.
    pub raw: Raw,
    /// Where it was written.
    pub origin: Origin,
}

/// Every setting with the value of its highest layer.
#[derive(Debug, Clone)]
pub struct Layers {
    values: BTreeMap<&'static str, (Raw, Origin)>,
    /// Variables that look like ours and are none; worth a warning.
    pub misspelt: Vec<String>,
}

/// The key under which a store keeps the names of settings whose values it does not keep.
const NOT_KEPT: &str = "not_kept";
/// The value that says: nothing of the kind.
const NONE: &str = "none";

/// Settings that change the requests of a crawl and stay with the process: secrets, and what it may reach.
fn requests() -> impl Iterator<Item = &'static Setting> {
    let is_one = |setting: &&Setting| {
        setting.owner != Owner::Crawl
            && setting.default.is_empty()
            && matches!(setting.section, Section::Identity | Section::Network)
    };
    SETTINGS.iter().filter(is_one)
}

/// The settings of a crawl as its store keeps them.
pub type StoredSettings = BTreeMap<String, Raw>;

impl Layers {
    /// The built-in layer alone.
    pub fn built_in() -> Self {
        let value = |setting: &'static Setting| {
            let raw = match setting.kind {
                Kind::List => Raw::Many(Vec::new()),
                _ => Raw::One(setting.default.to_owned()),
            };
            (setting.name, (raw, Origin::Default))
        };
        Self { values: SETTINGS.iter().map(value).collect(), misspelt: Vec::new() }
    }

    /// Puts `entries` on top.
    #[must_use]
    pub fn with(mut self, entries: impl IntoIterator<Item = Entry>) -> Self {
        for Entry { setting, raw, origin } in entries {
            self.values.insert(setting.name, (raw, origin));
        }
        self
    }

    /// Puts the settings file `text` of `path` on top.
    pub fn with_file(self, path: &Path, text: &str) -> Result<Self, Mistake> {
        Ok(self.with(file::read(path, text)?))
    }

    /// Puts the environment on top. Unknown variables are left alone (other programs make some, Kubernetes for one);
    /// those that are nearly ours are noted in `misspelt`.
    #[must_use]
    pub fn with_variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, value) in variables {
            let key = name.strip_prefix(environment::PREFIX).unwrap_or_default().to_ascii_lowercase();
            let Some(setting) = Setting::find(&key) else {
                let known = SETTINGS.iter().map(|setting| setting.name);
                if !["log", "config"].contains(&key.as_str())
                    && let Some(meant) = closest(&key, known)
                {
                    let meant = meant.to_ascii_uppercase();
                    self.misspelt
                        .push(format!("{name} is no setting; did you mean {}{meant}?", environment::PREFIX));
                }
                continue;
            };
            let raw = match setting.kind {
                Kind::List => Raw::Many(
                    value.lines().map(str::trim).filter(|line| !line.is_empty()).map(Into::into).collect(),
                ),
                _ => Raw::One(value),
            };
            self.values.insert(setting.name, (raw, Origin::Variable(name)));
        }
        self
    }

    /// Puts the settings that a crawl was started with below the flags and above all else.
    #[must_use]
    pub fn with_stored(mut self, stored: &StoredSettings) -> Self {
        for (name, raw) in stored {
            let Some(setting) = Setting::find(name).filter(|setting| setting.owner == Owner::Crawl) else {
                continue;
            };
            let value = self.values.get_mut(setting.name).expect("every setting has a value");
            if !matches!(value.1, Origin::Flag(_)) {
                *value = (raw.clone(), Origin::Stored);
            }
        }
        self
    }

    /// These layers without what they say of a crawl: a process that works for several is told of each by its store.
    #[must_use]
    pub fn of_process(mut self) -> Self {
        let built_in = Self::built_in().values;
        for setting in SETTINGS.iter().filter(|setting| setting.owner == Owner::Crawl) {
            self.values.insert(setting.name, built_in[setting.name].clone());
        }
        self
    }

    /// The settings that belong to the crawl, for its store; and the names of those that it was given and that are not
    /// kept.
    pub fn to_stored(&self) -> StoredSettings {
        let kept = SETTINGS.iter().filter(|setting| setting.owner == Owner::Crawl);
        let mut stored: StoredSettings =
            kept.map(|setting| (setting.name.to_owned(), self.values[setting.name].0.clone())).collect();
        let given = requests().filter(|setting| !self.is_unset(setting.name));
        let given: Vec<String> = given.map(|setting| setting.name.to_owned()).collect();
        if !given.is_empty() {
            stored.insert(NOT_KEPT.to_owned(), Raw::Many(given));
        }
        stored
    }

    /// The flags that a crawl was given for its requests, whose values its store does not keep, and that say nothing now.
    pub fn missing(&self, stored: &StoredSettings) -> Vec<String> {
        let Some(Raw::Many(given)) = stored.get(NOT_KEPT) else { return Vec::new() };
        let unsaid = |setting: &&Setting| {
            given.iter().any(|name| name == setting.name) && self.values[setting.name].1 == Origin::Default
        };
        requests().filter(unsaid).map(|setting| format!("--{}", setting.name.replace('_', "-"))).collect()
    }

    fn is_unset(&self, name: &str) -> bool {
        match &self.values[name].0 {
            Raw::One(text) => text.is_empty() || text == NONE,
            Raw::Many(texts) => texts.is_empty() || texts[..] == [NONE],
        }
    }

    /// Every setting with its value and origin, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Setting, &Raw, &Origin)> {
        SETTINGS.iter().map(|setting| {
            let (raw, origin) = &self.values[setting.name];
            (setting, raw, origin)
        })
    }

    /// The value of `name` put through `parse`.
    pub(super) fn one<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Mistake> {
        let (raw, origin) = &self.values[name];
        let parsed = match raw {
            Raw::One(text) => parse(text.trim()),
            Raw::Many(_) => Err("takes one value".to_owned()),
        };
        parsed.map_err(|why| self.mistake(name, origin, why))
    }

    /// The text of `name`, `None` where it is unset.
    pub(super) fn text<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Mistake> {
        let unset = self.is_unset(name);
        self.one(name, |text| if unset { Ok(None) } else { parse(text).map(Some) })
    }

    /// The values of the list `name`, each put through `parse`.
    pub(super) fn many<T>(
        &self,
        name: &str,
        parse: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, Mistake> {
        let (raw, origin) = &self.values[name];
        let texts = match raw {
            _ if self.is_unset(name) => &[],
            Raw::One(text) => std::slice::from_ref(text),
            Raw::Many(texts) => &texts[..],
        };
        let parsed: Result<Vec<T>, String> = texts.iter().map(String::as_str).map(parse).collect();
        parsed.map_err(|why| self.mistake(name, origin, why))
    }

    /// A mistake in the value of `name`, wherever that was written.
    pub(super) fn wrong(&self, name: &str, why: impl Into<String>) -> Mistake {
        self.mistake(name, &self.values[name].1, why.into())
    }

    #[expect(clippy::unused_self, reason = "reads as a method beside its callers")]
    fn mistake(&self, name: &str, origin: &Origin, why: String) -> Mistake {
        match origin {
            Origin::Flag(_) | Origin::Variable(_) => Mistake::new(origin, why),
            _ => Mistake::new(origin, format!("{name}: {why}")),
        }
    }
}

/// The known word nearest to `word`, if it is near enough to be what was meant.
pub(crate) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = |candidate: &str| (candidate.len() / 4).clamp(1, 3);
    let length = word.chars().count();
    known
        // As many edits as one is longer are needed at least: a long word is not compared at all.
        .filter(|candidate| length.abs_diff(candidate.chars().count()) <= most(candidate))
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= most(candidate))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}
