//! Where the links of a page lead.
//!
//! Most are of plain letters: a path at the authority of the page, or an address that is written as it is meant. Those take no parser of
//! URLs. What is not as plain as that is left to [`url::resolve`], and both say the same.

use super::url::{self, MAX_URL_BYTES, Unfetchable, canonical_text};
use ::url::{Position, Url};
use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::ops::Range;

/// What links are resolved against.
#[derive(Debug)]
pub struct Base<'u> {
    url: &'u Url,
    /// All before the path.
    origin: &'u str,
    /// Host and port.
    authority: &'u str,
    /// As far as the last slash of the path.
    directory: &'u str,
}

/// The target of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// At the authority of the base.
    Within {
        /// The URL.
        text: String,
        /// Where its path starts.
        start: usize,
    },
    /// At an authority of plain letters.
    Plain {
        /// The URL.
        text: String,
        /// Where its path starts.
        start: usize,
        /// Where the text of its [`HostKey`](super::host::HostKey) stands.
        host: Range<usize>,
    },
    /// Anywhere.
    Parsed(Url),
}

/// What a byte of a link is to a path or a query that needs no parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Byte {
    /// Stands for itself in both.
    Plain,
    Question,
    Hash,
    /// Is escaped, taken away, or has a meaning.
    Other,
}

static BYTES: [Byte; 256] = {
    let mut bytes = [Byte::Other; 256];
    let mut at = 0;
    while at < 256 {
        bytes[at] = match at as u8 {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'/'
            | b'.'
            | b'-'
            | b'_'
            | b'~'
            | b'!'
            | b'$'
            | b'&'
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
            | b'@' => Byte::Plain,
            b'?' => Byte::Question,
            b'#' => Byte::Hash,
            _ => Byte::Other,
        };
        at += 1;
    }
    bytes
};

impl<'u> Base<'u> {
    /// The base that `url` is.
    pub fn of(url: &'u Url) -> Self {
        let path = &url[..Position::AfterPath];
        let directory = &path[..=path.rfind('/').unwrap_or(path.len() - 1)];
        let origin = &url[..Position::BeforePath];
        Self { url, origin, authority: &url[Position::BeforeHost..Position::BeforePath], directory }
    }

    /// The base itself.
    pub fn url(&self) -> &'u Url {
        self.url
    }

    /// What [`url::resolve`] says.
    pub fn resolve(&self, href: &str) -> Result<Target, Unfetchable> {
        if let Some(text) = self.within(href) {
            return Ok(Target::Within { text, start: self.origin.len() });
        }
        elsewhere(href).map_or_else(|| url::resolve(self.url, href).map(Target::Parsed), Ok)
    }

    /// The URL where `href` is plain; `None` says nothing.
    fn within(&self, href: &str) -> Option<String> {
        let after_authority = || href.strip_prefix("//")?.strip_prefix(self.authority);
        let (mut front, mut rest) = (self.directory, href);
        if let Some(path) = href.strip_prefix(self.origin).or_else(after_authority) {
            (front, rest) = (&self.directory[..=self.origin.len()], path.strip_prefix('/')?);
        } else if let Some(path) = href.strip_prefix('/') {
            (front, rest) = (&self.directory[..=self.origin.len()], path);
        } else if rest.starts_with("../") && self.directory[self.origin.len()..].contains([':', '|']) {
            // The parser takes `/c:/` for a drive and does not step out of it.
            return None;
        } else {
            while let Some(path) = rest.strip_prefix("../") {
                (front, rest) = (self.parent(front), path);
            }
        }
        let is_whole = rest.len() == href.len();
        if is_whole && matches!(rest.as_bytes(), [] | [b'#', ..]) {
            front = &self.url[..Position::AfterQuery];
        }
        let plain = plain(rest, is_whole)?;
        let is_short = front.len() + plain.len() <= MAX_URL_BYTES;
        is_short.then(|| {
            let mut text = String::with_capacity(front.len() + plain.len());
            text.push_str(front);
            text.push_str(plain);
            text
        })
    }

    /// The directory that this one is in; the highest is in itself.
    fn parent<'d>(&self, directory: &'d str) -> &'d str {
        let above = &directory[..directory.len() - 1];
        let slash = above.rfind('/').filter(|slash| *slash >= self.origin.len());
        slash.map_or(directory, |slash| &directory[..=slash])
    }
}

