//! `status`, `nodes`, `drain` and `recover`.

use super::Installation;
use crate::program::{said, wait_until};
use huntsman::testweb::Settings;
use std::time::Duration;

const DELAY: Duration = Duration::from_millis(50);

#[test]
fn status_says_who_leads_what_stands_in_the_index_and_which_nodes_there_are() {
    let fleet = Installation::new();
    let _web = fleet.web(Settings { hosts: 6, pages: 200, page_size: 1_000, ..Settings::default() });
    let _scheduler = fleet.scheduler(&["seeds.txt", "--name", "t", "--delay", "50ms"]);
    let (one, two, _storage) = (fleet.node(&[]), fleet.node(&[]), fleet.storage());
    wait_until("some pages by two nodes", || fleet.pages() > 20 && fleet.nodes().len() == 2);
    let output = fleet.run(&["status", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&status["crawls"][0]["name"], &status["crawls"][0]["state"]),
        (&"t".into(), &"running".into())
    );
    assert!(status["crawls"][0]["stored"].as_i64().unwrap() > 20);
    assert_eq!((&status["leader"]["is_scheduler"], &status["index"]["epoch"]), (&true.into(), &1.into()));
    for part in ["queued", "leased", "lag", "hosts"] {
        assert!(status["index"][part].is_u64(), "{part}: {status}");
    }
    assert_eq!(status["nodes"].as_array().unwrap().len(), 2);
    let text = String::from_utf8(fleet.run(&["status"]).stdout).unwrap();
    for part in ["leads  scheduler-", "index  epoch 1:", "node   node-", "handed off"] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let (leaving, staying) = (&fleet.nodes()[0], &fleet.nodes()[1]);
    let name = leaving["node"].as_str().unwrap();
    assert!(!name.is_empty());
    fleet.index_does(&["drain", name]);
    let mut both = [one, two];
    wait_until("one of them ends", || both.iter_mut().any(super::Role::has_ended));
    let [one, two] = both;
    let (mut ended, mut other) = (one, two);
    if !ended.has_ended() {
        std::mem::swap(&mut ended, &mut other);
    }
    assert_eq!(ended.code(), Some(0), "{}", fleet.logs());
    assert!(!other.has_ended(), "{staying} goes on");
    let handed = |name: &serde_json::Value| {
        fleet
            .nodes()
            .iter()
            .find(|node| node["node"] == *name)
            .map(|node| node["handed_off"].as_u64().unwrap())
    };
    let before = handed(&staying["node"]);
    wait_until("more from the other", || handed(&staying["node"]) > before);
}

#[test]
fn recover_has_another_epoch_filled_from_the_store() {
    let fleet = Installation::new();
    let web = fleet.web(Settings { hosts: 6, pages: 40, page_size: 1_000, links: 8, ..Settings::default() });
    let scheduler = fleet.scheduler(&["seeds.txt", "--name", "t", "--delay", "50ms"]);
    let (_node, _storage) = (fleet.node(&[]), fleet.storage());
    wait_until("some pages", || fleet.pages() > 40);
    let told = fleet.does(&["recover"]);
    assert!(told.contains("Epoch 1 of the index is closed; epoch 2 is open"), "{told}");
    fleet.wait_for("finished");
    fleet.has_all(&web, DELAY);
    assert_eq!(scheduler.end(), Some(0));
    let alone = fleet.run(&["recover"]);
    assert_eq!(alone.status.code(), Some(5), "{}", said(&alone));
    assert!(said(&alone).contains("no scheduler leads"), "{}", said(&alone));
}
