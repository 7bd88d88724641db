//! What a parsed page is: title, metadata, headings, text and outlinks, as data.
//!
//! Every string is decoded (UTF-8, character references resolved) and cut to a documented length; every
//! URL is the raw value of its attribute, to be resolved by the caller against [`Page::base`] or the page's own URL.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

mod links;

pub use links::{Link, LinkSource, Links};

/// One HTML page as the crawl sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The first `<title>` of the HTML content (not of a drawing or a template), white space stripped and
    /// collapsed; `None` if absent or empty.
    pub title: Option<String>,
    /// The first `<meta name="description">`, white space collapsed.
    pub description: Option<String>,
    /// The raw `href` of the first `<link rel="canonical">` in the head. One in the body is ignored: bodies hold
    /// text of strangers.
    pub canonical: Option<String>,
    /// What `<meta name="robots">` asks for.
    pub robots: RobotsMeta,
    /// The `lang` of `<html>`, else the `content-language` of a meta element.
    pub language: Option<String>,
    /// `<h1>` to `<h6>` in the order of the document.
    pub headings: Vec<Heading>,
    /// The visible text, if it was asked for.
    pub text: Option<String>,
    /// The raw `href` of the first `<base>` that has one.
    pub base: Option<String>,
    /// The raw URL of the first `<meta http-equiv="refresh">` that has one, outside of `<noscript>`.
    pub refresh: Option<String>,
    /// The outlinks: one row a distinct `href` without its fragment, in order of first appearance.
    pub links: Links,
    /// All links seen, with repetitions, links to a fragment of the same page, and those beyond the limits.
    pub links_total: u64,
    /// Links that are neither kept nor followed, since the page has more of them, or longer ones, than the limits allow.
    pub links_dropped: u64,
    /// The encoding the bytes were read in, by its WHATWG name.
    pub charset: Cow<'static, str>,
    /// How the encoding was decided.
    pub charset_source: CharsetSource,
    /// What the user's selectors found, see `parse::Selectors`.
    #[serde(with = "as_text")]
    pub extracted: Option<Value>,
    /// Why the user's selectors were not run on this page.
    pub selectors_skipped: Option<SelectorsSkipped>,
    /// What was cut or replaced.
    pub flags: PageFlags,
    /// A sketch of its text, where one was asked for: see [`crate::crawl::traps::sketch`].
    pub sketch: Option<u64>,
}

/// JSON as text, so that a page can be written in formats that do not describe themselves.
mod as_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use serde_json::Value;

    #[expect(clippy::ref_option, reason = "serde calls it with a reference")]
    pub(super) fn serialize<S: Serializer>(value: &Option<Value>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Value::to_string).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| serde_json::from_str(&text).map_err(D::Error::custom)).transpose()
    }
}

/// A heading of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// Its text, white space collapsed; never empty.
    pub text: String,
}

/// Who decided the encoding of a page, strongest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CharsetSource {
    /// A byte order mark.
    Bom,
    /// The `charset` of the Content-Type header.
    Header,
    /// A meta element or XML declaration in the first 1,024 bytes.
    Meta,
    /// The bytes themselves.
    Detected,
    /// Nobody: windows-1252, as the standard has it.
    #[default]
    Default,
}

/// Why the user's selectors were not run. Building a tree costs time quadratic in the nesting of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectorsSkipped {
    /// The body is larger than the tree parser is given.
    TooLarge,
    /// Elements are nested too deeply.
    TooDeep,
    /// A tag has too many attributes.
    TooManyAttributes,
    /// Many elements stand under many open ones.
    TooMuchWork,
}

impl SelectorsSkipped {
    /// The reason as a word for logs and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::TooManyAttributes => "too_many_attributes",
            Self::TooMuchWork => "too_much_work",
        }
    }
}

/// What was cut or replaced while a page was parsed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFlags {
    /// The title was longer than the limit.
    pub title_cut: bool,
    /// The text was longer than the limit.
    pub text_cut: bool,
    /// Some bytes were invalid in the page's encoding and read as U+FFFD.
    pub decode_errors: bool,
}

/// What a page asks of robots, by `<meta name="robots">` or an `X-Robots-Tag` header; the most restrictive of
/// several directives wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the directives are independent of each other")]
pub struct RobotsMeta {
    /// Do not show this page.
    pub noindex: bool,
    /// Do not follow its links.
    pub nofollow: bool,
    /// Do not keep a copy.
    pub noarchive: bool,
    /// Do not quote it.
    pub nosnippet: bool,
    /// Not to be shown after this date (as written).
    pub unavailable_after: Option<String>,
}

