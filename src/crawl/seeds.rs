//! The seed list: one URL a line, and what a seed argument stands for.
//!
//! ```text
//! # a comment
//! https://example.org/            # another one
//! https://example.net/docs/  depth=2 scope=prefix priority=9
//! ```

use crate::crawl::scope::ScopeKind;
use crate::crawl::url::{Unfetchable, UrlKey, canonical, parse};
use std::collections::HashSet;
use std::path::PathBuf;
use url::Url;

/// Most bytes of a seed list.
pub const MAX_LIST_BYTES: u64 = 1 << 30;
/// Most bytes of one line.
pub const MAX_LINE_BYTES: usize = 8 << 10;
/// Most problems kept with their text; further ones are only counted.
pub const MAX_PROBLEMS: usize = 1_000;
/// The priority of a seed that names none; 9 is visited first, 0 last.
pub const DEFAULT_PRIORITY: u8 = 5;

const CUT: usize = 80;
const KEYS: [&str; 3] = ["depth", "scope", "priority"];

/// A URL given by the operator, with what its line said beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// What to fetch.
    pub url: Url,
    /// The URL as it was written.
    pub original: String,
    /// Most hops from this seed, where it differs from the crawl's.
    pub depth: Option<u32>,
    /// What this seed opens, where it differs from the crawl's.
    pub scope: Option<ScopeKind>,
    /// 0 to 9, higher is sooner.
    pub priority: Option<u8>,
    /// The line it stands on, from 1; 0 for one from the command line.
    pub line: u64,
}

/// A line that is no seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: u64,
    /// What stands there, control characters escaped, cut after 80 characters.
    pub text: String,
    /// What is wrong with it, with a hint where there is one.
    pub reason: String,
}

/// What a seed list held beside its seeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Seeds, each canonical URL once.
    pub seeds: u64,
    /// Lines whose URL stood further up.
    pub duplicates: u64,
    /// Lines that are no seed.
    pub bad_lines: u64,
    /// The first [`MAX_PROBLEMS`] of them.
    pub problems: Vec<Problem>,
}

/// A whole seed list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeedList {
    /// The seeds in the order of their lines.
    pub seeds: Vec<Seed>,
    /// Duplicates and problems.
    pub tally: Tally,
}

/// Why a document as a whole is no seed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotASeedList {
    /// It holds NUL bytes, or hardly a line of it is UTF-8.
    #[error("a binary file, not a list of URLs")]
    Binary,
    /// It starts with the byte order mark of UTF-16.
    #[error("UTF-16 text; save it as UTF-8")]
    Utf16,
    /// It is longer than [`MAX_LIST_BYTES`].
    #[error("longer than 1 GiB; split it")]
    TooLong,
}

impl SeedList {
    /// Parses a whole document.
    pub fn parse(document: &[u8]) -> Result<Self, NotASeedList> {
        let mut parser = SeedParser::default();
        let mut seeds = parser.feed(document)?;
        let (last, tally) = parser.finish()?;
        seeds.extend(last);
        Ok(Self { seeds, tally })
    }
}

/// Parses a seed list piece by piece, so that a list of any length is read in constant memory but for 8 bytes a
/// seed that find duplicates.
#[derive(Debug, Default)]
pub struct SeedParser {
    line: Vec<u8>,
    /// The line in hand is longer than the cap; what is kept is its front.
    overlong: bool,
    after_cr: bool,
    bytes: u64,
    lines: u64,
    filled_lines: u64,
    not_utf8: u64,
    seen: HashSet<u64>,
    tally: Tally,
}

