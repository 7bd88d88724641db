//! The HTML tokenizer: a document as tags and runs of text, each a slice of it, nothing copied.
//!
//! It follows HTML 13.2.5, with the feedback a tree parser would give: which elements hold raw text and where
//! content is foreign. It is linear in the document whatever that holds, and needs no memory but the open elements of
//! a drawing. `<noscript>` is read as markup, since the crawl runs no scripts. The tests hold it to `html5ever`.

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter};

use super::foreign::{Foreign, Namespace};
use super::names::Name;
use super::tags::{Attributes, Step, name_end, step};

/// A piece of a document. Comments and the doctype are left out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    /// Text between tags, raw: character references are not resolved yet.
    Text(&'a str),
    /// Text of a CDATA section: there are no references in it.
    Literal(&'a str),
    /// The whole text of an element that holds no markup, such as a title or a script. It is raw.
    Raw(&'a str),
    /// A start tag.
    Start(Start<'a>),
    /// An end tag.
    End(Name),
}

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) name: Name,
    pub(super) namespace: Namespace,
    pub(super) attributes: Attributes<'a>,
    /// The attributes it has, those beyond the limit too.
    pub(super) attributes_total: usize,
    /// It ends in `/>`, which means something in foreign content only.
    pub(super) self_closing: bool,
}

/// How the text that follows a start tag ends.
#[derive(Debug, Clone, Copy)]
enum RawText<'a> {
    /// At the end tag of the given name.
    Until(&'a str),
    /// As `Until("script")`, but not inside what looks like a script in a comment.
    Script,
    /// Never.
    Plain,
}

/// What a tag scan found.
enum Found<'a> {
    Token(Token<'a>),
    Nothing,
    End,
}

/// The tokens of a document, in order.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    raw: Option<RawText<'a>>,
    foreign: Foreign,
    attribute_limit: usize,
    /// Read as XML where that matters for a crawl: `<script/>` is empty, and CDATA sections stand anywhere.
    xml: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str, attribute_limit: usize, xml: bool) -> Self {
        Self { text, at: 0, raw: None, foreign: Foreign::default(), attribute_limit, xml }
    }

    /// Whether what comes next is inside a drawing or formula.
    pub(super) fn is_inside_foreign(&self) -> bool {
        self.foreign.is_inside()
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// Reads the text of a raw element up to its end tag, which is read next.
    fn raw_text(&mut self, raw: RawText<'a>) -> &'a str {
        let start = self.at;
        self.at = match raw {
            RawText::Until(name) => end_tag_of(self.bytes(), start, name.as_bytes()),
            RawText::Script => end_of_script(self.bytes(), start),
            RawText::Plain => self.text.len(),
        };
        &self.text[start..self.at]
    }

    /// Reads the markup at `self.at`, where a `<` stands.
    fn markup(&mut self) -> Option<Found<'a>> {
        let bytes = self.bytes();
        let at = self.at;
        match *bytes.get(at + 1)? {
            byte if byte.is_ascii_alphabetic() => Some(self.start_tag()),
            b'!' => Some(self.declaration()),
            b'?' => Some(self.skip_to_gt(at + 2)),
            b'/' => match *bytes.get(at + 2)? {
                byte if byte.is_ascii_alphabetic() => Some(self.end_tag()),
                _ => Some(self.skip_to_gt(at + 2)),
            },
            _ => None,
        }
    }

    /// Skips a bogus comment or doctype that goes on at `from`.
    fn skip_to_gt(&mut self, from: usize) -> Found<'a> {
        self.at = memchr(b'>', &self.bytes()[from..]).map_or(self.text.len(), |len| from + len + 1);
        Found::Nothing
    }

    fn declaration(&mut self) -> Found<'a> {
        let from = self.at + 2;
        let rest = &self.bytes()[from..];
        if rest.starts_with(b"--") {
            self.at = end_of_comment(self.bytes(), from + 2);
            return Found::Nothing;
        }
        if rest.starts_with(b"[CDATA[") && (self.xml || self.foreign.is_foreign()) {
            let start = from + 7;
            let len = Finder::new("]]>").find(&self.bytes()[start..]);
            let end = len.map_or(self.text.len(), |len| start + len);
            self.at = len.map_or(end, |_| end + 3);
            return Found::Token(Token::Literal(&self.text[start..end]));
        }
        self.skip_to_gt(from)
    }

    /// Walks the attributes from `at` to the end of the tag: how many there are, whether it closes itself, and the
    /// position behind. `None` if the document ends before.
    fn tag_end(&self, mut at: usize) -> Option<(usize, bool, usize)> {
        let mut attributes = 0;
        loop {
            let (step, next) = step(self.bytes(), at);
            at = next;
            match step {
                Step::Attribute { .. } => attributes += 1,
                Step::End { self_closing } => return Some((attributes, self_closing, at)),
                Step::Eof => return None,
            }
        }
    }

    fn start_tag(&mut self) -> Found<'a> {
        let name_start = self.at + 1;
        let name_end = name_end(self.bytes(), name_start);
        let name = Name::of(&self.bytes()[name_start..name_end]);
        let Some((attributes_total, self_closing, end)) = self.tag_end(name_end) else {
            self.at = self.text.len();
            return Found::End;
        };
        self.at = end;
        let attributes = Attributes::new(&self.text[name_end..end], self.attribute_limit);
        let is_foreign = self.foreign.is_inside() || matches!(name, Name::SVG | Name::MATH);
        let namespace =
            if is_foreign { self.foreign.start(name, attributes, self_closing) } else { Namespace::Html };
        if namespace == Namespace::Html && !(self.xml && self_closing) {
            self.raw = raw_text_of(name, &self.text[name_start..name_end]);
        }
        Found::Token(Token::Start(Start { name, namespace, attributes, attributes_total, self_closing }))
    }

    fn end_tag(&mut self) -> Found<'a> {
        let name_start = self.at + 2;
        let name_end = name_end(self.bytes(), name_start);
        let name = Name::of(&self.bytes()[name_start..name_end]);
        let Some((_, _, end)) = self.tag_end(name_end) else {
            self.at = self.text.len();
            return Found::End;
        };
        self.at = end;
        self.foreign.end(name);
        Found::Token(Token::End(name))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(raw) = self.raw.take() {
            let text = self.raw_text(raw);
            if !text.is_empty() {
                return Some(Token::Raw(text));
            }
        }
        while self.at < self.text.len() {
            let start = self.at;
            // A `<` that begins no markup is text: look on for the next.
            let mut from = start;
            loop {
                let Some(len) = memchr(b'<', &self.bytes()[from..]) else {
                    self.at = self.text.len();
                    return Some(Token::Text(&self.text[start..]));
                };
                self.at = from + len;
                if self.at > start && is_markup(self.bytes(), self.at) {
                    return Some(Token::Text(&self.text[start..self.at]));
                }
                match self.markup() {
                    Some(Found::Token(token)) => return Some(token),
                    Some(Found::End) => return None,
                    Some(Found::Nothing) => break,
                    None => from = self.at + 1,
                }
            }
        }
        None
    }
}

