//! The index as a scheduler reaches it: it opens epochs, and is refused where another one leads.

use super::{Answer, Reached};
use crate::simulation::fleet::server::Server;
use async_trait::async_trait;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Pace, Queued};
use huntsman::frontier::{Blocked, Counts, CrawlSettings, Front, FrontierError, Low, NodeSeen};

#[async_trait]
impl Front for Reached {
    async fn settings(&self, crawl: CrawlId, settings: CrawlSettings) -> Answer<()> {
        self.known().settings.insert(crawl, settings);
        self.exchange(|server, _, _| {
            match self.enter(server).and_then(|_| self.lead(server)) {
                // Where none is open, or another one's, they are said to the epoch that this process opens.
                Err(FrontierError::Lost(_)) => return Ok(()),
                entered => entered?,
            }
            server.index.settings(crawl, settings);
            Ok(())
        })
        .await
    }

    async fn forget(&self, crawl: CrawlId) -> Answer<bool> {
        self.directing(|server, _| server.index.forget(crawl)).await
    }

    async fn publish(&self, crawl: CrawlId, settings_json: String) -> Answer<()> {
        self.directing(|server, _| server.index.publish(crawl, &settings_json)).await
    }

    async fn beat(&self) -> Answer<()> {
        self.directing(Server::beat).await
    }

    async fn nodes(&self) -> Answer<Vec<NodeSeen>> {
        Ok(Vec::new())
    }

    async fn drain(&self, _node: &str) -> Answer<bool> {
        Ok(false)
    }

    async fn open_epoch(&self, epoch: u32, paces: Vec<(HostKey, Pace)>, resumed: bool) -> Answer<()> {
        self.exchange(|server, _, now| {
            let before = server.in_flight(now);
            server.close_for(epoch, now)?;
            self.weather.excuse(before);
            self.known().run = server.run;
            Ok(())
        })
        .await?;
        self.exchange(|server, again, now| {
            if again && server.mark.is_some_and(|mark| mark.epoch == epoch) {
                return Ok(());
            }
            server.close_for(epoch, now)?;
            let mut known = self.known();
            server.open(epoch, &known.settings, paces.clone(), resumed, now);
            (known.run, known.mark, known.told) = (server.run, server.mark, server.mark);
            known.opened = Some(epoch);
            Ok(())
        })
        .await?;
        self.weather.note(format!("epoch {epoch} is open"));
        Ok(())
    }

    async fn learn(&self, paces: Vec<(HostKey, Pace)>) -> Answer<()> {
        self.directing(|server, _| server.index.learn(paces.clone())).await
    }

    async fn low(&self, most: usize) -> Answer<Vec<Low>> {
        self.directing(|server, now| server.index.low(most, now)).await
    }

    async fn room(&self) -> Answer<usize> {
        self.directing(|server, _| server.index.room()).await
    }

    async fn make_room(&self) -> Answer<usize> {
        self.directing(|server, now| server.index.make_room(now)).await
    }

    async fn refill(&self, host: &HostKey, urls: Vec<Queued>, complete: bool) -> Answer<usize> {
        let filled =
            self.directing(|server, now| server.index.refill(host, urls.clone(), complete, now)).await;
        self.shared.leasable.notify_waiters();
        filled
    }

    async fn counts(&self) -> Answer<Counts> {
        self.exchange(|server, _, now| {
            self.enter(server)?;
            Ok(server.index.counts(now))
        })
        .await
    }

    async fn blocked(&self) -> Answer<Blocked> {
        self.exchange(|server, _, now| {
            self.enter(server)?;
            Ok(server.index.blocked(now))
        })
        .await
    }

    async fn begin_refill(&self) -> Answer<()> {
        self.directing(|server, _| server.index.begin_refill()).await
    }

    async fn end_refill(&self) -> Answer<()> {
        self.directing(|server, _| server.index.end_refill()).await
    }
}
