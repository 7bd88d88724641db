//! Servers that take their time.

use super::*;

fn hasty(change: impl FnOnce(&mut Timeouts)) -> HttpClient {
    client_with(|settings| change(&mut settings.timeouts))
}

const SHORT: Duration = Duration::from_millis(150);

fn took(visit: &Visit) -> Duration {
    visit.finished.since(visit.started)
}

/// Ended by the limit, neither before it nor long after.
#[track_caller]
fn ended_by(visit: Visit, expected: FailureClass, limit: Duration) {
    let took = took(&visit);
    assert_eq!(class(visit.result), expected);
    assert!(took >= limit && took < limit + Duration::from_secs(2), "took {took:?} of {limit:?}");
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let server = Server::start(|mut peer| async move { peer.gone().await }).await;
    let client = hasty(|timeouts| timeouts.first_byte = SHORT);
    let visit = visit(&client, server.url("/")).await;
    assert_eq!(visit.first_byte, None);
    ended_by(visit, FailureClass::FirstByteTimeout, SHORT);
}

#[tokio::test]
async fn a_head_that_never_ends() {
    let server = Server::start(|mut peer| async move {
        peer.head().await;
        peer.send(b"HTTP/1.1 200 OK\r\n").await;
        while peer.send(b"X-Slow: 1\r\n").await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let client = hasty(|timeouts| timeouts.first_byte = SHORT);
    ended_by(visit(&client, server.url("/")).await, FailureClass::FirstByteTimeout, SHORT);
}

#[tokio::test]
async fn interim_answers_for_ever() {
    let server = Server::start(|mut peer| async move {
        peer.head().await;
        while peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let client = hasty(|timeouts| timeouts.first_byte = SHORT);
    ended_by(visit(&client, server.url("/")).await, FailureClass::FirstByteTimeout, SHORT);
}

#[tokio::test]
async fn a_body_that_stalls() {
    let server = Server::start(|mut peer| async move {
        peer.head().await;
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").await;
        peer.gone().await;
    })
    .await;
    let client = hasty(|timeouts| timeouts.stall = SHORT);
    let visit = visit(&client, server.url("/")).await;
    assert!(visit.first_byte.is_some());
    ended_by(visit, FailureClass::StallTimeout, SHORT);
}

#[tokio::test]
async fn a_body_that_trickles_ends_at_the_total_limit_and_not_before() {
    let server = Server::start(|mut peer| async move {
        peer.head().await;
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while peer.send(b"x").await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let total = 4 * SHORT;
    let client = hasty(|timeouts| {
        timeouts.first_byte = SHORT;
        timeouts.stall = SHORT;
        timeouts.total = total;
    });
    ended_by(visit(&client, server.url("/")).await, FailureClass::TotalTimeout, total);
}

#[tokio::test]
async fn a_slow_body_within_the_limits_is_whole() {
    let server = Server::start(|mut peer| async move {
        peer.head().await;
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n").await;
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            peer.send(b"x").await;
        }
    })
    .await;
    let client = hasty(|timeouts| {
        timeouts.first_byte = SHORT;
        timeouts.stall = SHORT;
    });
    assert_eq!(get(&client, server.url("/")).await.unwrap().body, [b'x'; 20]);
}

#[tokio::test]
async fn a_total_limit_below_the_others() {
    let server = Server::start(|mut peer| async move { peer.gone().await }).await;
    let client = hasty(|timeouts| timeouts.total = SHORT);
    ended_by(visit(&client, server.url("/")).await, FailureClass::TotalTimeout, SHORT);
}

#[tokio::test]
async fn a_handshake_that_never_ends() {
    let server = Server::start(|mut peer| async move { peer.gone().await }).await;
    let client = hasty(|timeouts| timeouts.connect = SHORT);
    let mut url = server.url("/");
    url.set_scheme("https").unwrap();
    ended_by(visit(&client, url).await, FailureClass::ConnectTimeout, SHORT);
}
