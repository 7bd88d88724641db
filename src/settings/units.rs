//! Spans and sizes with their units, as people write them.

use std::fmt::Write;
use std::time::Duration;

const SPAN_UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// Parses a span: `250ms`, `1.5s`, `10m`, `1h30m`. Only zero may stand without a unit.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    const EXAMPLES: &str = "a span is written like 250ms, 1s, 10m or 1h30m";
    let millis =
        sum(text, |unit, _| SPAN_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor));
    match millis {
        Ok(millis) => Ok(Duration::from_millis(millis)),
        Err(Wrong::NoUnit) => Err(format!("{text:?} has no unit; write {text}s or {text}ms")),
        Err(Wrong::TooLarge) => Err(format!("{text:?} is too long a span")),
        Err(Wrong::Unreadable) => Err(format!("{text:?} is no span; {EXAMPLES}")),
    }
}

/// Parses a size in bytes: `10 MiB`, `64KB`, `1.5 GB`. Only zero may stand without a unit.
pub fn parse_size(text: &str) -> Result<u64, String> {
    const EXAMPLES: &str = "a size is written like 512 KiB, 64KB or 10 MiB";
    let unit_of = |unit: &str, first: bool| {
        let known = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        known.filter(|_| first).map(|(_, factor)| *factor)
    };
    sum(text, unit_of).map_err(|wrong| match wrong {
        Wrong::NoUnit => format!("{text:?} has no unit; write \"{text} MiB\" or \"{text} KiB\""),
        Wrong::TooLarge => format!("{text:?} is too large a size"),
        Wrong::Unreadable => format!("{text:?} is no size; {EXAMPLES}"),
    })
}

/// A span in the largest units that hold it exactly: `1h30m`, `1500ms`. [`parse_span`] reads it back.
pub fn show_span(span: Duration) -> String {
    let mut millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    if !millis.is_multiple_of(1_000) {
        return format!("{millis}ms");
    }
    for (unit, factor) in SPAN_UNITS {
        if millis >= factor {
            _ = write!(out, "{}{unit}", millis / factor);
            millis %= factor;
        }
    }
    out
}

/// A size in the largest unit that holds it exactly: `10 MiB`. [`parse_size`] reads it back.
pub fn show_size(bytes: u64) -> String {
    let whole = |(_, factor): &&(&str, u64)| bytes >= *factor && bytes.is_multiple_of(*factor);
    let (unit, factor) = SIZE_UNITS.iter().find(whole).unwrap_or(&("B", 1));
    format!("{} {unit}", bytes / factor)
}

enum Wrong {
    NoUnit,
    TooLarge,
    Unreadable,
}

/// Adds up number and unit pairs; `unit_of` gives a unit's factor and hears whether it is the first.
fn sum(text: &str, unit_of: impl Fn(&str, bool) -> Option<u64>) -> Result<u64, Wrong> {
    let mut rest = text.trim();
    let mut total = 0_u64;
    let mut first = true;
    while first || !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let tail = tail.trim_start();
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let zero = !number.is_empty() && number.bytes().all(|byte| byte == b'0');
        if unit.is_empty() && zero && first && tail.is_empty() {
            return Ok(0);
        }
        let value: f64 = number.parse().map_err(|_| Wrong::Unreadable)?;
        if unit.is_empty() && tail.is_empty() {
            return Err(if first { Wrong::NoUnit } else { Wrong::Unreadable });
        }
        let factor = unit_of(unit, first).ok_or(Wrong::Unreadable)?;
        let part = value * factor as f64;
        if part >= 9e15 {
            return Err(Wrong::TooLarge);
        }
        total = total.saturating_add(part.round() as u64);
        rest = tail.trim_start();
        first = false;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, millis) in [
            ("250ms", 250),
            ("1s", 1_000),
            ("1.5s", 1_500),
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("2 d", 172_800_000),
            ("0", 0),
            (" 3 s ", 3_000),
        ] {
            assert_eq!(parse_span(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "10 minutes", "-1s", "1.2.3s", "1s5", "ms1"] {
            assert!(parse_span(text).unwrap_err().contains("a span is written like"), "{text}");
        }
        assert_eq!(parse_span("10").unwrap_err(), r#""10" has no unit; write 10s or 10ms"#);
        assert!(parse_span("99999999999999d").unwrap_err().contains("too long"));
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("10 MiB", 10 << 20),
            ("64KB", 64_000),
            ("64 kb", 64_000),
            ("1.5 GB", 1_500_000_000),
            ("7B", 7),
            ("0", 0),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert_eq!(parse_size("10").unwrap_err(), r#""10" has no unit; write "10 MiB" or "10 KiB""#);
        assert!(parse_size("1 MiB 3 KiB").unwrap_err().contains("a size is written like"));
        assert!(parse_size("10 M").unwrap_err().contains("a size is written like"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_reads_back(millis in 0_u64..10_000_000_000, bytes in 0_u64..(1 << 50)) {
            let span = Duration::from_millis(millis);
            proptest::prop_assert_eq!(parse_span(&show_span(span)), Ok(span));
            proptest::prop_assert_eq!(parse_size(&show_size(bytes)), Ok(bytes));
        }
    }
}
