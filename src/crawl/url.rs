//! The identity of a URL: its canonical form and the key made of it.
//!
//! What is fetched is the URL as it was found (parsed by the WHATWG rules, without fragment and credentials);
//! what decides whether it is new is the canonical form. The canonical form changes only what servers agree to be
//! without meaning: too much normalising loses pages.

use crate::crawl::traps::{is_session, may_have_session, without_session};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use url::{Position, Url};

/// Longest URL that is admitted, in bytes of its serialised form.
pub const MAX_URL_BYTES: usize = 2_048;

/// Query parameters that only say where a visitor came from; they are no part of the identity.
const TRACKING_PARAMETERS: &[&str] = &[
    "gclid", "fbclid", "dclid", "msclkid", "yclid", "gbraid", "wbraid", "mc_cid", "mc_eid", "igshid", "_ga",
    "_gl",
];
const TRACKING_PREFIX: &str = "utm_";

/// The key of a canonical URL: the first 16 bytes of its BLAKE3 hash.
///
/// Keyed by a cryptographic hash so that no page can make a link that collides with somebody else's URL.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UrlKey([u8; 16]);

impl UrlKey {
    /// The key of `canonical`.
    pub fn of(canonical: &str) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(canonical.as_bytes()).as_bytes()[..16]);
        Self(key)
    }

    /// The key from its 16 bytes, as the store holds it; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 16 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first 8 bytes as a number: the fingerprint that the seen-set keeps.
    pub fn fingerprint(&self) -> u64 {
        u64::from_le_bytes(self.0[..8].try_into().expect("a key has 16 bytes"))
    }
}

impl fmt::Debug for UrlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why a string is not a URL that we could fetch. The name is the reason that `skipped` shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfetchable {
    /// Does not parse as a URL.
    #[error("not a URL: {0}")]
    Invalid(String),
    /// Another scheme than http or https.
    #[error("scheme {0:?} is not http or https")]
    Scheme(String),
    /// Longer than [`MAX_URL_BYTES`].
    #[error("URL of {0} bytes is longer than {MAX_URL_BYTES}")]
    TooLong(usize),
    /// Port 0, which no server listens on.
    #[error("port 0 cannot be asked")]
    Port,
}

impl Unfetchable {
    /// The reason in one word, as `skipped.reason` holds it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) | Self::Port => "invalid-url",
            Self::Scheme(_) => "scheme",
            Self::TooLong(_) => "url-too-long",
        }
    }
}

/// Parses a URL that a person gave, or an absolute one from a page.
pub fn parse(text: &str) -> Result<Url, Unfetchable> {
    let url = Url::parse(text.trim()).map_err(|why| Unfetchable::Invalid(why.to_string()))?;
    fetchable(url)
}

/// Resolves `href` as it stands in a page against `base`.
pub fn resolve(base: &Url, href: &str) -> Result<Url, Unfetchable> {
    if href.contains('\0') {
        return Err(Unfetchable::Invalid("it has a NUL".to_owned()));
    }
    let url = base.join(within_origin(base, href)).map_err(|why| Unfetchable::Invalid(why.to_string()))?;
    fetchable(url)
}

/// An absolute `href` to the origin of `base` without that origin, where this is the same reference: most sites link to
/// themselves this way, and a host costs more to parse than a path.
fn within_origin<'h>(base: &Url, href: &'h str) -> &'h str {
    let Some(path) = href.strip_prefix(&base[..Position::BeforePath]) else { return href };
    match path.as_bytes() {
        [b'/'] => path,
        // What follows may be no second slash, nor anything that the parser takes for one or takes away.
        [b'/', next, ..] if next.is_ascii_alphanumeric() => path,
        _ => href,
    }
}

/// Bytes of a link that cannot be fetched, where it is kept as evidence.
const EVIDENCE_BYTES: usize = 256;

/// The key and the text under which `href`, which [`parse`] or [`resolve`] refused, is kept as evidence. The key is of the
/// whole: of the canonical URL where only its length is wrong, however a page writes it, else of what was written. The
/// text is cut.
pub fn evidence(base: Option<&Url>, href: &str) -> (UrlKey, String) {
    let url = base.map_or_else(|| Url::parse(href.trim()), |base| base.join(href));
    let url = url.ok().and_then(|url| fetchable_of_any_length(url).ok());
    let whole = url.as_ref().map_or(Cow::Borrowed(href), canonical);
    (UrlKey::of(&whole), whole[..whole.floor_char_boundary(EVIDENCE_BYTES)].to_owned())
}

