//! The addresses of this machine's own interfaces. Whoever listens there may trust whoever asks from here, even where the address is a
//! public one.

use crate::clock::Clock;
use crate::crawl::time::Timestamp;
use std::collections::HashSet;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long they are believed: one may come or go while a crawl runs.
const BELIEVED: Duration = Duration::from_secs(60);

/// Reads them from the system. Behind a router that translates addresses, the outer one is the router's, and not among them.
pub(super) fn read() -> io::Result<HashSet<IpAddr>> {
    Ok(if_addrs::get_if_addrs()?.iter().map(if_addrs::Interface::ip).collect())
}

/// The addresses as they were a moment ago.
#[derive(Debug)]
pub(super) struct Own {
    read: fn() -> io::Result<HashSet<IpAddr>>,
    clock: Clock,
    /// Until when they are believed. A std mutex: held for one look, and once a minute for one question to the system.
    known: Mutex<(Timestamp, HashSet<IpAddr>)>,
}

impl Own {
    /// Asks `read` at the first look.
    pub(super) fn new(read: fn() -> io::Result<HashSet<IpAddr>>, clock: Clock) -> Self {
        Self { read, clock, known: Mutex::new((Timestamp::EPOCH, HashSet::new())) }
    }

    /// Whether an interface of ours has this address. Where the system does not tell, what it told last counts.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 <= now {
            match (self.read)() {
                Ok(addresses) => known.1 = addresses,
                Err(why) => tracing::warn!(%why, "the addresses of this machine's interfaces cannot be read"),
            }
            known.0 = now + BELIEVED;
        }
        known.1.contains(&address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    #[tokio::test(start_paused = true)]
    async fn an_address_that_comes_or_goes_is_seen_within_a_minute_and_one_is_not_forgotten_by_a_failure() {
        static ASKED: AtomicU8 = AtomicU8::new(0);
        let own = Own::new(
            || match ASKED.fetch_add(1, Ordering::Relaxed) {
                2 => Err(io::Error::other("not now")),
                asked => Ok(HashSet::from([[1, 1, 1, asked].into()])),
            },
            Clock::start(),
        );
        let has = |last: u8| own.has([1, 1, 1, last].into());
        assert_eq!((has(0), has(1)), (true, false));
        tokio::time::advance(BELIEVED / 2).await;
        assert_eq!((has(0), has(1)), (true, false), "asked once");
        tokio::time::advance(BELIEVED / 2).await;
        assert_eq!((has(0), has(1)), (false, true), "asked again");
        tokio::time::advance(BELIEVED).await;
        assert_eq!((has(1), has(2)), (true, false), "what was told last counts");
        tokio::time::advance(BELIEVED).await;
        assert_eq!((has(1), has(3)), (false, true));
    }

    #[test]
    fn loopback_is_read_from_the_system() {
        assert!(read().unwrap().contains(&IpAddr::from([127, 0, 0, 1])));
    }
}
