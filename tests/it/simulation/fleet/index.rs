//! The index as one process reaches it: compares the epoch with what it knew, like every adapter must, over a line that
//! loses requests and answers.

mod directing;

use super::process::Process;
use super::server::{Mark, Server};
use super::weather::{Luck, Weather};
use async_trait::async_trait;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Queued, Token};
use huntsman::crawl::report::{Entry, Note};
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::UrlKey;
use huntsman::frontier::{
    Ack, Borrowed, CrawlRules, CrawlSettings, EntryId, FrontierError, HandOff, Handed, Leases, Next, Release,
    Reports, SeedsRead,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;

/// How long an exchange takes that fails.
const PATIENCE: Duration = Duration::from_millis(50);
/// Nobody rests longer without asking.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// The server and what wakes those that wait for it.
#[derive(Debug)]
pub(super) struct Shared {
    pub server: Mutex<Server>,
    /// Something may be leased that could not be before.
    pub leasable: Notify,
    /// The stream grew.
    pub appended: Notify,
}

/// What a process knows of the server.
#[derive(Debug, Default, Clone)]
struct Known {
    run: u32,
    mark: Option<Mark>,
    /// What the caller knows to be open: a change is said once.
    told: Option<Mark>,
    /// The epoch that this process opened.
    opened: Option<u32>,
    settings: BTreeMap<CrawlId, CrawlSettings>,
}

/// See the module.
pub(super) struct Reached {
    pub process: Arc<Process>,
    pub weather: Arc<Weather>,
    pub shared: Arc<Shared>,
    known: Mutex<Known>,
    /// Leases that this process was granted, for the judge.
    granted: Mutex<Vec<Token>>,
    /// Whether it heard a failure since it was first granted any.
    failed: AtomicBool,
}

type Answer<R> = Result<R, FrontierError>;

impl Reached {
    pub(super) fn new(process: Arc<Process>, weather: Arc<Weather>, shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            process,
            weather,
            shared,
            known: Mutex::default(),
            granted: Mutex::default(),
            failed: AtomicBool::new(false),
        })
    }

    fn now(&self) -> Timestamp {
        self.weather.clock.now()
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.shared.server.lock().unwrap()
    }

    /// One exchange, said again where its answer is lost; the process may die before and after it.
    async fn exchange<R: Send>(
        &self,
        mut call: impl FnMut(&mut Server, bool, Timestamp) -> Answer<R> + Send,
    ) -> Answer<R> {
        self.process.step().await;
        self.weather.travel().await;
        let luck = self.weather.at_index(self.process.number);
        let result = match luck {
            Luck::Fine => self.say(false, &mut call),
            Luck::SaidTwice => {
                self.say_unheard(&mut call);
                super::process::moment(PATIENCE).await;
                self.disconnected();
                self.say(true, &mut call)
            }
            Luck::NoAnswer | Luck::NoEffect => {
                if luck == Luck::NoAnswer {
                    self.say_unheard(&mut call);
                }
                super::process::moment(PATIENCE).await;
                self.disconnected();
                Err(FrontierError::Unavailable("out of reach".into()))
            }
        };
        self.weather.travel().await;
        let holds = !self.granted.lock().unwrap().is_empty();
        self.failed.fetch_or(holds && result.is_err(), Ordering::Relaxed);
        self.process.step().await;
        result
    }

    /// Leases that it left behind though nothing kept it from giving them back.
    pub(super) fn left_behind(&self) -> usize {
        if self.failed.load(Ordering::Relaxed) {
            return 0;
        }
        let granted = self.granted.lock().unwrap();
        granted.len() - self.server().index.renew(&granted, self.now()).len()
    }

    fn say<R>(
        &self,
        again: bool,
        call: &mut impl FnMut(&mut Server, bool, Timestamp) -> Answer<R>,
    ) -> Answer<R> {
        call(&mut self.server(), again, self.now())
    }

    /// The answer never arrives: whatever it says, nobody knows.
    fn say_unheard<R>(&self, call: &mut impl FnMut(&mut Server, bool, Timestamp) -> Answer<R>) {
        let before = self.known().clone();
        drop(self.say(false, call));
        *self.known() = before;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    fn disconnected(&self) {
        self.known().mark = None;
    }

    /// The epoch that is open is the one that this process knows; otherwise that is said, once.
    fn enter(&self, server: &Server) -> Answer<Mark> {
        let lost = |why: &str| Err(FrontierError::Lost(why.into()));
        let mut known = self.known();
        if known.run != server.run {
            known.run = server.run;
            known.mark = None;
        }
        if known.mark.is_none() {
            let Some(mark) = server.mark.filter(|mark| mark.run == server.run) else {
                known.told = None;
                return lost("no epoch is open");
            };
            known.mark = Some(mark);
            if known.told.replace(mark).is_some_and(|told| told != mark) {
                return lost("another epoch is open");
            }
        }
        if known.mark != server.mark {
            (known.mark, known.told) = (None, None);
            return lost("the epoch is no more");
        }
        Ok(known.mark.unwrap())
    }

    /// The same for a scheduler: the epoch is its own.
    fn lead(&self, server: &Server) -> Answer<()> {
        let mark = self.enter(server)?;
        match self.known().opened {
            Some(opened) if opened != mark.epoch => {
                Err(FrontierError::Lost("another scheduler leads".into()))
            }
            _ => Ok(()),
        }
    }

    async fn directing<R: Send>(
        &self,
        mut call: impl FnMut(&mut Server, Timestamp) -> R + Send,
    ) -> Answer<R> {
        self.exchange(|server, _, now| {
            self.lead(server)?;
            Ok(call(server, now))
        })
        .await
    }
}

