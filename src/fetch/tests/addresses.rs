//! Which addresses are asked, and what becomes of names.

use super::*;
use std::net::IpAddr;

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// A server and a client that may not ask it, but knows it as `inside.example`.
async fn forbidden() -> (Server, HttpClient) {
    let server = Server::once(with_body("", b"secret")).await;
    let client = client_with(|settings| {
        settings.allow.clear();
        settings.hosts.insert("inside.example".into(), ips(&["127.0.0.1", "::ffff:127.0.0.1"]));
    });
    (server, client)
}

#[tokio::test]
async fn nothing_connects_to_a_forbidden_address() {
    let (server, client) = forbidden().await;
    let port = server.address.port();
    for host in
        ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0", "localhost", "inside.example"]
    {
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        let failure = get(&client, url).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::ForbiddenAddress, "{host}: {}", failure.detail);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn of_a_names_addresses_only_permitted_ones_are_used() {
    let server = Server::once(with_body("", b"ok")).await;
    let client = client_with(|settings| {
        settings.hosts.insert("two.example".into(), ips(&["10.0.0.1", "127.0.0.1"]));
    });
    let url = Url::parse(&format!("http://two.example:{}/", server.address.port())).unwrap();
    assert_eq!(get(&client, url).await.unwrap().body, b"ok");
}

#[tokio::test]
async fn bad_ports_are_not_asked() {
    for port in [22, 25, 6_000, 6_667] {
        let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
        assert_eq!(class(get(&client(), url).await), FailureClass::ForbiddenAddress, "{port}");
    }
    let zero = Url::parse("http://127.0.0.1:0/").unwrap();
    assert_eq!(class(get(&client(), zero).await), FailureClass::ForbiddenAddress);
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let client = client_with(|settings| {
        settings.hosts.insert("empty.example".into(), Vec::new());
    });
    assert_eq!(
        class(get(&client, Url::parse("http://empty.example/").unwrap()).await),
        FailureClass::NoSuchHost
    );
    // With no resolver at hand the system says "try again", else "no such name".
    let result = get(&client, Url::parse("http://no.such.name.invalid/").unwrap()).await;
    assert!(matches!(class(result), FailureClass::NoSuchHost | FailureClass::Dns));
}

#[tokio::test]
async fn a_proxy_is_asked_instead_and_may_stand_anywhere() {
    let proxy = Server::start(|mut peer| async move {
        let head = peer.head().await;
        let line = head.lines().next().unwrap_or_default().to_owned();
        peer.send(&with_body("", line.as_bytes())).await;
    })
    .await;
    let client = client_with(|settings| {
        settings.allow.clear();
        settings.hosts.insert("proxy.example".into(), ips(&["127.0.0.1"]));
        settings.proxy = Some(Url::parse(&format!("http://proxy.example:{}", proxy.address.port())).unwrap());
    });
    let answer = get(&client, Url::parse("http://example.org/a").unwrap()).await.unwrap();
    assert_eq!(answer.body, b"GET http://example.org/a HTTP/1.1");
    let forbidden = get(&client, Url::parse("http://10.0.0.1/").unwrap()).await;
    assert_eq!(class(forbidden), FailureClass::ForbiddenAddress);
}
