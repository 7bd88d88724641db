//! Reads a page from its tokens.

use super::collapse::{Collapse, cut_chars};
use super::entities::{Place, decode};
use super::foreign::Namespace;
use super::names::Name;
use super::outlinks::{Outlinks, has_token};
use super::tags::Attributes;
use super::tokens::{Start, Token, Tokens};
use super::{Limits, Want};
use crate::crawl::page::{Heading, LinkSource, Page};
use crate::crawl::traps::sketch::Sketch;

/// Characters of a language tag that are kept.
const MAX_LANGUAGE: usize = 64;

/// What a reader needs from page to page.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    outlinks: Outlinks,
    title: Collapse,
    anchor: Collapse,
    heading: Collapse,
    text: Collapse,
    /// Decoded text of the token in hand.
    decoded: String,
    /// Decoded values of the tag in hand.
    value: String,
    second_value: String,
}

impl Buffers {
    /// Bytes that are kept from page to page, links apart, which are given away.
    pub(super) fn weight(&self) -> usize {
        let Self { decoded, value, second_value, .. } = self;
        decoded.capacity() + value.capacity() + second_value.capacity()
    }
}

/// Reads the page whose decoded body is `text`.
pub(super) fn read(text: &str, xml: bool, want: &Want<'_>, limits: &Limits, buffers: &mut Buffers) -> Page {
    buffers.outlinks.restart();
    buffers.text.restart(limits.text_bytes);
    let mut reader = Reader {
        want,
        limits,
        buffers,
        page: Page::default(),
        in_head: true,
        in_title: false,
        title_seen: false,
        in_noscript: false,
        in_style: false,
        templates: Vec::new(),
        inert: 0,
        anchor: None,
        heading: None,
        sketch: want.sketch.then(Sketch::default),
    };
    let mut tokens = Tokens::new(text, limits.attributes, xml);
    while let Some(token) = tokens.next() {
        reader.take(token, tokens.is_inside_foreign());
    }
    reader.finish()
}

/// The page so far, and where in it the reader stands.
#[expect(clippy::struct_excessive_bools, reason = "each is a place in the page, and they overlap")]
struct Reader<'r> {
    want: &'r Want<'r>,
    limits: &'r Limits,
    buffers: &'r mut Buffers,
    page: Page,
    /// Nothing of the body has been seen.
    in_head: bool,
    /// The next raw text is the page's title.
    in_title: bool,
    title_seen: bool,
    in_noscript: bool,
    /// Inside a style sheet or script of a drawing, which the tokenizer takes for text.
    in_style: bool,
    /// The open templates, `true` for an inert one.
    templates: Vec<bool>,
    /// How many of them are inert: their content is no part of the page.
    inert: usize,
    /// The link whose anchor text is being read.
    anchor: Option<usize>,
    /// The level of the heading whose text is being read.
    heading: Option<u8>,
    sketch: Option<Sketch>,
}

