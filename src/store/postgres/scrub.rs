//! Text that Postgres cannot hold, made into text that it can: the one place where that happens.
//!
//! A text column takes no NUL, and a JSON value may be written with escapes (`\u0000`, half of a surrogate pair) that
//! fail only when somebody reads the value. Each of them becomes U+FFFD, as in a browser. Text that is no UTF-8 does not
//! come here: the type of a text rules it out, lone surrogates included.

use std::borrow::Cow;

const REPLACEMENT: &str = "\u{fffd}";
const REPLACEMENT_ESCAPE: &str = "\\ufffd";

/// A text as a column can hold it.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if memchr::memchr(0, text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('\0', REPLACEMENT))
}

/// A text or NULL.
pub(super) fn maybe(value: Option<&str>) -> Option<Cow<'_, str>> {
    value.map(text)
}

/// A JSON value whose every text can be read in SQL.
pub(super) fn json(value: &str) -> Cow<'_, str> {
    let suspect =
        |at: usize| matches!(value.as_bytes().get(at + 1..at + 4), Some([b'u', b'0' | b'd' | b'D', _]));
    if !memchr::memchr_iter(b'\\', value.as_bytes()).any(suspect) {
        return Cow::Borrowed(value);
    }
    let mut clean = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        let (kept, len) = escape_kept(escape);
        clean.push_str(kept);
        rest = &escape[len..];
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// What becomes of the escape at the front of `text`, and how many bytes of it are read.
fn escape_kept(text: &str) -> (&str, usize) {
    let Some(unit) = code_unit(text) else {
        // A short escape: a backslash and one ASCII character.
        let len = text.len().min(2);
        return text.get(..len).map_or((text, text.len()), |escape| (escape, len));
    };
    match unit {
        0 | 0xdc00..=0xdfff => (REPLACEMENT_ESCAPE, 6),
        0xd800..=0xdbff => match text.get(6..).and_then(code_unit) {
            Some(0xdc00..=0xdfff) => (&text[..12], 12),
            _ => (REPLACEMENT_ESCAPE, 6),
        },
        _ => (&text[..6], 6),
    }
}

/// The number of a JSON escape, `\u` and four digits, at the front of `text`.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_becomes_a_replacement_character_and_the_rest_stays() {
        assert_eq!(text("a\0b\0"), "a\u{fffd}b\u{fffd}");
        for clean in ["", "\u{fffd}\u{ffff}", "\\u0000", "e\u{301}\u{1f600}"] {
            assert!(matches!(text(clean), Cow::Borrowed(same) if same == clean));
        }
        assert_eq!(maybe(Some("\0")).as_deref(), Some(REPLACEMENT));
        assert_eq!(maybe(None), None);
    }

    #[test]
    fn escapes_that_no_query_could_read_become_a_replacement_character() {
        for (given, kept) in [
            (r#"["\u0000"]"#, r#"["\ufffd"]"#),
            (r#"["a\u0000b\u0000"]"#, r#"["a\ufffdb\ufffd"]"#),
            (r#"["\ud83d"]"#, r#"["\ufffd"]"#),
            (r#"["\uDE00\uD83D"]"#, r#"["\ufffd\ufffd"]"#),
            (r#"["\ud83dA\u0041"]"#, r#"["\ufffdA\u0041"]"#),
            (r#"["\ud83d\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#),
        ] {
            assert_eq!(json(given), kept);
        }
    }

    #[test]
    fn json_that_can_be_read_stays_as_it_is() {
        for value in [
            r#"["\\u0000"]"#,
            r#"["\\\\u0000"]"#,
            r#"["\ud83d\ude00"]"#,
            r#"["\u0001\n\"\\"]"#,
            r#"["é\u00e9"]"#,
            "[]",
            r"\",
            "\\\u{e9}",
        ] {
            assert_eq!(json(value), value);
        }
        assert_eq!(json(r#"["\\\u0000"]"#), r#"["\\\ufffd"]"#, "a backslash, then a NUL");
    }
}
