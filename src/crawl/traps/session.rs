//! Session ids: parts of a URL that only say who asks. They are no part of its identity, so that a page is one URL however
//! often a server numbers its visitors anew.

use std::borrow::Cow;

/// Names that are nothing else, in lower case.
const NAMES: [&str; 9] =
    ["phpsessid", "jsessionid", "sessionid", "session_id", "sessid", "oscsid", "zenid", "cfid", "cftoken"];
/// ... and one that has a random end.
const PREFIX: &str = "aspsessionid";
/// Names that may mean something else: they count where the value looks like a token.
const DOUBTFUL: [&str; 4] = ["sid", "session", "sess", "s"];
/// The least length of a token.
const TOKEN: usize = 16;

/// Whether `NAME=VALUE` of a query or of a path parameter is a session id.
pub(in crate::crawl) fn is_session(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    let is_numbered = name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    is_numbered || NAMES.iter().any(is) || (DOUBTFUL.iter().any(is) && is_token(value))
}

/// Letters and digits, long and mixed.
fn is_token(value: &str) -> bool {
    value.len() >= TOKEN
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b','))
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Whether [`without_session`] may find anything.
pub(in crate::crawl) fn may_have_session(path: &str) -> bool {
    memchr::memchr2(b';', b'(', path.as_bytes()).is_some()
}

/// The path without `;jsessionid=...` and without the segment `(S(...))` that ASP.NET puts first.
pub(in crate::crawl) fn without_session(path: &str) -> Cow<'_, str> {
    let is_marked =
        |segment: &str| segment.starts_with('(') && segment.ends_with("))") && segment.contains("S(");
    let has_session = |segment: &str| segment.split(';').skip(1).any(is_session);
    if !path.split('/').any(|segment| is_marked(segment) || has_session(segment)) {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len());
    for (at, segment) in path.split('/').enumerate() {
        if is_marked(segment) {
            continue;
        }
        if at > 0 {
            out.push('/');
        }
        for (at, part) in segment.split(';').enumerate() {
            if at > 0 && is_session(part) {
                continue;
            }
            if at > 0 {
                out.push(';');
            }
            out.push_str(part);
        }
    }
    if out.is_empty() {
        out.push('/');
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_are_known_by_name_or_by_their_look() {
        for parameter in [
            "PHPSESSID=x",
            "jsessionid=0A1",
            "ASPSESSIONIDQABC=Z",
            "CFTOKEN=1",
            "sid=0123456789abcdef",
            "s=1a2b3c4d5e6f7a8b9c",
        ] {
            assert!(is_session(parameter), "{parameter}");
        }
        for parameter in [
            "sid=17",
            "s=rust",
            "session=spring-and-summer-2026-x y",
            "sidebar=0123456789abcdef",
            "id=0123456789abcdef",
            "sid",
        ] {
            assert!(!is_session(parameter), "{parameter}");
        }
    }

    #[test]
    fn paths_lose_them_and_keep_the_rest() {
        for (path, without) in [
            ("/a;jsessionid=1F/b", "/a/b"),
            ("/a;v=2;JSESSIONID=1F;w", "/a;v=2;w"),
            ("/(S(lit3py55t21z5v55vlm25s55))/a.aspx", "/a.aspx"),
            ("/(S(x))", "/"),
            ("/a;b/(c)/d", "/a;b/(c)/d"),
        ] {
            assert_eq!(without_session(path), without, "{path}");
        }
    }
}
