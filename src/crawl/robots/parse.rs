//! The lines of a robots.txt file and the groups they form.

use super::rules::{Rule, Rules};
use super::signals::Signals;
use std::borrow::Cow;
use std::time::Duration;

/// Bytes of a file that are read (RFC 9309 section 2.5 wants 500 KiB at least); a line cut there is dropped.
pub const MAX_BYTES: usize = 500 * 1_024;

/// Sitemaps kept of one file.
const MAX_SITEMAPS: usize = 1_000;

/// A delay beyond this is "never" for every purpose.
const MAX_DELAY: Duration = Duration::from_secs(366 * 86_400);

/// Whether `octet` may stand in a product token.
pub(super) fn is_token_octet(octet: u8) -> bool {
    octet.is_ascii_alphabetic() || matches!(octet, b'-' | b'_')
}

/// Reads `body` for `token`; `cut` says that `body` is the front of a longer file.
pub(super) fn parse(body: &[u8], cut: bool, token: &str) -> Rules {
    let text = as_utf8(body);
    let text = whole_lines(&text, cut);
    let mut reader = Reader::new(token);
    for (number, line) in lines(text) {
        if let Some(record) = record(line) {
            reader.take(number, line, record);
        }
    }
    reader.finish()
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Agent,
    Allow,
    Disallow,
    Delay,
    Rate,
    Signal,
    Sitemap,
}

/// Every spelling that is understood: the right one and the typing errors that are common in the field.
const SPELLINGS: &[(&[u8], Key)] = &[
    (b"disallow", Key::Disallow),
    (b"allow", Key::Allow),
    (b"user-agent", Key::Agent),
    (b"useragent", Key::Agent),
    (b"user agent", Key::Agent),
    (b"sitemap", Key::Sitemap),
    (b"site-map", Key::Sitemap),
    (b"crawl-delay", Key::Delay),
    (b"crawldelay", Key::Delay),
    (b"crawl delay", Key::Delay),
    (b"request-rate", Key::Rate),
    (b"content-signal", Key::Signal),
    (b"dissallow", Key::Disallow),
    (b"dissalow", Key::Disallow),
    (b"disalow", Key::Disallow),
    (b"diasllow", Key::Disallow),
    (b"disallaw", Key::Disallow),
];

/// The key and value of a line; `None` for a line that says nothing to us.
fn record(line: &[u8]) -> Option<(Key, &[u8])> {
    let line = line.trim_ascii_start();
    let line = &line[..memchr::memchr(b'#', line).unwrap_or(line.len())];
    let (spelling, key) = SPELLINGS.iter().find(|(spelling, _)| {
        line.get(..spelling.len()).is_some_and(|key| key.eq_ignore_ascii_case(spelling))
    })?;
    let rest = &line[spelling.len()..];
    let value = rest.trim_ascii();
    if let Some(value) = value.strip_prefix(b":") {
        return Some((*key, value.trim_ascii_start()));
    }
    // The colon was forgotten: taken only where exactly one word follows, since prose looks the same otherwise.
    let separated = rest.first().is_some_and(u8::is_ascii_whitespace);
    let one_word = !value.is_empty() && !value.iter().any(u8::is_ascii_whitespace);
    (separated && one_word).then_some((*key, value))
}

/// A rule before its pattern is compiled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft<'a> {
    pub(super) number: u32,
    pub(super) line: &'a [u8],
    pub(super) allow: bool,
    pub(super) value: &'a [u8],
}

/// What the groups of one agent say, merged.
#[derive(Debug, Default)]
struct Section<'a> {
    named: bool,
    drafts: Vec<Draft<'a>>,
    delay: Option<Duration>,
    signals: Signals,
}

impl Section<'_> {
    fn slow_down(&mut self, delay: Duration) {
        self.delay = Some(self.delay.map_or(delay, |known| known.max(delay)));
    }
}

struct Reader<'a> {
    token: &'a str,
    ours: Section<'a>,
    everyone: Section<'a>,
    /// Whom the current group names.
    for_us: bool,
    for_everyone: bool,
    /// Whether the group has its first rule: the next user-agent line opens another.
    ruled: bool,
    sitemaps: Sitemaps,
}

/// The sitemaps that a file names, and how many of them were left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Sitemaps {
    pub(super) kept: Vec<String>,
    pub(super) left_out: usize,
}

impl Sitemaps {
    fn add(&mut self, value: &[u8]) {
        if value.is_empty() {
            return;
        }
        match std::str::from_utf8(value) {
            Ok(url) if url.len() <= crate::crawl::url::MAX_URL_BYTES && self.kept.len() < MAX_SITEMAPS => {
                self.kept.push(url.to_owned());
            }
            _ => self.left_out += 1,
        }
    }
}

impl<'a> Reader<'a> {
    fn new(token: &'a str) -> Self {
        Self {
            token,
            ours: Section::default(),
            everyone: Section::default(),
            for_us: false,
            for_everyone: false,
            ruled: false,
            sitemaps: Sitemaps::default(),
        }
    }