/// The URL as we fetch it: http or https, no fragment, no credentials (RFC 9110 section 4.2.4), short enough.
fn fetchable(url: Url) -> Result<Url, Unfetchable> {
    let url = fetchable_of_any_length(url)?;
    let bytes = url.as_str().len();
    if bytes > MAX_URL_BYTES { Err(Unfetchable::TooLong(bytes)) } else { Ok(url) }
}

fn fetchable_of_any_length(mut url: Url) -> Result<Url, Unfetchable> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Unfetchable::Scheme(url.scheme().chars().take(32).collect()));
    }
    if url.port() == Some(0) {
        return Err(Unfetchable::Port);
    }
    if url.fragment().is_some() {
        url.set_fragment(None);
    }
    if !url.username().is_empty() || url.password().is_some() {
        // Cannot fail: an http URL has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    Ok(url)
}

/// The canonical form of a URL that came out of [`parse`] or [`resolve`].
///
/// Beyond what the WHATWG parser does (scheme and host in lower case, default port and dot segments removed):
/// percent-encoded unreserved characters are decoded and hex digits are upper case (RFC 3986 section 6.2.2),
/// tracking parameters and session ids are removed, parameters stand in the order of their names (those of one name as they
/// were), and a query that is empty then is removed with its mark.
pub fn canonical(url: &Url) -> Cow<'_, str> {
    canonical_text(url.as_str(), url[..Position::BeforePath].len())
}

/// The same of the text of such a URL, whose path begins at `start`.
pub(super) fn canonical_text(text: &str, start: usize) -> Cow<'_, str> {
    let tail = &text[start..];
    let bytes = tail.as_bytes();
    if memchr::memchr3(b'%', b'?', b';', bytes).is_none() && memchr::memchr(b'(', bytes).is_none() {
        return Cow::Borrowed(text);
    }
    let (path, query) = match tail.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (tail, None),
    };
    let encoded = tail.contains('%');
    let in_session = may_have_session(path);
    let reordered = query.is_some_and(|query| {
        query.is_empty()
            || query.split('&').any(is_no_identity)
            || !query.split('&').is_sorted_by_key(name_of)
    });
    if !encoded && !reordered && !in_session {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..start]);
    let mut plain = String::new();
    push_normalised(&mut plain, path);
    out.push_str(&without_session(&plain));
    let normalised = |parameter| {
        let mut plain = String::new();
        push_normalised(&mut plain, parameter);
        plain
    };
    let parameters = query.into_iter().flat_map(|query| query.split('&')).map(normalised);
    let mut parameters: Vec<String> = parameters.filter(|parameter| !is_no_identity(parameter)).collect();
    parameters.sort_by(|one, other| name_of(one).cmp(name_of(other)));
    for (at, parameter) in parameters.iter().enumerate() {
        out.push(if at == 0 { '?' } else { '&' });
        out.push_str(parameter);
    }
    Cow::Owned(out)
}

/// The query parameters that are no part of the identity of `url`, by name.
pub fn tracking_parameters(url: &Url) -> impl Iterator<Item = &str> {
    let parameters = url.query().into_iter().flat_map(|query| query.split('&'));
    parameters.filter(|parameter| is_tracking(parameter) || is_session(parameter)).map(name_of)
}

/// Whether a parameter says nothing of what is asked for.
fn is_no_identity(parameter: &str) -> bool {
    parameter.is_empty() || is_tracking(parameter) || is_session(parameter)
}

fn name_of(parameter: &str) -> &str {
    parameter.split_once('=').map_or(parameter, |(name, _)| name)
}

fn is_tracking(parameter: &str) -> bool {
    let name = name_of(parameter);
    name.starts_with(TRACKING_PREFIX) || TRACKING_PARAMETERS.contains(&name)
}