#[async_trait]
impl Leases for Reached {
    async fn lease(&self, hosts: usize) -> Answer<Next> {
        let next = self.exchange(|server, _, now| {
            self.enter(server)?;
            server.heard(now)?;
            Ok(server.index.lease(hosts, now).0)
        });
        Ok(match next.await? {
            Next::Leases(leases) => {
                self.granted.lock().unwrap().extend(leases.iter().map(|lease| lease.token));
                Next::Leases(leases)
            }
            Next::NotBefore(at) => Next::NotBefore(at.min(self.now() + LONGEST_REST)),
            Next::Drain => Next::Drain,
        })
    }

    async fn renew(&self, tokens: &[Token]) -> Answer<Vec<Token>> {
        let unknown = self.exchange(|server, _, now| {
            self.enter(server)?;
            server.heard(now)?;
            Ok(server.index.renew(tokens, now))
        });
        let unknown = unknown.await;
        // What is held under them may lapse.
        if unknown.is_err() {
            self.weather.excuse(tokens.len());
        }
        unknown
    }

    async fn hand_off(&self, hand_off: HandOff) -> Answer<Handed> {
        let HandOff { host, token, report, due, note, ends } = hand_off;
        let bytes = postcard::to_allocvec(&report).unwrap();
        let handed = self.exchange(|server, again, now| {
            self.enter(server)?;
            let report = postcard::from_bytes(&bytes).unwrap();
            let hand_off = HandOff { host: host.clone(), token, report, due, note: note.clone(), ends };
            Ok(server.hand_off(hand_off, again, now))
        });
        let handed = handed.await;
        self.shared.appended.notify_waiters();
        if handed.is_err() {
            self.weather.excuse(1);
        }
        handed
    }

    async fn release(&self, release: Release) -> Answer<Handed> {
        let Release { host, token, due, note } = release;
        let released = self.exchange(|server, _, now| {
            self.enter(server)?;
            Ok(server.release(Release { host: host.clone(), token, due, note: note.clone() }, now))
        });
        let released = released.await;
        self.shared.appended.notify_waiters();
        self.shared.leasable.notify_waiters();
        released
    }

