//! Which hosts close the connections that they offered to keep.
//!
//! A server may end an idle connection at any moment, and one that says nothing of it beforehand races with the next
//! request: that is written, and nobody reads it. RFC 9110 section 9.2.2 lets a client repeat a GET then. It is not
//! repeated here, where no delay is known, but goes back to its queue; and from then on the host gets a connection for
//! each request, so that the race is lost once and no more.
//!
//! Nobody tells which connection a request took. It was a kept one where none was made for it, and may have been one
//! where another request was answered meanwhile: its connection goes to whoever waits, if that is sooner.

use crate::crawl::time::Timestamp;
use hashbrown::DefaultHashBuilder;
use std::cell::Cell;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;
use url::{Position, Url};

/// Hosts that are remembered, each in a place that its hash gives it; one that meets another there takes its place.
const PLACES: usize = 4_096;
/// Bits of a mark below the name of its host: when it answered last, and [`CLOSES`].
const BELOW: u32 = 48;
/// The bit of a mark that says that connections are not kept.
const CLOSES: u64 = 1;

/// What is remembered of hosts: when each has answered last, and whether it closes what it offered to keep.
#[derive(Debug)]
pub(super) struct Kept {
    marks: Box<[AtomicU64]>,
    hasher: DefaultHashBuilder,
}

/// The place of a host, and what tells it from another one there: the first bits of its hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    at: usize,
    name: u64,
}

impl Kept {
    pub(super) fn new() -> Self {
        let marks = (0..PLACES).map(|_| AtomicU64::new(0)).collect();
        Self { marks, hasher: DefaultHashBuilder::default() }
    }

    /// Where the host of a URL is remembered.
    pub(super) fn place(&self, url: &Url) -> Place {
        let hash = self.hasher.hash_one(&url[..Position::BeforePath]);
        Place { at: hash as usize % PLACES, name: hash >> BELOW << BELOW }
    }

    /// Whether the host gets a connection of its own for each request.
    pub(super) fn closes(&self, place: Place) -> bool {
        self.mark(place).is_some_and(|mark| mark & CLOSES != 0)
    }

    /// The host has answered, on a connection that is kept unless it says otherwise.
    pub(super) fn answered(&self, place: Place, now: Timestamp) {
        let closes = self.mark(place).unwrap_or_default() & CLOSES;
        self.marks[place.at].store(place.name | bits(now) | closes, Ordering::Relaxed);
    }

    /// Whether a connection may have come free for a request that began at `started`.
    pub(super) fn came_free(&self, place: Place, started: Timestamp) -> bool {
        self.mark(place).is_some_and(|mark| mark & !place.name & !CLOSES >= bits(started))
    }

    /// A request has met the end of a kept connection: none is kept from now on.
    pub(super) fn give_up(&self, place: Place) {
        let mark = self.mark(place).unwrap_or(place.name);
        self.marks[place.at].store(mark | CLOSES, Ordering::Relaxed);
    }

    fn mark(&self, place: Place) -> Option<u64> {
        let mark = self.marks[place.at].load(Ordering::Relaxed);
        (mark >> BELOW << BELOW == place.name).then_some(mark)
    }
}

/// A time as a mark holds it, in microseconds: the robots.txt that was answered right before a request is none that was answered
/// meanwhile. It begins anew every four years.
fn bits(at: Timestamp) -> u64 {
    (at.since(Timestamp::EPOCH).as_micros() as u64) << 1 & ((1 << BELOW) - 1)
}

tokio::task_local! {
    /// Whether a connection is being made for the request of this task.
    static HAS_DIALLED: Cell<bool>;
}

/// Waits for a request; answers with what came of it, and with whether a connection was made for it.
pub(super) async fn watched<T>(request: impl Future<Output = T>) -> (T, bool) {
    let request = async {
        let result = request.await;
        (result, HAS_DIALLED.with(Cell::get))
    };
    HAS_DIALLED.scope(Cell::new(false), request).await
}

/// Makes connections, and notes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noting<S>(S);

/// What makes [`Noting`] of a service that makes connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note;

impl<S> Layer<S> for Note {
    type Service = Noting<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Noting(inner)
    }
}

impl<S: Service<R>, R> Service<R> for Noting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, to: R) -> Self::Future {
        _ = HAS_DIALLED.try_with(|has| has.set(true));
        self.0.call(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const T: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn a_connection_came_free_where_another_request_was_answered_meanwhile() {
        let kept = Kept::new();
        let place = |url: &str| kept.place(&Url::parse(url).unwrap());
        let host = place("http://h:81/a");
        assert!(!kept.came_free(host, T), "nobody was answered");
        kept.answered(host, T);
        assert!(kept.came_free(place("http://h:81/b"), T) && !kept.came_free(place("http://h/"), T));
        assert!(!kept.came_free(host, T + Duration::from_micros(1)));
    }

    #[test]
    fn a_host_that_closes_is_remembered() {
        let kept = Kept::new();
        let place = |url: &str| kept.place(&Url::parse(url).unwrap());
        kept.give_up(place("http://h:81/a"));
        kept.answered(place("http://h:81/b"), T);
        assert!(kept.closes(place("http://h:81/c")));
        assert!(!kept.closes(place("http://h/")) && !kept.closes(place("https://h:81/")));
    }

    #[test]
    fn any_number_of_hosts_takes_the_same_room() {
        let kept = Kept::new();
        for n in 0..10 * PLACES {
            let place = kept.place(&Url::parse(&format!("http://h{n}/")).unwrap());
            kept.answered(place, T);
            kept.give_up(place);
            assert!(kept.closes(place) && kept.came_free(place, T));
        }
        assert_eq!(kept.marks.len(), PLACES);
    }
}
