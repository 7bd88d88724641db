//! The rules of a crawl and its words as types. Pure: no I/O, no async, no clock.

pub mod host;
pub mod page;
pub mod robots;
pub mod scope;
pub mod seeds;
pub mod time;
pub mod url;
pub mod visit;
