//! How reports and URLs stand in the server: bytes that another process, of another version perhaps, reads again.
//!
//! An entry of the stream is a version byte and the report or note, compressed, since the server copies it several times. A queued
//! URL is packed to a few bytes beside its path, since there may be millions: the length of what belongs to this visit, that,
//! and then how the URL reads.

use super::pieces;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Origin, Queued};
use crate::crawl::report::Entry;
use crate::crawl::scope::ScopeKind;
use crate::crawl::sitemap::Sitemap;
use crate::crawl::time::Timestamp;
use crate::crawl::url::{UrlKey, canonical};
use url::Url;

/// The version of stream entries that this build writes, and the only one that it reads.
pub(super) const VERSION: u8 = 4;

/// Why bytes are no entry.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// Of another version of ours.
    #[error("it has version {0} and this process reads version {VERSION}: run the same version everywhere")]
    Version(u8),
    /// Not of ours.
    #[error("its bytes are none of ours: {0}")]
    Garbage(String),
}

/// An entry as it stands in the stream, and how many bytes it has when it is not compressed.
pub(super) fn pack_entry(entry: &Entry) -> Result<(Vec<u8>, usize), Unreadable> {
    let plain = postcard::to_allocvec(entry).map_err(|why| Unreadable::Garbage(why.to_string()))?;
    let mut packed = vec![VERSION];
    packed.extend(lz4_flex::compress_prepend_size(&plain));
    Ok((packed, plain.len()))
}

/// The entry that stands in these bytes.
pub(super) fn unpack_entry(bytes: &[u8]) -> Result<Entry, Unreadable> {
    match bytes.split_first() {
        None => Err(Unreadable::Garbage("it is empty".into())),
        Some((&VERSION, rest)) => unpack_body(rest).map_err(Unreadable::Garbage),
        Some((other, _)) => Err(Unreadable::Version(*other)),
    }
}

/// The format makes no more of a byte than this: what says more is none of ours, and no memory is taken for it.
const MOST_OF_A_BYTE: usize = 255;

fn unpack_body(bytes: &[u8]) -> Result<Entry, String> {
    let (length, packed) = bytes.split_first_chunk::<4>().ok_or("it is too short")?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > packed.len() * MOST_OF_A_BYTE {
        return Err("it says that it is longer than it can be".into());
    }
    let plain = lz4_flex::decompress(packed, length).map_err(|why| why.to_string())?;
    postcard::from_bytes(&plain).map_err(|why| why.to_string())
}

const HAS_MAX_DEPTH: u8 = 1;
const HAS_HOPS: u8 = 2;
const HAS_SEED: u8 = 4;
const HAS_SITEMAP: u8 = 8;
const HAS_ATTEMPTS: u8 = 16;
const HAS_DUE: u8 = 32;
const HAS_KEY: u8 = 64;
/// No version of ours sets it.
const UNKNOWN: u8 = 128;

const HTTP: u8 = 0;
const HTTPS: u8 = 1;
const WHOLE: u8 = 2;
/// The same for text that has no short form.
const PLAIN: u8 = 3;
/// The scripts keep a mark above the length of what belongs to a visit, in units of this: it is longer than any such length.
const MARK: u8 = 64;

/// How a URL reads, its host aside: what it is recognised by within its host and crawl.
pub(super) fn pack_text(url: &Queued) -> Vec<u8> {
    let host = url.host.as_str();
    let tail = |scheme: &str| {
        let tail = url.url.strip_prefix(scheme)?.strip_prefix(host)?;
        tail.starts_with('/').then_some(tail)
    };
    let (kind, text) = match (tail("http://"), tail("https://")) {
        (Some(tail), _) => (HTTP, tail),
        (_, Some(tail)) => (HTTPS, tail),
        _ => (WHOLE, &*url.url),
    };
    let mut packed = Vec::with_capacity(1 + text.len());
    packed.push(kind);
    if !pieces::shorten(text, &mut packed) {
        packed = vec![PLAIN];
        packed.extend_from_slice(url.url.as_bytes());
    }
    packed
}

