//! Batches with an entry that the database refuses whatever is done: found, given up with the evidence, and the rest
//! goes through.

use super::connection::{Tries, patiently};
use super::errors::{evidence, is_poison};
use super::{PostgresStore, commit, on};
use crate::crawl::report::{Entry, Note, Outcome, Report};
use crate::store::Committed;
use std::collections::HashMap;

/// The reason of a URL whose visit cannot be stored.
const REASON: &str = "store-refused";
/// Most characters of what the database said that are kept.
const MOST_EVIDENCE: usize = 500;

/// An entry that was replaced, and how often.
struct Replaced {
    entry: Entry,
    times: u32,
}

impl PostgresStore {
    /// Commits a batch of which the database said `why`: every entry that it refuses is found by bisection and replaced by
    /// one that gives its URL up, then the whole is one transaction as ever. An entry is replaced twice at most.
    pub(super) async fn write_the_rest(
        &self,
        batch: &[&Entry],
        mut why: sqlx::Error,
    ) -> Result<Vec<Committed>, sqlx::Error> {
        let mut replaced: HashMap<usize, Replaced> = HashMap::new();
        // Entries in front of the culprit have passed and are not tried again.
        let mut passed = 0;
        loop {
            let current = with_replaced(batch, &replaced);
            let (culprit, refused) = self.culprit(&current, passed, why).await?;
            let times = replaced.get(&culprit).map_or(0, |one| one.times);
            let Some(entry) = given_up(batch[culprit], times, &refused) else { return Err(refused) };
            tracing::warn!(why = %refused, "the database refused an entry; it is given up");
            replaced.insert(culprit, Replaced { entry, times: times + 1 });
            passed = culprit;
            match self.write(&with_replaced(batch, &replaced)).await {
                Err(next) if is_poison(&next) => why = next,
                other => return other.map(|committed| without_links(committed, &replaced)),
            }
        }
    }

    /// The last entry of the shortest beginning of the batch that is refused, and what was said of it.
    async fn culprit(
        &self,
        batch: &[&Entry],
        passed: usize,
        why: sqlx::Error,
    ) -> Result<(usize, sqlx::Error), sqlx::Error> {
        let (mut good, mut bad, mut refused) = (passed, batch.len(), why);
        while bad - good > 1 {
            let middle = good.midpoint(bad);
            match self.rehearse(&batch[..middle]).await {
                Ok(()) => good = middle,
                Err(why) if is_poison(&why) => (bad, refused) = (middle, why),
                Err(why) => return Err(why),
            }
        }
        Ok((bad - 1, refused))
    }

    async fn rehearse(&self, batch: &[&Entry]) -> Result<(), sqlx::Error> {
        on!(self.writer, line => commit::rehearse(&mut line, batch))
    }
}

/// An entry that lost what it had found answers as if it had changed nothing, so that nobody takes those URLs for rows.
fn without_links(mut committed: Vec<Committed>, replaced: &HashMap<usize, Replaced>) -> Vec<Committed> {
    for (at, _) in replaced.iter().filter(|(_, one)| one.times > 1) {
        committed[*at] = Committed::default();
    }
    committed
}

fn with_replaced<'a>(batch: &[&'a Entry], replaced: &'a HashMap<usize, Replaced>) -> Vec<&'a Entry> {
    let pick = |(at, entry): (usize, &&'a Entry)| replaced.get(&at).map_or(*entry, |one| &one.entry);
    batch.iter().enumerate().map(pick).collect()
}

/// The entry without what may be to blame: first without its page, then without all that it found; `None` after that.
fn given_up(entry: &Entry, times: u32, why: &sqlx::Error) -> Option<Entry> {
    match (entry, times) {
        (Entry::Report(report), 0..=1) => {
            let detail = evidence(why).chars().take(MOST_EVIDENCE).collect();
            let outcome = Outcome::Failed { reason: REASON.to_owned(), detail };
            let Report { url, token, fetch, at, found, skipped, .. } = &**report;
            let (url, fetch, token, at) = (url.clone(), fetch.clone(), *token, *at);
            let (found, skipped) =
                if times == 0 { (found.clone(), skipped.clone()) } else { (Vec::new(), Vec::new()) };
            Some(Entry::Report(Box::new(Report { url, token, fetch, outcome, at, found, skipped })))
        }
        (Entry::Note(note), 0) => Some(Entry::Note(Box::new(Note { robots: None, ..(**note).clone() }))),
        _ => None,
    }
}