    async fn note(&self, token: Token, note: Note) -> Answer<Handed> {
        let noted = self.exchange(|server, _, now| {
            self.enter(server)?;
            Ok(server.note(token, note.clone(), now))
        });
        let noted = noted.await;
        self.shared.appended.notify_waiters();
        noted
    }

    async fn remind(&self, notes: Vec<Note>) -> Answer<()> {
        let reminded = self.exchange(|server, _, now| {
            self.enter(server)?;
            server.index.remind(notes.clone(), now);
            Ok(())
        });
        let reminded = reminded.await;
        self.shared.appended.notify_waiters();
        reminded
    }

    async fn borrow_host(&self, host: &HostKey) -> Answer<Borrowed> {
        self.exchange(|server, _, now| {
            self.enter(server)?;
            Ok(server.index.borrow_host(host, now))
        })
        .await
    }

    async fn rest(&self, until: Timestamp) {
        let until = until.min(self.now() + LONGEST_REST);
        tokio::select! {
            biased;
            () = self.shared.leasable.notified() => {}
            () = self.weather.clock.sleep_until(until) => {}
        }
    }

    async fn rules(&self, crawl: CrawlId, read: SeedsRead) -> Answer<Option<CrawlRules>> {
        self.exchange(|server, _, _| {
            self.enter(server)?;
            Ok(server.index.rules(crawl, read))
        })
        .await
    }
}

#[async_trait]
impl Reports for Reached {
    async fn reports(&self, most: usize, linger: Duration) -> Answer<Vec<(EntryId, Entry)>> {
        loop {
            let appended = self.shared.appended.notified();
            let now = self.now();
            let due = self.server().next_take(most, linger, now);
            let due = due.unwrap_or(Timestamp::NEVER).min(now + LONGEST_REST);
            tokio::select! {
                biased;
                () = self.weather.clock.sleep_until(due) => {}
                () = appended, if due > now => continue,
            }
            let by = self.process.number;
            let taken = self.exchange(|server, _, now| {
                self.enter(server)?;
                Ok(server.take(by, most, linger, now))
            });
            let taken = taken.await?;
            if !taken.is_empty() {
                return Ok(taken);
            }
        }
    }

    async fn taken(&self) -> Answer<Vec<(EntryId, Entry)>> {
        // Nothing is read ahead here.
        Ok(Vec::new())
    }

    async fn unseen(&self, crawl: CrawlId, keys: &[UrlKey]) -> Answer<Vec<bool>> {
        self.exchange(|server, _, _| {
            self.enter(server)?;
            Ok(server.index.unseen(crawl, keys))
        })
        .await
    }

    async fn admit(&self, urls: Vec<Queued>, crawl: CrawlId, seen: &[UrlKey]) -> Answer<usize> {
        let admitted = self.exchange(|server, again, now| {
            self.enter(server)?;
            if again {
                // What was visited and committed since it was admitted is admitted once more.
                self.weather.excuse(urls.len());
            }
            Ok(server.index.admit(urls.clone(), crawl, seen, now))
        });
        let admitted = admitted.await;
        self.shared.leasable.notify_waiters();
        admitted
    }

    async fn acknowledge(&self, acks: Vec<Ack>) -> Answer<()> {
        let again = |ack: &Ack| Ack { id: ack.id, requeue: ack.requeue.clone(), stored: ack.stored };
        let done = self.exchange(|server, _, now| {
            self.enter(server)?;
            server.acknowledge(acks.iter().map(again).collect(), now);
            Ok(())
        });
        let done = done.await;
        self.shared.leasable.notify_waiters();
        done
    }

    async fn open_scope(&self, crawl: CrawlId, seeds: Vec<(String, ScopeKind)>) -> Answer<()> {
        self.exchange(|server, _, _| {
            self.enter(server)?;
            assert!(server.index.open_scope(crawl, seeds.clone()), "so few seeds fit");
            Ok(())
        })
        .await
    }
}
