//! Hand-offs, many in one exchange: those that come while one is on its way go together with the next. None waits for
//! company, so a node that does little is as quick as before, and one that does much speaks seldom.

use super::failure::Failure;
use super::link::{Args, Link};
use super::reply::Reply;
use super::scripts::Script;
use crate::frontier::{FrontierError, Handed};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Hand-offs in one exchange: a script holds up the server for a few milliseconds at most.
const PER_EXCHANGE: usize = 64;

type Answer = Result<Handed, FrontierError>;

/// One hand-off and who waits for its answer.
#[derive(Debug)]
struct One {
    shard: u32,
    args: Args,
    tell: oneshot::Sender<Answer>,
}

/// See the module. There are as many hand-offs at a time as visits, which the node bounds.
#[derive(Debug, Default)]
pub(super) struct Handing(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    queue: Vec<One>,
    /// Whether a task takes from the queue.
    is_served: bool,
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Handing {
    /// Hands off with the next exchange. That runs as a task, so that no hand-off depends on who waits for another.
    pub(super) async fn say(&self, link: &Arc<Link>, shard: u32, args: Args) -> Answer {
        let (tell, told) = oneshot::channel();
        let is_served = {
            let mut waiting = lock(&self.0);
            waiting.queue.push(One { shard, args, tell });
            std::mem::replace(&mut waiting.is_served, true)
        };
        if !is_served {
            tokio::spawn(serve(Arc::clone(link), Served(Arc::clone(&self.0))));
        }
        told.await.unwrap_or_else(|_| Err(FrontierError::Unavailable("the hand-off was cut off".into())))
    }
}

/// The queue in the hands of its task: where that dies, the next hand-off begins another.
struct Served(Arc<Mutex<Waiting>>);

impl Drop for Served {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0).is_served = false;
        }
    }
}

async fn serve(link: Arc<Link>, served: Served) {
    loop {
        // Visits that ended at this very moment come along.
        tokio::task::yield_now().await;
        let some: Vec<One> = {
            let mut waiting = lock(&served.0);
            if waiting.queue.is_empty() {
                // In the same breath as the look: whoever comes next begins another task.
                waiting.is_served = false;
                return;
            }
            let most = waiting.queue.len().min(PER_EXCHANGE);
            waiting.queue.drain(..most).collect()
        };
        exchange(&link, some).await;
    }
}

/// One script a shard, in one round trip.
async fn exchange(link: &Link, some: Vec<One>) {
    let mut by_shard: HashMap<u32, (Args, Vec<oneshot::Sender<Answer>>)> = HashMap::new();
    for One { shard, args, tell } in some {
        let (all, tellers) =
            by_shard.entry(shard).or_insert_with(|| (Args::new().again(), Vec::with_capacity(1)));
        all.append(args);
        tellers.push(tell);
    }
    let (calls, tellers): (Vec<_>, Vec<_>) =
        by_shard.into_iter().map(|(shard, (args, tellers))| ((shard, args), tellers)).unzip();
    match link.each(Script::HandOff, calls).await {
        Ok(results) => {
            for (result, tellers) in results.into_iter().zip(tellers) {
                tell_all(tellers, &result.map_err(Failure::into_error).and_then(Reply::bytes));
            }
        }
        Err(why) => tellers.into_iter().for_each(|tellers| tell_all(tellers, &Err(why.clone()))),
    }
}

fn tell_all(tellers: Vec<oneshot::Sender<Answer>>, digits: &Result<Vec<u8>, FrontierError>) {
    for (at, tell) in tellers.into_iter().enumerate() {
        let answer = match digits {
            Ok(digits) => match digits.get(at) {
                Some(b'1') => Ok(Handed::Accepted),
                Some(b'2') => Ok(Handed::Last),
                _ => Ok(Handed::Stale),
            },
            Err(why) => Err(why.clone()),
        };
        // Whoever asked may have gone: its lease was lost.
        let _ = tell.send(answer);
    }
}
