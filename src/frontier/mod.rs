//! The index: which host may be asked next, and for what.
//!
//! Three ports on one index, one for each role. SQL is the truth; whatever stands here can be rebuilt from it, so an
//! index that refuses or forgets costs a refill and never a URL. The contract of every method is its doc comment;
//! `tests/it/frontier_contract` has a test a promise and runs on every index.
//!
//! A URL of the index is in one place: a host's queue, a lease, or handed over (its report is in the stream). An
//! admission refuses what is in any of the three. A host of which nothing is left, and which may be asked, leaves the
//! index; what it asked for is kept, and holds when it comes again.

pub mod memory;
pub mod redis;

use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Lease, Pace, Queued, Token};
use crate::crawl::politeness::Delay;
use crate::crawl::report::{Entry, Note, Report};
use crate::crawl::scope::ScopeKind;
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// Why the index did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FrontierError {
    /// The index cannot be reached now; wait and ask again.
    #[error("the index is unavailable: {0}")]
    Unavailable(String),
    /// The index is empty, of another epoch, or another server than before: what was leased is void. Drop the leases, wait
    /// one lease length at least, and ask again; the scheduler opens a new epoch. Said once for each such change, and as
    /// long as no epoch is open.
    #[error("the index was lost: {0}")]
    Lost(String),
    /// The server or its settings will never do; what to change stands in the text.
    #[error("the index cannot be used: {0}")]
    Unusable(String),
}

/// What a node hears when it asks for leases.
#[derive(Debug)]
pub enum Next {
    /// At least one lease.
    Leases(Vec<Lease>),
    /// Nothing may be visited before this point; [`Leases::rest`] waits for it or for an admission.
    NotBefore(Timestamp),
    /// This node was asked to leave ([`Front::drain`]): it ends its visits and stops.
    Drain,
}

/// Whether a hand-off was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handed {
    /// Taken; the report is in the stream.
    Accepted,
    /// Taken, and the last: the crawl does not run any more, so what is left of the lease is to be given back.
    Last,
    /// The token is not that of the host's lease: nothing was appended, the node must drop the lease.
    Stale,
}

/// The end of one visit.
#[derive(Debug)]
pub struct HandOff {
    /// The host of the lease.
    pub host: HostKey,
    /// The token of the lease.
    pub token: Token,
    /// What became of the URL.
    pub report: Report,
    /// The earliest next request to the host.
    pub due: Timestamp,
    /// What was learned of the host, where that changed.
    pub note: Option<Note>,
    /// Whether the lease ends here; it does anyway with its last URL.
    pub ends: bool,
}

/// The end of a lease, or the first part of one: a robots.txt that had to be asked for first.
#[derive(Debug)]
pub struct Release {
    /// The host of the lease.
    pub host: HostKey,
    /// The token of the lease.
    pub token: Token,
    /// The earliest next request to the host.
    pub due: Timestamp,
    /// What was learned of the host, where that changed.
    pub note: Option<Note>,
}

/// What a node gets when it asks for one request to a host whose URLs it does not visit (a robots.txt that was moved
/// there).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Borrowed {
    /// One request is allowed under this token, with the pace known of the host; [`Leases::release`] ends it.
    Granted(Token, Pace),
    /// Not before this point. The host is marked wanted, so that it is kept free for a moment then.
    NotBefore(Timestamp),
}

