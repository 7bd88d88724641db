//! Huntsman, a web crawler that loses nothing: the map of the crate.
//!
//! | module | what it is |
//! |---|---|
//! | [`crawl`] | the rules and the words as types; pure: no I/O, no async, no clock |
//! | [`parse`] | bytes into title, metadata, text and outlinks |
//! | [`testweb`] | a simulated web on loopback, made from a seed number |

pub mod crawl;
pub mod parse;
pub mod testweb;
