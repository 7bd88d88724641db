//! What scripts answer, read without trust: an answer that is not as expected is an error of the server's.

use crate::crawl::host::HostKey;
use crate::crawl::lease::Pace;
use crate::crawl::time::Timestamp;
use crate::frontier::FrontierError;
use redis::Value;
use std::time::Duration;

/// One answer, or a part of one.
#[derive(Debug)]
pub(super) struct Reply(pub(super) Value);

fn strange(what: &str) -> FrontierError {
    FrontierError::Unavailable(format!("the server gave an answer that is {what}"))
}

impl Reply {
    pub(super) fn list(self) -> Result<Vec<Self>, FrontierError> {
        match self.0 {
            Value::Array(parts) => Ok(parts.into_iter().map(Self).collect()),
            Value::Nil => Ok(Vec::new()),
            _ => Err(strange("no list")),
        }
    }

    /// The parts of a list of at least this length.
    pub(super) fn parts(self, least: usize) -> Result<std::vec::IntoIter<Self>, FrontierError> {
        let parts = self.list()?;
        if parts.len() < least { Err(strange("too short")) } else { Ok(parts.into_iter()) }
    }

    pub(super) fn bytes(self) -> Result<Vec<u8>, FrontierError> {
        match self.0 {
            Value::BulkString(bytes) => Ok(bytes),
            Value::SimpleString(text) => Ok(text.into_bytes()),
            Value::Int(number) => Ok(number.to_string().into_bytes()),
            _ => Err(strange("no text")),
        }
    }

    pub(super) fn text(self) -> Result<String, FrontierError> {
        String::from_utf8(self.bytes()?).map_err(|_| strange("no text"))
    }

    pub(super) fn number(self) -> Result<i64, FrontierError> {
        match self.0 {
            Value::Int(number) => Ok(number),
            _ => self.text()?.parse().map_err(|_| strange("no number")),
        }
    }

    pub(super) fn count(self) -> Result<usize, FrontierError> {
        usize::try_from(self.number()?).map_err(|_| strange("no count"))
    }

    pub(super) fn point(self) -> Result<Timestamp, FrontierError> {
        Ok(point_of(self.number()?))
    }

    pub(super) fn host(self) -> Result<HostKey, FrontierError> {
        Ok(HostKey::from_stored(&self.text()?))
    }
}

/// The next part of an answer.
pub(super) fn next(parts: &mut impl Iterator<Item = Reply>) -> Result<Reply, FrontierError> {
    parts.next().ok_or_else(|| strange("too short"))
}

/// Block, delay and strikes as scripts say them.
pub(super) fn pace(parts: &mut impl Iterator<Item = Reply>) -> Result<Pace, FrontierError> {
    let block = next(parts)?.number()?;
    let delay = next(parts)?.number()?;
    let strikes = next(parts)?.number()?;
    Ok(Pace {
        crawl_delay: u64::try_from(delay).ok().map(Duration::from_micros),
        block_until: (block >= 0).then(|| point_of(block)),
        strikes: u32::try_from(strikes).map_err(|_| strange("no count"))?,
    })
}

/// What the scripts take for never: the last point that a double holds to the microsecond, or so.
const NEVER: i64 = 9_000_000_000_000_000;

/// A point as scripts are told it.
pub(super) fn said(at: Timestamp) -> String {
    at.as_micros().clamp(0, NEVER).to_string()
}

fn point_of(micros: i64) -> Timestamp {
    if micros >= NEVER { Timestamp::NEVER } else { Timestamp::from_micros(micros) }
}

/// Block, delay and strikes as scripts are told them.
pub(super) fn said_pace(pace: &Pace) -> [String; 3] {
    let block = pace.block_until.map_or_else(|| "-1".to_owned(), said);
    let delay =
        pace.crawl_delay.map_or(-1, |delay| i64::try_from(delay.as_micros()).unwrap_or(NEVER).min(NEVER));
    [block, delay.to_string(), pace.strikes.to_string()]
}