impl SeedParser {
    /// Takes the next piece of the document and returns the seeds of the lines that ended in it.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Vec<Seed>, NotASeedList> {
        if self.bytes == 0 && (piece.starts_with(b"\xff\xfe") || piece.starts_with(b"\xfe\xff")) {
            return Err(NotASeedList::Utf16);
        }
        self.bytes += piece.len() as u64;
        if self.bytes > MAX_LIST_BYTES {
            return Err(NotASeedList::TooLong);
        }
        if memchr::memchr(0, piece).is_some() {
            return Err(NotASeedList::Binary);
        }
        let mut seeds = Vec::new();
        let mut rest = piece;
        if self.after_cr && rest.first() == Some(&b'\n') {
            rest = &rest[1..];
        }
        self.after_cr &= rest.is_empty() && piece.is_empty();
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            self.extend_line(&rest[..end]);
            let after = &rest[end + 1..];
            let cr = rest[end] == b'\r';
            rest = if cr { after.strip_prefix(b"\n").unwrap_or(after) } else { after };
            self.after_cr = cr && after.is_empty();
            seeds.extend(self.end_line());
            if self.lines.is_multiple_of(1_000) {
                self.check_text()?;
            }
        }
        self.extend_line(rest);
        Ok(seeds)
    }

    /// Ends the document: the seed of a last line without line end, and the tally.
    pub fn finish(mut self) -> Result<(Option<Seed>, Tally), NotASeedList> {
        let last = if self.line.is_empty() { None } else { self.end_line() };
        self.check_text()?;
        Ok((last, self.tally))
    }

    fn extend_line(&mut self, bytes: &[u8]) {
        let room = (MAX_LINE_BYTES - self.line.len()).min(bytes.len());
        self.line.extend_from_slice(&bytes[..room]);
        self.overlong |= room < bytes.len();
    }

    fn end_line(&mut self) -> Option<Seed> {
        self.lines += 1;
        let bytes = std::mem::take(&mut self.line);
        let overlong = std::mem::take(&mut self.overlong);
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").filter(|_| self.lines == 1).unwrap_or(&bytes);
        let seed = match std::str::from_utf8(bytes) {
            _ if overlong => Err(format!("line longer than {MAX_LINE_BYTES} bytes")),
            Ok(text) => parse_line(text, self.lines),
            Err(_) => {
                self.not_utf8 += 1;
                Err("not UTF-8".to_owned())
            }
        };
        let text = String::from_utf8_lossy(bytes);
        self.filled_lines += u64::from(!text.trim().is_empty());
        match seed {
            Ok(Some(seed)) => return self.keep_new(seed),
            Ok(None) => {}
            Err(reason) => {
                self.tally.bad_lines += 1;
                if self.tally.problems.len() < MAX_PROBLEMS {
                    self.tally.problems.push(Problem { line: self.lines, text: cut(&text), reason });
                }
            }
        }
        None
    }

    fn keep_new(&mut self, seed: Seed) -> Option<Seed> {
        if self.seen.insert(UrlKey::of(&canonical(&seed.url)).fingerprint()) {
            self.tally.seeds += 1;
            Some(seed)
        } else {
            self.tally.duplicates += 1;
            None
        }
    }

    /// More than half of the lines not UTF-8: no text at all.
    fn check_text(&self) -> Result<(), NotASeedList> {
        if self.not_utf8 * 2 > self.filled_lines { Err(NotASeedList::Binary) } else { Ok(()) }
    }
}

fn parse_line(text: &str, line: u64) -> Result<Option<Seed>, String> {
    let mut words = text.split_whitespace().take_while(|word| !word.starts_with('#'));
    let Some(original) = words.next() else { return Ok(None) };
    let url = parse_url(original)?;
    let mut seed =
        Seed { url, original: original.to_owned(), depth: None, scope: None, priority: None, line };
    for word in words {
        set(&mut seed, word)?;
    }
    Ok(Some(seed))
}

fn set(seed: &mut Seed, word: &str) -> Result<(), String> {
    let Some((key, value)) = word.split_once('=') else {
        return Err(format!("unexpected {:?} after the URL; a space inside a URL is written %20", cut(word)));
    };
    match key {
        "depth" => {
            seed.depth = Some(value.parse().map_err(|_| format!("depth={} is not a number", cut(value)))?);
        }
        "scope" => seed.scope = Some(value.parse().map_err(|why| format!("scope={}: {why}", cut(value)))?),
        "priority" => match value.parse() {
            Ok(priority @ 0..=9) => seed.priority = Some(priority),
            _ => return Err(format!("priority={} is not 0 to 9 (9 is visited first)", cut(value))),
        },
        _ => return Err(format!("unknown key {:?}; known are {}", cut(key), KEYS.join(", "))),
    }
    Ok(())
}

