//! What URLs of one kind have in common: the template of a numbered page, the section of a site, the parameters of a query.

use std::fmt::Write;

/// Bytes of the name of a template or section that are kept; what is longer ends in a hash.
const MOST_NAME: usize = 120;

/// What follows the scheme of a URL that is fetched.
fn without_scheme(url: &str) -> &str {
    let rest = url.strip_prefix("http").unwrap_or_default();
    rest.strip_prefix("s").unwrap_or(rest).strip_prefix("://").unwrap_or_default()
}

/// Path and query of a URL that is fetched.
fn tail(url: &str) -> (&str, Option<&str>) {
    let find = |byte, text: &str| memchr::memchr(byte, text.as_bytes());
    let rest = without_scheme(url);
    let path = find(b'/', rest).map(|at| &rest[at..]).unwrap_or_default();
    find(b'?', path).map_or((path, None), |at| (&path[..at], Some(&path[at + 1..])))
}

/// Whether a part of a path has a digit that is not that of a percent-encoding.
fn has_digit(part: &str) -> bool {
    let bytes = part.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => at += 3,
            byte if byte.is_ascii_digit() => return true,
            _ => at += 1,
        }
    }
    false
}

/// Whether the URL has a template: a number or a query.
pub fn is_templated(url: &str) -> bool {
    let (path, query) = tail(url);
    query.is_some() || has_digit(path)
}

/// What the URL has in common with those that a program makes in the same way: numbers folded, words beyond the first
/// segment and the values of parameters left out. `/calendar/2026/may` is `/calendar/{n}/*`. `None` without number and query.
pub fn template(url: &str) -> Option<String> {
    let (path, query) = tail(url);
    if query.is_none() && !has_digit(path) {
        return None;
    }
    let mut out = String::with_capacity(32);
    for (at, segment) in path.split('/').skip(1).enumerate() {
        out.push('/');
        match segment {
            "" => {}
            _ if has_digit(segment) => out.push_str("{n}"),
            _ if at == 0 => out.push_str(segment),
            _ => out.push('*'),
        }
    }
    if let Some(query) = query {
        out.push_str("?{");
        out.push_str(&parameters(query).join(","));
        out.push('}');
    }
    Some(short(out))
}

/// The names of the parameters of a query, sorted, without digits: `f[0]` and `f[1]` are alike.
fn parameters(query: &str) -> Vec<String> {
    let name = |parameter: &str| {
        parameter.split('=').next().unwrap_or_default().replace(|c: char| c.is_ascii_digit(), "")
    };
    let mut names: Vec<String> =
        query.split('&').filter(|parameter| !parameter.is_empty()).map(name).collect();
    names.sort_unstable();
    names
}

/// Where queries of several parameters are counted: the path, and a hash of the set of names. `None` for fewer than two.
pub(super) fn facets(url: &str) -> Option<(String, u64)> {
    let (path, query) = tail(url);
    let names = parameters(query?);
    (names.len() > 1).then(|| (short(format!("{path}?*")), hash(&names.join(","))))
}

/// The path of a URL, for comparison.
pub(super) fn path_of(url: &str) -> &str {
    tail(url).0
}

/// The part of a site that a URL stands in: its first segment, numbers folded, where it has more than one.
pub(super) fn section(url: &str) -> String {
    let (path, _) = tail(url);
    match path.strip_prefix('/').unwrap_or_default().split_once('/') {
        Some((first, _)) if has_digit(first) => "/{n}/**".to_owned(),
        Some((first, _)) => short(format!("/{first}/**")),
        None => "/**".to_owned(),
    }
}

/// Tells which links of a page stay in its section, without making names.
#[derive(Debug)]
pub(in crate::crawl) struct Section<'u> {
    /// Host and port, whatever the scheme.
    host: &'u str,
    /// The first segment with the slash behind it; empty where the path has one segment.
    first: &'u str,
    is_numbered: bool,
}

impl<'u> Section<'u> {
    /// The section of a page.
    pub(in crate::crawl) fn of(url: &'u str) -> Self {
        let (host, rest) = without_scheme(url).split_once('/').unwrap_or_default();
        let rest = rest.split_once('?').map_or(rest, |(path, _)| path);
        let first = rest.find('/').map_or("", |at| &rest[..=at]);
        Self { host, first, is_numbered: has_digit(first) }
    }

    /// Whether `url` stands in it.
    pub(in crate::crawl) fn contains(&self, url: &str) -> bool {
        let rest = without_scheme(url).strip_prefix(self.host);
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix('/')) else { return false };
        if self.first.is_empty() || self.is_numbered {
            let end = memchr::memchr2(b'/', b'?', rest.as_bytes());
            let first = end.filter(|end| rest.as_bytes()[*end] == b'/').map(|end| &rest[..end]);
            return if self.is_numbered { first.is_some_and(has_digit) } else { first.is_none() };
        }
        rest.starts_with(self.first)
    }
}

fn short(mut name: String) -> String {
    if name.len() > MOST_NAME {
        let hash = hash(&name);
        name.truncate(name.floor_char_boundary(MOST_NAME));
        write!(name, "~{hash:016x}").expect("a String takes any text");
    }
    name
}

fn hash(text: &str) -> u64 {
    u64::from_le_bytes(blake3::hash(text.as_bytes()).as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_values_are_folded() {
        for (url, expected) in [
            ("http://h/", None),
            ("http://h/a/b%20c.html", None),
            ("http://h/calendar/2026/11/03", Some("/calendar/{n}/{n}/{n}")),
            ("http://h/calendar/2026/may", Some("/calendar/{n}/*")),
            ("http://h/3/library/os.html", Some("/{n}/*/*")),
            ("http://h/item/x-17-y/", Some("/item/{n}/")),
            ("http://h/list?page=2&sort=up", Some("/list?{page,sort}")),
            ("http://h/list?f[1]=a&f[0]=b", Some("/list?{f[],f[]}")),
        ] {
            assert_eq!(template(url).as_deref(), expected, "{url}");
            assert_eq!(is_templated(url), expected.is_some(), "{url}");
        }
        let long = |end: &str| template(&format!("http://h/{}/1?{end}", "x".repeat(500))).unwrap();
        assert!(long("a=1").len() < 150 && long("a=1") != long("b=1"));
    }

    #[test]
    fn facets_are_sets_of_two_names_and_more() {
        assert_eq!(facets("http://h/s?a=1"), None);
        assert_eq!(facets("http://h/s"), None);
        let (path, one) = facets("http://h/s?a=1&b=2").unwrap();
        assert_eq!((path.as_str(), Some(one)), ("/s?*", facets("http://h/s?b=9&a=7").map(|(_, set)| set)));
        assert_ne!(Some(one), facets("http://h/s?a=1&c=2").map(|(_, set)| set));
    }

    proptest::proptest! {
        #[test]
        fn a_section_contains_what_has_its_name(
            page in "https?://[hi]/([ab1]{1,2}/){0,2}[ab]{0,2}(\\?[a/]{1,3})?", other in "https?://[hi]/([ab1]{1,2}/){0,2}[ab]{0,2}(\\?[a/]{1,3})?",
        ) {
            let host = |url: &str| without_scheme(url)[..1].to_owned();
            let is_same = host(&page) == host(&other) && section(&page) == section(&other);
            proptest::prop_assert_eq!(Section::of(&page).contains(&other), is_same);
        }
    }
}
