//! What a node has said of hosts and must say again where the index is lost: the store may not have heard of it.
//!
//! A host that is leased anew is heard of: its lease was held back until the store had the note. What is kept is the rest.

use crate::clock::Clock;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Pace, Token};
use crate::crawl::report::Note;
use crate::crawl::time::Timestamp;
use crate::frontier::{
    Borrowed, CrawlRules, FrontierError, HandOff, Handed, Leases, Next, Release, SeedsRead,
};
use async_trait::async_trait;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Hosts whose last note is kept: those that were noted longest ago go first.
const KEPT: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// The index as a node sees it: before it leases in a new epoch, what it knows is said again.
pub(super) struct Reminding {
    inner: Arc<dyn Leases>,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    said: LruCache<HostKey, Note>,
    /// The index was lost, and what is kept was not said to the new one.
    was_lost: bool,
}

impl Reminding {
    pub(super) fn new(inner: Arc<dyn Leases>, clock: Clock) -> Self {
        let state = State { said: LruCache::new(KEPT), was_lost: false };
        Self { inner, clock, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kept before it is said: the answer may be lost with the index.
    fn keep(&self, note: Option<&Note>) {
        let Some(note) = note else { return };
        if note.pace == Pace::default() {
            self.state().said.pop(&note.host);
        } else {
            // robots.txt itself is history, which may be lost with the index.
            self.state().said.put(note.host.clone(), Note { robots: None, ..note.clone() });
        }
    }

    fn hear<T>(&self, answer: Result<T, FrontierError>) -> Result<T, FrontierError> {
        self.state().was_lost |= matches!(answer, Err(FrontierError::Lost(_)));
        answer
    }

    /// What still holds of what was said.
    fn unexpired(&self) -> Vec<Note> {
        let now = self.clock.now();
        let holds = |pace: &Pace| {
            pace.crawl_delay.is_some()
                || pace.strikes > 0
                || pace.block_until.is_some_and(|until| until > now)
        };
        self.state().said.iter().filter(|(_, note)| holds(&note.pace)).map(|(_, note)| note.clone()).collect()
    }
}

#[async_trait]
impl Leases for Reminding {
    async fn lease(&self, hosts: usize) -> Result<Next, FrontierError> {
        let was_lost = self.state().was_lost;
        if was_lost {
            let notes = self.unexpired();
            let count = notes.len();
            self.inner.remind(notes).await?;
            self.state().was_lost = false;
            tracing::info!(hosts = count, "the new epoch was told what hosts asked for");
        }
        let next = self.hear(self.inner.lease(hosts).await)?;
        if let Next::Leases(leases) = &next {
            let mut state = self.state();
            for lease in leases {
                state.said.pop(&lease.host);
            }
        }
        Ok(next)
    }

    async fn renew(&self, tokens: &[Token]) -> Result<Vec<Token>, FrontierError> {
        self.hear(self.inner.renew(tokens).await)
    }

    async fn hand_off(&self, hand_off: HandOff) -> Result<Handed, FrontierError> {
        self.keep(hand_off.note.as_ref());
        self.hear(self.inner.hand_off(hand_off).await)
    }

    async fn release(&self, release: Release) -> Result<Handed, FrontierError> {
        self.keep(release.note.as_ref());
        self.hear(self.inner.release(release).await)
    }

    async fn note(&self, token: Token, note: Note) -> Result<Handed, FrontierError> {
        self.keep(Some(&note));
        self.hear(self.inner.note(token, note).await)
    }

    async fn remind(&self, notes: Vec<Note>) -> Result<(), FrontierError> {
        self.inner.remind(notes).await
    }

    async fn borrow_host(&self, host: &HostKey) -> Result<Borrowed, FrontierError> {
        let borrowed = self.hear(self.inner.borrow_host(host).await)?;
        if matches!(borrowed, Borrowed::Granted(..)) {
            self.state().said.pop(host);
        }
        Ok(borrowed)
    }

    async fn rest(&self, until: Timestamp) {
        self.inner.rest(until).await;
    }

    async fn rules(&self, crawl: CrawlId, read: SeedsRead) -> Result<Option<CrawlRules>, FrontierError> {
        self.hear(self.inner.rules(crawl, read).await)
    }
}