/// Parses a URL that a person wrote, and says what was probably meant where it is none.
pub fn parse_url(text: &str) -> Result<Url, String> {
    let why = match parse(text) {
        Ok(url) => return Ok(url),
        Err(why) => why,
    };
    if let Unfetchable::Scheme(scheme) = &why {
        if scheme == "file" {
            return Err("file: URLs are not fetched; only http and https are".to_owned());
        }
        // `localhost:8080/x` parses as a URL of scheme `localhost`.
        if text.contains("://") || !looks_like_host(text) {
            return Err(why.to_string());
        }
    }
    if looks_like_host(text)
        && let Ok(meant) = parse(&format!("https://{text}"))
    {
        return Err(format!("not a URL; did you mean {meant}?"));
    }
    Err(why.to_string())
}

/// Whether `text` could be a URL whose scheme was left out.
fn looks_like_host(text: &str) -> bool {
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let known = || psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known());
    host == "localhost"
        || host.parse::<std::net::Ipv4Addr>().is_ok()
        || (host.contains('.') && !host.starts_with('.') && known())
}

/// What an argument of `huntsman crawl` stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeedArgument {
    /// The seed itself.
    Url(Url),
    /// A file with a seed list.
    File(PathBuf),
    /// A seed list on standard input: `-`.
    Stdin,
}

impl SeedArgument {
    /// Reads `text`: a URL if it is one with http or https, else an existing file, else a mistake that is explained.
    /// `exists` says whether a file of that name exists.
    pub fn parse(text: &str, exists: bool) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        match parse_url(text) {
            Ok(url) => Ok(Self::Url(url)),
            Err(_) if exists => Ok(Self::File(text.into())),
            Err(why) if text.starts_with("file:") => {
                Err(format!("{why}; for a seed list give its path without file:"))
            }
            Err(why) if text.contains("://") || looks_like_host(text) => Err(why),
            Err(_) => Err("neither a URL (http:// or https://) nor a file that exists".to_owned()),
        }
    }
}

/// `text` with control characters escaped and cut to a length that fits a message.
fn cut(text: &str) -> String {
    let text = text.trim();
    let mut out: String = text.chars().take(CUT).flat_map(visible).collect();
    if text.chars().nth(CUT).is_some() {
        out.push_str("...");
    }
    out
}

