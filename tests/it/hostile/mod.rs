//! The hostile web: what servers do to a crawler, each case a named test against a server of ours on loopback.
//!
//! `cases.txt` is the list. Each test notes what was seen; `tests/run` ends with the whole table.

mod cases;
mod charset;
mod coding;
mod compared;
mod dns;
mod framing;
mod html;
mod judging;
mod plays;
mod redirects;
mod robots;
mod site;
mod sitemaps;
mod storage;
mod tls;
mod transport;
mod urls;
mod waiting;

pub(crate) use cases::shown;
