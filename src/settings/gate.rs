//! `--fail-on`: which failures of a crawl make the command itself fail, for scheduled runs.

use super::layers::closest;
use crate::crawl::report::reasons;
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
    Reason(&'static str),
}

/// Kinds of failures, beside statuses and reasons.
const KINDS: [&str; 4] = ["any", "net", "4xx", "5xx"];

impl FailOn {
    /// Reads `any`, `net`, `404`, `4xx`, or a reason as `dead_letters.reason` has it. A word that no failure has is none:
    /// it would never match.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "any" => return Ok(Self::Any),
            "net" => return Ok(Self::Net),
            "4xx" => return Ok(Self::Class(4)),
            "5xx" => return Ok(Self::Class(5)),
            _ => {}
        }
        if let Some(status @ 100..=599) = text.parse().ok().or_else(|| reasons::status(text)) {
            return Ok(Self::Status(status));
        }
        if let Some(reason) = reasons::words().find(|reason| *reason == text) {
            return Ok(Self::Reason(reason));
        }
        let hint = closest(text, reasons::words().chain(KINDS)).map_or_else(
            || format!("; reasons are {}", reasons::words().collect::<Vec<_>>().join(", ")),
            |meant| format!("; did you mean {meant:?}?"),
        );
        Err(format!(
            "{text:?} is neither a status (404, 4xx, 5xx), nor net, any or a reason that URLs fail for{hint}"
        ))
    }

    /// Whether a dead letter with this reason is meant.
    pub fn matches(&self, reason: &str) -> bool {
        let status = reasons::status(reason);
        match self {
            Self::Any => true,
            Self::Net => status.is_none() && !reasons::OTHERS.contains(&reason),
            Self::Status(wanted) => status == Some(*wanted),
            Self::Class(digit) => status.is_some_and(|status| status / 100 == *digit),
            Self::Reason(wanted) => *wanted == reason,
        }
    }
}

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
        for wrong in ["", "6xx", "999", "A b", "404,410", "http-999", "redirect-cookie"] {
            assert!(FailOn::parse(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(FailOn::parse("http-404"), FailOn::parse("404"));
    }

    #[test]
    fn every_reason_is_a_kind_and_a_near_one_is_named() {
        for reason in reasons::words() {
            let kind = FailOn::parse(reason).unwrap();
            assert!(kind.matches(reason) && !kind.matches("other"), "{reason}");
        }
        for (wrong, meant) in [("redirect-invald", "redirect-invalid"), ("dsn", "dns"), ("5xs", "5xx")] {
            let why = FailOn::parse(wrong).unwrap_err();
            assert!(why.ends_with(&format!("; did you mean {meant:?}?")), "{why}");
        }
        assert!(FailOn::parse("dead").unwrap_err().contains("; reasons are no-such-host, dns, "));
    }
}
