//! HTTP/1 as it is and as it should not be.

use super::*;
use crate::crawl::visit::Limit;
use std::fmt::Write as _;

#[tokio::test]
async fn an_answer_that_is_cut_is_incomplete() {
    for octets in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        assert_eq!(class(answer_of(octets).await), FailureClass::Incomplete, "{octets:?}");
    }
}

#[tokio::test]
async fn a_reset_in_the_body_is_incomplete() {
    let server = Server::start(|mut peer| async move {
        // A socket that is closed with octets unread resets its connection.
        peer.stream.read_u8().await.unwrap();
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").await;
    })
    .await;
    assert_eq!(class(get(&client(), server.url("/")).await), FailureClass::Incomplete);
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_failure() {
    for octets in [
        "<html>HTTP/0.9</html>\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 1000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    ] {
        assert_eq!(class(answer_of(octets).await), FailureClass::Protocol, "{octets:?}");
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let huge = format!("HTTP/1.1 200 OK\r\nX-Huge: {}\r\n\r\n", "x".repeat(2 << 20));
    assert_eq!(class(answer_of(huge).await), FailureClass::HeadTooLarge);
    let fields = |count: usize| {
        let mut head = String::from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
        for number in 1..count {
            write!(head, "X-Field-{number}: {number}\r\n").unwrap();
        }
        head + "\r\nok"
    };
    assert_eq!(answer_of(fields(101)).await.unwrap().body, b"ok");
    assert_eq!(answer_of(fields(256)).await.unwrap().body, b"ok");
    assert_eq!(class(answer_of(fields(257)).await), FailureClass::HeadTooLarge);
}

#[tokio::test]
async fn heads_that_are_a_little_wrong_are_read() {
    for head in [
        "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\n\tthree\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon here\r\n(bad): x\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-Latin: caf\u{e9}\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
    ] {
        assert_eq!(answer_of(format!("{head}ok")).await.unwrap().body, b"ok", "{head:?}");
    }
}

#[tokio::test]
async fn bodies_by_every_framing() {
    for octets in [
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;ext=1\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
    ] {
        let answer = answer_of(octets).await.unwrap();
        assert_eq!((answer.status, &*answer.body, answer.wire_bytes), (200, &b"hello"[..], 5), "{octets:?}");
        assert_eq!(answer.truncated, None);
    }
    for octets in [
        "HTTP/1.1 204 No Content\r\n\r\nbody",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody",
        "HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Encoding: br\r\n\r\n",
    ] {
        assert_eq!(answer_of(octets).await.unwrap().body, b"", "{octets:?}");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_and_its_connection_closed() {
    let (closed, mut was_closed) = tokio::sync::mpsc::channel(1);
    let server = Server::start(move |mut peer| {
        let closed = closed.clone();
        async move {
            peer.head().await;
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while peer.send(&[b'x'; 16_384]).await {}
            closed.send(()).await.unwrap();
        }
    })
    .await;
    let client = client_with(|settings| (settings.max_body, settings.max_wire) = (100_000, 200_000));
    let answer = get(&client, server.url("/")).await.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (100_000, Some(Limit::Decoded)));
    was_closed.recv().await.unwrap();

    let asked = Request { max_body: Some(300_000), ..Request::get(server.url("/")) };
    let answer = client.get(asked).await.result.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (200_000, Some(Limit::Wire)));
    assert_eq!(answer.wire_bytes, 200_000);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_whole() {
    let server = Server::once(with_body("", &[b'x'; 1_000])).await;
    let client = client_with(|settings| (settings.max_body, settings.max_wire) = (1_000, 1_000));
    let answer = get(&client, server.url("/")).await.unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (1_000, None));
}

#[tokio::test]
async fn a_length_is_not_room() {
    let octets = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\nabc", i64::MAX);
    assert_eq!(class(answer_of(octets).await), FailureClass::Incomplete);
}