/// Whether the `<` at `at` begins markup.
fn is_markup(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at + 1) {
        Some(b'!' | b'?') => true,
        Some(b'/') => bytes.len() > at + 2,
        Some(byte) => byte.is_ascii_alphabetic(),
        None => false,
    }
}

/// The elements of HTML whose content is not markup.
fn raw_text_of(name: Name, text: &str) -> Option<RawText<'_>> {
    match name {
        Name::SCRIPT => Some(RawText::Script),
        Name::TITLE
        | Name::TEXTAREA
        | Name::STYLE
        | Name::XMP
        | Name::IFRAME
        | Name::NOEMBED
        | Name::NOFRAMES => Some(RawText::Until(text)),
        Name::PLAINTEXT => Some(RawText::Plain),
        _ => None,
    }
}

/// Whether `name` stands at `at`, in any case, with white space, `/` or `>` behind.
fn is_tag_name(bytes: &[u8], at: usize, name: &[u8]) -> bool {
    bytes.get(at..at + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name))
        && matches!(bytes.get(at + name.len()), Some(b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>'))
}

/// Where the end tag `</name` stands at or after `from`; the end if nowhere.
fn end_tag_of(bytes: &[u8], from: usize, name: &[u8]) -> usize {
    memchr_iter(b'<', &bytes[from..])
        .map(|found| from + found)
        .find(|at| bytes.get(at + 1) == Some(&b'/') && is_tag_name(bytes, at + 2, name))
        .unwrap_or(bytes.len())
}

/// Where the comment whose text starts at `text` ends: behind `-->` or `--!>`. `<!-->` and `<!--->` are whole.
fn end_of_comment(bytes: &[u8], text: usize) -> usize {
    for found in memchr_iter(b'>', &bytes[text..]) {
        let before = &bytes[text - 2..text + found];
        if before.ends_with(b"--") || (found >= 3 && before.ends_with(b"--!")) {
            return text + found + 1;
        }
    }
    bytes.len()
}

/// Where the end tag of a script stands, whose text starts at `from` (HTML 13.2.5.4 and 13.2.5.15 to 13.2.5.31):
/// `<!--` with a `<script` behind it hides end tags until a `-->`.
fn end_of_script(bytes: &[u8], from: usize) -> usize {
    #[derive(PartialEq)]
    enum State {
        Plain,
        Escaped,
        DoublyEscaped,
    }

    let mut state = State::Plain;
    let mut at = from;
    while let Some(found) = memchr::memchr2(b'<', b'>', &bytes[at..]) {
        at += found;
        let rest = &bytes[at..];
        if rest[0] == b'>' {
            if state != State::Plain && bytes[from..at].ends_with(b"--") {
                state = State::Plain;
            }
        } else if state == State::Plain && rest.starts_with(b"<!--") {
            state = State::Escaped;
            // Its two dashes may be those of a `-->`.
            at += 3;
        } else if rest.starts_with(b"</") && is_tag_name(bytes, at + 2, b"script") {
            if state != State::DoublyEscaped {
                return at;
            }
            state = State::Escaped;
        } else if state == State::Escaped && is_tag_name(bytes, at + 1, b"script") {
            state = State::DoublyEscaped;
        }
        at += 1;
    }
    bytes.len()
}
