//! Huntsman, a web crawler that loses nothing: the map of the crate.
//!
//! | module | what it is |
//! |---|---|
//! | [`crawl`] | the rules and the words as types; pure: no I/O, no async, no clock |
//! | [`frontier`] | the index: which host may be asked next, and for what; its three ports, and the one in memory |
//! | [`fetch`] | the port through which every request leaves, and the HTTP client |
//! | [`parse`] | bytes into title, metadata, text and outlinks |
//! | [`store`] | the truth: its port, and SQLite |
//! | [`scheduler`] | the role that seeds, refills and says when a crawl is over |
//! | [`node`] | the role that visits |
//! | [`storage`] | the role that writes |
//! | [`wiring`] | the only place that knows backends and roles together |
//! | [`cli`] | the command line: one file a subcommand |
//! | [`settings`] | layered settings: one small struct a part |
//! | [`telemetry`] | log lines and the terminal they share with the live line |
//! | [`clock`] | the one door to the time of day |
//! | [`testweb`] | a simulated web on loopback, made from a seed number |

pub mod cli;
pub mod clock;
pub mod crawl;
pub mod fetch;
pub mod frontier;
pub mod node;
pub mod parse;
pub mod scheduler;
pub mod settings;
pub mod storage;
pub mod store;
pub mod telemetry;
pub mod testweb;
pub mod wiring;
