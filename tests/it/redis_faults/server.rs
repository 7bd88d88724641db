//! The server fails, forgets, is full, or will never do.

use super::{CRAWL, connect, hand_off, is_lost, lease, open, run, scheduler, settings, url};
use crate::servers::redis::RedisServer;
use huntsman::clock::Clock;
use huntsman::frontier::redis::{RedisFrontier, Settings};
use huntsman::frontier::{Ack, Front, FrontierError, Handed, Leases, Reports};
use std::time::Duration;

#[test]
fn a_flushed_server_is_noticed_and_a_new_epoch_begins() {
    run(async {
        let server = RedisServer::start();
        let (front, node) = (scheduler(&server, 1).await, connect(&server, "node").await);
        front.admit(vec![url("a", "1")], CRAWL, &[]).await.unwrap();
        let held = lease(&node, 1).await.remove(0);
        server.ask::<()>(&["FLUSHALL"]);
        assert!(is_lost(node.lease(1).await));
        assert!(is_lost(front.beat().await));
        assert!(is_lost(node.hand_off(hand_off(&held, &held.urls[0])).await), "no epoch is open");
        open(&front, 2, Duration::ZERO).await;
        front.refill(&held.host, held.urls.clone(), true).await.unwrap();
        assert_eq!(node.hand_off(hand_off(&held, &held.urls[0])).await.unwrap(), Handed::Stale);
        assert_eq!(front.counts().await.unwrap().queued, 1);
        assert!(
            lease(&node, 1).await.is_empty(),
            "nobody is asked before the nodes of the old epoch have stopped"
        );
    });
}

#[test]
fn a_restarted_server_is_noticed() {
    run(async {
        let mut server = RedisServer::start();
        let (front, node) = (scheduler(&server, 1).await, connect(&server, "node").await);
        server.ask::<()>(&["SAVE"]);
        server.restart();
        // Its keys came back from the disk, an unknown part of them: the mark names another run.
        assert!(server.ask::<usize>(&["DBSIZE"]) > 0);
        assert!(is_lost(node.lease(1).await));
        assert!(is_lost(front.beat().await));
        open(&front, 2, Duration::ZERO).await;
        assert!(lease(&node, 1).await.is_empty());
    });
}

#[test]
fn a_server_that_is_away_is_unavailable_and_found_again() {
    run(async {
        let mut server = RedisServer::start();
        let (front, node) = (scheduler(&server, 1).await, connect(&server, "node").await);
        server.signal("STOP");
        assert!(matches!(node.lease(1).await, Err(FrontierError::Unavailable(_))), "it does not answer");
        server.signal("CONT");
        front.beat().await.unwrap();
        assert!(lease(&node, 1).await.is_empty());
        server.stop();
        assert!(matches!(node.lease(1).await, Err(FrontierError::Unavailable(_))), "it is gone");
    });
}

#[test]
fn where_memory_is_full_nothing_is_admitted_and_the_rest_drains() {
    run(async {
        let server = RedisServer::start();
        let (front, node) = (scheduler(&server, 1).await, connect(&server, "node").await);
        front.admit(vec![url("a", "1"), url("a", "2")], CRAWL, &[]).await.unwrap();
        server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1mb"]);
        let new = url("b", "1");
        assert_eq!(front.admit(vec![new.clone()], CRAWL, &[new.key]).await.unwrap(), 0);
        assert_eq!(front.unseen(CRAWL, &[new.key]).await.unwrap(), [true], "the store decides");
        let held = lease(&node, 1).await.remove(0);
        for url in &held.urls {
            assert_eq!(node.hand_off(hand_off(&held, url)).await.unwrap(), Handed::Accepted);
        }
        let entries = front.reports(10, Duration::ZERO).await.unwrap();
        let mut acks: Vec<_> =
            entries.iter().map(|(id, _)| Ack { id: *id, requeue: None, stored: true }).collect();
        acks[0].requeue = Some(held.urls[0].clone());
        front.acknowledge(acks).await.unwrap();
        assert_eq!(front.counts().await.unwrap().queued, 1, "a retry stays");
        server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
        let low = front.low(10).await.unwrap();
        assert_eq!(
            low.iter().map(|low| low.host.as_str()).collect::<Vec<_>>(),
            ["b"],
            "the refill brings it"
        );
        assert_eq!(front.refill(&new.host, vec![new.clone()], true).await.unwrap(), 1);
    });
}

