//! Huntsman, a web crawler that loses nothing: the map of the crate.
//!
//! | module | what it is |
//! |---|---|
//! | [`crawl`] | the rules and the words as types; pure: no I/O, no async, no clock |
//! | [`fetch`] | the port through which every request leaves, and the HTTP client |
//! | [`parse`] | bytes into title, metadata, text and outlinks |
//! | [`cli`] | the command line: one file a subcommand |
//! | [`clock`] | the one door to the time of day |
//! | [`settings`] | layered settings: one small struct a part |
//! | [`telemetry`] | log lines and the terminal they share with the live line |
//! | [`testweb`] | a simulated web on loopback, made from a seed number |

pub mod cli;
pub mod clock;
pub mod crawl;
pub mod fetch;
pub mod parse;
pub mod settings;
pub mod telemetry;
pub mod testweb;
