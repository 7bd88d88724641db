//! What can go wrong with one command, and what the caller is told of it.

use crate::frontier::FrontierError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What went wrong with one command.
#[derive(Debug)]
pub(super) enum Failure {
    /// The memory of the server is full.
    Full,
    /// A bound of the index is reached.
    Bound,
    /// The server forgot the script.
    NoScript,
    /// The connection is of no use any more.
    Broken(String),
    /// For the caller.
    Other(FrontierError),
}

impl Failure {
    pub(super) fn of(why: &RedisError) -> Self {
        let text = why.detail().map_or_else(|| why.to_string(), str::to_owned);
        let lost = |text| Self::Other(FrontierError::Lost(text));
        let unusable = |text| Self::Other(FrontierError::Unusable(text));
        match (why.kind(), why.code()) {
            (_, Some("HMLOST")) => lost(text),
            (_, Some("NOGROUP")) => lost("its stream has gone".into()),
            (_, Some("HMBEAT")) => Self::Other(FrontierError::Unavailable(text)),
            (_, Some("HMFULL")) => Self::Bound,
            (_, Some("HMRIGHT")) => unusable(format!(
                "the user may not run every command that is needed ({text}): give it +@all -@admin on the keys of this installation"
            )),
            (_, Some("OOM")) => Self::Full,
            (ErrorKind::Server(ServerErrorKind::NoScript), _) => Self::NoScript,
            (ErrorKind::Server(ServerErrorKind::NoPerm), _) => unusable(format!(
                "the user may not do what is needed ({text}): give it +@all -@admin on the keys of this installation"
            )),
            (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => {
                unusable(format!("the server wants a user and password ({text}): put them in its URL"))
            }
            (ErrorKind::Server(_) | ErrorKind::Extension, _) => {
                Self::Other(FrontierError::Unavailable(format!("the server says: {why}")))
            }
            _ => Self::Broken(why.to_string()),
        }
    }

    pub(super) fn into_error(self) -> FrontierError {
        match self {
            Self::Full => FrontierError::Unavailable(
                "the memory of the server is full: raise its maxmemory, or wait until the crawl has drained"
                    .into(),
            ),
            Self::Bound => FrontierError::Unusable("a bound of the index is reached".into()),
            Self::NoScript => FrontierError::Unavailable("the server forgot the scripts".into()),
            Self::Broken(why) => FrontierError::Unavailable(why),
            Self::Other(why) => why,
        }
    }
}
