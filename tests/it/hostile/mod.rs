//! The hostile web: what servers do to a crawler, each case a named test against a server of ours on loopback.
//!
//! `cases.txt` is the list. Each test notes what was seen; `tests/run` ends with the whole table.

mod cases;

pub(crate) use cases::shown;