fn visible(c: char) -> impl Iterator<Item = char> {
    let plain = matches!(c, '"' | '\'' | '\\');
    plain.then_some(c).into_iter().chain((!plain).then(|| c.escape_debug()).into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(document: &[u8]) -> SeedList {
        SeedList::parse(document).unwrap()
    }

    fn urls(list: &SeedList) -> Vec<&str> {
        list.seeds.iter().map(|seed| seed.url.as_str()).collect()
    }

    #[test]
    fn a_list_of_every_legal_line() {
        let document = b"\xef\xbb\xbf# seeds\r\nhttps://a.test\r\n\r\n  https://b.test/x#frag  # why\rhttp://c.test/ depth=2\tscope=prefix priority=9 # all\nhttps://a.test/#again\nhttp://d.test/last";
        let list = list(document);
        assert_eq!(
            urls(&list),
            ["https://a.test/", "https://b.test/x", "http://c.test/", "http://d.test/last"]
        );
        assert_eq!(list.seeds.iter().map(|seed| seed.line).collect::<Vec<_>>(), [2, 4, 5, 7]);
        assert_eq!(list.seeds[1].original, "https://b.test/x#frag");
        let third = &list.seeds[2];
        assert_eq!((third.depth, third.scope, third.priority), (Some(2), Some(ScopeKind::Prefix), Some(9)));
        assert_eq!(list.tally, Tally { seeds: 4, duplicates: 1, ..Tally::default() });
    }

    #[test]
    fn a_bad_line_is_named_and_the_good_ones_are_kept() {
        let check = |line: &str, reason: &str| {
            let list = list(format!("http://good.test/\n{line}\nhttp://fine.test/\n").as_bytes());
            assert_eq!(list.seeds.len(), 2, "{line}");
            assert_eq!(list.tally.problems.len(), 1, "{line}");
            assert_eq!(list.tally.problems[0].line, 2);
            assert_eq!(list.tally.problems[0].reason, reason, "{line}");
        };
        check("example.org", "not a URL; did you mean https://example.org/?");
        check("localhost:8080/x", "not a URL; did you mean https://localhost:8080/x?");
        check("file:///etc/passwd", "file: URLs are not fetched; only http and https are");
        check("ftp://h.test/", r#"scheme "ftp" is not http or https"#);
        check("hello", "not a URL: relative URL without a base");
        check("http://h.test/a b", r#"unexpected "b" after the URL; a space inside a URL is written %20"#);
        check("http://h.test/ depth=x", "depth=x is not a number");
        check("http://h.test/ deep=1", r#"unknown key "deep"; known are depth, scope, priority"#);
        check("http://h.test/ scope=all", "scope=all: scope is one of page, prefix, host, domain, any");
        check("http://h.test/ priority=10", "priority=10 is not 0 to 9 (9 is visited first)");
        check(&format!("http://h.test/{}", "a".repeat(MAX_LINE_BYTES)), "line longer than 8192 bytes");
    }

    #[test]
    fn the_text_of_a_problem_shows_no_control_character_and_is_cut() {
        let list = list("http://a.test/\n\x1b[31m\u{202e}\u{200b}bad\n".as_bytes());
        assert_eq!(list.tally.problems[0].text, r"\u{1b}[31m\u{202e}\u{200b}bad");
        assert_eq!(cut(&"x".repeat(100)), format!("{}...", "x".repeat(80)));
    }

    #[test]
    fn a_binary_file_is_one_error() {
        assert_eq!(SeedList::parse(b"\x7fELF\0\0\0http://a.test/\n"), Err(NotASeedList::Binary));
        assert_eq!(SeedList::parse(b"\x89PNG\n\xff\xd8\n\xc3\x28\n"), Err(NotASeedList::Binary));
        assert_eq!(SeedList::parse(b"\xff\xfeh\0t\0"), Err(NotASeedList::Utf16));
        let latin1 = list(b"http://a.test/\nhttp://b.test/caf\xe9\nhttp://c.test/\n");
        assert_eq!(latin1.seeds.len(), 2);
        assert_eq!(latin1.tally.problems[0].reason, "not UTF-8");
    }

    #[test]
    fn pieces_of_any_size_read_the_same() {
        let document = b"\xef\xbb\xbfhttp://a.test/\r\nbad\r\rhttp://b.test/\n\nhttp://c.test/ depth=1\r\n";
        let whole = list(document);
        assert_eq!(whole.seeds.len(), 3);
        for size in 1..document.len() {
            let mut parser = SeedParser::default();
            let mut seeds = Vec::new();
            for piece in document.chunks(size) {
                seeds.extend(parser.feed(piece).unwrap());
            }
            let (last, tally) = parser.finish().unwrap();
            seeds.extend(last);
            assert_eq!(SeedList { seeds, tally }, whole, "pieces of {size}");
        }
    }

    #[test]
    fn problems_are_bounded() {
        let list = list("bad\n".repeat(5_000).as_bytes());
        assert_eq!((list.tally.bad_lines, list.tally.problems.len()), (5_000, MAX_PROBLEMS));
    }

    #[test]
    fn seed_arguments() {
        let url = SeedArgument::Url(Url::parse("http://h.test/").unwrap());
        assert_eq!(SeedArgument::parse("http://h.test", true), Ok(url));
        assert_eq!(SeedArgument::parse("-", false), Ok(SeedArgument::Stdin));
        assert_eq!(SeedArgument::parse("example.org", true), Ok(SeedArgument::File("example.org".into())));
        let check = |text, hint| assert_eq!(SeedArgument::parse(text, false), Err(String::from(hint)));
        check("example.org", "not a URL; did you mean https://example.org/?");
        check("seeds.txt", "neither a URL (http:// or https://) nor a file that exists");
        check(
            "file:///tmp/seeds.txt",
            "file: URLs are not fetched; only http and https are; for a seed list give its path without file:",
        );
        check("gopher://h.test/", r#"scheme "gopher" is not http or https"#);
    }
}
