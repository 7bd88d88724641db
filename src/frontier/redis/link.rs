//! The way to the server: a connector of ours, since a client that reconnects silently would carry on with an index that
//! is another one.
//!
//! On every connection the server's run id and the mark of the open epoch are compared with what was known before. Every
//! script is safe to repeat, so what was cut off is said once more on a new connection, and then given up.

use super::checks;
use super::failure::Failure;
use super::reply::Reply;
use super::scripts::Script;
use super::{Settings, Time};
use crate::clock::Clock;
use crate::frontier::FrontierError;
use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Value};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a connection may take to open, and an answer to come.
const PATIENCE: Duration = Duration::from_secs(2);

/// The epoch that is open, as it stands in the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) epoch: u32,
    /// The server on which it was opened: one that was restarted since has lost an unknown part of it.
    pub(super) run_id: String,
    pub(super) shards: u32,
    pub(super) lease: Duration,
}

impl Mark {
    pub(super) fn as_text(&self) -> String {
        format!("{} {} {} {}", self.epoch, self.run_id, self.shards, self.lease.as_micros())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let epoch = words.next()?.parse().ok()?;
        let run_id = words.next()?.to_owned();
        let shards = words.next()?.parse().ok().filter(|shards| (1..=super::MAX_SHARDS).contains(shards))?;
        let lease = Duration::from_micros(words.next()?.parse().ok()?);
        Some(Self { epoch, run_id, shards, lease })
    }
}

/// What one script is told after what all are told.
#[derive(Debug, Default)]
pub(super) struct Args {
    args: Vec<Vec<u8>>,
    again: Option<usize>,
}

impl Args {
    pub(super) fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub(super) fn add(mut self, arg: impl Into<Vec<u8>>) -> Self {
        self.push(arg);
        self
    }

    pub(super) fn push(&mut self, arg: impl Into<Vec<u8>>) {
        self.args.push(arg.into());
    }

    #[must_use]
    pub(super) fn number(self, number: impl std::fmt::Display) -> Self {
        self.add(number.to_string())
    }

    /// An argument that is `1` where the script is said again since the first answer was lost.
    #[must_use]
    pub(super) fn again(mut self) -> Self {
        self.again = Some(self.args.len());
        self.add("0")
    }

    /// Adds what another would say; it is not said again by itself.
    pub(super) fn append(&mut self, mut other: Self) {
        self.args.append(&mut other.args);
    }

    fn said_again(&mut self) {
        if let Some(at) = self.again {
            self.args[at] = b"1".to_vec();
        }
    }
}

/// A connection on which an epoch is open.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) connection: MultiplexedConnection,
    pub(super) mark: Mark,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    run_id: String,
    mark: Option<Mark>,
    /// What the caller knows to be open: a change is said once.
    known: Option<Mark>,
    /// The run id for which the checks of the start were made.
    checked: String,
    shas: Vec<String>,
}

/// See the module.
pub(super) struct Link {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    client: Client,
    state: Mutex<State>,
    /// Exchanges with the server since the start.
    pub(super) round_trips: AtomicU64,
}

impl Link {
    pub(super) fn new(settings: Settings, clock: Clock) -> Result<Self, FrontierError> {
        // For rediss://. Fails where a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::open(&*settings.url)
            .map_err(|why| FrontierError::Unusable(format!("its URL is none that can be used: {why}")))?;
        Ok(Self { settings, clock, client, state: Mutex::default(), round_trips: AtomicU64::new(0) })
    }

    /// Keeps a paused clock from running ahead of the server, in tests.
    pub(super) fn hold(&self) -> Option<Box<dyn Send>> {
        match self.settings.time {
            Time::Server => None,
            Time::Caller(hold) => Some(hold()),
        }
    }

    /// The first part of the keys of a shard, up to the number of an epoch.
    pub(super) fn stem(&self, shard: u32) -> String {
        format!("{}:{{{shard}}}:e", self.settings.namespace)
    }

    fn mark_key(&self, shard: u32) -> String {
        format!("{}:{{{shard}}}:epoch", self.settings.namespace)
    }

    /// A connection whose server was looked at, whether or not an epoch is open; with the server's run id.
    pub(super) async fn connection(&self) -> Result<(MultiplexedConnection, String), FrontierError> {
        let _hold = self.hold();
        let mut state = self.state.lock().await;
        self.connect(&mut state).await
    }

