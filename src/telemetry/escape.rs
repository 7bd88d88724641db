//! Text from the web made safe for a terminal.
//!
//! A title may hold escape sequences that recolour, retitle or answer for the terminal, and marks that turn the
//! reading order around. What has no visible shape of its own is shown as an escape.

use std::borrow::Cow;
use std::fmt::Write;
use unicode_width::UnicodeWidthChar;

/// Most characters for one column: a letter under a tower of combining marks has width 1.
const CHARS_PER_COLUMN: usize = 4;

/// `text` with everything invisible or active as a visible escape: `\n`, `\t`, `\r`, `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_hidden) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        push(&mut out, c);
    }
    Cow::Owned(out)
}

/// A JSON value with everything that a terminal would obey as an escape: those of JSON itself cover ASCII only.
pub fn json(value: &serde_json::Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// `bytes` as [`visible`] text, each byte that is not UTF-8 as `\xNN`.
pub fn visible_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&visible(chunk.valid()));
        for byte in chunk.invalid() {
            _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// [`visible`] text cut to `width` columns; `...` stands for what was cut.
pub fn fit(text: &str, width: usize) -> String {
    const MARK: &str = "...";
    let mut out = String::new();
    let (mut used, mut chars, mut fits) = (0, 0, 0);
    for c in text.chars() {
        let before = out.len();
        push(&mut out, c);
        used += columns(&out[before..]);
        chars += 1;
        if used > width || chars > width.max(1) * CHARS_PER_COLUMN {
            out.truncate(fits);
            out.push_str(&MARK[..MARK.len().min(width)]);
            return out;
        }
        if used + MARK.len() <= width {
            fits = out.len();
        }
    }
    out
}

/// The columns that `text` takes on a terminal.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

fn push(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_hidden(c) => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
        c => out.push(c),
    }
}

/// Whether `c` is a control, a mark of reading order, or takes no room while it means something.
pub fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\0'..='\x1f'
            | '\x7f'..='\u{9f}'                      // DEL and C1
            | '\u{ad}' | '\u{34f}' | '\u{61c}'       // soft hyphen, grapheme joiner, Arabic letter mark
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}' // fillers
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'                // zero width, left and right marks
            | '\u{2028}'..='\u{202e}'                // line and paragraph separators, bidi embeddings and overrides
            | '\u{2060}'..='\u{206f}'                // word joiner, bidi isolates, deprecated formats
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e000}'..='\u{f8ff}'                // private use: terminals draw anything
            | '\u{e0000}'..='\u{10ffff}'             // tags, variation selectors, private planes
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_and_not_obeyed() {
        for (text, shown) in [
            ("plain \u{e9}\u{4e2d}\u{1f600}", "plain \u{e9}\u{4e2d}\u{1f600}"),
            ("\x1b]0;owned\x07", r"\u{1b}]0;owned\u{7}"),
            ("\x1b[2J\x1b[31mred", r"\u{1b}[2J\u{1b}[31mred"),
            ("a\u{9b}31mb", r"a\u{9b}31mb"),
            ("line\r\noverwritten\t\x08", r"line\r\noverwritten\t\u{8}"),
            ("gpj.\u{202e}exe", r"gpj.\u{202e}exe"),
            ("\u{2067}rtl\u{2069}", r"\u{2067}rtl\u{2069}"),
            ("pay\u{200b}pal\u{feff}", r"pay\u{200b}pal\u{feff}"),
            ("\u{e0041}tag", r"\u{e0041}tag"),
            ("\u{2028}", r"\u{2028}"),
        ] {
            assert_eq!(visible(text), shown);
            assert!(!visible(text).contains(is_hidden));
        }
        assert_eq!(visible_bytes(b"ok\xff\x1b\xc3\x28"), r"ok\xff\u{1b}\xc3(");
    }

    #[test]
    fn text_is_cut_to_its_width_with_wide_and_combining_characters() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdefg", 6), "abc...");
        assert_eq!(fit("\u{4e2d}\u{6587}\u{5b57}\u{7b26}", 7), "\u{4e2d}\u{6587}...");
        assert_eq!(fit("\x1b\x1b", 6), "...", "an escape is not cut in half");
        assert_eq!(fit("abc", 2), "..");
        assert_eq!(fit("abc", 0), "");
        let tower = format!("a{}", "\u{301}".repeat(10_000));
        assert!(fit(&tower, 10).chars().count() <= 43);
    }

    proptest::proptest! {
        #[test]
        fn nothing_hidden_passes_and_nothing_is_wider(text in ".{0,60}", width in 0_usize..40) {
            proptest::prop_assert!(!visible(&text).contains(is_hidden));
            let cut = fit(&text, width);
            proptest::prop_assert!(columns(&cut) <= width && !cut.contains(is_hidden));
        }
    }
}