/// The port for nodes.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Leases up to `hosts` hosts that are due, the longest due first, each with as many URLs as its pace allows:
    /// one where it has a delay, up to [`LEASE_URLS`] where it has none or was silent (they share that attempt); higher
    /// priority goes first, then the first come. A host has one lease at most. The hosts of one registrable domain have their
    /// turns one after the other: together they are leased [`DOMAIN_SHARE`] times as often as one of them that asks for no
    /// delay of its own; without a delay there are no turns.
    ///
    /// Grants nothing while the stream's lag is at its bound, nothing of a crawl that is not [`RunState::Running`], and no
    /// more URLs of a crawl than its page budget has left. (Where several nodes ask an index of several shards at the
    /// very same time, each goes by what it has just read: together they may exceed a budget by less than one call's worth
    /// of URLs each. One node, or one shard, never does.) Refuses, as unavailable, where the scheduler's beat is older
    /// than one lease length. An expired lease is taken back first: its URLs are queued again and leased alone, and the host waits
    /// max(delay, [`GUARD`]) from the expiry. A URL alone in [`QUARANTINE`] expired leases in a row is reported as
    /// failed; a visit breaks the row, a lease given back before it does not.
    async fn lease(&self, hosts: usize) -> Result<Next, FrontierError>;

    /// Moves the expiry of each lease held under these tokens to one lease length from now; answers with the tokens
    /// that it does not know, whose leases must be dropped. Refuses like [`Leases::lease`] without a beat.
    async fn renew(&self, tokens: &[Token]) -> Result<Vec<Token>, FrontierError>;

    /// Appends the report (and the note) to the stream and moves the URL from the lease to the handed-over set, all or
    /// nothing. The lease ends with its last URL, or where the hand-off says so. Where there is a note, the host is
    /// not leased again before storage has acknowledged it. A stale token appends nothing. Where the crawl of the URL does not
    /// run any more, the answer says so ([`Handed::Last`]): a pause counts after the visit in hand, and not after the lease.
    async fn hand_off(&self, hand_off: HandOff) -> Result<Handed, FrontierError>;

    /// Gives the lease back; its URLs go to the front of their queue, in their order.
    async fn release(&self, release: Release) -> Result<Handed, FrontierError>;

    /// Appends a note under a lease that goes on.
    async fn note(&self, token: Token, note: Note) -> Result<Handed, FrontierError>;

    /// Says again what this node learned of hosts before the index was lost: before it leases in a new epoch, since the store may
    /// not have heard of it. Each host goes by the slower of what is said and what is known, and each note is appended like
    /// one under a lease: the host is not leased before storage has acknowledged it.
    async fn remind(&self, notes: Vec<Note>) -> Result<(), FrontierError>;

    /// A one-request lease on `host`, if it is due and nobody holds it. Never waits.
    async fn borrow_host(&self, host: &HostKey) -> Result<Borrowed, FrontierError>;

    /// Waits until `until`, or until something changed that could make a lease possible.
    async fn rest(&self, until: Timestamp);

    /// What a node must know of a crawl to judge its links, but for the seeds that it has read; `None` where nothing was
    /// published of it. A lease says which version was in force ([`Lease::rules`]), so that a node knows when its copy is old.
    async fn rules(&self, crawl: CrawlId, read: SeedsRead) -> Result<Option<CrawlRules>, FrontierError>;
}

/// The rules of a crawl as its nodes need them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrawlRules {
    /// Grows with every change.
    pub version: u64,
    /// The settings of the crawl, as [`Front::publish`] said them.
    pub settings: Arc<str>,
    /// Its seeds: what each opens, in the order in which they were opened; those that were read before are left out.
    pub seeds: Vec<(String, ScopeKind)>,
    /// What is read with these.
    pub read: SeedsRead,
}

/// How far the seeds of a crawl were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeedsRead {
    /// Which list of seeds: another one stands in another epoch, or where the crawl was let go and comes again, and its order
    /// may be another; it is read from the first. To a list, seeds are only appended.
    pub list: u64,
    /// So many of them.
    pub count: usize,
}

/// The number of a stream entry; later entries of an epoch have higher ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub u64);

/// What storage says of an entry once it is committed.
#[derive(Debug)]
pub struct Ack {
    /// The entry.
    pub id: EntryId,
    /// The URL again, with its new attempt and due time, where it stays open.
    pub requeue: Option<Queued>,
    /// Whether the visit stored a page: it counts against the budget.
    pub stored: bool,
}

/// The port for storage.
#[async_trait]
pub trait Reports: Send + Sync {
    /// The next entries of the stream, oldest first, up to `most`; waits for the first one. Gathers for up to `linger`
    /// while the nodes have other work, so that batches are worth a transaction.
    async fn reports(&self, most: usize, linger: Duration) -> Result<Vec<(EntryId, Entry)>, FrontierError>;

