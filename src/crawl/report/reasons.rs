//! Why a URL fails, in one word each: what `dead_letters.reason` holds.
//!
//! A status is `http-404`, a request without a whole answer has the name of its failure class, and the rest stands here.

use crate::crawl::visit::FailureClass;

/// A redirect without a target, or to one that is no URL.
pub const REDIRECT_INVALID: &str = "redirect-invalid";
/// A redirect to itself.
pub const REDIRECT_LOOP: &str = "redirect-loop";
/// A redirect beyond those that are followed in a row.
pub const TOO_MANY_REDIRECTS: &str = "too-many-redirects";
/// What somebody named as a sitemap cannot be read as one.
pub const NOT_A_SITEMAP: &str = "not-a-sitemap";
/// Our parser panicked on the page.
pub const PARSE_PANIC: &str = "parse-panic";
/// Our parser took too long on the page.
pub const PARSE_OVERRUN: &str = "parse-overrun";
/// Nodes died with this URL in hand, again and again.
pub const QUARANTINED: &str = "quarantined";

/// Those that are neither a status nor a failure class: a whole answer may have come.
pub const OTHERS: [&str; 7] = [
    REDIRECT_INVALID,
    REDIRECT_LOOP,
    TOO_MANY_REDIRECTS,
    NOT_A_SITEMAP,
    PARSE_PANIC,
    PARSE_OVERRUN,
    QUARANTINED,
];

/// What stands before a status.
const STATUS: &str = "http-";

/// The reason of a URL that was answered with `status`.
pub fn of_status(status: u16) -> String {
    format!("{STATUS}{status}")
}

/// The status that a reason is about.
pub fn status(reason: &str) -> Option<u16> {
    reason.strip_prefix(STATUS)?.parse().ok()
}

/// Every reason in one word that a URL can fail for, statuses aside.
pub fn words() -> impl Iterator<Item = &'static str> {
    FailureClass::ALL.into_iter().map(FailureClass::as_str).chain(OTHERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_class_is_a_word() {
        // serde knows all of them, and names them where it is given none.
        let told = serde_json::from_str::<FailureClass>("\"?\"").unwrap_err().to_string();
        let told: Vec<&str> = told.split('`').skip(3).step_by(2).collect();
        assert_eq!(words().take(told.len()).collect::<Vec<_>>(), told);
        assert_eq!(words().count(), told.len() + OTHERS.len());
    }

    #[test]
    fn a_status_is_written_and_read() {
        assert_eq!(of_status(404), "http-404");
        assert_eq!(status("http-404"), Some(404));
        assert_eq!(status("dns").or(status("http-x")), None);
    }
}