/// A queued URL without its crawl, host and priority, which stand in the names of its queue.
pub(super) fn pack_url(url: &Queued) -> Vec<u8> {
    let Origin { depth, hops, max_depth, seed, sitemap, .. } = url.origin;
    let mut bits = 0;
    let mut visit = Vec::with_capacity(8);
    push_number(&mut visit, depth);
    if let Some(most) = max_depth {
        bits |= HAS_MAX_DEPTH;
        push_number(&mut visit, most);
    }
    if hops > 0 {
        bits |= HAS_HOPS;
        visit.push(hops);
    }
    if let Some(at) = seed.and_then(|seed| ScopeKind::ALL.iter().position(|kind| *kind == seed)) {
        bits |= HAS_SEED;
        visit.push(at as u8);
    }
    if let Some(sitemap) = sitemap {
        bits |= HAS_SITEMAP;
        visit.push(match sitemap {
            Sitemap::Usual => 0,
            Sitemap::Named => 1,
            Sitemap::Listed(above) => above.saturating_add(2),
        });
    }
    if (url.visit, url.attempt, url.throttled) != (1, 1, 0) {
        bits |= HAS_ATTEMPTS;
        for number in [url.visit, url.attempt, url.throttled] {
            push_number(&mut visit, number);
        }
    }
    if url.due != Timestamp::EPOCH {
        bits |= HAS_DUE;
        visit.extend_from_slice(&url.due.as_micros().to_le_bytes());
    }
    if key_of(&url.url) != Some(url.key) {
        bits |= HAS_KEY;
        visit.extend_from_slice(url.key.as_bytes());
    }
    let length = 1 + visit.len() as u8;
    debug_assert!(length < MARK);
    let mut packed = vec![length, bits];
    packed.append(&mut visit);
    packed.extend(pack_text(url));
    packed
}

/// The URL that stands in these bytes; `None` where they are none of ours.
pub(super) fn unpack_url(bytes: &[u8], crawl: CrawlId, host: &HostKey, priority: u8) -> Option<Queued> {
    let (length, rest) = bytes.split_first()?;
    let (mut visit, text) = rest.split_at_checked(usize::from(*length % MARK))?;
    let bits = take_byte(&mut visit)?;
    if bits & UNKNOWN != 0 {
        return None;
    }
    let has = |bit: u8| bits & bit != 0;
    let depth = take_number(&mut visit)?;
    let max_depth = if has(HAS_MAX_DEPTH) { Some(take_number(&mut visit)?) } else { None };
    let hops = if has(HAS_HOPS) { take_byte(&mut visit)? } else { 0 };
    let seed =
        if has(HAS_SEED) { Some(*ScopeKind::ALL.get(usize::from(take_byte(&mut visit)?))?) } else { None };
    let sitemap = match has(HAS_SITEMAP).then(|| take_byte(&mut visit)) {
        None => None,
        Some(code) => Some(match code? {
            0 => Sitemap::Usual,
            1 => Sitemap::Named,
            above => Sitemap::Listed(above - 2),
        }),
    };
    let mut attempts = [1, 1, 0];
    if has(HAS_ATTEMPTS) {
        for number in &mut attempts {
            *number = take_number(&mut visit)?;
        }
    }
    let due = if has(HAS_DUE) {
        let (due, rest) = visit.split_first_chunk::<8>()?;
        visit = rest;
        Timestamp::from_micros(i64::from_le_bytes(*due))
    } else {
        Timestamp::EPOCH
    };
    let url = unpack_text(text, host)?;
    let key = if has(HAS_KEY) { UrlKey::from_slice(visit)? } else { key_of(&url)? };
    let [visit, attempt, throttled] = attempts;
    let origin = Origin { depth, hops, max_depth, priority, seed, sitemap };
    Some(Queued { crawl, key, url, host: host.clone(), origin, visit, attempt, throttled, due })
}

