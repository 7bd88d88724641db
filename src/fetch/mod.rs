//! The port through which every request leaves: it only GETs.
//!
//! One request, one answer: no redirect is followed, nothing is retried, nothing is judged here.

mod classify;
mod cookies;
mod decode;
mod fenced;
mod fields;
pub mod guard;
pub mod http;
mod kept;
mod layer;
mod own;
mod patience;
mod resolve;
#[cfg(test)]
mod tests;

use crate::crawl::time::Timestamp;
use crate::crawl::visit::{Answer, Visit};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What the head of an answer to a GET of `url` says, and the cookies that the next request to it would carry: as the client reads it, from
/// fields that came in any form. What is no field is passed over.
pub fn read_head(
    url: &Url,
    status: u16,
    fields: &[(&[u8], &[u8])],
    now: Timestamp,
) -> (Answer, Option<Vec<u8>>) {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            _ = map.try_append(name, value);
        }
    }
    let cookies = cookies::Cookies::new();
    cookies.take(url, map.get_all(SET_COOKIE).iter(), now);
    let sent = cookies.field(url, now).map(|field| field.as_bytes().to_vec());
    (fields::answer(status, &map, now), sent)
}

/// What may keep a request from being sent until the last moment.
pub trait Fence: std::fmt::Debug + Send + Sync {
    /// Whether a request may still leave; never again once it has said no. Asked right before the first octet is written, on the
    /// thread that writes it.
    fn lets_through(&self) -> bool;
}

/// One GET.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to ask for.
    pub url: Url,
    /// Most bytes of the decoded body to keep; `None` takes the client's own limit.
    pub max_body: Option<usize>,
    /// Whether to keep the head of the answer as it came.
    pub keep_head: bool,
    /// Asked before the request leaves; where it says no, nothing is sent, and the visit is a failure.
    pub fence: Option<Arc<dyn Fence>>,
}

impl Request {
    /// A GET of `url` within the client's own limits.
    pub fn get(url: Url) -> Self {
        Self { url, max_body: None, keep_head: false, fence: None }
    }
}

/// Gets URLs. A page that cannot be fetched is an outcome in the [`Visit`], never an error.
///
/// Promises: at most one request reaches the server unless none of its bytes were written (a pooled connection that
/// the server had closed: repeated once on a fresh one); redirects are returned, not followed; the address guard is
/// asked for every connection and for every literal address; body, head and time are bounded; dropping the future
/// closes the connection.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Sends `request` and waits for its answer.
    async fn get(&self, request: Request) -> Visit;
}

/// The time limits of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolving, connecting and TLS together.
    pub connect: Duration,
    /// From the start, a new connection included, to the complete head of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub stall: Duration,
    /// From the head on: after that a body must have come at [`MIN_RATE`] on average.
    pub slow: Duration,
    /// The whole request.
    pub total: Duration,
}

/// Octets a second on the wire, below which a body is given up once [`Timeouts::slow`] has passed.
pub const MIN_RATE: u64 = 1_000;

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(20),
            stall: Duration::from_secs(15),
            slow: Duration::from_secs(10),
            total: Duration::from_secs(60),
        }
    }
}
