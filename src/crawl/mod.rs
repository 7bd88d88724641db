//! The rules of a crawl and its words as types. Pure: no I/O, no async, no clock.

pub mod page;