    async fn connect(&self, state: &mut State) -> Result<(MultiplexedConnection, String), FrontierError> {
        if let Some(connection) = &state.connection {
            return Ok((connection.clone(), state.run_id.clone()));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let opened = self.client.get_multiplexed_async_connection_with_config(&config).await;
        let mut connection = opened.map_err(|why| Failure::of(&why).into_error())?;
        let info: String = ask(&mut connection, redis::cmd("INFO").arg("everything")).await?;
        let about = checks::Server::parse(&info);
        if about.run_id != state.checked {
            about.check()?;
        }
        let mut shas = Vec::with_capacity(Script::ALL.len());
        for script in Script::ALL {
            let load = redis::cmd("SCRIPT").arg("LOAD").arg(script.text()).to_owned();
            shas.push(ask::<String>(&mut connection, &load).await?);
        }
        state.shas = shas;
        if about.run_id != state.checked {
            self.probe(&mut connection, &state.shas).await?;
            state.checked.clone_from(&about.run_id);
        }
        state.run_id = about.run_id;
        state.mark = None;
        state.connection = Some(connection.clone());
        Ok((connection, state.run_id.clone()))
    }

    async fn probe(
        &self,
        connection: &mut MultiplexedConnection,
        shas: &[String],
    ) -> Result<(), FrontierError> {
        let key = format!("{}:{{0}}:probe:{}", self.settings.namespace, self.settings.name);
        let mut probe = redis::cmd("EVALSHA");
        probe.arg(&shas[Script::Probe as usize]).arg(1).arg(&key);
        let encoding: String = ask(connection, &probe).await?;
        // How the keys of older epochs are found and deleted.
        ask::<redis::Value>(connection, redis::cmd("SCAN").arg(0).arg("COUNT").arg(1)).await?;
        ask::<i64>(connection, redis::cmd("UNLINK").arg(key)).await?;
        checks::check_encoding(&encoding)
    }

    /// The connection and the epoch that is open. A change of either is said once, as lost; none open is said each time.
    pub(super) async fn session(&self) -> Result<Session, FrontierError> {
        let _hold = self.hold();
        let mut state = self.state.lock().await;
        let (mut connection, mut run_id) = self.connect(&mut state).await?;
        if state.mark.is_none() {
            let get = redis::cmd("GET").arg(self.mark_key(0)).to_owned();
            let mut text = get.query_async::<Option<String>>(&mut connection).await;
            if text.is_err() {
                state.connection = None;
                (connection, run_id) = self.connect(&mut state).await?;
                text = get.query_async(&mut connection).await;
            }
            let text = match text {
                Ok(text) => text,
                Err(why) => {
                    state.connection = None;
                    return Err(Failure::of(&why).into_error());
                }
            };
            let Some(mark) = text.as_deref().and_then(Mark::parse) else {
                state.known = None;
                return Err(FrontierError::Lost("no epoch is open in it: the scheduler opens one".into()));
            };
            if mark.run_id != run_id {
                state.known = None;
                return Err(FrontierError::Lost(
                    "the server was restarted or is another one than before: the scheduler opens a new epoch"
                        .into(),
                ));
            }
            if let Some(known) = state.known.replace(mark.clone())
                && known != mark
            {
                state.mark = Some(mark.clone());
                return Err(FrontierError::Lost(format!(
                    "epoch {} is open and no longer {}",
                    mark.epoch, known.epoch
                )));
            }
            state.mark = Some(mark);
        }
        let mark = state.mark.clone().expect("it was read");
        Ok(Session { connection, mark })
    }

    /// Runs a script in several shards at once: one round trip.
    pub(super) async fn each(
        &self,
        script: Script,
        mut calls: Vec<(u32, Args)>,
    ) -> Result<Vec<Result<Reply, Failure>>, FrontierError> {
        for last in [false, true] {
            let session = self.session().await?;
            let results = self.run(&session, script, &calls).await;
            let broken = results.iter().find_map(|result| match result {
                Err(Failure::Broken(why)) => Some(why.clone()),
                Err(Failure::NoScript) => Some("the server forgot the scripts".into()),
                _ => None,
            });
            if let Some(why) = broken {
                self.drop_connection(&session).await;
                if last {
                    return Err(FrontierError::Unavailable(why));
                }
                for (_, args) in &mut calls {
                    args.said_again();
                }
                continue;
            }
            for result in &results {
                if let Err(Failure::Other(FrontierError::Lost(why))) = result {
                    let why = why.clone();
                    self.forget_epoch().await;
                    return Err(FrontierError::Lost(why));
                }
            }
            return Ok(results);
        }
        Err(FrontierError::Unavailable("the connection broke again and again".into()))
    }

    /// The same, where a failure in one shard is a failure of all.
    pub(super) async fn all(
        &self,
        script: Script,
        calls: Vec<(u32, Args)>,
    ) -> Result<Vec<Reply>, FrontierError> {
        let results = self.each(script, calls).await?;
        results.into_iter().map(|result| result.map_err(Failure::into_error)).collect()
    }

    /// The same in one shard.
    pub(super) async fn one(&self, script: Script, shard: u32, args: Args) -> Result<Reply, FrontierError> {
        let mut replies = self.all(script, vec![(shard, args)]).await?;
        replies.pop().ok_or_else(|| FrontierError::Unavailable("no answer".into()))
    }

    /// Runs a script in every shard with the same arguments.
    pub(super) async fn everywhere(
        &self,
        script: Script,
        args: impl Fn() -> Args,
    ) -> Result<Vec<Reply>, FrontierError> {
        let shards = self.session().await?.mark.shards;
        self.all(script, (0..shards).map(|shard| (shard, args())).collect()).await
    }

    /// Runs a script in the epoch of `session`.
    pub(super) async fn run(
        &self,
        session: &Session,
        script: Script,
        calls: &[(u32, Args)],
    ) -> Vec<Result<Reply, Failure>> {
        let sha = self.state.lock().await.shas.get(script as usize).cloned().unwrap_or_default();
        let _hold = self.hold();
        let now = self.clock.now().as_micros();
        let caller = matches!(self.settings.time, Time::Caller(_));
        let commands = calls.iter().map(|(shard, args)| {
            let mut command = redis::cmd("EVALSHA");
            command.arg(&sha).arg(1).arg(format!("{}{}:", self.stem(*shard), session.mark.epoch));
            command.arg(session.mark.epoch).arg(now).arg(u8::from(caller));
            for arg in &args.args {
                command.arg(arg);
            }
            let mut connection = session.connection.clone();
            async move { command.query_async::<Value>(&mut connection).await }
        });
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        let results = join_all(commands).await;
        results.into_iter().map(|result| result.map(Reply).map_err(|why| Failure::of(&why))).collect()
    }

    /// Reads so many entries of the streams of these shards, after these points, in one round trip.
    pub(super) async fn read_streams(
        &self,
        session: &Session,
        consumer: &str,
        asked: &[(u32, usize, &str)],
    ) -> Result<Vec<(u32, Reply)>, FrontierError> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let _hold = self.hold();
        let commands = asked.iter().map(|(shard, count, after)| {
            let mut command = redis::cmd("XREADGROUP");
            command.arg("GROUP").arg("storage").arg(consumer).arg("COUNT").arg(*count).arg("STREAMS");
            command.arg(format!("{}{}:stream", self.stem(*shard), session.mark.epoch)).arg(*after);
            let mut connection = session.connection.clone();
            async move { command.query_async::<Value>(&mut connection).await }
        });
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        let results = join_all(commands).await;
        let mut read = Vec::with_capacity(results.len());
        for (result, (shard, ..)) in results.into_iter().zip(asked) {
            match result.map_err(|why| Failure::of(&why)) {
                Ok(reply) => read.push((*shard, Reply(reply))),
                Err(why) => {
                    self.drop_connection(session).await;
                    return Err(why.into_error());
                }
            }
        }
        Ok(read)
    }

