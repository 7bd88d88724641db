//! A simulated web on loopback, made from a seed number.
//!
//! Hosts are addresses `127.x.y.z` that share one port, so any crawler can crawl them. Every page is a function
//! of (seed, host, page) and is rendered on each request: nothing is stored, and the same seed gives the same
//! bytes. Because the web is a function, [`truth()`] can say what every URL answers and whether a crawl from the
//! first URL reaches it, without serving a byte; a crawl is judged against that and against the request log.
//!
//! | file | what it is |
//! |---|---|
//! | `settings` | what a web is made of |
//! | `dice` | numbers drawn from the seed |
//! | `place` | the paths of a host, parsed and written |
//! | `web` | the shape of the web: addresses, fates, trees, redirects |
//! | `filler` | words, sentences and titles |
//! | `render` | a place into HTML |
//! | `answer` | a place into an HTTP answer |
//! | `truth` | every URL with what it answers |
//! | `connection` | HTTP/1.1 on one socket |
//! | `server` | the listeners |
//! | `log` | who asked what, and when |

mod answer;
mod connection;
mod dice;
mod filler;
mod log;
mod place;
mod render;
mod server;
mod settings;
#[cfg(test)]
mod tests;
mod truth;
mod web;

pub use log::{Callback, LOG_REQUESTS, Request};
pub use server::{CONNECTIONS, HEAD_BYTES, IDLE, Testweb};
pub use settings::{RobotsKind, Settings, UnknownRobotsKind};
pub use truth::{Kind, Truth, truth};
