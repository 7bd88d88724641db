//! Sitemaps in every form that sites write: urlset and index (sitemaps.org 0.9), RSS, Atom, one URL a line; plain or gzip.
//!
//! Read event by event, with no tree. A document type declaration is refused and nothing is expanded but the five
//! predefined entities and character references, so that no document grows while it is read.

use super::charset;
use crate::crawl::sitemap::{Listing, Lists, MAX_BYTES, MAX_URLS, NoSitemap};
use flate2::read::MultiGzDecoder;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::borrow::Cow;
use std::io::Read;

/// How much of a document is looked at to say whether it is a sitemap.
const SNIFF_BYTES: usize = 1_024;
/// Bytes of one entry that are kept: more than any URL may have.
const ENTRY_BYTES: usize = 4_096;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads a sitemap that was served as `body` with `content_type`, `most` decoded bytes of it at most. What a broken one
/// listed before the fault is kept.
pub fn sitemap(body: &[u8], content_type: Option<&str>, most: usize) -> Result<Listing, NoSitemap> {
    let (plain, mut cut) = unpacked(body, most.min(MAX_BYTES))?;
    let decoded = charset::decode(&plain, content_type);
    let text = decoded.text.trim_start();
    let mut listing = if text.starts_with('<') { xml(text)? } else { lines(text)? };
    listing.cut = listing.cut.or_else(|| cut.take());
    Ok(listing)
}

/// Whether a body is packed, so that its length says little of the work it makes.
pub fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(&GZIP)
}

/// Whether a document that nobody called a sitemap is one: an XML urlset or index, plain or gzip.
pub fn is_sitemap(body: &[u8], content_type: Option<&str>) -> bool {
    let media = content_type.and_then(|field| field.split(';').next()).unwrap_or_default();
    if media.trim().eq_ignore_ascii_case("text/html") {
        return false;
    }
    let mut front = [0; SNIFF_BYTES];
    let front = if is_gzip(body) {
        let mut taken = 0;
        let mut gzip = MultiGzDecoder::new(body);
        while let Ok(more @ 1..) = gzip.read(&mut front[taken..]) {
            taken += more;
        }
        &front[..taken]
    } else {
        &body[..body.len().min(SNIFF_BYTES)]
    };
    let text = String::from_utf8_lossy(front);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('<') && matches!(root(text).as_deref(), Some("urlset" | "sitemapindex"))
}

/// The local name of the root element, where the front of a document has it.
fn root(front: &str) -> Option<String> {
    let mut reader = Reader::from_str(front);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => return Some(local(&tag).to_owned()),
            Ok(Event::DocType(_) | Event::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// Undoes gzip, `most` bytes at most; and why that ended early.
fn unpacked(body: &[u8], most: usize) -> Result<(Cow<'_, [u8]>, Option<String>), NoSitemap> {
    let too_long = || Some(format!("only its first {most} bytes were read"));
    if !is_gzip(body) {
        let cut = if body.len() > most { too_long() } else { None };
        return Ok((Cow::Borrowed(&body[..body.len().min(most)]), cut));
    }
    let mut plain = Vec::new();
    let mut gzip = MultiGzDecoder::new(body).take(most as u64 + 1);
    let ended = gzip.read_to_end(&mut plain);
    if plain.len() > most {
        plain.truncate(most);
        return Ok((Cow::Owned(plain), too_long()));
    }
    match ended {
        Ok(_) => Ok((Cow::Owned(plain), None)),
        Err(why) if plain.is_empty() => Err(NoSitemap(format!("broken gzip: {why}"))),
        Err(why) => Ok((Cow::Owned(plain), Some(format!("broken gzip: {why}")))),
    }
}

/// One absolute URL a line; what else stands there is passed over.
fn lines(text: &str) -> Result<Listing, NoSitemap> {
    let is_url = |line: &&str| {
        let scheme = line.split_once("://").map(|(scheme, _)| scheme).unwrap_or_default();
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    };
    let mut given = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    let first = given.next().ok_or_else(|| NoSitemap("it is empty".into()))?;
    if !is_url(&first) {
        return Err(NoSitemap("it is neither XML nor a list of URLs".into()));
    }
    let mut listing = Listing { lists: Lists::Pages, urls: Vec::new(), cut: None };
    for line in std::iter::once(first).chain(given.filter(is_url)) {
        if is_full(&mut listing) {
            break;
        }
        listing.urls.push(line[..line.floor_char_boundary(ENTRY_BYTES)].to_owned());
    }
    Ok(listing)
}

/// Whether no more URLs are taken, which it then notes.
fn is_full(listing: &mut Listing) -> bool {
    let full = listing.urls.len() >= MAX_URLS;
    if full {
        listing.cut = Some(format!("only its first {MAX_URLS} URLs were read"));
    }
    full
}

/// The forms of XML, by the local name of the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `urlset > url > loc`.
    Urlset,
    /// `sitemapindex > sitemap > loc`.
    Index,
    /// `rss > channel > item > link`.
    Rss,
    /// `RDF > item > link`.
    Rdf,
    /// `feed > entry > link[href]`.
    Atom,
}

impl Form {
    fn of(root: &str) -> Result<Self, NoSitemap> {
        Ok(match root {
            "urlset" => Self::Urlset,
            "sitemapindex" => Self::Index,
            "rss" => Self::Rss,
            "RDF" => Self::Rdf,
            "feed" => Self::Atom,
            other => {
                let other = &other[..other.floor_char_boundary(64)];
                return Err(NoSitemap(format!("its root element is <{other}>")));
            }
        })
    }

    /// Whether the text of an element `name` in a `parent` is an entry.
    fn is_entry(self, parent: &str, name: &str) -> bool {
        match self {
            Self::Urlset => parent == "url" && name == "loc",
            Self::Index => parent == "sitemap" && name == "loc",
            Self::Rss | Self::Rdf => parent == "item" && name == "link",
            Self::Atom => false,
        }
    }
}

/// Reads a document whose first byte is `<`.
fn xml(text: &str) -> Result<Listing, NoSitemap> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    // Sites write `&` as it is into their URLs, and close tags as they like.
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    let mut reading = Reading::default();
    loop {
        let at = reader.buffer_position();
        let event = match reader.read_event() {
            Ok(Event::Eof) => return reading.finish(None),
            Ok(event) => event,
            Err(why) => return reading.finish(Some(format!("broken XML at byte {at}: {why}"))),
        };
        if !reading.take(event)? {
            return reading.finish(None);
        }
    }
}