    /// Entries that were read ahead and not given out by [`Reports::reports`]; none are read now. Said until nothing comes, at the
    /// end of a process: what it leaves, another gets only after a while.
    async fn taken(&self) -> Result<Vec<(EntryId, Entry)>, FrontierError>;

    /// Which of `keys` were never admitted, as far as the seen-set knows: `true` may be wrong (SQL decides), `false` is
    /// right but for collisions of 64-bit fingerprints of a cryptographic hash.
    async fn unseen(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, FrontierError>;

    /// Marks `seen` as admitted (each has a row) and queues `urls`, unless queued, leased or handed over already. What
    /// finds no room, or would overtake URLs of its host that are only in SQL, is refused: the refill brings it. Answers
    /// with the number queued.
    async fn admit(&self, urls: Vec<Queued>, crawl: CrawlId, seen: &[UrlKey])
    -> Result<usize, FrontierError>;

    /// Removes the entries from the stream and the URLs from the handed-over set, and queues again those that stay
    /// open. An entry acknowledged before is passed over.
    async fn acknowledge(&self, acks: Vec<Ack>) -> Result<(), FrontierError>;

    /// Adds seeds to the rules of a crawl, each once: said before their URLs are admitted, since the target of a seed's redirect
    /// is a seed, too. [`MAX_SCOPE_SEEDS`] of a crawl at most; more are refused as unusable and open nothing.
    async fn open_scope(&self, crawl: CrawlId, seeds: Vec<(String, ScopeKind)>) -> Result<(), FrontierError>;
}

/// Whether a crawl runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunState {
    /// Its URLs are leased.
    #[default]
    Running,
    /// They stay where they are; leases that run are let run.
    Paused,
    /// They leave the index, some with every call; what is leased or handed over ends as usual. So does what was told of
    /// nothing, in an index of several processes.
    Cancelled,
}

/// What the index is told of a crawl.
#[derive(Debug, Clone, Copy)]
pub struct CrawlSettings {
    /// Whether it runs.
    pub state: RunState,
    /// The delay the user asked for.
    pub delay: Delay,
    /// Pages that may be stored in all; `None` for no limit.
    pub max_pages: Option<u64>,
    /// Pages stored so far; `None` where the index has counted them since it was told last.
    pub stored: Option<u64>,
}

/// What stands in the index, for the refill, the end of a crawl and the progress line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// URLs in queues.
    pub queued: usize,
    /// URLs leased.
    pub leased: usize,
    /// URLs whose reports are in the stream.
    pub handed_over: usize,
    /// Hosts in the index; one with nothing left leaves it sooner or later.
    pub hosts: usize,
    /// The earliest point at which a queued URL may be visited; `None` where a visit is possible now or none is queued.
    pub next_due: Option<Timestamp>,
    /// Whether the page budget is used up.
    pub budget_spent: bool,
}

/// Hosts that wait for the end of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blocked {
    /// How many.
    pub hosts: usize,
    /// URLs queued for them.
    pub urls: usize,
    /// When the first of them may be asked again.
    pub until: Option<Timestamp>,
}

/// A host whose queue is low and was cut short: the refill tops it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Low {
    /// The host.
    pub host: HostKey,
    /// URLs of it in queue, lease and handed over.
    pub held: usize,
    /// Room for so many more.
    pub room: usize,
}

/// A node as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSeen {
    /// Its name.
    pub name: String,
    /// When it last asked for leases.
    pub seen: Timestamp,
    /// Leases in its hands then.
    pub leases: usize,
    /// Reports it has handed off since it started.
    pub handed_off: u64,
    /// Whether it was asked to leave.
    pub draining: bool,
}

/// The port for the scheduler.
#[async_trait]
pub trait Front: Send + Sync {
    /// Tells the index of a crawl, or of its new settings.
    async fn settings(&self, crawl: CrawlId, settings: CrawlSettings) -> Result<(), FrontierError>;

