//! Numbers as people read them.

use std::time::Duration;

/// `4,808`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `8.4 MB`, in steps of 1,000.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1_000.0;
    let mut unit = 0;
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        amount /= 1_000.0;
        unit += 1;
    }
    if amount < 99.95 {
        format!("{amount:.1} {}", UNITS[unit])
    } else {
        format!("{amount:.0} {}", UNITS[unit])
    }
}

/// `84ms`, `1.4s`, `22s`, `1m20s`, `3h05m`, `2d04h`: two units at most.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        _ if span.as_millis() < 1_000 => format!("{}ms", span.as_millis()),
        0..10 if span.subsec_millis() >= 100 => format!("{seconds}.{}s", span.subsec_millis() / 100),
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// `00:01:12`.
pub(super) fn clock(span: Duration) -> String {
    let seconds = span.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `1 host`, `2 hosts`.
pub(super) fn plural(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        for (number, shown) in [(0, "0"), (999, "999"), (4_808, "4,808"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), shown);
        }
        for (number, shown) in [
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (8_412_345, "8.4 MB"),
            (999_499, "999 kB"),
            (999_999, "1.0 MB"),
            (123_456_789, "123 MB"),
        ] {
            assert_eq!(bytes(number), shown);
        }
        for (millis, shown) in [
            (84, "84ms"),
            (1_400, "1.4s"),
            (2_000, "2s"),
            (22_900, "22s"),
            (80_000, "1m20s"),
            (11_100_000, "3h05m"),
            (187_200_000, "2d04h"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), shown);
        }
        assert_eq!(clock(Duration::from_secs(72)), "00:01:12");
        assert_eq!((plural(1, "host"), plural(1_200, "host")), ("1 host".into(), "1,200 hosts".into()));
    }
}