impl Reader<'_> {
    fn take(&mut self, token: Token<'_>, inside_foreign: bool) {
        match token {
            Token::Start(tag) if self.inert == 0 || is_template(&tag) => self.start(&tag),
            Token::End(name) if self.inert == 0 || name == Name::TEMPLATE => self.end(name, inside_foreign),
            _ if self.inert > 0 => {}
            Token::Text(text) => self.text(text, false, inside_foreign),
            Token::Literal(text) => self.text(text, true, inside_foreign),
            Token::Raw(text) => self.raw(text),
            Token::Start(_) | Token::End(_) => {}
        }
    }

    fn raw(&mut self, text: &str) {
        if std::mem::take(&mut self.in_title) {
            let Buffers { title, decoded, .. } = &mut *self.buffers;
            // One byte more than the longest title of that many characters, to know that it was cut.
            title.restart(self.limits.title_chars * 4 + 1);
            title.push(decode(text, Place::Text, decoded));
            let cut = cut_chars(title.text(), self.limits.title_chars);
            self.page.flags.title_cut = title.is_cut() || cut.len() < title.text().len();
            self.page.title = Some(cut.to_owned());
        }
    }

    fn text(&mut self, raw: &str, literal: bool, inside_foreign: bool) {
        if self.in_head && !self.in_noscript && !raw.trim_ascii().is_empty() {
            self.in_head = false;
        }
        if self.in_style {
            return;
        }
        let visible = !self.in_noscript && !inside_foreign;
        if let (Some(sketch), true) = (&mut self.sketch, visible) {
            sketch.push(raw);
        }
        let for_text = self.want.text && visible && !self.buffers.text.is_cut();
        let for_heading = self.heading.is_some() && !self.in_noscript;
        if !(for_text || for_heading || self.anchor.is_some()) {
            return;
        }
        let Buffers { decoded, text, heading, anchor, .. } = &mut *self.buffers;
        let value = if literal { raw } else { decode(raw, Place::Text, decoded) };
        if self.anchor.is_some() {
            anchor.push(value);
        }
        if for_heading {
            heading.push(value);
        }
        if for_text {
            text.push(value);
        }
    }

    fn start(&mut self, tag: &Start<'_>) {
        if tag.namespace != Namespace::Html {
            return self.start_foreign(tag);
        }
        let name = tag.name;
        self.in_style = false;
        if self.in_head && !self.in_noscript && !name.is_of_head() {
            self.in_head = false;
        }
        self.space_before(name);
        match name {
            Name::A => self.start_anchor(tag.attributes, &["href"]),
            Name::AREA => self.link(tag.attributes, "href", LinkSource::Area),
            Name::FRAME => self.link(tag.attributes, "src", LinkSource::Frame),
            Name::IFRAME => self.link(tag.attributes, "src", LinkSource::Iframe),
            Name::LINK => self.link_element(tag.attributes),
            Name::META => self.meta(tag.attributes),
            Name::BASE => {
                let Buffers { value, .. } = &mut *self.buffers;
                let href =
                    tag.attributes.get("href").map(|href| decode(href, Place::Attribute, value).trim_ascii());
                if let (None, Some(href)) = (&self.page.base, href) {
                    self.page.base = (href.len() <= self.limits.href_bytes).then(|| href.to_owned());
                }
            }
            Name::HTML => {
                self.language(tag.attributes.get("lang").or_else(|| tag.attributes.get("xml:lang")));
            }
            Name::TITLE => self.in_title = !std::mem::replace(&mut self.title_seen, true),
            Name::NOSCRIPT => self.in_noscript = true,
            Name::TEMPLATE => self.start_template(tag.attributes),
            _ => {
                if let Some(level) = name.heading_level() {
                    self.start_heading(level);
                }
            }
        }
    }

    fn start_foreign(&mut self, tag: &Start<'_>) {
        self.in_head = self.in_head && self.in_noscript;
        match tag.name {
            Name::A => self.start_anchor(tag.attributes, &["href", "xlink:href"]),
            Name::STYLE | Name::SCRIPT => self.in_style = !tag.self_closing,
            _ => {}
        }
    }

    fn end(&mut self, name: Name, inside_foreign: bool) {
        self.space_before(name);
        match name {
            Name::A => self.end_anchor(),
            Name::HEAD => self.in_head = false,
            Name::NOSCRIPT => self.in_noscript = false,
            Name::STYLE | Name::SCRIPT => self.in_style = false,
            Name::TITLE if !inside_foreign => self.in_title = false,
            Name::TEMPLATE => self.inert -= usize::from(self.templates.pop().unwrap_or(false)),
            _ if name.heading_level().is_some() => self.end_heading(),
            _ => {}
        }
        if !inside_foreign {
            self.in_style = false;
        }
    }

    /// Keeps words of different blocks and cells apart.
    fn space_before(&mut self, name: Name) {
        if !(self.want.text || self.anchor.is_some() || self.heading.is_some()) {
            return;
        }
        let Buffers { text, anchor, heading, .. } = &mut *self.buffers;
        if name.is_block() {
            text.line();
            anchor.space();
            heading.space();
        } else if matches!(name, Name::TD | Name::TH) {
            text.space();
            anchor.space();
        }
    }

    fn start_anchor(&mut self, attributes: Attributes<'_>, names: &[&str]) {
        self.end_anchor();
        let Some(href) = names.iter().find_map(|name| attributes.get(name)) else { return };
        let index = self.outlink(href, attributes.get("rel"), LinkSource::A);
        if self.want.anchors && index.is_some() {
            self.anchor = index;
            self.buffers.anchor.restart(self.limits.anchor_chars * 4);
        }
    }

    fn end_anchor(&mut self) {
        let Some(index) = self.anchor.take() else { return };
        let Buffers { anchor, outlinks, .. } = &mut *self.buffers;
        let text = cut_chars(anchor.text(), self.limits.anchor_chars);
        if !text.is_empty() {
            outlinks.set_anchor(index, text, self.limits);
        }
    }

    fn start_heading(&mut self, level: u8) {
        self.end_heading();
        if self.want.headings && self.page.headings.len() < self.limits.headings {
            self.heading = Some(level);
            self.buffers.heading.restart(self.limits.heading_chars * 4);
        }
    }

    fn end_heading(&mut self) {
        let Some(level) = self.heading.take() else { return };
        let text = cut_chars(self.buffers.heading.text(), self.limits.heading_chars);
        if !text.is_empty() {
            self.page.headings.push(Heading { level, text: text.to_owned() });
        }
    }

    /// A declarative shadow root is shown; any other template is inert.
    fn start_template(&mut self, attributes: Attributes<'_>) {
        let inert = attributes.get("shadowrootmode").is_none();
        self.templates.push(inert);
        self.inert += usize::from(inert);
    }

    fn link(&mut self, attributes: Attributes<'_>, name: &str, source: LinkSource) {
        if let Some(href) = attributes.get(name) {
            self.outlink(href, attributes.get("rel"), source);
        }
    }

    /// Takes one link, raw. Tells its index if an anchor text is wanted for it.
    fn outlink(&mut self, href: &str, rel: Option<&str>, source: LinkSource) -> Option<usize> {
        if !self.want.links {
            return None;
        }
        let Buffers { outlinks, value, second_value, .. } = &mut *self.buffers;
        let href = decode(href, Place::Attribute, value);
        let rel = rel.map_or("", |rel| decode(rel, Place::Attribute, second_value).trim_ascii());
        keep(&mut self.page, outlinks, href, rel, source, self.limits)
    }

    fn link_element(&mut self, attributes: Attributes<'_>) {
        let (Some(rel), Some(href)) = (attributes.get("rel"), attributes.get("href")) else { return };
        if has_token(rel, "canonical") && self.in_head && self.page.canonical.is_none() {
            let href = decode(href, Place::Attribute, &mut self.buffers.value).trim_ascii();
            if !href.is_empty() && href.len() <= self.limits.href_bytes {
                self.page.canonical = Some(href.to_owned());
            }
        }
        let source = if has_token(rel, "next") {
            LinkSource::Next
        } else if has_token(rel, "prev") || has_token(rel, "previous") {
            LinkSource::Prev
        } else if has_token(rel, "alternate") && !has_token(rel, "stylesheet") {
            LinkSource::Alternate
        } else {
            return;
        };
        self.outlink(href, Some(rel), source);
    }

    fn meta(&mut self, attributes: Attributes<'_>) {
        let Some(content) = attributes.get("content") else { return };
        if let Some(name) = attributes.get("name") {
            let name = name.trim_ascii();
            if name.eq_ignore_ascii_case("description") {
                self.description(content);
            } else if name.eq_ignore_ascii_case("robots")
                || self.want.robots_name.is_some_and(|own| name.eq_ignore_ascii_case(own))
            {
                let directives = decode(content, Place::Attribute, &mut self.buffers.value);
                self.page.robots.add(cut_chars(directives, self.limits.description_chars));
            }
        } else if let Some(pragma) = attributes.get("http-equiv") {
            if pragma.eq_ignore_ascii_case("refresh") {
                self.refresh(content);
            } else if pragma.eq_ignore_ascii_case("content-language") {
                self.language(Some(content));
            }
        }
    }

    fn description(&mut self, content: &str) {
        let Buffers { title, decoded, .. } = &mut *self.buffers;
        if self.page.description.is_none() {
            title.restart(self.limits.description_chars * 4);
            title.push(decode(content, Place::Attribute, decoded));
            let text = cut_chars(title.text(), self.limits.description_chars);
            self.page.description = (!text.is_empty()).then(|| text.to_owned());
        }
    }

    fn refresh(&mut self, content: &str) {
        let Buffers { outlinks, decoded, .. } = &mut *self.buffers;
        let Some(url) = refresh_url(decode(content, Place::Attribute, decoded)) else { return };
        if !self.in_noscript && self.page.refresh.is_none() && url.len() <= self.limits.href_bytes {
            self.page.refresh = Some(url.to_owned());
        }
        if self.want.links {
            keep(&mut self.page, outlinks, url, "", LinkSource::Refresh, self.limits);
        }
    }

    fn language(&mut self, tag: Option<&str>) {
        if let (None, Some(tag)) = (&self.page.language, tag) {
            let tag =
                cut_chars(decode(tag, Place::Attribute, &mut self.buffers.value).trim_ascii(), MAX_LANGUAGE);
            self.page.language = (!tag.is_empty()).then(|| tag.to_owned());
        }
    }

    fn finish(mut self) -> Page {
        self.end_anchor();
        self.end_heading();
        self.page.sketch = self.sketch.as_ref().and_then(Sketch::finish);
        self.page.title = self.page.title.filter(|title| !title.is_empty());
        (self.page.links, self.page.links_dropped) = self.buffers.outlinks.take();
        if self.want.text {
            self.page.flags.text_cut = self.buffers.text.is_cut();
            self.page.text = Some(self.buffers.text.take());
        }
        self.page
    }
}

