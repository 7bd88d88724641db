//! The rules of crawls: published by the scheduler, opened further by storage, read by nodes as far as they have not read them.

use super::RedisFrontier;
use super::failure::Failure;
use super::link::Args;
use super::reply::{Reply, next};
use super::scripts::Script;
use super::shards;
use crate::crawl::lease::CrawlId;
use crate::crawl::scope::ScopeKind;
use crate::frontier::{CrawlRules, FrontierError, MAX_SCOPE_SEEDS, SeedsRead};

/// Seeds in one script or one answer.
const SEEDS: usize = 1_000;

impl RedisFrontier {
    /// See [`crate::frontier::Leases::rules`].
    pub(super) async fn rules_since(
        &self,
        crawl: CrawlId,
        read: SeedsRead,
    ) -> Result<Option<CrawlRules>, FrontierError> {
        let mut so_far: Option<CrawlRules> = None;
        loop {
            let read = so_far.as_ref().map_or(read, |rules| rules.read);
            let Some(part) = self.some_rules(crawl, read).await? else { return Ok(None) };
            let is_last = part.seeds.len() < SEEDS;
            // Of several parts, the first says which version is read: the seeds of a later one may be among them already.
            so_far = Some(match so_far.filter(|rules| rules.read.list == part.read.list) {
                None => part,
                Some(mut rules) => {
                    rules.seeds.extend(part.seeds);
                    rules.read = part.read;
                    rules
                }
            });
            if is_last {
                return Ok(so_far);
            }
        }
    }

    async fn some_rules(&self, crawl: CrawlId, read: SeedsRead) -> Result<Option<CrawlRules>, FrontierError> {
        let shards = self.link.session().await?.mark.shards;
        let args = Args::new().number(crawl.0).add("get").number(read.list).number(read.count).number(SEEDS);
        let parts = self.link.one(Script::Rules, shards::of_crawl(crawl, shards), args).await?.list()?;
        if parts.is_empty() {
            return Ok(None);
        }
        let mut parts = parts.into_iter();
        let version = next(&mut parts)?.count()? as u64;
        let list = next(&mut parts)?.count()? as u64;
        let settings = next(&mut parts)?.text()?.into();
        let said = next(&mut parts)?.list()?;
        let before = if list == read.list { read.count } else { 0 };
        let read = SeedsRead { list, count: before + said.len() };
        let seeds = said.into_iter().map(seed).collect::<Result<_, _>>()?;
        Ok(Some(CrawlRules { version, settings, seeds, read }))
    }

    /// See [`crate::frontier::Reports::open_scope`].
    pub(super) async fn open_scope_of(
        &self,
        crawl: CrawlId,
        seeds: Vec<(String, ScopeKind)>,
    ) -> Result<(), FrontierError> {
        for some in seeds.chunks(SEEDS) {
            let mut args = Args::new().number(crawl.0).add("open").number(MAX_SCOPE_SEEDS);
            for (url, kind) in some {
                args = args.add(&**url).add(kind.as_str());
            }
            self.change_rules(crawl, args).await?;
        }
        Ok(())
    }

    /// Changes the rules of a crawl, and tells every shard the version that they have now.
    pub(super) async fn change_rules(&self, crawl: CrawlId, args: Args) -> Result<(), FrontierError> {
        let shards = self.link.session().await?.mark.shards;
        let shard = shards::of_crawl(crawl, shards);
        let reply = match self.link.each(Script::Rules, vec![(shard, args)]).await?.pop() {
            Some(Err(Failure::Bound)) => {
                let why = format!("crawl {} has more than {MAX_SCOPE_SEEDS} seeds", crawl.0);
                return Err(FrontierError::Unusable(why));
            }
            Some(result) => result.map_err(Failure::into_error)?,
            None => return Err(FrontierError::Unavailable("no answer".into())),
        };
        let version = next(&mut reply.parts(1)?)?.number()?;
        self.link.everywhere(Script::Version, || Args::new().number(crawl.0).number(version)).await.map(drop)
    }
}

/// A seed as the list holds it: what it opens, and its URL.
fn seed(said: Reply) -> Result<(String, ScopeKind), FrontierError> {
    let text = said.text()?;
    let seed = text.split_once(' ').and_then(|(kind, url)| Some((url.to_owned(), kind.parse().ok()?)));
    seed.ok_or_else(|| {
        FrontierError::Unusable(format!("a seed in the index reads {text:?}: huntsman recover"))
    })
}
