//! What a URL is to a crawl: as it is fetched, as it is known, and what was changed on the way.

use crate::crawl::host::HostKey;
use crate::crawl::url::{UrlKey, canonical, tracking_parameters};
use serde::Serialize;
use url::Url;

/// A URL and its identity.
#[derive(Debug, Serialize)]
pub(super) struct Identity {
    /// What is asked for.
    pub(super) url: String,
    /// What decides whether it is new.
    pub(super) canonical: String,
    /// The key of that in `urls.url_key`.
    pub(super) key: String,
    /// The unit of politeness.
    pub(super) host: String,
    /// What was changed, in words.
    pub(super) changes: Vec<String>,
}

impl Identity {
    /// The identity of `url`, which was written as `text`.
    pub(super) fn of(text: &str, url: &Url) -> Self {
        let identity = canonical(url);
        let mut changes = spelling(text, url);
        changes.extend(beyond_the_standard(url, &identity));
        Self {
            url: url.as_str().to_owned(),
            key: format!("{:?}", UrlKey::of(&identity)),
            canonical: identity.into_owned(),
            host: HostKey::of(url).as_str().to_owned(),
            changes,
        }
    }
}

/// What parsing changed: such a URL is fetched as it is known.
fn spelling(text: &str, url: &Url) -> Vec<String> {
    let mut changes = Vec::new();
    let Ok(mut written) = Url::parse(text.trim()) else { return changes };
    if let Some(fragment) = written.fragment() {
        changes.push(format!("fragment #{fragment} removed"));
    }
    if !written.username().is_empty() || written.password().is_some() {
        changes.push("user name and password removed".to_owned());
    }
    // What is left is how it was spelt: case, default port, dot segments, white space, escapes, the slash of a bare host.
    written.set_fragment(None);
    let credentials = text.split(['/', '?', '#']).nth(2).and_then(|authority| authority.rsplit_once('@'));
    let plain =
        credentials.map_or_else(|| text.to_owned(), |(front, _)| text.replacen(&format!("{front}@"), "", 1));
    let plain = plain.split('#').next().unwrap_or_default();
    if plain != url.as_str() {
        changes.push("spelt as the URL standard has it".to_owned());
    }
    changes
}

/// What the identity leaves away of a URL that is fetched with it.
fn beyond_the_standard(url: &Url, identity: &str) -> Vec<String> {
    let mut changes = Vec::new();
    let tracking: Vec<&str> = tracking_parameters(url).collect();
    if !tracking.is_empty() {
        changes.push(format!("identity without the tracking parameters {}", tracking.join(", ")));
    }
    if url.query() == Some("") {
        changes.push("identity without the mark of an empty query".to_owned());
    }
    let escapes = |text: &str| {
        text.split('%').skip(1).map(|part| part.chars().take(2).collect()).collect::<Vec<String>>()
    };
    let kept: Vec<&str> = url.query().into_iter().flat_map(|query| query.split('&')).collect();
    let kept = kept.into_iter().filter(|parameter| !tracking.iter().any(|name| parameter.starts_with(name)));
    let before = format!("{}?{}", url.path(), kept.collect::<Vec<_>>().join("&"));
    if escapes(&before) != escapes(identity) {
        changes.push("identity with its percent-escapes normalised".to_owned());
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::url::parse;

    #[test]
    fn every_change_is_said() {
        for (text, changes) in [
            ("http://h/a?b=1", ""),
            ("http://h", "spelt as the URL standard has it"),
            ("HTTP://H:80/a/../b", "spelt as the URL standard has it"),
            (" http://h/ ", "spelt as the URL standard has it"),
            ("http://h/a#top", "fragment #top removed"),
            ("http://u:p@h/a", "user name and password removed"),
            (
                "http://h/?utm_source=x&gclid=%7e&a=1",
                "identity without the tracking parameters utm_source, gclid",
            ),
            ("http://h/?", "identity without the mark of an empty query"),
            ("http://h/%7euser", "identity with its percent-escapes normalised"),
            ("http://h/%2f", "identity with its percent-escapes normalised"),
            ("http://h/%2F", ""),
            (
                "http://U@h/%41?utm_id#x",
                "fragment #x removed; user name and password removed; identity without the tracking parameters utm_id; identity with its percent-escapes normalised",
            ),
        ] {
            let url = parse(text).unwrap();
            assert_eq!(Identity::of(text, &url).changes.join("; "), changes, "{text}");
        }
    }
}