    /// Lets a crawl go whose settings say that it is cancelled: its queued URLs leave, some with every call, and once none of
    /// it is leased or handed over either, what is known of the crawl itself does. `true` when nothing of it is left.
    async fn forget(&self, crawl: CrawlId) -> Result<bool, FrontierError>;

    /// Publishes the settings of a crawl to the nodes, see [`Leases::rules`]; saying the same again changes nothing.
    async fn publish(&self, crawl: CrawlId, settings_json: String) -> Result<(), FrontierError>;

    /// The scheduler is alive and leads: said at a third of a lease length or more often. In one process, where a scheduler that
    /// dies takes the nodes with it, this does nothing.
    async fn beat(&self) -> Result<(), FrontierError>;

    /// The nodes that asked for leases within the last hour.
    async fn nodes(&self) -> Result<Vec<NodeSeen>, FrontierError>;

    /// Asks a node to leave: [`Leases::lease`] answers it with [`Next::Drain`] until it is gone. Another process that
    /// comes under its name is not meant. Answers whether the node is known.
    async fn drain(&self, node: &str) -> Result<bool, FrontierError>;

    /// Opens the epoch that the store drew, with the paces that the store holds: tokens begin with its number. Where
    /// another epoch went before (`resumed`), no host is asked before one full delay from now; in an index of several
    /// processes, some of which may still lease by the epoch before for one lease length (until they miss the beat) and
    /// visit for another, not before two lease lengths and max(delay, [`GUARD`]) from now. Settings said before hold; rules are
    /// to be published again.
    async fn open_epoch(
        &self,
        epoch: u32,
        paces: Vec<(HostKey, Pace)>,
        resumed: bool,
    ) -> Result<(), FrontierError>;

    /// Paces that the store came to hold after those of [`Front::open_epoch`] were read, while storage stages still wrote of the
    /// epoch before: each host goes by the slower of what is said and what is known.
    async fn learn(&self, paces: Vec<(HostKey, Pace)>) -> Result<(), FrontierError>;

    /// Hosts whose queue ran low after an admission or a part of a refill was refused, at most `most`; those that may not
    /// be asked yet only where nothing of them is queued.
    async fn low(&self, most: usize) -> Result<Vec<Low>, FrontierError>;

    /// Room for so many more URLs in all.
    async fn room(&self) -> Result<usize, FrontierError>;

    /// Makes room where the index is full of URLs of hosts that block us: all but the first of each leave it, and come
    /// back by refill. Answers with how many left. One slow host never slows another.
    async fn make_room(&self) -> Result<usize, FrontierError>;

    /// Queues URLs read from the store; those queued, leased or handed over are passed over. `complete` says that the store has no
    /// other open URL of this host.
    async fn refill(&self, host: &HostKey, urls: Vec<Queued>, complete: bool)
    -> Result<usize, FrontierError>;

    /// What stands in the index now.
    async fn counts(&self) -> Result<Counts, FrontierError>;

    /// Hosts with queued URLs that may not be asked yet because of a block, and the earliest end of one.
    async fn blocked(&self) -> Result<Blocked, FrontierError>;

    /// Said before a refill reads SQL: what is acknowledged from here to [`Front::end_refill`] is passed over by
    /// [`Front::refill`], since SQL may have been read just before it was closed.
    async fn begin_refill(&self) -> Result<(), FrontierError>;

    /// Said when the refill is done.
    async fn end_refill(&self) -> Result<(), FrontierError>;
}

/// Most URLs in one lease.
pub const LEASE_URLS: usize = 16;
/// So many times as often as one host is all of its registrable domain asked: a thousand names may be one server.
pub const DOMAIN_SHARE: u32 = 8;
/// The least pause of a host after a lease on it expired: its holder may have been about to ask.
pub const GUARD: Duration = Duration::from_secs(1);
/// A URL alone in so many expired leases in a row is quarantined.
pub const QUARANTINE: u32 = 3;
/// Seeds in the rules of one crawl.
pub const MAX_SCOPE_SEEDS: usize = 1_000_000;
