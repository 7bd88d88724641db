//! What a document is: by its media type, and by its first octets where there is none or where they contradict it.
//!
//! After WHATWG MIME Sniffing, for a crawler: what is called plain text is never read as HTML, and what is called HTML
//! but begins like a file of another kind is that. A server that says `nosniff` is believed where it names no type.

use memchr::memmem;

/// What a document is, as far as it decides how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Read for its title, metadata and links.
    Html,
    /// Other XML: a feed, a drawing, perhaps a sitemap.
    Xml,
    /// Text without markup, scripts and data included.
    Text,
    /// A PDF.
    Pdf,
    /// Anything else.
    Binary,
}

/// How much of a document is looked at.
const LOOK: usize = 1_445;

/// Tags with which documents begin that say nothing of themselves (WHATWG MIME Sniffing 7.1).
const TAGS: &[&[u8]] = &[
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<script",
    b"<iframe",
    b"<h1",
    b"<div",
    b"<font",
    b"<table",
    b"<a",
    b"<style",
    b"<title",
    b"<b",
    b"<body",
    b"<br",
    b"<p",
    b"<!--",
];

/// The first octets of files that are no text.
const MAGIC: &[&[u8]] = &[
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"\xff\xd8\xff",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\xfd7zXZ\0",
    b"BZh9",
    b"\x28\xb5\x2f\xfd",
    b"OggS\0",
    b"ID3\x03",
    b"ID3\x04",
    b"\x7fELF",
    b"\0asm",
    b"\xca\xfe\xba\xbe",
    b"\x1aE\xdf\xa3",
    b"SQLite format 3\0",
    b"%!PS-Adobe-",
    b"wOFF",
    b"wOF2",
];

/// The kind of a document that was served as `content_type`, and whether its octets agree with that.
pub fn kind(content_type: Option<&str>, nosniff: bool, body: &[u8]) -> (Kind, bool) {
    let media = content_type.and_then(|field| field.split(';').next()).unwrap_or_default().trim();
    let says_nothing = !media.contains('/')
        || ["*/*", "unknown/unknown", "application/unknown"].iter().any(|no| media.eq_ignore_ascii_case(no));
    if says_nothing {
        return (if nosniff { Kind::Binary } else { of_octets(body) }, true);
    }
    let named = of_media(media);
    match (named, of_magic(body)) {
        (Kind::Html | Kind::Xml | Kind::Text, Some(found)) => (found, false),
        (Kind::Text, None) if is_binary(body) => (Kind::Binary, false),
        _ => (named, true),
    }
}

fn of_media(media: &str) -> Kind {
    let media = media.to_ascii_lowercase();
    match &*media {
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "application/pdf" => Kind::Pdf,
        "text/xml" | "application/xml" => Kind::Xml,
        _ if media.ends_with("+xml") => Kind::Xml,
        "application/json" | "application/javascript" => Kind::Text,
        _ if media.starts_with("text/") => Kind::Text,
        _ => Kind::Binary,
    }
}

fn of_magic(body: &[u8]) -> Option<Kind> {
    if body.starts_with(b"%PDF-") {
        return Some(Kind::Pdf);
    }
    let is_riff = body.starts_with(b"RIFF") && matches!(body.get(8..12), Some(b"WEBP" | b"WAVE" | b"AVI "));
    let is_video = body.get(4..8) == Some(b"ftyp");
    (is_riff || is_video || MAGIC.iter().any(|magic| body.starts_with(magic))).then_some(Kind::Binary)
}

/// What a document is of which nobody says it.
fn of_octets(body: &[u8]) -> Kind {
    if let Some(found) = of_magic(body) {
        return found;
    }
    let head = &body[..body.len().min(LOOK)];
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if text.starts_with(b"<?xml") {
        return if memmem::find(text, b"<html").is_some() { Kind::Html } else { Kind::Xml };
    }
    let is_tag = |tag: &&[u8]| {
        text.get(..tag.len()).is_some_and(|found| found.eq_ignore_ascii_case(tag))
            && text.get(tag.len()).is_none_or(|next| tag.ends_with(b"--") || !next.is_ascii_alphanumeric())
    };
    // Pages that begin with another element are pages all the same; a feed begins with one of its own.
    let is_other = text.first() == Some(&b'<') && text.get(1).is_some_and(u8::is_ascii_alphabetic);
    if TAGS.iter().any(is_tag) {
        Kind::Html
    } else if [&b"<rss"[..], b"<feed", b"<urlset", b"<sitemapindex", b"<svg"].iter().any(is_tag) {
        Kind::Xml
    } else if is_other {
        Kind::Html
    } else if is_binary(body) {
        Kind::Binary
    } else {
        Kind::Text
    }
}

/// Whether there are octets that no text has (WHATWG MIME Sniffing 3), a byte order mark of UTF-16 apart.
fn is_binary(body: &[u8]) -> bool {
    let head = &body[..body.len().min(LOOK)];
    let is_utf16 = head.starts_with(b"\xfe\xff") || head.starts_with(b"\xff\xfe");
    !is_utf16 && head.iter().any(|octet| matches!(octet, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_what_it_is_called_unless_its_octets_say_otherwise() {
        let page = b"<!DOCTYPE html><title>x</title>";
        for (named, body, expected, agrees) in [
            (Some("text/html"), &page[..], Kind::Html, true),
            (Some("Text/HTML ; charset=x"), b"no markup", Kind::Html, true),
            (Some("application/xhtml+xml"), page, Kind::Html, true),
            (Some("text/plain"), page, Kind::Text, true),
            (Some("text/plain"), b"a\0b", Kind::Binary, false),
            (Some("text/html"), b"%PDF-1.7 <a href=/x>x</a>", Kind::Pdf, false),
            (Some("text/html"), b"\x89PNG\r\n\x1a\n<a href=/x>", Kind::Binary, false),
            (Some("text/html"), b"a\0<a href=/x>", Kind::Html, true),
            (Some("image/svg+xml"), b"<svg><a href=/x>", Kind::Xml, true),
            (Some("application/pdf"), page, Kind::Pdf, true),
            (Some("image/png"), page, Kind::Binary, true),
            (Some("message/rfc822"), page, Kind::Binary, true),
            (None, page, Kind::Html, true),
            (Some(""), b" \n<P>x", Kind::Html, true),
            (Some("html"), b"<article>x", Kind::Html, true),
            (Some("*/*"), b"<!-- x --><p>", Kind::Html, true),
            (None, b"<?xml version='1.0'?><!DOCTYPE html><html>", Kind::Html, true),
            (None, b"<?xml version='1.0'?><rss>", Kind::Xml, true),
            (None, b"<urlset>", Kind::Xml, true),
            (None, b"GIF89a<a href=/x>", Kind::Binary, true),
            (None, b"%PDF-1.7", Kind::Pdf, true),
            (None, b"\xff\xfea\0", Kind::Text, true),
            (None, b"a\x01", Kind::Binary, true),
            (None, b"words", Kind::Text, true),
            (None, b"", Kind::Text, true),
        ] {
            assert_eq!(kind(named, false, body), (expected, agrees), "{named:?} {body:?}");
        }
        assert_eq!(kind(None, true, page), (Kind::Binary, true));
        assert_eq!(kind(Some("text/html"), true, page), (Kind::Html, true));
    }
}
