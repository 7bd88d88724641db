//! The rules of crawls as a node reads them: what it has of the seeds is not sent again.

use super::RedisFrontier;
use super::link::Args;
use super::reply::next;
use super::scripts::Script;
use super::shards;
use crate::crawl::lease::CrawlId;
use crate::crawl::scope::ScopeKind;
use crate::frontier::{CrawlRules, FrontierError};
use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

/// Crawls whose rules are kept.
const RULES_KEPT: usize = 64;

impl RedisFrontier {
    fn rules_kept(&self) -> MutexGuard<'_, HashMap<CrawlId, CrawlRules>> {
        self.leasing.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`crate::frontier::Leases::rules`].
    pub(super) async fn rules_of(&self, crawl: CrawlId) -> Result<Option<CrawlRules>, FrontierError> {
        let shards = self.link.session().await?.mark.shards;
        let shard = shards::of_crawl(crawl, shards);
        let known = self.rules_kept().get(&crawl).cloned();
        let (list, have) = known.as_ref().map_or((0, 0), |rules| (rules.list, rules.seeds.len()));
        let args = Args::new().number(crawl.0).add("get").number(list).number(have);
        let parts = self.link.one(Script::Rules, shard, args).await?.list()?;
        if parts.is_empty() {
            self.rules_kept().remove(&crawl);
            return Ok(None);
        }
        let mut parts = parts.into_iter();
        let version = next(&mut parts)?.count()? as u64;
        let list = next(&mut parts)?.count()? as u64;
        let settings = next(&mut parts)?.text()?;
        let mut rules = match known {
            Some(rules) if rules.list == list => rules,
            _ => CrawlRules { version, list, settings: "".into(), seeds: Vec::new() },
        };
        rules.version = version;
        if *rules.settings != *settings {
            rules.settings = settings.into();
        }
        for seed in next(&mut parts)?.list()? {
            let text = seed.text()?;
            let seed = text.split_once(' ').and_then(|(kind, url)| {
                let kind = ScopeKind::ALL.into_iter().find(|one| one.as_str() == kind)?;
                Some((url.to_owned(), kind))
            });
            rules.seeds.extend(seed);
        }
        let mut kept = self.rules_kept();
        if kept.len() >= RULES_KEPT {
            kept.clear();
        }
        kept.insert(crawl, rules.clone());
        Ok(Some(rules))
    }
}
