//! A line to a server that can be cut in the middle of an exchange: what was asked arrives, the answer does not.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

pub(crate) struct Line {
    folder: TempDir,
    /// Answers that are yet to pass before the line is cut; below zero it is not.
    left: Arc<AtomicI64>,
}

impl Line {
    /// A line to the server on this socket. Needs a runtime, and lives as long as that.
    pub(crate) fn to(socket: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("line.sock")).unwrap();
        let left = Arc::new(AtomicI64::new(-1));
        let (server, cut) = (socket.to_owned(), Arc::clone(&left));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server.clone(), Arc::clone(&cut)));
            }
        });
        Self { folder, left }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("line.sock").display())
    }

    /// Cuts the line once, after so many answers more.
    pub(crate) fn cut_after(&self, answers: i64) {
        self.left.store(answers, Ordering::SeqCst);
    }

    pub(crate) fn was_cut(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }
}

async fn pass(mut client: UnixStream, server: PathBuf, left: Arc<AtomicI64>) {
    let Ok(mut server) = UnixStream::connect(server).await else { return };
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(bytes) if bytes > 0 && server.write_all(&asked[..bytes]).await.is_ok() => {}
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(bytes) if bytes > 0 => {
                    if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| (n >= 0).then_some(n - 1)) == Ok(0) {
                        return;
                    }
                    if client.write_all(&answered[..bytes]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}
