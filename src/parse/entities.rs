//! Character references, as HTML 13.2.5.72 to 13.2.5.84 have them: `&amp;`, `&notin;`, `&copy` without its
//! semicolon, `&#x80;` meaning the euro sign.

use html5ever::data::NAMED_ENTITIES;
use memchr::memchr3;

/// Where a raw piece of the document stands; the rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Between tags: NUL is dropped.
    Text,
    /// In an attribute's value: NUL becomes U+FFFD, and `&copy=1` stays as it is.
    Attribute,
}

/// The value of `raw`: itself where nothing needs decoding, else decoded into `scratch` (which is cleared).
pub(super) fn decode<'a>(raw: &'a str, place: Place, scratch: &'a mut String) -> &'a str {
    if memchr3(b'&', b'\r', 0, raw.as_bytes()).is_none() {
        return raw;
    }
    scratch.clear();
    append_decoded(raw, place, scratch);
    scratch
}

/// Appends the value of `raw` to `out`: character references resolved, line ends made `\n`.
fn append_decoded(raw: &str, place: Place, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = memchr3(b'&', b'\r', 0, rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let special = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match special {
            b'&' => rest = &rest[append_reference(rest, place, out)..],
            b'\r' => {
                out.push('\n');
                rest = rest.strip_prefix('\n').unwrap_or(rest);
            }
            _ if place == Place::Attribute => out.push(char::REPLACEMENT_CHARACTER),
            _ => {}
        }
    }
    out.push_str(rest);
}

/// Appends what the reference after an ampersand means, or the ampersand if it is none. Returns the bytes used.
fn append_reference(rest: &str, place: Place, out: &mut String) -> usize {
    for (name, meaning) in [("amp;", '&'), ("lt;", '<'), ("gt;", '>'), ("quot;", '"'), ("#39;", '\'')] {
        if rest.starts_with(name) {
            out.push(meaning);
            return name.len();
        }
    }
    if let Some(number) = rest.strip_prefix('#') {
        if let Some((meaning, used)) = numeric(number.as_bytes()) {
            out.push(meaning);
            return used + 1;
        }
    } else if let Some((name, (first, second))) = longest_name(rest) {
        let next = rest.as_bytes().get(name.len()).copied().unwrap_or(b' ');
        let is_text = place == Place::Attribute
            && !name.ends_with(';')
            && (next == b'=' || next.is_ascii_alphanumeric());
        if !is_text {
            out.extend([first, second].into_iter().filter(|code| *code != 0).filter_map(char::from_u32));
            return name.len();
        }
    }
    out.push('&');
    0
}

/// The longest name in the standard's table that `rest` starts with. The table holds every prefix of a name too,
/// with the meaning 0, which tells when to stop.
fn longest_name(rest: &str) -> Option<(&str, (u32, u32))> {
    let mut found = None;
    for (at, byte) in rest.bytes().enumerate() {
        if !byte.is_ascii_alphanumeric() && byte != b';' {
            break;
        }
        let prefix = &rest[..=at];
        match NAMED_ENTITIES.get(prefix) {
            None => break,
            Some((0, _)) => {}
            Some(meaning) => found = Some((prefix, *meaning)),
        }
    }
    found
}

/// What the digits after `&#` mean and how many bytes they are; `None` without a digit.
fn numeric(bytes: &[u8]) -> Option<(char, usize)> {
    let (start, radix) = if matches!(bytes.first(), Some(b'x' | b'X')) { (1, 16) } else { (0, 10) };
    let mut at = start;
    let mut code: u32 = 0;
    while let Some(digit) = bytes.get(at).and_then(|byte| char::from(*byte).to_digit(radix)) {
        code = code.saturating_mul(radix).saturating_add(digit);
        at += 1;
    }
    if at == start {
        return None;
    }
    at += usize::from(bytes.get(at) == Some(&b';'));
    let meaning = match code {
        0x80..=0x9f => encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(&[code as u8])
            .0
            .chars()
            .next()
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        0 => char::REPLACEMENT_CHARACTER,
        code => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Some((meaning, at))
}