/// What was read so far of an XML document.
#[derive(Debug, Default)]
struct Reading {
    form: Option<Form>,
    listing: Option<Listing>,
    /// The local names of the elements that are open below the root, as far as they may matter.
    open: Vec<Box<str>>,
    /// Elements open beyond those.
    deeper: usize,
    /// The text of the entry that is open.
    entry: Option<String>,
}

/// Elements open at a time that are told apart: an entry of RSS stands in the third.
const OPEN: usize = 4;

impl Reading {
    /// Takes an event; `false` where no more are wanted.
    fn take(&mut self, event: Event<'_>) -> Result<bool, NoSitemap> {
        match event {
            Event::DocType(_) => return Err(NoSitemap("it has a document type declaration".into())),
            Event::Start(tag) => return self.start(&tag),
            Event::Empty(tag) => return Ok(self.start(&tag)? & self.end()),
            Event::End(_) => return Ok(self.end()),
            Event::Text(text) => self.text(&text),
            Event::CData(text) => self.text(&text),
            Event::GeneralRef(name) => {
                let mut utf8 = [0; 4];
                match (name.resolve_char_ref(), quick_xml::escape::resolve_xml_entity(&name)) {
                    (Ok(Some(char)), _) => self.text(char.encode_utf8(&mut utf8)),
                    (_, Some(text)) => self.text(text),
                    // Nobody declares it: most likely a parameter of a URL.
                    (_, None) => ["&", &*name, ";"].iter().for_each(|text| self.text(text)),
                }
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(true)
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<bool, NoSitemap> {
        let name = local(tag);
        let Some(form) = self.form else {
            let form = Form::of(name)?;
            let lists = if form == Form::Index { Lists::Sitemaps } else { Lists::Pages };
            self.form = Some(form);
            self.listing = Some(Listing { lists, urls: Vec::new(), cut: None });
            return Ok(true);
        };
        let parent = self.open.last().map(|open| &**open).filter(|_| self.deeper == 0).unwrap_or_default();
        let is_link = form == Form::Atom && parent == "entry" && name == "link";
        // An extension may have an element of the same local name, as <image:loc>: it stands in one of its own.
        if form.is_entry(parent, name) {
            self.entry = Some(String::new());
        }
        if self.open.len() < OPEN {
            self.open.push(name.into());
        } else {
            self.deeper += 1;
        }
        Ok(!is_link || self.push(href(tag)))
    }

    fn end(&mut self) -> bool {
        if self.deeper > 0 {
            self.deeper -= 1;
            return true;
        }
        self.open.pop();
        let entry = self.entry.take();
        self.push(entry)
    }

    fn text(&mut self, text: &str) {
        if let Some(entry) = &mut self.entry {
            let room = ENTRY_BYTES.saturating_sub(entry.len());
            entry.push_str(&text[..text.floor_char_boundary(room)]);
        }
    }

    fn push(&mut self, entry: Option<String>) -> bool {
        let Some(listing) = &mut self.listing else { return true };
        let Some(entry) = entry else { return true };
        let entry = entry.trim();
        if entry.is_empty() {
            return true;
        }
        if is_full(listing) {
            return false;
        }
        listing.urls.push(entry.to_owned());
        true
    }

    fn finish(self, fault: Option<String>) -> Result<Listing, NoSitemap> {
        let missing = || NoSitemap(fault.clone().unwrap_or_else(|| "it has no root element".into()));
        let mut listing = self.listing.ok_or_else(missing)?;
        listing.cut = listing.cut.or(fault);
        Ok(listing)
    }
}

fn local<'t>(tag: &'t BytesStart<'_>) -> &'t str {
    tag.local_name().into_inner()
}

/// The `href` of an Atom link to the page itself (RFC 4287 section 4.2.7.2).
fn href(tag: &BytesStart<'_>) -> Option<String> {
    let mut href = None;
    // Without checks: each attribute is looked at once, however many there are.
    for attribute in tag.attributes().with_checks(false).flatten() {
        match attribute.key.0 {
            "rel" if &*attribute.value != "alternate" => return None,
            "href" => href = Some(attribute.value),
            _ => {}
        }
    }
    let href = href?;
    let href =
        quick_xml::escape::unescape(&href).map_or_else(|_| href.clone(), |plain| plain.into_owned().into());
    Some(href[..href.floor_char_boundary(ENTRY_BYTES)].to_owned())
}

#[cfg(test)]
mod tests;
