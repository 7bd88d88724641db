//! What storage and scheduler do to the model and see of it.

use super::{About, Host, Model, Waiting};
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::Queued;
use huntsman::crawl::report::Entry;
use huntsman::crawl::url::UrlKey;
use huntsman::frontier::{Ack, Blocked, Counts, EntryId, Low};
use std::collections::BTreeSet;
use std::time::Duration;

/// A host that rests for longer makes room.
const FAR: Duration = Duration::from_secs(2);

impl Model {
    pub(in crate::frontier_contract) fn has_entries(&self) -> bool {
        !self.stream.is_empty()
    }

    pub(in crate::frontier_contract) fn expect_reports(&mut self, most: usize, batch: &[(EntryId, Entry)]) {
        let waiting = self.stream.iter().map(BTreeSet::len).sum::<usize>();
        assert_eq!(batch.len(), most.min(waiting));
        for (id, entry) in batch {
            let about = match entry {
                Entry::Report(report) => About { host: report.url.host.clone(), key: Some(report.url.key) },
                Entry::Note(note) => About { host: note.host.clone(), key: None },
            };
            assert!(self.stream[0].remove(&about), "the oldest first: {about:?} before {:?}", self.stream[0]);
            if self.stream[0].is_empty() {
                self.stream.remove(0);
            }
            assert!(self.taken.insert(*id, about).is_none(), "each entry has its own number");
        }
    }

    pub(in crate::frontier_contract) fn expect_unseen(&self, keys: &[UrlKey], unseen: &[bool]) {
        assert!(keys.iter().map(|key| !self.seen.contains(key)).eq(unseen.iter().copied()));
    }

    pub(in crate::frontier_contract) fn admit(&mut self, urls: &[Queued], seen: &[UrlKey]) -> usize {
        self.seen.extend(seen);
        let mut queued = 0;
        for url in urls {
            let is_new = !self.host(&url.host).knows(url.key);
            if is_new && (self.hosts[&url.host].short || self.is_full(&url.host)) {
                self.host(&url.host).short = true;
            } else if is_new {
                self.queue(url);
                queued += 1;
            }
        }
        queued
    }

    fn queue(&mut self, url: &Queued) {
        self.seen.insert(url.key);
        self.host(&url.host).queue.push(Waiting { url: url.clone(), suspect: None });
    }

    pub(in crate::frontier_contract) fn acknowledge(&mut self, acks: &[Ack]) {
        for ack in acks {
            let Some(about) = self.taken.remove(&ack.id) else { continue };
            let Some(key) = about.key else {
                self.host(&about.host).notes -= 1;
                continue;
            };
            assert!(self.host(&about.host).handed_over.remove(&key));
            self.settled.iter_mut().for_each(|settled| settled.extend([key]));
            self.stored += u64::from(ack.stored);
            ack.requeue.iter().for_each(|url| self.queue(url));
        }
    }

    pub(in crate::frontier_contract) fn begin_refill(&mut self) {
        self.settled = Some(BTreeSet::new());
    }

    pub(in crate::frontier_contract) fn end_refill(&mut self) {
        self.settled = None;
    }

    pub(in crate::frontier_contract) fn refill(
        &mut self,
        key: &HostKey,
        urls: &[Queued],
        complete: bool,
    ) -> usize {
        let mut queued = 0;
        self.host(key).short = !complete;
        for url in urls {
            let is_settled = self.settled.as_ref().is_some_and(|settled| settled.contains(&url.key));
            if is_settled || self.host(key).knows(url.key) {
                continue;
            }
            if self.is_full(key) {
                self.host(key).short = true;
                break;
            }
            self.queue(url);
            queued += 1;
        }
        queued
    }

    pub(in crate::frontier_contract) fn make_room(&mut self) -> usize {
        let now = self.now;
        let mut left = 0;
        for host in self.hosts.values_mut() {
            if host.queue.len() < 2 || host.free_at() <= now + FAR {
                continue;
            }
            let by_due = host.queue.iter().min_by_key(|waiting| waiting.url.due).cloned();
            let first = host.in_order(now).into_iter().next().or(by_due);
            left += host.queue.len() - 1;
            host.queue = first.into_iter().collect();
            host.short = true;
        }
        left
    }

    pub(in crate::frontier_contract) fn room(&self) -> usize {
        self.limits.urls.saturating_sub(self.sum(Host::size))
    }

    pub(in crate::frontier_contract) fn expect_low(&self, low: &[Low]) {
        let names: BTreeSet<_> = low.iter().map(|low| &low.host).collect();
        assert_eq!(names.len(), low.len(), "each host once");
        for Low { host: key, held, room } in low {
            let host = &self.hosts[key];
            assert!(host.short, "{key} has nothing in the store");
            assert!(host.queue.is_empty() || host.free_at() <= self.now, "{key} could not be visited");
            assert_eq!((*held, *room), (host.size(), self.limits.host_urls.saturating_sub(host.size())));
        }
        for (key, host) in &self.hosts {
            assert!(!host.short || !host.queue.is_empty() || names.contains(key), "{key} is forgotten");
        }
    }

    pub(in crate::frontier_contract) fn expect_counts(&self, counts: &Counts, blocked: &Blocked) {
        let next = self.hosts.values().filter_map(Host::leasable_at).min().filter(|at| *at > self.now);
        let expected = Counts {
            queued: self.sum(|host| host.queue.len()),
            leased: self.sum(Host::leased),
            handed_over: self.sum(|host| host.handed_over.len()),
            hosts: counts.hosts,
            next_due: next,
            budget_spent: self.max_pages.is_some_and(|most| self.stored >= most),
        };
        assert_eq!(*counts, expected);
        let busy = self.hosts.values().filter(|host| host.size() > 0).count();
        assert!((busy..=self.hosts.len()).contains(&counts.hosts), "{} hosts", counts.hosts);
        let blocking = self.hosts.values().filter(|host| {
            !host.queue.is_empty() && host.pace.block_until.is_some_and(|until| until > self.now)
        });
        let expected = blocking.fold(Blocked::default(), |sum, host| Blocked {
            hosts: sum.hosts + 1,
            urls: sum.urls + host.queue.len(),
            until: [sum.until, host.pace.block_until].into_iter().flatten().min(),
        });
        assert_eq!(*blocked, expected);
    }
}
