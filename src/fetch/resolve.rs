//! Names into addresses, past the guard.
//!
//! The system's resolver is asked (`getaddrinfo`, on the blocking threads), so `/etc/hosts` and a local cache work as
//! for every other program. It is asked through `dns_lookup` and not through the standard library because the latter
//! hides the code that tells "no such name" from "try again".

use super::guard::{Forbidden, Guard};
use crate::clock::Clock;
use crate::crawl::time::Timestamp;
use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType};
use lru::LruCache;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long the addresses of a name are believed. `getaddrinfo` does not tell how long they may be.
const BELIEVED: Duration = Duration::from_secs(60);

/// Names whose addresses are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// Names that the system is asked for at a time: each holds one of the threads that parsing needs, too, however slow a
/// server of names is.
const LOOKUPS: usize = 128;

/// Why a name brought no address.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookupFailure {
    #[error("no such host {0}")]
    NoSuchHost(String),
    #[error("failed to resolve {0}: {1}")]
    Unavailable(String, std::io::Error),
    #[error("no answer about {0} in time")]
    TooLate(String),
    #[error(transparent)]
    Forbidden(Forbidden),
}

/// The addresses of a name, and until when they are believed.
type Known = (Timestamp, Arc<[IpAddr]>);

/// Resolves names to the addresses that the guard permits.
pub(super) struct Resolver {
    guard: Arc<Guard>,
    hosts: HashMap<String, Vec<IpAddr>>,
    /// A proxy the operator chose may stand anywhere.
    proxy: Option<String>,
    /// How long a name may take: less than connecting, so that the one is told from the other.
    patience: Duration,
    lookups: Arc<Semaphore>,
    clock: Clock,
    /// A std mutex: held for one look, never across an await.
    known: Arc<Mutex<LruCache<String, Known>>>,
}

impl Resolver {
    pub(super) fn new(
        guard: Arc<Guard>,
        hosts: HashMap<String, Vec<IpAddr>>,
        proxy: Option<String>,
        connect: Duration,
        clock: Clock,
    ) -> Self {
        let (patience, lookups) = (connect * 4 / 5, Arc::new(Semaphore::new(LOOKUPS)));
        Self {
            guard,
            hosts,
            proxy,
            patience,
            lookups,
            clock,
            known: Arc::new(Mutex::new(LruCache::new(REMEMBERED))),
        }
    }

    /// What is known of `host` without asking.
    fn recall(&self, host: &str) -> Option<Arc<[IpAddr]>> {
        if let Some(addresses) = self.hosts.get(host) {
            return Some(addresses.as_slice().into());
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, addresses) = known.get(host)?;
        (*until > self.clock.now()).then(|| Arc::clone(addresses))
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let guard = if self.proxy.as_deref() == Some(&*host) { None } else { Some(Arc::clone(&self.guard)) };
        let recalled = self.recall(&host);
        let known = Arc::clone(&self.known);
        let (clock, patience, lookups) = (self.clock, self.patience, Arc::clone(&self.lookups));
        Box::pin(async move {
            let addresses = if let Some(addresses) = recalled {
                addresses
            } else {
                let asked = host.clone();
                let looked_up = async {
                    // Held until the system has answered, also where nobody waits for that any more.
                    let permit = lookups.acquire_owned().await?;
                    let ask = move || (ask(&asked), drop(permit)).0;
                    Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
                        tokio::task::spawn_blocking(ask).await??,
                    )
                };
                let too_late = |_| LookupFailure::TooLate(host.clone());
                let addresses = tokio::time::timeout(patience, looked_up).await.map_err(too_late)??;
                let until = clock.now() + BELIEVED;
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                known.put(host.clone(), (until, Arc::clone(&addresses)));
                addresses
            };
            Ok(permitted(&addresses, guard.as_deref(), host)?)
        })
    }
}

fn permitted(addresses: &[IpAddr], guard: Option<&Guard>, host: String) -> Result<Addrs, LookupFailure> {
    let mut refused = None;
    let permitted: Vec<SocketAddr> = addresses
        .iter()
        .filter(|address| match guard.map_or(Ok(()), |guard| guard.check_named(&host, **address)) {
            Ok(()) => true,
            Err(why) => {
                refused.get_or_insert(why);
                false
            }
        })
        .map(|address| SocketAddr::new(*address, 0))
        .collect();
    match refused {
        Some(why) if permitted.is_empty() => Err(LookupFailure::Forbidden(why)),
        _ if permitted.is_empty() => Err(LookupFailure::NoSuchHost(host)),
        _ => Ok(Box::new(permitted.into_iter())),
    }
}

/// Blocks for as long as the system's resolver does.
fn ask(host: &str) -> Result<Arc<[IpAddr]>, LookupFailure> {
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    match dns_lookup::getaddrinfo(Some(host), None, Some(hints)) {
        Ok(found) => Ok(found.filter_map(Result::ok).map(|found| found.sockaddr.ip()).collect()),
        Err(why) => Err(match why.kind() {
            LookupErrorKind::NoName | LookupErrorKind::NoData => LookupFailure::NoSuchHost(host.to_owned()),
            _ => LookupFailure::Unavailable(host.to_owned(), why.into()),
        }),
    }
}