fn push_normalised(out: &mut String, part: &str) {
    let mut rest = part;
    while let Some(at) = memchr::memchr(b'%', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let digits = rest.as_bytes().get(at + 1..at + 3).and_then(|hex| {
            Some((char::from(hex[0]).to_digit(16)? as u8) << 4 | char::from(hex[1]).to_digit(16)? as u8)
        });
        if let Some(byte) = digits {
            let is_unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
            // A digit that would complete what is no escape stays as it is: `%7%41` is not `%7A`.
            let completes = byte.is_ascii_hexdigit()
                && match out.as_bytes() {
                    [.., b'%'] => true,
                    [.., b'%', first] => first.is_ascii_hexdigit(),
                    _ => false,
                };
            if is_unreserved && !completes {
                out.push(char::from(byte));
            } else {
                out.push('%');
                out.push_str(&rest[at + 1..at + 3].to_ascii_uppercase());
            }
            rest = &rest[at + 3..];
        } else {
            out.push('%');
            rest = &rest[at + 1..];
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, expected: &str) {
        let url = parse(from).expect(from);
        let once = canonical(&url).into_owned();
        assert_eq!(once, expected, "{from}");
        let again = parse(&once).expect("a canonical URL parses");
        assert_eq!(canonical(&again), once, "canonical twice: {from}");
    }

    #[test]
    fn canonical_urls() {
        check("http://h/%7%41e", "http://h/%7%41e");
        check("http://h/%%341?%7%41", "http://h/%%341?%7%41");
        check("HTTP://Example.ORG:80/a/../b#frag", "http://example.org/b");
        check("http://u:p@h/x", "http://h/x");
        check("http://h/%7euser/%2f%e3%zz", "http://h/~user/%2F%E3%zz");
        check("http://h/?utm_source=a&b=1&gclid=2", "http://h/?b=1");
        check("http://h/?utm_source=a", "http://h/");
        check("http://h/?", "http://h/");
        check("http://h/?b=2&a=2&a=1", "http://h/?a=2&a=1&b=2");
        check("http://h/?%62=2&a=1", "http://h/?a=1&b=2");
        check("http://h/a;jsessionid=1F?b=1&PHPSESSID=x", "http://h/a?b=1");
        check("http://h/a%3bjsessionid=1F", "http://h/a%3Bjsessionid=1F");
        check("http://0x7f.1/", "http://127.0.0.1/");
        check("http://h/a?x=%41&&y", "http://h/a?x=A&y");
        check("http://h/100%", "http://h/100%");
    }

    #[test]
    fn what_cannot_be_fetched_says_why() {
        for (text, reason) in [
            ("mailto:a@b", "scheme"),
            ("file:///etc/passwd", "scheme"),
            ("not a url", "invalid-url"),
            ("http://h:0/", "invalid-url"),
            ("http://h:65536/", "invalid-url"),
        ] {
            assert_eq!(parse(text).unwrap_err().reason(), reason, "{text}");
        }
        let long = format!("http://h/{}", "a".repeat(MAX_URL_BYTES));
        assert_eq!(parse(&long).unwrap_err().reason(), "url-too-long");
    }

    proptest::proptest! {
        #[test]
        fn an_absolute_href_resolves_as_the_standard_says(
            origin in "http://(h|h:8080|u@h|\\[::1\\])",
            tail in "([/\\\\]{0,2}[a-z0-9@:.%?#\\\\/ \\t\\n-]{0,12})",
        ) {
            let Ok(base) = parse("http://h:8080/dir/page?q") else { unreachable!() };
            for base in [base, parse("http://h/").unwrap(), parse("http://[::1]/x").unwrap()] {
                let href = format!("{origin}{tail}");
                let plain = base.join(&href).map_err(|why| Unfetchable::Invalid(why.to_string())).and_then(fetchable);
                proptest::prop_assert_eq!(resolve(&base, &href), plain);
            }
        }

        #[test]
        fn canonical_is_idempotent(tail in "[ -~]{0,40}") {
            if let Ok(url) = parse(&format!("http://h/{tail}")) {
                let once = canonical(&url).into_owned();
                if let Ok(again) = parse(&once) {
                    proptest::prop_assert_eq!(canonical(&again).into_owned(), once);
                }
            }
        }
    }

    #[test]
    fn evidence_is_told_apart_by_the_whole_and_kept_cut() {
        let base = Url::parse("http://h/dir/").unwrap();
        let long = "x".repeat(3_000);
        let (key, text) = evidence(Some(&base), &format!("{long}1#part"));
        assert_eq!(text, format!("http://h/dir/{}", &long[..EVIDENCE_BYTES - "http://h/dir/".len()]));
        assert_ne!(key, evidence(Some(&base), &format!("{long}2")).0);
        assert_eq!(key, evidence(None, &format!("http://u:p@H:80/dir/{long}1?utm_source=s")).0);
        let text = "mailto:a@b";
        assert_eq!(evidence(Some(&base), text), (UrlKey::of(text), text.to_owned()));
    }
}