/// The target of an absolute `href` that is plain.
fn elsewhere(href: &str) -> Option<Target> {
    let (scheme, default) = if href.starts_with("http://") { ("http://", 80) } else { ("https://", 443) };
    let rest = href.strip_prefix(scheme)?;
    let (authority, path) = rest.split_at(memchr::memchr(b'/', rest.as_bytes())?);
    let (name, port) = authority.split_once(':').map_or((authority, None), |(name, port)| (name, Some(port)));
    let port = match port {
        Some(port) => Some(port_as_meant(port).filter(|number| *number != default)?),
        None => None,
    };
    let path = plain(&path[1..], false).filter(|_| is_plain_name(name))?;
    let start = scheme.len() + authority.len();
    let end = if matches!(port, None | Some(80 | 443)) { scheme.len() + name.len() } else { start };
    let text = &href[..=start + path.len()];
    (text.len() <= MAX_URL_BYTES).then(|| Target::Plain {
        text: text.to_owned(),
        start,
        host: scheme.len()..end,
    })
}

/// A port that is written as a parser would write it.
fn port_as_meant(port: &str) -> Option<u16> {
    if !matches!(port.as_bytes(), [b'1'..=b'9', ..]) {
        return None;
    }
    port.parse().ok()
}

/// Longest name, and longest label of one (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Whether a host is written as it is meant: an IPv4 address in its usual form, or a name in lower case that is no encoded one.
fn is_plain_name(name: &str) -> bool {
    let is_plain_label = |label: &str| {
        let bytes = label.as_bytes();
        let is_plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        (1..=MAX_LABEL).contains(&bytes.len())
            && bytes.iter().all(is_plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
            && bytes.get(2..4) != Some(b"--")
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    // What ends in a number is an address, in one of many forms.
    if last.starts_with(|first: char| first.is_ascii_digit()) {
        return name.parse::<Ipv4Addr>().is_ok();
    }
    name.len() <= MAX_NAME && name.split('.').all(is_plain_label)
}

/// What follows the slash of a directory, as far as it counts, where all of it stands for itself. A link that is a query and nothing
/// else belongs to the last segment of the base.
fn plain(rest: &str, is_whole: bool) -> Option<&str> {
    let mut before = b'/';
    let mut in_query = false;
    for (at, byte) in rest.bytes().enumerate() {
        match BYTES[usize::from(byte)] {
            // Dots may be steps, and what two slashes mean depends on where they stand.
            Byte::Plain if before == b'/' && matches!(byte, b'.' | b'/') && !in_query => return None,
            Byte::Plain => {}
            Byte::Question if at == 0 && is_whole => return None,
            Byte::Question => in_query = true,
            Byte::Hash => return (!rest[at..].contains('\0')).then_some(&rest[..at]),
            Byte::Other => return None,
        }
        before = byte;
    }
    Some(rest)
}

impl Target {
    /// The URL as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Within { text, .. } | Self::Plain { text, .. } => text,
            Self::Parsed(url) => url.as_str(),
        }
    }

    /// Its path.
    pub fn path(&self) -> &str {
        match self {
            Self::Within { text, start } | Self::Plain { text, start, .. } => {
                let path = &text[*start..];
                memchr::memchr(b'?', path.as_bytes()).map_or(path, |end| &path[..end])
            }
            Self::Parsed(url) => url.path(),
        }
    }

    /// Its canonical form, see [`url::canonical`].
    pub fn canonical(&self) -> Cow<'_, str> {
        match self {
            Self::Within { text, start } | Self::Plain { text, start, .. } => canonical_text(text, *start),
            Self::Parsed(url) => url::canonical(url),
        }
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        match target {
            Target::Within { text, .. } | Target::Plain { text, .. } => text,
            Target::Parsed(url) => url.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::host::HostKey;

    const BASES: [&str; 9] = [
        "http://h/c:/b?c",
        "http://h/x/c|/b/",
        "http://h:8080/dir/page?q",
        "http://h/",
        "http://h/a/b/c.html",
        "http://h/a//b/",
        "https://[::1]/x?a=b/c",
        "http://h/a/;p=1/b?",
        "http://h",
    ];

    #[track_caller]
    fn check(base: &str, href: &str) {
        let base = url::parse(base).unwrap();
        let target = Base::of(&base).resolve(href);
        let standard = url::resolve(&base, href);
        let text = |url: Result<String, Unfetchable>| (format!("{base} {href:?}"), url);
        assert_eq!(text(target.clone().map(String::from)), text(standard.clone().map(String::from)));
        if let (Ok(target), Ok(standard)) = (target, standard) {
            let seen = (target.path(), target.canonical());
            assert_eq!(seen, (standard.path(), url::canonical(&standard)), "{href:?}");
            let host = HostKey::of(&standard);
            match &target {
                Target::Within { .. } => assert_eq!(HostKey::of(&base), host),
                Target::Plain { text, host: range, .. } => assert_eq!(&text[range.clone()], host.as_str()),
                Target::Parsed(_) => {}
            }
        }
    }

    #[test]
    fn plain_links_need_no_parser() {
        let base = url::parse("http://h:8080/a/b/page.html?x").unwrap();
        for (href, expected) in [
            ("next.html", "/a/b/next.html"),
            ("../up.html#part", "/a/up.html"),
            ("../../../../top", "/top"),
            ("../", "/a/"),
            ("/", "/"),
            ("/x/y?z=1/../2&?", "/x/y?z=1/../2&?"),
            ("//h:8080/y", "/y"),
            ("http://h:8080/y", "/y"),
            ("#here", "/a/b/page.html?x"),
            ("", "/a/b/page.html?x"),
        ] {
            let text = format!("http://h:8080{expected}");
            assert_eq!(Base::of(&base).resolve(href), Ok(Target::Within { text, start: 13 }), "{href}");
            check(base.as_str(), href);
        }
        for href in [
            "?y",
            "./x",
            "a/../b",
            "a//b",
            "//h/x",
            "http://h:80/x",
            "a:b",
            "x%2e",
            "x y",
            "\u{e9}",
            "..",
            "#\0",
        ] {
            assert!(!matches!(Base::of(&base).resolve(href), Ok(Target::Within { .. })), "{href}");
            check(base.as_str(), href);
        }
        // Found by the fuzz target `url`.
        check("http://example.org/a:/b?c", "../d;x=1");
    }

    #[test]
    fn plain_addresses_need_no_parser() {
        let base = url::parse("http://h/").unwrap();
        for (href, key) in [
            ("http://www.example.org/a.html?b#c", "www.example.org"),
            ("https://x-1.example:8443/", "x-1.example:8443"),
            ("https://example.org:80/", "example.org"),
            ("http://127.1.0.2:9573/p/1.html", "127.1.0.2:9573"),
        ] {
            let Ok(Target::Plain { text, host, .. }) = Base::of(&base).resolve(href) else {
                panic!("{href}")
            };
            assert_eq!(&text[host], key, "{href}");
            check("http://h/", href);
        }
        for host in [
            "H2",
            "h2:80",
            "h2:080",
            "h2:0",
            "h2:99999",
            "h2:+1",
            "h2:",
            "u@h2",
            "127.1",
            "127.0.0.01",
            "1.2.3.4.5",
            "a.0x7f",
            "xn--a",
            "ab--c",
            "a..b",
            "a.",
            ".a",
            "-a",
            "a-",
            "a_b",
            "%61",
            "\u{e9}",
            "[::1]",
            "",
            "a.1",
        ] {
            let href = format!("http://{host}/x");
            assert!(!matches!(Base::of(&base).resolve(&href), Ok(Target::Plain { .. })), "{href}");
            check("http://h/", &href);
        }
    }

    #[test]
    fn a_link_is_too_long_where_its_url_is() {
        for (more, length) in [(0, MAX_URL_BYTES), (1, MAX_URL_BYTES + 1)] {
            let href = format!("/{}", "x".repeat(MAX_URL_BYTES - "http://h/".len() + more));
            check("http://h/", &href);
            let base = url::parse("http://h/").unwrap();
            assert_eq!(Base::of(&base).resolve(&href).is_ok(), length <= MAX_URL_BYTES);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(3_000))]
        #[test]
        fn a_target_is_what_the_standard_says(
            base in proptest::sample::select(&BASES[..]),
            front in "(\\.\\./){0,3}|/|//h|//h:8080|http://h|http://h:8080|https://\\[::1\\]|\\./|",
            rest in "[ab/.?#:%;=\\\\\\[(~@!'|^ \\t\\n\\x00\u{e9}-]{0,12}",
        ) {
            check(base, &format!("{front}{rest}"));
        }

        #[test]
        fn an_address_is_what_the_standard_says(
            scheme in "https?://",
            host in "[a1.x-]{1,8}|[a-c]{1,3}\\.[a-z]{1,3}|[0-9]{1,3}(\\.[0-9]{1,3}){1,4}|xn--[a-z0-9]{1,4}|[a-z\u{e9}A_%@]{1,4}",
            port in "(:[0-9]{0,5}|:80|:443|)",
            rest in "(/[a/.?#%;= ]{0,6})?",
        ) {
            check("http://h/", &format!("{scheme}{host}{port}{rest}"));
        }

        #[test]
        fn any_text_is_what_the_standard_says(base in proptest::sample::select(&BASES[..]), href in "[a/.?#&=]{0,14}") {
            check(base, &href);
        }
    }
}
