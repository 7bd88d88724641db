//! The attribute states of the HTML tokenizer (HTML 13.2.5.32 to 13.2.5.40).

use memchr::memchr;

/// What stands next inside a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// An attribute: where its raw name and raw value are.
    Attribute { name: (usize, usize), value: (usize, usize) },
    /// The `>` of the tag, just before the position returned with this step.
    End { self_closing: bool },
    /// The bytes end inside the tag, which therefore is none.
    Eof,
}

const SPACE: u8 = 1;
const ENDS_NAME: u8 = 2;
const ENDS_VALUE: u8 = 4;

/// What each byte ends.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let spaces = *b"\t\n\x0c\r ";
    let mut at = 0;
    while at < spaces.len() {
        class[spaces[at] as usize] = SPACE | ENDS_NAME | ENDS_VALUE;
        at += 1;
    }
    class[b'/' as usize] = ENDS_NAME;
    class[b'=' as usize] = ENDS_NAME;
    class[b'>' as usize] = ENDS_NAME | ENDS_VALUE;
    class
};

fn is(byte: u8, class: u8) -> bool {
    CLASS[usize::from(byte)] & class != 0
}

/// The position of the first byte at or after `at` that is (or is not) of `class`; the end if there is none.
fn scan(bytes: &[u8], at: usize, class: u8, wanted: bool) -> usize {
    bytes[at..].iter().position(|byte| is(*byte, class) == wanted).map_or(bytes.len(), |found| at + found)
}

/// The first byte that is not white space.
pub(super) fn skip_space(bytes: &[u8], at: usize) -> usize {
    scan(bytes, at, SPACE, false)
}

/// The end of the tag name that starts at `at`: white space, `/` or `>`.
pub(super) fn name_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..]
        .iter()
        .position(|byte| is(*byte, ENDS_NAME) && *byte != b'=')
        .map_or(bytes.len(), |found| at + found)
}

/// Reads one step of a tag from `at`, behind its name or behind an earlier step. Returns it and the position behind.
pub(super) fn step(bytes: &[u8], mut at: usize) -> (Step, usize) {
    let mut slash = false;
    loop {
        at = skip_space(bytes, at);
        match bytes.get(at) {
            None => return (Step::Eof, at),
            Some(b'>') => {
                // A slash counts only if it is the very byte before.
                let self_closing = slash && bytes[at - 1] == b'/';
                return (Step::End { self_closing }, at + 1);
            }
            Some(b'/') => {
                slash = true;
                at += 1;
            }
            Some(_) => return attribute(bytes, at),
        }
    }
}

/// Reads the attribute whose name starts at `start`; an equals sign there is the first letter of its name.
fn attribute(bytes: &[u8], start: usize) -> (Step, usize) {
    let name_end = scan(bytes, start + 1, ENDS_NAME, true);
    let name = (start, name_end);
    let after = skip_space(bytes, name_end);
    if bytes.get(after) != Some(&b'=') {
        return (Step::Attribute { name, value: (name_end, name_end) }, after);
    }
    let at = skip_space(bytes, after + 1);
    match bytes.get(at) {
        None => (Step::Eof, at),
        Some(quote @ (b'"' | b'\'')) => match memchr(*quote, &bytes[at + 1..]) {
            None => (Step::Eof, bytes.len()),
            Some(len) => (Step::Attribute { name, value: (at + 1, at + 1 + len) }, at + len + 2),
        },
        Some(b'>') => (Step::Attribute { name, value: (at, at) }, at),
        Some(_) => {
            let end = scan(bytes, at, ENDS_VALUE, true);
            (Step::Attribute { name, value: (at, end) }, end)
        }
    }
}

/// The attributes of one tag, raw, in order, at most as many as the limit says; the first of equal names counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a> {
    raw: &'a str,
    at: usize,
    left: usize,
}

impl<'a> Attributes<'a> {
    /// `raw` is the tag from behind its name to its `>`, included.
    pub(super) fn new(raw: &'a str, limit: usize) -> Self {
        Self { raw, at: 0, left: limit }
    }

    /// The raw value of the attribute called `name` (lower case).
    pub(super) fn get(self, name: &str) -> Option<&'a str> {
        let mut attributes = self;
        attributes.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }
}

#[expect(clippy::copy_iterator, reason = "a cursor of three words: each reader of a tag starts its own")]
impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let (step, at) = step(self.raw.as_bytes(), self.at);
        self.at = at;
        match step {
            Step::Attribute { name, value } => Some((&self.raw[name.0..name.1], &self.raw[value.0..value.1])),
            Step::End { .. } | Step::Eof => None,
        }
    }
}