impl RobotsMeta {
    /// Adds the directives of a comma list, in any letter case; unknown ones are ignored.
    pub fn add(&mut self, directives: &str) {
        let mut rest = directives;
        while !rest.is_empty() {
            let (directive, after) = rest.split_once(',').unwrap_or((rest, ""));
            self.directive(directive, rest);
            rest = after;
        }
    }

    /// Adds what `X-Robots-Tag` fields say, one a line. A name in front of a directive speaks to that robot from there to the end of its
    /// field: what is said to others than `token` is passed over.
    pub fn add_fields(&mut self, fields: &str, token: &str) {
        for field in fields.lines() {
            let mut is_ours = true;
            let mut rest = field;
            while !rest.is_empty() {
                let (mut directive, after) = rest.split_once(',').unwrap_or((rest, ""));
                if let Some((name, said)) = addressed(directive) {
                    is_ours = ["*", "robots", token].iter().any(|ours| name.eq_ignore_ascii_case(ours));
                    rest = &rest[directive.len() - said.len()..];
                    directive = said;
                }
                if is_ours {
                    self.directive(directive, rest);
                }
                rest = after;
            }
        }
    }

    /// Adds one directive, which begins `rest`, what is left of its list.
    fn directive(&mut self, directive: &str, rest: &str) {
        let name = directive.split(':').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("none") {
            self.noindex = true;
            self.nofollow = true;
        } else if name.eq_ignore_ascii_case("noindex") {
            self.noindex = true;
        } else if name.eq_ignore_ascii_case("nofollow") {
            self.nofollow = true;
        } else if name.eq_ignore_ascii_case("noarchive") {
            self.noarchive = true;
        } else if name.eq_ignore_ascii_case("nosnippet") {
            self.nosnippet = true;
        } else if name.eq_ignore_ascii_case("unavailable_after") && self.unavailable_after.is_none() {
            // A date such as "Saturday, 07-Nov-26 15:00 GMT" has a comma of its own: it is the whole rest.
            let date = rest.split_once(':').map_or("", |(_, date)| date.trim());
            self.unavailable_after = (!date.is_empty()).then(|| date.chars().take(64).collect());
        }
    }
}

/// The robot that a directive is addressed to, and what it is told; `None` where the colon is that of a directive with a value.
fn addressed(directive: &str) -> Option<(&str, &str)> {
    const WITH_VALUE: [&str; 4] =
        ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"];
    let (name, said) = directive.split_once(':')?;
    let name = name.trim();
    let is_token = name == "*"
        || (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_')));
    let has_value = WITH_VALUE.iter().any(|known| name.eq_ignore_ascii_case(known));
    (is_token && !has_value).then_some((name, said))
}

#[cfg(test)]
mod tests {
    use super::RobotsMeta;

    #[test]
    fn a_field_speaks_to_us_to_all_or_to_others() {
        let said = |fields: &str| {
            let mut robots = RobotsMeta::default();
            robots.add_fields(fields, "FooBot");
            let words =
                [(robots.noindex, "noindex"), (robots.nofollow, "nofollow"), (robots.noarchive, "noarchive")];
            let words: Vec<_> = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
            (words.join(" "), robots.unavailable_after)
        };
        for (fields, expected) in [
            ("noindex, nofollow", "noindex nofollow"),
            ("NONE", "noindex nofollow"),
            ("foobot: noindex", "noindex"),
            ("FooBot:noindex,nofollow", "noindex nofollow"),
            ("otherbot: noindex, nofollow", ""),
            ("otherbot: noindex\nnofollow", "nofollow"),
            ("noarchive, otherbot: noindex, foobot: nofollow", "nofollow noarchive"),
            ("*: noindex", "noindex"),
            ("robots: noindex", "noindex"),
            ("foobots: noindex", ""),
            ("max-snippet: 20, noindex", "noindex"),
            ("index, follow\nnoindex", "noindex"),
            ("all, noindex, index", "noindex"),
            ("foobot:", ""),
            (":,,: noindex", ""),
        ] {
            assert_eq!(said(fields), (expected.to_owned(), None), "{fields:?}");
        }
        let date = "Saturday, 07-Nov-26 15:00:00 GMT";
        for fields in [format!("unavailable_after: {date}"), format!("foobot: unavailable_after: {date}")] {
            assert_eq!(said(&fields), (String::new(), Some(date.to_owned())), "{fields:?}");
        }
        let (words, date) = said("otherbot: unavailable_after: 25 Jun 2027 15:00:00 PST\nnoindex");
        assert_eq!((words.as_str(), date), ("noindex", None));
    }
}
