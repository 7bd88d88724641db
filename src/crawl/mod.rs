//! The rules of a crawl and its words as types. Pure: no I/O, no async, no clock.

pub mod assess;
pub mod host;
pub mod lease;
pub mod page;
pub mod politeness;
pub mod report;
pub mod retry;
pub mod robots;
pub mod scope;
pub mod seeds;
pub mod sitemap;
pub mod target;
pub mod time;
pub mod traps;
pub mod url;
pub mod visit;
