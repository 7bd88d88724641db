//! The outlinks of a page, packed: one buffer of text and one small row a link.
//!
//! A page has hundreds of links; a `String` for each part of each would be most of the cost of parsing it.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where on a page a link was found. The list is the whole: `srcset`, `style`, `ping`, `onclick`, forms, images,
/// scripts and data attributes are not links of the crawl.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkSource {
    /// `<a href>`, also in a drawing (there `xlink:href` too).
    A,
    /// `<area href>`.
    Area,
    /// `<frame src>`.
    Frame,
    /// `<iframe src>`.
    Iframe,
    /// `<meta http-equiv="refresh">`, also inside `<noscript>`.
    Refresh,
    /// `<link rel="next" href>`.
    Next,
    /// `<link rel="prev" href>`.
    Prev,
    /// `<link rel="alternate" href>` that is not a style sheet: translations and feeds.
    Alternate,
}

impl LinkSource {
    /// The source as a word for rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::Area => "area",
            Self::Frame => "frame",
            Self::Iframe => "iframe",
            Self::Refresh => "refresh",
            Self::Next => "next",
            Self::Prev => "prev",
            Self::Alternate => "alternate",
        }
    }

    /// Whether the crawl follows links of this kind: all but alternates, which are often feeds.
    pub const fn is_followed(self) -> bool {
        !matches!(self, Self::Alternate)
    }
}

/// One outlink, borrowed from [`Links`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link<'a> {
    /// The raw attribute, character references resolved, surrounding white space stripped.
    #[serde(borrow)]
    pub href: &'a str,
    /// The text of the first link to this `href` that has any, white space collapsed.
    pub anchor: &'a str,
    /// The `rel` as written: of the first link to this `href` without `nofollow` if there is one, else of the first.
    pub rel: &'a str,
    /// The element of the first link to this `href`.
    pub source: LinkSource,
    /// Every link to this `href` says `rel="nofollow"`.
    pub nofollow: bool,
}

/// Distinct outlinks in order of first appearance.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Links {
    text: String,
    rows: Vec<Row>,
}

/// A part of [`Links::text`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    start: u32,
    len: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    href: Span,
    anchor: Span,
    rel: Span,
    source: LinkSource,
    nofollow: bool,
}

impl Links {
    /// No links, with room for `links` of them and `bytes` of text.
    pub fn with_capacity(links: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), rows: Vec::with_capacity(links) }
    }

    /// How many distinct links there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no link.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many bytes of text the links hold.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// The links in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Link<'_>> + Clone {
        self.rows.iter().map(|row| Link {
            href: self.part(row.href),
            anchor: self.part(row.anchor),
            rel: self.part(row.rel),
            source: row.source,
            nofollow: row.nofollow,
        })
    }

    /// The link at `index`.
    pub fn get(&self, index: usize) -> Option<Link<'_>> {
        (index < self.len()).then(|| self.iter().nth(index)).flatten()
    }

    /// The `href` of the link at `index`, or nothing.
    pub fn href(&self, index: usize) -> &str {
        self.rows.get(index).map_or("", |row| self.part(row.href))
    }

    /// Appends a link and returns its index. Keeping them distinct is the caller's part.
    ///
    /// # Panics
    /// If the text grows beyond 4 GiB; the parser's limits are far below.
    pub fn push(&mut self, link: Link<'_>) -> usize {
        let href = self.keep(link.href);
        let anchor = self.keep(link.anchor);
        let rel = self.keep(link.rel);
        self.rows.push(Row { href, anchor, rel, source: link.source, nofollow: link.nofollow });
        self.rows.len() - 1
    }

    /// Whether the link at `index` has an anchor text.
    pub fn has_anchor(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|row| row.anchor.len > 0)
    }

    /// Gives the link at `index` its anchor text.
    pub fn set_anchor(&mut self, index: usize, anchor: &str) {
        let span = self.keep(anchor);
        if let Some(row) = self.rows.get_mut(index) {
            row.anchor = span;
        }
    }

    /// Notes that a link to the `href` at `index` without `nofollow` was found.
    pub fn allow(&mut self, index: usize, rel: &str) {
        if self.rows.get(index).is_some_and(|row| row.nofollow) {
            let span = self.keep(rel);
            let row = &mut self.rows[index];
            row.rel = span;
            row.nofollow = false;
        }
    }

    fn keep(&mut self, part: &str) -> Span {
        if part.is_empty() {
            return Span::default();
        }
        let start = u32::try_from(self.text.len()).expect("link text is limited far below 4 GiB");
        let len = u32::try_from(part.len()).expect("link text is limited far below 4 GiB");
        self.text.push_str(part);
        Span { start, len }
    }

    fn part(&self, span: Span) -> &str {
        &self.text[span.start as usize..(span.start + span.len) as usize]
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Links {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.len()))?;
        for link in self.iter() {
            seq.serialize_element(&link)?;
        }
        seq.end()
    }
}

/// A link that owns its parts: what a reader of JSON with escapes needs.
#[derive(Deserialize)]
struct OwnedLink {
    href: String,
    anchor: String,
    rel: String,
    source: LinkSource,
    nofollow: bool,
}

impl<'de> Deserialize<'de> for Links {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;

        impl<'de> Visitor<'de> for Rows {
            type Value = Links;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of links")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Links, A::Error> {
                let mut links = Links::default();
                while let Some(link) = seq.next_element::<OwnedLink>()? {
                    links.push(Link {
                        href: &link.href,
                        anchor: &link.anchor,
                        rel: &link.rel,
                        source: link.source,
                        nofollow: link.nofollow,
                    });
                }
                Ok(links)
            }
        }

        deserializer.deserialize_seq(Rows)
    }
}
