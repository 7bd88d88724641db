//! The listeners of a web: one socket a host, all on one port.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::sleep,
};

use super::{
    Callback, Request, Settings, Truth,
    connection::Shared,
    log::Log,
    truth,
    web::{HOSTS_MOST, Web, address},
};

/// Most bytes of a request's head; a longer one is answered with 431.
pub const HEAD_BYTES: usize = 16 * 1024;

/// A connection without a byte for so long is closed.
pub const IDLE: Duration = Duration::from_secs(75);

/// Most connections at a time; further ones are closed at once.
pub const CONNECTIONS: usize = 20_000;

/// Ports tried until one is free on all addresses.
const PORTS_TRIED: u32 = 32;

/// The pause after a failed accept: the process is out of file descriptors, and some will come free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// A web that is being served; it ends when stopped or dropped.
pub struct Testweb {
    shared: Arc<Shared>,
    port: u16,
    listeners: JoinSet<()>,
}

impl Testweb {
    /// Opens a socket for every host and serves them on the runtime of the caller.
    ///
    /// Fails where a socket cannot be opened: the given port is taken, or there are fewer file descriptors than
    /// hosts. With port 0 it looks for a port that is free on all addresses.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        Self::start_with(settings, None).await
    }

    /// As [`Testweb::start`], with a function to call at the arrival of each request.
    pub async fn start_with(settings: Settings, callback: Option<Callback>) -> io::Result<Self> {
        if settings.hosts > HOSTS_MOST {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "more hosts than loopback addresses"));
        }
        let (port, sockets) = bind_all(settings.hosts.max(1), settings.port).await?;
        let log = Log::open(&settings, callback)?;
        let shared = Arc::new(Shared::new(Arc::new(Web::new(&settings, port)), log));
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        let mut listeners = JoinSet::new();
        for (host, socket) in (0..).zip(sockets) {
            listeners.spawn(accept_all(host, socket, Arc::clone(&shared), Arc::clone(&permits)));
        }
        Ok(Self { shared, port, listeners })
    }

    /// The port of all hosts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URLs of all roots. From the first one everything is reachable that is reachable at all.
    pub fn seeds(&self) -> Vec<String> {
        truth::roots(&self.shared.web).collect()
    }

    /// Every URL of this web with what it answers; see [`Truth`].
    pub fn truth(&self) -> impl Iterator<Item = Truth> + Send + use<> {
        truth::of(Arc::clone(&self.shared.web))
    }

    /// The requests so far, in the order they were read; empty unless [`Settings::log`] is set.
    pub fn log(&self) -> Vec<Request> {
        self.shared.log.kept()
    }

    /// How many requests there were so far, logged or not.
    pub fn requests(&self) -> u64 {
        self.shared.log.requests()
    }

    /// Closes all sockets and connections.
    pub async fn stop(mut self) {
        self.listeners.shutdown().await;
    }
}

/// One listener for every host, all on `port`, or on one port found if it is 0.
async fn bind_all(hosts: u32, port: u16) -> io::Result<(u16, Vec<TcpListener>)> {
    let mut tried = 1;
    loop {
        match bind(hosts, port).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && port == 0 && tried < PORTS_TRIED => {
                tried += 1;
            }
            bound => return bound,
        }
    }
}

async fn bind(hosts: u32, port: u16) -> io::Result<(u16, Vec<TcpListener>)> {
    let listen = async |address: Ipv4Addr, port| TcpListener::bind(SocketAddr::from((address, port))).await;
    let first = listen(address(0), port).await?;
    let port = first.local_addr()?.port();
    let mut sockets = vec![first];
    for host in 1..hosts {
        sockets.push(listen(address(host), port).await?);
    }
    Ok((port, sockets))
}

/// Accepts connections to one host; they end with this task.
async fn accept_all(host: u32, socket: TcpListener, shared: Arc<Shared>, permits: Arc<Semaphore>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else { continue };
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move {
                        let _permit = permit;
                        serve(host, stream, &shared).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, host, "failed to accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(host: u32, stream: TcpStream, shared: &Shared) {
    let served = match stream.set_nodelay(true) {
        Ok(()) => shared.serve(host, stream).await,
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::debug!(%error, host, "a connection ended");
    }
}
