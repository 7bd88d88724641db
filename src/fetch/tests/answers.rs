//! What is asked and what is read of an answer.

use super::*;

/// The head of the one request that `client` sends.
async fn asked(client: &HttpClient, path: &str) -> String {
    let (heads, mut head) = tokio::sync::mpsc::channel(1);
    let server = Server::start(move |mut peer| {
        let heads = heads.clone();
        async move {
            let head = peer.head().await;
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            heads.send(head).await.unwrap();
        }
    })
    .await;
    get(client, server.url(path)).await.unwrap();
    head.recv().await.unwrap()
}

#[tokio::test]
async fn a_request_says_who_asks_and_what_it_takes() {
    let client = client_with(|settings| {
        settings.user_agent = "Huntsman-Test/1 (+https://example.org/bot)".into();
        settings.headers = vec![("accept-language".into(), "de".into()), ("X-Extra".into(), "1".into())];
    });
    let head = asked(&client, "/a?b=%20|^[]{}`'\"<>\\é").await.to_lowercase();
    for line in [
        "get /a?b=%20|^[]{}`%27%22%3c%3e\\%c3%a9 http/1.1\r\n",
        "user-agent: huntsman-test/1 (+https://example.org/bot)\r\n",
        "accept-encoding: gzip, deflate, br\r\n",
        "accept: text/html,",
        "accept-language: de\r\n",
        "x-extra: 1\r\n",
        "host: 127.0.0.1:",
    ] {
        assert!(head.contains(line), "{line:?} in\n{head}");
    }
    for name in ["cookie:", "referer:", "authorization:", "te:"] {
        assert!(!head.contains(&format!("\n{name}")), "{head}");
    }
}

#[tokio::test]
async fn settings_that_cannot_be_sent_are_refused() {
    for field in [("bad name", "x"), ("X-Bad", "a\nb")] {
        let settings = Settings { headers: vec![(field.0.into(), field.1.into())], ..settings() };
        assert!(HttpClient::new(settings, Clock::start()).is_err(), "{field:?}");
    }
}

#[tokio::test]
async fn the_fields_that_rules_read() {
    let head = "Content-Type: text/html; charset=utf-8\r\nRetry-After: 120\r\nX-Robots-Tag: noindex\r\n\
                X-Robots-Tag: otherbot: nofollow\r\nETag: W/\"x\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                Cache-Control: public, max-age=60\r\n";
    let answer = answer_of(with_body(head, b"x")).await.unwrap();
    assert_eq!(answer.content_type.as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(120)));
    assert_eq!(answer.robots_tag.as_deref(), Some("noindex\notherbot: nofollow"));
    assert_eq!(answer.etag.as_deref(), Some("W/\"x\""));
    assert_eq!(answer.last_modified.as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(answer.max_age, Some(60));
    assert!(!answer.sets_cookie && answer.head.is_none() && answer.location.is_none());

    let server = Server::once(with_body("X-B: 2\r\nX-A: 1\r\n", b"x")).await;
    let request = Request { keep_head: true, ..Request::get(server.url("/")) };
    let head = client().get(request).await.result.unwrap().head.unwrap();
    assert_eq!((&*head.version, head.peer), ("HTTP/1.1", Some(server.address)));
    let headers = head.fields;
    assert!(headers.contains(&("x-b".into(), "2".into())) && headers.len() == 3, "{headers:?}");
}

#[tokio::test]
async fn a_redirect_is_returned_and_not_followed() {
    for (location, expected) in [
        (&b"/next"[..], "/next"),
        (b"http://127.0.0.1:1/", "http://127.0.0.1:1/"),
        ("/caf\u{e9}".as_bytes(), "/caf\u{e9}"),
        (b"/caf\xe9", "/caf%E9"),
        (b"", ""),
        (b"javascript:alert(1)", "javascript:alert(1)"),
    ] {
        let head = [b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ", location, b"\r\n\r\n"].concat();
        let server = Server::once(head).await;
        let answer = get(&client(), server.url("/")).await.unwrap();
        assert_eq!((answer.status, answer.location.as_deref()), (302, Some(expected)));
        assert_eq!(server.requests(), 1);
    }
    assert_eq!(answer_of("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n").await.unwrap().location, None);
}

#[tokio::test]
async fn a_cookie_is_sent_back_to_its_host() {
    let server = Server::start(|mut peer| async move {
        loop {
            let head = peer.head().await;
            if head.is_empty() {
                return;
            }
            let cookie = head.lines().find_map(|line| line.strip_prefix("cookie: ")).unwrap_or("none");
            let set = if head.starts_with("GET /set") { "Set-Cookie: seen=yes; Path=/\r\n" } else { "" };
            peer.send(&with_body(set, cookie.as_bytes())).await;
        }
    })
    .await;
    let client = client();
    assert_eq!(get(&client, server.url("/")).await.unwrap().body, b"none");
    let answer = get(&client, server.url("/set")).await.unwrap();
    assert!(answer.sets_cookie && answer.body == b"none");
    assert_eq!(get(&client, server.url("/")).await.unwrap().body, b"seen=yes");
    let mut elsewhere = server.url("/");
    elsewhere.set_ip_host("127.0.0.2".parse().unwrap()).unwrap();
    let body = get(&client, elsewhere).await.map(|answer| answer.body).unwrap_or_default();
    assert_ne!(body, b"seen=yes");
}

proptest::proptest! {
    #[test]
    fn a_url_that_parses_can_be_asked_for(tail in "[ -~é]{0,30}", host in "[a-z0-9_.*!$&'()+,;=~-]{1,12}") {
        for text in [format!("http://h/{tail}"), format!("https://h?{tail}"), format!("http://{host}/")] {
            if let Ok(url) = crate::crawl::url::parse(&text) {
                proptest::prop_assert!(url.as_str().parse::<hyper::Uri>().is_ok(), "{}", url);
            }
        }
    }
}
