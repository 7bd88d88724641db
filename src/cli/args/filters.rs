//! Values of arguments that are no settings: statuses, points in time, shares.

use crate::crawl::time::Timestamp;
use crate::settings::units::parse_span;
use std::time::Duration;

/// `pages --status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusFilter {
    /// The least status that fits.
    pub least: u16,
    /// The greatest status that fits.
    pub most: u16,
}

/// A point in time as an operator writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// A time of the calendar, UTC where it names no zone.
    At(Timestamp),
    /// So long before now.
    Ago(Duration),
}

impl When {
    /// The point in time, seen from `now`.
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => now - span,
        }
    }
}

pub(super) fn parse_status(text: &str) -> Result<StatusFilter, String> {
    let class = text.strip_suffix("xx").and_then(|class| class.parse::<u16>().ok());
    match (class, text.parse::<u16>()) {
        (Some(class @ 1..=5), _) => Ok(StatusFilter { least: class * 100, most: class * 100 + 99 }),
        (_, Ok(status @ 100..=999)) => Ok(StatusFilter { least: status, most: status }),
        _ => Err("a status is a number such as 404, or a class such as 4xx".to_owned()),
    }
}

pub(super) fn parse_when(text: &str) -> Result<When, String> {
    let utc = |civil| jiff::tz::TimeZone::UTC.to_timestamp(civil);
    let at = text
        .parse::<jiff::Timestamp>()
        .or_else(|_| text.parse::<jiff::civil::DateTime>().and_then(utc))
        .or_else(|_| text.parse::<jiff::civil::Date>().and_then(|date| utc(date.at(0, 0, 0, 0))));
    match at {
        Ok(at) => Ok(When::At(Timestamp::from_millis(at.as_millisecond()))),
        Err(_) => parse_span(text).map(When::Ago).map_err(|_| {
            "a time is written 2026-11-23, 2026-11-23T14:30:00Z, or 2h for two hours ago".to_owned()
        }),
    }
}

pub(super) fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1".to_owned())
}
