//! robots.txt as RFC 9309 says.
//!
//! [`Rules`] is one file read for one product token; [`judge()`] says what an answer to `GET /robots.txt` means for its
//! authority. Both are total: any bytes and any answer have a meaning, and none takes more than linear time.
//!
//! Where the RFC leaves room, or the field has grown habits beside it:
//!
//! - Octets are compared in one normal form, see `pattern`: `%7E` is `~`, `%2C` is `,`, but `%2F` is not `/` in a
//!   path. `%2A` and `%24` name a literal `*` and `$`.
//! - A value that starts with neither `/` nor `*` is read as if the slash had been forgotten.
//! - Only `Allow` and `Disallow` end a run of user-agent lines. A `Crawl-delay` or `Request-rate` belongs to the
//!   agents named above it in the run.
//! - The only bound of a file is [`MAX_BYTES`]; every rule within it counts. One match is bounded, too, see `index`.

mod index;
mod judge;
mod parse;
mod pattern;
mod rules;
mod signals;
#[cfg(test)]
mod tests;

pub use judge::{Fetched, MAX_HOPS, Refused, expires, judge, unreachable_backoff};
pub use parse::MAX_BYTES;
pub use rules::{MatchedRule, Rules, Verdict};
pub use signals::{Consent, Purpose, Signals};

/// Whether `token` may stand in a user-agent line: letters, `_` and `-` only (RFC 9309 section 2.2.1).
pub fn is_product_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(parse::is_token_octet)
}
