//! What was odd about an answer that was read all the same: evidence for people, counted, never a reason to fail.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One oddity. Its name stands in `fetches.detail`, behind `remarked:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// It named a length and came in chunks; the chunks were read (RFC 9112 section 6.3).
    LengthAndChunks,
    /// Its body was not coded as its `Content-Encoding` says, and was read as it is.
    NotCodedAsNamed,
    /// What its octets are is not what its `Content-Type` says, and counted more.
    NotTheTypeNamed,
    /// Some octets are invalid in the encoding of the page and became U+FFFD.
    InvalidOctets,
    /// Its title is longer than what is kept.
    TitleCut,
    /// It leads from https to http.
    Downgrade,
    /// The user's selectors were not run: the page would cost too much.
    SelectorsSkipped,
}

impl Remark {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::LengthAndChunks,
        Self::NotCodedAsNamed,
        Self::NotTheTypeNamed,
        Self::InvalidOctets,
        Self::TitleCut,
        Self::Downgrade,
        Self::SelectorsSkipped,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LengthAndChunks => "length-and-chunks",
            Self::NotCodedAsNamed => "not-coded-as-named",
            Self::NotTheTypeNamed => "not-the-type-named",
            Self::InvalidOctets => "invalid-octets",
            Self::TitleCut => "title-cut",
            Self::Downgrade => "downgrade",
            Self::SelectorsSkipped => "selectors-skipped",
        }
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// The remarks on one answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Remarks(u16);

impl Remarks {
    /// Adds one where `holds`.
    pub fn add(&mut self, remark: Remark, holds: bool) {
        self.0 |= if holds { remark.bit() } else { 0 };
    }

    /// Whether it is among them.
    pub fn has(self, remark: Remark) -> bool {
        self.0 & remark.bit() != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Remarks {
    /// `remarked: downgrade, title-cut`; nothing where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = Remark::ALL.into_iter().filter(|remark| self.has(*remark));
        for (number, remark) in said.enumerate() {
            f.write_str(if number == 0 { "remarked: " } else { ", " })?;
            f.write_str(remark.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remark_is_its_own_word() {
        let mut all = Remarks::default();
        assert_eq!((all.is_empty(), all.to_string().as_str()), (true, ""));
        for remark in Remark::ALL {
            assert!(!all.has(remark));
            all.add(remark, false);
            assert!(!all.has(remark));
            all.add(remark, true);
            assert!(all.has(remark) && all.to_string().ends_with(remark.as_str()));
        }
    }
}