#[test]
fn a_server_that_will_not_do_is_refused_with_what_to_do() {
    run(async {
        for (change, advice) in [
            (&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"][..], "maxmemory-policy noeviction"),
            (&["CONFIG", "SET", "set-max-intset-entries", "100"], "set-max-intset-entries"),
            (&["CONFIG", "SET", "requirepass", "secret"], "put them in its URL"),
            (&["ACL", "SETUSER", "default", "-xadd"], "+@all"),
            (&["ACL", "SETUSER", "default", "-evalsha"], "+@all"),
            (&["ACL", "SETUSER", "default", "-xinfo"], "+@all"),
            (&["ACL", "SETUSER", "default", "-unlink"], "+@all"),
            (&["ACL", "SETUSER", "default", "resetkeys", "~another:*"], "+@all"),
            (&["REPLICAOF", "127.0.0.1", "1"], "master"),
        ] {
            let server = RedisServer::start();
            server.ask::<()>(change);
            let refused = RedisFrontier::connect(settings(&server, "x"), Clock::start()).await;
            let Err(FrontierError::Unusable(why)) = refused else {
                panic!("{change:?} is taken: {refused:?}")
            };
            assert!(why.contains(advice), "{change:?}: {why}");
        }
        let cluster = ["--cluster-enabled", "yes", "--bind", "127.0.0.1", "--cluster-port", &free_port()];
        let cluster = RedisServer::start_with(&cluster);
        let refused = RedisFrontier::connect(settings(&cluster, "x"), Clock::start()).await;
        assert!(
            matches!(&refused, Err(FrontierError::Unusable(why)) if why.contains("Cluster")),
            "{refused:?}"
        );
        let nobody = Settings::new("redis+unix:///nowhere/redis.sock", "x");
        let refused = RedisFrontier::connect(nobody, Clock::start()).await;
        assert!(matches!(refused, Err(FrontierError::Unavailable(_))), "{refused:?}");
    });
}

#[test]
fn scripts_that_the_server_forgot_are_given_to_it_again() {
    run(async {
        let server = RedisServer::start();
        let front = scheduler(&server, 1).await;
        server.ask::<()>(&["SCRIPT", "FLUSH"]);
        assert_eq!(front.admit(vec![url("a", "1")], CRAWL, &[]).await.unwrap(), 1);
        assert_eq!(front.counts().await.unwrap().queued, 1);
    });
}

#[test]
fn a_user_with_the_rights_that_are_asked_for_can_do_everything() {
    run(async {
        let server = RedisServer::start();
        server.ask::<()>(&["ACL", "SETUSER", "crawler", "on", ">secret", "+@all", "-@admin", "~huntsman:*"]);
        let url_of = |user: &str| format!("{}?user={user}&pass=secret", server.url());
        let settings = Settings { url: url_of("crawler"), ..settings(&server, "x") };
        let index = RedisFrontier::connect(settings, Clock::start()).await.unwrap();
        open(&index, 1, Duration::ZERO).await;
        open(&index, 2, Duration::ZERO).await;
        index.admit(vec![url("a", "1")], CRAWL, &[]).await.unwrap();
        assert_eq!(index.counts().await.unwrap().queued, 1);
    });
}

/// A certificate authority made for this test, and a server whose certificate it signed.
#[test]
fn a_server_is_spoken_to_by_tls_where_its_url_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("sh")
        .arg("-c")
        .arg(MAKE_CERTIFICATES)
        .current_dir(&folder)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let port = free_port();
    let (certificate, key, authority) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let _server = RedisServer::start_with(&[
        "--bind",
        "127.0.0.1",
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &authority,
        "--tls-auth-clients",
        "no",
    ]);
    let index = format!("rediss://127.0.0.1:{port}");
    let node = |authority: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_huntsman"));
        command
            .args(["node", "-v", "--frontier", &index])
            .current_dir(&folder)
            .stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::piped());
        command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
        command.envs(authority.map(|file| ("SSL_CERT_FILE", file)));
        let mut running = command.spawn().unwrap();
        let errors = std::io::BufReader::new(running.stderr.take().unwrap());
        let said = std::io::BufRead::lines(errors).map_while(Result::ok);
        let said = said.filter(|line| line.contains("epoch") || line.contains("ertificate")).take(1);
        let said = said.collect::<String>();
        running.kill().unwrap();
        running.wait().unwrap();
        said
    };
    let said = node(Some(&authority));
    assert!(said.contains("no epoch is open"), "it was understood: {said}");
    let said = node(None);
    assert!(said.contains("invalid peer certificate"), "nobody vouches for it: {said}");
}

const MAKE_CERTIFICATES: &str = "
set -e
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority
openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1
printf 'subjectAltName=IP:127.0.0.1\n' > names
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names
";

fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}
