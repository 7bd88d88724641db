//! `Content-Signal`: what the owner of a site says of uses of its content, and what we make of it.
//!
//! It grants or refuses no access: a group says beside its rules `search=yes, ai-input=no, ai-train=no`, and what it leaves
//! out it does not speak of. Where groups of one agent contradict each other, a no wins.

use serde::{Deserialize, Serialize};

/// A use of content that the owner of a site may speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A search index: links and short excerpts.
    Search,
    /// Input of a model when it answers: retrieval, grounding.
    AiInput,
    /// Training or tuning of models.
    AiTrain,
}

impl Purpose {
    /// Every one, in the order of the columns of `pages`.
    pub const ALL: [Self; 3] = [Self::Search, Self::AiInput, Self::AiTrain];

    /// The name in a `Content-Signal` line and in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::AiInput => "ai-input",
            Self::AiTrain => "ai-train",
        }
    }
}

/// What an owner says of one use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consent {
    /// `yes`.
    Yes,
    /// `no`.
    No,
}

impl Consent {
    /// The word in a file and in `pages`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
        }
    }
}

/// What the owner says of each use; `None` where nothing is said of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    /// Of [`Purpose::Search`].
    pub search: Option<Consent>,
    /// Of [`Purpose::AiInput`].
    pub ai_input: Option<Consent>,
    /// Of [`Purpose::AiTrain`].
    pub ai_train: Option<Consent>,
}

impl Signals {
    /// What is said of one use.
    pub fn of(&self, purpose: Purpose) -> Option<Consent> {
        match purpose {
            Purpose::Search => self.search,
            Purpose::AiInput => self.ai_input,
            Purpose::AiTrain => self.ai_train,
        }
    }

    /// Adds the value of a `Content-Signal` line; uses and words that nobody knows are passed over.
    pub(super) fn add(&mut self, value: &[u8]) {
        for pair in value.split(|&octet| octet == b',') {
            let Some(equals) = memchr::memchr(b'=', pair) else { continue };
            let (name, said) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
            let said = match said {
                word if word.eq_ignore_ascii_case(b"yes") => Consent::Yes,
                word if word.eq_ignore_ascii_case(b"no") => Consent::No,
                _ => continue,
            };
            let known = match name {
                name if name.eq_ignore_ascii_case(b"search") => &mut self.search,
                name if name.eq_ignore_ascii_case(b"ai-input") => &mut self.ai_input,
                name if name.eq_ignore_ascii_case(b"ai-train") => &mut self.ai_train,
                _ => continue,
            };
            if *known != Some(Consent::No) {
                *known = Some(said);
            }
        }
    }

    /// The first of `purposes` that the owner says no to, as it would stand in the file: `ai-train=no`.
    pub fn refusal(&self, purposes: &[Purpose]) -> Option<String> {
        let refused = purposes.iter().find(|purpose| self.of(**purpose) == Some(Consent::No))?;
        Some(format!("{}=no", refused.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::*;

    fn signals(file: &str) -> [Option<&'static str>; 3] {
        let rules = Rules::parse(file.as_bytes(), "FooBot");
        Purpose::ALL.map(|purpose| rules.signals().of(purpose).map(Consent::as_str))
    }

    #[test]
    fn a_group_says_yes_no_or_nothing_of_each_use() {
        let (yes, no) = (Some("yes"), Some("no"));
        for (file, expected) in [
            ("user-agent: *\ncontent-signal: search=yes,ai-train=no\nallow: /", [yes, None, no]),
            ("user-agent: *\nContent-Signal : SEARCH = No , ai-input=YES # x", [no, yes, None]),
            ("user-agent: *\ncontent-signal: search, ai-input=maybe, x=no, =no, ai-train=", [None; 3]),
            ("content-signal: search=no\nuser-agent: *\nallow: /", [None; 3]),
            ("user-agent: *\ncontent-signal: search=yes\nallow: /", [yes, None, None]),
            // A group of our own speaks for us, whatever everyone's says; a no among several wins.
            ("user-agent: *\ncontent-signal: search=no\nallow: /\n\nuser-agent: foobot\nallow: /", [None; 3]),
            (
                "user-agent: foobot\ncontent-signal: ai-input=no\nallow: /\nuser-agent: foobot\n\
                 content-signal: ai-input=yes, search=yes",
                [yes, no, None],
            ),
            // It ends no run of agents, and belongs to those above it.
            ("user-agent: foobot\ncontent-signal: search=no\nuser-agent: x\nallow: /", [no, None, None]),
            ("user-agent: x\ncontent-signal: search=no\nuser-agent: foobot\nallow: /", [None; 3]),
        ] {
            assert_eq!(signals(file), expected, "{file}");
        }
    }

    #[test]
    fn a_no_to_one_of_our_purposes_is_a_refusal() {
        let rules = Rules::parse(b"user-agent: *\ncontent-signal: search=yes, ai-train=no", "x");
        let said = |purposes: &[Purpose]| rules.signals().refusal(purposes);
        assert_eq!(said(&Purpose::ALL).as_deref(), Some("ai-train=no"));
        assert_eq!(said(&[Purpose::Search, Purpose::AiInput]), None);
        assert_eq!(said(&[]), None);
    }
}