    fn take(&mut self, number: u32, line: &'a [u8], (key, value): (Key, &'a [u8])) {
        match key {
            Key::Agent => self.agent(value),
            Key::Allow | Key::Disallow => {
                self.ruled = true;
                let draft = Draft { number, line, allow: key == Key::Allow, value };
                self.sections().for_each(|section| section.drafts.push(draft));
            }
            Key::Delay => self.slow_down(delay(value)),
            Key::Rate => self.slow_down(rate(value)),
            Key::Signal => self.sections().for_each(|section| section.signals.add(value)),
            Key::Sitemap => self.sitemaps.add(value),
        }
    }

    fn agent(&mut self, value: &[u8]) {
        if self.ruled {
            self.ruled = false;
            self.for_us = false;
            self.for_everyone = false;
        }
        let end = value.iter().position(|&octet| !is_token_octet(octet)).unwrap_or(value.len());
        if value[..end].eq_ignore_ascii_case(self.token.as_bytes()) && end > 0 {
            self.for_us = true;
            self.ours.named = true;
        } else if value
            .strip_prefix(b"*")
            .is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
        {
            self.for_everyone = true;
            self.everyone.named = true;
        }
    }

    fn slow_down(&mut self, delay: Option<Duration>) {
        if let Some(delay) = delay {
            self.sections().for_each(|section| section.slow_down(delay));
        }
    }

    /// The sections that the current group adds to.
    fn sections(&mut self) -> impl Iterator<Item = &mut Section<'a>> {
        let ours = Some(&mut self.ours).filter(|_| self.for_us);
        ours.into_iter().chain(Some(&mut self.everyone).filter(|_| self.for_everyone))
    }

    fn finish(self) -> Rules {
        let (section, group) = if self.ours.named { (self.ours, self.token) } else { (self.everyone, "*") };
        let rules = section.drafts.iter().filter_map(Rule::of).collect();
        Rules::new(rules, group, section.delay, section.signals, self.sitemaps)
    }
}

/// `Crawl-delay`: seconds, a fraction allowed.
fn delay(value: &[u8]) -> Option<Duration> {
    seconds(value).map(span)
}

/// `Request-rate: requests/seconds`, the seconds with an optional unit `s`, `m` or `h`; hours of the day that may
/// follow are not looked at: the pace is kept all day.
fn rate(value: &[u8]) -> Option<Duration> {
    let value = value.split(u8::is_ascii_whitespace).next()?;
    let slash = memchr::memchr(b'/', value)?;
    let requests = seconds(&value[..slash])?;
    let period = &value[slash + 1..];
    let (period, unit) = match period.split_last()? {
        (b's' | b'S', digits) => (digits, 1.0),
        (b'm' | b'M', digits) => (digits, 60.0),
        (b'h' | b'H', digits) => (digits, 3_600.0),
        _ => (period, 1.0),
    };
    let every = seconds(period)? * unit / requests;
    every.is_finite().then(|| span(every))
}

/// A decimal number without sign, exponent or names: what people mean by a number.
fn seconds(value: &[u8]) -> Option<f64> {
    let plain = value.iter().all(|&octet| octet.is_ascii_digit() || octet == b'.');
    std::str::from_utf8(value).ok().filter(|_| plain)?.parse().ok()
}

fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(MAX_DELAY).min(MAX_DELAY)
}

/// The file as UTF-8 without its byte order mark, of which one or two bytes may be lost; UTF-16 by its mark.
fn as_utf8(body: &[u8]) -> Cow<'_, [u8]> {
    let utf16 = match body {
        [0xFF, 0xFE, ..] => encoding_rs::UTF_16LE,
        [0xFE, 0xFF, ..] => encoding_rs::UTF_16BE,
        _ => {
            let marks: [&[u8]; 3] = [b"\xEF\xBB\xBF", b"\xEF\xBB", b"\xEF"];
            let rest = marks.iter().find_map(|mark| body.strip_prefix(*mark));
            return Cow::Borrowed(rest.unwrap_or(body));
        }
    };
    let units = &body[2..body.len().min(2 * MAX_BYTES + 4)];
    Cow::Owned(utf16.decode_without_bom_handling(units).0.into_owned().into_bytes())
}

/// The text within [`MAX_BYTES`], without a last line that is cut.
fn whole_lines(text: &[u8], cut: bool) -> &[u8] {
    let (text, cut) = match text.get(..=MAX_BYTES) {
        // The octet behind the limit may be the end of the last line.
        Some(front) => (front, true),
        None => (text, cut),
    };
    if !cut {
        return text;
    }
    &text[..memchr::memrchr2(b'\n', b'\r', text).unwrap_or(0)]
}

/// Lines with their numbers from 1; CR, LF and CRLF end one, and a control octet ends what it says.
fn lines(text: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = text;
    let mut number = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        let ended = if rest[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
        rest = rest.get(ended..).unwrap_or_default();
        number += 1;
        let said = line.iter().position(|&octet| octet.is_ascii_control() && octet != b'\t');
        Some((number, &line[..said.unwrap_or(line.len())]))
    })
}
