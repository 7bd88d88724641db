//! A source file as the laws read it: the code without comments, texts and tests.

use std::path::Path;

/// One file.
#[derive(Debug)]
pub(super) struct Source {
    /// From the root of the project.
    pub(super) path: String,
    /// As it is.
    pub(super) text: String,
    /// The same lines, with comments and the contents of texts blanked.
    pub(super) code: String,
    /// The same, with test modules blanked; nothing where the whole file is a test.
    pub(super) product: String,
}

impl Source {
    pub(super) fn new(path: &str, text: String) -> Self {
        let code = if is_a(path, "rs") { blanked(&text) } else { String::new() };
        let is_test = path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs");
        let product = if is_test { String::new() } else { without_tests(&code) };
        Self { path: path.to_owned(), text, code, product }
    }

    /// The module of the crate that the file belongs to: `store` for `src/store/sqlite/rows.rs`.
    pub(super) fn module(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        Some(below.split('/').next()?.trim_end_matches(".rs"))
    }
}

/// Whether the path is that of a file of this kind.
pub(super) fn is_a(path: &str, kind: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == kind)
}

/// The number of the line at a byte of the text, from 1.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where `word` stands in the code, on its own where it begins or ends like a name.
pub(super) fn places<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = code[..*at].chars().next_back().is_some_and(is_name);
        let after = code[at + word.len()..].chars().next().is_some_and(is_name);
        let (begins, ends) = (word.starts_with(is_name), word.ends_with(is_name));
        !(before && begins || after && ends)
    })
}

/// The end of the block whose `{` comes next after `from`: the byte behind its `}`.
pub(super) fn end_of_block(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Blanks every block behind `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    for at in places(code, "#[cfg(test)]") {
        let from = at + "#[cfg(test)]".len();
        if let Some(end) = end_of_block(code, from) {
            let blank: String = code[at..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            // Blanks are bytes: texts are blanked already, so what is left of other alphabets is in names only.
            if blank.len() == end - at {
                out.replace_range(at..end, &blank);
            }
        }
    }
    out
}

/// Blanks comments and the contents of texts and characters, byte by byte, so that every place stays where it is.
fn blanked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            at + comment(rest)
        } else if let Some(length) = raw_text(bytes, at) {
            at + length
        } else if rest[0] == b'"' {
            at + quoted(rest, b'"')
        } else if rest[0] == b'\'' && is_character(rest) {
            at + quoted(rest, b'\'')
        } else {
            at += 1;
            continue;
        };
        let end = end.min(bytes.len());
        out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end;
    }
    // Bytes of one character are blanked together or not at all, but for those in names: none of ours has any.
    String::from_utf8_lossy(&out).into_owned()
}

fn comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a raw text that begins here: `r"..."`, `br#"..."#`.
fn raw_text(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let starts = rest.starts_with(b"r\"") || rest.starts_with(b"r#") || rest.starts_with(b"br");
    if !starts || (at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')) {
        return None;
    }
    let from = usize::from(rest[0] == b'b') + 1;
    let marks = rest[from..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(from + marks) != Some(&b'"') {
        return None;
    }
    let closing = [b"\"".as_slice(), &b"#".repeat(marks)].concat();
    let begin = from + marks + 1;
    let length = rest[begin..].windows(closing.len()).position(|window| window == closing)?;
    Some(begin + length + closing.len())
}

fn quoted(rest: &[u8], mark: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != mark {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Whether this quote begins a character and not a lifetime.
fn is_character(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'\\') => true,
        Some(first) if first.is_ascii() => rest.get(2) == Some(&b'\''),
        _ => true,
    }
}