/// Counts a link and keeps it if it leads away from the page. Tells its index if an anchor text is wanted for it.
fn keep(
    page: &mut Page,
    outlinks: &mut Outlinks,
    href: &str,
    rel: &str,
    source: LinkSource,
    limits: &Limits,
) -> Option<usize> {
    page.links_total += 1;
    let href = href.trim_ascii();
    if href.is_empty() {
        return None;
    }
    // Links that differ only in their fragment are one.
    let href = memchr::memchr(b'#', href.as_bytes()).map_or(href, |end| &href[..end]);
    // A bare fragment is this page, unless there is a base: then it is that page.
    if href.is_empty() && page.base.is_none() {
        return None;
    }
    outlinks.add(href, rel, source, limits)
}

fn is_template(tag: &Start<'_>) -> bool {
    tag.name == Name::TEMPLATE && tag.namespace == Namespace::Html
}

/// The URL in the content of a refresh, `5; url=/next` (HTML 4.2.5.3, shared declarative refresh steps).
fn refresh_url(content: &str) -> Option<&str> {
    let content = content.trim_ascii_start();
    let behind_time = content.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if behind_time.len() == content.len() {
        return None;
    }
    let spaced = behind_time.trim_ascii_start();
    let rest = match spaced.strip_prefix([';', ',']) {
        Some(rest) => rest.trim_ascii_start(),
        None if spaced.len() < behind_time.len() => spaced,
        None => return None,
    };
    let mut url = rest;
    if rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("url"))
        && let Some(value) = rest[3..].trim_ascii_start().strip_prefix('=')
    {
        url = value.trim_ascii_start();
    }
    if let Some(quote) = url.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        url = &url[1..];
        url = url.split(quote).next().unwrap_or(url);
    }
    let url = url.trim_ascii();
    (!url.is_empty()).then_some(url)
}
