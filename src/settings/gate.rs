//! `--fail-on`: which failures of a crawl make the command itself fail, for scheduled runs.

use std::fmt;

/// A kind of failure that the operator does not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailOn {
    /// Every URL that was given up.
    Any,
    /// No whole answer came.
    Net,
    /// This status.
    Status(u16),
    /// A status that begins with this digit, 4 or 5.
    Class(u16),
    /// This reason, as `dead_letters.reason` has it.
    Reason(String),
}

/// Most characters of a reason.
const MAX_REASON: usize = 40;

impl FailOn {
    /// Reads `any`, `net`, `404`, `4xx`, or a reason in one word.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        match text {
            "any" => Ok(Self::Any),
            "net" => Ok(Self::Net),
            "4xx" => Ok(Self::Class(4)),
            "5xx" => Ok(Self::Class(5)),
            _ => match text.parse() {
                Ok(status @ 100..=599) => Ok(Self::Status(status)),
                _ if !text.is_empty() && text.len() <= MAX_REASON && is_word(text) => {
                    Ok(Self::Reason(text.to_owned()))
                }
                _ => Err(format!(
                    "{text:?} is neither a status (404, 4xx, 5xx), nor net, any or a reason in one word"
                )),
            },
        }
    }

    /// Whether a dead letter with this reason is meant.
    pub fn matches(&self, reason: &str) -> bool {
        let status: Option<u16> = reason.strip_prefix("http-").and_then(|status| status.parse().ok());
        match self {
            Self::Any => true,
            Self::Net => status.is_none() && !AFTER_AN_ANSWER.contains(&reason),
            Self::Status(wanted) => status == Some(*wanted),
            Self::Class(digit) => status.is_some_and(|status| status / 100 == *digit),
            Self::Reason(wanted) => wanted == reason,
        }
    }
}

/// Reasons that a whole answer can have.
const AFTER_AN_ANSWER: [&str; 7] = [
    "redirect-invalid",
    "redirect-loop",
    "redirect-cookie",
    "too-many-redirects",
    "not-a-sitemap",
    "parse-panic",
    "quarantined",
];

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Net => f.write_str("net"),
            Self::Status(status) => write!(f, "{status}"),
            Self::Class(digit) => write!(f, "{digit}xx"),
            Self::Reason(reason) => f.write_str(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_means_its_reasons_and_no_other() {
        let reasons = ["http-404", "http-503", "dns", "connect", "redirect-loop"];
        let matched = |text: &str| {
            let kind = FailOn::parse(text).unwrap();
            assert_eq!(kind.to_string(), text);
            reasons.into_iter().filter(|reason| kind.matches(reason)).collect::<Vec<_>>()
        };
        assert_eq!(matched("any"), reasons);
        assert_eq!(matched("404"), ["http-404"]);
        assert_eq!(matched("4xx"), ["http-404"]);
        assert_eq!(matched("5xx"), ["http-503"]);
        assert_eq!(matched("net"), ["dns", "connect"]);
        assert_eq!(matched("redirect-loop"), ["redirect-loop"]);
        assert_eq!(matched("410"), [""; 0]);
        for wrong in ["", "6xx", "999", "A b", "404,410"] {
            assert!(FailOn::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
