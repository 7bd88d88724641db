//! Which encoding a page is in, and its text: byte order mark, header, meta element, detector, windows-1252, in
//! that order (WHATWG Encoding; HTML 13.2.3).

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use memchr::memchr;

use super::tags::{Attributes, Step, name_end, step};
use crate::crawl::page::CharsetSource;

/// How much of a page the search for a meta element reads.
pub const PRESCAN_BYTES: usize = 1024;

/// How much of a page, from its first byte that is not ASCII, the detector reads.
const DETECT_BYTES: usize = 64 * 1024;

/// A page as text.
pub(super) struct Decoded<'a> {
    /// Borrowed where the bytes were UTF-8 already.
    pub(super) text: Cow<'a, str>,
    pub(super) encoding: &'static Encoding,
    pub(super) source: CharsetSource,
    /// Some bytes were invalid and became U+FFFD.
    pub(super) errors: bool,
}

/// Decodes `body`, served with `content_type`.
pub(super) fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    let (encoding, source, bom) = decide(body, content_type);
    let (text, errors) = encoding.decode_without_bom_handling(&body[bom..]);
    Decoded { text, encoding, source, errors }
}

/// The encoding of `body`, who said so, and the length of its byte order mark.
fn decide(body: &[u8], content_type: Option<&str>) -> (&'static Encoding, CharsetSource, usize) {
    if let Some((encoding, len)) = Encoding::for_bom(body) {
        return (encoding, CharsetSource::Bom, len);
    }
    let said = content_type.and_then(charset_parameter).and_then(usable);
    // It would hide every letter that is not ASCII.
    if let Some(encoding) = said.filter(|encoding| *encoding != X_USER_DEFINED) {
        return (encoding, CharsetSource::Header, 0);
    }
    let head = &body[..body.len().min(PRESCAN_BYTES)];
    if let Some(encoding) = prescan(head).or_else(|| xml_declaration(head)) {
        return (encoding, CharsetSource::Meta, 0);
    }
    let ascii = Encoding::ascii_valid_up_to(body);
    if ascii == body.len() {
        return (WINDOWS_1252, CharsetSource::Default, 0);
    }
    if std::str::from_utf8(&body[ascii..]).is_ok() {
        return (UTF_8, CharsetSource::Detected, 0);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let from = ascii.saturating_sub(2);
    detector.feed(&body[from..body.len().min(from + DETECT_BYTES)], true);
    (detector.guess(None, Utf8Detection::Allow), CharsetSource::Detected, 0)
}

/// The encoding of a label. The labels the standard maps to "replacement" are ignored: a page that is
/// read as one U+FFFD has lost its links.
fn usable(label: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_label(label).filter(|encoding| *encoding != REPLACEMENT)
}

/// An encoding declared inside of the document: it was read as ASCII, so it cannot be UTF-16.
fn declared(label: &[u8]) -> Option<&'static Encoding> {
    usable(label).map(|encoding| {
        if encoding == UTF_16BE || encoding == UTF_16LE {
            UTF_8
        } else if encoding == X_USER_DEFINED {
            WINDOWS_1252
        } else {
            encoding
        }
    })
}

/// The `charset` parameter of a media type.
fn charset_parameter(content_type: &str) -> Option<&[u8]> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim_ascii().trim_matches(['"', '\'']);
        name.trim_ascii().eq_ignore_ascii_case("charset").then_some(value.as_bytes())
    })
}

/// Looks for a meta element that declares the encoding (HTML 13.2.3.2).
fn prescan(head: &[u8]) -> Option<&'static Encoding> {
    let mut at = 0;
    while let Some(len) = memchr(b'<', head.get(at..)?) {
        at += len;
        let rest = &head[at..];
        if rest.starts_with(b"<!--") {
            at += 2 + memchr::memmem::find(&rest[2..], b"-->")? + 3;
            continue;
        }
        let name = at + 1 + usize::from(rest.get(1) == Some(&b'/'));
        if head.get(name).is_some_and(u8::is_ascii_alphabetic) {
            let behind = name_end(head, name);
            let end = tag_end(head, behind)?;
            if name == at + 1 && head[name..behind].eq_ignore_ascii_case(b"meta") {
                let found = std::str::from_utf8(&head[behind..end]).ok().and_then(meta_encoding);
                if found.is_some() {
                    return found;
                }
            }
            at = end;
        } else if matches!(rest.get(1), Some(b'!' | b'/' | b'?')) {
            at += memchr(b'>', rest)? + 1;
        } else {
            at += 1;
        }
    }
    None
}

/// The position behind the tag whose attributes start at `at`.
fn tag_end(head: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let (found, next) = step(head, at);
        at = next;
        match found {
            Step::Attribute { .. } => {}
            Step::End { .. } => return Some(at),
            Step::Eof => return None,
        }
    }
}

/// What one meta element declares.
fn meta_encoding(attributes: &str) -> Option<&'static Encoding> {
    let attributes = Attributes::new(attributes, usize::MAX);
    if let Some(label) = attributes.get("charset") {
        return declared(label.as_bytes());
    }
    let pragma = attributes.get("http-equiv")?;
    if !pragma.eq_ignore_ascii_case("content-type") {
        return None;
    }
    charset_in(attributes.get("content")?).and_then(|label| declared(label.as_bytes()))
}

/// The value behind `charset=` anywhere in `content`, quoted or up to white space or a semicolon.
fn charset_in(content: &str) -> Option<&str> {
    let lower = content.to_ascii_lowercase();
    let mut from = 0;
    loop {
        from += lower[from..].find("charset")? + "charset".len();
        let Some(value) = content[from..].trim_ascii_start().strip_prefix('=') else { continue };
        let value = value.trim_ascii_start();
        return match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split_once(quote).map(|(label, _)| label),
            _ => value.split([';', ' ', '\t', '\n', '\x0c', '\r']).next(),
        };
    }
}

/// The `encoding` of `<?xml ... ?>` at the very start.
fn xml_declaration(head: &[u8]) -> Option<&'static Encoding> {
    let rest = head.strip_prefix(b"<?xml")?;
    let declaration = std::str::from_utf8(&rest[..memchr(b'>', rest)?]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_ascii_start().strip_prefix('=')?.trim_ascii_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    declared(value[1..].split_once(quote)?.0.as_bytes())
}