fn unpack_text(text: &[u8], host: &HostKey) -> Option<String> {
    let (kind, text) = text.split_first()?;
    match *kind {
        HTTP => Some(format!("http://{host}{}", pieces::lengthen(text))),
        HTTPS => Some(format!("https://{host}{}", pieces::lengthen(text))),
        WHOLE => Some(pieces::lengthen(text)),
        PLAIN => String::from_utf8(text.to_vec()).ok(),
        _ => None,
    }
}

/// The key that a URL has by the rules; `None` where it is no URL.
fn key_of(text: &str) -> Option<UrlKey> {
    Url::parse(text).ok().map(|url| UrlKey::of(&canonical(&url)))
}

fn push_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 128 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number: u64 = 0;
    for shift in (0..35).step_by(7) {
        let byte = take_byte(bytes)?;
        number |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return u32::try_from(number).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn queued(url: &str, host: &str) -> Queued {
        let origin = Origin::seed(ScopeKind::Host, None, Origin::PRIORITY);
        Queued {
            crawl: CrawlId(7),
            key: key_of(url).unwrap_or(UrlKey::of("none")),
            url: url.to_owned(),
            host: HostKey::from_stored(host),
            origin,
            visit: 1,
            attempt: 1,
            throttled: 0,
            due: Timestamp::EPOCH,
        }
    }

    #[test]
    fn a_url_reads_as_it_was_packed_whatever_belongs_to_it() {
        let plain = queued("http://www.example.org/a-title/of/2024.html?page=2", "www.example.org");
        let origin = Origin {
            depth: u32::MAX,
            hops: 9,
            max_depth: Some(u32::MAX),
            priority: Origin::PRIORITY,
            seed: Some(ScopeKind::Host),
            sitemap: Some(Sitemap::Listed(2)),
        };
        let (many, due) = (u32::MAX, Timestamp::from_millis(99));
        let all = Queued { origin, visit: many, attempt: many, throttled: many, due, ..plain.clone() };
        let all = Queued { key: UrlKey::of("another"), ..all };
        for url in [
            plain,
            all,
            queued("https://example.org:8080/\u{e9}", "example.org:8080"),
            queued("http://other.org/", "example.org"),
            queued("ftp://example.org/\u{20ac}", "example.org"),
        ] {
            let packed = pack_url(&url);
            let read = unpack_url(&packed, url.crawl, &url.host, url.origin.priority);
            assert_eq!(read.as_ref(), Some(&url));
            let mut marked = packed.clone();
            marked[0] += 3 * MARK;
            let read = unpack_url(&marked, url.crawl, &url.host, url.origin.priority);
            assert_eq!(read, Some(url), "the mark of the scripts is none of its length");
        }
    }

    #[test]
    fn an_outlink_takes_few_bytes_beside_its_path() {
        let url = queued("https://www.example.org/x", "www.example.org");
        let origin = Origin::seed(ScopeKind::Host, Some(20), Origin::PRIORITY).outlink();
        assert_eq!(pack_url(&Queued { origin, ..url }).len(), 4 + 1 + 2);
    }

    #[test]
    fn an_entry_that_says_it_is_huge_takes_no_memory() {
        let huge = [&[VERSION][..], &u32::MAX.to_le_bytes(), &[0; 9]].concat();
        assert!(matches!(unpack_entry(&huge), Err(Unreadable::Garbage(why)) if why.contains("longer")));
        assert!(matches!(unpack_entry(&[VERSION + 1, 0]), Err(Unreadable::Version(_))));
    }

    proptest! {
        #[test]
        fn bytes_of_a_stranger_are_refused_and_nothing_breaks(bytes: Vec<u8>) {
            let host = HostKey::from_stored("example.org");
            drop(unpack_url(&bytes, CrawlId(1), &host, 5));
            drop(unpack_entry(&bytes));
            drop(unpack_entry(&[&[VERSION, bytes.len() as u8, 0, 0, 0], &bytes[..]].concat()));
        }
    }
}
