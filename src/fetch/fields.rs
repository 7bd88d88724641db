//! Header fields of an answer, as the rules want them.

use crate::crawl::time::Timestamp;
use crate::crawl::visit::{Answer, Remark, Remarks};
use encoding_rs::WINDOWS_1252;
use reqwest::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED,
    LOCATION, RETRY_AFTER, SET_COOKIE, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

static X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// An answer of `status` with everything its head says; the body is still to come.
pub(super) fn answer(status: u16, fields: &HeaderMap, now: Timestamp) -> Answer {
    let first = |name: HeaderName| fields.get(name).map(text);
    let mut remarks = Remarks::default();
    let both = fields.contains_key(CONTENT_LENGTH) && fields.contains_key(TRANSFER_ENCODING);
    remarks.add(Remark::LengthAndChunks, both);
    Answer {
        status,
        content_type: content_type(fields),
        nosniff: fields.get(X_CONTENT_TYPE_OPTIONS).is_some_and(says_nosniff),
        location: fields.get(LOCATION).map(location),
        retry_after: fields.get(RETRY_AFTER).and_then(|field| retry_after(field.to_str().ok()?, now)),
        robots_tag: joined(fields, &X_ROBOTS_TAG),
        etag: first(ETAG),
        last_modified: first(LAST_MODIFIED),
        max_age: fields.get_all(CACHE_CONTROL).iter().filter_map(|field| max_age(field.to_str().ok()?)).min(),
        sets_cookie: fields.contains_key(SET_COOKIE),
        remarks,
        ..Answer::default()
    }
}

/// Every field in order.
pub(super) fn all(fields: &HeaderMap) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Every field as it may be shown: what is secret is not.
pub(super) fn shown(fields: &HeaderMap) -> Vec<(String, String)> {
    let value =
        |field: &HeaderValue| if field.is_sensitive() { "<redacted>".to_owned() } else { text(field) };
    fields.iter().map(|(name, field)| (name.as_str().to_owned(), value(field))).collect()
}

/// A field as text: UTF-8 if it is, else windows-1252.
fn text(field: &HeaderValue) -> String {
    let octets = field.as_bytes();
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned(),
    }
}

/// A target as text: where it is no UTF-8 its octets are percent-encoded, so that the server gets back what it sent.
fn location(field: &HeaderValue) -> String {
    let octets = field.as_bytes();
    if let Ok(text) = std::str::from_utf8(octets) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(octets.len() * 3);
    for octet in octets {
        if octet.is_ascii() {
            text.push(char::from(*octet));
        } else {
            write!(text, "%{octet:02X}").expect("a String takes any text");
        }
    }
    text
}

/// Of several the last that names a type (WHATWG Fetch, "extract a MIME type"); where none does, the first.
fn content_type(fields: &HeaderMap) -> Option<String> {
    let all = || fields.get_all(CONTENT_TYPE).iter().map(text);
    let names_one = |field: &String| {
        let name = field.split(';').next().unwrap_or_default().trim();
        name.contains('/') && name != "*/*"
    };
    all().rfind(names_one).or_else(|| all().next())
}

fn says_nosniff(field: &HeaderValue) -> bool {
    let first = field.as_bytes().split(|octet| *octet == b',').next().unwrap_or_default();
    first.trim_ascii().eq_ignore_ascii_case(b"nosniff")
}

/// A line a field: to whom a field speaks ends with it.
fn joined(fields: &HeaderMap, name: &HeaderName) -> Option<String> {
    fields.get_all(name).iter().map(text).reduce(|joined, field| joined + "\n" + &field)
}

/// Seconds or a date (RFC 9110 section 10.2.3); garbage and the past are `None`.
fn retry_after(field: &str, now: Timestamp) -> Option<Duration> {
    let field = field.trim();
    if !field.is_empty() && field.bytes().all(|octet| octet.is_ascii_digit()) {
        return Some(Duration::from_secs(field.parse().unwrap_or(u64::MAX)));
    }
    let at = httpdate::parse_http_date(field).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some((Timestamp::EPOCH + at).since(now)).filter(|span| !span.is_zero())
}

/// `max-age` of a `Cache-Control` field; `no-store` and `no-cache` are an age of 0.
fn max_age(field: &str) -> Option<u64> {
    let directives = field.split(',').map(str::trim);
    directives
        .filter_map(|directive| {
            if directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache") {
                return Some(0);
            }
            let (name, value) = directive.split_once('=')?;
            let value = value.trim().trim_matches('"');
            let digits = !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit());
            (digits && name.trim().eq_ignore_ascii_case("max-age")).then(|| value.parse().unwrap_or(u64::MAX))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_millis(784_111_770_000); // Sun, 06 Nov 1994 08:49:30 GMT
        for (field, expected) in [
            ("120", Some(120)),
            (" 5 ", Some(5)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(7)),
            ("Sun Nov  6 08:49:37 1994", Some(7)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(field, now).map(|span| span.as_secs()), expected, "{field:?}");
        }
    }

    #[test]
    fn max_age_of_cache_control() {
        for (field, expected) in [
            ("max-age=60", Some(60)),
            ("public, MAX-AGE = \"60\" , x", Some(60)),
            ("max-age=60, max-age=10", Some(10)),
            ("no-store", Some(0)),
            ("s-maxage=60", None),
            ("max-age=-1", None),
            ("max-age=99999999999999999999", Some(u64::MAX)),
            ("", None),
        ] {
            assert_eq!(max_age(field), expected, "{field:?}");
        }
    }
}
