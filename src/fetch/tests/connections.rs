//! Connections: reused, closed, refused, given up.

use super::*;

#[tokio::test]
async fn a_connection_is_reused() {
    let server = Server::start(|mut peer| async move {
        while !peer.head().await.is_empty() {
            peer.send(&with_body("", b"ok")).await;
        }
    })
    .await;
    let client = client();
    for _ in 0..5 {
        assert_eq!(get(&client, server.url("/")).await.unwrap().body, b"ok");
    }
    assert_eq!((server.connections(), server.requests()), (1, 5));
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_costs_nothing() {
    let (closed, mut was_closed) = tokio::sync::mpsc::channel(1);
    let server = Server::start(move |mut peer| {
        let closed = closed.clone();
        async move {
            peer.head().await;
            peer.send(&with_body("", b"ok")).await;
            // Closed although the client was told nothing of it.
            drop(peer);
            closed.send(()).await.unwrap();
        }
    })
    .await;
    let client = client();
    for _ in 0..50 {
        assert_eq!(get(&client, server.url("/")).await.unwrap().body, b"ok");
        was_closed.recv().await.unwrap();
        // The end is in the socket; one turn of the runtime lets it be seen. A request written before that would be
        // an incomplete one, and rightly.
        tokio::task::yield_now().await;
    }
    assert_eq!((server.connections(), server.requests()), (50, 50));
}

#[tokio::test]
async fn a_request_that_was_written_is_not_repeated() {
    for (answered, expected) in [
        (&b""[..], FailureClass::Dropped),
        (b"HTTP/1.1 200 OK\r\nContent-", FailureClass::Dropped),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", FailureClass::Incomplete),
    ] {
        let server = Server::start(move |mut peer| async move {
            peer.head().await;
            peer.send(&with_body("", b"ok")).await;
            peer.head().await;
            peer.send(answered).await;
        })
        .await;
        let client = client();
        assert_eq!(get(&client, server.url("/")).await.unwrap().body, b"ok");
        assert_eq!(class(get(&client, server.url("/")).await), expected);
        assert_eq!((server.connections(), server.requests()), (1, 2));
        assert_eq!(get(&client, server.url("/")).await.unwrap().body, b"ok");
    }
}

#[tokio::test]
async fn a_fresh_connection_that_closes_is_not_repeated() {
    let server = Server::start(|mut peer| async move {
        peer.head().await;
    })
    .await;
    assert_eq!(class(get(&client(), server.url("/")).await), FailureClass::Incomplete);
    assert_eq!((server.connections(), server.requests()), (1, 1));
}

#[tokio::test]
async fn a_refused_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let visit = visit(&client(), url).await;
    assert_eq!(visit.first_byte, None);
    assert_eq!(class(visit.result), FailureClass::Connect);
}

#[tokio::test]
async fn a_dropped_request_closes_its_connection() {
    let (closed, mut was_closed) = tokio::sync::mpsc::channel(1);
    let server = Server::start(move |mut peer| {
        let closed = closed.clone();
        async move {
            peer.head().await;
            closed.send("asked").await.unwrap();
            peer.gone().await;
            closed.send("closed").await.unwrap();
        }
    })
    .await;
    let client = Arc::new(client());
    let url = server.url("/");
    let task = tokio::spawn(async move { client.get(Request::get(url)).await });
    assert_eq!(was_closed.recv().await, Some("asked"));
    task.abort();
    assert_eq!(was_closed.recv().await, Some("closed"));
}

/// A fence that the test opens and closes.
#[derive(Debug)]
struct Gate(AtomicBool);

impl Fence for Gate {
    fn lets_through(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A GET of `url` through `gate`.
fn through(gate: &Arc<Gate>, url: Url) -> Request {
    Request { fence: Some(Arc::clone(gate) as _), ..Request::get(url) }
}

/// A server that answers each request, and tells of each connection, once it has ended, how many heads came and how many octets of
/// another one.
async fn counting() -> (Server, tokio::sync::mpsc::Receiver<(usize, usize)>) {
    let (ended, told) = tokio::sync::mpsc::channel(8);
    let server = Server::start(move |mut peer| {
        let ended = ended.clone();
        async move {
            let (mut head, mut heads) = (Vec::new(), 0);
            while let Ok(octet) = peer.stream.read_u8().await {
                head.push(octet);
                if head.ends_with(b"\r\n\r\n") {
                    assert!(!String::from_utf8_lossy(&head).to_lowercase().contains("transfer-encoding"));
                    heads += 1;
                    head.clear();
                    peer.send(&with_body("", b"ok")).await;
                }
            }
            ended.send((heads, head.len())).await.unwrap();
        }
    })
    .await;
    (server, told)
}

#[tokio::test]
async fn not_an_octet_is_written_once_the_fence_has_passed() {
    // On a new connection.
    let (server, mut told) = counting().await;
    let client = client();
    let gate = Arc::new(Gate(AtomicBool::new(false)));
    let visit = client.get(through(&gate, server.url("/"))).await;
    assert_eq!((class(visit.result), visit.first_byte), (FailureClass::Aborted, None));
    assert_eq!(told.recv().await, Some((0, 0)));

    // On one that is open, and not on another one either.
    gate.0.store(true, Ordering::SeqCst);
    let visit = client.get(through(&gate, server.url("/"))).await;
    assert_eq!(visit.result.unwrap().body, b"ok");
    gate.0.store(false, Ordering::SeqCst);
    assert_eq!(class(client.get(through(&gate, server.url("/"))).await.result), FailureClass::Aborted);
    assert_eq!(told.recv().await, Some((1, 0)));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_fence_that_passes_after_the_request_was_handed_over_keeps_it_back() {
    let (server, mut told) = counting().await;
    let client = client();
    let gate = Arc::new(Gate(AtomicBool::new(true)));
    assert!(client.get(through(&gate, server.url("/"))).await.result.is_ok());
    // Polled once: an idle connection takes it, whose task has not run yet.
    let mut asking = std::pin::pin!(client.get(through(&gate, server.url("/"))));
    let is_pending =
        std::future::poll_fn(|context| Poll::Ready(asking.as_mut().poll(context).is_pending())).await;
    assert!(is_pending);
    gate.0.store(false, Ordering::SeqCst);
    assert_eq!(class(asking.await.result), FailureClass::Aborted);
    assert_eq!(told.recv().await, Some((1, 0)));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn connections_are_told_apart_by_number() {
    let server = Server::start(|mut peer| async move {
        peer.head().await;
        let number = peer.number.to_string();
        peer.send(&with_body("Connection: close\r\n", number.as_bytes())).await;
    })
    .await;
    let client = client();
    assert_eq!(get(&client, server.url("/")).await.unwrap().body, b"0");
    assert_eq!(get(&client, server.url("/")).await.unwrap().body, b"1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_host_that_is_asked_one_at_a_time_gets_one_connection() {
    let client = Arc::new(client());
    let mut hosts = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let client = Arc::clone(&client);
        hosts.spawn(async move {
            let server = Server::start(|mut peer| async move {
                while !peer.head().await.is_empty() && peer.send(&with_body("", &vec![b'x'; 20_000])).await {}
            })
            .await;
            for path in 0..20 {
                let answer = get(&client, server.url(&format!("/{path}"))).await.unwrap();
                assert_eq!(answer.body.len(), 20_000);
            }
            assert_eq!(server.requests(), 20);
            server.connections()
        });
    }
    // The pool gives no promise, so a few may have two.
    let connections: usize = hosts.join_all().await.into_iter().sum();
    assert!((20..=25).contains(&connections), "{connections} connections to 20 hosts");
}
