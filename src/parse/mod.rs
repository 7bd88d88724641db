//! Bytes into a [`Page`]: charset, title, metadata, headings, text, outlinks, and what the user's selectors find.
//!
//! One pass of a tokenizer reads all but the user's selectors. It never fails, takes time linear in the body, and
//! holds no tree: a tree parser costs ten times more on real pages and is quadratic in the nesting of hostile ones. Only for
//! selectors is a tree built, by `scraper`, and only where [`Limits`] says that is safe.
//!
//! Nothing is resolved here: an outlink is the raw value of its attribute, and [`Page::base`] is what the page says.

mod bounds;
mod charset;
mod collapse;
mod entities;
mod foreign;
mod names;
mod outlinks;
mod reader;
mod selectors;
mod sitemap;
mod sniff;
mod tags;
mod tokens;

#[cfg(test)]
mod tests;

pub use charset::PRESCAN_BYTES;
pub use selectors::{SelectorError, Selectors};
pub use sitemap::{is_gzip, is_sitemap, sitemap};
pub use sniff::{Kind, kind};

use crate::crawl::page::Page;

/// What to read from a page beside its title and metadata.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent wishes")]
pub struct Want<'a> {
    /// The visible text.
    pub text: bool,
    /// The user's selectors.
    pub selectors: Option<&'a Selectors>,
    /// The outlinks.
    pub links: bool,
    /// Their anchor texts.
    pub anchors: bool,
    /// The headings.
    pub headings: bool,
    /// A sketch of the visible text.
    pub sketch: bool,
    /// The crawler's product token in lower case: `<meta name="huntsman">` counts as `<meta name="robots">` does.
    pub robots_name: Option<&'a str>,
}

impl Default for Want<'_> {
    /// All but the text and selectors.
    fn default() -> Self {
        Self {
            text: false,
            selectors: None,
            links: true,
            anchors: true,
            headings: true,
            sketch: false,
            robots_name: None,
        }
    }
}

/// How much of a page is kept, and what is too much for the tree parser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Distinct links.
    pub links: usize,
    /// Bytes of links with their anchors; what is beyond is counted only.
    pub link_bytes: usize,
    /// Bytes of one `href`; a longer one is counted only. The limit of a URL is lower, but white space is not counted there.
    pub href_bytes: usize,
    /// Attributes of one tag that are looked at.
    pub attributes: usize,
    /// Characters of the title.
    pub title_chars: usize,
    /// Characters of the description.
    pub description_chars: usize,
    /// Characters of an anchor text.
    pub anchor_chars: usize,
    /// Headings.
    pub headings: usize,
    /// Characters of a heading.
    pub heading_chars: usize,
    /// Bytes of text.
    pub text_bytes: usize,
    /// Bytes of a body that is given to the tree parser.
    pub tree_bytes: usize,
    /// Nesting that is given to the tree parser.
    pub tree_depth: usize,
    /// Tags times the elements open around each, that is given to the tree parser.
    pub tree_work: usize,
    /// Children of one element that selectors with `~` are given.
    pub tree_siblings: usize,
    /// Values one selector may give.
    pub values: usize,
    /// Bytes of values all selectors together may give.
    pub value_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            links: 6_000,
            link_bytes: 4 << 20,
            href_bytes: 4_096,
            attributes: 256,
            title_chars: 1_024,
            description_chars: 2_048,
            anchor_chars: 256,
            headings: 100,
            heading_chars: 256,
            text_bytes: 1 << 20,
            tree_bytes: 1 << 20,
            tree_depth: 512,
            tree_work: 4_000_000,
            tree_siblings: 10_000,
            values: 1_000,
            value_bytes: 1 << 20,
        }
    }
}

/// Parses pages one after the other, keeping its buffers.
#[derive(Debug, Default)]
pub struct Parser {
    limits: Limits,
    buffers: reader::Buffers,
}

impl Parser {
    /// Bytes of its buffers: a page that blew them up is no reason to keep them.
    pub fn weight(&self) -> usize {
        self.buffers.weight()
    }

    /// A parser that keeps to `limits`.
    pub fn new(limits: Limits) -> Self {
        Self { limits, buffers: reader::Buffers::default() }
    }

    /// Reads the page that was served as `body` with `content_type`. Any bytes give a page: what is not HTML gives an
    /// empty one.
    pub fn parse(&mut self, body: &[u8], content_type: Option<&str>, want: &Want<'_>) -> Page {
        let decoded = charset::decode(body, content_type);
        let xml = content_type.is_some_and(|media| {
            media
                .split(';')
                .next()
                .is_some_and(|name| name.trim().eq_ignore_ascii_case("application/xhtml+xml"))
        });
        let mut page = reader::read(&decoded.text, xml, want, &self.limits, &mut self.buffers);
        page.charset = decoded.encoding.name().into();
        page.charset_source = decoded.source;
        page.flags.decode_errors = decoded.errors;
        if let Some(selectors) = want.selectors {
            match bounds::check(&decoded.text, selectors.compares_siblings(), &self.limits) {
                Ok(()) => page.extracted = Some(selectors.extract(&decoded.text, &self.limits)),
                Err(reason) => page.selectors_skipped = Some(reason),
            }
        }
        page
    }
}

/// Reads one page, see [`Parser::parse`].
pub fn parse(body: &[u8], content_type: Option<&str>, want: &Want<'_>, limits: &Limits) -> Page {
    Parser::new(limits.clone()).parse(body, content_type, want)
}