    /// Says in one shard which epoch is open, or that none is; `is_closed` where that goes for the very epoch that is named.
    pub(super) async fn mark(
        &self,
        connection: &mut MultiplexedConnection,
        shard: u32,
        epoch: u32,
        mark: Option<&Mark>,
        is_closed: bool,
    ) -> Result<(), FrontierError> {
        let sha = self.state.lock().await.shas[Script::Mark as usize].clone();
        let _hold = self.hold();
        let mut command = redis::cmd("EVALSHA");
        command.arg(sha).arg(1).arg(self.mark_key(shard)).arg(epoch);
        command
            .arg(mark.map(Mark::as_text).unwrap_or_default())
            .arg(self.stem(shard))
            .arg(u8::from(is_closed));
        ask::<i64>(connection, &command).await.map(drop)
    }

    /// The caller opened this epoch itself.
    pub(super) async fn opened(&self, mark: Mark) {
        let mut state = self.state.lock().await;
        state.known = Some(mark.clone());
        state.mark = Some(mark);
    }

    /// The epoch is no more; the caller is told, and not again when the next is found.
    pub(super) async fn forget_epoch(&self) {
        let mut state = self.state.lock().await;
        state.mark = None;
        state.known = None;
    }

    async fn drop_connection(&self, session: &Session) {
        let mut state = self.state.lock().await;
        if state.mark.as_ref() == Some(&session.mark) {
            state.connection = None;
            state.mark = None;
        }
    }
}

/// One command beside the scripts.
pub(super) async fn ask<T: redis::FromRedisValue>(
    connection: &mut MultiplexedConnection,
    command: &redis::Cmd,
) -> Result<T, FrontierError> {
    command.query_async(connection).await.map_err(|why| Failure::of(&why).into_error())
}
